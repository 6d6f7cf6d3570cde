"""
A session's standard streams on Cowrie's protocols.

    client -> protocol.lineReceived -> Terminal.line -> ask (a prompt) or readline (a command)
    command -> Terminal.write -> protocol.terminal -> client
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .streams import Stream
from .tasks import PAUSE, Signal

#: Bytes typed ahead that are kept.
TYPED_AHEAD = 1 << 16
#: Bytes of output that may wait in the connection's buffer before a command that gives the turn is held.
WAITING = 1 << 18


class Terminal(Stream):
    """The pseudo-terminal: prompts, lines, keys."""

    is_tty = readable = writable = True
    path = "/dev/tty"

    def __init__(self, protocol: Any) -> None:
        self.protocol: Any = protocol
        self.lines: list[bytes] = []
        self.rest = b""
        self.asking: Signal | None = None
        self.reading: Signal | None = None
        self.ended = False
        self.prompt = ""
        self.shell: Any = None
        #: A command of Cowrie's that takes lines itself.
        self.taker: Callable[[str], None] | None = None
        self.taker_end: Callable[[], None] = lambda: None
        self.on_line: Callable[[str], None] = lambda line: None
        #: Awaited before a line is run; None: it is run at once.
        self.before: Callable[[], Awaitable[None]] | None = None

    def write(self, data: bytes) -> None:
        protocol = self.protocol
        if protocol is None or protocol.terminal is None:
            raise BrokenPipeError(32, "Broken pipe")
        protocol.terminal.write(data)

    def hide(self, hidden: bool) -> None:
        if self.protocol is not None:
            self.protocol.password_input = hidden

    def pasting(self, on: bool) -> None:
        """What readline says to terminals that mark what is pasted."""
        shell = self.shell
        kind = (shell.vars.get("TERM") or "") if shell is not None else ""
        if shell is not None and shell.dialect.bash and kind not in ("", "dumb", "unknown"):
            self.write(b"\x1b[?2004h" if on else b"\x1b[?2004l\r")

    async def ask(self, prompt: str, shell: Any, *, first: bool) -> str | None:
        self.shell, self.prompt = shell, prompt
        if not self.lines and self.ended:
            return None
        self.pasting(True)
        self.write(prompt.encode("utf-8", "surrogateescape"))
        typed = b"".join(self.protocol.lineBuffer) if self.protocol is not None else b""
        if typed and not self.lines:
            # What was typed while the command ran stands there again.
            self.write(typed)
        if self.lines:
            line: bytes | None = self.lines.pop(0)
            self.write((line or b"").rstrip(b"\n") + b"\n")
        else:
            self.asking = Signal()
            try:
                line = await self.asking
            finally:
                self.asking = None
        self.pasting(False)
        if line is None:
            return None
        text = line.decode("utf-8", "replace").rstrip("\n")
        self.on_line(text)
        if self.before is not None:
            await self.before()
        return text

    def line(self, data: bytes) -> None:
        if self.asking is not None:
            self.asking.set(data)
        elif self.taker is not None:
            self.taker(data.decode("utf-8", "replace"))
        else:
            if sum(len(line) for line in self.lines) < TYPED_AHEAD:
                self.lines.append(data + b"\n")
            self.tell()

    def tell(self) -> None:
        if self.reading is not None:
            waiting, self.reading = self.reading, None
            waiting.set()

    def end(self) -> None:
        """Ctrl-D on an empty line."""
        if self.asking is not None:
            self.asking.set(None)
        elif self.taker is not None:
            self.taker_end()
        elif self.reading is not None:
            self.ended = True
            self.tell()

    async def readline(self) -> bytes:
        if self.rest:
            line, self.rest = self.rest, b""
            return line
        while not self.lines and not self.ended:
            self.reading = self.reading or Signal()
            await self.reading
        if self.lines:
            return self.lines.pop(0)
        self.ended = False
        return b""

    async def read(self, most: int = -1) -> bytes:
        if most < 0:
            chunks = []
            while line := await self.readline():
                chunks.append(line)
            return b"".join(chunks)
        line = await self.readline()
        taken, self.rest = line[:most], line[most:]
        return taken

    async def drain(self) -> None:
        await PAUSE


class Channel(Stream):
    """Standard input of a command run by `ssh host command`: bytes until the client ends them."""

    readable = True

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended = False
        self.reading: Signal | None = None

    def receive(self, data: bytes) -> None:
        self.buffer += data
        self.tell()

    def end(self) -> None:
        self.ended = True
        self.tell()

    def tell(self) -> None:
        if self.reading is not None:
            waiting, self.reading = self.reading, None
            waiting.set()

    async def wait(self) -> None:
        self.reading = self.reading or Signal()
        await self.reading

    async def read(self, most: int = -1) -> bytes:
        while not self.ended and (most < 0 or not self.buffer):
            await self.wait()
        size = len(self.buffer) if most < 0 else most
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    async def readline(self) -> bytes:
        while True:
            end = self.buffer.find(b"\n")
            if end >= 0 or self.ended:
                return await self.read(end + 1 if end >= 0 else len(self.buffer)) if self.buffer else b""
            await self.wait()


class Script(Channel):
    """Commands that come as input: each line that is taken is told."""

    def __init__(self, told: Callable[[str], None], before: Callable[[], Awaitable[None]] | None = None) -> None:
        super().__init__()
        self.told, self.before = told, before

    async def readline(self) -> bytes:
        line = await super().readline()
        self.told(line.decode("utf-8", "replace").rstrip("\n"))
        if self.before is not None and line:
            await self.before()
        return line


class Output(Stream):
    """Standard output or error towards the client."""

    writable = True

    def __init__(self, send: Callable[[bytes], None], waiting: Callable[[], int] = lambda: 0) -> None:
        self.send, self.waiting = send, waiting

    def write(self, data: bytes) -> None:
        if data:
            self.send(bytes(data))

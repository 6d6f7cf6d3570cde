"""Keys of an interactive log-in: what Cowrie's line editor does otherwise than readline."""

from __future__ import annotations

from typing import Any

from ..signatures import expect, expect_attribute
from .completion import columns, complete


def install(talk: Any) -> None:
    from twisted.conch.recvline import HistoricRecvLine, RecvLine

    expect(talk.characterReceived, "(self, ch, moreCharactersComing)")
    expect(talk.handle_RETURN, "(self)")
    expect(RecvLine.handle_BACKSPACE, "(self)")
    expect(HistoricRecvLine.handle_UP, "(self)")
    expect_attribute(RecvLine, "handle_DELETE", "handle_LEFT", "handle_RIGHT", "handle_HOME", "handle_END")

    def quiet(self: Any) -> None:
        self.mode = "insert"

    def redraw_tail(self: Any) -> None:
        """What stands after the cursor, and back."""
        tail = b"".join(self.lineBuffer[self.lineBufferIndex :])
        self.terminal.write(tail + b"\x1b[K" + b"\x08" * len(tail))

    def character(self: Any, ch: bytes, more: bool) -> None:
        self.resetTimeout()
        self.lineBuffer.insert(self.lineBufferIndex, ch)
        self.lineBufferIndex += 1
        if len(self.lineBuffer) > 65536:
            del self.lineBuffer[65536:]
            self.lineBufferIndex = min(self.lineBufferIndex, 65536)
        if not self.password_input:
            self.terminal.write(ch)
            if self.lineBufferIndex < len(self.lineBuffer):
                redraw_tail(self)

    def backspace(self: Any) -> None:
        if self.lineBufferIndex > 0:
            self.lineBufferIndex -= 1
            del self.lineBuffer[self.lineBufferIndex]
            if not self.password_input:
                tail = b"".join(self.lineBuffer[self.lineBufferIndex :])
                self.terminal.write(b"\x08\x1b[1P" + tail + b"\x08" * len(tail) if tail else b"\x08\x1b[K")

    def delete(self: Any) -> None:
        if self.lineBufferIndex < len(self.lineBuffer):
            del self.lineBuffer[self.lineBufferIndex]
            redraw_tail(self)

    def replace(self: Any, line: list[bytes]) -> None:
        longer = len(self.lineBuffer) > len(line)
        self.terminal.write(b"\x08" * self.lineBufferIndex + b"".join(line) + (b"\x1b[K" if longer else b""))
        self.lineBuffer, self.lineBufferIndex = line, len(line)

    def as_keys(line: bytes) -> list[bytes]:
        return [line[at : at + 1] for at in range(len(line))]

    def up(self: Any) -> None:
        if self.historyLines and self.historyPosition > 0:
            if self.historyPosition == len(self.historyLines):
                self.unfinished = list(self.lineBuffer)
            self.historyPosition -= 1
            replace(self, as_keys(self.historyLines[self.historyPosition]))

    def down(self: Any) -> None:
        if self.historyPosition < len(self.historyLines) - 1:
            self.historyPosition += 1
            replace(self, as_keys(self.historyLines[self.historyPosition]))
        elif self.historyPosition == len(self.historyLines) - 1:
            self.historyPosition += 1
            replace(self, getattr(self, "unfinished", []))

    def left(self: Any) -> None:
        if self.lineBufferIndex > 0:
            self.lineBufferIndex -= 1
            self.terminal.write(b"\x08")

    def right(self: Any) -> None:
        if self.lineBufferIndex < len(self.lineBuffer):
            self.terminal.write(self.lineBuffer[self.lineBufferIndex])
            self.lineBufferIndex += 1

    def home(self: Any) -> None:
        self.terminal.write(b"\x08" * self.lineBufferIndex)
        self.lineBufferIndex = 0

    def end(self: Any) -> None:
        self.terminal.write(b"".join(self.lineBuffer[self.lineBufferIndex :]))
        self.lineBufferIndex = len(self.lineBuffer)

    def return_(self: Any) -> None:
        line = b"".join(self.lineBuffer)
        session = self.shell_session
        if line.strip() and session.terminal is not None and session.terminal.asking is not None:
            self.historyLines.append(line)
            del self.historyLines[:-500]
        self.historyPosition = len(self.historyLines)
        self.lineBuffer, self.lineBufferIndex = [], 0
        if not self.password_input:
            self.terminal.write(b"\n")
        self.lineReceived(line)

    def interrupt(self: Any) -> None:
        self.resetTimeout()
        self.lineBuffer, self.lineBufferIndex = [], 0
        self.historyPosition = len(self.historyLines)
        self.password_input = False
        session = self.shell_session
        asking = session.terminal is not None and session.terminal.asking is not None
        self.terminal.write(b"^C")
        if asking:
            # readline leaves, comes back for the signal, and leaves again.
            for on in (False, True, False):
                session.terminal.pasting(on)
        self.terminal.write(b"\n")
        session.interrupt()

    def end_of_input(self: Any) -> None:
        if self.lineBuffer:
            delete(self)
        else:
            self.eofReceived()

    def kill_line(self: Any) -> None:
        rest = self.lineBuffer[self.lineBufferIndex :]
        self.lineBuffer = []
        self.terminal.write(b"\x08" * self.lineBufferIndex)
        self.lineBuffer, self.lineBufferIndex = rest, 0
        redraw_tail(self)

    def kill_rest(self: Any) -> None:
        del self.lineBuffer[self.lineBufferIndex :]
        self.terminal.write(b"\x1b[K")

    def kill_word(self: Any) -> None:
        start = self.lineBufferIndex
        while start and self.lineBuffer[start - 1] == b" ":
            start -= 1
        while start and self.lineBuffer[start - 1] != b" ":
            start -= 1
        self.terminal.write(b"\x08" * (self.lineBufferIndex - start))
        del self.lineBuffer[start : self.lineBufferIndex]
        self.lineBufferIndex = start
        redraw_tail(self)

    def clear(self: Any) -> None:
        terminal = self.shell_session.terminal
        prompt = terminal.prompt.encode("utf-8", "surrogateescape") if terminal.asking is not None else b""
        self.terminal.write(b"\x1b[H\x1b[2J\x1b[3J" + prompt + b"".join(self.lineBuffer))
        self.lineBufferIndex = len(self.lineBuffer)

    def tab(self: Any) -> None:
        terminal = self.shell_session.terminal
        if terminal is None or terminal.asking is None or terminal.shell is None:
            return
        line = b"".join(self.lineBuffer[: self.lineBufferIndex]).decode("utf-8", "surrogateescape")
        added, shown = complete(terminal.shell, line)
        if added:
            self.tabs = 0
            if not added.endswith((" ", "/")):
                # There is more than one: the bell, and what they have in common.
                self.terminal.write(b"\x07")
            for key in as_keys(added.encode("utf-8", "surrogateescape")):
                character(self, key, True)
            return
        self.tabs = getattr(self, "tabs", 0) + 1
        if shown and self.tabs > 1:
            width = self.shell_session.system.size[0]
            self.terminal.write(b"\n" + columns(shown, width).encode("utf-8", "surrogateescape"))
            self.terminal.write(terminal.prompt.encode("utf-8", "surrogateescape") + b"".join(self.lineBuffer))
        else:
            self.terminal.write(b"\x07")

    keys = {
        b"\x01": home, b"\x02": left, b"\x03": interrupt, b"\x04": end_of_input, b"\x05": end, b"\x06": right,
        b"\x08": backspace, b"\x7f": backspace, b"\x09": tab, b"\x0b": kill_rest, b"\x0c": clear, b"\x0e": down,
        b"\x10": up, b"\x15": kill_line, b"\x17": kill_word, b"\r": return_, b"\n": return_,
        b"\x00": lambda self: None, b"\x1b": lambda self: None, b"\x16": lambda self: None,
    }  # fmt: skip

    def own_keys(self: Any) -> dict[Any, Any]:
        terminal = self.terminal
        made = {key: (lambda handler=handler: handler(self)) for key, handler in keys.items()}
        special = {"UP_ARROW": up, "DOWN_ARROW": down, "LEFT_ARROW": left, "RIGHT_ARROW": right, "HOME": home, "END": end, "DELETE": delete}
        for name, handler in special.items():
            made[getattr(terminal, name)] = lambda handler=handler: handler(self)
        return made

    talk.setInsertMode = talk.setTypeoverMode = quiet
    talk.initializeScreen = quiet
    talk.characterReceived = character
    talk.handle_RETURN = return_
    talk.handle_CTRL_C, talk.handle_CTRL_D = interrupt, end_of_input
    talk.own_keys = own_keys

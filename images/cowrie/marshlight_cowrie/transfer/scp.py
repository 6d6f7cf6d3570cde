"""
The far end of scp's old protocol, as `scp -t` (takes files) and `scp -f` (gives them) speak it over a pipe.

    C<mode> <size> <name>\n  contents \0      D<mode> 0 <name>\n  ...  E\n      T<mtime> 0 <atime> 0\n      each answered by \0
"""

from __future__ import annotations

import os
import posixpath
import re
import stat as st
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..shell.ports import Process

HEADER = re.compile(rb"([CD])([0-7]{4,}) (\d{1,15}) ([^\n]+)\n")
PIECE = 64 << 10
#: As much as the tree would take.
LARGEST = 64 << 20
Captured = Callable[["Process", str, bytes], None]


def command(elsewhere: Callable[[Process], Awaitable[int]], captured: Captured) -> Callable[[Process], Awaitable[int]]:
    """`elsewhere`: what scp does when a person calls it. `captured` is told of each file that came."""

    async def scp(process: Process) -> int:
        letters = "".join(word[1:] for word in process.args[1:] if re.fullmatch(r"-[a-zA-Z]+", word))
        names = [word for word in process.args[1:] if not word.startswith("-")]
        if "t" in letters and names:
            return await Sink(process, names[-1], "d" in letters, "p" in letters, captured).run()
        if "f" in letters and names:
            return await Source(process, "r" in letters, "p" in letters).run(names)
        return await elsewhere(process)

    return scp


class Far:
    def __init__(self, process: Process) -> None:
        self.process, self.status = process, 0
        self.waiting = b""
        self.ended = False

    async def more(self) -> bool:
        got = await self.process.stdin.read(PIECE)
        self.waiting += got
        self.ended = not got
        return not self.ended

    async def line(self) -> bytes:
        while b"\n" not in self.waiting and len(self.waiting) < 8192 and await self.more():
            pass
        line, found, self.waiting = self.waiting.partition(b"\n")
        return line + found

    async def exactly(self, length: int) -> bytes:
        while len(self.waiting) < length and await self.more():
            pass
        taken, self.waiting = self.waiting[:length], self.waiting[length:]
        return taken

    async def is_answered(self) -> bool:
        """Whether the other side goes on; it tells an error of its own as 1 or 2 and a line."""
        answer = await self.exactly(1)
        if answer in (b"\1", b"\2"):
            await self.line()
            self.status = 1
        return answer in (b"\0", b"\1")

    def say(self, data: bytes) -> None:
        self.process.stdout.write(data)

    def fail(self, path: str, error: OSError | str) -> None:
        why = error if isinstance(error, str) else os.strerror(error.errno or 0)
        self.status = 1
        self.say(f"\1scp: {path}: {why}\n".encode("utf-8", "surrogateescape"))


class Sink(Far):
    def __init__(self, process: Process, target: str, folder: bool, times: bool, captured: Captured) -> None:
        super().__init__(process)
        self.target, self.folder, self.times, self.captured = process.path(target), folder, times, captured

    async def run(self) -> int:
        into = self.is_folder(self.target)
        if self.folder and not into:
            self.fail(self.target, "Not a directory" if self.process.fs.access(self.target) else "No such file or directory")
            return 1
        self.say(b"\0")
        await self.take(self.target, into)
        return self.status

    def is_folder(self, path: str) -> bool:
        try:
            return st.S_ISDIR(self.process.fs.stat(path).mode)
        except OSError:
            return False

    async def take(self, target: str, into: bool) -> None:
        mtime: float | None = None
        while line := await self.line():
            if line == b"E\n":
                self.say(b"\0")
                return
            if line[:1] in (b"\1", b"\2"):
                self.status = 1
                continue
            times = re.fullmatch(rb"T(\d+) \d+ \d+ \d+\n", line)
            header = HEADER.fullmatch(line)
            if times:
                mtime = float(times[1][:12])
                self.say(b"\0")
            elif header:
                name = header[4].decode("utf-8", "surrogateescape")
                if "/" in name or name in (".", ".."):
                    self.say(f"\2scp: error: unexpected filename: {name}\n".encode("utf-8", "surrogateescape"))
                    self.status = 1
                    return
                path = posixpath.join(target, name) if into else target
                took = self.take_folder if header[1] == b"D" else self.take_file
                await took(path, int(header[2], 8) & 0o7777, int(header[3]), mtime)
                mtime = None
            else:
                self.say(b"\2scp: protocol error: unexpected <newline>\n" if line == b"\n" else b"\2scp: protocol error: expected control record\n")
                self.status = 1
                return

    async def take_folder(self, path: str, mode: int, _: int, mtime: float | None) -> None:
        try:
            if not self.is_folder(path):
                self.process.fs.mkdir(path, (mode | 0o700) & ~self.process.umask)
        except OSError as error:
            self.fail(path, error)
            return
        self.say(b"\0")
        await self.take(path, True)
        self.finish(path, mtime)

    async def take_file(self, path: str, mode: int, size: int, mtime: float | None) -> None:
        wrong: OSError | None = None
        try:
            self.process.fs.write(path, b"", mode=mode & ~self.process.umask)
        except OSError as error:
            self.fail(path, error)
            return
        self.say(b"\0")
        kept = bytearray()
        left = size
        while left and (piece := await self.exactly(min(left, PIECE))):
            left -= len(piece)
            if len(kept) + len(piece) <= LARGEST:
                kept += piece
        ending = await self.exactly(1)
        try:
            self.process.fs.write(path, bytes(kept), mode=mode & ~self.process.umask)
        except OSError as error:
            wrong = error
        self.captured(self.process, path, bytes(kept))
        self.finish(path, mtime)
        if wrong:
            self.fail(path, wrong)
        elif ending == b"\0":
            self.say(b"\0")

    def finish(self, path: str, mtime: float | None) -> None:
        if mtime is not None and self.times:
            try:
                self.process.fs.utime(path, mtime)
            except OSError as error:
                self.fail(path, error)


class Source(Far):
    def __init__(self, process: Process, deep: bool, times: bool) -> None:
        super().__init__(process)
        self.deep, self.times = deep, times

    async def run(self, names: list[str]) -> int:
        if not await self.is_answered():
            return 1
        for name in names:
            await self.give(self.process.path(name), posixpath.basename(name.rstrip("/")) or name)
        return self.status

    async def give(self, path: str, name: str) -> None:
        fs = self.process.fs
        try:
            found = fs.stat(path)
            data = b"" if st.S_ISDIR(found.mode) else fs.read(path)
            inside = sorted(fs.listdir(path)) if st.S_ISDIR(found.mode) and self.deep else []
        except OSError as error:
            self.fail(path, error)
            return
        if st.S_ISDIR(found.mode) and not self.deep or not (st.S_ISREG(found.mode) or st.S_ISDIR(found.mode)):
            self.fail(path, "not a regular file")
            return
        if self.times and not await self.told(f"T{int(found.mtime)} 0 {int(found.mtime)} 0\n"):
            return
        mode = st.S_IMODE(found.mode)
        if st.S_ISREG(found.mode):
            if await self.told(f"C{mode:04o} {len(data)} {name}\n"):
                for start in range(0, len(data), PIECE):
                    self.say(data[start : start + PIECE])
                    await self.process.stdout.drain()
                self.say(b"\0")
                await self.is_answered()
            return
        if await self.told(f"D{mode:04o} 0 {name}\n"):
            for one in inside:
                await self.give(f"{path.rstrip('/')}/{one}", one)
            await self.told("E\n")

    async def told(self, text: str) -> bool:
        self.say(text.encode("utf-8", "surrogateescape"))
        return await self.is_answered() and self.status == 0


def registered(by_name: dict[str, Any], captured: Captured) -> None:
    """In place of the scp that is there, which stays for whoever calls it by hand."""
    for name in ("scp", "/usr/bin/scp", "/bin/scp"):
        if name in by_name:
            by_name[name] = command(by_name[name], captured)

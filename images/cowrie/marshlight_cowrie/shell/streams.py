"""What a file descriptor of the pretended host stands for."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from .tasks import PAUSE, Signal

if TYPE_CHECKING:
    from .ports import FileSystem

#: What a pipe holds before its writer waits, as Linux has it.
PIPE_BYTES = 65536


class Stream:
    """Reads nothing and takes nothing; the base of the others."""

    is_tty = False
    path: str | None = None
    readable = writable = False

    async def read(self, most: int = -1) -> bytes:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    async def readline(self) -> bytes:
        """To the next line end; byte for byte, so that what follows stays for the next reader."""
        line = bytearray()
        while True:
            byte = await self.read(1)
            line += byte
            if not byte or byte == b"\n":
                return bytes(line)

    def write(self, data: bytes) -> None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    async def drain(self) -> None:
        await PAUSE

    def close(self) -> None:
        return


class Null(Stream):
    """/dev/null"""

    path = "/dev/null"
    readable = writable = True

    async def read(self, most: int = -1) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        return


class Endless(Stream):
    """/dev/zero and /dev/urandom: as much as is asked for, at most 64 kB at once."""

    readable = writable = True

    def __init__(self, path: str, give: Callable[[int], bytes]) -> None:
        self.path, self.give = path, give

    async def read(self, most: int = -1) -> bytes:
        await PAUSE
        return self.give(min(most, 65536) if most >= 0 else 65536)

    def write(self, data: bytes) -> None:
        return


class Source(Stream):
    """Given bytes: a here-document, the contents of a file as it was opened."""

    readable = True

    def __init__(self, data: bytes, path: str | None = None) -> None:
        self.data, self.at, self.path = data, 0, path

    async def read(self, most: int = -1) -> bytes:
        end = len(self.data) if most < 0 else self.at + most
        taken = self.data[self.at : end]
        self.at += len(taken)
        return taken

    async def readline(self) -> bytes:
        end = self.data.find(b"\n", self.at) + 1
        return await self.read((end or len(self.data)) - self.at)


class Sink(Stream):
    """Keeps what is written, up to a bound; for command substitution."""

    writable = True

    def __init__(self, most: int = 1 << 20) -> None:
        self.chunks: list[bytes] = []
        self.size, self.most = 0, most

    def write(self, data: bytes) -> None:
        if self.size + len(data) > self.most:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        self.size += len(data)
        self.chunks.append(bytes(data))

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)


class FileWriter(Stream):
    """An opened file; every write goes to its end."""

    writable = True

    def __init__(self, fs: FileSystem, path: str) -> None:
        self.fs, self.path = fs, path

    def write(self, data: bytes) -> None:
        if data:
            self.fs.write(self.path or "", bytes(data), append=True)


class Both(Stream):
    """A file opened for reading and writing (`<>`)."""

    readable = writable = True

    def __init__(self, reader: Stream, writer: Stream) -> None:
        self.reader, self.writer, self.path = reader, writer, writer.path

    async def read(self, most: int = -1) -> bytes:
        return await self.reader.read(most)

    def write(self, data: bytes) -> None:
        self.writer.write(data)


class Pipe:
    """`write` end and `read` end of one buffer."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended = False
        self.broken = False
        #: A reader waits for more than a buffer of it.
        self.greedy = False
        self.changed = Signal()
        self.reader = PipeReader(self)
        self.writer = PipeWriter(self)

    def tell(self) -> None:
        told, self.changed = self.changed, Signal()
        told.set()


class PipeReader(Stream):
    readable = True

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def read(self, most: int = -1) -> bytes:
        pipe = self.pipe
        while not pipe.ended and (most < 0 or not pipe.buffer):
            if most < 0 and len(pipe.buffer) > 60 * PIPE_BYTES:
                break
            await self.wait(greedy=most < 0)
        size = len(pipe.buffer) if most < 0 else most
        taken = bytes(pipe.buffer[:size])
        del pipe.buffer[:size]
        if taken:
            pipe.tell()
        return taken

    async def readline(self) -> bytes:
        pipe = self.pipe
        while True:
            end = pipe.buffer.find(b"\n")
            if end >= 0 or pipe.ended or len(pipe.buffer) > 16 * PIPE_BYTES:
                return await self.read(end + 1 if end >= 0 else max(1, len(pipe.buffer)))
            await self.wait(greedy=True)

    async def wait(self, *, greedy: bool) -> None:
        """Reading to an end must not leave the writer waiting for room."""
        pipe = self.pipe
        pipe.greedy = greedy
        pipe.tell()
        await pipe.changed
        pipe.greedy = False

    def close(self) -> None:
        self.pipe.broken = True
        self.pipe.buffer.clear()
        self.pipe.tell()


class PipeWriter(Stream):
    writable = True

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def write(self, data: bytes) -> None:
        if self.pipe.broken or len(self.pipe.buffer) > 64 * PIPE_BYTES:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        if data:
            self.pipe.buffer += data
            self.pipe.tell()

    async def drain(self) -> None:
        await PAUSE
        while len(self.pipe.buffer) >= PIPE_BYTES and not (self.pipe.greedy or self.pipe.broken or self.pipe.ended):
            await self.pipe.changed
        if self.pipe.broken:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    def close(self) -> None:
        self.pipe.ended = True
        self.pipe.tell()

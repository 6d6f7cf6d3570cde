"""Ends for commands that a command starts: bytes to read, and a place to write to."""

from __future__ import annotations


class Given:
    """A Reader of bytes that are there already."""

    is_tty = False

    def __init__(self, data: bytes = b"") -> None:
        self.data, self.at = data, 0

    async def read(self, most: int = -1) -> bytes:
        end = len(self.data) if most < 0 else self.at + most
        piece, self.at = self.data[self.at : end], min(end, len(self.data))
        return piece

    async def readline(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        return await self.read((end + 1 if end >= 0 else len(self.data)) - self.at)


class Capture:
    """A Writer that keeps what comes, up to a limit."""

    is_tty = False
    MOST = 4 << 20

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        if len(self.data) < self.MOST:
            self.data += data

    async def drain(self) -> None:
        return

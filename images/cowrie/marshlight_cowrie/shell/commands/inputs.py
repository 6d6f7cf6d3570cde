"""Where commands read from: the operands as files, or standard input."""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from .wording import trouble

if TYPE_CHECKING:
    from ..ports import Process, Reader, Writer

CHUNK = 65536
#: What one command holds of its input at most: an attacker's file must not fill the decoy's memory.
MOST = 16 << 20


async def pieces(p: Process, name: str) -> AsyncIterator[bytes]:
    """The bytes of a file as they come; endless for /dev/zero and /dev/urandom. OSError before the first."""
    if name == "-" or name in ("/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"):
        while piece := await p.stdin.read(CHUNK):
            yield piece
        return
    path = p.path(name)
    substituted = of_shell(p, path)
    if substituted is not None:
        while piece := await substituted.read(CHUNK):
            yield piece
        return
    device = device_of(path)
    if device is not None:
        while piece := device(CHUNK):
            yield piece
        return
    if modes.S_ISDIR(p.fs.stat(path).mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    yield p.fs.read(path)


def of_shell(p: Process, path: str) -> Reader | None:
    """What `<(...)` gave a name to."""
    folder, _, number = path.rpartition("/")
    shell = p.notes.get("shell")
    if folder != "/dev/fd" or not number.isdigit() or shell is None:
        return None
    found: Reader | None = getattr(shell, "substitutions", {}).get(int(number)) or shell.fds.get(int(number))
    return found if hasattr(found, "read") else None


def written_by_shell(p: Process, path: str) -> Writer | None:
    """The other end of what `>(...)` gave a name to."""
    folder, _, number = path.rpartition("/")
    shell = p.notes.get("shell")
    if folder not in ("/dev/fd", "/proc/self/fd") or not number.isdigit() or shell is None:
        return None
    found: Writer | None = getattr(shell, "substitutions", {}).get(int(number)) or shell.fds.get(int(number))
    return found if hasattr(found, "write") else None


def device_of(path: str) -> Callable[[int], bytes] | None:
    return {
        "/dev/null": lambda _: b"",
        "/dev/zero": bytes,
        "/dev/full": bytes,
        "/dev/urandom": os.urandom,
        "/dev/random": os.urandom,
    }.get(path)


async def whole(p: Process, name: str, most: int = MOST) -> bytes:
    held = bytearray()
    async for piece in pieces(p, name):
        held += piece
        if len(held) >= most:
            break
    return bytes(held[:most])


class Inputs:
    """Reads the operands one after the other; what cannot be read is told, and `status` is 1 (or what was set)."""

    def __init__(self, p: Process, operands: list[str], status: int = 1) -> None:
        self.p, self.names, self.status, self.bad = p, operands or ["-"], 0, status

    async def each(self) -> AsyncIterator[tuple[str, bytes]]:
        for name in self.names:
            try:
                data = await whole(self.p, name)
            except OSError as error:
                trouble(self.p, name, error)
                self.status = self.bad
                continue
            yield name, data

    async def all(self) -> bytes:
        held = bytearray()
        async for _, data in self.each():
            held += data
        return bytes(held)

    async def lines(self) -> AsyncIterator[bytes]:
        """Lines with their ends, without waiting for the end of standard input."""
        for name in self.names:
            try:
                if name == "-":
                    while line := await self.p.stdin.readline():
                        yield line
                else:
                    async for piece in pieces(self.p, name):
                        for line in split(piece):
                            yield line
            except OSError as error:
                trouble(self.p, name, error)
                self.status = self.bad


def split(data: bytes) -> list[bytes]:
    """Lines with their ends; only a newline ends one."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return lines + [parts[-1]] if parts[-1] else lines


def bare(data: bytes) -> list[bytes]:
    """Lines without their ends."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return lines

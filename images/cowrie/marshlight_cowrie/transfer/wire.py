"""Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): a length, a kind, fields in network order."""

from __future__ import annotations

import struct
from dataclasses import dataclass

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT = range(1, 11)
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK, SYMLINK = range(11, 21)
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
EXTENDED, EXTENDED_REPLY = 200, 201
OK, EOF, NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, BAD_MESSAGE, _, _, UNSUPPORTED = range(9)
SIZE, OWNER, PERMISSIONS, TIMES, MORE = 1, 2, 4, 8, 0x80000000
#: What sftp-server takes and sends at most.
LARGEST = 256 << 10


class Malformed(Exception):
    """The client does not speak SFTP: the real server ends."""


@dataclass
class Attributes:
    size: int | None = None
    owner: tuple[int, int] | None = None
    mode: int | None = None
    times: tuple[int, int] | None = None


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        if self.at + length > len(self.data):
            raise Malformed("a packet ends within a field")
        self.at += length
        return self.data[self.at - length : self.at]

    def u32(self) -> int:
        return int(struct.unpack(">I", self.take(4))[0])

    def u64(self) -> int:
        return int(struct.unpack(">Q", self.take(8))[0])

    def string(self) -> bytes:
        return self.take(self.u32())

    def path(self) -> str:
        return self.string().decode("utf-8", "surrogateescape")

    def attributes(self) -> Attributes:
        flags = self.u32()
        found = Attributes()
        if flags & SIZE:
            found.size = self.u64()
        if flags & OWNER:
            found.owner = (self.u32(), self.u32())
        if flags & PERMISSIONS:
            found.mode = self.u32()
        if flags & TIMES:
            found.times = (self.u32(), self.u32())
        if flags & MORE:
            for _ in range(min(self.u32(), 64)):
                self.string()
                self.string()
        return found


def u32(value: int) -> bytes:
    return struct.pack(">I", value & 0xFFFFFFFF)


def u64(*values: int) -> bytes:
    return struct.pack(f">{len(values)}Q", *(value & 0xFFFFFFFFFFFFFFFF for value in values))


def string(value: bytes | str) -> bytes:
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return u32(len(raw)) + raw


def packet(kind: int, body: bytes) -> bytes:
    return u32(len(body) + 1) + bytes((kind,)) + body

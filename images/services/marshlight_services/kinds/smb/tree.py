"""What a tree of SMB 2 is to a conversation: the pipes of IPC$ (smb_pipes.py), or the files of a share (smb_files.py)."""

from __future__ import annotations

import struct
from typing import Protocol

CREATE, CLOSE, FLUSH, READ, WRITE, LOCK, IOCTL, CANCEL, QUERY_DIRECTORY, NOTIFY, QUERY_INFO, SET_INFO = (
    *(5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17),
)
OK, PENDING, NO_MORE_FILES = 0, 0x103, 0x80000006
INVALID_CLASS, SIZE_MISMATCH, INVALID_HANDLE, INVALID = 0xC0000003, 0xC0000004, 0xC0000008, 0xC000000D
NO_SUCH_FILE, INVALID_REQUEST, END_OF_FILE, ACCESS_DENIED = 0xC000000F, 0xC0000010, 0xC0000011, 0xC0000022
TOO_SMALL, NAME_INVALID, NOT_FOUND, COLLISION = 0xC0000023, 0xC0000033, 0xC0000034, 0xC0000035
PATH_NOT_FOUND, PATH_BAD, IS_FOLDER, NOT_SUPPORTED = 0xC000003A, 0xC000003B, 0xC00000BA, 0xC00000BB
NOT_A_FOLDER, TOO_MANY, CLOSED, FS_DRIVER_REQUIRED = 0xC0000103, 0xC000011F, 0xC0000128, 0xC000019C
NO_LISTENER, NO_REPARSE = 0xC0000236, 0xC0000275
MOST_OPEN = 64
LARGEST = 1 << 16

# Status, and the body of the answer; without one, that of an error.
Answer = tuple[int, bytes | None]


class Tree(Protocol):
    def answer(self, command: int, packet: bytes, body: bytes) -> Answer:
        """`body`: the packet's, with a handle that stood for the last one opened filled in."""

    def close(self) -> None:
        """The connection or the tree is over."""


def context(kind: int, data: bytes) -> bytes:
    return struct.pack("<HHI", kind, len(data), 0) + data + b"\0" * (-len(data) % 8)

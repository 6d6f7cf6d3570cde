"""The pipe `srvsvc` (MS-SRVS, MS-RPCE): the list of shares, in NDR."""

from __future__ import annotations

import struct

from ..msrpc import ACCESS_DENIED, BIND, BIND_ACK, FAULT, REQUEST, accepted, packet

RESPONSE = 2
SHARE_ENUM_ALL, SHARE_ENUM, SERVER_GET_INFO = 15, 36, 21
DISK, IPC, HIDDEN = 0, 3, 0x80000000


class Pipe:
    def __init__(self, shares: list[tuple[str, str]] | None, comment: str) -> None:
        """Without shares the list is denied. `comment`: of the pipes' own share."""
        self.shares, self.comment = shares, comment
        self.out = b""

    def write(self, data: bytes) -> None:
        if len(data) < 24:
            return
        kind, call, body = data[2], data[12:16], data[16:]
        if kind == BIND:
            self.out += packet(BIND_ACK, call, accepted(body))
        elif kind == REQUEST:
            (number,) = struct.unpack_from("<H", body, 6)
            if number == SHARE_ENUM_ALL and self.shares is not None:
                stub = self.listed(self.shares)
                self.out += packet(RESPONSE, call, struct.pack("<IHBB", len(stub), 0, 0, 0) + stub)
            elif number == SHARE_ENUM_ALL:
                # No list, and the error as the call's result.
                stub = struct.pack("<IIIIIIII", 1, 1, 0x20000, 0, 0, 0, 0, ACCESS_DENIED)
                self.out += packet(RESPONSE, call, struct.pack("<IHBB", len(stub), 0, 0, 0) + stub)
            else:
                self.out += packet(FAULT, call, struct.pack("<IHBBII", 32, 0, 0, 0, 0x1C010002, 0))

    def read(self, most: int) -> bytes:
        data, self.out = self.out[:most], self.out[most:]
        return data

    def listed(self, shares: list[tuple[str, str]]) -> bytes:
        own = [("IPC$", self.comment)]
        rows = [(name, comment, DISK | (HIDDEN if name.endswith("$") else 0)) for name, comment in shares]
        rows += [(name, comment, IPC | HIDDEN) for name, comment in own]
        count = len(rows)
        head = struct.pack("<IIIIII", 1, 1, 0x20004, count, 0x20008, count)
        pointers, strings, next_pointer = b"", b"", 0x2000C
        for name, comment, kind in rows:
            pointers += struct.pack("<III", next_pointer, kind, next_pointer + 4)
            next_pointer += 8
            strings += string(name) + string(comment)
        return head + pointers + strings + struct.pack("<III", count, 0, 0)


def string(text: str) -> bytes:
    data = (text + "\0").encode("utf-16le")
    size = len(data) // 2
    return struct.pack("<III", size, 0, size) + data + b"\0" * (-len(data) % 4)

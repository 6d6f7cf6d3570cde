"""
Conversations between two hosts that mimic, in any shape: the one who asks says how much he would like to have.

    request    records of application data as TLS writes them (RFC 8446, 5.1); one that is not full is a message's last.
               The first bytes within are the length of the response, seven bits each, lowest first
    response   such records, or fewer bytes than a record's head

Nothing in them means anything.
"""

from __future__ import annotations

import os
import struct

HEAD = 5
FULL = 16_384
LONGEST = 8 << 20


def number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def records(size: int, first: bytes = b"") -> bytes:
    """So many bytes in all; a few more where the last record would else look full, or have no room for its head."""
    out, opening = bytearray(), first
    while True:
        inside = max(size - len(out) - HEAD, len(opening), 1)
        part = min(inside, FULL)
        out += b"\x17\x03\x03" + struct.pack("!H", part) + opening + os.urandom(part - len(opening))
        opening = b""
        if part < FULL:
            return bytes(out)


def request(size: int, response: int) -> bytes:
    return records(min(size, LONGEST), number(min(response, LONGEST)))


def response(size: int) -> bytes:
    return records(size) if size > HEAD else os.urandom(max(size, 0))


class Reader:
    """Takes bytes as they come, and gives the lengths of responses that are asked for; ValueError for anything else."""

    def __init__(self) -> None:
        self.rest = b""
        self.asked: int | None = None

    def push(self, data: bytes) -> list[int]:
        self.rest += data
        wanted = []
        while len(self.rest) >= HEAD:
            (length,) = struct.unpack("!H", self.rest[3:HEAD])
            if self.rest[:3] != b"\x17\x03\x03" or not 1 <= length <= FULL:
                raise ValueError("no record")
            if len(self.rest) < HEAD + length:
                break
            body, self.rest = self.rest[HEAD : HEAD + length], self.rest[HEAD + length :]
            if self.asked is None:
                self.asked = size_of(body)
            if length < FULL:
                wanted.append(self.asked)
                self.asked = None
        return wanted


def size_of(body: bytes) -> int:
    value = 0
    for place, byte in enumerate(body[:4]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return min(value, LONGEST)
    raise ValueError("no length")

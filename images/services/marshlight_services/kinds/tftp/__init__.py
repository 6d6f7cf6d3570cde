"""TFTP (RFC 1350): names that are asked for are told; there is no file, and nothing may be written.

Each transfer, also a refused one, has a port of its own (RFC 1350, 4); the pod lets it out to who asked.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...persona import Service
    from ...session import Session

FRESH_PORT = True
READ, WRITE, ERROR = 1, 2, 5
NOT_FOUND, ACCESS, ILLEGAL = (1, "File not found"), (2, "Access violation"), (4, "Illegal TFTP operation")


def answer(data: bytes, service: Service, session: Session) -> bytes | None:
    if len(data) < 4:
        session.odd(data)
        return None
    (operation,) = struct.unpack_from(">H", data)
    if operation in (READ, WRITE):
        name, _, rest = data[2:].partition(b"\0")
        method = "RRQ" if operation == READ else "WRQ"
        session.tell("request", method=method, url=name, mode=rest.partition(b"\0")[0])
        return refusal(*(NOT_FOUND if operation == READ else ACCESS))
    session.odd(data[:64])
    return None if operation == ERROR else refusal(*ILLEGAL)


def refusal(code: int, words: str) -> bytes:
    return struct.pack(">HH", ERROR, code) + words.encode() + b"\0"

"""LLMNR (RFC 4795), as Windows answers its neighbours' questions for its own name; to the group alone, and to who asked."""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING

from ..mdns import ANY, IN, PTR, A, encoded, name_at

if TYPE_CHECKING:
    from ...persona import Service
    from ...session import Session

HEARS, ITSELF_ALONE = "224.0.0.252", True
# RFC 4795, 2.8: by default.
TTL = 30
# Answer or question, kind of question, conflict and truncation: all must be 0 in what is answered.
NOT_PLAIN = 0xFE00


def answer(data: bytes, service: Service, session: Session) -> bytes | None:
    """Nothing: a question over UDP goes to the group (2.4)."""
    session.odd(data[:64])
    return None


def to_asker(data: bytes, service: Service, session: Session) -> bytes | None:
    if len(data) < 12:
        return None
    number, flags, questions, answers, authorities = struct.unpack_from(">HHHHH", data)
    if flags & NOT_PLAIN or questions != 1 or answers or authorities:
        return None
    name, at = name_at(data, 12)
    if name is None or at + 4 > len(data):
        return None
    kind, family = struct.unpack_from(">HH", data, at)
    own = session.host.control.persona.hostname.encode()[:63]
    address = ipaddress.IPv4Address(session.target[0])
    if family != IN:
        return None
    if name.lower() == own.lower():
        # Asked for an address of another kind, it says that the name is there and has none (2.1.1).
        found = address.packed if kind in (A, ANY) else None
        told = A
    elif name.lower() == address.reverse_pointer.encode() and kind in (PTR, ANY):
        found, told = encoded(own), PTR
    else:
        return None
    head = struct.pack(">HHHHHH", number, 0x8000, 1, 0 if found is None else 1, 0, 0)
    asked = encoded(name) + struct.pack(">HH", kind, IN)
    return head + asked + (b"" if found is None else encoded(name) + struct.pack(">HHIH", told, IN, TTL, len(found)) + found)

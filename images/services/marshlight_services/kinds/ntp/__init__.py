"""NTP (RFC 5905): the time, to clients; nothing to those who ask for more than they sent."""

from __future__ import annotations

import hashlib
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...persona import Service
    from ...session import Session

SINCE_1900 = 2208988800
CLIENT, SERVER, CONTROL, PRIVATE = 3, 4, 6, 7


def answer(data: bytes, service: Service, session: Session) -> bytes | None:
    mode, version = (data[0] & 7, data[0] >> 3 & 7) if data else (0, 0)
    if mode in (CONTROL, PRIVATE):
        # Lists of peers are what floods are made of; servers of today are shut for them.
        session.command(f"mode {mode}")
        return None
    if len(data) < 48 or mode not in (CLIENT, 1) or not 1 <= version <= 4:
        session.odd(data[:64])
        return None
    session.tell("request", method=f"NTP v{version}")
    now = time.time()
    drawn = hashlib.sha256(f"{session.host.control.persona.seed} ntp".encode()).digest()
    last = now - (now + drawn[0]) % 1024
    head = struct.pack(">BBbb", version << 3 | SERVER, service.number("stratum", 3), max(data[2], 4), -23)
    head += struct.pack(">II", 900 + drawn[1] * 4, 1200 + drawn[2] * 8) + drawn[4:8]
    return head + stamp(last) + data[40:48] + stamp(now) + stamp(time.time())


def stamp(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack(">II", (whole + SINCE_1900) & 0xFFFFFFFF, int((seconds - whole) * (1 << 32)) & 0xFFFFFFFF)

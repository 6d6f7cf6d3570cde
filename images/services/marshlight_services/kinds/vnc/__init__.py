"""VNC (RFC 6143) up to the refused password."""

from __future__ import annotations

import secrets
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...connection import Connection

PASSWORD = 2
MOST_FAILURES = 5
LOCKED_SECONDS = 60


async def talk(connection: Connection) -> None:
    own = connection.service.text("protocol", "003.008")
    connection.send(f"RFB {own}\n".encode())
    said = await connection.exactly(12)
    if not said.startswith(b"RFB 00") or said[-1:] != b"\n":
        connection.session.odd(said)
        return
    connection.session.tell("client.version", version=said.strip())
    version = min(said[4:11], own.encode())
    source = connection.session.source[0]
    failures = connection.host.memory.setdefault("vnc", {})
    if failures.get(source, 0) >= MOST_FAILURES and "real" in connection.service.product.lower():
        refuse(connection, version, b"Too many security failures")
        return
    if version < b"003.007":
        connection.send(struct.pack(">I", PASSWORD))
    else:
        connection.send(bytes([1, PASSWORD]))
        chosen = (await connection.exactly(1))[0]
        if chosen != PASSWORD:
            connection.session.odd(f"security type {chosen}")
            return
    challenge = secrets.token_bytes(16)
    connection.send(challenge)
    response = await connection.exactly(16)
    connection.session.refused_login("", scheme="vnc", salt=challenge.hex(), response=response.hex())
    failures[source] = failures.get(source, 0) + 1
    if len(failures) > 512:
        failures.clear()
    connection.send(struct.pack(">I", 1))
    if version >= b"003.008":
        words = refusal_of(connection.service.product.lower())
        connection.send(struct.pack(">I", len(words)) + words)


def refusal_of(product: str) -> bytes:
    if "x11vnc" in product or "libvnc" in product:
        return b"password check failed!"
    return b"Authentication failed" if "tight" in product or "ultra" in product else b"Authentication failure"


def refuse(connection: Connection, version: bytes, words: bytes) -> None:
    connection.send((b"\0\0\0\0" if version < b"003.007" else b"\0") + struct.pack(">I", len(words)) + words)

"""The endpoint mapper of Windows (C706, MS-RPCE): binds, names itself in NTLM, and tells nobody its endpoints."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ... import ntlm

if TYPE_CHECKING:
    from ...connection import Connection

REQUEST, FAULT, BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_ACK, AUTH3 = 0, 3, 11, 12, 13, 14, 15, 16
NDR = bytes.fromhex("045d888aeb1cc9119fe808002b104860") + struct.pack("<I", 2)
ACCESS_DENIED, VERSION_NOT_SUPPORTED = 5, 4
LARGEST = 5840


async def talk(connection: Connection) -> None:
    challenge = b""
    while True:
        head = await connection.exactly(16)
        little = head[4] >> 4 == 1
        size, auth = struct.unpack_from("<HH" if little else ">HH", head, 8)
        call = head[12:16] if little else head[12:16][::-1]
        if head[0] != 5 or not 16 <= size <= LARGEST:
            connection.session.odd(head + bytes(connection.buffer[:64]))
            # What is no packet of this version is told so in one that is.
            body = struct.pack("<HB", VERSION_NOT_SUPPORTED, 1) + b"\x05\0" + connection.session.id.encode()[:3]
            connection.send(packet(BIND_NAK, call, body))
            return
        body = await connection.exactly(size - 16)
        token = body[-auth:] if auth else b""
        if head[2] in (BIND, ALTER):
            verifier = b""
            if ntlm.kind_of(token) == 1:
                message, challenge = ntlm.challenge_of(token, ntlm.names_of(connection.persona, connection.service))
                verifier = body[-auth - 8 : -auth][:2] + b"\0\0" + body[-auth - 4 : -auth] + message
            connection.session.command("bind " + uuid_of(body[16:32]))
            kind = BIND_ACK if head[2] == BIND else ALTER_ACK
            connection.send(packet(kind, call, accepted(body), verifier))
        elif head[2] == AUTH3:
            login = ntlm.login_of(token, challenge)
            if login is not None and not login.anonymous:
                connection.session.refused_login(login.user, **login.told())
        elif head[2] == REQUEST:
            (number,) = struct.unpack_from("<H", body, 6) if len(body) >= 8 else (0,)
            connection.session.command(f"call {number}")
            connection.send(packet(FAULT, call, struct.pack("<IHBBII", 32, 0, 0, 0, ACCESS_DENIED, 0)))
        else:
            return


def accepted(bind: bytes) -> bytes:
    """Each context is taken in the one way of writing there is; the rest is turned down."""
    largest_out, largest_in = struct.unpack_from("<HH", bind)
    count = bind[8] if len(bind) > 8 else 0
    results, at = b"", 12
    for _ in range(min(count, 16)):
        if at + 24 > len(bind):
            break
        ways = bind[at + 2]
        offered = bind[at + 24 : at + 44]
        taken = offered == NDR
        results += struct.pack("<HH", 0 if taken else 2, 0 if taken else 2) + (NDR if taken else b"\0" * 20)
        at += 24 + 20 * ways
    address = b"135\0"
    head = struct.pack("<HHI", min(largest_out, LARGEST), min(largest_in, LARGEST), 0x2B7A)
    padded = struct.pack("<H", len(address)) + address
    padded += b"\0" * (-(len(head) + len(padded)) % 4)
    return head + padded + struct.pack("<I", count) + results


def packet(kind: int, call: bytes, body: bytes, verifier: bytes = b"") -> bytes:
    auth = max(len(verifier) - 8, 0)
    head = struct.pack("<BBBB", 5, 0, kind, 3) + b"\x10\0\0\0" + struct.pack("<HH", 16 + len(body) + len(verifier), auth)
    return head + call + body + verifier


def uuid_of(raw: bytes) -> str:
    if len(raw) < 16:
        return "?"
    first, second, third = struct.unpack_from("<IHH", raw)
    return f"{first:08x}-{second:04x}-{third:04x}-{raw[8:10].hex()}-{raw[10:16].hex()}"

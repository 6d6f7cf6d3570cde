"""PostgreSQL up to the refused log-in: start-up, TLS, SCRAM (RFC 5802), MD5 and plain passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from typing import TYPE_CHECKING

from ...certificate import stored, tls_context

if TYPE_CHECKING:
    from ...connection import Connection
    from ...persona import Persona, Service

SSL, CANCEL, GSS, PROTOCOL_3 = 80877103, 80877102, 80877104, 196608
MECHANISM = b"SCRAM-SHA-256"
LARGEST_STARTUP = 10000
ITERATIONS = 4096
# Where a server of that release says its errors come from: file and line, which scanners tell releases by.
LINES = {
    "unsupported": {"13": 2124, "14": 2189, "15": 2220, "16": 2205, "17": 678},
    "layout": {"13": 2236, "14": 2301, "15": 2332, "16": 2317, "17": 790},
    "no user": {"13": 2253, "14": 2318, "15": 2349, "16": 2334, "17": 807},
    "busy": {"15": 357},
    "proof": {"15": 1353},
    "mechanism": {"15": 256},
    "response": {"15": 95},
    "failed": {"13": 347, "14": 335, "15": 326, "16": 323, "17": 321},
}


def prepare(persona: Persona, service: Service) -> object:
    return stored(persona, service) if service.flag("ssl", True) else None


async def talk(connection: Connection) -> None:
    while True:
        (size,) = struct.unpack(">I", await connection.exactly(4))
        if not 8 <= size <= LARGEST_STARTUP:
            # What is no start-up packet gets no answer.
            connection.session.odd(struct.pack(">I", size) + bytes(connection.buffer[:64]))
            return
        packet = await connection.exactly(size - 4)
        (code,) = struct.unpack_from(">I", packet)
        if code == SSL and connection.tls is None:
            offered = connection.service.flag("ssl", True)
            connection.send(b"S" if offered else b"N")
            if offered:
                await connection.start_tls(tls_context(connection.persona, connection.service))
        elif code == GSS:
            # Debian's are built with GSSAPI but have no key for it.
            connection.send(b"G" if connection.tls is None and connection.service.flag("ssl", True) else b"N")
            if connection.tls is None and connection.service.flag("ssl", True):
                await connection.some()
                return
        elif code == CANCEL:
            return
        else:
            await start(connection, code, packet[4:])
            return


async def start(connection: Connection, code: int, packet: bytes) -> None:
    if code >> 16 != 3 or code & 0xFFFF:
        connection.session.odd(f"protocol {code >> 16}.{code & 0xFFFF}")
        text = f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.0"
        return fail(connection, "0A000", text, "postmaster.c", "unsupported", "ProcessStartupPacket")
    words = packet.split(b"\0")
    if not packet.endswith(b"\0") or len(words) % 2:
        text = "invalid startup packet layout: expected terminator as last byte"
        return fail(connection, "08P01", text, "postmaster.c", "layout", "ProcessStartupPacket")
    fields = dict(zip(words[::2], words[1::2]))
    user, database = fields.get(b"user", b""), fields.get(b"database", b"")
    if not user:
        text = "no PostgreSQL user name specified in startup packet"
        return fail(connection, "28000", text, "postmaster.c", "no user", "ProcessStartupPacket")
    client = fields.get(b"application_name")
    if client:
        connection.session.tell("client.version", version=client)
    if connection.busy():
        return fail(connection, "53300", "sorry, too many clients already", "proc.c", "busy", "InitProcess")
    method = connection.service.text("auth", "scram-sha-256")
    login = {"md5": by_md5, "password": by_password}.get(method, by_scram)
    await login(connection, user, database or user)


async def by_password(connection: Connection, user: bytes, database: bytes) -> None:
    connection.send(b"R" + struct.pack(">II", 8, 3))
    password = (await message(connection)).rstrip(b"\0")
    refused(connection, user, database, password)


async def by_md5(connection: Connection, user: bytes, database: bytes) -> None:
    salt = secrets.token_bytes(4)
    connection.send(b"R" + struct.pack(">II", 12, 5) + salt)
    digest = (await message(connection)).rstrip(b"\0")
    refused(connection, user, database, None, scheme="postgres-md5", salt=salt.hex(), response=digest)


async def by_scram(connection: Connection, user: bytes, database: bytes) -> None:
    offer = struct.pack(">I", 10) + MECHANISM + b"\0"
    # With TLS a client may bind the log-in to the channel.
    if connection.tls is not None:
        offer = struct.pack(">I", 10) + MECHANISM + b"-PLUS\0" + MECHANISM + b"\0"
    connection.send(b"R" + struct.pack(">I", len(offer) + 5) + offer + b"\0")
    first = await message(connection)
    mechanism, _, rest = first.partition(b"\0")
    if mechanism not in (MECHANISM, MECHANISM + b"-PLUS") or len(rest) < 4:
        text = "client selected an invalid SASL authentication mechanism"
        return fail(connection, "08P01", text, "auth-scram.c", "mechanism", "scram_init")
    nonce = dict(piece.split(b"=", 1) for piece in rest[4:].split(b",") if b"=" in piece).get(b"r", b"")
    own = nonce + base64.b64encode(secrets.token_bytes(18))
    # The same salt at each try of a name, also of one that is not there: so does the real one.
    salt = hmac.new(connection.persona.seed.encode(), b"postgres " + user, hashlib.sha256).digest()[:16]
    challenge = b"r=" + own + b",s=" + base64.b64encode(salt) + b",i=%d" % ITERATIONS
    connection.send(b"R" + struct.pack(">II", len(challenge) + 8, 11) + challenge)
    final = await message(connection)
    proof = final.rpartition(b",p=")[2]
    if b",p=" not in final or len(proof) != 44:
        text = "malformed SCRAM message"
        more = {"D": "Malformed proof in client-final-message."}
        return fail(connection, "08P01", text, "auth-scram.c", "proof", "read_client_final_message", more)
    # What both sides sign: the first message without its binding, ours, and the last without its proof (RFC 5802, 3).
    bare = rest[4:].split(b",", 2)[-1]
    exchange = b",".join((bare, challenge, final.rpartition(b",p=")[0]))
    more = {"scheme": "scram-sha-256", "salt": salt.hex(), "iterations": ITERATIONS, "exchange": exchange}
    refused(connection, user, database, None, **more, response=proof)


async def message(connection: Connection) -> bytes:
    head = await connection.exactly(5)
    kind, size = head[:1], struct.unpack(">I", head[1:])[0]
    if kind != b"p":
        text = f"expected SASL response, got message type {kind[0]}"
        fail(connection, "08P01", text, "auth-sasl.c", "response", "CheckSASLAuth")
        connection.session.odd(head)
        await connection.finish()
    return await connection.exactly(max(size - 4, 0))


def refused(connection: Connection, user: bytes, database: bytes, password: bytes | None, **more: object) -> None:
    connection.session.refused_login(user, password, database=database, **more)
    text = f'password authentication failed for user "{user.decode("utf-8", "replace")}"'
    fail(connection, "28P01", text, "auth.c", "failed", "auth_failed")


def fail(
    connection: Connection, code: str, text: str, file: str, place: str, routine: str, more: dict[str, str] | None = None
) -> None:
    major = connection.service.version.split(".")[0].split(" ")[0]
    known = LINES[place]
    line = known.get(major) or known.get("15", 0)
    if file == "postmaster.c" and major.isdecimal() and int(major) >= 17:
        file = "backend_startup.c"
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": text, **(more or {}), "F": file, "L": str(line), "R": routine}
    body = b"".join(name.encode() + value.encode("utf-8", "replace") + b"\0" for name, value in fields.items()) + b"\0"
    connection.send(b"E" + struct.pack(">I", len(body) + 4) + body)

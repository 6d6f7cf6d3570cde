"""RDP (MS-RDPBCGR): negotiation, TLS, and network level authentication (MS-CSSP) up to the refused log-in."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from ... import der, ntlm
from ...certificate import stored, tls_context

if TYPE_CHECKING:
    from ...connection import Connection

prepare = stored
CONNECTION_REQUEST, CONNECTION_CONFIRM = 0xE0, 0xD0
RDP, TLS, HYBRID, HYBRID_EX = 0, 1, 2, 8
NEGOTIATION_REQUEST, NEGOTIATION_RESPONSE, NEGOTIATION_FAILURE = 1, 2, 3
HYBRID_REQUIRED, TLS_REQUIRED = 5, 1
# Extended client data, graphics pipeline, a reserved bit, restricted admin and redirected authentication.
FLAGS = 0x1F
OWN_REFERENCE = 0x1234
LOGON_FAILURE = -0x3FFFFF93
COOKIE = re.compile(rb"Cookie: mstshash=([^\r\n]{0,128})\r\n")


async def talk(connection: Connection) -> None:
    head = await connection.exactly(4)
    size = struct.unpack(">H", head[2:])[0]
    if head[0] != 3 or not 11 <= size <= 4096:
        connection.session.odd(head + bytes(connection.buffer[:64]))
        return
    body = await connection.exactly(size - 4)
    if body[1] & 0xF0 != CONNECTION_REQUEST:
        connection.session.odd(head + body[:64])
        return
    cookie = COOKIE.search(body)
    if cookie:
        connection.session.tell("client.cookie", username=cookie[1])
    asked = protocols_of(body)
    nla = connection.service.flag("nla", True)
    if asked is None and nla:
        # A client of old, from which no answer could make a secure one.
        return
    asked = asked or RDP
    chosen = HYBRID if asked & (HYBRID | HYBRID_EX) and nla else TLS if asked & TLS and not nla else None
    if chosen is None:
        refusal = HYBRID_REQUIRED if nla else TLS_REQUIRED
        connection.send(confirm(struct.pack("<BBHI", NEGOTIATION_FAILURE, 0, 8, refusal)))
        return
    if asked & HYBRID_EX and nla:
        chosen = HYBRID_EX
    connection.send(confirm(struct.pack("<BBHI", NEGOTIATION_RESPONSE, FLAGS, 8, chosen)))
    await connection.start_tls(tls_context(connection.persona, connection.service))
    if chosen == TLS:
        # Past this the client names its user in a packet of its own; the log-in is asked on a screen.
        connection.session.tell("client.data", size=len(await connection.some()))
        return
    await network_login(connection)


def protocols_of(request: bytes) -> int | None:
    found = request[-8:]
    if len(request) >= 15 and found[0] == NEGOTIATION_REQUEST and found[2:4] == b"\x08\0":
        return int(struct.unpack_from("<I", found, 4)[0])
    return None


def confirm(negotiation: bytes) -> bytes:
    body = struct.pack(">BHHB", CONNECTION_CONFIRM, 0, OWN_REFERENCE, 0) + negotiation
    return struct.pack(">BBHB", 3, 0, 5 + len(body), len(body)) + body


async def network_login(connection: Connection) -> None:
    names = ntlm.names_of(connection.persona, connection.service)
    challenge = b""
    for _ in range(4):
        version, token = read_request(await der_value(connection))
        kind = ntlm.kind_of(token)
        if kind == 1:
            message, challenge = ntlm.challenge_of(token, names)
            wrapped = token.startswith(b"\x60")
            connection.send(request_of(version, ntlm.wrapped(message) if wrapped else message))
            continue
        login = ntlm.login_of(token, challenge)
        if login is None:
            connection.session.odd(token[:128])
            return
        connection.session.refused_login(login.user, **login.told())
        code = der.tlv(0xA4, der.integer(LOGON_FAILURE))
        if version >= 3:
            connection.send(der.sequence(der.tlv(0xA0, der.integer(min(version, 6))), code))
        return


async def der_value(connection: Connection) -> bytes:
    head = await connection.peek(2)
    extra = head[1] & 0x7F if head[1] & 0x80 else 0
    whole = await connection.peek(2 + extra)
    size = int.from_bytes(whole[2 : 2 + extra], "big") if extra else head[1]
    return await connection.exactly(2 + extra + size)


def read_request(data: bytes) -> tuple[int, bytes]:
    """Version and first token of a TSRequest."""
    try:
        fields = dict(der.parts(der.read(data)[1]))
        version = int.from_bytes(der.read(fields[0xA0])[1], "big")
        tokens = der.read(fields.get(0xA1, b""))[1]
        token = der.read(der.read(der.read(tokens)[1])[1])[1]
        return version, token
    except (KeyError, ValueError):
        return 6, b""


def request_of(version: int, token: bytes) -> bytes:
    tokens = der.sequence(der.sequence(der.tlv(0xA0, der.octets(token))))
    return der.sequence(der.tlv(0xA0, der.integer(min(version, 6))), der.tlv(0xA1, tokens))

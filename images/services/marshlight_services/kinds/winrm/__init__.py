"""WinRM: Windows' own web driver, with /wsman behind NTLM (MS-NTHT)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from ... import ntlm
from ...connection import Connection
from ...http_request import Malformed, Request, read_request
from ...web_words import Words
from .. import http

if TYPE_CHECKING:
    from ...ntlm import Names

WORDS = Words("httpapi", "Microsoft-HTTPAPI/2.0", ())


async def talk(connection: Connection) -> None:
    names = ntlm.names_of(connection.persona, connection.service)
    challenge = b""
    for _ in range(http.MOST_REQUESTS):
        try:
            request = await read_request(connection)
        except Malformed as malformed:
            connection.session.odd(malformed.line, status=malformed.status)
            return http.refuse(connection, WORDS, malformed.status, "/", True)
        connection.session.tell(
            "request", method=request.method, url=request.target, version=request.headers.get("user-agent")
        )
        if connection.busy():
            return http.refuse(connection, WORDS, 503, request.path, True, request, http.LATER)
        if request.path.rstrip("/").lower() != "/wsman":
            return http.refuse(connection, WORDS, 404, request.path, True, request)
        if request.method != "POST":
            head = WORDS.head(405, [("Allow", "POST"), ("Connection", "close"), ("Content-Length", "0")])
            return connection.send(head)
        challenge = log_in(connection, request, names, challenge)
        if request.closes:
            return
        await connection.flush()


def log_in(connection: Connection, request: Request, names: Names, challenge: bytes) -> bytes:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    try:
        token = base64.b64decode(rest, validate=True) if scheme.lower() in ("negotiate", "ntlm") else b""
    except binascii.Error:
        token = b""
    basic = request.basic()
    if basic is not None:
        connection.session.refused_login(*basic)
    if ntlm.kind_of(token) == 1:
        message, challenge = ntlm.challenge_of(token, names)
        ask(connection, "Negotiate " + base64.b64encode(message).decode())
        return challenge
    login = ntlm.login_of(token, challenge) if challenge else None
    if login is not None:
        connection.session.refused_login(login.user, **login.told())
    ask(connection, "Negotiate")
    return b""


def ask(connection: Connection, how: str) -> None:
    headers = [("WWW-Authenticate", how), ("Content-Length", "0")]
    connection.send(WORDS.head(401, headers))

"""RTSP (RFC 2326) of a camera: everything that shows a picture asks for a log-in."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from ...http_request import Request

if TYPE_CHECKING:
    from ...connection import Connection

METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "SET_PARAMETER", "GET_PARAMETER")
MOST_HEADERS = 64
LATER = ("Retry-After", "30")


async def talk(connection: Connection) -> None:
    while True:
        line = await connection.line()
        if not line:
            continue
        words = line.split(b" ")
        headers: dict[str, str] = {}
        for _ in range(MOST_HEADERS):
            header = await connection.line()
            if not header:
                break
            name, _, value = header.partition(b":")
            headers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
        if len(words) != 3 or not words[2].startswith(b"RTSP/"):
            connection.session.odd(line)
            connection.send(head(connection, "400 Bad Request", headers))
            return
        request = Request(words[0].decode("latin-1"), words[1].decode("latin-1"), "RTSP/1.0", headers)
        agent = headers.get("user-agent")
        connection.session.tell("request", method=request.method, url=request.target, version=agent)
        basic, digest = request.basic(), request.digest()
        if basic is not None:
            connection.session.refused_login(*basic, url=request.target)
        elif digest is not None:
            connection.session.refused_login(digest.get("username", ""), url=request.target, **request.answer())
        if connection.busy():
            connection.send(head(connection, "503 Service Unavailable", headers, LATER))
        elif request.method == "OPTIONS":
            connection.send(head(connection, "200 OK", headers, ("Public", ", ".join(METHODS))))
        elif request.method not in METHODS:
            connection.send(head(connection, "501 Not Implemented", headers))
        else:
            connection.send(head(connection, "401 Unauthorized", headers, ("WWW-Authenticate", challenge(connection))))


def challenge(connection: Connection) -> str:
    realm = connection.service.text("realm", connection.service.product)
    if connection.service.text("auth", "digest") == "basic":
        return f'Basic realm="{realm}"'
    nonce = hashlib.md5(secrets.token_bytes(16)).hexdigest()
    return f'Digest realm="{realm}", nonce="{nonce}", stale="FALSE"'


def head(connection: Connection, status: str, asked: dict[str, str], *more: tuple[str, str]) -> bytes:
    server = connection.service.text("server", connection.service.named("/"))
    lines = [("CSeq", asked["cseq"][:32])] if "cseq" in asked else []
    lines += [("Server", server), *more]
    return (f"RTSP/1.0 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines) + "\r\n").encode("latin-1")

"""HTTP requests (RFC 9112) as they come in, right or wrong."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from .connection import Connection, Ended

MOST_HEADERS = 100
LONGEST_HEAD = 32768
LONGEST_BODY = 65536
NAMES = ("user", "username", "login", "log", "email", "uname", "userid", "user_name", "name", "account", "usr", "id")
SECRETS = ("password", "pass", "passwd", "pwd", "psw", "pw", "passwort", "secret", "j_password", "userpassword")


class Malformed(Exception):
    """Not a request; the answer's status."""

    def __init__(self, status: int, line: bytes) -> None:
        super().__init__(status)
        self.status, self.line = status, line


@dataclass
class Request:
    method: str
    target: str
    version: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.split("?", 1)[0].split("#", 1)[0]

    @property
    def closes(self) -> bool:
        wish = self.headers.get("connection", "").lower()
        return "close" in wish or (self.version != "HTTP/1.1" and "keep-alive" not in wish)

    def basic(self) -> tuple[str, str] | None:
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, secret = base64.b64decode(rest.strip(), validate=True).decode("utf-8", "backslashreplace").partition(":")
        except (binascii.Error, ValueError):
            return ("", rest[:200])
        return (name, secret)

    def digest(self) -> dict[str, str] | None:
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "digest":
            return None
        pairs = (piece.strip().partition("=") for piece in rest[:2048].split(","))
        return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}

    def answer(self) -> dict[str, str]:
        """What an event says of a log-in by Digest: shared/schemas/login-proof.ts."""
        digest = self.digest() or {}
        names = ("realm", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce")
        told = {name: digest[name] for name in names if name in digest}
        return {"scheme": "digest", "method": self.method, **told}

    def form(self) -> tuple[str, str] | None:
        """Name and password of a log-in form, however its fields are called."""
        if "json" in self.headers.get("content-type", ""):
            fields = json_fields(self.body)
        else:
            try:
                fields = parse_qsl(self.body.decode("latin-1"), keep_blank_values=True, max_num_fields=64)
            except ValueError:
                return None
        lower = {name.lower(): value for name, value in fields}
        secret = next((lower[name] for name in SECRETS if name in lower), None)
        if secret is None:
            secret = next((value for name, value in lower.items() if "pass" in name or "pwd" in name), None)
        if secret is None:
            return None
        name = next((lower[name] for name in NAMES if name in lower), None)
        if name is None:
            name = next((value for key, value in lower.items() if "user" in key or "login" in key), "")
        return (name, secret)


def json_fields(body: bytes) -> list[tuple[str, str]]:
    import json

    try:
        value = json.loads(body)
    except ValueError:
        return []
    return [(str(key), item) for key, item in value.items() if isinstance(item, str)] if isinstance(value, dict) else []


async def read_request(connection: Connection, first: bytes | None = None) -> Request:
    """The next request; `first` is its line where that was read already. Raises Malformed, Ended."""
    line = first if first is not None else await connection.line(LONGEST_HEAD)
    while line == b"":
        line = await connection.line(LONGEST_HEAD)
    words = line.split(b" ")
    if len(words) == 2 and words[0] == b"GET":
        return Request("GET", words[1].decode("latin-1"), "HTTP/0.9")
    if len(words) != 3 or not words[0].isupper() or not words[2].startswith(b"HTTP/"):
        raise Malformed(400, line)
    if len(words[1]) > 8000:
        raise Malformed(414, line)
    version = words[2].decode("latin-1")
    request = Request(words[0].decode("latin-1"), words[1].decode("latin-1"), version)
    await read_headers(connection, request, line)
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise Malformed(505 if version[5:6] in ("2", "3") else 400, line)
    if version == "HTTP/1.1" and "host" not in request.headers:
        raise Malformed(400, line)
    if not request.target.startswith(("/", "*", "http://", "https://")) or escapes(request.path):
        raise Malformed(400, line)
    request.body = await read_body(connection, request, line)
    return request


async def read_headers(connection: Connection, request: Request, line: bytes) -> None:
    for _ in range(MOST_HEADERS):
        header = await connection.line()
        if header == b"":
            return
        name, colon, value = header.partition(b":")
        if not colon:
            raise Malformed(400, line)
        request.headers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
    raise Malformed(400, line)


async def read_body(connection: Connection, request: Request, line: bytes) -> bytes:
    if "chunked" in request.headers.get("transfer-encoding", "").lower():
        body = b""
        while True:
            size = (await connection.line()).split(b";")[0].strip()
            try:
                count = int(size, 16)
            except ValueError:
                raise Malformed(400, line) from None
            if count < 0 or len(body) + count > LONGEST_BODY:
                raise Malformed(413, line)
            if count == 0:
                while await connection.line() != b"":
                    pass
                return body
            body += await connection.exactly(count)
            await connection.line()
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        raise Malformed(400, line)
    if int(length) > LONGEST_BODY:
        raise Malformed(413, line)
    return await connection.exactly(int(length)) if int(length) else b""


def escapes(path: str) -> bool:
    """Whether it climbs out of the root."""
    depth = 0
    for part in unquote(path).replace("\\", "/").split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return False


__all__ = ["Ended", "Malformed", "Request", "read_request"]

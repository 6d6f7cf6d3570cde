"""A web server: the persona's pages, words of its product, and log-ins that are all refused."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from typing import TYPE_CHECKING

from ...http_request import Malformed, Request, read_request
from ...persona import Page
from ...web_words import Words, http_date, words_of

if TYPE_CHECKING:
    from ...connection import Connection
    from ...session import Session

MOST_REQUESTS = 1000
# Seconds after which a client may ask again (RFC 9110, 10.2.3).
LATER = (("Retry-After", "30"),)


async def talk(connection: Connection) -> None:
    words = words_of(connection.service)
    for _ in range(MOST_REQUESTS):
        try:
            request = await read_request(connection)
        except Malformed as malformed:
            connection.session.odd(malformed.line, status=malformed.status)
            refuse(connection, words, malformed.status, "/", True)
            return
        # Persona and words may have changed since the connection was opened.
        words = words_of(connection.service)
        told(connection.session, request)
        if connection.busy():
            refuse(connection, words, 503, request.path, request.closes, request, LATER)
        else:
            answer(connection, words, request)
        if request.closes:
            return
        await connection.flush()


def told(session: Session, request: Request) -> None:
    """What it asked for, and the log-in in it; images/web tells of real servers by the same words."""
    session.tell(
        "request",
        method=request.method,
        url=request.target,
        version=request.headers.get("user-agent"),
        host=request.headers.get("host"),
        body=request.body or None,
    )
    login = request.basic() or (request.form() if request.method == "POST" else None)
    digest = request.digest()
    if login is not None:
        session.refused_login(*login, url=request.path)
    elif digest is not None:
        session.refused_login(digest.get("username", ""), url=request.path, **request.answer())


def answer(connection: Connection, words: Words, request: Request) -> None:
    service = connection.service
    if service.text("realm"):
        return ask(connection, words, request)
    posted_login = request.method == "POST" and request.form() is not None
    path = service.text("refusedPath", request.path) if posted_login else request.path
    redirect = service.text("redirect")
    if redirect and path == "/" and "/" not in service.pages:
        return lead(connection, words, request, redirect)
    page = service.pages.get(path) or service.pages.get(path.rstrip("/") or "/")
    if page is None and path == "/":
        title = service.text("title", connection.persona.full_name)
        page = Page("/", 200, "text/html", f"<!doctype html><title>{title}</title><h1>{title}</h1>\n".encode())
    # nginx and the like serve files: what is no reading of one is not allowed. A page behind a form is a program's.
    if request.method not in ("GET", "HEAD") and not (page and posted_login):
        return refuse(connection, words, 405, request.path, request.closes, request)
    if page is None:
        return refuse(connection, words, 404, request.path, request.closes, request)
    give(connection, words, request, page, static=not posted_login)


def give(connection: Connection, words: Words, request: Request, page: Page, static: bool) -> None:
    if request.version == "HTTP/0.9":
        connection.send(page.body)
        return
    status, body = page.status, page.body
    shown = request.closes
    asked = "keep-alive" in request.headers.get("connection", "").lower()
    ending = words.connection(shown, request.version, asked)
    changed = changed_at(connection, page)
    length, kind = ("Content-Length", str(len(body))), ("Content-Type", page.type)
    if static and status == 200:
        stamp = ("Last-Modified", http_date(changed))
        if words.flavour == "nginx":
            tag = ("ETag", f'"{int(changed):x}-{len(body):x}"')
            headers = [kind, length, stamp, *ending, tag, ("Accept-Ranges", "bytes")]
        elif words.flavour == "apache":
            tag = ("ETag", f'"{len(body):x}-{int(changed) * 1_000_000 + 0x2F3A7:x}"')
            headers = [stamp, tag, ("Accept-Ranges", "bytes"), length, *ending, kind]
        elif words.flavour == "iis":
            tag = ("ETag", f'"{zlib.crc32(body):x}{int(changed):x}:0"')
            headers = [kind, stamp, ("Accept-Ranges", "bytes"), tag, *ending, length]
        elif words.flavour == "lighttpd":
            tag = ("ETag", f'"{zlib.crc32(body + str(changed).encode())}"')
            headers = [kind, tag, stamp, length, ("Accept-Ranges", "bytes"), *ending]
        else:
            headers = [kind, length, stamp, *ending]
    else:
        headers = [kind, length, *ending]
    send(connection, words, request, status, headers, body)


def refuse(
    connection: Connection,
    words: Words,
    status: int,
    path: str,
    close: bool,
    request: Request | None = None,
    more: tuple[tuple[str, str], ...] = (),
) -> None:
    host = request.headers.get("host", "") if request else ""
    name = host.split(":")[0] or connection.session.target[0]
    body = words.error_page(status, path, name, connection.service.port)
    kind, length = ("Content-Type", words.error_type()), ("Content-Length", str(len(body)))
    # Windows' own driver ends the connection after an error, and does not name the Server in one of its own.
    close = close or words.flavour == "httpapi" and request is not None and status >= 400
    ending = words.connection(close, request.version if request else "HTTP/1.1")
    allow = [("Allow", "GET,POST,OPTIONS,HEAD")] if status == 405 and words.flavour == "apache" else []
    headers = [*allow, *more, length, *ending, kind] if words.flavour == "apache" else [kind, length, *ending, *more]
    send(connection, words, request, status, headers, body)


def ask(connection: Connection, words: Words, request: Request) -> None:
    realm = connection.service.text("realm")
    if connection.service.text("auth") == "digest":
        nonce = hashlib.md5(secrets.token_bytes(16)).hexdigest()
        challenge = f'Digest realm="{realm}", nonce="{nonce}", algorithm=MD5, qop="auth"'
    else:
        challenge = f'Basic realm="{realm}"'
    body = words.error_page(401, request.path, request.headers.get("host", ""), connection.service.port)
    kind, length = ("Content-Type", words.error_type()), ("Content-Length", str(len(body)))
    ending = words.connection(request.closes, request.version)
    asked = ("WWW-Authenticate", challenge)
    headers = [asked, length, *ending, kind] if words.flavour == "apache" else [kind, length, *ending, asked]
    send(connection, words, request, 401, headers, body)


def lead(connection: Connection, words: Words, request: Request, target: str) -> None:
    body = words.error_page(302, request.path, request.headers.get("host", ""), connection.service.port)
    kind, length = ("Content-Type", words.error_type()), ("Content-Length", str(len(body)))
    ending = words.connection(request.closes, request.version)
    send(connection, words, request, 302, [kind, length, *ending, ("Location", target)], body)


def send(
    connection: Connection,
    words: Words,
    request: Request | None,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    if request is not None and request.version == "HTTP/0.9":
        connection.send(body)
        return
    connection.send(words.head(status, headers))
    if request is None or request.method != "HEAD":
        connection.send(body)


def changed_at(connection: Connection, page: Page) -> float:
    """When the page was last changed: some time before the host's last start, the same at each look."""
    persona = connection.persona
    drawn = int.from_bytes(hashlib.sha256(f"{persona.seed} {page.path}".encode()).digest()[:4], "big")
    return float(int(persona.booted_at) - drawn % (400 * 86400))

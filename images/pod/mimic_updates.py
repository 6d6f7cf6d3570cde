"""
Requests that a package manager makes of its archive, one connection kept for all of a conversation: what is new (`InRelease`,
asked with the date of the last one), lists, packages. A transfer that is to be small asks for the rest of a file only, as one
that goes on with a broken download does (RFC 9110, 14).
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Generator

import mimic_loop as loop

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
LISTS = ("main/binary-amd64/Packages.xz", "main/i18n/Translation-en.xz", "main/binary-amd64/Packages.gz")
LONGEST_HEAD = 16_384
SECONDS = 20.0


class Archive:
    """What is remembered of an update server: how long its files are and when they changed."""

    def __init__(self) -> None:
        self.lengths: dict[str, int] = {}
        self.dates: dict[str, str] = {}
        self.head_bytes = 260


def paths() -> list[str]:
    found = [f"/debian/dists/{suite}/InRelease" for suite in SUITES]
    return found + [f"/debian/dists/{suite}/{name}" for suite in SUITES for name in LISTS]


def request_of(
    archive: Archive, host: str, agent: str, size: int, response: int, chance: random.Random
) -> tuple[str, str, bytes]:
    """The request, by method and path, that is likely to bring about so many bytes and is about as long as it shall be."""
    rest = response - archive.head_bytes
    larger = [(path, length) for path, length in archive.lengths.items() if length >= rest > 0]
    choices: list[tuple[str, str, list[str]]] = []
    if rest <= 64:
        dated = [(path, [f"If-Modified-Since: {date}"]) for path, date in archive.dates.items()]
        choices = [("GET", path, lines) for path, lines in dated] or [("HEAD", path, []) for path in paths()[:3]]
    elif larger:
        choices = [
            ("GET", path, [f"Range: bytes={length - rest}-"] if length > rest else []) for path, length in larger
        ]
    else:
        # Nothing so long is known yet: the longest that is, or whatever has not been asked for.
        unknown = [path for path in paths() if path not in archive.lengths]
        longest = max(archive.lengths, key=lambda path: archive.lengths[path], default=paths()[0])
        choices = [("GET", path, []) for path in unknown[:4] or [longest]]
    built = []
    for method, path, lines in choices:
        for further in ([], ["Cache-Control: max-age=0"], ["Cache-Control: max-age=0", "Accept: text/*"]):
            head = [f"{method} {path} HTTP/1.1", f"Host: {host}", *further, *lines, f"User-Agent: {agent}", "", ""]
            built.append((method, path, "\r\n".join(head).encode("latin-1", "replace")))
    best = min(abs(len(text) - size) for _, _, text in built)
    return chance.choice([one for one in built if abs(len(one[2]) - size) <= best + 2])


def fetched(
    connection: loop.socket.socket, archive: Archive, method: str, path: str, spend
) -> Generator[loop.Wait, bool, int]:
    """Reads one response; gives its bytes. `spend` is told of each piece and ends it where a bound is reached."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = yield from loop.received(connection, 8192, SECONDS)
        spend(len(piece))
        data += piece
        if not piece or len(data) > LONGEST_HEAD:
            raise OSError("no HTTP response")
    head, body = data.split(b"\r\n\r\n", 1)
    status, fields = parsed(head.decode("latin-1"))
    known = re.fullmatch(r"bytes \d+-\d+/(\d+)", fields.get("content-range", ""))
    length = int(fields["content-length"]) if fields.get("content-length", "").isdigit() else 0
    archive.head_bytes = len(head) + 4
    if status in (200, 206) and method == "GET":
        archive.lengths[path] = int(known[1]) if known else length
    if status == 200 and "last-modified" in fields:
        archive.dates[path] = fields["last-modified"][:40]
    left = 0 if method == "HEAD" or status in (204, 304) else length - len(body)
    total = len(data)
    until = time.monotonic() + 120
    while left > 0:
        if time.monotonic() > until:
            raise TimeoutError("it takes too long")
        piece = yield from loop.received(connection, min(left, 65_536), SECONDS)
        if not piece:
            raise OSError("it ended early")
        spend(len(piece))
        left -= len(piece)
        total += len(piece)
    return total


def parsed(head: str) -> tuple[int, dict[str, str]]:
    first, *lines = head.split("\r\n")
    status = re.match(r"HTTP/1\.[01] (\d{3})", first)
    if not status:
        raise OSError("no HTTP response")
    pairs = [line.partition(":") for line in lines[:64]]
    return int(status[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}

"""
Requests that a package manager makes of its archive, one connection kept for all of a conversation: what is new (`InRelease`,
asked with the date of the last one), lists, packages. A transfer that is to be small asks for the rest of a file only, as one
that goes on with a broken download does (RFC 9110, 14).
"""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Generator
from typing import NamedTuple

import mimic_loop as loop
import mimic_moments as moments

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
LISTS = ("main/binary-amd64/Packages.xz", "main/i18n/Translation-en.xz", "main/binary-amd64/Packages.gz")
# What such requests bear besides: a list that no cache in between may answer, a text, whatever there is.
FURTHER = ([], ["Accept: */*"], ["Cache-Control: max-age=0"], ["Cache-Control: max-age=0", "Accept: text/*"])
LONGEST_HEAD = 16_384
SECONDS = 20.0
# A body of so few bytes is none; one that is so much longer or shorter, as a part, still fits.
SMALL, NEAR = 64, 0.3


class Archive:
    """What is remembered of an update server: how long its files are and when they changed."""

    def __init__(self) -> None:
        self.lengths: dict[str, int] = {}
        self.dates: dict[str, str] = {}
        self.head_bytes = 260


def paths() -> list[str]:
    found = [f"/debian/dists/{suite}/InRelease" for suite in SUITES]
    return found + [f"/debian/dists/{suite}/{name}" for suite in SUITES for name in LISTS]


class Request(NamedTuple):
    host: str
    method: str
    path: str
    text: bytes


class Answer(NamedTuple):
    """Its bytes and when it was whole; of that the first piece, and when that came."""

    bytes: int
    came: float
    first: int
    began: float


def request_of(
    archive: Archive, hosts: list[str], agent: str, size: int, response: int, chance: random.Random
) -> Request:
    """
    That which is likely to bring about so many bytes and is about as long as it shall be: a whole file where one fits, of
    several that fit as well any.
    """
    rest = response - archive.head_bytes
    built: list[tuple[float, Request]] = []
    for path, lines, missed in asked_for(archive, rest):
        method = "HEAD" if rest <= SMALL and not lines else "GET"
        for host, further in itertools.product(hosts, FURTHER):
            head = [f"{method} {path} HTTP/1.1", f"Host: {host}", *further, *lines, f"User-Agent: {agent}", "", ""]
            text = "\r\n".join(head).encode("latin-1", "replace")
            built.append((missed + abs(len(text) - size) / size if size else missed, Request(host, method, path, text)))
    best = min(missed for missed, _ in built)
    return chance.choice([one for missed, one in built if missed <= best + 0.001])


def asked_for(archive: Archive, rest: int) -> list[tuple[str, list[str], float]]:
    """Paths with further lines of the request, and how far from `rest` bytes the body would be, as a part of it."""
    if rest <= SMALL:
        dated = [(path, [f"If-Modified-Since: {date}"], 0.0) for path, date in archive.dates.items()]
        return dated or [(path, [], 0.0) for path in paths()[:3]]
    whole = [(path, list[str](), abs(length / rest - 1)) for path, length in archive.lengths.items()]
    nearest = min((missed for _, _, missed in whole), default=1.0)
    unknown = [path for path in paths() if path not in archive.lengths]
    if nearest > NEAR and unknown:
        return [(path, [], 0.0) for path in unknown]
    parts = [
        (path, [f"Range: bytes={length - rest}-"], NEAR) for path, length in archive.lengths.items() if length > rest
    ]
    return whole + parts


def fetched(
    connection: loop.socket.socket, archive: Archive, method: str, path: str, spend
) -> Generator[loop.Wait, bool, Answer]:
    """Reads one response. `spend` is told of each piece and ends it where a bound is reached."""
    data, came, first, began = b"", 0.0, 0, 0.0
    while b"\r\n\r\n" not in data:
        piece, came = yield from moments.received(connection, 8192, SECONDS)
        spend(len(piece))
        if not data:
            first, began = len(piece), came
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
        piece, came = yield from moments.received(connection, min(left, 65_536), SECONDS)
        if not piece:
            raise OSError("it ended early")
        spend(len(piece))
        left -= len(piece)
        total += len(piece)
    return Answer(total, came, first, began)


def parsed(head: str) -> tuple[int, dict[str, str]]:
    first, *lines = head.split("\r\n")
    status = re.match(r"HTTP/1\.[01] (\d{3})", first)
    if not status:
        raise OSError("no HTTP response")
    pairs = [line.partition(":") for line in lines[:64]]
    return int(status[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}

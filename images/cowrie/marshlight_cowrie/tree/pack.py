"""Writes the file of a base tree from entries; the other side of `base`."""

from __future__ import annotations

import json
import posixpath
import stat
import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from .base import EVERYWHERE, HEADER, MAGIC, RECORD


@dataclass
class Entry:
    """`data`: contents, or the target of a link; None for a program, which has a size alone."""

    path: str
    mode: int
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    data: bytes | None = b""
    links: int = 1
    package: int = EVERYWHERE


def pack(entries: Iterable[Entry], packages: list[tuple[str, bool]], about: dict[str, object]) -> bytes:
    """`packages`: name and whether it is optional, by number. A missing parent is an error."""
    below: dict[str, list[Entry]] = defaultdict(list)
    root = Entry("/", stat.S_IFDIR | 0o755, mtime=1, size=4096)
    for entry in entries:
        if entry.path == "/":
            root = entry
        else:
            below[posixpath.dirname(entry.path)].append(entry)
    order, parents, spans = [root], [0], {}
    for index, entry in enumerate(order):
        if stat.S_ISDIR(entry.mode):
            children = sorted(below.pop(entry.path, []), key=name_of)
            spans[index] = (len(order), len(children))
            order.extend(children)
            parents.extend([index] * len(children))
    if below:
        raise ValueError(f"no folder {next(iter(below))}")
    names, data, rows = bytearray(), bytearray(), bytearray()
    for index, entry in enumerate(order):
        name = name_of(entry)
        first, count = spans.get(index) or stored(entry, data)
        links = entry.links
        if index in spans:
            links = 2 + sum(stat.S_ISDIR(child.mode) for child in order[first : first + count])
        size = len(entry.data) if entry.data is not None and not stat.S_ISDIR(entry.mode) else entry.size
        rows += RECORD.pack(
            *(len(names), entry.mode, entry.uid, entry.gid, size, entry.mtime, first, count),
            *(parents[index], len(name), links, entry.package),
        )
        names += name
    names_at = HEADER.size + len(rows)
    data_at = names_at + len(names)
    tail = json.dumps({**about, "packages": packages}).encode()
    return HEADER.pack(MAGIC, len(order), names_at, data_at, data_at + len(data)) + rows + names + data + tail


def stored(entry: Entry, data: bytearray) -> tuple[int, int]:
    if not entry.data:
        return 0, 0
    packed = zlib.compress(entry.data, 9) if len(entry.data) > 64 else entry.data
    chosen = packed if len(packed) < len(entry.data) else entry.data
    start = len(data)
    data += chosen
    return start, len(chosen)


def name_of(entry: Entry) -> bytes:
    return posixpath.basename(entry.path).encode("utf-8", "surrogateescape")

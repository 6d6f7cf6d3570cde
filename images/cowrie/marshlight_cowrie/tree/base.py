"""
A base tree: a read-only file, mapped, so that all decoys on a host share its pages.

    header | nodes, breadth first, the children of a folder side by side and sorted | names | data | description (JSON)

A look-up is a binary search among a folder's children; nothing is built in memory. Data is zlib where that is shorter
than the file. A file without stored data has none in the tree: it is a program, whose bytes `programs` makes.
"""

from __future__ import annotations

import json
import mmap
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

from .node import Node

MAGIC = b"MLTREE1\n"
HEADER = struct.Struct("<8s4I")
#: name offset, mode, uid, gid, size, mtime, first, count, parent, name length, links, package. `first` and `count`: of
#: a folder its children, else the data.
RECORD = struct.Struct("<IIHHIIIIIHHH2x")
ROOT = 2
#: Inodes of an ext4 file system begin again at each block group; the tree stands behind the first sixteen.
FIRST = 131_072
#: A node that stands in any host, whatever packages it has.
EVERYWHERE = 0xFFFF


class BaseTree:
    def __init__(self, buffer: Union[bytes, mmap.mmap]) -> None:
        self.buffer = buffer
        magic, self.count, self.names_at, self.data_at, self.about_at = HEADER.unpack_from(buffer)
        if magic != MAGIC:
            raise ValueError("not a tree file of this version")
        self.about: dict[str, Any] = json.loads(bytes(buffer[self.about_at :]))
        #: By the number of a package: whether its files are there.
        self.hidden: frozenset[int] = frozenset()
        #: Whether the packages that show are known to be all that the host has.
        self.whole = False

    @classmethod
    def open(cls, path: Path) -> BaseTree:
        with open(path, "rb") as file:
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def showing(self, names: set[str], *, whole: bool = False) -> BaseTree:
        """
        The same tree with the optional packages of these names, and without the other optional ones. `whole`: the names
        are all that the host has, so whatever they lack is away, unless they lack what no such host can be without.
        """
        tree = BaseTree(self.buffer)
        tree.whole = whole and bool(self.essential) and self.essential <= names
        tree.hidden = frozenset(
            number
            for number, (name, optional) in enumerate(self.about["packages"])
            if name not in names and (optional or tree.whole)
        )
        return tree

    @property
    def essential(self) -> set[str]:
        """Without these it is not this distribution."""
        return set(self.about.get("essential", ()))

    @property
    def hidden_names(self) -> set[str]:
        return {self.about["packages"][number][0] for number in self.hidden}

    def record(self, ino: int) -> tuple[int, ...] | None:
        index = 0 if ino == ROOT else ino - FIRST
        if not 0 <= index < self.count or (index == 0 and ino != ROOT):
            return None
        found = RECORD.unpack_from(self.buffer, HEADER.size + index * RECORD.size)
        return None if found[11] in self.hidden else found

    def get(self, ino: int) -> Node | None:
        record = self.record(ino)
        if record is None:
            return None
        _, mode, uid, gid, _, mtime, _, _, _, _, links, _ = record
        return Node(mode, uid, gid, float(mtime), None, links)

    def size(self, ino: int) -> int:
        record = self.record(ino)
        return record[4] if record else 0

    def stored(self, ino: int) -> bytes | None:
        """None for a program."""
        record = self.record(ino)
        if record is None:
            return None
        size, first, count = record[4], record[6], record[7]
        if stat.S_ISDIR(record[1]) or size == 0:
            return b""
        if count == 0:
            return None
        start = self.data_at + first
        data = bytes(self.buffer[start : start + count])
        return data if count == size else zlib.decompress(data)

    def name_at(self, index: int) -> bytes:
        found = RECORD.unpack_from(self.buffer, HEADER.size + index * RECORD.size)
        start = self.names_at + found[0]
        return bytes(self.buffer[start : start + found[9]])

    def child(self, folder: int, name: str) -> int | None:
        record = self.record(folder)
        if record is None or not stat.S_ISDIR(record[1]):
            return None
        wanted = name.encode("utf-8", "surrogateescape")
        low, high = record[6], record[6] + record[7]
        while low < high:
            middle = (low + high) // 2
            found = self.name_at(middle)
            if found == wanted:
                return middle + FIRST if self.record(middle + FIRST) else None
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return None

    def children(self, folder: int) -> Iterator[tuple[str, int]]:
        record = self.record(folder)
        if record is None or not stat.S_ISDIR(record[1]):
            return
        for index in range(record[6], record[6] + record[7]):
            if self.record(index + FIRST):
                yield self.name_at(index).decode("utf-8", "surrogateescape"), index + FIRST

    def place(self, ino: int) -> tuple[int, str] | None:
        """The folder it is in, and its name there."""
        record = self.record(ino)
        if record is None or ino == ROOT:
            return None
        folder = record[8] + FIRST if record[8] else ROOT
        return folder, self.name_at(ino - FIRST).decode("utf-8", "surrogateescape")

    def path(self, ino: int) -> str | None:
        parts: list[str] = []
        while ino != ROOT:
            place = self.place(ino)
            if place is None:
                return None
            ino = place[0]
            parts.append(place[1])
        return "/" + "/".join(reversed(parts))

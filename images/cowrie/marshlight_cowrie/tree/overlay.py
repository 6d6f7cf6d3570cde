"""What one attacker has changed, and how much of it he may."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .layer import Layer, Lower
from .node import Below, Generated, Node, Spooled

#: Longer contents stand in a file: a session of a few uploads must not hold them in memory.
INLINE = 16 << 10
#: Books that programs open by their names for each record: whatever stands there goes on (utmp(5)).
BY_NAME = {"wtmp": "/var/log/wtmp", "btmp": "/var/log/btmp", "lastlog": "/var/log/lastlog", "utmp": "/run/utmp"}


@dataclass
class Quota:
    """Bytes and nodes; `above`: that of the decoy, which all overlays share."""

    bytes: int
    nodes: int
    above: Quota | None = None
    used_bytes: int = 0
    used_nodes: int = 0

    def charge(self, size: int, nodes: int) -> None:
        """Negative numbers give back. Raises OSError ENOSPC and charges nothing where it does not fit."""
        if (size > 0 and self.used_bytes + size > self.bytes) or (nodes > 0 and self.used_nodes + nodes > self.nodes):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.above:
            self.above.charge(size, nodes)
        self.note(size, nodes, alone=True)

    def note(self, size: int, nodes: int, *, alone: bool = False) -> None:
        if self.above and not alone:
            self.above.note(size, nodes)
        self.used_bytes += size
        self.used_nodes += nodes


class Spool(Protocol):
    def put(self, data: bytes) -> Spooled: ...
    def get(self, data: Spooled) -> bytes: ...


class Overlay(Layer):
    def __init__(self, lower: Lower, quota: Quota, first: int, spool: Spool | None = None) -> None:
        super().__init__(lower)
        self.quota, self.spool = quota, spool
        self.next = first
        #: Inodes of open files: they stay as long as somebody has them open, with or without a name.
        self.held: dict[int, int] = {}
        #: Called after each change.
        self.on_change: Callable[[], None] = lambda: None
        self.clock: Callable[[], float] = time.time
        #: What his visits left in the machine's books (life.doings); None: nothing.
        self.doings: Any = None
        #: When he last wrote to a book: it goes on from there.
        self.since: dict[int, float] = {}
        #: Until when logs that were turned over took his changes along.
        self.turned = 0.0

    def add(self, node: Node) -> int:
        self.quota.charge(weight(node), 1)
        ino = self.next
        # An inode table has gaps where files came and went.
        self.next += 1 + (ino * 2_654_435_761 >> 7) % 3
        self.nodes[ino] = node
        return ino

    def change(self, ino: int) -> Node:
        if ino not in self.nodes:
            self.quota.charge(0, 1)
            try:
                return super().change(ino)
            except KeyError:
                self.quota.charge(0, -1)
                raise
        return self.nodes[ino]

    def fill(self, ino: int, data: bytes | bytearray) -> Node:
        """Gives the file these contents; a bytearray stays the caller's, who goes on writing to it."""
        node = self.change(ino)
        self.quota.charge(len(data) - weight(node), 0)
        node.data = data
        if self.book_of(ino) is not None:
            self.since[ino] = self.clock()
        if isinstance(data, bytes) and self.spool and len(data) > INLINE:
            node.data = self.spool.put(data)
        return node

    def book_of(self, ino: int) -> Any:
        """What of the machine's books the inode is; None for all other files."""
        below = getattr(self.lower, "nodes", {}).get(ino)
        if below is not None and isinstance(below.data, Generated):
            return below.data.book
        place = self.places.get(ino)
        path = BY_NAME.get(place[1]) if place else None
        if path is None or self.path(ino) != path or not hasattr(self.lower, "place"):
            return None
        known = self.lower.place(path)
        return self.book_of(known) if known in getattr(self.lower, "nodes", {}) else None

    def untouched(self, ino: int) -> bool:
        node = self.nodes.get(ino)
        return node is None or isinstance(node.data, Below)

    def content(self, ino: int) -> bytes:
        book = self.book_of(ino)
        if book is None or (self.doings is None and self.untouched(ino)):
            return super().content(ino)
        if self.untouched(ino):
            return bytes(book.whole(self.doings))
        return bytes(book.onto(super().content(ino), self.since_of(ino), self.doings))

    def since_of(self, ino: int) -> float:
        return self.since.get(ino) or self.nodes[ino].ctime

    def size(self, ino: int) -> int:
        book = self.book_of(ino)
        if book is None or (self.doings is None and self.untouched(ino)):
            return super().size(ino)
        return int(book.grown(super().size(ino), self.doings)) if self.untouched(ino) else len(self.content(ino))

    def mtime(self, ino: int, node: Node) -> float:
        book = self.book_of(ino)
        if book is None or (self.doings is None and ino not in self.nodes):
            return super().mtime(ino, node)
        known = ino if self.lower.get(ino) is not None else self.lower.place(BY_NAME[self.places[ino][1]])  # type: ignore[attr-defined]
        below = self.lower.get(known)
        latest = float(book.changed(self.lower.mtime(known, below), self.doings)) if below else node.mtime
        own = self.nodes.get(ino)
        return latest if own is None or latest > max(self.since.get(ino, 0), own.ctime) else own.mtime

    def put(self, folder: int, name: str, ino: int) -> None:
        if name not in self.entries.get(folder, {}):
            self.quota.charge(0, 1)
        super().put(folder, name, ino)

    def take(self, folder: int, name: str) -> None:
        before = name in self.entries.get(folder, {})
        if not before:
            # What frees space must work on a full disk.
            self.quota.note(0, 1)
        super().take(folder, name)
        if name not in self.entries.get(folder, {}):
            self.quota.charge(0, -1)

    def drop(self, ino: int) -> None:
        """A name of the inode is gone; with the last one what it held is given back."""
        there = self.get(ino)
        if there is None or (ino not in self.nodes and (there.is_dir or there.links <= 1)):
            return
        node = self.change(ino)
        node.links = 0 if node.is_dir else node.links - 1
        if node.links <= 0 and ino not in self.held:
            self._free(ino)

    def _free(self, ino: int) -> None:
        self.quota.charge(-weight(self.nodes.pop(ino)), -1)
        self.since.pop(ino, None)
        for _ in self.entries.pop(ino, {}):
            self.quota.charge(0, -1)

    def hold(self, ino: int) -> None:
        self.held[ino] = self.held.get(ino, 0) + 1

    def release(self, ino: int) -> None:
        self.held[ino] -= 1
        if self.held[ino] == 0:
            del self.held[ino]
            if ino in self.nodes and self.nodes[ino].links <= 0:
                self._free(ino)

    def unspool(self, data: Spooled) -> bytes:
        assert self.spool
        return self.spool.get(data)


def weight(node: Node) -> int:
    if isinstance(node.data, (bytes, bytearray)):
        return len(node.data)
    return node.data.size if isinstance(node.data, Spooled) else 0

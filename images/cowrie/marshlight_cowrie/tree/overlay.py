"""What one attacker has changed, and how much of it he may."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .layer import Layer, Lower
from .node import Node, Spooled

#: Longer contents stand in a file: a session of a few uploads must not hold them in memory.
INLINE = 16 << 10


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
        if isinstance(data, bytes) and self.spool and len(data) > INLINE:
            node.data = self.spool.put(data)
        return node

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

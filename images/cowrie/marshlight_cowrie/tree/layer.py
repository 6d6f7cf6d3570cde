"""
A layer over another: what differs, by inode, and nothing else.

    overlay of an attacker  ->  layer of the persona  ->  base tree (mapped file)
      nodes, entries              nodes, entries            all the rest

`nodes` holds what is new or changed here. `entries` holds, by folder, the names that were added, or taken away (inode
0). Since folders are found by inode and not by path, a rename of a folder costs two names, however much is in it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from typing import Protocol

from .base import ROOT, BaseTree
from .node import BELOW, Below, Generated, Node, Spooled

GONE = 0


class Lower(Protocol):
    def get(self, ino: int) -> Node | None: ...
    def child(self, folder: int, name: str) -> int | None: ...
    def listing(self, folder: int) -> dict[str, int]: ...
    def content(self, ino: int) -> bytes: ...
    def size(self, ino: int) -> int: ...
    def mtime(self, ino: int, node: Node) -> float: ...
    def path(self, ino: int) -> str | None: ...
    def place_of(self, ino: int) -> tuple[int, str] | None: ...


class Bottom:
    """The base tree as the lowest layer. `program` makes the contents of a file that has none stored."""

    def __init__(self, tree: BaseTree, program: Callable[[str, int], bytes]) -> None:
        self.tree, self.program = tree, program

    def get(self, ino: int) -> Node | None:
        return self.tree.get(ino)

    def child(self, folder: int, name: str) -> int | None:
        return self.tree.child(folder, name)

    def listing(self, folder: int) -> dict[str, int]:
        return dict(self.tree.children(folder))

    def content(self, ino: int) -> bytes:
        stored = self.tree.stored(ino)
        return self.program(self.tree.path(ino) or "", self.tree.size(ino)) if stored is None else stored

    def size(self, ino: int) -> int:
        return self.tree.size(ino)

    def mtime(self, ino: int, node: Node) -> float:
        return node.mtime

    def path(self, ino: int) -> str | None:
        return self.tree.path(ino)

    def place_of(self, ino: int) -> tuple[int, str] | None:
        return self.tree.place(ino)


class Layer:
    def __init__(self, lower: Lower) -> None:
        self.lower = lower
        self.nodes: dict[int, Node] = {}
        self.entries: dict[int, dict[str, int]] = {}
        #: Where an inode that `entries` names stands: folder and name.
        self.places: dict[int, tuple[int, str]] = {}

    def get(self, ino: int) -> Node | None:
        return self.nodes.get(ino) or self.lower.get(ino)

    def child(self, folder: int, name: str) -> int | None:
        changed = self.entries.get(folder)
        if changed is not None and name in changed:
            return changed[name] or None
        return self.lower.child(folder, name)

    def listing(self, folder: int) -> dict[str, int]:
        names = self.lower.listing(folder)
        changed = self.entries.get(folder)
        if changed:
            names = {name: ino for name, ino in {**names, **changed}.items() if ino != GONE}
        return names

    def content(self, ino: int) -> bytes:
        node = self.nodes.get(ino)
        if node is None or isinstance(node.data, Below):
            return self.lower.content(ino)
        if isinstance(node.data, Generated):
            return node.data.make()
        if isinstance(node.data, Spooled):
            return self.unspool(node.data)
        return bytes(node.data)

    def size(self, ino: int) -> int:
        node = self.nodes.get(ino)
        if node is None or isinstance(node.data, Below):
            return self.lower.size(ino)
        if stat.S_ISDIR(node.mode):
            return 4096
        if stat.S_ISCHR(node.mode) or stat.S_ISBLK(node.mode):
            return 0
        if isinstance(node.data, Generated):
            if node.data.size:
                return node.data.size()
            return len(node.data.make()) if node.data.sized else 0
        return node.data.size if isinstance(node.data, Spooled) else len(node.data)

    def mtime(self, ino: int, node: Node) -> float:
        own = self.nodes.get(ino)
        if own is None:
            return self.lower.mtime(ino, node)
        if isinstance(own.data, Generated) and own.data.when:
            return own.data.when()
        return own.mtime

    def path(self, ino: int) -> str | None:
        """Where the inode stands now; None for one that nothing names any more."""
        if ino == ROOT:
            return "/"
        place = self.place_of(ino)
        above = self.path(place[0]) if place else None
        return f"{above.rstrip('/')}/{place[1]}" if above and place else None

    def place_of(self, ino: int) -> tuple[int, str] | None:
        return self.places.get(ino) or self.lower.place_of(ino)

    def leads(self, ino: int) -> int | None:
        """Where a link of the kernel goes that is no path."""
        return None

    def unspool(self, data: Spooled) -> bytes:
        raise NotImplementedError("only an overlay spools")

    def change(self, ino: int) -> Node:
        """The node, to be changed: copied up at the first change."""
        node = self.nodes.get(ino)
        if node is None:
            below = self.lower.get(ino)
            if below is None:
                raise KeyError(ino)
            node = below.copy()
            node.mtime = self.lower.mtime(ino, below)
            node.data = BELOW
            self.nodes[ino] = node
        return node

    def put(self, folder: int, name: str, ino: int) -> None:
        self.entries.setdefault(folder, {})[name] = ino
        self.places[ino] = (folder, name)

    def take(self, folder: int, name: str) -> None:
        changed = self.entries.setdefault(folder, {})
        ino = changed.get(name)
        if ino and self.places.get(ino) == (folder, name):
            del self.places[ino]
        if self.lower.child(folder, name) is None:
            changed.pop(name, None)
        else:
            changed[name] = GONE

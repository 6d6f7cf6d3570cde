"""One node of the tree, and where its contents come from."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union


class Below:
    """Contents are those of the same inode in the layer below: only the attributes were changed here."""


BELOW = Below()


@dataclass(frozen=True)
class Generated:
    """
    Contents made when they are read, as the kernel's are. `sized`: stat tells their length (a log), or 0 (/proc).
    `when`: their modification time, None for the node's own.
    """

    make: Callable[[], bytes]
    sized: bool = False
    when: Callable[[], float] | None = None
    #: Tells the length without making the contents.
    size: Callable[[], int] | None = None
    #: A log or the like, which goes on under what an attacker does to it (life.growing).
    book: Any = None


@dataclass(frozen=True)
class Spooled:
    """Contents kept in a file of the state folder, by their digest."""

    digest: str
    size: int


Data = Union[bytes, bytearray, Below, Generated, Spooled]


@dataclass
class Node:
    """`mode` with the type bits; `data` of a link is its target, of a device its number (major << 8 | minor)."""

    __slots__ = ("mode", "uid", "gid", "mtime", "ctime", "links", "data")
    mode: int
    uid: int
    gid: int
    mtime: float
    ctime: float
    links: int
    data: Data

    def __init__(
        self, mode: int, uid: int, gid: int, mtime: float, ctime: float | None = None, links: int = 1, data: Any = b""
    ) -> None:
        self.mode, self.uid, self.gid, self.links, self.data = mode, uid, gid, links, data
        self.mtime, self.ctime = mtime, mtime if ctime is None else ctime

    @property
    def is_dir(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    def copy(self) -> Node:
        return Node(self.mode, self.uid, self.gid, self.mtime, self.ctime, self.links, BELOW)

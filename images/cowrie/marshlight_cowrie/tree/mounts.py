"""File systems mounted in the tree, as far as calls notice them, and how full the root's is."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field

from .base import ROOT
from .walk import error

PROC, SYS = "proc", "sysfs"
EVERYWHERE = {
    "/dev": "devtmpfs",
    "/dev/pts": "devpts",
    "/dev/shm": "tmpfs",
    "/proc": PROC,
    "/run": "tmpfs",
    "/run/lock": "tmpfs",
    "/sys": SYS,
}


@dataclass
class Mounts:
    """`roots`: kind of file system by the inode of its root. `disk`: bytes used and in all."""

    roots: dict[int, str] = field(default_factory=dict)
    disk: tuple[int, int] = (0, 0)
    protected: frozenset[str] = frozenset(("symlinks", "hardlinks", "regular"))

    def of(self, folders: list[int]) -> int:
        return next((ino for ino in reversed(folders) if ino in self.roots), ROOT)

    def same(self, one: list[int], other: list[int]) -> bool:
        return self.of(one) == self.of(other)

    def may_create(self, folders: list[int], uid: int, path: str) -> None:
        """The kernel's own file systems take no new names: proc knows none, sysfs refuses."""
        kind = self.roots.get(self.of(folders))
        if kind == PROC:
            raise error(errno.ENOENT, path)
        if kind == SYS:
            raise error(errno.EACCES if uid else errno.EPERM, path)

    def may_delete(self, folders: list[int], path: str) -> None:
        if self.roots.get(self.of(folders)) in (PROC, SYS):
            raise error(errno.EPERM, path)

"""The tree as one account sees it: `FileSystem` of shell/ports.py, errors and order of checks as Linux has them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

from ..shell.ports import Stat
from .attributes import Attributes
from .creation import Creation
from .mounts import Mounts
from .node import Node
from .overlay import Overlay
from .processes import Processes, WithProcesses
from .removal import Removal
from .walk import EXECUTE, READ, WRITE, Account, error

Clock = Callable[[], float]


class View(Creation, Attributes, Removal):
    """What is read, and whose view it is; each base has the calls that change one thing."""

    def __init__(self, overlay: Overlay, mounts: Mounts, clock: Clock, uid: int, gids: tuple[int, ...]) -> None:
        super().__init__(overlay, Account(uid, gids))
        self.overlay, self.mounts, self.clock = overlay, mounts, clock
        self.protected = mounts.protected
        #: Files whose contents were written through this view and those made of it, in the order of their first write.
        self.written: dict[int, None] = {}
        #: What may fail, or be shown another way (drift/file_gate.py); None: nothing.
        self.drift: Any = None

    def guarded_by(self, drift: Any) -> View:
        """The same, where files fail and lists differ as `drift` says."""
        own = self.overlay
        seen: Any = WithProcesses(drift.over(own.below), own.processes, own.pid) if isinstance(own, WithProcesses) else drift.over(own)
        made = View(seen, self.mounts, self.clock, self.account.uid, self.account.gids)
        made.written, made.drift = self.written, drift
        return made

    def of_process(self, processes: Processes, pid: int) -> View:
        """The same for one process, which sees all of them, and itself, in /proc."""
        own = self.overlay
        below = own.below if isinstance(own, WithProcesses) else own
        made = View(WithProcesses(below, processes, pid), self.mounts, self.clock, self.account.uid, self.account.gids)  # type: ignore[arg-type]
        made.written, made.drift = self.written, self.drift
        return made

    def target(self, ino: int) -> str:
        own = self.overlay
        if isinstance(own, WithProcesses) and ino in own.keys:
            if own.refuses(ino, self.account.uid):
                raise error(errno.EACCES, own.path(ino) or "")
            if not own.content(ino):
                raise error(errno.ENOENT, own.path(ino) or "")
        return super().target(ino)

    def as_account(self, uid: int, gids: tuple[int, ...]) -> View:
        made = View(self.overlay, self.mounts, self.clock, uid, gids)
        made.written, made.drift = self.written, self.drift
        return made

    def contents_written(self, most: int, largest: int, room: int) -> Iterator[tuple[str, bytes]]:
        """Path and contents of the written files that still have a name, at most `room` bytes in all."""
        for ino in list(self.written):
            path = self.overlay.path(ino) if ino in self.overlay.nodes else None
            size = self.overlay.size(ino)
            if path is None or not 0 < size <= min(largest, room):
                continue
            yield path, self.overlay.content(ino)
            most, room = most - 1, room - size
            if most == 0:
                return

    def forget_written(self, path: str) -> None:
        """What was written there is known already: somebody else has told of it."""
        self.written.pop(self.existing(path)[0], None)

    def stat(self, path: str, *, follow: bool = True) -> Stat:
        ino, node = self.existing(path, follow=follow)
        return self.stat_of(ino, node)

    def stat_of(self, ino: int, node: Node) -> Stat:
        mtime = self.overlay.mtime(ino, node)
        return Stat(
            mode=node.mode,
            uid=node.uid,
            gid=node.gid,
            size=self.overlay.size(ino),
            mtime=mtime,
            ctime=max(node.ctime, mtime) if ino not in self.overlay.nodes else node.ctime,
            inode=ino,
            links=node.links,
            target=self._shown_target(ino) if node.is_link else None,
        )

    def _shown_target(self, ino: int) -> str | None:
        try:
            return self.target(ino)
        except OSError:
            return None

    def listdir(self, path: str) -> list[str]:
        ino, node = self.existing(path)
        if not node.is_dir:
            raise error(errno.ENOTDIR, path)
        self._need(node, READ, path)
        return list(self.overlay.listing(ino))

    def read(self, path: str) -> bytes:
        with self.open(path, os.O_RDONLY) as file:
            return file.whole()

    def write(self, path: str, data: bytes, *, append: bool = False, mode: int = 0o644) -> None:
        how = os.O_APPEND if append else os.O_TRUNC
        with self.open(path, os.O_WRONLY | os.O_CREAT | how, mode) as file:
            file.write(file.size() if append else 0, data)

    def readlink(self, path: str) -> str:
        ino, node = self.existing(path, follow=False)
        if not node.is_link:
            raise error(errno.EINVAL, path)
        return self.target(ino)

    def realpath(self, path: str) -> str:
        """Without links; the last part need not be there."""
        place = self.find(path)
        if place.ino is None and place.slash:
            raise error(errno.ENOENT, path)
        above = self.overlay.path(place.folder) or "/"
        if place.bare:
            return (self.overlay.path(place.ino) if place.ino else above) or "/"
        return f"{above.rstrip('/')}/{place.name}"

    def access(self, path: str, *, read: bool = False, write: bool = False, execute: bool = False) -> bool:
        try:
            _, node = self.existing(path)
        except OSError:
            return False
        wanted = READ * read | WRITE * write | EXECUTE * execute
        return self.account.may(node, wanted)

    def usage(self) -> tuple[int, int]:
        used, size = self.mounts.disk
        return used + self.overlay.quota.used_bytes, size

"""The tree as one account sees it: `FileSystem` of shell/ports.py, errors and order of checks as Linux has them."""

from __future__ import annotations

import errno
import os
import stat as st
from collections.abc import Callable, Iterator
from typing import Any

from ..shell.ports import Stat
from .handle import OpenFile
from .mounts import Mounts
from .node import Node
from .overlay import Overlay
from .processes import Processes, WithProcesses
from .removal import Removal
from .walk import EXECUTE, READ, SETGID, SETUID, STICKY, WRITE, Account, Place, error

Clock = Callable[[], float]


class View(Removal):
    """Names and attributes here; what takes names away or moves them stands in Removal."""

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

    def open(self, path: str, flags: int, mode: int = 0o666) -> OpenFile:
        """As open(2), without the umask. Contents that were written are in the tree when the file is closed."""
        if flags & os.O_CREAT and path.endswith("/"):
            self.parent(path)
            raise error(errno.EISDIR, path)
        place = self.parent(path) if flags & os.O_CREAT and flags & os.O_EXCL else self.find(path, creates=bool(flags & os.O_CREAT))
        if place.ino is None or flags & os.O_CREAT and flags & os.O_EXCL:
            if not flags & os.O_CREAT:
                raise error(errno.ENOENT, path)
            if place.ino is not None:
                raise error(errno.EEXIST, path)
            ino = self._make(place, Node(st.S_IFREG | mode & 0o7777, 0, 0, self.clock()), path)
            # A file that the call made is not cut: that would be a change, and take a set-user-ID bit away.
            return OpenFile(self, ino, flags & ~os.O_TRUNC, path)
        node = self.node(place.ino, path)
        writes = flags & os.O_ACCMODE != os.O_RDONLY
        if node.is_link:
            raise error(errno.ELOOP, path)
        if node.is_dir and (writes or flags & os.O_CREAT):
            raise error(errno.EISDIR, path)
        if flags & os.O_CREAT:
            self._guard_sticky(place, node, path)
        self._need(node, {os.O_RDONLY: READ, os.O_WRONLY: WRITE}.get(flags & os.O_ACCMODE, READ | WRITE), path)
        if flags & os.O_DIRECTORY and not node.is_dir:
            raise error(errno.ENOTDIR, path)
        return OpenFile(self, place.ino, flags, path)

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        place = self.parent(path)
        if place.ino is not None:
            raise error(errno.EEXIST, path)
        self._make(place, Node(st.S_IFDIR | mode & 0o1777, 0, 0, self.clock(), links=2), path)

    def symlink(self, target: str, path: str) -> None:
        raw = os.fsencode(target)
        if not raw:
            raise error(errno.ENOENT, path)
        if len(raw) > 4095:
            raise error(errno.ENAMETOOLONG, path)
        self._make_name(path, Node(st.S_IFLNK | 0o777, 0, 0, self.clock(), data=raw))

    def mkfifo(self, path: str, mode: int = 0o666) -> None:
        self._make_name(path, Node(st.S_IFIFO | mode & 0o7777, 0, 0, self.clock()))

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

    def chmod(self, path: str, mode: int) -> None:
        ino, node = self.existing(path)
        self._need_owner(node, path)
        if self.account.uid != 0 and node.gid not in self.account.gids and not node.is_dir:
            mode &= ~SETGID
        changed = self._change(ino, path)
        changed.mode = st.S_IFMT(changed.mode) | mode & 0o7777
        self._changed(changed)

    def chown(self, path: str, uid: int, gid: int, *, follow: bool = True) -> None:
        """-1 leaves the one or the other."""
        ino, node = self.existing(path, follow=follow)
        account = self.account
        if account.uid != 0:
            given_away = uid not in (-1, node.uid)
            strange = gid not in (-1, node.gid) and gid not in account.gids
            if given_away or account.uid != node.uid and (uid, gid) != (-1, -1) or strange:
                raise error(errno.EPERM, path)
        changed = self._change(ino, path)
        changed.uid = node.uid if uid == -1 else uid
        changed.gid = node.gid if gid == -1 else gid
        if st.S_ISREG(changed.mode):
            changed.mode &= ~(SETUID | (SETGID if changed.mode & 0o010 else 0))
        self._changed(changed)

    def utime(self, path: str, mtime: float | None, *, follow: bool = True) -> None:
        """None: now, which whoever may write can have."""
        ino, node = self.existing(path, follow=follow)
        if not self.account.owns(node):
            if mtime is not None:
                raise error(errno.EPERM, path)
            self._need(node, WRITE, path)
        changed = self._change(ino, path)
        changed.mtime = self.clock() if mtime is None else mtime
        self._changed(changed)

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

    def _make_name(self, path: str, node: Node) -> None:
        place = self.parent(path)
        if place.ino is not None:
            raise error(errno.EEXIST, path)
        if place.slash:
            raise error(errno.ENOENT, path)
        self._make(place, node, path)

    def _make(self, place: Place, node: Node, path: str) -> int:
        above = self.node(place.folder, path)
        self.mounts.may_create(place.folders, self.account.uid, path)
        self._need(above, WRITE | EXECUTE, path)
        node.uid, node.gid = self.account.uid, self.account.gids[0] if self.account.gids else 0
        if above.mode & SETGID:
            node.gid = above.gid
            node.mode |= SETGID if node.is_dir else 0
        try:
            ino = self.overlay.add(node)
            self.overlay.put(place.folder, place.name, ino)
            self._touch_folder(place.folder, 1 if node.is_dir else 0)
        except OSError as full:
            raise error(full.errno or errno.ENOSPC, path) from None
        return ino

    def _guard_sticky(self, place: Place, node: Node, path: str) -> None:
        """Even root does not write to another's file in /tmp by O_CREAT."""
        above = self.node(place.folder, path)
        if "regular" not in self.protected or place.bare or not above.mode & STICKY or not st.S_ISREG(node.mode):
            return
        if above.mode & 0o022 and node.uid not in (above.uid, self.account.uid):
            raise error(errno.EACCES, path)

"""What makes names: open, mkdir, symlink, mkfifo. Checks in the order of the kernel's fs/namei.c."""

from __future__ import annotations

import errno
import os
import stat as st

from .handle import OpenFile
from .node import Node
from .removal import Removal
from .walk import EXECUTE, READ, SETGID, STICKY, WRITE, Place, error


class Creation(Removal):
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
            return OpenFile(self, ino, flags & ~os.O_TRUNC, path)  # type: ignore[arg-type]
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
        return OpenFile(self, place.ino, flags, path)  # type: ignore[arg-type]

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

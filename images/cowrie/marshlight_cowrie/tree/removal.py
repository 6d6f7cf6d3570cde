"""What takes names away or moves them: unlink, rmdir, rename, link. Checks in the order of the kernel's fs/namei.c."""

from __future__ import annotations

import errno
import stat as st
from collections.abc import Callable
from typing import TYPE_CHECKING

from .base import ROOT
from .node import Node
from .overlay import Overlay
from .processes import WithProcesses
from .walk import EXECUTE, SETGID, SETUID, STICKY, WRITE, Account, Place, Walker, error

if TYPE_CHECKING:
    from .mounts import Mounts


class Removal(Walker):
    overlay: Overlay
    mounts: Mounts
    clock: Callable[[], float]

    def __init__(self, overlay: Overlay, account: Account) -> None:
        super().__init__(overlay, account)

    def unlink(self, path: str) -> None:
        place = self.parent(path)
        if place.bare:
            raise error(errno.EISDIR, path)
        node = self._named(place, path)
        if place.slash:
            raise error(errno.EISDIR if node.is_dir else errno.ENOTDIR, path)
        self._may_delete(place, node, path)
        if node.is_dir:
            raise error(errno.EISDIR, path)
        self._drop(place)

    def rmdir(self, path: str) -> None:
        place = self.parent(path)
        if place.bare:
            raise error({"/": errno.EBUSY, ".": errno.EINVAL}.get(place.name, errno.ENOTEMPTY), path)
        node = self._named(place, path)
        self._may_delete(place, node, path)
        if not node.is_dir:
            raise error(errno.ENOTDIR, path)
        self._not_mounted(place, path)
        if self.overlay.listing(place.ino or 0):
            raise error(errno.ENOTEMPTY, path)
        self._drop(place)

    def rename(self, old: str, new: str) -> None:
        source, target = self.parent(old), self.parent(new)
        if not self.mounts.same(source.folders, target.folders):
            raise error(errno.EXDEV, old)
        if source.bare or target.bare:
            raise error(errno.EBUSY, old)
        node = self._named(source, old)
        if not node.is_dir and (source.slash or target.slash):
            raise error(errno.ENOTDIR, old)
        if source.ino in target.folders:
            raise error(errno.EINVAL, old)
        if target.ino is not None and target.ino in source.folders:
            raise error(errno.ENOTEMPTY, old)
        if source.ino == target.ino:
            return
        self._may_delete(source, node, old)
        there = self.overlay.get(target.ino) if target.ino else None
        if there is None:
            self.mounts.may_create(target.folders, self.account.uid, new)
            self._need(self.node(target.folder, new), WRITE | EXECUTE, new)
        else:
            self._may_delete(target, there, new)
            if node.is_dir and not there.is_dir:
                raise error(errno.ENOTDIR, new)
            if there.is_dir and not node.is_dir:
                raise error(errno.EISDIR, new)
        if node.is_dir and source.folder != target.folder:
            self._need(node, WRITE, old)
        self._not_mounted(source, old)
        self._not_mounted(target, new)
        if there is not None and there.is_dir and self.overlay.listing(target.ino or 0):
            raise error(errno.ENOTEMPTY, new)
        self._move(source, target, node)

    def link(self, old: str, new: str) -> None:
        """Not following `old`, as link(2) does not."""
        ino, node = self.existing(old, follow=False)
        target = self.parent(new)
        if target.ino is not None:
            raise error(errno.EEXIST, new)
        if target.slash:
            raise error(errno.ENOENT, new)
        harmless = st.S_ISREG(node.mode) and not node.mode & SETUID and node.mode & 0o2010 != 0o2010
        others = not self.account.owns(node) and not (harmless and self.account.may(node, 6))
        if others and "hardlinks" in self.protected:
            raise error(errno.EPERM, new)
        self._need(self.node(target.folder, new), WRITE | EXECUTE, new)
        if node.is_dir:
            raise error(errno.EPERM, new)
        changed = self._change(ino, new)
        changed.links += 1
        changed.ctime = self.clock()
        self.overlay.put(target.folder, target.name, ino)
        self._touch_folder(target.folder, 0)

    def _move(self, source: Place, target: Place, node: Node) -> None:
        ino = source.ino or 0
        if target.ino is not None:
            self._drop(target)
        self.overlay.take(source.folder, source.name)
        self.overlay.put(target.folder, target.name, ino)
        moved = self.overlay.change(ino)
        moved.ctime = self.clock()
        step = 1 if node.is_dir else 0
        self._touch_folder(source.folder, -step)
        self._touch_folder(target.folder, step)

    def _drop(self, place: Place) -> None:
        ino = place.ino or 0
        node = self.overlay.get(ino)
        self.overlay.take(place.folder, place.name)
        self.overlay.drop(ino)
        self._touch_folder(place.folder, -1 if node and node.is_dir else 0)

    def _touch_folder(self, ino: int, links: int) -> None:
        folder = self.overlay.change(ino)
        folder.links += links
        folder.mtime = self.clock()
        self._changed(folder)

    def _named(self, place: Place, path: str) -> Node:
        if place.ino is None:
            raise error(errno.ENOENT, path)
        return self.node(place.ino, path)

    def _may_delete(self, place: Place, node: Node, path: str) -> None:
        above = self.node(place.folder, path)
        self._need(above, WRITE | EXECUTE, path)
        if above.mode & STICKY and self.account.uid not in (0, node.uid, above.uid):
            raise error(errno.EPERM, path)
        self.mounts.may_delete(place.folders, path)

    def _not_mounted(self, place: Place, path: str) -> None:
        if place.ino == ROOT or place.ino in self.mounts.roots:
            raise error(errno.EBUSY, path)

    def _need(self, node: Node, wanted: int, path: str) -> None:
        if not self.account.may(node, wanted):
            raise error(errno.EACCES, path)

    def _need_owner(self, node: Node, path: str) -> None:
        if not self.account.owns(node):
            raise error(errno.EPERM, path)

    def _change(self, ino: int, path: str) -> Node:
        if isinstance(self.overlay, WithProcesses) and ino in self.overlay.keys:
            raise error(errno.EPERM, path)
        try:
            return self.overlay.change(ino)
        except OSError as full:
            raise error(full.errno or errno.ENOSPC, path) from None

    def _changed(self, node: Node) -> None:
        node.ctime = self.clock()
        self.overlay.on_change()

    def strip_privileges(self, node: Node) -> None:
        """A write by anyone but root takes the set-user-ID bits away."""
        if self.account.uid != 0 and node.mode & (SETUID | SETGID):
            node.mode &= ~(SETUID | (SETGID if node.mode & 0o010 else 0))

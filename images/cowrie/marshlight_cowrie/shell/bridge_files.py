"""Cowrie's file system as ours, where the decoy has no tree of its own."""

from __future__ import annotations

import errno
import os
import posixpath
import stat as modes
from typing import Any

from .ports import Stat

NAME, TYPE, UID, GID, SIZE, MODE, CTIME, CONTENTS, TARGET, REALFILE = range(10)


def failure(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class CowrieTree:
    def __init__(self, fs: Any, uid: int, gids: tuple[int, ...]) -> None:
        self.fs, self.uid, self.gids = fs, uid, gids

    def as_account(self, uid: int, gids: tuple[int, ...]) -> CowrieTree:
        return CowrieTree(self.fs, uid, gids)

    def node(self, path: str, *, follow: bool = True) -> Any:
        found = self.fs.getfile(posixpath.normpath("/" + path.lstrip("/")), follow_symlinks=follow)
        if not found:
            raise failure(errno.ENOENT, path)
        return found

    def permits(self, node: Any, bit: int) -> bool:
        if self.uid == 0:
            return bit != 1 or modes.S_ISDIR(node[MODE]) or bool(node[MODE] & 0o111)
        shift = 6 if node[UID] == self.uid else 3 if node[GID] in self.gids else 0
        return bool(node[MODE] >> shift & bit)

    def need(self, path: str, bit: int) -> None:
        if not self.permits(self.node(path), bit):
            raise failure(errno.EACCES, path)

    def parent(self, path: str) -> str:
        folder = posixpath.dirname(path.rstrip("/")) or "/"
        if self.node(folder)[TYPE] != 1:
            raise failure(errno.ENOTDIR, path)
        self.need(folder, 2)
        return folder

    def stat(self, path: str, *, follow: bool = True) -> Stat:
        node = self.node(path, follow=follow)
        inode = abs(hash(path)) % (1 << 20) + 12
        return Stat(node[MODE], node[UID], node[GID], node[SIZE], node[CTIME], node[CTIME], inode, 1, node[TARGET] or None)

    def listdir(self, path: str) -> list[str]:
        node = self.node(path)
        if node[TYPE] != 1:
            raise failure(errno.ENOTDIR, path)
        self.need(path, 4)
        return [str(name) for name in self.fs.listdir(posixpath.normpath(path))]

    def read(self, path: str) -> bytes:
        node = self.node(path)
        if node[TYPE] == 1:
            raise failure(errno.EISDIR, path)
        self.need(path, 4)
        return bytes(self.fs.file_contents(posixpath.normpath(path)))

    def write(self, path: str, data: bytes, *, append: bool = False, mode: int = 0o644) -> None:
        path = posixpath.normpath(path)
        try:
            node = self.node(path)
            self.need(path, 2)
        except FileNotFoundError:
            self.parent(path)
            self.fs.mkfile(path, self.uid, self.gids[0], 0, modes.S_IFREG | mode)
            node = self.node(path)
        self.fs._ensure_private_fs()
        node = self.node(path)
        old = self.read_own(path, node) if append else b""
        node[CONTENTS], node[REALFILE], node[SIZE] = old + data, None, len(old) + len(data)

    def read_own(self, path: str, node: Any) -> bytes:
        return node[CONTENTS] if isinstance(node[CONTENTS], bytes) and not node[REALFILE] else bytes(self.fs.file_contents(path))

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        if self.fs.exists(posixpath.normpath(path)):
            raise failure(errno.EEXIST, path)
        self.parent(path)
        self.fs.mkdir(posixpath.normpath(path), self.uid, self.gids[0], 4096, modes.S_IFDIR | mode)

    def rmdir(self, path: str) -> None:
        if self.listdir(path):
            raise failure(errno.ENOTEMPTY, path)
        self.parent(path)
        self.fs.rmdir(posixpath.normpath(path))

    def unlink(self, path: str) -> None:
        if self.node(path, follow=False)[TYPE] == 1:
            raise failure(errno.EISDIR, path)
        self.parent(path)
        self.fs.remove(posixpath.normpath(path))

    def rename(self, old: str, new: str) -> None:
        self.node(old, follow=False)
        self.parent(new)
        self.fs.rename(posixpath.normpath(old), posixpath.normpath(new))

    def symlink(self, target: str, path: str) -> None:
        self.parent(path)
        self.fs.symlink(target, posixpath.normpath(path))

    def readlink(self, path: str) -> str:
        node = self.node(path, follow=False)
        if not node[TARGET]:
            raise failure(errno.EINVAL, path)
        return str(node[TARGET])

    def chmod(self, path: str, mode: int) -> None:
        self.fs._ensure_private_fs()
        node = self.node(path)
        node[MODE] = node[MODE] & 0o170000 | mode & 0o7777

    def chown(self, path: str, uid: int, gid: int) -> None:
        if self.uid:
            raise failure(errno.EPERM, path)
        self.fs._ensure_private_fs()
        node = self.node(path)
        node[UID], node[GID] = (uid if uid >= 0 else node[UID]), (gid if gid >= 0 else node[GID])

    def utime(self, path: str, mtime: float) -> None:
        self.fs._ensure_private_fs()
        self.node(path)[CTIME] = mtime

    def access(self, path: str, *, read: bool = False, write: bool = False, execute: bool = False) -> bool:
        try:
            node = self.node(path)
        except OSError:
            return False
        return all(self.permits(node, bit) for bit, asked in ((4, read), (2, write), (1, execute)) if asked)

    def usage(self) -> tuple[int, int]:
        return 3 << 30, 40 << 30

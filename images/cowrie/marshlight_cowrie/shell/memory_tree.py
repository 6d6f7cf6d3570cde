"""A file system in memory, for tests of the language: permissions by mode and account, links, no devices."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field

from .ports import Stat


@dataclass
class Node:
    mode: int
    uid: int = 0
    gid: int = 0
    data: bytes = b""
    target: str = ""
    children: dict[str, Node] = field(default_factory=dict)
    mtime: float = 0.0
    inode: int = 0


def failure(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class MemoryTree:
    def __init__(self, root: Node | None = None, uid: int = 0, gids: tuple[int, ...] = (0,), clock: object = None) -> None:
        self.root = root or Node(0o040755, inode=2)
        self.uid, self.gids = uid, gids
        self.count = [2]

    def as_account(self, uid: int, gids: tuple[int, ...]) -> MemoryTree:
        other = MemoryTree(self.root, uid, gids)
        other.count = self.count
        return other

    def fill(self, files: dict[str, bytes | str | None], mode: int = 0o644) -> MemoryTree:
        """Path -> contents; None for a folder. Parents are made."""
        for path, data in files.items():
            parts = [part for part in path.split("/") if part]
            node = self.root
            for part in parts if data is None else parts[:-1]:
                node = node.children.setdefault(part, self.make(0o040755))
            if data is not None:
                made = self.make(0o100000 | mode)
                made.data = data if isinstance(data, bytes) else data.encode()
                node.children[parts[-1]] = made
        return self

    def make(self, mode: int) -> Node:
        self.count[0] += 1
        return Node(mode, self.uid, self.gids[0] if self.gids else 0, inode=self.count[0])

    def permits(self, node: Node, bit: int) -> bool:
        if self.uid == 0:
            return bit != 1 or node.mode & 0o170000 == 0o040000 or bool(node.mode & 0o111)
        shift = 6 if node.uid == self.uid else 3 if node.gid in self.gids else 0
        return bool((node.mode >> shift) & bit)

    def walk(self, path: str, *, follow: bool = True, hops: int = 0) -> Node:
        if hops > 20:
            raise failure(errno.ELOOP, path)
        node, trail = self.root, []
        parts = [part for part in path.split("/") if part and part != "."]
        for at, part in enumerate(parts):
            if node.mode & 0o170000 != 0o040000:
                raise failure(errno.ENOTDIR, path)
            if not self.permits(node, 1):
                raise failure(errno.EACCES, path)
            if part == "..":
                node = trail.pop() if trail else self.root
                continue
            if part not in node.children:
                raise failure(errno.ENOENT, path)
            child = node.children[part]
            if child.target and (follow or at < len(parts) - 1):
                base = "/" + "/".join(parts[:at])
                rest = "/".join(parts[at + 1 :])
                target = child.target if child.target.startswith("/") else f"{base}/{child.target}"
                return self.walk(f"{target}/{rest}" if rest else target, follow=follow, hops=hops + 1)
            trail.append(node)
            node = child
        if path.endswith("/") and node.mode & 0o170000 != 0o040000 and path != "/":
            raise failure(errno.ENOTDIR, path)
        return node

    def parent(self, path: str, *, write: bool = True) -> tuple[Node, str]:
        folder, _, name = path.rstrip("/").rpartition("/")
        node = self.walk(folder or "/")
        if node.mode & 0o170000 != 0o040000:
            raise failure(errno.ENOTDIR, path)
        if write and not self.permits(node, 2):
            raise failure(errno.EACCES, path)
        return node, name

    def stat(self, path: str, *, follow: bool = True) -> Stat:
        node = self.walk(path, follow=follow)
        return Stat(node.mode, node.uid, node.gid, len(node.data), node.mtime, node.mtime, node.inode, 1, node.target or None)

    def listdir(self, path: str) -> list[str]:
        node = self.walk(path)
        if node.mode & 0o170000 != 0o040000:
            raise failure(errno.ENOTDIR, path)
        if not self.permits(node, 4):
            raise failure(errno.EACCES, path)
        return list(node.children)

    def read(self, path: str) -> bytes:
        node = self.walk(path)
        if node.mode & 0o170000 == 0o040000:
            raise failure(errno.EISDIR, path)
        if not self.permits(node, 4):
            raise failure(errno.EACCES, path)
        return node.data

    def write(self, path: str, data: bytes, *, append: bool = False, mode: int = 0o644) -> None:
        try:
            node = self.walk(path)
        except FileNotFoundError:
            parent, name = self.parent(path)
            node = parent.children[name] = self.make(0o100000 | mode)
        else:
            if node.mode & 0o170000 == 0o040000:
                raise failure(errno.EISDIR, path)
            if not self.permits(node, 2):
                raise failure(errno.EACCES, path)
        node.data = node.data + data if append else data

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        parent, name = self.parent(path)
        if name in parent.children:
            raise failure(errno.EEXIST, path)
        parent.children[name] = self.make(0o040000 | mode)

    def rmdir(self, path: str) -> None:
        parent, name = self.parent(path)
        node = self.walk(path, follow=False)
        if node.mode & 0o170000 != 0o040000:
            raise failure(errno.ENOTDIR, path)
        if node.children:
            raise failure(errno.ENOTEMPTY, path)
        del parent.children[name]

    def unlink(self, path: str) -> None:
        parent, name = self.parent(path)
        if name not in parent.children:
            raise failure(errno.ENOENT, path)
        if parent.children[name].mode & 0o170000 == 0o040000:
            raise failure(errno.EISDIR, path)
        del parent.children[name]

    def rename(self, old: str, new: str) -> None:
        source, name = self.parent(old)
        if name not in source.children:
            raise failure(errno.ENOENT, old)
        target, made = self.parent(new)
        target.children[made] = source.children.pop(name)

    def symlink(self, target: str, path: str) -> None:
        parent, name = self.parent(path)
        if name in parent.children:
            raise failure(errno.EEXIST, path)
        node = parent.children[name] = self.make(0o120777)
        node.target = target

    def readlink(self, path: str) -> str:
        node = self.walk(path, follow=False)
        if not node.target:
            raise failure(errno.EINVAL, path)
        return node.target

    def chmod(self, path: str, mode: int) -> None:
        node = self.walk(path)
        if self.uid not in (0, node.uid):
            raise failure(errno.EPERM, path)
        node.mode = node.mode & 0o170000 | mode & 0o7777

    def chown(self, path: str, uid: int, gid: int) -> None:
        if self.uid != 0:
            raise failure(errno.EPERM, path)
        node = self.walk(path)
        node.uid, node.gid = (uid if uid >= 0 else node.uid), (gid if gid >= 0 else node.gid)

    def utime(self, path: str, mtime: float) -> None:
        self.walk(path).mtime = mtime

    def access(self, path: str, *, read: bool = False, write: bool = False, execute: bool = False) -> bool:
        try:
            node = self.walk(path)
        except OSError:
            return False
        wanted = [bit for bit, asked in ((4, read), (2, write), (1, execute)) if asked]
        return all(self.permits(node, bit) for bit in wanted)

    def usage(self) -> tuple[int, int]:
        return 1 << 30, 20 << 30

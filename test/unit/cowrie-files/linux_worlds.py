"""The same calls on a real folder of this machine and on the tree."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from marshlight_cowrie.tree.view import View


class Real:
    """The same calls on the kernel."""

    def __init__(self, root: str) -> None:
        self.root = root

    def at(self, path: str) -> str:
        return self.root + path if path else path

    def call(self, name: str, *args: Any) -> Any:
        return getattr(self, name)(*args)

    def stat(self, path: str, follow: bool) -> Any:
        return described(os.stat(self.at(path), follow_symlinks=follow))

    def listdir(self, path: str) -> Any:
        return sorted(os.listdir(self.at(path)))

    def read(self, path: str) -> Any:
        with open(self.at(path), "rb") as file:
            return file.read()

    def write(self, path: str, data: bytes, append: bool, mode: int) -> None:
        how = os.O_APPEND if append else os.O_TRUNC
        file = os.open(self.at(path), os.O_WRONLY | os.O_CREAT | how, mode)
        os.write(file, data)
        os.close(file)

    def make(self, path: str, mode: int) -> None:
        os.close(os.open(self.at(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self.at(path), mode)

    def rmdir(self, path: str) -> None:
        os.rmdir(self.at(path))

    def unlink(self, path: str) -> None:
        os.unlink(self.at(path))

    def rename(self, old: str, new: str) -> None:
        os.rename(self.at(old), self.at(new))

    def link(self, old: str, new: str) -> None:
        os.link(self.at(old), self.at(new), follow_symlinks=False)

    def symlink(self, target: str, path: str) -> None:
        os.symlink(target, self.at(path))

    def readlink(self, path: str) -> Any:
        return os.readlink(self.at(path))

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self.at(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.chown(self.at(path), uid, gid)

    def utime(self, path: str, mtime: float) -> None:
        os.utime(self.at(path), (mtime, mtime))

    def access(self, path: str, mode: int) -> Any:
        return os.access(self.at(path), mode)


class Ours(Real):
    def __init__(self, view: View) -> None:
        self.view = view

    def stat(self, path: str, follow: bool) -> Any:
        found = self.view.stat(path, follow=follow)
        return described(found)

    def listdir(self, path: str) -> Any:
        return sorted(self.view.listdir(path))

    def read(self, path: str) -> Any:
        return self.view.read(path)

    def write(self, path: str, data: bytes, append: bool, mode: int) -> None:
        self.view.write(path, data, append=append, mode=mode)

    def make(self, path: str, mode: int) -> None:
        self.view.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode).close()

    def access(self, path: str, mode: int) -> Any:
        wants = {"read": bool(mode & 4), "write": bool(mode & 2), "execute": bool(mode & 1)}
        return self.view.access(path, **wants)

    def call(self, name: str, *args: Any) -> Any:
        own = name in ("stat", "listdir", "read", "write", "make", "access")
        return getattr(self if own else self.view, name)(*args)


def described(found: Any) -> tuple[Any, ...]:
    get: Callable[[str, str], Any] = lambda ours, real: getattr(found, ours, None) or getattr(found, real, 0)  # noqa: E731
    mode = get("mode", "st_mode")
    size = 0 if stat.S_ISDIR(mode) else get("size", "st_size")
    return (oct(mode), get("uid", "st_uid"), get("gid", "st_gid"), size, get("links", "st_nlink"))

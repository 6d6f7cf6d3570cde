"""The requests that name a path: what it is, and what becomes of it."""

from __future__ import annotations

import os
import stat as st
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import wire
from .open_files import UMASK
from .realpath import resolved
from .replies import attributes, status
from .wire import Reader

if TYPE_CHECKING:
    from ..tree.view import View


class Paths:
    view: View
    home: str
    at: Callable[[str], str]

    def stat(self, request: Reader) -> tuple[int, bytes]:
        return wire.ATTRS, attributes(self.view.stat(self.at(request.path())))

    def lstat(self, request: Reader) -> tuple[int, bytes]:
        return wire.ATTRS, attributes(self.view.stat(self.at(request.path()), follow=False))

    def setstat(self, request: Reader) -> tuple[int, bytes]:
        return self.change(self.at(request.path()), request.attributes())

    def change(self, path: str, given: wire.Attributes, *, follow: bool = True) -> tuple[int, bytes]:
        if given.size is not None:
            with self.view.open(path, os.O_WRONLY) as file:
                file.truncate(given.size)
        if given.mode is not None:
            self.view.chmod(path, given.mode & 0o7777)
        if given.times is not None:
            self.view.utime(path, float(given.times[1]), follow=follow)
        if given.owner is not None:
            self.view.chown(path, *given.owner, follow=follow)
        return status(wire.OK)

    def remove(self, request: Reader) -> tuple[int, bytes]:
        self.view.unlink(self.at(request.path()))
        return status(wire.OK)

    def mkdir(self, request: Reader) -> tuple[int, bytes]:
        path, given = self.at(request.path()), request.attributes()
        self.view.mkdir(path, (0o777 if given.mode is None else given.mode & 0o7777) & ~UMASK)
        return status(wire.OK)

    def rmdir(self, request: Reader) -> tuple[int, bytes]:
        self.view.rmdir(self.at(request.path()))
        return status(wire.OK)

    def realpath(self, request: Reader) -> tuple[int, bytes]:
        path = request.path()
        # The folder it was started in, whose rights getcwd(3) does not ask for.
        return self.named(self.home if path in ("", ".") else resolved(self.view, self.at(path)))

    def named(self, path: str) -> tuple[int, bytes]:
        return wire.NAME, wire.u32(1) + wire.string(path) * 2 + wire.u32(0)

    def rename(self, request: Reader) -> tuple[int, bytes]:
        """Does not replace, other than rename(2)."""
        old, new = self.at(request.path()), self.at(request.path())
        found = self.view.stat(old, follow=False)
        if st.S_ISREG(found.mode):
            self.view.link(old, new)
            self.view.unlink(old)
            return status(wire.OK)
        try:
            self.view.stat(new)
        except OSError:
            self.view.rename(old, new)
            return status(wire.OK)
        return status(wire.FAILURE)

    def readlink(self, request: Reader) -> tuple[int, bytes]:
        return self.named(self.view.readlink(self.at(request.path())))

    def symlink(self, request: Reader) -> tuple[int, bytes]:
        target, path = request.path(), self.at(request.path())
        self.view.symlink(target, path)
        return status(wire.OK)

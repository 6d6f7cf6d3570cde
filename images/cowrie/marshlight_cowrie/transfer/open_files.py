"""The requests on handles: files and folders that a client has open, and the numbers they go by."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import wire
from .listing import long_name
from .replies import attributes, status
from .wire import Reader

if TYPE_CHECKING:
    from ..tree.handle import OpenFile
    from ..tree.view import View
    from .account_names import Names

READ, WRITE, APPEND, CREATE, TRUNCATE, EXCLUSIVE = 1, 2, 4, 8, 16, 32
UMASK = 0o022
MOST_HANDLES = 1019
NAMES_AT_ONCE = 100


class OpenFiles:
    view: View
    names: Names
    date: Callable[[float], str]
    on_written: Callable[[str, bytes], None]
    files: dict[bytes, OpenFile]
    folders: dict[bytes, list[str]]
    opened: dict[bytes, str]
    unused: list[bytes]
    at: Callable[[str], str]
    change: Callable[..., tuple[int, bytes]]

    def open(self, request: Reader) -> tuple[int, bytes]:
        path, flags, given = self.at(request.path()), request.u32(), request.attributes()
        how = os.O_RDWR if flags & READ and flags & WRITE else os.O_WRONLY if flags & WRITE else os.O_RDONLY
        for flag, meant in ((APPEND, os.O_APPEND), (CREATE, os.O_CREAT), (TRUNCATE, os.O_TRUNC), (EXCLUSIVE, os.O_EXCL)):
            how |= meant if flags & flag else 0
        if self.full():
            return status(wire.FAILURE)
        file = self.view.open(path, how, (0o666 if given.mode is None else given.mode) & 0o7777 & ~UMASK)
        if file.writes:
            file.on_written = lambda contents: self.on_written(path, contents)
        handle = self.handle(path)
        self.files[handle] = file
        return wire.HANDLE, wire.string(handle)

    def close_handle(self, request: Reader) -> tuple[int, bytes]:
        handle = request.string()
        file = self.files.pop(handle, None)
        if file:
            file.close()
        elif self.folders.pop(handle, None) is None:
            return status(wire.NO_SUCH_FILE)
        del self.opened[handle]
        self.unused.append(handle)
        return status(wire.OK)

    def read(self, request: Reader) -> tuple[int, bytes]:
        file, offset, length = self.files.get(request.string()), request.u64(), request.u32()
        if file is None:
            return status(wire.FAILURE)
        data = file.read(offset, min(length, wire.LARGEST - 1024))
        return (wire.DATA, wire.string(data)) if data else status(wire.EOF)

    def write(self, request: Reader) -> tuple[int, bytes]:
        file, offset, data = self.files.get(request.string()), request.u64(), request.string()
        if file is None:
            return status(wire.FAILURE)
        file.write(offset, data)
        return status(wire.OK)

    def fstat(self, request: Reader) -> tuple[int, bytes]:
        file = self.files.get(request.string())
        return (wire.ATTRS, attributes(self.view.stat_of(file.ino, file.node))) if file else status(wire.FAILURE)

    def fsetstat(self, request: Reader) -> tuple[int, bytes]:
        handle = request.string()
        given = request.attributes()
        file = self.files.get(handle)
        if file is None:
            return status(wire.FAILURE)
        if given.size is not None:
            file.truncate(given.size)
            given.size = None
        return self.change(self.opened[handle], given)

    def opendir(self, request: Reader) -> tuple[int, bytes]:
        path = self.at(request.path())
        if self.full():
            return status(wire.FAILURE)
        names = [".", "..", *self.view.listdir(path)]
        handle = self.handle(path)
        self.folders[handle] = names
        return wire.HANDLE, wire.string(handle)

    def readdir(self, request: Reader) -> tuple[int, bytes]:
        handle = request.string()
        names = self.folders.get(handle)
        if names is None:
            return status(wire.FAILURE)
        told, self.folders[handle] = names[:NAMES_AT_ONCE], names[NAMES_AT_ONCE:]
        found = []
        for name in told:
            try:
                one = self.view.stat(f"{self.opened[handle].rstrip('/')}/{name}", follow=False)
            except OSError:
                continue
            line = long_name(name, one, self.names.users, self.names.groups, self.date)
            found.append(wire.string(name) + wire.string(line) + attributes(one))
        return (wire.NAME, wire.u32(len(found)) + b"".join(found)) if found else status(wire.EOF)

    def handle(self, path: str) -> bytes:
        # The one that was given back last is given out first, as from the real server's list of unused ones.
        made = self.unused.pop() if self.unused else wire.u32(len(self.opened))
        self.opened[made] = path
        return made

    def full(self) -> bool:
        return len(self.files) + len(self.folders) >= MOST_HANDLES

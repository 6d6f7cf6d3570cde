"""What OpenSSH's sftp-server adds to version 3 (its PROTOCOL, section 4), by the release that a banner announces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import wire
from .open_files import MOST_HANDLES
from .realpath import resolved
from .replies import status
from .wire import Reader

if TYPE_CHECKING:
    from ..tree.handle import OpenFile
    from ..tree.view import View
    from .account_names import Names

#: Name, version, first release; in the order they are announced.
ANNOUNCED = (
    ("posix-rename@openssh.com", "1", (4, 8)),
    ("statvfs@openssh.com", "2", (5, 1)),
    ("fstatvfs@openssh.com", "2", (5, 1)),
    ("hardlink@openssh.com", "1", (5, 7)),
    ("fsync@openssh.com", "1", (6, 5)),
    ("lsetstat@openssh.com", "1", (8, 0)),
    ("limits@openssh.com", "1", (8, 5)),
    ("expand-path@openssh.com", "1", (8, 7)),
    ("copy-data", "1", (9, 0)),
    ("home-directory", "1", (9, 1)),
    ("users-groups-by-id@openssh.com", "1", (9, 1)),
)
BLOCK = 4096
NAME_LENGTH = 255


class Extensions:
    view: View
    home: str
    user: str
    release: tuple[int, int]
    names: Names
    files: dict[bytes, OpenFile]
    at: Callable[[str], str]
    named: Callable[[str], tuple[int, bytes]]
    change: Callable[..., tuple[int, bytes]]

    def announced(self) -> bytes:
        known = ((name, version) for name, version, since in ANNOUNCED if since <= self.release)
        return b"".join(wire.string(name) + wire.string(version) for name, version in known)

    def extended(self, request: Reader) -> tuple[int, bytes]:
        name = request.path()
        since = next((since for known, _, since in ANNOUNCED if known == name), (99, 0))
        handler = EXTENDED.get(name)
        if handler is None or since > self.release:
            return status(wire.UNSUPPORTED)
        return handler(self, request) or status(wire.OK)

    def posix_rename(self, request: Reader) -> None:
        self.view.rename(self.at(request.path()), self.at(request.path()))

    def hardlink(self, request: Reader) -> None:
        self.view.link(self.at(request.path()), self.at(request.path()))

    def lsetstat(self, request: Reader) -> None:
        path, given = self.at(request.path()), request.attributes()
        given.mode = None
        self.change(path, given, follow=False)

    def statvfs(self, request: Reader) -> tuple[int, bytes]:
        self.view.stat(self.at(request.path()))
        return self.space()

    def fstatvfs(self, request: Reader) -> tuple[int, bytes] | None:
        return self.space() if request.string() in self.files else status(wire.FAILURE)

    def space(self) -> tuple[int, bytes]:
        used, size = self.view.usage()
        blocks, free = size // BLOCK, (size - used) // BLOCK
        nodes = size // 16_384
        left = nodes - 40_000 - self.view.overlay.quota.used_nodes
        # ext4 keeps a twentieth for root.
        available = max(0, free - blocks // 20)
        return wire.EXTENDED_REPLY, wire.u64(BLOCK, BLOCK, blocks, free, available, nodes, left, left, 0x801, 0, NAME_LENGTH)

    def fsync(self, request: Reader) -> tuple[int, bytes] | None:
        return None if request.string() in self.files else status(wire.NO_SUCH_FILE)

    def limits(self, request: Reader) -> tuple[int, bytes]:
        return wire.EXTENDED_REPLY, wire.u64(wire.LARGEST, wire.LARGEST - 1024, wire.LARGEST - 1024, MOST_HANDLES)

    def expand_path(self, request: Reader) -> tuple[int, bytes]:
        path = request.path()
        if path.startswith("~"):
            name, _, rest = path[1:].partition("/")
            home = self.names.homes.get(name) if name else self.home
            if home is None:
                raise FileNotFoundError(2, "No such file or directory", path)
            path = f"{home}/{rest}"
        return self.named(resolved(self.view, self.at(path)))

    def home_directory(self, request: Reader) -> tuple[int, bytes]:
        name = request.path()
        home = self.names.homes.get(name or self.user)
        return self.named(home) if home else status(wire.FAILURE)

    def copy_data(self, request: Reader) -> tuple[int, bytes] | None:
        source, start, length = self.files.get(request.string()), request.u64(), request.u64()
        target, at = self.files.get(request.string()), request.u64()
        if source is None or target is None or source is target:
            return status(wire.FAILURE)
        target.write(at, source.read(start, length or 1 << 30))
        return None

    def users_groups(self, request: Reader) -> tuple[int, bytes]:
        told = []
        for known in (self.names.users, self.names.groups):
            numbers = Reader(request.string())
            names = []
            while numbers.at < len(numbers.data):
                names.append(wire.string(known.get(numbers.u32(), "")))
            told.append(wire.string(b"".join(names)))
        return wire.EXTENDED_REPLY, b"".join(told)


EXTENDED: dict[str, Callable[[Extensions, Reader], tuple[int, bytes] | None]] = {
    "posix-rename@openssh.com": Extensions.posix_rename,
    "statvfs@openssh.com": Extensions.statvfs,
    "fstatvfs@openssh.com": Extensions.fstatvfs,
    "hardlink@openssh.com": Extensions.hardlink,
    "fsync@openssh.com": Extensions.fsync,
    "lsetstat@openssh.com": Extensions.lsetstat,
    "limits@openssh.com": Extensions.limits,
    "expand-path@openssh.com": Extensions.expand_path,
    "copy-data": Extensions.copy_data,
    "home-directory": Extensions.home_directory,
    "users-groups-by-id@openssh.com": Extensions.users_groups,
}

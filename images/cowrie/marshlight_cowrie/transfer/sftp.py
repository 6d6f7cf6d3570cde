"""
sftp-server(8) on the tree. Bytes in, bytes out: `feed` takes what came and gives what is to be sent.

    packet -> handler by kind -> View -> reply; OSError -> status, as the real server maps errno
"""

from __future__ import annotations

import errno
import os
import stat as st
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import wire
from .extensions import Extensions
from .listing import long_name
from .wire import Malformed, Reader

if TYPE_CHECKING:
    from ..shell.ports import Stat
    from ..tree.handle import OpenFile
    from ..tree.view import View

WORDS = (
    *("Success", "End of file", "No such file", "Permission denied", "Failure", "Bad message"),
    *("No connection", "Connection lost", "Operation unsupported"),
)
CODES = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP), wire.NO_SUCH_FILE),
    **dict.fromkeys((errno.EPERM, errno.EACCES, errno.EFAULT), wire.PERMISSION_DENIED),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.EINVAL), wire.BAD_MESSAGE),
    errno.ENOSYS: wire.UNSUPPORTED,
}
READ, WRITE, APPEND, CREATE, TRUNCATE, EXCLUSIVE = 1, 2, 4, 8, 16, 32
UMASK = 0o022
MOST_HANDLES = 1019
NAMES_AT_ONCE = 100


class Names:
    """Of accounts and groups by number, as the host's /etc/passwd and /etc/group have them."""

    def __init__(self, view: View) -> None:
        root = view.as_account(0, (0,))
        self.users, self.groups = read_names(root, "/etc/passwd"), read_names(root, "/etc/group")
        self.homes = {row[0]: row[5] for row in rows(root, "/etc/passwd") if len(row) == 7}


def rows(view: View, path: str) -> list[list[str]]:
    try:
        return [line.split(":") for line in view.read(path)[:262_144].decode("utf-8", "replace").splitlines()]
    except OSError:
        return []


def read_names(view: View, path: str) -> dict[int, str]:
    return {int(row[2]): row[0] for row in reversed(rows(view, path)) if len(row) > 2 and row[2].isdigit()}


class SftpServer(Extensions):
    """`on_written` is told the path and the contents of each file that was written, when it is closed."""

    def __init__(
        self,
        view: View,
        home: str,
        user: str,
        release: tuple[int, int],
        on_written: Callable[[str, bytes], None],
        date: Callable[[float], str],
    ) -> None:
        self.view, self.home, self.user, self.release = view, home, user, release
        self.on_written, self.date = on_written, date
        self.names = Names(view)
        self.files: dict[bytes, OpenFile] = {}
        self.folders: dict[bytes, list[str]] = {}
        self.opened: dict[bytes, str] = {}
        self.unused: list[bytes] = []
        self.waiting = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Raises Malformed where the real server would end."""
        return b"".join([self.reply_to(packet) for packet in self.packets(data)])

    def packets(self, data: bytes) -> Iterator[bytes]:
        self.waiting += data
        while len(self.waiting) >= 4:
            length = int.from_bytes(self.waiting[:4], "big")
            if not 0 < length <= wire.LARGEST:
                raise Malformed(f"a packet of {length} bytes")
            if len(self.waiting) < 4 + length:
                break
            packet = bytes(self.waiting[4 : 4 + length])
            del self.waiting[: 4 + length]
            yield packet

    def reply_to(self, packet: bytes) -> bytes:
        return self.answer(packet[0], Reader(packet[1:]))

    def failure_of(self, packet: bytes) -> bytes:
        """As of a server that lacks what it needs; the first exchange of versions cannot fail."""
        if packet[0] == wire.INIT:
            return self.reply_to(packet)
        reply, body = status(wire.FAILURE)
        return wire.packet(reply, packet[1:5] + body)

    def close(self) -> None:
        for file in self.files.values():
            file.close()
        self.files.clear()
        self.folders.clear()

    def answer(self, kind: int, request: Reader) -> bytes:
        if kind == wire.INIT:
            return wire.packet(wire.VERSION, wire.u32(3) + self.announced())
        number = wire.u32(request.u32())
        handler: Callable[[Reader], tuple[int, bytes]] | None = getattr(self, HANDLERS.get(kind, ""), None)
        try:
            reply, body = handler(request) if handler else status(wire.UNSUPPORTED)
        except OSError as failed:
            reply, body = status(CODES.get(failed.errno or 0, wire.FAILURE))
        return wire.packet(reply, number + body)

    def at(self, path: str) -> str:
        """Relative ones begin at the home, where the server was started."""
        return path if path.startswith("/") or not path else f"{self.home.rstrip('/')}/{path}"

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

    def stat(self, request: Reader) -> tuple[int, bytes]:
        return wire.ATTRS, attributes(self.view.stat(self.at(request.path())))

    def lstat(self, request: Reader) -> tuple[int, bytes]:
        return wire.ATTRS, attributes(self.view.stat(self.at(request.path()), follow=False))

    def fstat(self, request: Reader) -> tuple[int, bytes]:
        file = self.files.get(request.string())
        return (wire.ATTRS, attributes(self.view.stat_of(file.ino, file.node))) if file else status(wire.FAILURE)

    def setstat(self, request: Reader) -> tuple[int, bytes]:
        return self.change(self.at(request.path()), request.attributes())

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

    def handle(self, path: str) -> bytes:
        # The one that was given back last is given out first, as from the real server's list of unused ones.
        made = self.unused.pop() if self.unused else wire.u32(len(self.opened))
        self.opened[made] = path
        return made

    def full(self) -> bool:
        return len(self.files) + len(self.folders) >= MOST_HANDLES


HANDLERS = {
    **{wire.OPEN: "open", wire.CLOSE: "close_handle", wire.READ: "read", wire.WRITE: "write", wire.LSTAT: "lstat"},
    **{wire.FSTAT: "fstat", wire.SETSTAT: "setstat", wire.FSETSTAT: "fsetstat", wire.OPENDIR: "opendir"},
    **{wire.READDIR: "readdir", wire.REMOVE: "remove", wire.MKDIR: "mkdir", wire.RMDIR: "rmdir"},
    **{wire.REALPATH: "realpath", wire.STAT: "stat", wire.RENAME: "rename", wire.READLINK: "readlink"},
    **{wire.SYMLINK: "symlink", wire.EXTENDED: "extended"},
}


def resolved(view: View, path: str) -> str:
    """As the server's own realpath: a `..` takes a part away whatever that was, and the last part may be missing."""
    done: list[str] = []
    left, links = path.split("/"), 0
    while left:
        part = left.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            del done[-1:]
            continue
        whole = "/".join(("", *done, part))
        try:
            found = view.stat(whole, follow=False)
        except FileNotFoundError:
            if left:
                raise
            return whole
        if st.S_ISLNK(found.mode):
            links += 1
            if links > 32:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = found.target or ""
            done = [] if target.startswith("/") else done
            left = target.split("/") + left
        else:
            done.append(part)
    return "/" + "/".join(done)


def status(code: int) -> tuple[int, bytes]:
    return wire.STATUS, wire.u32(code) + wire.string(WORDS[code]) + wire.string(b"")


def attributes(found: Stat) -> bytes:
    flags = wire.SIZE | wire.OWNER | wire.PERMISSIONS | wire.TIMES
    numbers: tuple[Any, ...] = (found.uid, found.gid, found.mode, int(found.mtime), int(found.mtime))
    return wire.u32(flags) + wire.u64(found.size) + b"".join(wire.u32(number) for number in numbers)

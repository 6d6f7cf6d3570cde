"""
sftp-server(8) on the tree. Bytes in, bytes out: `feed` takes what came and gives what is to be sent.

    packet -> handler by kind (paths, open_files, extensions) -> View -> reply; OSError -> status (replies)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from . import wire
from .account_names import Names
from .extensions import Extensions
from .open_files import OpenFiles
from .paths import Paths
from .replies import refusal, status
from .wire import Malformed, Reader

if TYPE_CHECKING:
    from ..tree.handle import OpenFile
    from ..tree.view import View


class SftpServer(Paths, OpenFiles, Extensions):
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
            reply, body = refusal(failed)
        return wire.packet(reply, number + body)

    def at(self, path: str) -> str:
        """Relative ones begin at the home, where the server was started."""
        return path if path.startswith("/") or not path else f"{self.home.rstrip('/')}/{path}"


HANDLERS = {
    **{wire.OPEN: "open", wire.CLOSE: "close_handle", wire.READ: "read", wire.WRITE: "write", wire.LSTAT: "lstat"},
    **{wire.FSTAT: "fstat", wire.SETSTAT: "setstat", wire.FSETSTAT: "fsetstat", wire.OPENDIR: "opendir"},
    **{wire.READDIR: "readdir", wire.REMOVE: "remove", wire.MKDIR: "mkdir", wire.RMDIR: "rmdir"},
    **{wire.REALPATH: "realpath", wire.STAT: "stat", wire.RENAME: "rename", wire.READLINK: "readlink"},
    **{wire.SYMLINK: "symlink", wire.EXTENDED: "extended"},
}

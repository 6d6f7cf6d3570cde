"""An open file: what was written to it is in the tree at once, and in its final form when it is closed."""

from __future__ import annotations

import errno
import os
import stat as st
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from .node import Node
from .walk import error

if TYPE_CHECKING:
    from .view import View

#: One file; what is larger is refused as a file system does that has a limit (EFBIG).
LARGEST = 64 << 20
NULL, ZERO, FULL, RANDOM, URANDOM = (1, 3), (1, 5), (1, 7), (1, 8), (1, 9)


class OpenFile:
    def __init__(self, view: View, ino: int, flags: int, path: str) -> None:
        self.view, self.ino, self.path = view, ino, path
        self.reads = flags & os.O_ACCMODE != os.O_WRONLY
        self.writes = flags & os.O_ACCMODE != os.O_RDONLY
        self.appends = bool(flags & os.O_APPEND)
        self.wrote = False
        self._read: tuple[object, bytes] | None = None
        #: Told the contents of a file that was written, when it is closed.
        self.on_written: Callable[[bytes], None] | None = None
        self.closed = False
        view.overlay.hold(ino)
        if self.writes and flags & os.O_TRUNC and st.S_ISREG(self.node.mode):
            self.truncate(0)

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def node(self) -> Node:
        return self.view.node(self.ino, self.path)

    @property
    def buffer(self) -> bytearray | None:
        """The contents while somebody writes them: one for all who have the file open."""
        own = self.view.overlay.nodes.get(self.ino)
        return own.data if own and isinstance(own.data, bytearray) else None

    @property
    def device(self) -> tuple[int, int] | None:
        node = self.node
        if not st.S_ISCHR(node.mode):
            return None
        number = self.view.overlay.content(self.ino)
        return int.from_bytes(number[:2], "big"), int.from_bytes(number[2:], "big")

    def size(self) -> int:
        return self.view.overlay.size(self.ino)

    def whole(self) -> bytes:
        """All there is; of an endless device, a megabyte."""
        return self.read(0, 1 << 20) if self.device else self.read(0, LARGEST)

    def read(self, offset: int, length: int) -> bytes:
        if not self.reads:
            raise error(errno.EBADF, self.path)
        node = self.node
        if node.is_dir:
            raise error(errno.EISDIR, self.path)
        device = self.device
        if device:
            return from_device(device, offset, length, self.path)
        drift = self.view.drift if st.S_ISREG(node.mode) else None
        if drift is not None:
            drift.touch(self.path, writes=False)
        if self.buffer is not None:
            return bytes(self.buffer[offset : offset + length])
        if not st.S_ISREG(node.mode):
            return b""
        # Contents may be made at each read, or come off a disk: kept while the file is the same.
        if self._read is None or self._read[0] is not node.data:
            contents = self.view.overlay.content(self.ino)
            if drift is not None and self.ino not in self.view.overlay.nodes:
                contents = drift.contents(self.path, contents)
            self._read = (node.data, contents)
        return self._read[1][offset : offset + length]

    def write(self, offset: int, data: bytes) -> None:
        """Bytes between the end and `offset` are zero. Raises ENOSPC, and writes nothing of `data` then."""
        if not self.writes:
            raise error(errno.EBADF, self.path)
        device = self.device
        if device == FULL:
            raise error(errno.ENOSPC, self.path)
        if device or not st.S_ISREG(self.node.mode) or not data:
            return
        if self.view.drift is not None:
            self.view.drift.touch(self.path, writes=True)
        buffer = self._buffer()
        offset = len(buffer) if self.appends else offset
        self._room(max(len(buffer), offset + len(data)))
        if offset > len(buffer):
            buffer.extend(bytes(offset - len(buffer)))
        buffer[offset : offset + len(data)] = data
        self._written()

    def truncate(self, size: int) -> None:
        if size == 0:
            self._fill(bytearray())
        else:
            buffer = self._buffer()
            self._room(size)
            del buffer[size:]
            buffer.extend(bytes(max(0, size - len(buffer))))
        self._written()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            if not self.wrote:
                return
            contents = self.view.overlay.content(self.ino)
            if self.buffer is not None and self.view.overlay.held[self.ino] == 1:
                self._fill(contents)
            self.view.overlay.on_change()
            if self.on_written:
                self.on_written(contents)
        finally:
            self.view.overlay.release(self.ino)

    def _buffer(self) -> bytearray:
        found = self.buffer
        if found is None:
            found = bytearray(self.view.overlay.content(self.ino))
            self._fill(found)
        elif self.view.overlay.book_of(self.ino) is not None:
            # Daemons write to it too.
            found[:] = self.view.overlay.content(self.ino)
            self._fill(found)
        return found

    def _fill(self, contents: bytes | bytearray) -> None:
        try:
            self.view.overlay.fill(self.ino, contents)
        except OSError as full:
            raise error(full.errno or errno.ENOSPC, self.path) from None

    def _room(self, size: int) -> None:
        if size > LARGEST:
            raise error(errno.EFBIG, self.path)
        try:
            self.view.overlay.quota.charge(size - len(self._buffer()), 0)
        except OSError:
            raise error(errno.ENOSPC, self.path) from None

    def _written(self) -> None:
        self.wrote = True
        self.view.written[self.ino] = None
        node = self.view.overlay.change(self.ino)
        node.mtime = node.ctime = self.view.clock()
        self.view.strip_privileges(node)
        self.view.overlay.on_change()


def from_device(device: tuple[int, int], offset: int, length: int, path: str) -> bytes:
    if device == NULL:
        return b""
    length = min(length, 1 << 20)
    if device in (ZERO, FULL):
        return bytes(length)
    if device in (RANDOM, URANDOM):
        return os.urandom(length)
    raise error(errno.ENXIO if device == (5, 0) else errno.EIO, path)

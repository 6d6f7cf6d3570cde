"""IPC$: the pipe `srvsvc`, by which the list of shares is told."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable

from . import tree
from .pipe import Pipe
from .tree import Answer

TRANSCEIVE = 0x0011C017
MOST_PIPES = 16


class Pipes:
    def __init__(self, samba: bool, make: Callable[[], Pipe], told: Callable[[str], None]) -> None:
        self.samba, self.make, self.told = samba, make, told
        self.pipes: dict[bytes, Pipe] = {}

    def answer(self, command: int, packet: bytes, body: bytes) -> Answer:
        handlers = {tree.CREATE: self.open, tree.IOCTL: self.transceive, tree.READ: self.read}
        handlers |= {tree.WRITE: self.write, tree.CLOSE: self.shut}
        handler = handlers.get(command)
        return handler(packet, body) if handler else (tree.ACCESS_DENIED, None)

    def close(self) -> None:
        self.pipes.clear()

    def open(self, packet: bytes, body: bytes) -> Answer:
        at, size = struct.unpack_from("<HH", body, 44)
        name = packet[at : at + size].decode("utf-16le", "replace").lstrip("\\")
        self.told(f"open {name}")
        if not name and self.samba:
            return tree.NO_LISTENER, None
        if name.lower() != "srvsvc" or len(self.pipes) >= MOST_PIPES:
            return tree.NOT_FOUND, None
        handle = secrets.token_bytes(16)
        self.pipes[handle] = self.make()
        head = struct.pack("<HBBI", 89, 0, 0, 1) + b"\0" * 32 + struct.pack("<QQII", 0, 0, 0x80, 0)
        return tree.OK, head + handle + struct.pack("<II", 0, 0)

    def transceive(self, packet: bytes, body: bytes) -> Answer:
        (code,) = struct.unpack_from("<I", body, 4)
        handle = body[8:24]
        at, size = struct.unpack_from("<II", body, 24)
        pipe = self.pipes.get(handle)
        if code != TRANSCEIVE or pipe is None:
            return (tree.FS_DRIVER_REQUIRED if self.samba else tree.INVALID), None
        pipe.write(packet[at : at + size])
        answer = pipe.read(tree.LARGEST)
        head = struct.pack("<HHI", 49, 0, code) + handle + struct.pack("<IIIIII", 112, 0, 112, len(answer), 0, 0)
        return tree.OK, head + answer

    def write(self, packet: bytes, body: bytes) -> Answer:
        at, size = struct.unpack_from("<HI", body, 2)
        pipe = self.pipes.get(body[16:32])
        if pipe is None:
            return tree.ACCESS_DENIED, None
        pipe.write(packet[at : at + size])
        return tree.OK, struct.pack("<HHIIHH", 17, 0, size, 0, 0, 0)

    def read(self, packet: bytes, body: bytes) -> Answer:
        (most,) = struct.unpack_from("<I", body, 4)
        pipe = self.pipes.get(body[16:32])
        data = pipe.read(min(most, tree.LARGEST)) if pipe else b""
        if not data:
            return tree.END_OF_FILE, None
        return tree.OK, struct.pack("<HBBIII", 17, 80, 0, len(data), 0, 0) + data

    def shut(self, packet: bytes, body: bytes) -> Answer:
        self.pipes.pop(body[8:24], None)
        return tree.OK, struct.pack("<HHI", 60, 0, 0) + b"\0" * 52

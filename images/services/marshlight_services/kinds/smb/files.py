"""
The files of one share, for a guest who may read: opened, listed, told of, read. Each answer is Samba's for a share with
`guest ok` and `read only`; what would change anything is denied as there.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass

from . import info, tree
from .share import Node, entries, found
from .tree import Answer

OPEN, MAKE, OPEN_IF, OVERWRITE = 1, 2, 3, 4
AS_FOLDER, AS_FILE, DELETE_ON_CLOSE = 0x1, 0x40, 0x1000
# Write and append of data, of attributes, delete, change of rights and of the owner, all there is.
CHANGING = 0x2 | 0x4 | 0x10 | 0x40 | 0x100 | 0x10000 | 0x40000 | 0x80000 | 0x10000000 | 0x40000000
MAXIMUM_ALLOWED = 0x02000000
RESTART, SINGLE, REOPEN = 1, 2, 16
POST_QUERY = 1
NO_REPARSE_IOCTL = 0x900A8


@dataclass
class Opened:
    node: Node
    access: int
    # What a listing has yet to show; None before it began.
    rows: list[tuple[str, Node]] | None = None
    pattern: str = ""
    read: int = 0


class Files:
    def __init__(
        self, name: str, root: Node, of_volume: Callable[[int], bytes | None], tell: Callable[..., None]
    ) -> None:
        """`tell`: method, path and more of what was looked at, for the events."""
        self.name, self.root, self.of_volume, self.tell = name, root, of_volume, tell
        self.opened: dict[bytes, Opened] = {}

    def answer(self, command: int, packet: bytes, body: bytes) -> Answer:
        if command == tree.CREATE:
            return self.create(packet, body)
        # Where each request has its handle (MS-SMB2, 2.2).
        places = {tree.CLOSE: 8, tree.FLUSH: 8, tree.LOCK: 8, tree.IOCTL: 8, tree.QUERY_DIRECTORY: 8, tree.NOTIFY: 8}
        at = places.get(command, {tree.QUERY_INFO: 24}.get(command, 16))
        handle = body[at : at + 16]
        one = self.opened.get(handle)
        if one is None:
            return tree.CLOSED, None
        handlers: dict[int, Callable[[Opened, bytes, bytes], Answer]] = {
            tree.READ: self.read,
            tree.QUERY_DIRECTORY: self.list,
            tree.QUERY_INFO: self.query,
            tree.LOCK: lambda *_: (tree.OK, struct.pack("<HH", 4, 0)),
            tree.IOCTL: self.control,
            tree.NOTIFY: lambda *_: (tree.PENDING, None),
        }
        if command == tree.CLOSE:
            return self.shut(handle, one, body)
        handler = handlers.get(command)
        return handler(one, packet, body) if handler else (tree.ACCESS_DENIED, None)

    def create(self, packet: bytes, body: bytes) -> Answer:
        (access,) = struct.unpack_from("<I", body, 24)
        disposition, options, at, size = struct.unpack_from("<IIHH", body, 36)
        name = packet[at : at + size].decode("utf-16le", "replace")
        if name.startswith(("\\", "/")):
            return tree.INVALID, None
        names = [part for part in name.replace("/", "\\").split("\\") if part]
        if ".." in names:
            return tree.PATH_BAD, None
        if "." in names or any(letter in name for letter in '*?<>":|'):
            return tree.NAME_INVALID, None
        node = found(self.root, names)
        refused = self.refusal(node, names, access, disposition, options)
        if node is None or refused:
            self.tell("OPEN", self.path(names), status=f"{refused:08x}")
            return refused or tree.NOT_FOUND, None
        handle = secrets.token_bytes(4) + b"\0" * 4 + secrets.token_bytes(4) + b"\0" * 4
        granted = (info.READ_FOLDER if node.is_folder else info.READ_FILE) if access & MAXIMUM_ALLOWED else access
        self.opened[handle] = Opened(node, granted)
        if not node.is_folder:
            self.tell("OPEN", self.path(names))
        contexts = self.contexts(packet, body, node)
        head = struct.pack("<HBBI", 89, 0, 0, 1) + info.network_open(node) + b"\0" * 4 + handle
        return tree.OK, head + struct.pack("<II", 152 if contexts else 0, len(contexts)) + contexts

    def refusal(self, node: Node | None, names: list[str], access: int, disposition: int, options: int) -> int:
        changing = access & CHANGING or options & DELETE_ON_CLOSE
        if node is None:
            above = found(self.root, names[:-1])
            if above is None or not above.is_folder:
                return tree.PATH_NOT_FOUND
            makes = disposition in (0, MAKE, OPEN_IF, 5)
            return tree.ACCESS_DENIED if makes and (changing or disposition == MAKE) else tree.NOT_FOUND
        if disposition == MAKE:
            return tree.COLLISION
        if node.is_folder and options & AS_FILE:
            return tree.IS_FOLDER
        if not node.is_folder and options & AS_FOLDER:
            return tree.NOT_A_FOLDER
        if changing or not node.readable or disposition in (0, OVERWRITE, 5):
            return tree.ACCESS_DENIED
        return tree.TOO_MANY if len(self.opened) >= tree.MOST_OPEN else 0

    def contexts(self, packet: bytes, body: bytes, node: Node) -> bytes:
        """What a client asks to be told besides: its rights, and the file's own number."""
        at, size = struct.unpack_from("<II", body, 48)
        asked = packet[at : at + size]
        made = []
        if b"MxAc" in asked:
            rights = info.READ_FOLDER if node.is_folder else info.READ_FILE
            made.append(struct.pack("<HHHHI4s4xII", 16, 4, 0, 24, 8, b"MxAc", 0, rights))
        if b"QFid" in asked:
            made.append(struct.pack("<HHHHI4s4xQQ16x", 16, 4, 0, 24, 32, b"QFid", node.number, self.device()))
        return b"".join(
            struct.pack("<I", 4 + len(one) if number + 1 < len(made) else 0) + one for number, one in enumerate(made)
        )

    def device(self) -> int:
        return 0x10001 + sum(self.name.encode()) % 250

    def shut(self, handle: bytes, one: Opened, body: bytes) -> Answer:
        (flags,) = struct.unpack_from("<H", body, 2)
        del self.opened[handle]
        self.done(one)
        told = info.network_open(one.node) if flags & POST_QUERY else b"\0" * 52
        return tree.OK, struct.pack("<HHI", 60, flags & POST_QUERY, 0) + told

    def close(self) -> None:
        for one in self.opened.values():
            self.done(one)
        self.opened.clear()

    def done(self, one: Opened) -> None:
        if one.read:
            self.tell("READ", self.path([one.node.path.lstrip("\\")]), size=one.read)

    def read(self, one: Opened, packet: bytes, body: bytes) -> Answer:
        size, at = struct.unpack_from("<IQ", body, 4)
        if one.node.content is None:
            return tree.INVALID_REQUEST, None
        data = one.node.content[at : at + min(size, tree.LARGEST)]
        if not data and size:
            return tree.END_OF_FILE, None
        one.read += len(data)
        return tree.OK, struct.pack("<HBBIII", 17, 80, 0, len(data), 0, 0) + data

    def list(self, one: Opened, packet: bytes, body: bytes) -> Answer:
        level, flags = body[2], body[3]
        at, size, most = struct.unpack_from("<HHI", body, 24)
        pattern = packet[at : at + size].decode("utf-16le", "replace")[:256] or "*"
        if not one.node.is_folder:
            return tree.NOT_SUPPORTED, None
        if info.entry(level, "", one.node) is None:
            return tree.INVALID_CLASS, None
        first = one.rows is None
        if one.rows is None or flags & (RESTART | REOPEN):
            one.rows, one.pattern = list(entries(one.node, pattern)), pattern
            self.tell("LIST", self.path([one.node.path.lstrip("\\"), pattern]))
        if not one.rows:
            return (tree.NO_SUCH_FILE if first else tree.NO_MORE_FILES), None
        page, last = b"", -1
        while one.rows:
            row = info.entry(level, *one.rows[0]) or b""
            start = len(page) + -len(page) % 8
            if start + 8 + len(row) > min(most, tree.LARGEST) or (flags & SINGLE and last >= 0):
                break
            if last >= 0:
                page = page[:last] + struct.pack("<I", start - last) + page[last + 4 :]
            page, last = page.ljust(start, b"\0") + b"\0" * 8 + row, start
            one.rows.pop(0)
        if last < 0:
            return tree.SIZE_MISMATCH, None
        return tree.OK, struct.pack("<HHI", 9, 72, len(page)) + page

    def query(self, one: Opened, packet: bytes, body: bytes) -> Answer:
        kind, level, most = struct.unpack_from("<BBI", body, 2)
        (wanted,) = struct.unpack_from("<I", body, 16)
        if kind == 1 and level in info.OF_FILE:
            least, say = info.OF_FILE[level]
            if most < least:
                return tree.SIZE_MISMATCH, None
            told: bytes | None = say(one.node, one.access)
        elif kind == 2:
            told = self.of_volume(level)
            if level == 6:
                return tree.ACCESS_DENIED, None
        elif kind == 3:
            told = info.security(one.node, wanted)
            if len(told) > most:
                return tree.TOO_SMALL, struct.pack("<HHII", 9, 0, 4, len(told))
        elif kind == 4:
            return tree.INVALID_HANDLE, None
        else:
            told = None
        if told is None:
            return (tree.NOT_SUPPORTED if (kind, level) == (1, 48) else tree.INVALID_CLASS), None
        return tree.OK, struct.pack("<HHI", 9, 72, len(told[:most])) + told[:most]

    def control(self, one: Opened, packet: bytes, body: bytes) -> Answer:
        (code,) = struct.unpack_from("<I", body, 4)
        if code == NO_REPARSE_IOCTL:
            return tree.NO_REPARSE, None
        # Referrals, network interfaces and the check of a negotiation are no matters of a file.
        return (tree.INVALID if code in (0x60194, 0x1401FC, 0x140204) else tree.INVALID_REQUEST), None

    def path(self, names: list[str]) -> str:
        return "\\".join((self.name, *filter(None, names)))

"""Files, folders and volumes in the words of MS-FSCC, as Samba fills them in for a guest on a share that is read only."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

from ...ntlm import file_time
from .share import Node

HIDDEN, FOLDER, NORMAL = 0x02, 0x10, 0x80
READ_FILE, READ_FOLDER = 0x120089, 0x1200A9
# What a guest may do in the whole of the share: read, and write of its attributes where a file lets him.
OF_SHARE = 0x1F00A9


def attributes(node: Node) -> int:
    if node.is_folder:
        return FOLDER | (HIDDEN if node.hidden else 0)
    return HIDDEN if node.hidden else NORMAL


def times(node: Node) -> bytes:
    """Creation, access, write, change."""
    return struct.pack("<Q", file_time(node.changed)) * 4


def network_open(node: Node) -> bytes:
    return times(node) + struct.pack("<QQI", node.allocated, node.size, attributes(node))


def wide(text: str) -> bytes:
    return text.encode("utf-16le")


def sized(text: str) -> bytes:
    return struct.pack("<I", len(wide(text))) + wide(text)


def standard(node: Node) -> bytes:
    return struct.pack("<QQIBBH", node.allocated, node.size, 1, 0, node.is_folder, 0)


def everything(node: Node, access: int) -> bytes:
    basic = times(node) + struct.pack("<II", attributes(node), 0)
    rest = struct.pack("<QIIQII", node.number, 0, access, 0, 0 if node.is_folder else NORMAL, 0)
    if node.is_folder:
        rest = struct.pack("<QIIQII", node.number, 0, access, 0, FOLDER, 0)
    return basic + standard(node) + rest + sized(node.path or "\\")


def streams(node: Node) -> bytes:
    if node.is_folder:
        return b""
    name = wide("::$DATA")
    return struct.pack("<IIQQ", 0, len(name), node.size, node.allocated) + name


# By class: the smallest buffer that takes it, and what it says (MS-FSCC, 2.4).
OF_FILE: dict[int, tuple[int, Callable[[Node, int], bytes]]] = {
    4: (40, lambda node, _: times(node) + struct.pack("<II", attributes(node), 0)),
    5: (24, lambda node, _: standard(node)),
    6: (8, lambda node, _: struct.pack("<Q", node.number)),
    7: (4, lambda node, _: b"\0" * 4),
    8: (4, lambda node, access: struct.pack("<I", access)),
    9: (4, lambda node, _: sized(node.path or "\\")),
    14: (8, lambda node, _: b"\0" * 8),
    16: (4, lambda node, _: struct.pack("<I", FOLDER if node.is_folder else NORMAL)),
    17: (4, lambda node, _: b"\0" * 4),
    18: (100, everything),
    21: (4, lambda node, _: sized(node.name)),
    22: (0, lambda node, _: streams(node)),
    28: (16, lambda node, _: struct.pack("<QQ", node.size, 0)),
    34: (56, lambda node, _: network_open(node) + b"\0" * 4),
    35: (8, lambda node, _: struct.pack("<II", attributes(node), 0)),
}


def of_volume(level: int, share: str, seed: str, since: float, samba: str | None) -> bytes | None:
    """MS-FSCC, 2.5. None for a class that there is not. `samba`: its version, where it is Samba."""
    drawn = hashlib.sha256(f"{seed} volume {share}".encode()).digest()
    # In kB: between one and four terabytes, of which a third to two thirds is left.
    total = (1 << 30) + int.from_bytes(drawn[4:8], "little") % (3 << 30)
    free = total // 3 + int.from_bytes(drawn[8:12], "little") % (total // 3)
    if level == 1:
        return struct.pack("<Q", file_time(since)) + drawn[:4] + struct.pack("<IH", len(wide(share)), 0) + wide(share)
    if level == 3:
        return struct.pack("<QQII", total, free, 2, 512)
    if level == 4:
        return struct.pack("<II", 7, 0x22)
    if level == 5:
        return struct.pack("<II", 0x1006F, 255) + sized("NTFS")
    if level == 7:
        return struct.pack("<QQQII", total, free, free, 2, 512)
    if level == 8 and samba:
        numbers = [int(part) for part in samba.split("-")[0].split(".")] + [0, 0]
        version = struct.pack("<BBBB", 0, numbers[2] & 255, numbers[1] & 255, numbers[0] & 255)
        return drawn[12:28] + b"aBmS" + version + b"\0" * 12 + samba.encode()[:27].ljust(28, b"\0")
    if level == 11:
        return struct.pack("<IIIIIII", 512, 512, 512, 512, 3, 0, 0)
    return None


# Read, write and execute of one of the three in a mode, as access that is granted.
GRANTED = {0: 0, 4: 0x120089, 5: 0x1200A9, 6: 0x12019F, 7: 0x1F01FF}


def security(node: Node, wanted: int) -> bytes:
    """Owner (1), group (2) and rights (4) of a file of Unix, as Samba tells them (S-1-22)."""
    owner, group = sid(22, 1, node.uid), sid(22, 2, node.gid)
    rules = [
        (sid(22, 1, node.uid), node.mode >> 6 & 7),
        (sid(22, 2, node.gid), node.mode >> 3 & 7),
        (sid(1, 0), node.mode & 7),
    ]
    entries = b""
    for who, bits in rules:
        entries += struct.pack("<BBHI", 0, 0, 8 + len(who), GRANTED.get(bits, 0)) + who
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(entries), len(rules), 0) + entries
    offsets, body = [0, 0, 0, 0], b""
    for place, (bit, data) in enumerate(((1, owner), (2, group), (0, b""), (4, acl))):
        if wanted & bit:
            offsets[place] = 20 + len(body)
            body += data
    return struct.pack("<BBHIIII", 1, 0, 0x9004 if wanted & 4 else 0x8000, *offsets) + body


def sid(authority: int, *parts: int) -> bytes:
    return struct.pack(">BBQ", 1, len(parts), authority)[:2] + struct.pack(">Q", authority)[2:] + b"".join(
        struct.pack("<I", part) for part in parts
    )


def entry(level: int, name: str, node: Node) -> bytes | None:
    """One row of a listing, after its first two words. None for a class that there is not."""
    label = wide(name)
    if level == 12:
        return struct.pack("<I", len(label)) + label
    if level not in (1, 2, 3, 37, 38):
        return None
    body = times(node) + struct.pack("<QQII", node.size, node.allocated, attributes(node), len(label))
    if level != 1:
        body += b"\0" * 4
    if level in (3, 37):
        body += b"\0" * 26
    if level == 37:
        body += b"\0" * 2
    if level == 38:
        body += b"\0" * 4
    if level in (37, 38):
        body += struct.pack("<Q", node.number)
    return body + label

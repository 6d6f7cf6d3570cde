"""
Whether what arrives is acknowledged at once. A kernel lets its acknowledgement go with the answer when that comes soon; an
answer that waits here would keep it back, and whoever asked would send everything again, as to no server that is but slow.
With `quickack` on the ways out (ip-route(8)), what is asked is acknowledged before there is an answer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from . import netlink
from .netlink import attribute, attributes, nested

ROUTE, NEW, GET, DUMP, REPLACE = 0, 24, 26, 0x300, 0x100
HEAD = struct.Struct("=BBBBBBBBI")
MAIN_TABLE, UNICAST = 254, 1
TO, OUT_BY, GATEWAY, PRIORITY, FROM, METRICS, PATHS, TABLE = 1, 4, 5, 6, 7, 8, 9, 15
KEPT = (TO, OUT_BY, GATEWAY, PRIORITY, FROM, TABLE)
QUICKACK = 15


def acknowledge_at_once(wanted: bool) -> None:
    """Of all ways out; what is so already is left alone. OSError where the kernel does not."""
    link = netlink.connected(ROUTE)
    try:
        for number, (head, own) in enumerate(list(ways_out(netlink.dumped(link, request(GET, DUMP, 1)))), 2):
            metrics = attributes(own.get(METRICS, b""), 0)
            if (QUICKACK in metrics) == wanted:
                continue
            netlink.asked(link, number, request(NEW, netlink.ACKNOWLEDGE | REPLACE, number, head, changed(own, metrics, wanted)))
    finally:
        link.close()


def ways_out(bodies: Iterator[tuple[int, bytes]]) -> Iterator[tuple[bytes, dict[int, bytes]]]:
    for kind, body in bodies:
        if kind != NEW or len(body) < HEAD.size:
            continue
        _, _, _, _, table, _, _, way, _ = HEAD.unpack_from(body)
        own = attributes(body, HEAD.size)
        # Of one with several paths nothing is known here: it stays as it is.
        if table == MAIN_TABLE and way == UNICAST and PATHS not in own and OUT_BY in own:
            # All but what the kernel alone may say of it.
            yield body[: HEAD.size - 4] + bytes(4), own


def changed(own: dict[int, bytes], metrics: dict[int, bytes], wanted: bool) -> bytes:
    kept = [attribute(kind, value) for kind, value in metrics.items() if kind != QUICKACK]
    now = [attribute(QUICKACK, struct.pack("=I", 1))] if wanted else []
    same = b"".join(attribute(kind, own[kind]) for kind in KEPT if kind in own)
    return same + nested(METRICS, *kept, *now)


def request(kind: int, flags: int, number: int, head: bytes = HEAD.pack(2, *[0] * 8), body: bytes = b"") -> bytes:
    whole = head + body
    return netlink.HEAD.pack(16 + len(whole), kind, flags | netlink.REQUEST, number, 0) + whole

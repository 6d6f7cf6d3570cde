"""
The queue in which packets wait for a verdict (nfnetlink_queue). Whatever fails, packets pass: a queue that is full lets
them by, one that nobody listens to is passed over by the rule that leads to it, and what waits when the process dies is
lost, so that the kernel sends it again.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from . import netlink
from .netlink import attribute

SUBSYSTEM = 3
PACKET, VERDICT, CONFIG = (SUBSYSTEM << 8 | kind for kind in range(3))
BIND, COPY_PACKET = 1, 2
FAIL_OPEN, WITHOUT_SEGMENTS = 1, 4
DROP, ACCEPT = 0, 1
LEAVING = 3
# Held packets are among them; a flood waits no longer than it takes to judge so many.
MOST_WAITING = 1024
HEADS, WHOLE = 128, 0xFFFF
ENOBUFS_IS_NO_ERROR = (270, 5)


@dataclass(frozen=True)
class Queued:
    id: int
    leaving: bool
    raw: bytes
    """Of the packet, where less was copied."""
    length: int


class Queue:
    def __init__(self, number: int) -> None:
        self.number = number
        self.link = netlink.connected()
        for option in (socket.SO_RCVBUF, 33):
            try:
                # 33: the same beyond the usual limit.
                self.link.setsockopt(socket.SOL_SOCKET, option, 1 << 20)
            except OSError:
                pass
        self.link.setsockopt(*ENOBUFS_IS_NO_ERROR, 1)
        for wanted in (attribute(1, struct.pack("!BBH", BIND, 0, 0)), attribute(3, struct.pack("!I", MOST_WAITING))):
            netlink.asked(self.link, 1, netlink.message(CONFIG, netlink.ACKNOWLEDGE, 1, 0, number, wanted))
        self.take(True)
        self.link.setblocking(False)

    def take(self, heads: bool) -> None:
        """Only the heads of packets, as long as none is to be changed; such have to be as they will leave, in segments."""
        flags = FAIL_OPEN | (WITHOUT_SEGMENTS if heads else 0)
        self.link.setblocking(True)
        self.configure(attribute(2, struct.pack("!IB", HEADS if heads else WHOLE, COPY_PACKET)))
        self.configure(
            attribute(5, struct.pack("!I", flags)), attribute(4, struct.pack("!I", FAIL_OPEN | WITHOUT_SEGMENTS))
        )
        self.link.setblocking(False)

    def configure(self, *attributes: bytes) -> None:
        # Unacknowledged while packets come in: an answer would stand somewhere among them.
        self.link.send(netlink.message(CONFIG, 0, 0, 0, self.number, *attributes))

    def waiting(self, most: int = 64) -> Iterator[Queued]:
        for _ in range(most):
            try:
                data = self.link.recv(1 << 17)
            except (BlockingIOError, InterruptedError):
                return
            for kind, body in netlink.messages(data):
                if kind != PACKET:
                    continue
                found = netlink.attributes(body)
                number, _, hook = struct.unpack_from("!IHB", found[1])
                length = struct.unpack("!I", found[13])[0] if 13 in found else 0
                yield Queued(number, hook == LEAVING, found.get(10, b""), length)

    def give(self, number: int, verdict: int, mark: int = 0, raw: bytes = b"") -> None:
        said = attribute(2, struct.pack("!II", verdict, number))
        if mark:
            said += attribute(3, struct.pack("!I", mark))
        if raw:
            said += attribute(10, raw)
        try:
            self.link.send(netlink.message(VERDICT, 0, 0, 0, self.number, said))
        except OSError:
            # Gone meanwhile, as when its card went down.
            pass

    def close(self) -> None:
        self.link.close()

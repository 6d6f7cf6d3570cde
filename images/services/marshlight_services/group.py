"""
What a service hears and says as a member of a multicast group. It is no session: on any link neighbours ask all day long,
and none of them is an attacker for that.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .diagnostics import say
from .registry import Datagram, kind_of
from .session import Session

if TYPE_CHECKING:
    from .host import Host

# Of one host altogether: what it says to all wakes all.
EACH_SECOND = 5
LONGEST = 1500


class Overheard(Session):
    def tell(self, what: str, **fields: Any) -> None:
        """Nothing."""


class Member(asyncio.DatagramProtocol):
    def __init__(self, host: Host, group: str, port: int, own: str) -> None:
        self.host, self.group, self.port, self.own = host, group, port, own
        self.second, self.said = 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        service = self.host.services.get(("udp", self.port))
        kind = kind_of(service.kind) if service else None
        if service is None or not isinstance(kind, Datagram) or kind.to_group is None or source[0] == self.own:
            return
        try:
            answer = kind.to_group(data[:LONGEST], service, Overheard(self.host, service.kind, source, (self.own, self.port)))
        except Exception as error:  # As in Host.accept.
            say("error", f"{service.kind}: {type(error).__name__}: {error}"[:300])
            return
        if answer and self.admits(int(time.monotonic())):
            self.transport.sendto(answer, (self.group, self.port))  # type: ignore[attr-defined]

    def admits(self, second: int) -> bool:
        self.said = self.said + 1 if second == self.second else 1
        self.second = second
        return self.said <= EACH_SECOND

    def error_received(self, error: Exception) -> None:
        """Nobody to answer, or no way out to the group: the host is there for who asks it itself."""


async def open_group(host: Host, port: int) -> Callable[[], None]:
    """Joins the group of the service on this port, if it has one and there is a card; what is given leaves it."""
    service = host.services.get(("udp", port))
    kind = kind_of(service.kind) if service else None
    # Bound to one address, as in tests, it is no host on a link.
    card = card_index() if host.address == "0.0.0.0" else None
    if not isinstance(kind, Datagram) or kind.group is None or card is None:
        return lambda: None
    # Bound to the group, it hears what goes to the group and nothing else; the other socket hears the rest.
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        on = struct.pack("4s4si", socket.inet_aton(kind.group), bytes(4), card)
        member.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        member.bind((kind.group, port))
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, on)
        member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, on)
        member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        member.setblocking(False)
        own, group = own_address_on_link() or "", kind.group
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Member(host, group, port, own), sock=member
        )
    except OSError as error:
        member.close()
        say("warning", f"{kind.group} {port}: {error.strerror}")
        return lambda: None
    return transport.close


def own_address_on_link() -> str | None:
    """What a packet to a group of the link would bear. Nothing is sent."""
    card = card_index()
    if card is None:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4), card))
        try:
            probe.connect(("224.0.0.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return None


def card_index() -> int | None:
    for card in sorted(Path("/sys/class/net").glob("*")):
        if card.name != "lo":
            try:
                return int((card / "ifindex").read_text())
            except (OSError, ValueError):
                continue
    return None

"""
What a service hears that went to a multicast group, or to all of the link, and what it says to that. It is no session: on any link neighbours ask all day long,
and none of them is an attacker for that.
"""

from __future__ import annotations

import asyncio
import fcntl
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
SIOCGIFBRDADDR = 0x8919


class Overheard(Session):
    def tell(self, what: str, **fields: Any) -> None:
        """Nothing."""


class Member(asyncio.DatagramProtocol):
    def __init__(self, host: Host, group: str, port: int, own: str, alone: asyncio.DatagramTransport) -> None:
        """`alone`: whence answers for one leave, with the host's own address; this socket has the group's."""
        self.host, self.group, self.port, self.own, self.alone = host, group, port, own, alone
        self.second, self.said = 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        service = self.host.services.get(("udp", self.port))
        kind = kind_of(service.kind) if service else None
        if service is None or not isinstance(kind, Datagram) or source[0] == self.own:
            return
        session = Overheard(self.host, service.kind, source[:2], (self.own, self.port))
        for say_to, to in ((kind.to_group, (self.group, self.port)), (kind.to_asker, source[:2])):
            if say_to is None:
                continue
            try:
                answer = say_to(data[:LONGEST], service, session)
                if answer and self.admits(int(time.monotonic())):
                    self.send(answer, to)
            except Exception as error:  # As in Host.accept.
                say("error", f"{service.kind}: {type(error).__name__}: {error}"[:300])

    def send(self, answer: bytes, to: tuple[str, int]) -> None:
        if to[0] == self.group:
            self.transport.sendto(answer, to)  # type: ignore[attr-defined]
        else:
            self.alone.sendto(answer, to)

    def admits(self, second: int) -> bool:
        self.said = self.said + 1 if second == self.second else 1
        self.second = second
        return self.said <= EACH_SECOND

    def error_received(self, error: Exception) -> None:
        """Nobody to answer, or no way out to the group: the host is there for who asks it itself."""


async def open_group(host: Host, port: int, alone: asyncio.DatagramTransport) -> Callable[[], None]:
    """Joins the group of the service on this port, if it has one and there is a card; what is given leaves it."""
    service = host.services.get(("udp", port))
    kind = kind_of(service.kind) if service else None
    # Bound to one address, as in tests, it is no host on a link.
    card = card_index() if host.address == "0.0.0.0" else None
    if not isinstance(kind, Datagram) or kind.group is None or card is None:
        return lambda: None
    # Bound to the group, it hears what goes to the group and nothing else; the other socket hears the rest.
    own = own_address_on_link() or ""
    group = broadcast_on_link() if kind.group == "broadcast" else kind.group
    if group is None:
        return lambda: None
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        member.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        member.bind((group, port))
        if kind.group != "broadcast":
            join(member, group, card)
        member.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Member(host, group, port, own, alone), sock=member
        )
    except OSError as error:
        member.close()
        say("warning", f"{group} {port}: {error.strerror}")
        return lambda: None
    return transport.close


def join(member: socket.socket, group: str, card: int) -> None:
    on = struct.pack("4s4si", socket.inet_aton(group), bytes(4), card)
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, on)
    member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, on)
    member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)


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


def broadcast_on_link() -> str | None:
    index = card_index()
    if index is None:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("256s", socket.if_indextoname(index).encode())
        try:
            return socket.inet_ntoa(fcntl.ioctl(probe, SIOCGIFBRDADDR, asked)[20:24])
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

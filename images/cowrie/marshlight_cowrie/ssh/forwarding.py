"""
Forwarded ports, as a host with AllowTcpForwarding answers. The host itself can be reached (its own services stand in the
same network namespace), and what the egress plan names; for the rest there is no route, as for everything else here.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from twisted.conch.ssh import forwarding as conch
from twisted.internet import defer, error

from .. import network
from . import reports
from .wire import read_numbers, read_string

if TYPE_CHECKING:
    from ..decoy import Decoy

PROHIBITED, CONNECT_FAILED = 1, 2
LARGEST_PORT = 65535
EPHEMERAL = 32768
CONNECT_SECONDS = 20
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Forwarded(conch.SSHConnectForwardingChannel):
    name = b"direct-tcpip"
    program = True

    def channelOpen(self, specificData: bytes) -> None:
        """It is connected already."""


def open_direct(connection: Any, theirs: int, window: int, largest: int, body: bytes) -> None:
    host, rest = read_string(body)
    (port,), rest = read_numbers(rest, 1)
    origin, rest = read_string(rest)
    (origin_port,), _ = read_numbers(rest, 1)
    if max(port, origin_port) > LARGEST_PORT or not connection.transport.entry.allowed.forwarding:
        connection.refuse(theirs, PROHIBITED, connection.open_failed)
        return
    target = host.decode("utf-8", "replace")[:255]
    reports.event(
        connection.transport,
        "cowrie.direct-tcpip.request",
        "direct-tcp connection request to %(dst_ip)s:%(dst_port)s from %(orig_ip)s:%(orig_port)s",
        dst_ip=target,
        dst_port=port,
        orig_ip=origin.decode("utf-8", "replace")[:255],
        orig_port=origin_port,
    )
    address = reachable(connection, target, port)
    if isinstance(address, bytes):
        connection.refuse(theirs, CONNECT_FAILED, address)
        return
    connected(address, port).addCallbacks(
        lambda client: hand_over(connection, client, theirs, window, largest),
        lambda reason: connection.refuse(theirs, CONNECT_FAILED, why(reason)),
    )


def reachable(connection: Any, target: str, port: int) -> str | bytes:
    """The address to connect to, or what the resolver or the kernel of a host without a route would say."""
    decoy: Decoy = connection.decoy
    if target in LOOPBACK or target in (decoy.persona.hostname, network.address()):
        return "127.0.0.1" if target in LOOPBACK else network.address()
    try:
        address = ipaddress.ip_address(target)
    except ValueError:
        return bytes(connection.unresolved(target, port))
    allowed = any(
        address in rule.network and rule.proto == "tcp" and rule.port == port for rule in decoy.egress.allowed
    )
    return str(address) if allowed else b"Network is unreachable"


def connected(address: str, port: int) -> defer.Deferred[Any]:
    from twisted.internet import protocol, reactor

    maker = protocol.ClientCreator(reactor, conch.SSHForwardingClient, None)
    if not 0 < port < 65536:
        return defer.fail(error.ConnectionRefusedError())
    return maker.connectTCP(address, port, timeout=CONNECT_SECONDS)


def why(reason: Any) -> bytes:
    if reason.check(error.ConnectionRefusedError):
        return b"Connection refused"
    if reason.check(error.NoRouteError):
        return b"No route to host"
    return b"Connection timed out"


def hand_over(connection: Any, client: Any, theirs: int, window: int, largest: int) -> None:
    if connection.transport is None or connection.transport.ended:
        client.transport.loseConnection()
        return
    channel = Forwarded(
        ("", 0),
        localWindow=connection.forwarded_window,
        localMaxPacket=connection.largest_packet,
        remoteWindow=window,
        remoteMaxPacket=largest,
        conn=connection,
    )
    channel.client, client.channel = client, channel
    connection.add(channel, theirs, connection.forwarded_window, connection.largest_packet)
    # Conch puts a byte of its own before what came early.
    early, client.buf = client.buf[1:], b""
    if early:
        channel.write(early)


def listen(connection: Any, body: bytes) -> int | None:
    """
    The port, or None where there is none to have. Nothing is opened: nobody comes to a port of this host that was not
    there before.
    """
    host, rest = read_string(body)
    (port,), _ = read_numbers(rest, 1)
    if port > LARGEST_PORT or port in taken(connection.decoy) or not connection.transport.entry.allowed.forwarding:
        return None
    # The first 1024 ports are root's.
    if 0 < port < 1024 and connection.transport.avatar.uid != 0:
        return None
    given = port or EPHEMERAL + len(connection.listening) * 2 + 1
    connection.listening.add((host, given))
    return given


def taken(decoy: Decoy) -> set[int]:
    """Where the host's own services listen."""
    persona = decoy.persona
    own = {port for port, there in ((22, persona.ssh), (23, persona.telnet)) if there is not None}
    return own | {service.port for service in persona.services}


def listen_no_more(connection: Any, body: bytes) -> bytes | None:
    host, rest = read_string(body)
    (port,), _ = read_numbers(rest, 1)
    known = (host, port) in connection.listening
    connection.listening.discard((host, port))
    return b"" if known else None

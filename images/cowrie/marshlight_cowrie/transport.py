"""
The SSH server of the persona: its banner and its KEXINIT, name for name, and replies in OpenSSH's order.

Cowrie has no setting for the key exchanges, and Twisted adds a marker of its own to them; so each connection gets its
lists from the persona when it is made, and sends exactly those.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from . import algorithms
from .signatures import expect, expect_attribute

if TYPE_CHECKING:
    from .decoy import Decoy


def install(decoy: Decoy) -> None:
    from cowrie.ssh.connection import CowrieSSHConnection
    from cowrie.ssh.factory import CowrieSSHFactory
    from cowrie.ssh.transport import HoneyPotSSHTransport
    from twisted.conch.ssh import _kex

    expect_attribute(_kex, "_kexAlgorithms", "_IFixedGroupKexAlgorithm")
    algorithms.add_modp_exchanges(_kex._kexAlgorithms, _kex._IFixedGroupKexAlgorithm)
    announce(decoy, CowrieSSHFactory, HoneyPotSSHTransport)
    reset_sequence_numbers(HoneyPotSSHTransport)
    reply_before_running(CowrieSSHConnection)


def current_offer(decoy: Decoy) -> algorithms.Offer | None:
    from twisted.conch.ssh import _kex
    from twisted.conch.ssh.transport import SSHCiphers

    ssh = decoy.persona.ssh
    if ssh is None:
        return None
    return algorithms.offer_of(ssh, SSHCiphers.cipherMap, SSHCiphers.macMap, _kex._kexAlgorithms)


def announce(decoy: Decoy, factory: Any, transport: Any) -> None:
    from twisted.conch.ssh.common import NS
    from twisted.conch.ssh.transport import MSG_KEXINIT, SSHServerTransport
    from twisted.python import randbytes

    expect(factory.buildProtocol, "(self, addr)")
    expect(transport.sendKexInit, "(self)")
    expect_attribute(SSHServerTransport, "_KEY_EXCHANGE_NONE", "_KEY_EXCHANGE_REQUESTED", "supportedKeyExchanges")
    build = factory.buildProtocol

    def build_protocol(self: Any, addr: Any) -> Any:
        made, offer = build(self, addr), current_offer(decoy)
        if made is not None and offer is not None and decoy.persona.ssh is not None:
            made.ourVersionString = decoy.persona.ssh.banner.encode("ascii")
            made.announcedKeyExchanges = offer.kex
            made.supportedKeyExchanges = [name for name in offer.kex if name not in algorithms.MARKERS]
            made.supportedPublicKeys = offer.host_keys
            made.supportedCiphers = offer.ciphers
            made.supportedMACs = offer.macs
            made.supportedCompressions = offer.compression
        return made

    def send_kex_init(self: Any) -> None:
        if not self.gotVersion:
            return
        if self._keyExchangeState != self._KEY_EXCHANGE_NONE:
            self.transport.loseConnection()
            return
        lists = [
            self.announcedKeyExchanges,
            self.supportedPublicKeys,
            *[self.supportedCiphers] * 2,
            *[self.supportedMACs] * 2,
            *[self.supportedCompressions] * 2,
            *[[]] * 2,
        ]
        body = randbytes.secureRandom(16) + b"".join(NS(b",".join(names)) for names in lists) + b"\0" * 5
        self.ourKexInitPayload = bytes((MSG_KEXINIT,)) + body
        self.sendPacket(MSG_KEXINIT, body)
        self._keyExchangeState = self._KEY_EXCHANGE_REQUESTED
        self._blockedByKeyExchange = []

    factory.buildProtocol = build_protocol
    transport.sendKexInit = send_kex_init


def reset_sequence_numbers(transport: Any) -> None:
    """Strict key exchange (OpenSSH PROTOCOL, 1.10): when both sides announced it, NEWKEYS starts the numbers again."""
    from twisted.conch.ssh.common import getNS
    from twisted.conch.ssh.transport import MSG_NEWKEYS

    expect(transport.ssh_KEXINIT, "(self, packet)")
    expect(transport.sendPacket, "(self, messageType, payload)")
    expect(transport.ssh_NEWKEYS, "(self, packet)")
    kexinit, send, newkeys = transport.ssh_KEXINIT, transport.sendPacket, transport.ssh_NEWKEYS

    def ssh_kexinit(self: Any, packet: bytes) -> Any:
        offered = getNS(packet[16:])[0].split(b",")
        if algorithms.STRICT_CLIENT in offered and algorithms.STRICT_SERVER in self.announcedKeyExchanges:
            self.strictKeyExchange = True
        return kexinit(self, packet)

    def send_packet(self: Any, messageType: int, payload: bytes) -> None:
        send(self, messageType, payload)
        if messageType == MSG_NEWKEYS and getattr(self, "strictKeyExchange", False):
            self.outgoingPacketSequence = 0

    def ssh_newkeys(self: Any, packet: bytes) -> None:
        if getattr(self, "strictKeyExchange", False):
            self.incomingPacketSequence = 0
        newkeys(self, packet)

    transport.ssh_KEXINIT = ssh_kexinit
    transport.sendPacket = send_packet
    transport.ssh_NEWKEYS = ssh_newkeys


def reply_before_running(connection: Any) -> None:
    """
    Cowrie runs an exec request to its end, CLOSE included, before it says SUCCESS; clients that wait for the reply see
    a closed channel and give up, and what they would have sent is lost. OpenSSH replies first (session.c).
    """
    from twisted.conch.ssh.common import NS, getNS
    from twisted.conch.ssh.connection import MSG_CHANNEL_SUCCESS

    expect(connection.ssh_CHANNEL_REQUEST, "(self, packet)")
    handle = connection.ssh_CHANNEL_REQUEST

    def ssh_channel_request(self: Any, packet: bytes) -> Any:
        channel = struct.unpack(">L", packet[:4])[0]
        request, rest = getNS(packet[4:])
        if request == b"exec" and rest[:1] != b"\0" and channel in self.channels:
            self.transport.sendPacket(MSG_CHANNEL_SUCCESS, struct.pack(">L", self.localToRemoteChannel[channel]))
            packet = packet[:4] + NS(request) + b"\0" + rest[1:]
        return handle(self, packet)

    connection.ssh_CHANNEL_REQUEST = ssh_channel_request

"""
Keys, from KEXINIT to NEWKEYS, and anew in a session (RFC 4253, 7 to 9).

    begin (their KEXINIT) -> advance (their value) -> agree (our reply, our NEWKEYS) -> switch_incoming (their NEWKEYS)
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any

from .. import places
from . import messages, reports
from .key_exchange import KeyExchange, NoMatch, choose, is_strict, kexinit, read_kexinit, wants_extensions
from .packets import PacketTransport
from .wire import string

if TYPE_CHECKING:
    from collections.abc import Callable

    from .algorithms import Offer


class KeyingTransport(PacketTransport):
    offer: Offer
    seed: str
    # The first exchange's hash; None as long as there are no keys.
    session: bytes | None = None
    strict = False
    exchange: KeyExchange | None = None
    next_incoming: Any = None
    extensions_wanted = False
    skip_next = False
    exchange_host_key = b""

    def expected(self) -> int:
        return self.exchange.expects if self.exchange else messages.KEXINIT

    def make_kexinit(self) -> bytes:
        self.our_kexinit = kexinit(os.urandom(16), self.offer)
        return self.sealed(messages.KEXINIT, self.our_kexinit[1:])

    def sendKexInit(self) -> None:
        if self.our_kexinit is None and self.transport is not None:
            self.transport.write(self.make_kexinit())

    def guarded(self, action: Callable[..., Any], *arguments: Any) -> None:
        try:
            super().guarded(action, *arguments)
        except NoMatch as error:
            self._log.info("Unable to negotiate: {error}", error=str(error))
            self.end()

    def begin(self, theirs: bytes) -> None:
        client = read_kexinit(theirs)
        reports.key_exchange(self, client)
        self.software.examine(client)
        chosen = choose(client, self.offer)
        self.sendKexInit()
        if self.session is None:
            self.strict, self.extensions_wanted = is_strict(client, self.offer), wants_extensions(client)
            if self.strict and self.current_sequence != 0:
                self.disconnect("strict KEX violation: KEXINIT was not the first packet")
                return
        self.exchange_host_key = chosen.host_key
        host_key = self.host_key(chosen.host_key)
        texts = [self.otherVersionString, self.ourVersionString, theirs, self.our_kexinit or b""]
        transcript = b"".join(string(text) for text in [*texts, host_key.public().blob()])
        self.exchange = KeyExchange(chosen, transcript, host_key, places.MODULI)
        self.skip_next = client.guessed and not self.software.guessed_right(client, self.offer)

    def host_key(self, algorithm: bytes) -> Any:
        return self.factory.privateKeys[b"ssh-rsa" if algorithm.startswith(b"rsa-sha2-") else algorithm]

    def advance(self, number: int, body: bytes) -> None:
        """A message of the exchange that is the expected one."""
        assert self.exchange is not None
        if number == messages.GEX_REQUEST:
            group = self.exchange.offer_group(body)
            self.sendPacket(group[0], group[1:])
            return
        self.after(self.software.before_keys(self.seed), self.agree, self.exchange, body)

    def agree(self, exchange: KeyExchange, body: bytes) -> None:
        reply, agreed, digest = exchange.finish(body)
        self.sendPacket(reply[0], reply[1:])
        self.sendPacket(messages.NEWKEYS, b"")
        first, self.session = self.session is None, self.session or digest
        self.sessionID = self.session
        self.next_incoming, self.outgoing = exchange.protections(agreed, digest, self.session)
        self.incomingCompressionType, self.outgoingCompressionType = exchange.chosen.compressions
        self.outgoingCompression = zlib.compressobj(6) if self.compresses(self.outgoingCompressionType) else None
        if self.strict:
            self.sequence_out = 0
        banner = self.ourVersionString.decode("ascii")
        info = self.software.extension_info(banner, self.offer) if first and self.extensions_wanted else None
        # Our own keys are in force: what waited goes out under them, before the client has changed its own.
        self.our_kexinit = None
        if info is not None:
            self.sendPacket(messages.EXT_INFO, info)
        waiting, self.waiting = self.waiting, []
        for message in waiting:
            self.sendPacket(*message)

    def compresses(self, kind: bytes) -> bool:
        """Each direction starts its stream anew with its keys (RFC 4253, 6.2); `zlib@openssh.com` waits for the log-in."""
        return kind == b"zlib" or (kind == b"zlib@openssh.com" and self.in_session)

    def switch_incoming(self) -> None:
        self.incoming, self.next_incoming, self.exchange = self.next_incoming, None, None
        self.incomingCompression = zlib.decompressobj() if self.compresses(self.incomingCompressionType) else None
        if self.strict:
            self.sequence_in = 0

    def isEncrypted(self, direction: str = "out") -> bool:
        return self.session is not None

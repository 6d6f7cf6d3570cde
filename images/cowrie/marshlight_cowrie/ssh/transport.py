"""
The transport of an OpenSSH server in the place of Twisted's. Cowrie's own parts stay around it: the events of a
session, the services, the avatar.

    bytes -> identification -> packets -> kex messages ........ KeyExchange
                                       -> service messages .... userauth, connection
    Invariants: after `ended` nothing is read or sent. While `held` (an answer takes its time) packets wait in the buffer,
    as they wait in the socket of a process that is busy. Each direction changes its keys at its own NEWKEYS.
"""

from __future__ import annotations

import os
import struct
import time
import uuid
import zlib
from typing import TYPE_CHECKING, Any

from cowrie.core.utils import escape_nonprintable, hassh_client
from cowrie.ssh.transport import HoneyPotSSHTransport
from twisted.internet import reactor

from .. import places
from ..login.entry import Entry
from . import messages, pace
from .algorithms import Offer
from .identification import Refusal, read
from .key_exchange import KeyExchange, NoMatch, choose, is_strict, kexinit, read_kexinit, wants_extensions
from .protection import Corrupt, Plain, open_packet, seal
from .release import extension_info
from .wire import Unreadable, read_string, string

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..decoy import Decoy
    from ..visits import Visit
    from .key_exchange import Client
    from .startups import Startups

LARGEST_INFLATED = 256 * 1024
# What a server may send while keys are made: RFC 4253, 7.1.
IN_EXCHANGE = {messages.DISCONNECT, messages.IGNORE, messages.UNIMPLEMENTED, messages.DEBUG, *range(20, 50)}
MOST_WAITING = 4 << 20


class OpensshTransport(HoneyPotSSHTransport):
    offer: Offer
    seed: str
    session: bytes | None = None
    ended = False
    held = False
    in_session = False
    strict = False
    exchange: KeyExchange | None = None
    our_kexinit: bytes | None = None
    extensions_wanted = False
    skip_next = False
    exchange_host_key = b""
    startups: Startups
    #: How the client got in, once it has.
    entry = Entry()
    decoy: Decoy
    visit: Visit

    def connectionMade(self) -> None:
        self.received = b""
        self.incoming: Any = Plain()
        self.outgoing: Any = Plain()
        self.next_incoming: Any = None
        self.sequence_in = self.sequence_out = 0
        self.waiting: list[tuple[int, bytes]] = []
        # What Cowrie's own connectionMade does, but for the banner at once.
        self.transportId = uuid.uuid4().hex[:12]
        self.startTime = time.time()
        self._emit_connect()
        peer = self.transport.getPeer()
        self.visit = self.decoy.visits.connected("sshd", peer.host, peer.port)
        self.setTimeout(self.auth_timeout)
        self.after(pace.before_banner(self.seed), self.transport.write, self.ourVersionString + b"\r\n")

    # Bytes to packets

    def dataReceived(self, data: bytes) -> None:
        if self.ended:
            return
        self.received += data
        if self.held and len(self.received) > MOST_WAITING:
            self.end()
            return
        self.proceed()

    def after(self, seconds: float, action: Callable[..., Any], *arguments: Any) -> None:
        """Holds what comes in until then, does it, and goes on."""
        self.held = True

        def now() -> None:
            if not self.ended:
                self.held = False
                self.guarded(action, *arguments)
                self.proceed()

        reactor.callLater(seconds, now)

    def proceed(self) -> None:
        if self.held or self.ended or (not self.gotVersion and not self.identified()):
            return
        try:
            while not self.ended and not self.held:
                opened = open_packet(self.incoming, self.sequence_in, self.received)
                if opened is None:
                    break
                payload, taken = opened
                self.received = self.received[taken:]
                sequence, self.sequence_in = self.sequence_in, (self.sequence_in + 1) % 2**32
                self.dispatch(sequence, self.inflated(payload))
        except Corrupt as corrupt:
            self.malformed(str(corrupt), self.received[:256])
            if corrupt.reply is not None:
                self.sendDisconnect(messages.PROTOCOL_ERROR, corrupt.reply)
            else:
                self.end()
        if self.in_session and not self.ended:
            self.service.caught_up()

    def identified(self) -> bool:
        said = read(self.received)
        if said is None:
            return False
        self.otherVersionString = said.line
        self.dispatch_event(
            "cowrie.client.version",
            "Remote SSH version: %(version)s",
            version=escape_nonprintable(said.line[:1024]),
        )
        if isinstance(said, Refusal):
            self.visit.said = said.line[:100].decode("utf-8", "replace")
            self.refuse(said)
            return False
        self.visit.said = None
        self.gotVersion = True
        self.received = said.rest
        self.sendKexInit()
        return True

    def refuse(self, said: Refusal) -> None:
        """
        sshd writes the text and the line's end apart. Where bytes are left unread, its close resets the connection, and
        the second, which waits for the first to be acknowledged (Nagle), is never sent.
        """
        if said.unread:
            if said.reply:
                self.transport.socket.send(said.reply)
            self.ended = True
            self.transport.abortConnection()
            return
        self.transport.write(said.reply + b"\r\n" if said.reply else b"")
        self.end()

    def inflated(self, payload: bytes) -> bytes:
        if not self.incomingCompression:
            return payload
        try:
            clear = self.incomingCompression.decompress(payload, LARGEST_INFLATED)
        except zlib.error as error:
            raise Corrupt(str(error)) from None
        if self.incomingCompression.unconsumed_tail:
            raise Corrupt("a packet that inflates without end")
        return bytes(clear)

    def sendPacket(self, messageType: int, payload: bytes) -> None:
        if self.ended or self.transport is None:
            return
        if self.our_kexinit is not None and messageType not in IN_EXCHANGE:
            self.waiting.append((messageType, payload))
            return
        body = bytes((messageType,)) + payload
        if self.outgoingCompression:
            body = self.outgoingCompression.compress(body) + self.outgoingCompression.flush(zlib.Z_PARTIAL_FLUSH)
        self.transport.write(seal(self.outgoing, self.sequence_out, body))
        self.sequence_out = (self.sequence_out + 1) % 2**32

    # Messages

    def dispatch(self, sequence: int, payload: bytes) -> None:
        if not payload or not messages.LEAST <= payload[0] < messages.LOCAL:
            text = f"Invalid ssh2 packet type: {payload[0] if payload else 0}"
            raise Corrupt(text, text.encode())
        number, body = payload[0], payload[1:]
        first = self.session is None
        self.current_sequence = sequence
        if first and number >= messages.USERAUTH_REQUEST:
            # Nothing is there yet to answer it.
            self.end()
            return
        if self.strict and first and number not in (messages.DISCONNECT, messages.KEXINIT, self.expected()):
            self.disconnect(f"strict KEX violation: unexpected packet type {number} (seqnr {sequence})")
            return
        self.guarded(self.handle, number, payload, body)

    def guarded(self, action: Callable[..., Any], *arguments: Any) -> None:
        try:
            action(*arguments)
        except (Unreadable, struct.error, IndexError, UnicodeDecodeError) as error:
            self.malformed(str(error), b"")
            self.end()
        except NoMatch as error:
            self._log.info("Unable to negotiate: {error}", error=str(error))
            self.end()

    def expected(self) -> int:
        return self.exchange.expects if self.exchange else messages.KEXINIT

    def may_begin(self) -> bool:
        """Keys are made at the start, and again in a session; between the two OpenSSH has nobody to take a KEXINIT."""
        return self.exchange is None and (self.session is None or self.in_session)

    def handle(self, number: int, payload: bytes, body: bytes) -> None:
        if number == messages.DISCONNECT:
            self.visit.farewell = farewell(body)
            self.end()
        elif number in (messages.IGNORE, messages.UNIMPLEMENTED, messages.DEBUG):
            return
        elif number == messages.KEXINIT and self.may_begin():
            self.begin(payload)
        elif number == messages.NEWKEYS and self.next_incoming is not None:
            self.switch_incoming()
        elif self.exchange is not None and messages.KEXINIT < number < 50:
            self.advance(number, body)
        elif number == messages.EXT_INFO and self.session is not None:
            return
        elif number == messages.SERVICE_REQUEST and self.session is not None and not self.in_session:
            self.start_service(body)
        elif self.service is not None and number >= 50:
            self.service.packetReceived(number, body)
        else:
            self.sendUnimplemented()

    def start_service(self, body: bytes) -> None:
        name, _ = read_string(body)
        if name != b"ssh-userauth":
            self.disconnect("bad service request " + name.decode("utf-8", "replace"))
            return
        self.sendPacket(messages.SERVICE_ACCEPT, string(name))
        if self.service is None:
            self.setService(self.factory.getService(self, name)())

    def sendUnimplemented(self) -> None:
        self.sendPacket(messages.UNIMPLEMENTED, struct.pack(">I", self.current_sequence))

    # Keys

    def sendKexInit(self) -> None:
        if self.our_kexinit is None:
            ours = kexinit(os.urandom(16), self.offer)
            self.sendPacket(messages.KEXINIT, ours[1:])
            self.our_kexinit = ours

    def begin(self, theirs: bytes) -> None:
        client = read_kexinit(theirs)
        self.report(client)
        self.sendKexInit()
        chosen = choose(client, self.offer)
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
        self.skip_next = chosen.skip_next

    def host_key(self, algorithm: bytes) -> Any:
        return self.factory.privateKeys[b"ssh-rsa" if algorithm.startswith(b"rsa-sha2-") else algorithm]

    def advance(self, number: int, body: bytes) -> None:
        exchange = self.exchange
        if self.skip_next:
            self.skip_next = False
            return
        if exchange is None or number != exchange.expects or self.next_incoming is not None:
            self.sendUnimplemented()
            return
        if number == messages.GEX_REQUEST:
            group = exchange.offer_group(body)
            self.sendPacket(group[0], group[1:])
            return
        self.after(pace.before_keys(self.seed), self.agree, exchange, body)

    def agree(self, exchange: KeyExchange, body: bytes) -> None:
        reply, agreed, digest = exchange.finish(body)
        self.sendPacket(reply[0], reply[1:])
        self.sendPacket(messages.NEWKEYS, b"")
        first, self.session = self.session is None, self.session or digest
        self.sessionID = self.session
        self.next_incoming, self.outgoing = exchange.protections(agreed, digest, self.session)
        self.incomingCompressionType, self.outgoingCompressionType = exchange.chosen.compressions
        if self.strict:
            self.sequence_out = 0
        info = extension_info(self.ourVersionString.decode("ascii")) if first and self.extensions_wanted else None
        # Our own keys are in force: what waited goes out under them, before the client has changed its own.
        self.our_kexinit = None
        if info is not None:
            self.sendPacket(messages.EXT_INFO, info)
        waiting, self.waiting = self.waiting, []
        for message in waiting:
            self.sendPacket(*message)

    def switch_incoming(self) -> None:
        self.incoming, self.next_incoming, self.exchange = self.next_incoming, None, None
        if self.strict:
            self.sequence_in = 0
        if self.incomingCompressionType == b"zlib" and not self.incomingCompression:
            self.incomingCompression, self.outgoingCompression = zlib.decompressobj(), zlib.compressobj(6)

    def isEncrypted(self, direction: str = "out") -> bool:
        return self.session is not None

    def setService(self, service: Any) -> None:
        if service.name == b"ssh-connection":
            self.startups.leave(self)
            self.in_session = True
        super().setService(service)

    # Ends

    def connectionLost(self, reason: Any = None) -> None:
        self.ended = True
        self.decoy.visits.left(self.visit)
        self.startups.leave(self)
        super().connectionLost(reason)

    def disconnect(self, text: str) -> None:
        self.sendDisconnect(messages.PROTOCOL_ERROR, text.encode())

    def sendDisconnect(self, reason: int, desc: bytes | str) -> None:
        text = desc if isinstance(desc, bytes) else desc.encode()
        self.sendPacket(messages.DISCONNECT, struct.pack(">I", reason) + string(text) + string(b""))
        self.end()

    def loseConnection(self) -> None:
        self.end()

    def end(self) -> None:
        if not self.ended:
            self.ended = True
            self.received = b""
            if self.transport is not None:
                self.transport.loseConnection()

    # Events

    def dispatch_event(self, name: str, text: str, **fields: Any) -> None:
        if self.events:
            self.events.dispatch(name, text, **fields)

    def malformed(self, why: str, data: bytes, number: int = 0) -> None:
        self.dispatch_event(
            "cowrie.client.malformed_packet",
            "Malformed SSH packet (message %(messagenum)d, %(datalen)d bytes); disconnecting",
            messagenum=number,
            datalen=len(data),
            data=data.hex(),
        )
        self._log.info("connection ends: {why}", why=why)

    def report(self, client: Client) -> None:
        ciphers, macs, compressions = client.ciphers[0], client.macs[0], client.compressions[0]
        algorithms, hassh = hassh_client(client.kex, ciphers, macs, compressions)
        self.dispatch_event(
            "cowrie.client.kex",
            "SSH client hassh fingerprint: %(hassh)s",
            hassh=hassh,
            hasshAlgorithms=algorithms,
            kexAlgs=client.kex,
            keyAlgs=client.host_keys,
            encCS=ciphers,
            macCS=macs,
            compCS=compressions,
            langCS=[b""],
        )


def farewell(body: bytes) -> str:
    """As sshd's log has it: the reason's number, and what the client says."""
    text, _ = read_string(body[4:])
    return f"{int.from_bytes(body[:4], 'big')}: {text[:256].decode('utf-8', 'replace')}"

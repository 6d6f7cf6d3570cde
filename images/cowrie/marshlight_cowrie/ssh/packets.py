"""
Bytes to packets and back, below everything that a message means. Cowrie's transport stays around it: the events of a
session, the services, the avatar.

    Invariants: after `ended` nothing is read or sent. While `held` (an answer takes its time) packets wait in the buffer,
    as they wait in the socket of a process that is busy. Each direction changes its keys at its own NEWKEYS.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

from cowrie.ssh.transport import HoneyPotSSHTransport
from twisted.internet import reactor

from . import messages, reports
from .protection import Corrupt, Plain, PlainZeros, open_packet, seal
from .wire import Unreadable, string

if TYPE_CHECKING:
    from collections.abc import Callable

    from .software import Software

LARGEST_INFLATED = 256 * 1024
# What a server may send while keys are made: RFC 4253, 7.1.
IN_EXCHANGE = {messages.DISCONNECT, messages.IGNORE, messages.UNIMPLEMENTED, messages.DEBUG, *range(20, 50)}
MOST_WAITING = 4 << 20


class PacketTransport(HoneyPotSSHTransport):
    software: Software
    ended = False
    held = False
    in_session = False
    # Set from our KEXINIT to our NEWKEYS.
    our_kexinit: bytes | None = None

    def prepare(self) -> None:
        self.received = b""
        self.incoming: Any = Plain()
        self.outgoing: Any = PlainZeros() if self.software.pads_with_zeros else Plain()
        self.sequence_in = self.sequence_out = self.current_sequence = 0
        self.waiting: list[tuple[int, bytes]] = []

    # In

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
        if self.held or self.ended or (not self.gotVersion and not self.identify()):
            return
        try:
            while not self.ended and not self.held:
                opened = open_packet(self.software, self.incoming, self.sequence_in, self.received)
                if opened is None:
                    break
                payload, taken = opened
                self.received = self.received[taken:]
                self.current_sequence, self.sequence_in = self.sequence_in, (self.sequence_in + 1) % 2**32
                self.guarded(self.software.receive, self, self.current_sequence, self.inflated(payload))
        except Corrupt as corrupt:
            reports.malformed(self, str(corrupt), self.received[:256])
            self.received = self.received[corrupt.taken :]
            if corrupt.reply is not None:
                self.sendDisconnect(messages.PROTOCOL_ERROR, corrupt.reply)
            else:
                self.end()
        if self.in_session and not self.ended:
            self.service.caught_up()

    def identify(self) -> bool:
        """Reads the client's identification; whether packets may follow."""
        raise NotImplementedError

    def guarded(self, action: Callable[..., Any], *arguments: Any) -> None:
        try:
            action(*arguments)
        except (Unreadable, struct.error, IndexError, UnicodeDecodeError) as error:
            reports.malformed(self, str(error), b"")
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

    # Out

    def sendPacket(self, messageType: int, payload: bytes) -> None:
        if self.ended or self.transport is None:
            return
        if self.our_kexinit is not None and messageType not in IN_EXCHANGE:
            self.waiting.append((messageType, payload))
            return
        self.transport.write(self.sealed(messageType, payload))

    def sealed(self, number: int, payload: bytes) -> bytes:
        body = bytes((number,)) + payload
        if self.outgoingCompression:
            body = self.outgoingCompression.compress(body) + self.outgoingCompression.flush(zlib.Z_PARTIAL_FLUSH)
        packet = seal(self.outgoing, self.sequence_out, body, self.software.least_packet)
        self.sequence_out = (self.sequence_out + 1) % 2**32
        return packet

    def sendUnimplemented(self) -> None:
        self.sendPacket(messages.UNIMPLEMENTED, struct.pack(">I", self.current_sequence))

    # Ends

    def disconnect(self, text: str) -> None:
        self.sendDisconnect(messages.PROTOCOL_ERROR, text.encode())

    def sendDisconnect(self, reason: int, desc: bytes | str) -> None:
        text = desc if isinstance(desc, bytes) else desc.encode()
        if self.software.says_why:
            self.sendPacket(messages.DISCONNECT, struct.pack(">I", reason) + string(text) + string(b""))
        self.end()

    def loseConnection(self) -> None:
        self.end()

    def end(self) -> None:
        if self.ended:
            return
        if self.received and self.software.reads_by_packet:
            self.reset()
            return
        self.ended = True
        self.received = b""
        if self.transport is not None:
            self.transport.loseConnection()

    def reset(self) -> None:
        """What a close does where bytes are left that nobody took; what has been said before still goes out."""
        self.ended = True
        self.received = b""
        if self.transport is not None:
            self.transport.doWrite()
            self.transport.abortConnection()

"""
The connection protocol as OpenSSH's server speaks it (RFC 4254): host keys told after the log-in, windows that open with
the program, replies before the program runs, channel numbers that are used again.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from cowrie.ssh.connection import CowrieSSHConnection
from twisted.conch.error import ConchError

from . import forwarding, messages, requests
from .wire import read_flag, read_numbers, read_string, string

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..decoy import Decoy

MOST_SESSIONS = 10
SESSION_WINDOW = 64 * 32 * 1024
SESSION_PACKET = 32 * 1024
CONNECT_FAILED = 2
STANDARD_ERROR = 1
FOR_THE_PROGRAM = {messages.CHANNEL_DATA, messages.CHANNEL_EXTENDED_DATA, messages.CHANNEL_EOF, messages.CHANNEL_CLOSE}
HOST_KEY_ORDER = (b"ssh-rsa", b"ecdsa-sha2-nistp256", b"ssh-ed25519")


class OpensshConnection(CowrieSSHConnection):
    decoy: Decoy

    def serviceStarted(self) -> None:
        super().serviceStarted()
        self.pending: list[tuple[Any, Callable[[], Any], bool]] = []
        self.listening: set[tuple[bytes, int]] = set()
        keys = b"".join(string(blob) for blob in self.host_keys())
        self.send(messages.GLOBAL_REQUEST, string(b"hostkeys-00@openssh.com") + b"\0" + keys)

    def host_keys(self) -> dict[bytes, Any]:
        offered = {b"ssh-rsa" if name.startswith(b"rsa-sha2-") else name for name in self.transport.offer.host_keys}
        keys = [self.transport.factory.privateKeys[name] for name in HOST_KEY_ORDER if name in offered]
        return {key.public().blob(): key for key in keys}

    def send(self, number: int, body: bytes) -> None:
        self.transport.sendPacket(number, body)

    def packetReceived(self, messageNum: int, packet: bytes) -> None:
        if messages.CHANNEL_WINDOW_ADJUST <= messageNum <= messages.CHANNEL_REQUEST:
            (number,), _ = read_numbers(packet, 1)
            if number not in self.channels:
                self.stray(messageNum, number)
                return
            if messageNum in FOR_THE_PROGRAM:
                is_close = messageNum == messages.CHANNEL_CLOSE
                self.afterwards(self.channels[number], lambda: self.deliver(messageNum, packet), is_close)
                return
        super().packetReceived(messageNum, packet)

    def deliver(self, message: int, packet: bytes) -> None:
        (number,), _ = read_numbers(packet, 1)
        if number in self.channels:
            super().packetReceived(message, packet)

    def afterwards(self, channel: Any, action: Callable[[], Any], even_closed: bool = False) -> None:
        """
        A server takes all messages that are there before it turns to its programs: what is for those, and the end of a
        channel, comes after the replies to the messages behind it. The client's CLOSE counts on a channel that is closed on
        this side too: only both together free it.
        """
        self.pending.append((channel, action, even_closed))

    def caught_up(self) -> None:
        """No further message is there."""
        pending, self.pending = self.pending, []
        for channel, action, even_closed in pending:
            if even_closed or not channel.localClosed:
                action()

    def stray(self, message: int, number: int) -> None:
        if message == messages.CHANNEL_WINDOW_ADJUST:
            return
        if message == messages.CHANNEL_REQUEST:
            self.transport.disconnect(f"server_input_channel_req: unknown channel {number}")
            return
        self.transport.disconnect(f"{requests.WHO_READS[message]} packet referred to nonexistent channel {number}")

    # Global requests

    def ssh_GLOBAL_REQUEST(self, packet: bytes) -> None:
        name, rest = read_string(packet)
        wants_reply, body = read_flag(rest)
        reply = self.global_reply(name, body)
        if wants_reply:
            self.send(messages.REQUEST_FAILURE if reply is None else messages.REQUEST_SUCCESS, reply or b"")

    def global_reply(self, name: bytes, body: bytes) -> bytes | None:
        if name == b"no-more-sessions@openssh.com":
            self.no_more_sessions = True
            return b""
        if name == b"hostkeys-prove-00@openssh.com":
            return self.proofs(body)
        if name in (b"tcpip-forward", b"cancel-tcpip-forward"):
            return forwarding.listen_reply(self, name, body)
        return None

    def proofs(self, body: bytes) -> bytes | None:
        keys, signatures = self.host_keys(), b""
        while body:
            blob, body = read_string(body)
            if blob not in keys:
                return None
            text = string(b"hostkeys-prove-00@openssh.com") + string(self.transport.session) + string(blob)
            kind = requests.signature_type(blob, self.transport.exchange_host_key)
            signatures += string(keys[blob].sign(text, signatureType=kind))
        return signatures

    # Channels

    no_more_sessions = False

    def ssh_CHANNEL_OPEN(self, packet: bytes) -> None:
        kind, rest = read_string(packet)
        (theirs, window, largest), body = read_numbers(rest, 3)
        if kind == b"direct-tcpip":
            forwarding.open_direct(self, theirs, window, largest, body)
        elif kind == b"session":
            self.open_session(theirs, window, largest, body)
        else:
            self.refuse(theirs, CONNECT_FAILED, b"open failed")

    def open_session(self, theirs: int, window: int, largest: int, body: bytes) -> None:
        if self.no_more_sessions:
            self.transport.disconnect("Possible attack: attempt to open a session after additional sessions disabled")
            return
        sessions = sum(channel.name == b"session" for channel in self.channels.values())
        try:
            channel = None if sessions >= MOST_SESSIONS else self.getChannel(b"session", window, largest, body)
        except ConchError:
            channel = None
        if channel is None:
            self.refuse(theirs, CONNECT_FAILED, b"open failed")
            return
        channel.localWindowSize, channel.localWindowLeft, channel.localMaxPacket = SESSION_WINDOW, 0, SESSION_PACKET
        self.add(channel, theirs, 0, SESSION_PACKET)
        channel.channelOpen(body)

    def add(self, channel: Any, theirs: int, window: int, packet: int) -> None:
        """The lowest number that is free, as OpenSSH's table of channels gives it."""
        number = next(n for n in range(len(self.channels) + 1) if n not in self.channels)
        channel.id, channel.program, channel.eof_received, channel.eof_sent = number, False, False, False
        self.channels[number] = channel
        self.channelsToRemoteChannel[channel] = theirs
        self.localToRemoteChannel[number] = theirs
        self.send(messages.CHANNEL_OPEN_CONFIRMATION, struct.pack(">4L", theirs, number, window, packet))

    def refuse(self, theirs: int, reason: int, text: bytes) -> None:
        self.send(messages.CHANNEL_OPEN_FAILURE, struct.pack(">2L", theirs, reason) + string(text) + string(b""))

    def ssh_CHANNEL_REQUEST(self, packet: bytes) -> None:
        (number,), rest = read_numbers(packet, 1)
        name, rest = read_string(rest)
        wants_reply, body = read_flag(rest)
        channel = self.channels[number]
        theirs = self.localToRemoteChannel[number]

        def reply(success: bool) -> None:
            if wants_reply:
                self.send(
                    messages.CHANNEL_SUCCESS if success else messages.CHANNEL_FAILURE, struct.pack(">L", theirs)
                )

        requests.answer(self, channel, name, body, reply)

    def ssh_CHANNEL_DATA(self, packet: bytes) -> None:
        (number,), rest = read_numbers(packet, 1)
        data, _ = read_string(rest)
        channel = self.channels[number]
        if not self.takes(channel, len(data)):
            return
        channel.dataReceived(data)

    def ssh_CHANNEL_EXTENDED_DATA(self, packet: bytes) -> None:
        """A server has no use for the client's standard error: OpenSSH takes it for a breach of the protocol."""
        (number, kind), rest = read_numbers(packet, 2)
        data, _ = read_string(rest)
        channel = self.channels[number]
        if self.takes(channel, len(data)):
            channel.extReceived(kind, data)

    def takes(self, channel: Any, size: int) -> bool:
        """Data past the window or the packet size is dropped; OpenSSH gives the window back after three packets."""
        if size > channel.localMaxPacket or size > channel.localWindowLeft or channel.localClosed:
            return False
        channel.localWindowLeft -= size
        used = channel.localWindowSize - channel.localWindowLeft
        if used > 3 * channel.localMaxPacket or channel.localWindowLeft < channel.localWindowSize // 2:
            self.adjustWindow(channel, used)
        return True

    def ssh_CHANNEL_EOF(self, packet: bytes) -> None:
        (number,), _ = read_numbers(packet, 1)
        channel = self.channels[number]
        channel.eof_received = True
        if channel.program:
            channel.eofReceived()

    def sendRequest(self, channel: Any, requestType: bytes, data: bytes, wantReply: int = 0) -> Any:
        """How a program ended: its output ends before, and an OpenSSH client hears that nobody reads any more."""
        if requestType not in (b"exit-status", b"exit-signal") or channel.localClosed:
            return super().sendRequest(channel, requestType, data, wantReply)
        self.sendEOF(channel)
        super().sendRequest(channel, requestType, data, wantReply)
        if b"OpenSSH" in self.transport.otherVersionString and not channel.eof_received:
            super().sendRequest(channel, b"eow@openssh.com", b"")
        return None

    def sendData(self, channel: Any, data: bytes) -> None:
        if getattr(channel, "on_standard_error", False):
            self.sendExtendedData(channel, STANDARD_ERROR, data)
        else:
            super().sendData(channel, data)

    def sendEOF(self, channel: Any) -> None:
        if not channel.eof_sent:
            channel.eof_sent = True
            super().sendEOF(channel)

    def channelClosed(self, channel: Any) -> None:
        super().channelClosed(channel)
        self.localToRemoteChannel.pop(channel.id, None)

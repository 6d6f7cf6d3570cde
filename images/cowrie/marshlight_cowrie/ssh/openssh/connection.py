"""
Connections as OpenSSH's server serves them: host keys told after the log-in, windows that open with the program, words
for what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import forwarding, messages
from ..connection import ServerConnection, ended_by
from ..wire import read_numbers, read_string, string
from . import requests

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SESSIONS = 10
SESSION_WINDOW = 64 * 32 * 1024
SESSION_PACKET = 32 * 1024
CONNECT_FAILED = 2
# Taken for answers to a keepalive.
ANSWERS = (messages.REQUEST_SUCCESS, messages.REQUEST_FAILURE, messages.CHANNEL_SUCCESS, messages.CHANNEL_FAILURE)
FOR_THE_PROGRAM = {messages.CHANNEL_DATA, messages.CHANNEL_EXTENDED_DATA, messages.CHANNEL_EOF, messages.CHANNEL_CLOSE}
# Of channels that we never ask for, or that are no more.
STRAYS = {
    messages.CHANNEL_OPEN_CONFIRMATION: "open confirmation",
    messages.CHANNEL_OPEN_FAILURE: "open failure",
    messages.CHANNEL_DATA: "data",
    messages.CHANNEL_EXTENDED_DATA: "extended data",
    messages.CHANNEL_EOF: "ieof",
    messages.CHANNEL_CLOSE: "oclose",
}
HOST_KEY_ORDER = (b"ssh-rsa", b"ecdsa-sha2-nistp256", b"ssh-ed25519")


class OpensshConnection(ServerConnection):
    forwarded_window, largest_packet, open_failed = SESSION_WINDOW, SESSION_PACKET, b"open failed"
    no_more_sessions = False

    def serviceStarted(self) -> None:
        super().serviceStarted()
        keys = b"".join(string(blob) for blob in self.host_keys())
        self.send(messages.GLOBAL_REQUEST, string(b"hostkeys-00@openssh.com") + b"\0" + keys)

    def host_keys(self) -> dict[bytes, Any]:
        offered = {b"ssh-rsa" if name.startswith(b"rsa-sha2-") else name for name in self.transport.offer.host_keys}
        keys = [self.transport.factory.privateKeys[name] for name in HOST_KEY_ORDER if name in offered]
        return {key.public().blob(): key for key in keys}

    def packetReceived(self, messageNum: int, packet: bytes) -> None:
        if messageNum in ANSWERS:
            return
        if messages.CHANNEL_OPEN_CONFIRMATION <= messageNum <= messages.CHANNEL_REQUEST:
            (number,), _ = read_numbers(packet, 1)
            if number not in self.channels:
                self.stray(messageNum, number)
                return
            if messageNum in (messages.CHANNEL_OPEN_CONFIRMATION, messages.CHANNEL_OPEN_FAILURE):
                self.transport.disconnect(f"Received {STRAYS[messageNum]} for non-opening channel {number}.")
                return
            if messageNum in FOR_THE_PROGRAM:
                # The client's CLOSE counts on a channel that is closed on this side too: only both together free it.
                is_close = messageNum == messages.CHANNEL_CLOSE
                self.afterwards(self.channels[number], lambda: self.deliver(messageNum, packet), is_close)
                return
        super().packetReceived(messageNum, packet)

    def deliver(self, message: int, packet: bytes) -> None:
        (number,), _ = read_numbers(packet, 1)
        if number in self.channels:
            super().packetReceived(message, packet)

    def stray(self, message: int, number: int) -> None:
        if message == messages.CHANNEL_WINDOW_ADJUST:
            return
        if message == messages.CHANNEL_REQUEST:
            self.transport.disconnect(f"server_input_channel_req: unknown channel {number}")
            return
        self.transport.disconnect(f"{STRAYS[message]} packet referred to nonexistent channel {number}")

    # Global requests

    def global_reply(self, name: bytes, body: bytes) -> bytes | None:
        if name == b"no-more-sessions@openssh.com":
            self.no_more_sessions = True
            return b""
        if name == b"hostkeys-prove-00@openssh.com":
            return self.proofs(body)
        if name == b"tcpip-forward":
            return self.listen(body)
        if name == b"cancel-tcpip-forward":
            return forwarding.listen_no_more(self, body)
        return None

    def listen(self, body: bytes) -> bytes | None:
        """The port is told where the client left it open."""
        (port,), _ = read_numbers(read_string(body)[1], 1)
        given = forwarding.listen(self, body)
        return None if given is None else given.to_bytes(4, "big") if port == 0 else b""

    def proofs(self, body: bytes) -> bytes | None:
        keys, signatures = self.host_keys(), b""
        while body:
            blob, body = read_string(body)
            if blob not in keys:
                return None
            text = string(b"hostkeys-prove-00@openssh.com") + string(self.transport.session) + string(blob)
            kind = signature_type(blob, self.transport.exchange_host_key)
            signatures += string(keys[blob].sign(text, signatureType=kind))
        return signatures

    # Channels

    def open_session(self, theirs: int, window: int, largest: int, body: bytes) -> None:
        if self.no_more_sessions:
            self.transport.disconnect("Possible attack: attempt to open a session after additional sessions disabled")
            return
        sessions = sum(channel.name == b"session" for channel in self.channels.values())
        channel = None if sessions >= MOST_SESSIONS or self.is_full() else self.new_session(window, largest, body)
        if channel is None:
            self.open_unknown(theirs)
            return
        channel.localWindowSize, channel.localWindowLeft, channel.localMaxPacket = SESSION_WINDOW, 0, SESSION_PACKET
        self.add(channel, theirs, 0, SESSION_PACKET)
        channel.channelOpen(body)

    def open_unknown(self, theirs: int) -> None:
        self.refuse(theirs, CONNECT_FAILED, self.open_failed)

    def answer_request(self, channel: Any, name: bytes, body: bytes, reply: Callable[[bool], None]) -> None:
        requests.answer(self, channel, name, body, reply)

    def run(self, channel: Any, kind: bytes, body: bytes, reply: Callable[[bool], None]) -> None:
        """The window opens when the program's pipes are there."""
        self.adjustWindow(channel, channel.localWindowSize)
        super().run(channel, kind, body, reply)

    def before_log_in(self, channel: Any) -> None:
        """PAM's words of the day."""
        motd = self.decoy.persona.motd
        if motd:
            self.sendData(channel, motd.encode())

    def ssh_CHANNEL_DATA(self, packet: bytes) -> None:
        (number,), rest = read_numbers(packet, 1)
        data, _ = read_string(rest)
        channel = self.channels[number]
        if not channel.eof_received and self.takes(channel, len(data)):
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

    def ssh_CHANNEL_CLOSE(self, packet: bytes) -> None:
        """A program that runs goes on, without input, until it ends or has something to say."""
        (number,), _ = read_numbers(packet, 1)
        channel = self.channels[number]
        runs = channel.name == b"session" and channel.program and not channel.localClosed
        if not runs or getattr(channel, "terminal", False):
            super().ssh_CHANNEL_CLOSE(packet)
            return
        channel.remoteClosed = channel.eof_sent = True
        if not channel.eof_received:
            self.ssh_CHANNEL_EOF(packet)

    def sendData(self, channel: Any, data: bytes) -> None:
        if not channel.remoteClosed:
            super().sendData(channel, data)
        elif not channel.localClosed:
            # Nobody reads: the program dies of it.
            self.sendRequest(channel, b"exit-signal", ended_by(b"PIPE"))
            channel.loseConnection()

    def program_ended(self, channel: Any) -> None:
        """An OpenSSH client hears that nobody reads any more."""
        if b"OpenSSH" in self.transport.otherVersionString and not channel.eof_received:
            self.sendRequest(channel, b"eow@openssh.com", b"")


def signature_type(blob: bytes, negotiated: bytes) -> bytes | None:
    """RSA keys prove themselves with the hash of the key exchange, where that was an RSA one."""
    kind, _ = read_string(blob)
    if kind != b"ssh-rsa":
        return kind
    return negotiated if negotiated.startswith(b"rsa-sha2-") else b"rsa-sha2-512"

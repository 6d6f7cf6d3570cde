"""
Connections as Dropbear's server serves them: small windows that are open from the start, as many channels as anybody
wants, and nothing said about what is wrong.

    A program that ends wakes the server, which then looks at every channel: those without a program it closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import forwarding, messages
from ..connection import ServerConnection
from ..wire import read_numbers, read_string
from . import requests
from .limits import LARGEST_DATA_IN, LARGEST_DATA_OUT, WINDOW, read_text

if TYPE_CHECKING:
    from collections.abc import Callable

# It has room for a thousand; a decoy has not, and neither has a small router for their programs.
MOST_CHANNELS = 100
UNKNOWN_KIND, NO_ROOM = 3, 4
GIVEN_BACK_AT = WINDOW // 3
ANSWERS = (messages.REQUEST_SUCCESS, messages.REQUEST_FAILURE, messages.CHANNEL_SUCCESS, messages.CHANNEL_FAILURE)
TO_CHANNELS = {*range(messages.CHANNEL_OPEN_CONFIRMATION, messages.CHANNEL_REQUEST + 1)}


class DropbearConnection(ServerConnection):
    forwarded_window, largest_packet, open_failed = WINDOW, LARGEST_DATA_IN, b""

    def packetReceived(self, messageNum: int, packet: bytes) -> None:
        if messageNum in ANSWERS:
            return
        if messageNum in TO_CHANNELS:
            (number,), _ = read_numbers(packet, 1)
            if number not in self.channels or messageNum < messages.CHANNEL_WINDOW_ADJUST:
                self.transport.disconnect(f"message {messageNum} for a channel that does not wait for it")
                return
        super().packetReceived(messageNum, packet)

    # Global requests

    def global_reply(self, name: bytes, body: bytes) -> bytes | None:
        """It never finds the listener that is to go: it compares a field that nobody has set."""
        return None

    def ssh_GLOBAL_REQUEST(self, packet: bytes) -> None:
        name, rest = read_text(packet)
        if name == b"tcpip-forward":
            given = forwarding.listen(self, rest[1:])
            if given is not None:
                # The port is told whether the client has left it open or not, and asked for an answer or not.
                self.send(messages.REQUEST_SUCCESS, given.to_bytes(4, "big"))
                return
        super().ssh_GLOBAL_REQUEST(packet)

    # Channels

    def open_session(self, theirs: int, window: int, largest: int, body: bytes) -> None:
        channel = None
        if len(self.channels) < MOST_CHANNELS and not self.is_full():
            channel = self.new_session(window, min(largest, LARGEST_DATA_OUT), body)
        if channel is None:
            self.refuse(theirs, NO_ROOM, b"")
            return
        channel.localWindowSize = channel.localWindowLeft = WINDOW
        channel.localMaxPacket = LARGEST_DATA_IN
        self.add(channel, theirs, WINDOW, LARGEST_DATA_IN)
        channel.channelOpen(body)

    def open_direct(self, theirs: int, window: int, largest: int, body: bytes) -> None:
        super().open_direct(theirs, window, min(largest, LARGEST_DATA_OUT), body)

    def open_unknown(self, theirs: int) -> None:
        self.refuse(theirs, UNKNOWN_KIND, b"")

    def unresolved(self, host: str, port: int) -> bytes:
        why = super().unresolved(host, port)
        return f"Error resolving '{host}' port '{port}'. ".encode() + why

    def answer_request(self, channel: Any, name: bytes, body: bytes, reply: Callable[[bool], None]) -> None:
        requests.answer(self, channel, name, body, reply)

    def ssh_CHANNEL_DATA(self, packet: bytes) -> None:
        (number,), rest = read_numbers(packet, 1)
        channel = self.channels[number]
        if channel.eof_received:
            self.transport.disconnect("data behind the end")
        elif channel.program:
            data, _ = read_string(rest)
            self.take(channel, data)

    def take(self, channel: Any, data: bytes) -> None:
        if len(data) > channel.localWindowLeft:
            self.transport.disconnect("data past the window")
            return
        channel.localWindowLeft -= len(data)
        used = channel.localWindowSize - channel.localWindowLeft
        if used >= GIVEN_BACK_AT:
            self.adjustWindow(channel, used)
        self.afterwards(channel, lambda: channel.dataReceived(data))

    def ssh_CHANNEL_EOF(self, packet: bytes) -> None:
        (number,), _ = read_numbers(packet, 1)
        self.no_more_input(self.channels[number])

    def no_more_input(self, channel: Any) -> None:
        if channel.eof_received:
            return
        channel.eof_received = True
        if not channel.program:
            self.close_idle(channel)
        elif not getattr(channel, "terminal", False):
            # A terminal has no end of its input but the one that is typed.
            self.afterwards(channel, channel.eofReceived)

    def close_idle(self, channel: Any) -> None:
        """A session without a program has nothing left to say."""
        self.sendEOF(channel)
        self.sendClose(channel)

    def ssh_CHANNEL_CLOSE(self, packet: bytes) -> None:
        """The program, where one runs, is waited for: its end is told before the channel goes."""
        (number,), _ = read_numbers(packet, 1)
        channel = self.channels[number]
        channel.remoteClosed = True
        if channel.localClosed:
            self.channelClosed(channel)
        elif channel.program and channel.name == b"session":
            self.no_more_input(channel)
        else:
            channel.eof_received = True
            self.sendClose(channel)

    def sendEOF(self, channel: Any) -> None:
        """No more is said of it to a client that has closed the channel already."""
        if not channel.remoteClosed:
            super().sendEOF(channel)

    def program_ended(self, channel: Any) -> None:
        for other in list(self.channels.values()):
            if other.name == b"session" and not other.program and not other.localClosed:
                self.close_idle(other)

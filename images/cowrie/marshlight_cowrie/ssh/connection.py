"""
The connection protocol (RFC 4254) as far as servers agree: a table of channels whose numbers are used again, replies
before the program runs, the end of a program. Windows, requests and what ends a connection are the software's.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from cowrie.ssh.connection import CowrieSSHConnection
from twisted.conch.error import ConchError

from . import forwarding, messages
from .wire import read_flag, read_numbers, read_string, string

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..decoy import Decoy
    from ..drift.meeting import Meeting

STANDARD_ERROR = 1
ENDS = (b"exit-status", b"exit-signal")
# What needs a process of its own.
STARTS = (b"exec", b"shell", b"subsystem")
SIGNALS = {
    **{1: b"HUP", 2: b"INT", 3: b"QUIT", 4: b"ILL", 6: b"ABRT", 8: b"FPE", 9: b"KILL"},
    **{10: b"USR1", 11: b"SEGV", 12: b"USR2", 13: b"PIPE", 14: b"ALRM", 15: b"TERM"},
}


def ended_by(name: bytes) -> bytes:
    """What is told of a program that a signal ended, without a dump of its memory."""
    return string(name) + b"\0" + string(b"") + string(b"")


class ServerConnection(CowrieSSHConnection):
    decoy: Decoy
    #: What a forwarded connection begins with: bytes in its window, and in a packet.
    forwarded_window: int
    largest_packet: int
    #: Where there is no reason to be told.
    open_failed: bytes

    def serviceStarted(self) -> None:
        super().serviceStarted()
        self.pending: list[tuple[Any, Callable[[], Any], bool]] = []
        self.listening: set[tuple[bytes, int]] = set()

    def send(self, number: int, body: bytes) -> None:
        self.transport.sendPacket(number, body)

    def afterwards(self, channel: Any, action: Callable[[], Any], even_closed: bool = False) -> None:
        """
        A server takes all messages that are there before it turns to its programs: what is for those comes after the
        replies to the messages behind it.
        """
        self.pending.append((channel, action, even_closed))

    def caught_up(self) -> None:
        """No further message is there."""
        pending, self.pending = self.pending, []
        for channel, action, even_closed in pending:
            if even_closed or not channel.localClosed:
                action()

    def ssh_GLOBAL_REQUEST(self, packet: bytes) -> None:
        name, rest = read_string(packet)
        wants_reply, body = read_flag(rest)
        reply = self.global_reply(name, body)
        if wants_reply:
            self.send(messages.REQUEST_FAILURE if reply is None else messages.REQUEST_SUCCESS, reply or b"")

    def global_reply(self, name: bytes, body: bytes) -> bytes | None:
        """What follows a success; None: failure."""
        raise NotImplementedError

    # Channels

    def ssh_CHANNEL_OPEN(self, packet: bytes) -> None:
        kind, rest = read_string(packet)
        (theirs, window, largest), body = read_numbers(rest, 3)
        if kind == b"direct-tcpip":
            self.open_direct(theirs, window, largest, body)
        elif kind == b"session":
            self.open_session(theirs, window, largest, body)
        else:
            self.open_unknown(theirs)

    def open_direct(self, theirs: int, window: int, largest: int, body: bytes) -> None:
        forwarding.open_direct(self, theirs, window, largest, body)

    def open_session(self, theirs: int, window: int, largest: int, body: bytes) -> None:
        raise NotImplementedError

    def open_unknown(self, theirs: int) -> None:
        raise NotImplementedError

    def unresolved(self, host: str, port: int) -> bytes:
        """Why a name leads nowhere; hosts here ask no name server."""
        return b"Temporary failure in name resolution"

    def new_session(self, window: int, largest: int, body: bytes) -> Any:
        try:
            return self.getChannel(b"session", window, largest, body)
        except ConchError:
            return None

    def is_full(self) -> bool:
        """Drift may have it that there is no room beside the sessions that go on, as where a server's limit of them is reached."""
        meeting: Meeting | None = getattr(self.transport, "drift", None)
        beside = any(channel.name == b"session" and not channel.localClosed for channel in self.channels.values())
        return beside and meeting is not None and meeting.further_is_refused()

    def add(self, channel: Any, theirs: int, window: int, packet: int) -> None:
        """The lowest number that is free."""
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
            if wants_reply and not channel.localClosed:
                kind = messages.CHANNEL_SUCCESS if success else messages.CHANNEL_FAILURE
                self.send(kind, struct.pack(">L", theirs))

        if name in STARTS and not getattr(channel, "program", False) and self.is_without_processes(channel, name):
            reply(False)
            return
        self.answer_request(channel, name, body, reply)

    def is_without_processes(self, channel: Any, name: bytes) -> bool:
        """Drift may have it so that the server cannot fork, and refuses the request. A command's answer is drawn here."""
        meeting: Meeting | None = getattr(self.transport, "drift", None)
        if meeting is None:
            return False
        if name != b"exec":
            return meeting.start_is_busy()
        channel.drift_answer = meeting.answer()
        if channel.drift_answer is None or channel.drift_answer.failure != "busy":
            return False
        meeting.felt.note("error", "busy")
        return True

    def answer_request(self, channel: Any, name: bytes, body: bytes, reply: Callable[[bool], None]) -> None:
        raise NotImplementedError

    # Programs

    def run(self, channel: Any, kind: bytes, body: bytes, reply: Callable[[bool], None]) -> None:
        """The reply comes first, and the program runs beside the server."""
        channel.program = True
        reply(True)
        if kind == b"shell" and not getattr(channel, "terminal", False):
            channel.is_log_in, kind, body = True, b"exec", string(b"")
            self.afterwards(channel, lambda: self.before_log_in(channel))
        elif kind == b"exec" and getattr(channel, "terminal", False):
            channel.terminal_command, kind, body = read_string(body)[0], b"shell", b""
        self.afterwards(channel, lambda: channel.requestReceived(kind, body))

    def before_log_in(self, channel: Any) -> None:
        """What the server itself says before a shell without a terminal."""

    def run_forced(self, channel: Any, asked: bytes | None, reply: Callable[[bool], None]) -> bool:
        """The `command=` of the key that opened the account stands in the place of what the client asks for."""
        command = self.transport.entry.allowed.command
        if command is None:
            return False
        channel.original_command = asked
        self.run(channel, b"exec", string(command.encode("utf-8", "surrogateescape")), reply)
        return True

    def sendRequest(self, channel: Any, requestType: bytes, data: bytes, wantReply: int = 0) -> Any:
        """How a program ended: its output ends before."""
        if requestType not in ENDS or channel.localClosed:
            return super().sendRequest(channel, requestType, data, wantReply)
        self.sendEOF(channel)
        name = SIGNALS.get(getattr(channel, "ended_by", 0))
        if name is not None:
            requestType, data = b"exit-signal", ended_by(name)
        super().sendRequest(channel, requestType, data, wantReply)
        self.program_ended(channel)
        return None

    def program_ended(self, channel: Any) -> None:
        raise NotImplementedError

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

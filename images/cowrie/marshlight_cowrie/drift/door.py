"""
Connections and the drift: which are not taken, and which end because the service is away now.

    client -> Doorkeeper (limits) -> Door -> the persona's sshd or telnetd
                                      |- refused, away: reset      busy: as a server with too many      timeout: silence
                                      `- taken: `protocol.drift`, a Meeting, until it is lost; what was felt is told then
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ..ssh.hook import turned_away
from .altered import version_of
from .felt import EVENT, TEXT
from .meeting import Meeting

if TYPE_CHECKING:
    from ..decoy import Decoy

#: How often hours are looked at, and how often is told what sessions felt that go on.
HOURS_SECONDS, TELL_SECONDS = 1.0, 60.0
#: What a client waits for a server that says nothing, before this side gives up.
SILENT_SECONDS = 20.0
#: Sources whose refused connections are counted until they are told.
MOST_TURNED_AWAY = 256
EXCEEDED = b"Exceeded MaxStartups\r\n"


class Door:
    def __init__(self, decoy: Decoy, dispatcher: Any) -> None:
        self.decoy, self.in_force, self.dispatcher = decoy, decoy.drift, dispatcher
        self.open: dict[Any, Meeting] = {}
        self.turned_away: OrderedDict[tuple[str, str], Meeting] = OrderedDict()

    def start(self) -> None:
        from twisted.internet.task import LoopingCall

        LoopingCall(self.close_what_is_away).start(HOURS_SECONDS, now=False)
        LoopingCall(self.tell_all).start(TELL_SECONDS, now=False)

    def guard(self, factory: Any, service: str) -> None:
        """`service`: ssh or telnet."""
        build = factory.buildProtocol

        def build_protocol(address: Any) -> Any:
            meeting = self.in_force.meeting(address.host)
            fails = meeting.connection()
            if fails is not None:
                self.note_turned_away(service, meeting)
                return self.failing(service, fails)
            protocol = build(address)
            if protocol is not None:
                protocol.drift = meeting
                self.alter_banner(protocol, meeting)
                self.watch(protocol, meeting)
            return protocol

        factory.buildProtocol = build_protocol

    def failing(self, service: str, how: str) -> Any:
        if how == "timeout":
            return silent()
        if how != "busy":
            return reset()
        # Dropbear and telnetd hang up without a word.
        ssh = self.decoy.persona.ssh
        return turned_away(EXCEEDED if service == "ssh" and ssh is not None and "OpenSSH" in ssh.banner else b"")

    def alter_banner(self, protocol: Any, meeting: Meeting) -> None:
        """The patch level of sshd; its conduct goes by the release, which stays."""
        banner = getattr(protocol, "ourVersionString", None)
        course = meeting.course
        if not isinstance(banner, bytes) or course is None:
            return
        how = meeting.alters("version", "banner", course.connections)
        if how is not None:
            made = version_of(banner, how)
            if made != banner:
                meeting.felt.note("alteration", "version")
            protocol.ourVersionString = made

    def watch(self, protocol: Any, meeting: Meeting) -> None:
        lost = protocol.connectionLost
        self.open[protocol] = meeting

        def connection_lost(*reason: Any) -> Any:
            self.open.pop(protocol, None)
            self.tell(protocol, meeting)
            return lost(*reason)

        protocol.connectionLost = connection_lost

    def close_what_is_away(self) -> None:
        for protocol, meeting in list(self.open.items()):
            if self.in_force.is_away(meeting.source):
                meeting.felt.note("schedule", "closed")
                protocol.transport.loseConnection()

    # What was felt

    def tell(self, protocol: Any, meeting: Meeting) -> None:
        events = getattr(protocol, "events", None)
        if events is not None:
            for fields in meeting.felt.take(self.in_force.mark):
                events.dispatch(EVENT, TEXT, **fields)

    def note_turned_away(self, service: str, meeting: Meeting) -> None:
        """Those connections are no sessions: they are told by source."""
        key = (service, meeting.source)
        known = self.turned_away.get(key)
        if known is None:
            self.turned_away[key] = meeting
            if len(self.turned_away) > MOST_TURNED_AWAY:
                oldest, found = self.turned_away.popitem(last=False)
                self.tell_turned_away(oldest[0], found)
            return
        for (kind, what), (count, ms) in meeting.felt.counts.items():
            for _ in range(count):
                known.felt.note(kind, what, ms / count)

    def tell_turned_away(self, service: str, meeting: Meeting) -> None:
        for fields in meeting.felt.take(self.in_force.mark):
            where = {"src_ip": meeting.source, "protocol": service, "time": time.time()}
            self.dispatcher.dispatch({"eventid": EVENT, "format": TEXT, **where, **fields})

    def tell_all(self) -> None:
        for protocol, meeting in list(self.open.items()):
            self.tell(protocol, meeting)
        while self.turned_away:
            (service, _), meeting = self.turned_away.popitem(last=False)
            self.tell_turned_away(service, meeting)


def reset() -> Any:
    """As nearly refused as a service can that does listen: the connection is reset before a word."""
    from twisted.internet.protocol import Protocol

    class Reset(Protocol):
        def connectionMade(self) -> None:
            assert self.transport is not None
            self.transport.abortConnection()

    return Reset()


def silent() -> Any:
    from twisted.internet import reactor
    from twisted.internet.protocol import Protocol

    class Silent(Protocol):
        def connectionMade(self) -> None:
            assert self.transport is not None
            self.timer = reactor.callLater(SILENT_SECONDS, self.transport.loseConnection)  # type: ignore[attr-defined]

        def connectionLost(self, reason: Any = None) -> None:
            if self.timer.active():
                self.timer.cancel()

    return Silent()

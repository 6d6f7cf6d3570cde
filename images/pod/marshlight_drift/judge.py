"""
What becomes of each packet that drift may concern. Pure: packets and the time go in, verdicts come out.

An answer begins with the first content after the other side was heard, which the acknowledgement tells: it has risen.
    SYN            refused or silent for the life of that connection, or passes
    datagram       that asks: refused as a closed port does, or lost; its answer waits
    answer         waits, is altered, or becomes a reset; what follows in the same connection does not overtake it
    sent again     bears the same bytes as before, and nothing is drawn for it
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from marshlight_common.drift import MOST_DELAY_MS, Deviation, Draws, InForce, in_hours, some

from . import packet as wire
from .digits import Text, changed
from .felt import Felt
from .packet import Packet, behind

PASS, DROP, REFUSE, CHANGE = "pass", "drop", "refuse", "change"
MOST_CONNECTIONS, MOST_SOURCES = 8192, 1024
# Farther off than any window: another connection between the same ports.
FAR = 1 << 24
# Of an answer, what is looked through for something to alter; of changes, what is kept to be sent again.
MOST_LOOKED_AT, MOST_CHANGES = 65_536, 64


@dataclass(frozen=True)
class Verdict:
    do: str = PASS
    """Not before then, seconds of the clock that was handed in; 0: now."""
    at: float = 0.0
    content: bytes = b""


@dataclass
class Connection:
    next: int = -1
    ack: int = -1
    due: float = 0.0
    dead: bool = False
    what: str | None = None
    text: Text = field(default_factory=Text)
    looked_at: int = 0
    changes: OrderedDict[int, int] = field(default_factory=OrderedDict)


@dataclass
class Source:
    deviation: Deviation
    draws: Draws
    digits: random.Random


Key, Value = TypeVar("Key"), TypeVar("Value")


class Bounded(OrderedDict[Key, Value], Generic[Key, Value]):
    """Forgets what was used longest ago."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def keep(self, key: Key, value: Value) -> Value:
        self[key] = value
        self.move_to_end(key)
        while len(self) > self.most:
            self.popitem(last=False)
        return value


class Judge:
    def __init__(self, local: Callable[[float], datetime], others: Callable[[], int]) -> None:
        """`local`: the persona's time of day; `others`: connections that are open besides the one that asks."""
        self.local, self.others = local, others
        self.in_force = InForce()
        self.felt = Felt()
        self.connections: Bounded[tuple[int, str, int, int], Connection] = Bounded(MOST_CONNECTIONS)
        self.openings: Bounded[tuple[str, int, int], tuple[int, str]] = Bounded(MOST_CONNECTIONS)
        self.sources: Bounded[str, Source] = Bounded(MOST_SOURCES)

    def now(self, in_force: InForce) -> None:
        """Another drift from now on. Nothing waits for what the one before had drawn."""
        self.in_force = in_force
        for one in self.connections.values():
            one.due = 0.0

    def source(self, address: str) -> Source | None:
        deviation = self.in_force.of(address)
        if deviation is None:
            return None
        known = self.sources.get(address)
        if known is None or known.deviation != deviation:
            row = random.Random(f"{deviation.seed}/{address}/digits")
            known = Source(deviation, Draws(deviation.seed, address), row)
        return self.sources.keep(address, known)

    def arriving(self, packet: Packet, now: float) -> Verdict:
        """A SYN to a port of a service, or a datagram."""
        if packet.protocol == wire.UDP:
            return self.asked(packet, now)
        key = (packet.source, packet.port, packet.own)
        source, before = self.source(packet.source), self.openings.get(key)
        if before is None or before[0] != packet.seq:
            self.connections.pop((wire.TCP, *key), None)
        if source is None:
            return Verdict()
        if before is not None and before[0] == packet.seq:
            return Verdict(before[1])
        return Verdict(self.openings.keep(key, (packet.seq, self.met(source, packet, now)))[1])

    def asked(self, packet: Packet, now: float) -> Verdict:
        """Each datagram by itself: a client that asks again may well be answered."""
        source = self.source(packet.source)
        return Verdict() if source is None else Verdict(self.met(source, packet, now))

    def met(self, source: Source, packet: Packet, now: float) -> str:
        """How a connection is met as it begins, or a datagram that asks."""
        effects = source.deviation.effects
        if in_hours(effects, self.local(now)):
            self.felt.note(packet.source, packet.port, "schedule", "hours")
            return REFUSE
        kind = source.draws.fails(some(effects, "refused", "timeout"))
        if kind is not None:
            self.felt.note(packet.source, packet.port, "error", kind)
        return {"refused": REFUSE, "timeout": DROP}.get(kind or "", PASS)

    def leaving(self, packet: Packet, now: float) -> Verdict:
        source = self.source(packet.source)
        key = (packet.protocol, packet.source, packet.port, packet.own)
        if packet.protocol == wire.UDP:
            return self.datagram(packet, key, source, now)
        one = self.connections.get(key)
        if source is None or packet.length == 0:
            # Whose drift was taken away keeps what was begun: order, bytes that are sent again, a connection that is dead.
            return self.following(one, packet, now) if one else Verdict()
        if one is None or (one.next >= 0 and abs(behind(packet.seq, one.next)) > FAR):
            one = Connection()
        self.connections.keep(key, one)
        if one.dead:
            return self.following(one, packet, now)
        again = one.next >= 0 and behind(packet.seq, one.next) > 0
        if not again:
            one.next = (packet.seq + packet.length) % wire.WHOLE
            if one.ack < 0 or behind(one.ack, packet.ack) > 0:
                one.ack = packet.ack
                if not self.begin(one, source, packet, now):
                    one.dead = True
                    return Verdict(CHANGE, one.due if one.due > now else 0.0, wire.as_reset(packet))
            self.alter(one, source, packet)
        return self.following(one, packet, now)

    def begin(self, one: Connection, source: Source, packet: Packet, now: float) -> bool:
        """Draws for a new answer; whether there is to be one."""
        effects = source.deviation.effects
        words = ("reset",) if packet.own in self.in_force.says_busy else ("reset", "busy")
        kind = source.draws.fails(some(effects, *words))
        wait = self.wait(source, packet, kind == "busy")
        one.what = source.draws.alters(some(effects, "bytes", "fields", "contents", "version"))
        one.text, one.looked_at = Text(one.text), 0
        one.due = max(one.due, now + wait / 1000)
        ended = ("error", "reset") if kind == "reset" else ("schedule", "hours") if in_hours(effects, self.local(now)) else None
        if ended is not None:
            self.felt.note(packet.source, packet.port, *ended)
        return ended is None

    def wait(self, source: Source, packet: Packet, busy: bool) -> float:
        """Milliseconds, told as what they come from."""
        effects = source.deviation.effects
        wait = MOST_DELAY_MS if busy else source.draws.wait_ms(effects, self.others())
        word = "busy" if busy else next((effect.word for effect in effects if effect.type == "latency"), "")
        if wait > 0:
            self.felt.note(packet.source, packet.port, "error" if busy else "latency", word, wait)
        return wait

    def alter(self, one: Connection, source: Source, packet: Packet) -> None:
        content = packet.content
        one.text.begin(content)
        if one.what is None or one.looked_at >= MOST_LOOKED_AT:
            return
        one.looked_at += len(content)
        found = changed(content, one.text.eligible(content, one.what), one.what, source.digits)
        for offset, byte in found.items():
            one.changes[(packet.seq + offset) % wire.WHOLE] = byte
        while len(one.changes) > MOST_CHANGES:
            one.changes.popitem(last=False)
        if found:
            self.felt.note(packet.source, packet.port, "alteration", one.what)
            one.what = None

    def following(self, one: Connection, packet: Packet, now: float) -> Verdict:
        if one.dead:
            # Its own side is told as well; a reset that it sends by itself is one too many.
            return Verdict(DROP if packet.flags & wire.RST else REFUSE)
        at = one.due if one.due > now else 0.0
        content = None
        for seq, byte in one.changes.items():
            offset = behind(packet.seq, seq)
            if 0 <= offset < min(packet.length, len(packet.raw) - packet.start):
                content = content or bytearray(packet.content)
                content[offset] = byte
        return Verdict(CHANGE, at, wire.with_content(packet, bytes(content))) if content else Verdict(PASS, at)

    def datagram(self, packet: Packet, key: tuple[int, str, int, int], source: Source | None, now: float) -> Verdict:
        if source is None:
            return Verdict()
        effects = source.deviation.effects
        wait = self.wait(source, packet, source.draws.fails(some(effects, "busy")) is not None)
        one = self.connections.keep(key, self.connections.get(key) or Connection())
        one.due = max(one.due, now + wait / 1000)
        return Verdict(PASS, one.due if one.due > now else 0.0)

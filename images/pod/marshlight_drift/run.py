"""
The process: reads what is in force, takes packets from the queue, gives verdicts when their time has come.

It is started by the agent and outlives it: when its input ends, it goes on as a child of the pod's first process, and the
next one that is started takes over. It ends by itself when nothing has been in force for some seconds, and says on
standard output, one line of JSON each time, what is, and what of it which source felt.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshlight_common import drift
from marshlight_common.control_files import Refused, Watched, contents

from . import judge, packet, queue, routes, rules

CONTROL = Path(os.environ.get("MARSHLIGHT_CONTROL", "/marshlight/control"))
LOCK = Path("/dev/shm/marshlight-drift")
LOOK_EVERY = 0.25
TELL_EVERY = 10.0
IDLE = 3.0
OVER_UDP = ("snmp", "ntp", "tftp", "netbios", "mdns", "llmnr")
OPEN = "01"


class Drifting:
    def __init__(self, lock: int) -> None:
        self.lock = lock
        self.watched = Watched([CONTROL / "drift.json", CONTROL / "persona.json"])
        self.zone: tzinfo = timezone.utc
        self.tcp: frozenset[int] = frozenset()
        self.udp: frozenset[int] = frozenset()
        self.in_force = drift.InForce()
        self.judge = judge.Judge(self.local, self.others)
        self.judge.felt.take_over()
        self.told = time.monotonic()
        self.queue = queue.Queue(rules.QUEUE)
        """Verdicts that wait: when, in which order they came, for which packet."""
        self.held: list[tuple[float, int, int, judge.Verdict]] = []
        self.came = 0
        self.open, self.counted = 0, 0.0
        self.set: tuple[Any, ...] = ()
        """Since when nothing has been in force."""
        self.idle: float | None = time.monotonic()
        self.heard = [sys.stdin.fileno()]

    def local(self, now: float) -> datetime:
        # Packets are timed by a clock that nobody sets; hours are told by the other one.
        return datetime.now(self.zone)

    def others(self) -> int:
        now = time.monotonic()
        if now - self.counted >= LOOK_EVERY:
            self.open, self.counted = open_connections(self.tcp), now
        return max(0, self.open - 1)

    def look(self) -> None:
        """What the files say now, in force at once. One that cannot be used changes nothing."""
        if not self.watched.changed():
            return
        try:
            self.in_force = drift.read(contents(CONTROL / "drift.json"))
            self.zone, self.tcp, self.udp = host(contents(CONTROL / "persona.json"))
            begin, answers, changes = rules.concerning(self.in_force.effects())
            wanted = (self.tcp, self.udp, begin, answers)
            if wanted != self.set:
                rules.put(*wanted)
                self.set = wanted
            routes.acknowledge_at_once(rules.holding(self.in_force.effects()))
            self.queue.take(not changes)
            self.judge.now(self.in_force)
            self.let_go(float("inf"))
            left_out = rules.left_out(self.in_force.effects())
            say({"ok": True, "mark": self.in_force.mark, "leftOut": left_out})
            self.idle = None if begin or answers else time.monotonic()
        except (Refused, OSError) as error:
            say({"ok": False, "mark": self.in_force.mark, "error": str(error)[:300]})

    def run(self) -> None:
        self.look()
        looked = time.monotonic()
        while self.idle is None or looked - self.idle < IDLE:
            now = time.monotonic()
            until = min(looked + LOOK_EVERY, self.held[0][0] if self.held else now + LOOK_EVERY)
            come = select.select([self.queue.link, *self.heard], [], [], max(0.0, until - now))[0]
            if self.queue.link in come:
                for one in self.queue.waiting():
                    self.consider(one)
            if set(self.heard) & set(come) and not os.read(self.heard[0], 4096):
                # An agent that lets go of it reads to the end.
                self.tell()
                self.heard = []
                if self.idle is not None:
                    return
                on_its_own(self.lock)
            now = time.monotonic()
            self.let_go(now)
            if now - looked >= LOOK_EVERY:
                self.look()
                looked = now
            if now - self.told >= TELL_EVERY:
                self.tell()
                self.told = now

    def consider(self, one: queue.Queued) -> None:
        now = time.monotonic()
        found = packet.parsed(one.raw, one.leaving, one.length)
        if found is None:
            self.queue.give(one.id, queue.ACCEPT)
            return
        verdict = self.judge.leaving(found, now) if one.leaving else self.judge.arriving(found, now)
        if verdict.at > now:
            self.came += 1
            heapq.heappush(self.held, (verdict.at, self.came, one.id, verdict))
        else:
            self.give(one.id, verdict)

    def let_go(self, now: float) -> None:
        while self.held and self.held[0][0] <= now:
            _, _, number, verdict = heapq.heappop(self.held)
            self.give(number, verdict)

    def give(self, number: int, verdict: judge.Verdict) -> None:
        if verdict.do == judge.DROP:
            self.queue.give(number, queue.DROP)
        elif verdict.do == judge.REFUSE:
            self.queue.give(number, queue.ACCEPT, mark=rules.MARK)
        else:
            self.queue.give(number, queue.ACCEPT, raw=verdict.content)

    def tell(self) -> None:
        """What was felt, while somebody reads it."""
        rows = self.judge.felt.take() if self.heard else []
        if rows:
            say({"felt": rows, "mark": self.in_force.mark})

    def close(self) -> None:
        rules.remove()
        with suppress(OSError):
            # It does no harm to who is answered at once.
            routes.acknowledge_at_once(False)
        self.tell()
        self.judge.felt.leave()
        self.let_go(float("inf"))
        for one in self.queue.waiting(queue.MOST_WAITING):
            self.queue.give(one.id, queue.ACCEPT)
        self.queue.close()


def host(raw: bytes) -> tuple[tzinfo, frozenset[int], frozenset[int]]:
    """Of the persona: its time zone, and the ports of its services over TCP and over UDP."""
    try:
        said = json.loads(raw)
        services = [(str(one["kind"]), int(one["port"])) for one in said.get("services") or []]
        name = str(said["timezone"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"persona.json: {type(error).__name__} {error}"[:300]) from None
    try:
        zone: tzinfo = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = timezone.utc
    over_udp = frozenset(port for kind, port in services if kind in OVER_UDP)
    return zone, frozenset(port for kind, port in services if kind not in OVER_UDP), over_udp


def open_connections(ports: Iterable[int], table: Path = Path("/proc/self/net/tcp")) -> int:
    wanted = {f":{port:04X}" for port in ports}
    with open(table) as lines:
        next(lines)
        rows = (line.split(maxsplit=4) for line in lines)
        return sum(row[3] == OPEN and row[1][-5:] in wanted for row in rows)


def say(line: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except OSError:
        # Nobody reads any more: the agent went, drift stays.
        pass


def alone() -> int:
    """The lock of the one that drifts; whoever has it is told to leave."""
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    for _ in range(40):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            note(lock)
            return lock
        except BlockingIOError:
            try:
                os.kill(int(os.pread(lock, 16, 0)), signal.SIGTERM)
            except (ValueError, ProcessLookupError):
                pass
            time.sleep(0.05)
    raise OSError(0, "another process that drifts does not leave")


def on_its_own(lock: int) -> None:
    """The agent's command ends here; its child has the queue and the lock, and goes on."""
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    note(lock)


def note(lock: int) -> None:
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def main() -> int:
    def leave(*_: Any) -> None:
        # The next one asks again and again until the place is free: what is cleared away then is not to be broken off.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    os.set_blocking(1, False)
    try:
        lock = alone()
        drifting = Drifting(lock)
    except OSError as error:
        say({"ok": False, "mark": "none", "error": str(error)[:300]})
        return 1
    try:
        drifting.run()
    finally:
        drifting.close()
        os.close(lock)
    return 0

"""The pretended machine as the decoy's persona has it at the moment."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .. import life, network
from ..life import lines
from .tasks import Signal

if TYPE_CHECKING:
    from ..decoy import Decoy
    from ..life.lines import Line
    from ..persona import Persona
    from .ports import Row


class DecoyHost:
    def __init__(self, decoy: Decoy, key: str = "") -> None:
        """`key`: whose changes the session sees."""
        self.decoy, self.key = decoy, key
        #: Of whom the terminal is, whoever he acts as.
        self.login_name = ""
        self.address, self.mac = network.address(), network.mac()
        self.gateway = f"{self.address.rsplit('.', 1)[0]}.1"

    @property
    def persona(self) -> Persona:
        return self.decoy.persona

    def now(self) -> float:
        return time.time()

    def next_pid(self) -> int:
        return self.decoy.visits.next_pid()

    def syslog(self, facility: str, tag: str, text: str) -> None:
        """syslog(3): into the logs as this attacker sees them."""
        self.decoy.visits.say(self.key, facility, tag, text)

    def journal(self, begin: float, end: float) -> list[Line]:
        """What was said on the machine, as this attacker sees it, in the order of time."""
        own = self.decoy.trees.doings(self.key)
        begin = max(begin, own.journal_from)
        happened = life.events(self.persona, begin - 3600, end)
        told = [line for event in happened for line in lines.of(self.persona, event)]
        return sorted((line for line in [*told, *own.lines] if begin <= line.at < end), key=lambda line: line.at)

    def kernel_said(self) -> list[Line]:
        """Since boot, beyond what it says as it boots."""
        return self.decoy.trees.doings(self.key).told(("kern",), self.persona.booted_at, self.now() + 1)

    def forget_journal(self) -> None:
        self.decoy.trees.doings(self.key).journal_from = self.now()

    def connections(self) -> list[tuple[int, str, int, tuple[int, ...]]]:
        """Of this attacker: own port, address and port of the client, the daemon's processes for it, the child first."""
        found = []
        for visit in self.decoy.visits.open.get(self.key, []):
            client = visit.client
            pids = (visit.pid,) if visit.child in (0, visit.pid) else (visit.child, visit.pid)
            found.append((23 if client.kind == "login" else 22, client.source, client.port, pids))
        return found

    def others(self, table: Any) -> list[Row]:
        """What else runs: of the persona's people and jobs, and in this attacker's further sessions."""
        rows = life.processes(self.persona, self.now())
        for visit in self.decoy.visits.open.get(self.key, []):
            for other in visit.tables:
                rows += [] if other is table else other.own.values()
        return rows

    @property
    def utc_offset(self) -> float:
        from datetime import datetime

        try:
            offset = datetime.now(ZoneInfo(self.persona.timezone)).utcoffset()
        except (KeyError, ValueError, OSError):
            return 0.0
        return offset.total_seconds() if offset else 0.0

    def random(self, name: str) -> float:
        digest = hashlib.sha256(f"{self.persona.seed} {name}".encode()).hexdigest()
        return int(digest[:13], 16) / (1 << 52)

    async def sleep(self, seconds: float) -> None:
        from twisted.internet import reactor

        signal = Signal()
        timer: Any = reactor.callLater(max(0.0, min(seconds, 1e7)), signal.set)  # type: ignore[attr-defined]
        try:
            await signal
        finally:
            if timer.active():
                timer.cancel()

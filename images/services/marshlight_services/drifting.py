"""
The drift that a service says by itself: that it is busy, in the words of its protocol. All else of drift meets its packets
(images/pod), and so does this at ports that drift.json does not name as saying it.

    control/drift.json -- each 0.25 s --> busy(session), drawn for its source --> the kind's own words
                                             '--> counted by source --> `marshlight.drift`, each ten seconds and at the end
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from marshlight_common.control_files import Refused, Watched, contents
from marshlight_common.drift import Deviation, Draws, InForce, read, some
from marshlight_common.event_files import utc

from . import places

if TYPE_CHECKING:
    from .control import Control
    from .host import Host
    from .session import Session

MOST_SOURCES = 1024
TELL_EVERY = 10.0


class Drifting:
    def __init__(self, host: Host) -> None:
        self.host = host
        self.watched = Watched([places.DRIFT])
        self.in_force = InForce()
        self.sources: OrderedDict[str, tuple[Deviation, Draws]] = OrderedDict()
        self.felt: dict[str, int] = {}
        self.told = time.monotonic()

    def look(self) -> None:
        """What the file says now, in force at once. One that cannot be used changes nothing: the pod tells of it."""
        if self.watched.changed():
            try:
                changed = read(contents(places.DRIFT))
            except Refused:
                changed = self.in_force
            if changed != self.in_force:
                self.tell()
                self.in_force = changed
        if self.felt and time.monotonic() - self.told >= TELL_EVERY:
            self.tell()

    def busy(self, session: Session) -> bool:
        """Whether this source is turned away this time."""
        source, port = session.source[0], session.target[1]
        deviation = self.in_force.of(source) if port in self.in_force.says_busy else None
        effects = some(deviation.effects, "busy") if deviation else ()
        if deviation is None or not effects:
            return False
        known = self.sources.pop(source, None)
        # A row of its own: what packets of the same source draw is another matter.
        draws = known[1] if known and known[0] == deviation else Draws(deviation.seed, f"{source}/said")
        self.sources[source] = (deviation, draws)
        if len(self.sources) > MOST_SOURCES:
            self.sources.popitem(last=False)
        if draws.fails(effects) is None:
            return False
        if source in self.felt or len(self.felt) < MOST_SOURCES:
            self.felt[source] = self.felt.get(source, 0) + 1
        return True

    def tell(self) -> None:
        self.told = time.monotonic()
        felt, self.felt = self.felt, {}
        for source, count in felt.items():
            row = {"src_ip": source, "type": "error", "what": "busy", "count": count, "ms": 0, "mark": self.in_force.mark}
            line = {"eventid": "marshlight.drift", "timestamp": utc(time.time()), **row, "marshlight": whose(self.host.control)}
            self.host.files.append(line)


def whose(control: Control) -> dict[str, object]:
    """Which decoy and persona an event is of."""
    return {
        "decoy": control.context.decoy,
        "persona": control.persona.id,
        "personaVersion": control.persona.version,
        "revision": control.context.revision,
    }

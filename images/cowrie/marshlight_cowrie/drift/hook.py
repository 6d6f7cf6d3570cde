"""Reads the drift in force, before the first connection; `live` goes on looking, `service` puts the Door in place."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from .. import diagnostics, places
from ..life.calendar import local
from .in_force import InForce

if TYPE_CHECKING:
    from ..decoy import Decoy


def install(decoy: Decoy) -> None:
    def now() -> datetime:
        return local(decoy.persona, time.time())

    def others() -> int:
        """Sessions that are logged in, but for the one that asks."""
        return max(0, sum(len(visits) for visits in decoy.visits.open.values()) - 1)

    decoy.drift = InForce(places.DRIFT, now, others)
    look(decoy)


def look(decoy: Decoy) -> bool:
    """Whether there is something new to tell in status.json."""
    if not decoy.drift.look():
        return False
    if decoy.drift.error:
        diagnostics.say("error", f"drift.json refused, the drift in force stays: {decoy.drift.error}")
    return True

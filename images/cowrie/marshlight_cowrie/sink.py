"""Cowrie's events as lines of event files, with whose they are; what is bounded and what is dropped of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshlight_common.event_files import EventFiles, cut, utc

from . import limits as caps
from . import places

if TYPE_CHECKING:
    from .decoy import Decoy
    from .limits import Limits

LONGEST_TEXT = 8192
LONGEST_LIST = 256
DEEPEST = 6
INTERNAL = ("format", "time", "system", "sensor", "uuid")
FINISHED_BLOBS = {
    "cowrie.log.closed": places.TTY,
    "cowrie.session.file_download": places.FILES,
    "cowrie.session.file_upload": places.FILES,
}


class Sink:
    accepts_sessionless = True

    def __init__(self, decoy: Decoy, limits: Limits) -> None:
        self.decoy, self.limits = decoy, limits
        self.files = EventFiles(places.EVENTS, places.STATE / "events.next", limits.event_bytes, "marshlight.events.lost")

    def write(self, event: dict[str, Any]) -> None:
        """Called by Cowrie's dispatcher with an event of its own."""
        self.files.append(self.enriched(event))
        blobs = FINISHED_BLOBS.get(event.get("eventid", ""))
        if blobs:
            caps.trim(blobs, self.limits)

    def enriched(self, event: dict[str, Any]) -> dict[str, Any]:
        line = {key: bounded(value) for key, value in event.items() if not internal(key)}
        line["timestamp"] = utc(event["time"])
        persona, context = self.decoy.persona, self.decoy.context
        line["marshlight"] = {
            "decoy": context.decoy,
            "persona": persona.id,
            "personaVersion": persona.version,
            "revision": context.revision,
        }
        return line


def internal(key: str) -> bool:
    return key in INTERNAL or key.startswith("log_")


def bounded(value: Any, depth: int = 0) -> Any:
    """Text of an attacker in the size that a line can bear; what was cut says how much."""
    if isinstance(value, str):
        return cut(value, LONGEST_TEXT)
    if depth >= DEEPEST:
        return "...[deep]"
    if isinstance(value, dict):
        return {str(key)[:64]: bounded(item, depth + 1) for key, item in list(value.items())[:LONGEST_LIST]}
    if isinstance(value, (list, tuple)):
        return [bounded(item, depth + 1) for item in value[:LONGEST_LIST]]
    if isinstance(value, bytes):
        return bounded(value.decode("utf-8", "replace"))
    return value

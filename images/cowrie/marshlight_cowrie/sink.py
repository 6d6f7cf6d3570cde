"""
Cowrie's events as files of lines: events/events-<n>.jsonl, n strictly increasing over restarts.

Each line leaves in one write(2), so a reader never sees a piece of one; a file whose writer died may end in a piece,
and is never continued. What could not be written is counted, and said in a line of its own as soon as there is room.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import limits as caps
from . import places

if TYPE_CHECKING:
    from .decoy import Decoy
    from .limits import Limits

ROLL_AT = 8 * caps.MIB
LONGEST_TEXT = 8192
LONGEST_LIST = 256
DEEPEST = 6
INTERNAL = ("format", "time", "system", "sensor", "uuid")
NUMBERED = re.compile(r"events-(\d+)\.jsonl")
FINISHED_BLOBS = {
    "cowrie.log.closed": places.TTY,
    "cowrie.session.file_download": places.FILES,
    "cowrie.session.file_upload": places.FILES,
}


class EventFiles:
    accepts_sessionless = True

    def __init__(self, decoy: Decoy, limits: Limits, folder: Path = places.EVENTS) -> None:
        self.decoy, self.limits, self.folder = decoy, limits, folder
        self.counter = places.STATE / "events.next"
        self.lost = 0
        self.file = -1
        self.size = 0
        self.roll()

    def write(self, event: dict[str, Any]) -> None:
        """Called by Cowrie's dispatcher with an event of its own."""
        self.append(self.enriched(event))
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

    def append(self, line: dict[str, Any]) -> None:
        if self.file < 0 or self.size >= ROLL_AT:
            self.roll()
        if self.lost:
            note = {"eventid": "marshlight.events.lost", "timestamp": line["timestamp"], "lost": self.lost}
            if self.put({**note, "marshlight": line["marshlight"]}):
                self.lost = 0
        if not self.put(line):
            self.lost += 1

    def put(self, line: dict[str, Any]) -> bool:
        if self.file < 0:
            return False
        data = json.dumps(line, separators=(",", ":"), default=repr).encode("utf-8", "replace") + b"\n"
        try:
            written = os.write(self.file, data)
        except OSError:
            return False
        self.size += written
        if written == len(data):
            return True
        os.close(self.file)
        self.file = -1
        return False

    def roll(self) -> None:
        """Opens the next file, unless as much as may be is waiting to be fetched."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
        there = []
        size = 0
        for entry in os.scandir(self.folder):
            found = NUMBERED.fullmatch(entry.name)
            if found:
                there.append(int(found[1]))
                size += entry.stat(follow_symlinks=False).st_size
        if size >= self.limits.event_bytes:
            return
        number = max([*there, self.remembered()], default=0) + 1
        try:
            places.replace(self.counter, str(number).encode())
            path = self.folder / f"events-{number}.jsonl"
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError:
            return
        self.size = 0

    def remembered(self) -> int:
        try:
            return int(self.counter.read_bytes())
        except (OSError, ValueError):
            return 0


def internal(key: str) -> bool:
    return key in INTERNAL or key.startswith("log_")


def bounded(value: Any, depth: int = 0) -> Any:
    """Text of an attacker in the size that a line can bear; what was cut says how much."""
    if isinstance(value, str):
        cut = len(value) - LONGEST_TEXT
        return value if cut <= 0 else f"{value[:LONGEST_TEXT]}...[+{cut}]"
    if depth >= DEEPEST:
        return "...[deep]"
    if isinstance(value, dict):
        return {str(key)[:64]: bounded(item, depth + 1) for key, item in list(value.items())[:LONGEST_LIST]}
    if isinstance(value, (list, tuple)):
        return [bounded(item, depth + 1) for item in value[:LONGEST_LIST]]
    if isinstance(value, bytes):
        return bounded(value.decode("utf-8", "replace"))
    return value


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")

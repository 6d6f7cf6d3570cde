"""
Events as files of lines: events/events-<n>.jsonl, n strictly increasing over restarts.

Each line leaves in one write(2), so a reader never sees a piece of one; a file whose writer died may end in a piece,
and is never continued. What could not be written is counted, and said in a line of its own as soon as there is room.
The same rules as of images/cowrie, so that one reader serves both.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from typing import Any

from . import places
from .limits import MIB

ROLL_AT = 8 * MIB
LONGEST_TEXT = 4096
NUMBERED = re.compile(r"events-(\d+)\.jsonl")


class EventFiles:
    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.folder = places.EVENTS
        self.counter = places.STATE / "events.next"
        self.lost = 0
        self.file = -1
        self.size = 0
        self.roll()

    def append(self, line: dict[str, Any]) -> None:
        if self.file < 0 or self.size >= ROLL_AT:
            self.roll()
        if self.lost:
            note = {"eventid": "services.lost", "timestamp": line["timestamp"], "lost": self.lost}
            if self.put({**note, "marshlight": line["marshlight"]}):
                self.lost = 0
        if not self.put(line):
            self.lost += 1

    def put(self, line: dict[str, Any]) -> bool:
        if self.file < 0:
            return False
        data = json.dumps(line, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
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
        there, size = [], 0
        for entry in os.scandir(self.folder):
            found = NUMBERED.fullmatch(entry.name)
            if found:
                there.append(int(found[1]))
                size += entry.stat(follow_symlinks=False).st_size
        if size >= self.most_bytes:
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


def bounded(value: Any) -> Any:
    """An attacker's words in the size that a line can bear; what was cut says how much."""
    if isinstance(value, (bytes, bytearray)):
        value = printable(bytes(value[: LONGEST_TEXT + 1]))
    if isinstance(value, str):
        cut = len(value) - LONGEST_TEXT
        return value if cut <= 0 else f"{value[:LONGEST_TEXT]}...[+{cut}]"
    return value


def printable(data: bytes) -> str:
    """UTF-8 where it is, otherwise each odd byte as an escape."""
    return data.decode("utf-8", "backslashreplace")


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")

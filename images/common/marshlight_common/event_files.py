"""
Events as files of lines: events-<n>.jsonl, n strictly increasing over restarts.

Each line leaves in one write(2), so a reader never sees a piece of one; a file whose writer died may end in a piece,
and is never continued. What could not be written is counted, and said in a line of its own as soon as there is room.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .control_files import replace

ROLL_AT = 8 << 20
NUMBERED = re.compile(r"events-(\d+)\.jsonl")


class EventFiles:
    def __init__(self, folder: Path, counter: Path, most_bytes: int, lost_event: str) -> None:
        """`counter`: a file that keeps the last number. `most_bytes`: of lines that wait to be fetched."""
        self.folder, self.counter, self.most_bytes, self.lost_event = folder, counter, most_bytes, lost_event
        self.lost = 0
        self.file = -1
        self.size = 0
        self.roll()

    def append(self, line: dict[str, Any]) -> None:
        """`line` has its `timestamp` and `marshlight`, and texts of bounded size."""
        if self.file < 0 or self.size >= ROLL_AT:
            self.roll()
        if self.lost:
            note = {"eventid": self.lost_event, "timestamp": line["timestamp"], "lost": self.lost}
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
            replace(self.counter, str(number).encode())
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


def cut(text: str, longest: int) -> str:
    """An attacker's words in the size that a line can bear; what was cut says how much."""
    over = len(text) - longest
    return text if over <= 0 else f"{text[:longest]}...[+{over}]"


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")

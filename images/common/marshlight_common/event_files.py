"""
Events as files of lines: events-<n>.jsonl, n strictly increasing over restarts.

    line -> too much waits, or the disk is full? -- no --> the newest file
                       | what any knock at the door causes goes first, what somebody did inside has the reserve besides
                       v
              counted by reason -> a line of its own, when there is room again or each minute

Each line leaves in one write(2), so a reader never sees a piece of one; a file whose writer died may end in a piece,
and is never continued.
"""

from __future__ import annotations

import json
import os
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .control_files import replace
from .reserve import Reserve

ROLL_AT = 8 << 20
NUMBERED = re.compile(r"events-(\d+)\.jsonl")
TELL_EVERY = 60.0
# What comes in floods, and says no more than that somebody was there: without the word before the first dot.
COMMON = frozenset(
    "session.connect session.open session.params session.closed session.close login.failed request"
    " client.version client.kex client.fingerprint client.size client.var client.malformed_packet protocol.error error".split()
)


class EventFiles:
    def __init__(self, folder: Path, counter: Path, most_bytes: int, lost_event: str) -> None:
        """`counter`: a file that keeps the last number. `most_bytes`: of lines that wait to be fetched."""
        self.folder, self.counter, self.most_bytes, self.lost_event = folder, counter, most_bytes, lost_event
        self.reserve = Reserve(counter.with_name("events.reserve"))
        self.untold: dict[str, int] = {}
        self.told_at = 0.0
        self.whose: dict[str, Any] | None = None
        self.file, self.number = -1, 0
        self.size = 0
        # Bytes of the files that are finished, as of the last look.
        self.waiting = 0
        self.reserve.take()
        self.roll()

    @property
    def lost(self) -> int:
        """Events that were dropped, and of which no line says so yet."""
        return sum(self.untold.values())

    def append(self, line: dict[str, Any]) -> None:
        """`line` has its `eventid`, `timestamp` and `marshlight`, and texts of bounded size."""
        self.whose = line["marshlight"]
        self.tell()
        common = line["eventid"].partition(".")[2] in COMMON
        if self.waits_too_much(common):
            self.drop("limit")
        elif (common and not self.reserve.take()) or not self.write(line, common):
            self.drop("disk-full")

    def drop(self, reason: str) -> None:
        if not self.untold:
            self.told_at = time.monotonic()
        self.untold[reason] = self.untold.get(reason, 0) + 1

    def tell(self) -> None:
        """Says what was dropped where it can be said by now; to be called now and then, since no event may follow."""
        if not self.untold or self.whose is None or self.waits_too_much(False):
            return
        late = time.monotonic() - self.told_at >= TELL_EVERY
        if not late and (self.waits_too_much(True) or not self.reserve.take()):
            return
        for reason, count in list(self.untold.items()):
            note = {"eventid": self.lost_event, "timestamp": utc(time.time()), "lost": count, "reason": reason}
            # What is held back is not for words that can wait.
            if self.write({**note, "marshlight": self.whose}, common=not late):
                del self.untold[reason]
        self.told_at = time.monotonic() if late else self.told_at

    def waits_too_much(self, common: bool) -> bool:
        """A quarter is left to what is worth more than the common."""
        most = self.most_bytes * 3 // 4 if common else self.most_bytes
        if self.waiting + self.size < most:
            return False
        self.look()
        return self.waiting + self.size >= most

    def write(self, line: dict[str, Any], common: bool) -> bool:
        data = json.dumps(line, separators=(",", ":"), default=repr).encode("utf-8", "replace") + b"\n"
        return self.put(data) or (not common and self.reserve.give_up() and self.put(data))

    def put(self, data: bytes) -> bool:
        if self.file < 0 or self.size >= ROLL_AT:
            self.roll()
        if self.file < 0:
            return False
        try:
            written = os.write(self.file, data)
            if written == len(data):
                self.size += written
                return True
            os.ftruncate(self.file, self.size)
        except OSError:
            # Whatever it left there, the next line begins another file.
            if written_to(self.file) != self.size:
                self.close()
        return False

    def roll(self) -> None:
        """Opens the next file, where the disk takes one."""
        self.close()
        number = max(self.look(), self.remembered()) + 1
        try:
            replace(self.counter, str(number).encode())
            path = self.folder / f"events-{number}.jsonl"
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError:
            return
        self.number = number

    def close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
        self.file, self.size, self.number = -1, 0, 0

    def look(self) -> int:
        """Finds what waits beside the newest file. Returns the highest number that is there."""
        self.waiting, highest = 0, 0
        for entry in os.scandir(self.folder):
            found = NUMBERED.fullmatch(entry.name)
            if not found:
                continue
            highest = max(highest, int(found[1]))
            if int(found[1]) != self.number:
                self.waiting += size_of(entry)
        return highest

    def remembered(self) -> int:
        try:
            return int(self.counter.read_bytes())
        except (OSError, ValueError):
            return 0


def size_of(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        # Fetched in the meantime.
        return 0


def written_to(file: int) -> int:
    try:
        return os.fstat(file).st_size
    except OSError:
        return -1


def cut(text: str, longest: int) -> str:
    """An attacker's words in the size that a line can bear; what was cut says how much."""
    over = len(text) - longest
    return text if over <= 0 else f"{text[:longest]}...[+{over}]"


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")

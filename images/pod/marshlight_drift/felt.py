"""
What of a drift each source felt, as the agent is told it: counted by kind, in lines that are bounded, never one for each
packet. What was told to nobody (the agent is away, the process ends) is handed to the next process in a file.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

MOST_SOURCES, MOST_ROWS = 1024, 64
LEFT = Path("/dev/shm/marshlight-drift-felt")


class Felt:
    def __init__(self) -> None:
        self.counts: OrderedDict[str, dict[tuple[str, str], tuple[int, float]]] = OrderedDict()
        """Of each source the port that it came from last."""
        self.ports: dict[str, int] = {}

    def note(self, source: str, port: int, kind: str, what: str, ms: float = 0.0) -> None:
        if source not in self.counts and len(self.counts) >= MOST_SOURCES:
            gone, _ = self.counts.popitem(last=False)
            self.ports.pop(gone, None)
        own = self.counts.setdefault(source, {})
        count, sum_ms = own.get((kind, what), (0, 0.0))
        own[kind, what] = (count + 1, sum_ms + ms)
        self.ports[source] = port

    def take(self, most: int = MOST_ROWS) -> list[dict[str, Any]]:
        """Rows of whoever waits longest, at most so many; what was taken is told no more. `ms`: of all together."""
        rows: list[dict[str, Any]] = []
        while self.counts:
            source, own = next(iter(self.counts.items()))
            # No source has more kinds than a row has room for.
            if rows and len(rows) + len(own) > most:
                break
            del self.counts[source]
            port = self.ports.pop(source, 0)
            for (kind, what), (count, ms) in sorted(own.items()):
                row = {"source": source, "port": port, "type": kind, "what": what, "count": count, "ms": round(ms, 1)}
                rows.append(row)
        return rows

    def leave(self, file: Path = LEFT) -> None:
        rows = self.take(1 << 30)
        if not rows:
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            with open(os.open(file, flags, 0o600), "w") as left:
                json.dump(rows, left)
        except OSError:
            # What was felt is not known then; drift is.
            pass

    def take_over(self, file: Path = LEFT) -> None:
        try:
            with open(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)) as left:
                rows = json.load(left)
            file.unlink()
            for row in rows:
                own = self.counts.setdefault(str(row["source"]), {})
                own[str(row["type"]), str(row["what"])] = (int(row["count"]), float(row["ms"]))
                self.ports[str(row["source"])] = int(row["port"])
        except (OSError, ValueError, KeyError, TypeError):
            pass

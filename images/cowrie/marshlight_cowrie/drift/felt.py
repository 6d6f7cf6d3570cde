"""What of a drift was felt: counted by kind, and told in a few events, never one for each answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EVENT = "marshlight.drift"
TEXT = "Drift was felt: %(type)s %(what)s %(count)d times"


@dataclass
class Felt:
    counts: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)

    def note(self, kind: str, what: str, ms: float = 0.0) -> None:
        count, sum_ms = self.counts.get((kind, what), (0, 0.0))
        self.counts[kind, what] = (count + 1, sum_ms + ms)

    def take(self, mark: str) -> list[dict[str, Any]]:
        """Fields of one event a kind (at most some fifteen); what was taken is told no more. `ms`: of all together."""
        counts, self.counts = self.counts, {}
        return [
            {"type": kind, "what": what, "count": count, "ms": round(ms, 1), "mark": mark}
            for (kind, what), (count, ms) in sorted(counts.items())
        ]

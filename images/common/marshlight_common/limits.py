"""What one process of a decoy may use. The container's own limits stand behind these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    connections: int = 128
    connections_per_source: int = 32
    event_bytes: int = 128 * MIB


OfKind = TypeVar("OfKind", bound=Limits)


def read_limits(kind: type[OfKind], environment: Mapping[str, str]) -> OfKind:
    """MARSHLIGHT_MAX_<NAME>, whole numbers."""
    given = {}
    for name in kind.__dataclass_fields__:
        value = environment.get(f"MARSHLIGHT_MAX_{name.upper()}")
        if value is not None:
            given[name] = max(1, int(value))
    return kind(**given)


class Doorkeeper:
    """Counts open connections, in all and of each source."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.total = 0
        self.by_source: Counter[str] = Counter()
        self.refused = 0

    def admits(self, source: str) -> bool:
        full = self.total >= self.limits.connections
        return not full and self.by_source[source] < self.limits.connections_per_source

    def enter(self, source: str) -> None:
        self.total += 1
        self.by_source[source] += 1

    def leave(self, source: str) -> None:
        self.total -= 1
        self.by_source[source] -= 1
        if self.by_source[source] <= 0:
            del self.by_source[source]

"""What this process may use. The container's own limits stand behind these."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    connections: int = 128
    connections_per_source: int = 32
    event_bytes: int = 128 * MIB
    """Answers to datagrams of one source in a second: their sender may be forged, so they must not add up to a flood."""
    datagrams_per_second: int = 20


def read_limits(environment: Mapping[str, str]) -> Limits:
    """MARSHLIGHT_MAX_<NAME>, whole numbers."""
    given = {}
    for name in Limits.__dataclass_fields__:
        value = environment.get(f"MARSHLIGHT_MAX_{name.upper()}")
        if value is not None:
            given[name] = max(1, int(value))
    return Limits(**given)


class Doorkeeper:
    """Counts open connections, in all and of each source."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.total = 0
        self.by_source: Counter[str] = Counter()
        self.refused = 0

    def enter(self, source: str) -> bool:
        if self.total >= self.limits.connections or self.by_source[source] >= self.limits.connections_per_source:
            self.refused += 1
            return False
        self.total += 1
        self.by_source[source] += 1
        return True

    def leave(self, source: str) -> None:
        self.total -= 1
        self.by_source[source] -= 1
        if self.by_source[source] <= 0:
            del self.by_source[source]


class Rate:
    """So many a second for each key; the longest unseen keys are forgotten."""

    def __init__(self, each_second: int, keys: int = 1024) -> None:
        self.each_second, self.keys = each_second, keys
        self.windows: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def admits(self, key: str, now: float) -> bool:
        second, count = self.windows.pop(key, (0, 0))
        if second != int(now):
            second, count = int(now), 0
        self.windows[key] = (second, count + 1)
        if len(self.windows) > self.keys:
            self.windows.popitem(last=False)
        return count < self.each_second

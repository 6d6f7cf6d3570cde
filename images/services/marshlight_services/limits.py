"""What this process may use."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from marshlight_common.limits import Limits as Common


@dataclass(frozen=True)
class Limits(Common):
    """Answers to datagrams of one source in a second: their sender may be forged, so they must not add up to a flood."""

    datagrams_per_second: int = 20


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

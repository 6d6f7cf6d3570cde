"""What was made in this hour, held to the bounds of the plan whatever the slices say."""

from __future__ import annotations

import time

HOUR = 3600


class Bounded(Exception):
    """A bound of the plan is reached."""


class Account:
    def __init__(self) -> None:
        self.most_an_hour = self.most_bytes = 0
        self.hour = int(time.time() // HOUR)
        self.made: dict[int, int] = {}
        self.bytes = 0

    def bound(self, plan: dict) -> None:
        self.most_an_hour, self.most_bytes = plan["mostAnHour"], plan["mostBytesAnHour"]

    def already(self, hour: int, made: dict[str, int], total: int) -> None:
        """What an earlier run of this process made in the same hour."""
        if hour == self._now():
            self.bytes += max(0, int(total))
            for instance, count in made.items():
                self.made[int(instance)] = self.made.get(int(instance), 0) + max(0, int(count))

    def begin(self, instance: int, planned: int) -> None:
        self._now()
        if self.made.get(instance, 0) >= self.most_an_hour:
            raise Bounded("mostAnHour")
        if self.bytes + planned > self.most_bytes:
            raise Bounded("mostBytesAnHour")
        self.made[instance] = self.made.get(instance, 0) + 1

    def spend(self, count: int) -> None:
        self._now()
        self.bytes += count
        if self.bytes > self.most_bytes:
            raise Bounded("mostBytesAnHour")

    def _now(self) -> int:
        hour = int(time.time() // HOUR)
        if hour != self.hour:
            self.hour, self.made, self.bytes = hour, {}, 0
        return hour

"""The host's own clock: its time zone, its days, and when a line of a crontab is due."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from ..persona import Persona

DAY = 86_400.0
NAMES = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
WEEK = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}
SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@lru_cache(maxsize=8)
def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return timezone.utc


def local(persona: Persona, at: float) -> datetime:
    return datetime.fromtimestamp(at, zone(persona.timezone))


def day_of(persona: Persona, at: float) -> date:
    return local(persona, at).date()


def moment(persona: Persona, day: date, hour: float) -> float:
    """Seconds since 1970 of an hour (with its fraction) of that day there."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone(persona.timezone))
    return (midnight + timedelta(hours=hour)).timestamp()


def days(persona: Persona, begin: float, end: float) -> Iterator[date]:
    day, last = day_of(persona, begin), day_of(persona, end)
    while day <= last:
        yield day
        day += timedelta(days=1)


def chance(persona: Persona, *about: object) -> random.Random:
    """Draws that are the same for this persona and what they are about."""
    return random.Random(f"{persona.seed} life {' '.join(map(str, about))}")


@lru_cache(maxsize=256)
def fields(line: str) -> tuple[frozenset[int], ...] | None:
    """Minutes, hours, days, months, days of the week of crontab(5); None for what is no such line."""
    parts = SHORT.get(line.strip(), line).split()
    bounds = ((0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, NAMES), (0, 7, WEEK))
    if len(parts) != 5:
        return None
    try:
        found = [numbers(part, *bound) for part, bound in zip(parts, bounds, strict=True)]
    except ValueError:
        return None
    # Starred or not decides whether the two days are alternatives.
    return (*found, frozenset((int(parts[2].startswith("*")), 2 + int(parts[4].startswith("*")))))


def numbers(part: str, least: int, most: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.split(","):
        span, _, step = piece.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            low, high = least, most
        else:
            low = number(first, names)
            high = number(last, names) if last else (most if step else low)
        if not least <= low <= high <= most:
            raise ValueError(part)
        found.update(range(low, high + 1, max(1, int(step or 1))))
    return frozenset(value % 7 for value in found) if names is WEEK else frozenset(found)


def number(text: str, names: dict[str, int]) -> int:
    return names[text.lower()] if text.lower() in names else int(text)


def due(persona: Persona, line: str, day: date) -> list[float]:
    """The moments of that day at which the line is due."""
    found = fields(line)
    if found is None or day.month not in found[3]:
        return []
    by_month, by_week = day.day in found[2], day.isoweekday() % 7 in found[4]
    alternatives = not found[5] & {1, 3}
    if not (by_month or by_week if alternatives else by_month and by_week):
        return []
    return [moment(persona, day, hour + minute / 60) for hour in sorted(found[0 + 1]) for minute in sorted(found[0])]

"""Updates of packages: those that led to the versions the persona has, and the runs that found nothing since."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from ..tree.host_layer import installed_at
from .calendar import DAY, chance, day_of, days, moment

if TYPE_CHECKING:
    from ..persona import Persona
    from .happenings import Event


@dataclass(frozen=True)
class Upgrade:
    name: str
    arch: str
    before: str
    after: str


@lru_cache(maxsize=16)
def plan(persona: Persona) -> dict[date, tuple[Upgrade, ...]]:
    """By day. A stable release numbers its security updates (`+deb12u3`): each number was a day."""
    every = persona.schedule.update_every_days if persona.schedule else 0
    if every <= 0:
        return {}
    begin, end = installed_at(persona) + DAY, persona.anchor - DAY
    chosen = list(days(persona, begin, end))[:: max(1, round(every))]
    found: dict[date, list[Upgrade]] = {}
    for package in persona.packages:
        match = re.fullmatch(r"(.*[+~]?(?:deb|ubuntu)[\d.]*u?)(\d+)", package.version)
        if not match or not chosen:
            continue
        last = int(match[2])
        drawn = chance(persona, "update", package.name)
        steps = sorted(drawn.sample(range(len(chosen)), min(last - 1, 3, len(chosen)))) if last > 1 else []
        for step, at in enumerate(steps):
            number = last - len(steps) + step
            upgrade = Upgrade(package.name, package.arch, f"{match[1]}{number}", f"{match[1]}{number + 1}")
            found.setdefault(chosen[at], []).append(upgrade)
    return {day: tuple(upgrades) for day, upgrades in found.items()}


def on_day(persona: Persona, day: date) -> list[Event]:
    from .happenings import Event, pid_at

    if not plan(persona).get(day):
        return []
    at = moment(persona, day, 6 + chance(persona, "upgrade", day).uniform(0.1, 0.9))
    return [Event(at, "update", "root", "", str(day), at + 4.0 * len(plan(persona)[day]), "", pid_at(persona, at))]


def of(persona: Persona, at: float) -> tuple[Upgrade, ...]:
    return plan(persona).get(day_of(persona, at), ())

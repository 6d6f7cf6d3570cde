"""
Drift in force at a decoy: control/drift.json, and what is drawn from it. Pure; shared/schemas/drift.ts has the words.

    read(raw) -> InForce            everyone's drift and the views of single sources; Refused where it cannot be used
    InForce.of(source)              what meets this source: a Deviation or None
    Draws(seed, source)             one for each source, kept for as long as its Deviation is the same (they compare equal)
      .wait_ms(effects, others)     how long the next answer waits, with `others` sessions open besides; 0 to MOST_DELAY_MS
      .fails(effects)               how the next request fails: refused, reset, busy, timeout, disk; None as most do
      .alters(effects)              what of the next answer is changed: bytes, fields, contents, listing, version; or None
    in_hours(effects, now)          whether `now`, a datetime in the persona's zone, lies in hours without an answer

Waits, failures and alterations are drawn from rows of their own: the same seed and source give the same values in the
same order, whatever else is asked in between. One call is one draw. Who can do some kinds only hands over `some(...)`.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .canonical import canonical
from .control_files import Refused

MOST_DELAY_MS = 3000.0
MOST_SHARE = 0.3
MOST_EFFECTS, MOST_VIEWS, MOST_HOURS = 8, 256, 8
FORMS = ("fixed", "jitter", "load")
ALTERATIONS = ("bytes", "fields", "contents", "listing", "version")
FAILURES = ("refused", "reset", "busy", "timeout", "disk")


@dataclass(frozen=True)
class Effect:
    """`type`: latency, alteration, error or schedule; `word`: its form, what it alters, or how it fails."""

    type: str
    word: str = ""
    ms: float = 0.0
    spread: float = 0.0
    share: float = 0.0
    hours: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Deviation:
    seed: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class InForce:
    everyone: Deviation | None = None
    views: Mapping[str, Deviation | None] = field(default_factory=dict)
    """As shared/drift-mark.ts names it."""
    mark: str = "none"
    """Own ports whose service says by itself that it is busy."""
    says_busy: frozenset[int] = frozenset()

    def of(self, source: str) -> Deviation | None:
        return self.views.get(source, self.everyone)

    def effects(self) -> tuple[Effect, ...]:
        """Of all who meet any."""
        met = (self.everyone, *self.views.values())
        return tuple(effect for deviation in met if deviation for effect in deviation.effects)


class Draws:
    def __init__(self, seed: str, source: str) -> None:
        self.waits, self.failures, self.alterations = (
            random.Random(f"{seed}/{source}/{row}") for row in ("latency", "error", "alteration")
        )

    def wait_ms(self, effects: Iterable[Effect], others: int = 0) -> float:
        total = 0.0
        for effect in effects:
            if effect.type != "latency":
                continue
            if effect.word == "jitter":
                total += effect.ms * math.exp(effect.spread * normal(self.waits))
            else:
                total += effect.ms * (max(0, others) if effect.word == "load" else 1)
        return min(MOST_DELAY_MS, total)

    def fails(self, effects: Iterable[Effect]) -> str | None:
        return drawn(self.failures.random(), effects, "error")

    def alters(self, effects: Iterable[Effect]) -> str | None:
        return drawn(self.alterations.random(), effects, "alteration")


def normal(row: random.Random) -> float:
    """Box and Muller without the second value: two numbers of the row for each, so that it is read evenly."""
    return math.sqrt(-2 * math.log(1 - row.random())) * math.cos(math.tau * row.random())


def drawn(part: float, effects: Iterable[Effect], kind: str) -> str | None:
    """The shares laid one after another from 0 on; together they take no more than MOST_SHARE."""
    end = 0.0
    for effect in effects:
        if effect.type == kind:
            end = min(MOST_SHARE, end + effect.share)
            if part < end:
                return effect.word
    return None


def in_hours(effects: Iterable[Effect], now: datetime) -> bool:
    return any(effect.type == "schedule" and now.hour in effect.hours for effect in effects)


def some(effects: Iterable[Effect], *words: str) -> tuple[Effect, ...]:
    return tuple(effect for effect in effects if effect.word in words)


def read(raw: bytes) -> InForce:
    try:
        said = json.loads(raw)
        everyone, views = said.get("everyone"), said.get("views", [])
        if not isinstance(views, list) or len(views) > MOST_VIEWS:
            raise ValueError(f"not a list of at most {MOST_VIEWS} views")
        in_force = deviation(everyone)
        met = {text(view["source"], 15): deviation(view["drift"]) for view in views}
        says_busy = frozenset(int(number(port, 65_535)) for port in said.get("saysBusy", []))
        return InForce(in_force, met, mark_of(everyone, views), says_busy)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"drift.json: {type(error).__name__} {error}"[:300]) from None


def mark_of(everyone: Any, views: list[Any]) -> str:
    if everyone is None and not views:
        return "none"
    return hashlib.sha256(canonical([everyone, views]).encode()).hexdigest()[:16]


def deviation(said: Any) -> Deviation | None:
    if said is None:
        return None
    effects = said["effects"]
    if not isinstance(effects, list) or not 1 <= len(effects) <= MOST_EFFECTS:
        raise ValueError(f"not a list of 1 to {MOST_EFFECTS} effects")
    return Deviation(text(said["seed"], 64), tuple(map(effect_of, effects)))


def effect_of(said: Any) -> Effect:
    kind = said["type"]
    if kind not in READERS:
        raise ValueError(f"type {str(kind)[:32]!r}")
    return READERS[kind](said)


def scheduled(said: Any) -> Effect:
    hours = said["hours"]
    if not isinstance(hours, list) or not 1 <= len(hours) <= MOST_HOURS:
        raise ValueError(f"not a list of 1 to {MOST_HOURS} hours")
    return Effect("schedule", hours=frozenset(int(number(hour, 23)) for hour in hours))


READERS: Mapping[str, Callable[[Any], Effect]] = {
    "latency": lambda said: Effect(
        "latency",
        one_of(said["form"], FORMS),
        ms=number(said["ms"], MOST_DELAY_MS),
        spread=number(said.get("spread", 0), 2),
    ),
    "alteration": lambda said: Effect(
        "alteration", one_of(said["what"], ALTERATIONS), share=number(said["share"], MOST_SHARE)
    ),
    "error": lambda said: Effect("error", one_of(said["kind"], FAILURES), share=number(said["share"], MOST_SHARE)),
    "schedule": scheduled,
}


def one_of(word: Any, words: tuple[str, ...]) -> str:
    if word not in words:
        raise ValueError(f"{str(word)[:32]!r} is none of {words}")
    return str(word)


def number(value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise ValueError(f"{str(value)[:32]!r} is no number from 0 to {most}")
    return float(value)


def text(value: Any, longest: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise ValueError(f"{str(value)[:32]!r} is no text of 1 to {longest} signs")
    return value

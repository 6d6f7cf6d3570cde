"""
What one source meets under one drift, for as long as that is in force.

    Course.answer(others) -> Answer (wait, failure)        n-th answer of this source
    Course.connection()   -> None | refused | busy | timeout
    Course.alters(what, about) -> None | a number that says how          the same as long as `about` is
"""

from __future__ import annotations

from dataclasses import dataclass

from marshlight_common.drift import MOST_DELAY_MS, MOST_SHARE, Deviation, Draws, some

from .draws import fraction

#: How a connection fails before it has said anything, and a shell before it starts; the other errors are of answers.
OF_CONNECTIONS = ("refused", "busy", "timeout")
OF_STARTS = ("busy",)
OF_FURTHER = ("refused",)
OF_ANSWERS = ("reset", "busy", "timeout", "disk")


@dataclass
class Answer:
    """One answer: it comes `ms` later than it would, or fails as `failure` says (by whom it is given)."""

    ms: float = 0.0
    failure: str | None = None

    @property
    def seconds(self) -> float:
        return self.ms / 1000


class Course:
    def __init__(self, deviation: Deviation, source: str) -> None:
        self.seed, self.source, effects = deviation.seed, source, deviation.effects
        self.latencies = tuple(effect for effect in effects if effect.type == "latency")
        self.alterations = tuple(effect for effect in effects if effect.type == "alteration")
        errors = tuple(effect for effect in effects if effect.type == "error")
        self.of_answers, self.of_connections, self.of_starts, self.of_further = (
            some(errors, *words) for words in (OF_ANSWERS, OF_CONNECTIONS, OF_STARTS, OF_FURTHER)
        )
        self.draws = Draws(self.seed, source)
        self.forms = "+".join(sorted({effect.word for effect in self.latencies}))
        self.connections = 0

    def answer(self, others: int) -> Answer:
        """`others`: sessions that are open besides."""
        ms = self.draws.wait_ms(self.latencies, others)
        failure = self.draws.fails(self.of_answers) if self.of_answers else None
        # A time-out is longer than any other wait, and still no longer than an answer may wait.
        return Answer(MOST_DELAY_MS if failure == "timeout" else ms, failure)

    def connection(self) -> str | None:
        self.connections += 1
        return self.draws.fails(self.of_connections) if self.of_connections else None

    def start_is_busy(self) -> bool:
        """Whether the host has no process for a shell or a subsystem."""
        return bool(self.of_starts) and self.draws.fails(self.of_starts) is not None

    def further_is_refused(self) -> bool:
        """Whether a connection has no room for one more session."""
        return bool(self.of_further) and self.draws.fails(self.of_further) is not None

    def alters(self, what: str, *about: object) -> float | None:
        """From 0 to 1, for the choice of what becomes of it; None: it stays as it is."""
        share = min(MOST_SHARE, sum(effect.share for effect in self.alterations if effect.word == what))
        if share <= 0 or fraction(self.seed, self.source, what, *about) >= share:
            return None
        return fraction(self.seed, self.source, what, "how", *about)

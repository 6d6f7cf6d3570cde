"""What one session may use. Work goes in turns; what would grow without end fails as on a machine that is full."""

from __future__ import annotations

from .tasks import PAUSE

#: Commands and words that run before others get their turn.
STEPS = 24
#: Processes of one session, as `ulimit -u` would have it.
MOST_TASKS = 80
#: Functions, sourced files and substitutions within each other.
DEEPEST = 90


class Budget:
    def __init__(self) -> None:
        self.steps = 0

    async def step(self) -> None:
        self.steps += 1
        if self.steps % STEPS == 0:
            await PAUSE

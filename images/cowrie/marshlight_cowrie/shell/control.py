"""How a command leaves the place where it stands."""

from __future__ import annotations


class Leave(Exception):
    """Base of the ways out of a command that are no errors."""


class Break(Leave):
    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels
        self.status = 0


class Continue(Break):
    pass


class Return(Leave):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Exit(Leave):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status & 255


class Discard(Leave):
    """An error that drops the rest of the line that was read."""

    def __init__(self, status: int = 1) -> None:
        super().__init__(status)
        self.status = status


class RedirectionFailure(Exception):
    """The wording without the shell's prefix."""


class ForkFailure(Exception):
    """Too many processes."""

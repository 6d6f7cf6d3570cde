"""
MaxStartups 10:30:100, OpenSSH's default: from ten connections that have not logged in, three of ten new ones are
turned away, rising to all of them at a hundred (sshd_config(5)).
"""

from __future__ import annotations

import random
from typing import Any

from ..software import Door

BEGIN, RATE, FULL = 10, 30, 100
EXCEEDED = b"Exceeded MaxStartups\r\n"


def refuses(open_startups: int, drawn: float) -> bool:
    """`drawn`: from 0 to below 1."""
    if open_startups < BEGIN:
        return False
    if open_startups >= FULL or RATE == 100:
        return True
    percent = RATE + (100 - RATE) * (open_startups - BEGIN) // (FULL - BEGIN)
    return int(drawn * 100) < percent


class Startups(Door):
    """Counts connections from their first byte to their log-in or their end."""

    def __init__(self) -> None:
        self.open: set[int] = set()

    def refuses(self, host: str) -> bytes | None:
        return EXCEEDED if refuses(len(self.open), random.random()) else None

    def enter(self, connection: Any, host: str) -> None:
        self.open.add(id(connection))

    def leave(self, connection: Any) -> None:
        self.open.discard(id(connection))

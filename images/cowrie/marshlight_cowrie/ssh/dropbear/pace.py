"""
How long Dropbear takes, on the slow processors it runs on: it starts itself anew for each connection. A failed try takes
300 ms, give or take 50, whatever has been done for it before.
"""

from __future__ import annotations

import random

from ..pace import of_host

LEAST_SECONDS, DRAWN_SECONDS = 0.25, 0.1


def of_failure(elapsed: float) -> float:
    """Seconds still to wait."""
    total = LEAST_SECONDS + random.random() * DRAWN_SECONDS
    return total - elapsed if elapsed <= LEAST_SECONDS else total


def before_banner(seed: str) -> float:
    return of_host(seed, "start", 0.008, 0.020)


def before_keys(seed: str) -> float:
    return of_host(seed, "keys", 0.010, 0.030)


def before_success(seed: str) -> float:
    """crypt alone."""
    return of_host(seed, "log-in", 0.010, 0.030)

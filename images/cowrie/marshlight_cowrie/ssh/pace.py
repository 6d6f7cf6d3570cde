"""How long a host takes for something: its own speed, drawn once by its seed."""

from __future__ import annotations

import hashlib
import random


def of_host(seed: str, what: str, least: float, most: float) -> float:
    """Seconds: between the bounds by host, and now and then it is kept from its work."""
    own = least + (most - least) * fraction(seed.encode() + what.encode())
    return own + min(random.expovariate(1 / (own / 25)), own)


def fraction(of: bytes) -> float:
    """From 0 to below 1."""
    return int.from_bytes(hashlib.sha512(of).digest()[:4], "big") / 2**32

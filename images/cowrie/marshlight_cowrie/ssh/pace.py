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


def pam_delay(seconds: float) -> float:
    """
    Between a half and one and a half times what the modules asked for: Linux-PAM draws around that with the mean of three
    random numbers (pam_fail_delay(3)).
    """
    return seconds * (0.5 + sum(random.random() for _ in range(3)) / 3)

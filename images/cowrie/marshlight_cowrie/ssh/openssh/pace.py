"""
How long a real server takes: the start of its process before the banner, its key exchange, and most of all a log-in. A
wrong password costs PAM's delay: pam_unix asks for two seconds; then crypt's own time. Every other failure takes as long as OpenSSH's floor, a few
milliseconds that are always the same for one user name. Bounds by host as seen on server hardware.
"""

from __future__ import annotations

from ..pace import fraction, of_host, pam_delay

PAM_SECONDS = 2.0
FLOOR_SECONDS = 0.005
LONGEST_PASSWORD = 1024


def after_wrong_password(password: bytes) -> float:
    """Seconds. An empty or far too long password is refused before PAM hears of it."""
    if not password or len(password) > LONGEST_PASSWORD:
        return 0.0
    return pam_delay(PAM_SECONDS)


def before_banner(seed: str) -> float:
    return of_host(seed, "start", 0.005, 0.009)


def before_keys(seed: str) -> float:
    return of_host(seed, "keys", 0.002, 0.004)


def before_success(seed: str) -> float:
    """crypt, account and session modules."""
    return of_host(seed, "log-in", 0.030, 0.050)


def floor_of(seed: str, user: bytes) -> float:
    """Seconds a failure takes at least: 5 to 9.3 ms by user name, keyed by the host."""
    return FLOOR_SECONDS + fraction(seed.encode() + user) * 0.004295


def at_least(elapsed: float, floor: float) -> float:
    """Seconds to wait still: the floor is doubled until it is past what has gone by."""
    while floor < elapsed:
        floor *= 2
    return floor - elapsed

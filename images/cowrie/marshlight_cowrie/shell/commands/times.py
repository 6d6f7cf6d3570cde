"""The pretended machine's clock and time zone."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ports import Process


def zone(p: Process) -> tzinfo:
    """TZ where it is set, else the persona's own; UTC where the zone is not known here."""
    return zone_named(p.env.get("TZ") or p.host.persona.timezone)


def zone_named(name: str) -> tzinfo:
    if name.upper() in ("UTC", "ETC/UTC", "UTC0", "GMT"):
        return timezone.utc
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name.lstrip(":"))
    except (ImportError, KeyError, ValueError, OSError):
        return european(name) or timezone.utc


def european(name: str) -> tzinfo | None:
    """Where this machine has no zone data: the offset of now by C's rule for Central European and British time."""
    rules = {
        "Europe/London": "GMT0BST,M3.5.0/1,M10.5.0",
        "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
        "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
        "America/Chicago": "CST6CDT,M3.2.0,M11.1.0",
        "America/Los_Angeles": "PST8PDT,M3.2.0,M11.1.0",
    }
    if name.startswith("Europe/") and name not in rules:
        name = "Europe/Berlin"
    if name not in rules:
        return None
    before = os.environ.get("TZ")
    try:
        os.environ["TZ"] = rules[name]
        time.tzset()
        now = time.localtime()
        return timezone(timedelta(seconds=now.tm_gmtoff), now.tm_zone)
    finally:
        if before is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = before
        time.tzset()


def local(p: Process, moment: float) -> datetime:
    return datetime.fromtimestamp(moment, zone(p))


def span(seconds: float) -> str:
    """How long, as `up` tells it: `3 days,  4:05`, `12 min`."""
    minutes = int(seconds) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    text = f"{days} day{'s' if days != 1 else ''}, " if days else ""
    return text + (f"{hours:2d}:{rest:02d}" if hours else f"{rest} min")

"""Figures that change by the minute and agree with each other: load, memory and disk in use. Drawn from seed and time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ports import Process


def wave(p: Process, name: str, period: float) -> float:
    """Between 0 and 1, slowly changing with the clock."""
    phase = p.host.random(name) * math.tau
    moment = p.host.now() / period * math.tau
    return (math.sin(moment + phase) + math.sin(moment * 2.7 + phase * 3) + 2) / 4


def loads(p: Process) -> tuple[float, float, float]:
    """Of 1, 5 and 15 minutes; a machine that works is never at 0.00 for long."""
    cores = p.host.persona.hardware.cores
    base = 0.02 + 0.25 * p.host.random("load") * min(cores, 4)
    short, middle, long = (base * (0.4 + 1.2 * wave(p, f"load {period}", period)) for period in (300, 900, 2700))
    return round(short, 2), round((short + 2 * middle) / 3, 2), round((middle + 2 * long) / 3, 2)


def memory(p: Process) -> dict[str, int]:
    """As /proc/meminfo tells it, in kB."""
    try:
        text = p.fs.read("/proc/meminfo").decode("ascii", "replace")
    except OSError:
        text = ""
    rows = (line.split(":") for line in text.splitlines() if ":" in line)
    made = {name: int(value.split()[0]) for name, value in rows}
    total = made.setdefault("MemTotal", p.host.persona.hardware.memory_kb)
    for name, part in (("MemFree", 0.6), ("MemAvailable", 0.8), ("Buffers", 0.02), ("Cached", 0.2), ("Shmem", 0.001), ("SReclaimable", 0.01)):
        made.setdefault(name, int(total * part))
    made.setdefault("SwapTotal", 0)
    made.setdefault("SwapFree", made["SwapTotal"])
    return made


def disk(p: Process) -> tuple[int, int]:
    """Used and all bytes of the root file system."""
    used, total = p.fs.usage()
    if total <= 0:
        total = 40 << 30
    return used or total // 5, total

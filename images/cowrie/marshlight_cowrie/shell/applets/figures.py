"""Sizes as BusyBox prints them."""

from __future__ import annotations


def human(size: int) -> str:
    """One digit after the point, always: 40.0K, 23.5G; below a kilobyte the bare number."""
    if size < 1024:
        return str(size)
    value = float(size)
    for unit in "KMGTPE":
        value /= 1024
        if round(value, 1) < 1024 or unit == "E":
            return f"{int(value * 10 + 0.5) / 10:.1f}{unit}"
    return str(size)


def short(kilobytes: int, width: int = 5) -> str:
    """In so many columns: kilobytes, then megabytes with `m`."""
    if len(str(kilobytes)) <= width:
        return f"{kilobytes:>{width}}"
    megabytes = f"{kilobytes // 1024}m"
    return f"{megabytes:>{width}}"

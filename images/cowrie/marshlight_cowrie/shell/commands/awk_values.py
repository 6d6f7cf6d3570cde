"""Values of awk: numbers, texts, and texts from input that may count as numbers."""

from __future__ import annotations

import re
from typing import Any

NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
WHOLE = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*\Z")
FORMAT = re.compile(r"%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlLqjzt]*([a-zA-Z%])")


class Input(str):
    """Text that came from outside: compares as a number where it looks like one."""

    __slots__ = ()


def number(value: Any) -> float:
    if isinstance(value, float):
        return value
    if value is None:
        return 0.0
    found = NUMBER.match(value)
    return float(found[0]) if found else 0.0


def text(value: Any, form: str = "%.6g") -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value == int(value) if abs(value) < 1e16 else False:
        return str(int(value))
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return formatted(form, [value])


def true(value: Any) -> bool:
    if isinstance(value, Input) and WHOLE.match(value):
        return float(value) != 0
    if isinstance(value, str):
        return value != ""
    return bool(value)


def compared(a: Any, b: Any) -> int:
    """-1, 0 or 1; as numbers where both are or look like ones."""
    if numeric(a) and numeric(b):
        left, right = number(a), number(b)
        return (left > right) - (left < right)
    one, other = text(a), text(b)
    return (one > other) - (one < other)


def numeric(value: Any) -> bool:
    return value is None or isinstance(value, float) or isinstance(value, Input) and WHOLE.match(value) is not None


def formatted(form: str, values: list[Any]) -> str:
    """sprintf. What has no value is printed as nothing or 0, widths are bounded."""
    left = list(values)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, kind = found.groups()
        if kind == "%":
            return "%"
        if width == "*":
            width = str(int(number(left.pop(0) if left else None)))
        if precision == "*":
            precision = str(int(number(left.pop(0) if left else None)))
        value = left.pop(0) if left else None
        if width.startswith("-"):
            flags, width = flags + "-", width[1:]
        if len(width) > 4 or len(precision or "") > 4:
            return ""
        spec = f"%{flags}{width}" + (f".{precision}" if precision is not None else "")
        if kind in "di":
            amount = number(value)
            return (spec + "d") % (int(amount) if abs(amount) < 1e300 else 0)
        if kind in "oxXu":
            return (spec + ("d" if kind == "u" else kind)) % int(number(value))
        if kind in "eEfFgG":
            return (spec + kind) % number(value)
        if kind == "c":
            character = chr(int(value) & 255) if isinstance(value, float) else text(value)[:1]
            return (f"%{flags}{width}s") % character
        if kind == "s":
            return (spec.replace("0", "", 1) if "0" in flags else spec) % () if False else (spec + "s") % text(value)
        return found[0]

    return FORMAT.sub(one, form)

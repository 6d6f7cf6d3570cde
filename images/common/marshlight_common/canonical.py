"""JSON as JavaScript writes it, so that a text made here and there has the same digest."""

from __future__ import annotations

import json
import re
from typing import Any


def canonical(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(name)}:{canonical(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """ECMA-262, Number::toString: the digits that Python finds, with an exponent from 1e21 on and below 1e-6 only."""
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, sign, exponent = text.partition("e")
    if not sign:
        return text
    if 1e-6 <= abs(value) < 1e21:
        return f"{value:.{len(re.sub('[^0-9]', '', mantissa)) - 1 - int(exponent)}f}"
    return f"{mantissa}e{'+' if int(exponent) > 0 else ''}{int(exponent)}"

"""What a program of theirs may take: lengths, sizes of numbers, and all that it makes taken together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .things import Unknown

MOST_BYTES, MOST_ITEMS, MOST_BITS, MOST_IN_ALL = 1 << 20, 200_000, 65_536, 48 << 20
DEEPEST = 60


class Bounds:
    def __init__(self) -> None:
        self.made = 0

    def charge(self, size: int) -> None:
        """Counts what is made, not what is kept: a program that makes so much is ended as on a full machine."""
        self.made += size + 64
        if size > 8 * MOST_ITEMS or self.made > MOST_IN_ALL:
            raise MemoryError

    def kept(self, value: Any) -> Any:
        if isinstance(value, (str, bytes, bytearray)):
            if len(value) > MOST_BYTES:
                raise MemoryError
            if len(value) > 64:
                self.charge(len(value))
        elif isinstance(value, (list, tuple, dict, set)):
            if len(value) > MOST_ITEMS:
                raise MemoryError
            self.charge(len(value) * 8)
            if isinstance(value, tuple):
                self.weigh(value)
        elif isinstance(value, int) and value.bit_length() > MOST_BITS:
            raise MemoryError
        return value

    def weigh(self, *values: Any) -> None:
        """
        Before a value is shown, compared or hashed as a whole: what is in it many times over counts as often, so that a
        list of lists of lists cannot become more than the sum of its parts.
        """
        seen, waiting = 0, list(values)
        while waiting:
            value = waiting.pop()
            seen += 1 + (len(value) >> 3 if isinstance(value, (str, bytes, bytearray)) else 0)
            if seen > 2 * MOST_ITEMS:
                raise MemoryError
            if isinstance(value, dict):
                waiting += value.keys()
                waiting += value.values()
            elif isinstance(value, (list, tuple, set, frozenset)):
                if len(value) + len(waiting) > 2 * MOST_ITEMS:
                    raise MemoryError
                waiting += value

    def length(self, length: int, each: int = 1) -> None:
        """Before something of this many pieces is made."""
        if length * max(1, each) > MOST_BYTES:
            raise MemoryError

    def items(self, value: Any) -> list[Any]:
        if isinstance(value, range) and len(value) > MOST_ITEMS:
            raise MemoryError
        if isinstance(value, (list, tuple, str, bytes, bytearray, dict, set, frozenset, range)):
            found = list(value)
        elif hasattr(value, "attributes") and isinstance(value.attributes.get("__items__"), Iterable):
            found = list(value.attributes["__items__"])
        elif hasattr(value, "attributes"):
            raise TypeError(f"'{value.kind}' object is not iterable")
        else:
            raise TypeError(f"'{type(value).__name__}' object is not iterable")
        self.charge(len(found) * 8)
        return found


def width_of(form: str) -> None:
    """A width or precision of a format that nobody needs is one that shall take all memory."""
    if any(len(number) > 4 for number in re.findall(r"\d+", form)) or "*" in form:
        raise Unknown

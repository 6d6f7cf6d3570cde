"""Reading of the control files: JSON, field by field, each bounded; what is wrong is said with its path."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from marshlight_common.control_files import Refused

LARGEST = 1 << 23


def parsed(raw: bytes) -> Any:
    if len(raw) > LARGEST:
        raise Refused(f"file has {len(raw)} bytes, more than {LARGEST}")
    try:
        return json.loads(raw)
    except ValueError as error:
        raise Refused(f"not JSON: {error}") from None


class Fields:
    """Reads named fields of one JSON object and says where one is wrong."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise Refused(f"{path} is not an object")
        self.value, self.path = value, path

    def has(self, name: str) -> bool:
        return self.value.get(name) is not None

    def fields(self, name: str) -> Fields:
        return Fields(self.value.get(name), f"{self.path}.{name}")

    def text(self, name: str, most: int = 1 << 16, like: str = "") -> str:
        """`like`: a regular expression that has to match whole."""
        value = str(self._of(name, str, "a text"))
        if len(value) > most:
            raise Refused(f"{self.path}.{name} has {len(value)} letters, more than {most}")
        if like and re.fullmatch(like, value, re.DOTALL) is None:
            raise Refused(f"{self.path}.{name} is {value[:80]!r}")
        return value

    def integer(self, name: str, least: int = 0, most: int = 1 << 53) -> int:
        value = self._of(name, int, "a whole number")
        if isinstance(value, bool) or value < least:
            raise Refused(f"{self.path}.{name} is {value}, less than {least}")
        if value > most:
            raise Refused(f"{self.path}.{name} is {value}, more than {most}")
        return int(value)

    def number(self, name: str, least: float = 0, most: float = 1e12) -> float:
        value = self._of(name, (int, float), "a number")
        if isinstance(value, bool) or not least <= value <= most:
            raise Refused(f"{self.path}.{name} is {value}, not from {least} to {most}")
        return float(value)

    def truth(self, name: str) -> bool:
        return bool(self._of(name, bool, "true or false"))

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in words:
            raise Refused(f"{self.path}.{name} is {value[:80]!r}, not one of {', '.join(words)}")
        return value

    def moment(self, name: str) -> float:
        text = self.text(name)
        try:
            return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        except ValueError:
            raise Refused(f"{self.path}.{name} is {text[:40]!r}, not a time") from None

    def names(self, name: str) -> tuple[str, ...]:
        value = self._of(name, list, "a list")
        if not all(isinstance(item, str) for item in value):
            raise Refused(f"{self.path}.{name} holds something else than texts")
        return tuple(value)

    def integers(self, name: str, length: int, least: int, most: int) -> tuple[int, ...]:
        value = self._of(name, list, "a list")
        for item in value:
            if not isinstance(item, int) or isinstance(item, bool) or not least <= item <= most:
                raise Refused(f"{self.path}.{name} holds something else than numbers from {least} to {most}")
        if len(value) > length:
            raise Refused(f"{self.path}.{name} holds {len(value)}, more than {length}")
        return tuple(value)

    def each(self, name: str, most: int = 1 << 12) -> list[Fields]:
        value = self._of(name, list, "a list")
        if len(value) > most:
            raise Refused(f"{self.path}.{name} holds {len(value)}, more than {most}")
        return [Fields(item, f"{self.path}.{name}[{index}]") for index, item in enumerate(value)]

    def each_if_any(self, name: str, most: int) -> list[Fields]:
        return self.each(name, most) if self.has(name) else []

    def _of(self, name: str, kind: Any, called: str) -> Any:
        value = self.value.get(name)
        if not isinstance(value, kind):
            raise Refused(f"{self.path}.{name} is not {called}")
        return value

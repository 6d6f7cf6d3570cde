"""What a parameter stands for: one value, those of an array, the words that come of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .nodes import Word
from .variables import Variable

if TYPE_CHECKING:
    from .interpreter import Shell

#: Of a piece of a word: how it came to be says whether it is split and whether it is a pattern. BREAK parts two words.
LITERAL, QUOTED, EXPANDED, BREAK = range(4)


class ExpansionFailure(Exception):
    """Ends the command, and a shell that is not interactive. The wording without the prefix."""

    def __init__(self, wording: str, status: int = 1) -> None:
        super().__init__(wording)
        self.wording, self.status = wording, status


def in_bucket_order(keys: list[str]) -> list[str]:
    """The order in which bash gives an associative array's keys: that of its hash table of 1024 buckets (FNV-1)."""

    def bucket(key: str) -> int:
        value = 2166136261
        for byte in key.encode("utf-8", "surrogateescape"):
            value = (value * 16777619 & 0xFFFFFFFF) ^ byte
        return value & 1023

    return sorted(reversed(keys), key=bucket)


class ParameterValues:
    shell: Shell

    async def text(self, word: Word | None) -> str:
        raise NotImplementedError

    async def pattern(self, word: Word) -> str:
        raise NotImplementedError

    async def segments(self, word: Word, *, joining: bool = False) -> list[tuple[int, str]]:
        raise NotImplementedError

    async def number(self, text: str) -> int:
        raise NotImplementedError

    def spread(self, values: list[str], several: str, kind: int, joining: bool) -> list[tuple[int, str]]:
        """`@` and `*`: fields of their own, or one joined by the first sign of IFS."""
        if several == "*" and (kind == QUOTED or joining):
            ifs = self.shell.vars.get("IFS")
            return [(kind, (" " if ifs is None else ifs[:1]).join(values))]
        made: list[tuple[int, str]] = []
        for number, value in enumerate(values):
            if number:
                made.append((BREAK, ""))
            made.append((kind, value))
        return made

    def elements(self, name: str) -> list[str]:
        if name in ("@", "*"):
            return list(self.shell.positional)
        found = self.shell.vars.find(name)
        if found is None or found.value is None:
            return [] if name not in self.shell.vars.special else [self.shell.vars.get(name) or ""]
        if isinstance(found.value, dict):
            return [found.value[key] for key in self.ordered(found)]  # type: ignore[index]
        return [found.value]

    def ordered(self, variable: Variable) -> list[Any]:
        assert isinstance(variable.value, dict)
        keys: list[Any] = list(variable.value)
        return in_bucket_order(keys) if variable.array == "A" else sorted(keys)

    def keys(self, name: str) -> list[str]:
        found = self.shell.vars.find(name)
        if found is None or found.value is None:
            return []
        return [str(key) for key in self.ordered(found)] if isinstance(found.value, dict) else ["0"]

    async def key(self, name: str, source: str, index: Word | None = None) -> int | str:
        found = self.shell.vars.find(name)
        text = await self.text(index) if index is not None else source
        if found is not None and found.array == "A":
            return text
        number = await self.number(text)
        if number < 0 and found is not None and isinstance(found.value, dict):
            number += max((int(key) for key in found.value), default=-1) + 1
        if number < 0:
            raise ExpansionFailure(f"{name}: bad array subscript")
        return number

    def item(self, name: str, key: int | str) -> str | None:
        found = self.shell.vars.find(name)
        if found is None:
            return None
        if isinstance(found.value, dict):
            return found.value.get(key)  # type: ignore[call-overload,no-any-return]
        return found.value if key == 0 else None

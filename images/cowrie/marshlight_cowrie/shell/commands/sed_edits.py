"""The commands that a sed script is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


class BadScript(ValueError):
    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at, self.text = at, text


@dataclass
class Address:
    """One of: a line, the last line, every `step`-th, an expression (None: the last one used)."""

    kind: str
    line: int = 0
    step: int = 0
    pattern: re.Pattern[str] | None = None


@dataclass
class Edit:
    name: str
    first: Address | None = None
    last: Address | None = None
    inverted: bool = False
    text: str = ""
    pattern: re.Pattern[str] | None = None
    replacement: list[tuple[str, str]] = field(default_factory=list)
    every: bool = False
    nth: int = 1
    prints: bool = False
    file: str = ""
    table: dict[int, str] = field(default_factory=dict)
    #: Where a block ends, or a branch goes.
    target: int = -1
    #: Whether a range of lines is open.
    open: bool = False
    until: int = 0


def replacement(text: str) -> list[tuple[str, str]]:
    """Parts: `text`, `group` (0 is the whole match), `case` (one of LUElu)."""
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        c = text[at]
        at += 1
        if c == "&":
            parts.append(("group", "0"))
        elif c == "\\" and at < len(text):
            c = text[at]
            at += 1
            code = re.match(r"x([0-9a-fA-F]{1,2})", text[at - 1 :])
            if c.isdigit():
                parts.append(("group", c))
            elif c in "LUElu":
                parts.append(("case", c))
            elif code:
                at += code.end() - 1
                parts.append(("text", chr(int(code[1], 16))))
            else:
                parts.append(("text", {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}.get(c, c)))
        else:
            parts.append(("text", c))
    return parts

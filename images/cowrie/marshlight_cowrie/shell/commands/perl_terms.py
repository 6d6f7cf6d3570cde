"""The terms of a perl one-liner: words, operators, lists; and the statements that they stand in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..streams import Sink

if TYPE_CHECKING:
    from .perl import Perl

#: Items of a range.
MOST = 100_000
WORD = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|q[qx]?\{[^{}]*\}|q[qx]?\([^()]*\))|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<name>\$ENV\{\w+\}|\$\w+\[-?\d+\]|[$@]\w+|[a-z_]\w*)|(?P<sign>\.\.|==|!=|<=|>=|\*\*|[-+*/.x%<>(),]))""",
    re.S,
)


class Unknown(Exception):
    pass


class Reader:
    """A list of terms: the operators from the loosest to the tightest."""

    LEVELS = (("..",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-", "."), ("*", "/", "%", "x"), ("**",))

    def __init__(self, machine: Perl, words: list[tuple[str, str]]) -> None:
        self.machine, self.words, self.at = machine, words, 0

    def sees(self, *signs: str) -> bool:
        return self.at < len(self.words) and self.words[self.at][1] in signs and self.words[self.at][0] in ("sign", "name")

    async def list(self) -> list[Any]:
        made: list[Any] = []
        while self.at < len(self.words) and not self.sees(")"):
            made += await self.level(0)
            if not self.sees(","):
                break
            self.at += 1
        return made

    async def level(self, depth: int) -> list[Any]:
        if depth == len(self.LEVELS):
            return await self.term()
        left = await self.level(depth + 1)
        while self.sees(*self.LEVELS[depth]):
            sign = self.words[self.at][1]
            self.at += 1
            right = await self.level(depth + 1)
            left = joined(sign, left[-1] if left else "", right[-1] if right else "")
        return left

    async def term(self) -> list[Any]:
        if self.at >= len(self.words):
            raise Unknown
        kind, text = self.words[self.at]
        self.at += 1
        machine = self.machine
        if kind == "number":
            return [float(text) if "." in text else int(text)]
        if kind == "string":
            if text[0] == "'":
                return [re.sub(r"\\(['\\])", r"\1", text[1:-1])]
            if text[0] == "`" or text.startswith("qx"):
                out = Sink(1 << 18)
                await machine.p.spawn(["sh", "-c", machine.filled(text.strip("`") if text[0] == "`" else text[3:-1])], stdout=out)
                return [bytes(out.data).decode("utf-8", "replace")]
            return [machine.filled(text[1:-1] if text[0] == '"' else text[3:-1])] if not text.startswith(("q{", "q(")) else [text[2:-1]]
        if text == "(":
            made = await self.list()
            self.at += 1
            return made
        if text == "-":
            return [-number((await self.term())[-1])]
        if text[0] in "$@":
            value = machine.value(text)
            return list(value) if isinstance(value, list) else [value]
        opened = self.sees("(")
        self.at += opened
        given = await self.list() if opened or text in ("join", "uc", "lc", "length", "reverse") else []
        self.at += opened
        found = {
            **{"uc": lambda: [shown(given[0]).upper()], "lc": lambda: [shown(given[0]).lower()], "length": lambda: [len(shown(given[0]))]},
            **{"join": lambda: [shown(given[0]).join(map(shown, given[1:]))], "time": lambda: [int(machine.p.host.now())], "reverse": lambda: given[::-1]},
            "getppid": lambda: [machine.p.ppid],
        }.get(text)
        if found is None:
            raise Unknown
        return found()


def joined(sign: str, left: Any, right: Any) -> list[Any]:
    if sign == ".":
        return [(shown(left) + shown(right))[: 1 << 20]]
    if sign == "x":
        return [shown(left) * min(int(number(right)), (1 << 20) // max(1, len(shown(left))))]
    a, b = number(left), number(right)
    if sign == "..":
        return list(range(int(a), min(int(b), int(a) + MOST) + 1))
    if sign in ("==", "!=", "<", ">", "<=", ">="):
        return [int({"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[sign])]
    if sign == "**" and (abs(a) > 1e6 or b > 64):
        raise Unknown
    return [{"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b, "%": lambda: a % b, "**": lambda: a**b}[sign]()]


def number(value: Any) -> float:
    if isinstance(value, (int, float)):
        return value
    found = re.match(r"\s*-?\d+(\.\d+)?", str(value))
    return 0 if not found else float(found[0]) if found[1] else int(found[0])


def shown(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.15g}"
    return str(value)


def statements(text: str) -> list[tuple[str, str | None]]:
    """Each with the block that follows it; quotes and brackets keep their semicolons."""
    made: list[tuple[str, str | None]] = []
    start = depth = 0
    quote, block = "", -1
    at = 0
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'`" and not (char == "'" and text[at - 1 : at].isalnum()):
            quote = char
        elif char == "{" and (depth or text[at - 1 : at] in (" ", ")") and text[start:at].strip().endswith(")")):
            block = at if depth == 0 else block
            depth += 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                made.append((text[start:block].strip(), text[block + 1 : at]))
                start = at + 1
        elif char == ";" and not depth:
            made.append((text[start:at].strip(), None))
            start = at + 1
        at += 1
    if text[start:].strip():
        made.append((text[start:].strip(), None))
    return made

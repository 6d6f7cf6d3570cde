"""expr: one expression out of words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .options import Usage, refuse
from .regex import BadPattern, compiled

if TYPE_CHECKING:
    from ..ports import Process


async def expr(p: Process) -> int:
    args = p.args[1:]
    if args[:1] == ["--"]:
        args = args[1:]
    if not args:
        raise refuse(p, "missing operand", 2)
    value = Expression(p, args).all()
    p.out(value + "\n")
    return 1 if value in ("", "0") or re.fullmatch(r"-?0+", value) else 0


class Expression:
    LEVELS = (("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"), (":",))

    def __init__(self, p: Process, words: list[str]) -> None:
        self.p, self.words, self.at = p, words, 0

    def bad(self, text: str) -> Usage:
        return Usage(f"{self.p.args[0]}: {text}\n", 2)

    def all(self) -> str:
        value = self.level(0)
        if self.at < len(self.words):
            raise self.bad(f"syntax error: unexpected argument ‘{self.words[self.at]}’")
        return value

    def level(self, depth: int) -> str:
        if depth == len(self.LEVELS):
            return self.primary()
        value = self.level(depth + 1)
        while self.at < len(self.words) and self.words[self.at] in self.LEVELS[depth]:
            operator = self.words[self.at]
            self.at += 1
            value = self.applied(operator, value, self.level(depth + 1))
        return value

    def primary(self) -> str:
        if self.at >= len(self.words):
            raise self.bad(f"syntax error: missing argument after ‘{self.words[-1]}’")
        word = self.words[self.at]
        self.at += 1
        if word == "(":
            value = self.level(0)
            if self.words[self.at : self.at + 1] != [")"]:
                raise self.bad("syntax error: expecting ')' after ‘" + self.words[self.at - 1] + "’")
            self.at += 1
            return value
        if word == "length":
            return str(len(self.primary()))
        if word == "match":
            return self.applied(":", self.primary(), self.primary())
        if word == "index":
            text, letters = self.primary(), self.primary()
            return str(next((i for i, c in enumerate(text, 1) if c in letters), 0))
        if word == "substr":
            text, start, length = self.primary(), int(self.primary()), int(self.primary())
            return text[start - 1 : start - 1 + length] if start > 0 and length > 0 else ""
        return word

    def applied(self, operator: str, left: str, right: str) -> str:
        null = ("", "0")
        if operator == "|":
            return left if left not in null else right if right not in null else "0"
        if operator == "&":
            return left if left not in null and right not in null else "0"
        if operator == ":":
            try:
                found = compiled(right, extended=False).match(left)
            except BadPattern as error:
                raise self.bad(str(error)) from None
            if found is None:
                return "" if "\\(" in right else "0"
            return (found[1] or "") if found.re.groups else str(len(found[0]))
        whole = all(re.fullmatch(r"[-+]?\d+", text) for text in (left, right))
        if operator in self.LEVELS[2]:
            a, b = (int(left), int(right)) if whole else (left, right)
            holds = {"<": a < b, "<=": a <= b, "=": a == b, "==": a == b, "!=": a != b, ">=": a >= b, ">": a > b}  # type: ignore[operator]
            return str(int(holds[operator]))
        if not whole:
            raise self.bad("non-integer argument")
        one, other = int(left), int(right)
        if operator in "/%" and other == 0:
            raise self.bad("division by zero")
        quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1) if operator in "/%" else 0
        return str({"+": one + other, "-": one - other, "*": one * other, "/": quotient, "%": one - quotient * other}[operator])


COMMANDS = {"expr": expr}

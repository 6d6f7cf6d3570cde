"""Reads an arithmetic expression into nested tuples: (kind, operands...)."""

from __future__ import annotations

import re
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+#[0-9A-Za-z@_]+|0[xX][0-9A-Fa-f]+|\d\w*)|(?P<name>[A-Za-z_]\w*)|"
    r"(?P<operator><<=|>>=|\*\*|\+\+|--|&&|\|\||==|!=|<=|>=|<<|>>|[-+*/%&|^]=|[-+*/%&|^~!<>=?:,()\[\]]))"
)
BINARY = {"||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7}
BINARY |= {"<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10, "**": 11}
ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
DIGITS = {char: at for at, char in enumerate("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_")}
DEEPEST = 60


class ArithmeticFailure(Exception):
    """The wording without the shell's prefix."""


def wrapped(value: int) -> int:
    return ((value + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


class Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.kind, self.token, self.start, self.deep = "", "", 0, 0
        self.advance()

    def advance(self) -> None:
        found = TOKEN.match(self.text, self.at)
        blank = len(self.text) - len(self.text[self.at :].lstrip())
        self.start = blank
        if found:
            self.kind = found.lastgroup or ""
            self.token = found.group(self.kind)
            self.at = found.end()
        elif blank >= len(self.text):
            self.kind, self.token = "end", ""
        else:
            self.kind, self.token = "bad", self.text[blank]

    def fail(self, why: str, start: int | None = None) -> ArithmeticFailure:
        rest = self.text[self.start if start is None else start :]
        return ArithmeticFailure(f"{self.text.lstrip()}: {why} (error token is \"{rest}\")")

    def whole(self) -> tuple[Any, ...]:
        tree = self.comma()
        if self.kind == "bad":
            raise self.fail("syntax error: invalid arithmetic operator")
        if self.kind != "end":
            raise self.fail("syntax error in expression")
        return tree

    def comma(self) -> tuple[Any, ...]:
        left = self.assignment()
        while self.token == ",":
            self.advance()
            left = (",", left, self.assignment())
        return left

    def assignment(self) -> tuple[Any, ...]:
        self.deep += 1
        if self.deep > DEEPEST:
            raise self.fail("expression recursion level exceeded")
        left = self.conditional()
        if self.kind == "operator" and self.token in ASSIGNING:
            if left[0] != "name":
                raise self.fail("attempted assignment to non-variable")
            operator = self.token
            self.advance()
            left = ("set", left, operator[:-1], self.assignment())
        self.deep -= 1
        return left

    def conditional(self) -> tuple[Any, ...]:
        condition = self.binary(1)
        if self.token != "?":
            return condition
        self.advance()
        yes = self.comma()
        if self.token != ":":
            raise self.fail("`:' expected for conditional expression")
        self.advance()
        return ("?", condition, yes, self.assignment() if self.kind != "end" else self.unary())

    def binary(self, least: int) -> tuple[Any, ...]:
        left = self.unary()
        while self.kind == "operator" and BINARY.get(self.token, 0) >= least:
            operator = self.token
            rank = BINARY[operator]
            self.advance()
            start = self.start
            if operator == "**" and self.token == "-":
                start += 1
            right = self.binary(rank if operator == "**" else rank + 1)
            left = (operator, left, right, start)
        return left

    def unary(self) -> tuple[Any, ...]:
        token = self.token
        if self.kind == "operator":
            if token in ("++", "--"):
                self.advance()
                if self.kind == "name":
                    return ("pre", token, self.unary())
                inner = self.unary()
                return (token[0] + "u", (token[0] + "u", inner))
            if token in "+-!~" and token:
                self.advance()
                self.deep += 1
                if self.deep > DEEPEST:
                    raise self.fail("expression recursion level exceeded")
                inner = self.unary()
                self.deep -= 1
                return (token + "u", inner)
            if token == "(":
                self.advance()
                inner = self.comma()
                if self.token != ")":
                    raise self.fail("missing `)'")
                self.advance()
                return inner
        if self.kind == "number":
            value = self.number(token)
            self.advance()
            return ("value", value)
        if self.kind == "name":
            return self.name()
        if self.kind == "end":
            # What bash shows is the last token that it read, and what follows it.
            last = re.search(r"(?:<<=|>>=|\*\*|\+\+|--|&&|\|\||[=!<>]=|<<|>>|\S)\s*$", self.text)
            raise self.fail("syntax error: operand expected", last.start() if last else 0)
        if self.kind == "bad":
            raise self.fail("syntax error: operand expected")
        raise self.fail("syntax error: operand expected")

    def name(self) -> tuple[Any, ...]:
        name, index = self.token, None
        if self.text[self.at : self.at + 1] == "[":
            depth, end = 0, self.at
            for end in range(self.at, len(self.text)):
                depth += (self.text[end] == "[") - (self.text[end] == "]")
                if depth == 0:
                    break
            index = self.text[self.at + 1 : end]
            self.at = end + 1
        self.advance()
        if self.token in ("++", "--"):
            operator = self.token
            self.advance()
            return ("post", operator, ("name", name, index))
        return ("name", name, index)

    def number(self, token: str) -> int:
        if "#" in token:
            base, digits = int(token.split("#")[0]), token.split("#")[1]
            if not 2 <= base <= 64:
                raise self.fail("invalid arithmetic base")
            total = 0
            for digit in digits:
                worth = DIGITS[digit.lower() if base <= 36 else digit]
                if worth >= base:
                    raise self.fail("value too great for base")
                total = total * base + worth
            return wrapped(total)
        try:
            if token[:2].lower() == "0x":
                return wrapped(int(token, 16))
            return wrapped(int(token, 8) if token.startswith("0") else int(token))
        except ValueError:
            raise self.fail("value too great for base") from None

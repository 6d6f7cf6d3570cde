"""Shell arithmetic: C's operators on 64 bits, variables by name, errors worded as bash words them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+#[0-9A-Za-z@_]+|0[xX][0-9A-Fa-f]+|\d\w*)|(?P<name>[A-Za-z_]\w*)|"
    r"(?P<operator><<=|>>=|\*\*|\+\+|--|&&|\|\||==|!=|<=|>=|<<|>>|[-+*/%&|^]=|[-+*/%&|^~!<>=?:,()\[\]]))"
)
BINARY = {"||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7}
BINARY |= {"<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10, "**": 11}
ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
DEEPEST = 60
DIGITS = {char: at for at, char in enumerate("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_")}


class ArithmeticFailure(Exception):
    """The wording without the shell's prefix."""


class Variables(Protocol):
    def number_text(self, name: str, index: str | None) -> str: ...
    def set_number(self, name: str, index: str | None, value: int) -> None: ...


def wrapped(value: int) -> int:
    return ((value + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


def evaluate(text: str, variables: Variables, depth: int = 0) -> int:
    if depth > DEEPEST:
        raise ArithmeticFailure(f"{text.strip()}: expression recursion level exceeded (error token is \"{text.strip()}\")")
    if not text.strip():
        return 0
    tree = parsed(text)
    return Evaluator(text, variables, depth).value(tree)


@lru_cache(maxsize=512)
def parsed(text: str) -> tuple[Any, ...]:
    return Reader(text).whole()


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


class Evaluator:
    def __init__(self, text: str, variables: Variables, depth: int) -> None:
        self.text, self.variables, self.depth = text, variables, depth

    def value(self, tree: tuple[Any, ...]) -> int:
        kind = tree[0]
        if kind == "value":
            return int(tree[1])
        if kind == "name":
            return evaluate(self.variables.number_text(tree[1], tree[2]), self.variables, self.depth + 1)
        if kind == "set":
            _, (_, name, index), operator, right = tree
            value = self.value(right)
            if operator:
                value = self.operate(operator, self.value(tree[1]), value, 0)
            self.variables.set_number(name, index, value)
            return value
        if kind in ("pre", "post"):
            before = self.value(tree[2])
            after = wrapped(before + (1 if tree[1] == "++" else -1))
            if tree[2][0] == "name":
                self.variables.set_number(tree[2][1], tree[2][2], after)
            return after if kind == "pre" else before
        if kind == ",":
            self.value(tree[1])
            return self.value(tree[2])
        if kind == "?":
            return self.value(tree[2] if self.value(tree[1]) else tree[3])
        if kind == "&&":
            return int(bool(self.value(tree[1]) and self.value(tree[2])))
        if kind == "||":
            return int(bool(self.value(tree[1]) or self.value(tree[2])))
        if kind in UNARY:
            return wrapped(UNARY[kind](self.value(tree[1])))
        return self.operate(kind, self.value(tree[1]), self.value(tree[2]), tree[3])

    def operate(self, operator: str, left: int, right: int, start: int) -> int:
        if operator in ("/", "%"):
            if right == 0:
                token = self.text[start:] if start else self.text.rsplit("=", 1)[-1].lstrip()
                raise ArithmeticFailure(f"{self.text.lstrip()}: division by 0 (error token is \"{token}\")")
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return wrapped(quotient if operator == "/" else left - quotient * right)
        if operator == "**":
            if right < 0:
                raise ArithmeticFailure(f"{self.text.lstrip()}: exponent less than 0 (error token is \"{self.text[start:]}\")")
            return wrapped(pow(left, right, 1 << 64))
        return wrapped(OPERATIONS[operator](left, right))


UNARY: dict[str, Callable[[int], int]] = {
    "+u": lambda value: value,
    "-u": lambda value: -value,
    "!u": lambda value: int(not value),
    "~u": lambda value: ~value,
}
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "<<": lambda left, right: left << (right & 63),
    ">>": lambda left, right: left >> (right & 63),
    "<": lambda left, right: int(left < right),
    ">": lambda left, right: int(left > right),
    "<=": lambda left, right: int(left <= right),
    ">=": lambda left, right: int(left >= right),
    "==": lambda left, right: int(left == right),
    "!=": lambda left, right: int(left != right),
    "&": lambda left, right: left & right,
    "|": lambda left, right: left | right,
    "^": lambda left, right: left ^ right,
}

"""Shell arithmetic: C's operators on 64 bits, variables by name, errors worded as bash words them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from .arithmetic_reader import DEEPEST, ArithmeticFailure, Reader, wrapped


class Variables(Protocol):
    def number_text(self, name: str, index: str | None) -> str: ...
    def set_number(self, name: str, index: str | None, value: int) -> None: ...


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

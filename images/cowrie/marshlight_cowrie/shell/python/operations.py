"""Operators on plain values, within bounds."""

from __future__ import annotations

import ast
import operator
from typing import Any

from .bounds import MOST_BITS, Bounds, width_of
from .things import Thing, kind_of

BINARY: dict[type, tuple[str, Any]] = {
    **{ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul), ast.Div: ("/", operator.truediv)},
    **{ast.FloorDiv: ("//", operator.floordiv), ast.Mod: ("%", operator.mod), ast.Pow: ("** or pow()", operator.pow)},
    **{ast.LShift: ("<<", operator.lshift), ast.RShift: (">>", operator.rshift), ast.BitAnd: ("&", operator.and_)},
    **{ast.BitOr: ("|", operator.or_), ast.BitXor: ("^", operator.xor)},
}
UNARY: dict[type, Any] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert, ast.Not: operator.not_}
COMPARE: dict[type, Any] = {
    **{ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge},
    **{ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda a, b: operator.contains(b, a)},
    ast.NotIn: lambda a, b: not operator.contains(b, a),
}


def binary(bounds: Bounds, kind: type, left: Any, right: Any) -> Any:
    sign, run = BINARY[kind]
    if isinstance(left, Thing) or isinstance(right, Thing):
        raise TypeError(f"unsupported operand type(s) for {sign}: '{kind_of(left)}' and '{kind_of(right)}'")
    if kind is ast.Mult:
        for text, times in ((left, right), (right, left)):
            if isinstance(text, (str, bytes, bytearray, list, tuple)) and isinstance(times, int):
                bounds.length(len(text) * max(0, times), 1 if isinstance(text, (str, bytes, bytearray)) else 8)
    if isinstance(left, int) and isinstance(right, int):
        if kind is ast.Pow and abs(left) > 1 and left.bit_length() * max(0, right) > MOST_BITS:
            raise MemoryError
        if kind is ast.LShift and right > MOST_BITS:
            raise MemoryError
    if kind is ast.Mod and isinstance(left, (str, bytes)):
        width_of(left if isinstance(left, str) else left.decode("latin1"))
        bounds.weigh(right)
    return bounds.kept(run(left, right))


def compared(bounds: Bounds, kind: type, left: Any, right: Any) -> bool:
    if kind not in (ast.Is, ast.IsNot):
        for value in (left, right):
            if isinstance(value, (list, tuple, dict, set)):
                bounds.weigh(value)
    if kind in (ast.In, ast.NotIn) and isinstance(right, Thing):
        items = right.attributes.get("__items__")
        if items is None:
            raise TypeError(f"argument of type '{right.kind}' is not iterable")
        right = items
    if kind in (ast.Lt, ast.LtE, ast.Gt, ast.GtE) and (isinstance(left, Thing) or isinstance(right, Thing)):
        sign = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}[kind]  # type: ignore[index]
        raise TypeError(f"'{sign}' not supported between instances of '{kind_of(left)}' and '{kind_of(right)}'")
    return bool(COMPARE[kind](left, right))

"""What a program handles beside plain values: modules, functions, files, sockets. And how it is left."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable
from typing import Any

PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, type(None), BaseException)


class Thing:
    """An object of the pretended interpreter; `shown` is its repr, `kind` the name of its type."""

    def __init__(self, kind: str, shown: str, attributes: dict[str, Any] | None = None) -> None:
        self.kind, self.shown, self.attributes = kind, shown, attributes or {}

    def __repr__(self) -> str:
        return self.shown


class Native(Thing):
    """A function of ours: `run(machine, *arguments, **named)`."""

    def __init__(self, name: str, run: Callable[..., Awaitable[Any]], kind: str = "builtin_function_or_method") -> None:
        super().__init__(kind, f"<class '{name}'>" if kind == "type" else f"<built-in function {name}>", {"__name__": name})
        self.name, self.run = name, run


class Function(Thing):
    """One of theirs: `def` or `lambda`."""

    def __init__(self, name: str, arguments: ast.arguments, body: list[ast.stmt] | ast.expr, scope: Scope, defaults: list[Any]) -> None:
        super().__init__("function", f"<function {name} at 0x7f{abs(hash(name)) % (1 << 36):010x}>", {"__name__": name})
        self.name, self.arguments, self.body, self.scope, self.defaults = name, arguments, body, scope, defaults


class Scope:
    def __init__(self, above: Scope | None, where: str) -> None:
        self.names: dict[str, Any] = {}
        self.shared: set[str] = set()
        self.above, self.where = above, where

    def find(self, name: str) -> Scope | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.above
        return None


class Raised(Exception):
    """An exception of theirs; `frames`: (line, name of the function, node), the innermost first."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
        self.frames: list[tuple[int, str, ast.AST | None]] = []
        #: Of the last frame.
        self.scope: Scope | None = None


class Unknown(Exception):
    """What is not played: the program ends without a word, as one does that went to the background."""


class Leave(Exception):
    """os._exit, exec: the process is over."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Return(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Break(Exception):
    pass


class Continue(Exception):
    pass


def kind_of(value: Any) -> str:
    return value.kind if isinstance(value, Thing) else type(value).__name__

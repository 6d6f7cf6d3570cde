"""Calls: of functions of ours, of theirs, of classes of exceptions; and sets."""

from __future__ import annotations

import ast
from typing import Any

from .bounds import DEEPEST
from .expressions import Expressions
from .things import PLAIN, Function, Native, Raised, Return, Scope, kind_of


class Calls(Expressions):
    async def on_Set(self, node: ast.Set, scope: Scope) -> Any:
        return self.bounds.kept(set(await self.several(node.elts, scope)))

    async def on_Call(self, node: ast.Call, scope: Scope) -> Any:
        function = await self.value(node.func, scope)
        arguments = await self.several(node.args, scope)
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            value = await self.value(keyword.value, scope)
            if keyword.arg is None:
                named.update({str(key): each for key, each in value.items()})
            else:
                named[keyword.arg] = value
        if isinstance(function, Native) and function.name in ("globals", "locals"):
            return scope.names
        try:
            return await self.call(function, arguments, named)
        except Raised:
            self.node = node
            raise
        except Exception:
            if self.node is None:
                self.node = node
            raise

    async def call(self, function: Any, arguments: list[Any], named: dict[str, Any] | None = None) -> Any:
        await self.step()
        if isinstance(function, Native):
            return self.bounds.kept(await function.run(self, *arguments, **(named or {})))
        if isinstance(function, type) and issubclass(function, BaseException):
            self.bounds.weigh(arguments)
            return function(*[one if isinstance(one, PLAIN) else repr(one) for one in arguments])
        if not isinstance(function, Function):
            raise TypeError(f"'{kind_of(function)}' object is not callable")
        return await self.call_theirs(function, arguments, named or {})

    async def call_theirs(self, function: Function, arguments: list[Any], named: dict[str, Any]) -> Any:
        scope = Scope(function.scope, function.name)
        given = function.arguments
        names = [one.arg for one in (*given.posonlyargs, *given.args)]
        scope.names.update(zip(names[len(names) - len(function.defaults) :], function.defaults, strict=True))
        scope.names.update(zip(names, arguments, strict=False))
        if given.vararg:
            scope.names[given.vararg.arg] = tuple(arguments[len(names) :])
        elif len(arguments) > len(names):
            plural = "s" if len(names) != 1 else ""
            raise TypeError(f"{function.name}() takes {len(names)} positional argument{plural} but {len(arguments)} {'were' if len(arguments) > 1 else 'was'} given")
        extra = {name: value for name, value in named.items() if name not in names}
        if extra and not given.kwarg:
            raise TypeError(f"{function.name}() got an unexpected keyword argument '{next(iter(extra))}'")
        scope.names.update({name: value for name, value in named.items() if name in names})
        if given.kwarg:
            scope.names[given.kwarg.arg] = extra
        missing = [name for name in names if name not in scope.names]
        if missing:
            plural = "s" if len(missing) > 1 else ""
            listed = " and ".join(f"'{name}'" for name in missing)
            raise TypeError(f"{function.name}() missing {len(missing)} required positional argument{plural}: {listed}")
        if self.depth > DEEPEST * 2:
            raise RecursionError("maximum recursion depth exceeded")
        self.depth += 8
        try:
            if isinstance(function.body, list):
                await self.run_body(function.body, scope)
                return None
            return await self.value(function.body, scope)
        except Return as leave:
            return leave.value
        finally:
            self.depth -= 8

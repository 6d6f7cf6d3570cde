"""The value of an expression of theirs."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from . import methods
from .bounds import DEEPEST, Bounds, width_of
from .operations import UNARY, binary, compared
from .things import Function, Native, Raised, Return, Scope, Thing, Unknown, kind_of

if TYPE_CHECKING:
    from ..ports import Process


class Expressions:
    p: Process
    bounds: Bounds
    builtins: dict[str, Any]
    depth: int
    node: ast.AST | None
    run_body: Callable[[list[ast.stmt], Scope], Awaitable[None]]
    call: Callable[..., Awaitable[Any]]

    async def value(self, node: ast.expr, scope: Scope) -> Any:
        run = getattr(self, f"on_{type(node).__name__}", None)
        if run is None:
            raise Unknown
        if self.depth > DEEPEST * 4:
            raise RecursionError("maximum recursion depth exceeded")
        self.depth += 1
        try:
            return await run(node, scope)
        except (Raised, Unknown, Return):
            raise
        except Exception:
            # The innermost expression is the one that a trace points at.
            if self.node is None:
                self.node = node
            raise
        finally:
            self.depth -= 1

    async def on_Constant(self, node: ast.Constant, scope: Scope) -> Any:
        return node.value

    async def on_Name(self, node: ast.Name, scope: Scope) -> Any:
        found = scope.find(node.id)
        if found is not None:
            return found.names[node.id]
        if node.id in self.builtins:
            return self.builtins[node.id]
        raise NameError(f"name '{node.id}' is not defined")

    async def on_BinOp(self, node: ast.BinOp, scope: Scope) -> Any:
        left, right = await self.value(node.left, scope), await self.value(node.right, scope)
        return binary(self.bounds, type(node.op), left, right)

    async def on_UnaryOp(self, node: ast.UnaryOp, scope: Scope) -> Any:
        value = await self.value(node.operand, scope)
        if isinstance(value, Thing) and not isinstance(node.op, ast.Not):
            raise TypeError(f"bad operand type for unary: '{value.kind}'")
        return UNARY[type(node.op)](value)

    async def on_BoolOp(self, node: ast.BoolOp, scope: Scope) -> Any:
        value = None
        for each in node.values:
            value = await self.value(each, scope)
            if bool(value) == isinstance(node.op, ast.Or):
                return value
        return value

    async def on_Compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = await self.value(node.left, scope)
        for sign, other in zip(node.ops, node.comparators, strict=True):
            right = await self.value(other, scope)
            if not compared(self.bounds, type(sign), left, right):
                return False
            left = right
        return True

    async def on_IfExp(self, node: ast.IfExp, scope: Scope) -> Any:
        return await self.value(node.body if await self.value(node.test, scope) else node.orelse, scope)

    async def on_NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> Any:
        value = scope.names[node.target.id] = await self.value(node.value, scope)
        return value

    async def on_Attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        return await self.attribute(await self.value(node.value, scope), node.attr)

    async def attribute(self, value: Any, name: str) -> Any:
        if isinstance(value, Thing):
            if name in value.attributes:
                return value.attributes[name]
            more = value.attributes.get("__unknown__")
            if more is not None:
                return more(name)
            raise AttributeError(f"module '{value.attributes['__name__']}' has no attribute '{name}'" if value.kind == "module" else f"'{value.kind}' object has no attribute '{name}'")
        if isinstance(value, BaseException) and name in ("errno", "strerror", "args", "returncode", "reason", "code"):
            return getattr(value, name, None)
        if methods.has(value, name):

            async def bound(machine: Any, *arguments: Any, **named: Any) -> Any:
                if name == "sort":
                    raise Unknown
                return methods.run(self.bounds, value, name, list(arguments), named)

            return Native(name, bound)
        if isinstance(value, list) and name == "sort":

            async def sort(machine: Any, key: Any = None, reverse: bool = False) -> None:
                value[:] = await self.sorted_by(value, key, reverse)

            return Native(name, sort)
        raise AttributeError(f"'{kind_of(value)}' object has no attribute '{name}'")

    async def sorted_by(self, items: list[Any], key: Any, reverse: bool) -> list[Any]:
        keys = [await self.call(key, [item]) for item in items] if key is not None else items
        self.bounds.weigh(keys)
        order = sorted(range(len(items)), key=lambda at: keys[at], reverse=bool(reverse))
        return [items[at] for at in order]

    async def on_Subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        value = await self.value(node.value, scope)
        index = await self.value(node.slice, scope)
        if isinstance(value, Thing):
            items = value.attributes.get("__mapping__")
            if items is None:
                raise TypeError(f"'{value.kind}' object is not subscriptable")
            value = items
        return self.bounds.kept(value[index])

    async def on_Slice(self, node: ast.Slice, scope: Scope) -> Any:
        parts = [await self.value(part, scope) if part is not None else None for part in (node.lower, node.upper, node.step)]
        return slice(*parts)

    async def several(self, nodes: list[ast.expr], scope: Scope) -> list[Any]:
        made: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                made += self.bounds.items(await self.value(node.value, scope))
            else:
                made.append(await self.value(node, scope))
        return made

    async def on_List(self, node: ast.List, scope: Scope) -> Any:
        return self.bounds.kept(await self.several(node.elts, scope))

    async def on_Tuple(self, node: ast.Tuple, scope: Scope) -> Any:
        return self.bounds.kept(tuple(await self.several(node.elts, scope)))

    async def on_Dict(self, node: ast.Dict, scope: Scope) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                made.update(await self.value(value, scope))
            else:
                made[await self.value(key, scope)] = await self.value(value, scope)
        return self.bounds.kept(made)

    async def on_JoinedStr(self, node: ast.JoinedStr, scope: Scope) -> Any:
        return self.bounds.kept("".join([str(await self.value(part, scope)) for part in node.values]))

    async def on_FormattedValue(self, node: ast.FormattedValue, scope: Scope) -> Any:
        value = await self.value(node.value, scope)
        self.bounds.weigh(value)
        value = {115: str, 114: repr, 97: ascii}[node.conversion](value) if node.conversion > 0 else value
        form = await self.value(node.format_spec, scope) if node.format_spec is not None else ""
        width_of(form)
        return self.bounds.kept(format(value, form) if not isinstance(value, Thing) else repr(value))

    async def on_Lambda(self, node: ast.Lambda, scope: Scope) -> Any:
        return Function("<lambda>", node.args, node.body, scope, await self.several(node.args.defaults, scope))

    async def on_ListComp(self, node: ast.ListComp, scope: Scope) -> Any:
        made: list[Any] = []

        async def take(inner: Scope) -> None:
            made.append(await self.value(node.elt, inner))
            self.bounds.charge(0)

        await self.each(node.generators, Scope(scope, "<listcomp>"), take)
        return self.bounds.kept(made)

    on_GeneratorExp = on_ListComp

    async def on_SetComp(self, node: ast.SetComp, scope: Scope) -> Any:
        return set(await self.on_ListComp(node, scope))  # type: ignore[arg-type]

    async def on_DictComp(self, node: ast.DictComp, scope: Scope) -> Any:
        made: dict[Any, Any] = {}

        async def take(inner: Scope) -> None:
            made[await self.value(node.key, inner)] = await self.value(node.value, inner)
            self.bounds.charge(0)

        await self.each(node.generators, Scope(scope, "<dictcomp>"), take)
        return self.bounds.kept(made)

    async def each(self, generators: list[ast.comprehension], scope: Scope, take: Callable[[Scope], Awaitable[None]]) -> None:
        first, rest = generators[0], generators[1:]
        for item in self.bounds.items(await self.value(first.iter, scope)):
            await self.step()
            await self.assign(first.target, item, scope)
            for test in first.ifs:
                if not await self.value(test, scope):
                    break
            else:
                if rest:
                    await self.each(rest, scope, take)
                else:
                    await take(scope)

    async def step(self) -> None:
        await self.p.notes["shell"].budget.step()

    async def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            owner = scope
            if target.id in scope.shared:
                while owner.above is not None:
                    owner = owner.above
            owner.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            items = self.bounds.items(value)
            if any(isinstance(part, ast.Starred) for part in target.elts):
                raise Unknown
            if len(items) != len(target.elts):
                few = len(items) < len(target.elts)
                raise ValueError(f"not enough values to unpack (expected {len(target.elts)}, got {len(items)})" if few else f"too many values to unpack (expected {len(target.elts)})")
            for part, item in zip(target.elts, items, strict=True):
                await self.assign(part, item, scope)
        elif isinstance(target, ast.Subscript):
            holder, index = await self.value(target.value, scope), await self.value(target.slice, scope)
            if isinstance(holder, Thing):
                holder = holder.attributes.get("__mapping__")
            if not isinstance(holder, (list, dict)):
                raise TypeError(f"'{kind_of(holder)}' object does not support item assignment")
            holder[index] = value
            self.bounds.kept(holder)
        elif isinstance(target, ast.Attribute):
            holder = await self.value(target.value, scope)
            if not isinstance(holder, Thing) or isinstance(holder, Native):
                raise AttributeError(f"'{kind_of(holder)}' object has no attribute '{target.attr}'")
            holder.attributes = {**holder.attributes, target.attr: value}
        else:
            raise Unknown

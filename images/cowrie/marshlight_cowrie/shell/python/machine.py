"""The statements of theirs, one after the other; where an error comes from, for its trace."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .bounds import Bounds
from .calls import Calls
from .operations import binary
from .things import Break, Continue, Function, Raised, Return, Scope, Thing, Unknown, kind_of

if TYPE_CHECKING:
    from ..ports import Process

#: Depth of a tree that is walked at all.
DEEPEST_TREE = 90
#: What an error of theirs can be; all else is an error of ours.
THEIRS = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError, MemoryError, NameError, OSError),
    *(RuntimeError, StopIteration, SyntaxError, TypeError, ValueError, SystemExit, KeyboardInterrupt),
)


class Machine(Calls):
    def __init__(self, p: Process, name: str, argv: list[str]) -> None:
        from . import modules, names

        self.p, self.file, self.argv = p, name, argv
        self.bounds = Bounds()
        self.depth = 0
        self.node: ast.AST | None = None
        self.modules: dict[str, Thing] = {}
        self.import_module = lambda called: modules.find(self, called)
        self.builtins = names.builtins(self)
        self.top = Scope(None, "<module>")
        inside = ("__builtins__", "__doc__", "__loader__", "__package__", "__spec__")
        self.top.names |= {"__name__": "__main__", "__annotations__": {}, **{each: None for each in inside}}
        if not name.startswith("<"):
            self.top.names["__file__"] = name
        #: Of the prompt: the value of an expression is shown.
        self.shows = False
        self.handled: list[BaseException] = []

    async def run(self, tree: ast.Module, scope: Scope | None = None) -> None:
        if too_deep(tree):
            raise Unknown
        await self.run_body(tree.body, scope or self.top)

    async def run_body(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            await self.step()
            run = getattr(self, f"do_{type(statement).__name__}", None)
            if run is None:
                raise Unknown
            try:
                await run(statement, scope)
            except Raised as raised:
                if raised.scope is not scope:
                    raised.scope = scope
                    raised.frames.append((getattr(self.node, "lineno", statement.lineno), scope.where, self.node))
                    self.node = None
                raise
            except THEIRS as error:
                raised = Raised(error)
                raised.scope = scope
                raised.frames.append((getattr(self.node, "lineno", statement.lineno), scope.where, self.node))
                self.node = None
                raise raised from None

    async def do_Expr(self, node: ast.Expr, scope: Scope) -> None:
        value = await self.value(node.value, scope)
        if self.shows and scope is self.top and value is not None:
            self.bounds.weigh(value)
            self.p.out(f"{value!r}\n")

    async def do_Assign(self, node: ast.Assign, scope: Scope) -> None:
        value = await self.value(node.value, scope)
        for target in node.targets:
            await self.assign(target, value, scope)

    async def do_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            await self.assign(node.target, await self.value(node.value, scope), scope)

    async def do_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:
        read: Any = ast.copy_location(type(node.target)(**{**dict(ast.iter_fields(node.target)), "ctx": ast.Load()}), node.target)
        value = binary(self.bounds, type(node.op), await self.value(read, scope), await self.value(node.value, scope))
        await self.assign(node.target, value, scope)

    async def do_If(self, node: ast.If, scope: Scope) -> None:
        await self.run_body(node.body if await self.value(node.test, scope) else node.orelse, scope)

    async def do_While(self, node: ast.While, scope: Scope) -> None:
        while await self.value(node.test, scope):
            try:
                await self.run_body(node.body, scope)
            except Continue:
                continue
            except Break:
                return
            await self.step()
        await self.run_body(node.orelse, scope)

    async def do_For(self, node: ast.For, scope: Scope) -> None:
        found = await self.value(node.iter, scope)
        for item in found if isinstance(found, range) else self.bounds.items(found):
            await self.assign(node.target, item, scope)
            try:
                await self.run_body(node.body, scope)
            except Continue:
                continue
            except Break:
                return
            await self.step()
        await self.run_body(node.orelse, scope)

    async def do_FunctionDef(self, node: ast.FunctionDef, scope: Scope) -> None:
        if node.decorator_list or any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(node)):
            raise Unknown
        defaults = await self.several(node.args.defaults, scope)
        scope.names[node.name] = Function(node.name, node.args, node.body, scope, defaults)

    async def do_Return(self, node: ast.Return, scope: Scope) -> None:
        raise Return(None if node.value is None else await self.value(node.value, scope))

    async def do_Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            module = self.import_module(alias.name)
            if alias.asname is None and "." in alias.name:
                module = self.import_module(alias.name.split(".")[0])
            scope.names[alias.asname or alias.name.split(".")[0]] = module

    async def do_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = self.import_module(node.module or "")
        for alias in node.names:
            if alias.name == "*":
                scope.names |= {name: value for name, value in module.attributes.items() if not name.startswith("_")}
            else:
                try:
                    scope.names[alias.asname or alias.name] = await self.attribute(module, alias.name)
                except AttributeError:
                    raise ImportError(f"cannot import name '{alias.name}' from '{node.module}' ({module.attributes.get('__file__', 'unknown location')})") from None

    async def do_Try(self, node: ast.Try, scope: Scope) -> None:
        try:
            try:
                await self.run_body(node.body, scope)
            except Raised as raised:
                for handler in node.handlers:
                    if handler.type is None or self.fits(raised.error, await self.value(handler.type, scope)):
                        if handler.name:
                            scope.names[handler.name] = raised.error
                        self.handled.append(raised.error)
                        try:
                            await self.run_body(handler.body, scope)
                        finally:
                            self.handled.pop()
                        break
                else:
                    raise
            else:
                await self.run_body(node.orelse, scope)
        finally:
            await self.run_body(node.finalbody, scope)

    def fits(self, error: BaseException, wanted: Any) -> bool:
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        return any(isinstance(kind, type) and isinstance(error, kind) for kind in kinds)

    async def do_Raise(self, node: ast.Raise, scope: Scope) -> None:
        if node.exc is None:
            raise self.handled[-1] if self.handled else RuntimeError("No active exception to reraise")
        error = await self.value(node.exc, scope)
        if isinstance(error, type) and issubclass(error, BaseException):
            error = error()
        if not isinstance(error, BaseException):
            raise TypeError("exceptions must derive from BaseException")
        raise error

    async def do_Assert(self, node: ast.Assert, scope: Scope) -> None:
        if not await self.value(node.test, scope):
            raise AssertionError(await self.value(node.msg, scope)) if node.msg is not None else AssertionError()

    async def do_With(self, node: ast.With, scope: Scope) -> None:
        things = []
        for item in node.items:
            thing = await self.value(item.context_expr, scope)
            if not isinstance(thing, Thing) or "close" not in thing.attributes:
                raise TypeError(f"'{kind_of(thing)}' object does not support the context manager protocol")
            things.append(thing)
            if item.optional_vars is not None:
                await self.assign(item.optional_vars, thing, scope)
        try:
            await self.run_body(node.body, scope)
        finally:
            for thing in reversed(things):
                await self.call(thing.attributes["close"], [])

    async def do_Delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                if target.id not in scope.names:
                    raise NameError(f"name '{target.id}' is not defined")
                del scope.names[target.id]
            elif isinstance(target, ast.Subscript):
                holder = await self.value(target.value, scope)
                holder = holder.attributes.get("__mapping__") if isinstance(holder, Thing) else holder
                del holder[await self.value(target.slice, scope)]
            else:
                raise Unknown

    async def do_Global(self, node: ast.Global, scope: Scope) -> None:
        scope.shared |= set(node.names)

    async def do_Pass(self, node: ast.Pass, scope: Scope) -> None:
        return

    async def do_Break(self, node: ast.Break, scope: Scope) -> None:
        raise Break

    async def do_Continue(self, node: ast.Continue, scope: Scope) -> None:
        raise Continue


def too_deep(tree: ast.AST) -> bool:
    level = [tree]
    for _ in range(DEEPEST_TREE):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True

"""`$name` and `${...}`: which parameter is meant, and what its operator makes of it."""

from __future__ import annotations

import re

from .nodes import Parameter, Word
from .parameter_operators import ParameterOperators
from .parameter_values import EXPANDED, QUOTED, ExpansionFailure

SUBSCRIPTED = re.compile(r"([A-Za-z_]\w*)\[(.*)\]", re.S)


class ParameterExpansion(ParameterOperators):
    async def parameter(self, node: Parameter, *, joining: bool = False) -> list[tuple[int, str]]:
        shell, kind = self.shell, QUOTED if node.quoted else EXPANDED
        if node.operator == "bad":
            raise ExpansionFailure("Bad substitution" if shell.dialect.kind == "dash" else f"{node.source}: bad substitution", 2 if shell.dialect.kind == "dash" else 1)
        if node.operator in ("names*", "names@"):
            return self.spread(list(shell.vars.names(node.name)), node.operator[-1], kind, joining)
        name, index = node.name, node.index
        subscript = index.source if index is not None else None
        if node.indirect and subscript in ("@", "*"):
            return self.spread(self.keys(name), subscript or "", kind, joining)
        if node.indirect:
            name, subscript, index = await self.pointed(node)
        several = name if name in ("@", "*") and subscript is None else subscript if subscript in ("@", "*") else ""
        values: list[str] | None = None
        value: str | None = None
        if several:
            values = self.elements(name)
        elif index is not None or subscript is not None:
            key = await self.key(name, subscript or "", index)
            value = self.item(name, key)
        else:
            value = shell.lookup(name)
        if node.length:
            if values is None and value is None and shell.option("nounset"):
                raise self.unbound(node)
            size = len(values) if values is not None else len(value or "")
            return [(kind, str(size))]
        operator = node.operator
        if operator in (":-", ":=", ":?", ":+", "-", "=", "?", "+"):
            return await self.conditional(node, operator, name, subscript, value, values, several, kind, joining)
        if values is None and value is None and operator not in ("@",):
            if shell.option("nounset") and name not in ("@", "*"):
                raise self.unbound(node)
            value = "" if operator else None
        if operator == ":":
            values, value = await self.portion(node, values, value, name if subscript is None else "")
        elif operator and operator != "@":
            change = await self.change(node, operator)
            values = None if values is None else [change(one) for one in values]
            value = None if value is None else change(value)
        elif operator == "@":
            values, value = await self.transformed(node, name, values, value)
        if values is not None:
            return self.spread(values, several, kind, joining)
        if value is None:
            return [(kind, "")] if kind == QUOTED else []
        return [(kind, value)]

    def unbound(self, node: Parameter) -> ExpansionFailure:
        name = node.name if node.index is None else f"{node.name}[{node.index.source}]"
        name = f"${name}" if node.name.isdigit() or node.name in "!" else name
        if self.shell.dialect.bash:
            return ExpansionFailure(f"{name}: unbound variable", 127 if not self.shell.interactive else 1)
        return ExpansionFailure(f"{name.lstrip('$')}: parameter not set", 2)

    async def pointed(self, node: Parameter) -> tuple[str, str | None, Word | None]:
        if node.index is not None:
            target = self.item(node.name, await self.key(node.name, node.index.source, node.index))
        else:
            target = self.shell.lookup(node.name)
        if not target:
            if target is None and node.name.isidentifier():
                raise ExpansionFailure(f"{node.name}: invalid indirect expansion")
            raise ExpansionFailure(f"{target or ''}: invalid variable name")
        found = SUBSCRIPTED.fullmatch(target)
        if found:
            return found.group(1), found.group(2), None
        if not re.fullmatch(r"[A-Za-z_]\w*|\d+|[@*#?$!-]", target):
            raise ExpansionFailure(f"{target}: invalid variable name")
        return target, None, None

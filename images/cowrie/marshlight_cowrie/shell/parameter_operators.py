"""The operators of `${name...}`: defaults, portions, patterns, changes of case and of form."""

from __future__ import annotations

import re
from typing import Any

from .nodes import Parameter, Word
from .parameter_values import EXPANDED, LITERAL, QUOTED, ExpansionFailure, ParameterValues
from .patterns import compiled
from .quoting import shell_quoted, value_quoted
from .trimming import replaced, trimmed
from .variables import attributes
from .words import WordReader


class ParameterOperators(ParameterValues):
    async def conditional(
        self, node: Parameter, operator: str, name: str, subscript: str | None, value: str | None,
        values: list[str] | None, several: str, kind: int, joining: bool,
    ) -> list[tuple[int, str]]:  # fmt: skip
        given = bool(values) if values is not None else value is not None
        full = given and (not operator.startswith(":") or ("".join(values) != "" if values is not None else value != ""))
        if operator.endswith("+"):
            if not full:
                return [(kind, "")] if kind == QUOTED and not several else []
            return await self.segments(node.argument or Word(), joining=joining) or ([(kind, "")] if kind == QUOTED else [])
        if full:
            return self.spread(values, several, kind, joining) if values is not None else [(kind, value or "")]
        if operator.endswith("-"):
            made = await self.segments(node.argument or Word(), joining=joining)
            # Its unquoted text is split as the result of an expansion is.
            made = [(EXPANDED if part == LITERAL and kind == EXPANDED else part, text) for part, text in made]
            return made or ([(kind, "")] if kind == QUOTED else [])
        text = await self.text(node.argument)
        if operator.endswith("="):
            if not re.fullmatch(r"[A-Za-z_]\w*", name):
                raise ExpansionFailure(f"${name}: cannot assign in this way")
            if subscript is not None:
                self.shell.vars.set_item(name, await self.key(name, subscript, node.index), text)
            else:
                self.shell.vars.set(name, text)
            return [(kind, text)]
        unset = "parameter null or not set" if operator.startswith(":") or self.shell.dialect.bash is False else "parameter not set"
        if not self.shell.dialect.bash:
            unset = "parameter not set or null" if operator.startswith(":") else "parameter not set"
        raise ExpansionFailure(f"{name}: {text or unset}", 127 if self.shell.dialect.bash else 2)

    async def portion(
        self, node: Parameter, values: list[str] | None, value: str | None, name: str
    ) -> tuple[list[str] | None, str | None]:
        start = await self.number(await self.text(node.argument))
        length = await self.number(await self.text(node.second)) if node.second is not None else None
        if values is not None:
            whole = [self.shell.name, *values] if name in ("@", "*") else values
            if name in ("@", "*") and start < 0:
                start += len(whole)
            elif name in ("@", "*") and start == 0 and length is not None:
                pass
            if start < 0:
                start += len(values)
            if length is not None and length < 0:
                raise ExpansionFailure(f"{node.second.source if node.second else ''}: substring expression < 0")
            return (whole[start:][:length] if start >= 0 else []), None
        text = value or ""
        if start < 0:
            start += len(text)
        if start < 0 or start > len(text):
            return None, ""
        if length is None:
            return None, text[start:]
        if length < 0:
            end = len(text) + length
            if end < start:
                raise ExpansionFailure(f"{node.second.source if node.second else ''}: substring expression < 0")
            return None, text[start:end]
        return None, text[start : start + length]

    async def change(self, node: Parameter, operator: str) -> Any:
        argument = await self.pattern(node.argument) if node.argument is not None else ""
        if operator in ("#", "##", "%", "%%"):
            return lambda text: trimmed(text, argument, operator)
        if operator in ("/", "//", "/#", "/%"):
            made = await self.text(node.second) if node.second is not None else ""
            return lambda text: replaced(text, argument, made, operator)
        if operator in ("^", "^^", ",", ",,"):
            convert = str.upper if operator[0] == "^" else str.lower
            fits = compiled(argument or "?").fullmatch
            most = 1 if len(operator) == 1 else None
            return lambda text: "".join(
                convert(char) if (most is None or at < most) and fits(char) else char for at, char in enumerate(text)
            )
        raise ExpansionFailure(f"{node.source}: bad substitution")

    async def transformed(
        self, node: Parameter, name: str, values: list[str] | None, value: str | None
    ) -> tuple[list[str] | None, str | None]:
        letter = await self.text(node.argument)
        changes = {
            "Q": shell_quoted,
            "U": str.upper,
            "L": str.lower,
            "u": lambda text: text[:1].upper() + text[1:],
            "E": escaped,
            "P": self.shell.prompt,
        }
        if letter in changes:
            change = changes[letter]
            return (None if values is None else [change(one) for one in values]), (None if value is None else change(value))
        found = self.shell.vars.find(name)
        if letter == "a":
            return None, attributes(found) if found else ""
        if letter == "A" and found is not None:
            flags = attributes(found)
            text = value_quoted(found, self.ordered)
            return None, f"declare -{flags} {name}={text}" if flags else f"{name}={text}"
        if letter in ("K", "k") and values is not None:
            pairs = [text for pair in zip(self.keys(name), values) for text in pair]
            return ([" ".join(pairs)], None) if letter == "K" else (pairs, None)
        raise ExpansionFailure(f"{node.source}: bad substitution")


def escaped(text: str) -> str:
    reader = WordReader(text.replace("'", "\\'") + "'")
    return reader.ansi()

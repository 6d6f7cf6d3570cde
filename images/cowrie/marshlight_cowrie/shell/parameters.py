"""`$name` and `${...}` with all its operators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .nodes import Parameter, Word
from .patterns import compiled
from .quoting import shell_quoted, value_quoted
from .variables import OutOfMemory, Variable

if TYPE_CHECKING:
    from .interpreter import Shell

LITERAL, QUOTED, EXPANDED, BREAK = range(4)
#: Signs of a text that a pattern with stars is tried on.
LONG = 8192
SUBSCRIPTED = re.compile(r"([A-Za-z_]\w*)\[(.*)\]", re.S)


class ExpansionFailure(Exception):
    """Ends the command, and a shell that is not interactive. The wording without the prefix."""

    def __init__(self, wording: str, status: int = 1) -> None:
        super().__init__(wording)
        self.wording, self.status = wording, status


def in_bucket_order(keys: list[str]) -> list[str]:
    """The order in which bash gives an associative array's keys: that of its hash table of 1024 buckets (FNV-1)."""

    def bucket(key: str) -> int:
        value = 2166136261
        for byte in key.encode("utf-8", "surrogateescape"):
            value = (value * 16777619 & 0xFFFFFFFF) ^ byte
        return value & 1023

    return sorted(reversed(keys), key=bucket)


class ParameterExpansion:
    shell: Shell

    async def text(self, word: Word | None) -> str:
        raise NotImplementedError

    async def pattern(self, word: Word) -> str:
        raise NotImplementedError

    async def segments(self, word: Word, *, joining: bool = False) -> list[tuple[int, str]]:
        raise NotImplementedError

    async def number(self, text: str) -> int:
        raise NotImplementedError

    async def parameter(self, node: Parameter, *, joining: bool = False) -> list[tuple[int, str]]:
        shell, kind = self.shell, QUOTED if node.quoted else EXPANDED
        if node.operator == "bad":
            raise ExpansionFailure(f"{node.source}: bad substitution")
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

    def spread(self, values: list[str], several: str, kind: int, joining: bool) -> list[tuple[int, str]]:
        """`@` and `*`: fields of their own, or one joined by the first sign of IFS."""
        if several == "*" and (kind == QUOTED or joining):
            ifs = self.shell.vars.get("IFS")
            return [(kind, (" " if ifs is None else ifs[:1]).join(values))]
        made: list[tuple[int, str]] = []
        for number, value in enumerate(values):
            if number:
                made.append((BREAK, ""))
            made.append((kind, value))
        return made

    # -- values ------------------------------------------------------------------------------------------------------

    def elements(self, name: str) -> list[str]:
        if name in ("@", "*"):
            return list(self.shell.positional)
        found = self.shell.vars.find(name)
        if found is None or found.value is None:
            return [] if name not in self.shell.vars.special else [self.shell.vars.get(name) or ""]
        if isinstance(found.value, dict):
            return [found.value[key] for key in self.ordered(found)]  # type: ignore[index]
        return [found.value]

    def ordered(self, variable: Variable) -> list[Any]:
        assert isinstance(variable.value, dict)
        keys: list[Any] = list(variable.value)
        return in_bucket_order(keys) if variable.array == "A" else sorted(keys)

    def keys(self, name: str) -> list[str]:
        found = self.shell.vars.find(name)
        if found is None or found.value is None:
            return []
        return [str(key) for key in self.ordered(found)] if isinstance(found.value, dict) else ["0"]

    async def key(self, name: str, source: str, index: Word | None = None) -> int | str:
        found = self.shell.vars.find(name)
        text = await self.text(index) if index is not None else source
        if found is not None and found.array == "A":
            return text
        number = await self.number(text)
        if number < 0 and found is not None and isinstance(found.value, dict):
            number += max((int(key) for key in found.value), default=-1) + 1
        if number < 0:
            raise ExpansionFailure(f"{name}: bad array subscript")
        return number

    def item(self, name: str, key: int | str) -> str | None:
        found = self.shell.vars.find(name)
        if found is None:
            return None
        if isinstance(found.value, dict):
            return found.value.get(key)  # type: ignore[call-overload,no-any-return]
        return found.value if key == 0 else None

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

    # -- operators ---------------------------------------------------------------------------------------------------

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


def attributes(variable: Variable) -> str:
    return (
        variable.array
        + ("i" if variable.integer else "")
        + ("n" if variable.reference else "")
        + ("r" if variable.readonly else "")
        + ("x" if variable.exported else "")
        + variable.case
    )


def escaped(text: str) -> str:
    from .words import WordReader

    reader = WordReader(text.replace("'", "\\'") + "'")
    return reader.ansi()


def trimmed(text: str, pattern: str, operator: str) -> str:
    if operator == "##" or operator == "#":
        found = compiled(pattern, shortest=operator == "#").match(text) if operator == "#" else longest(text, pattern)
        return text[found.end() :] if found else text
    fits = compiled(pattern).fullmatch
    places = range(len(text) + 1) if operator == "%%" else range(len(text), -1, -1)
    if "*" in pattern and len(text) > LONG:
        places = places[:LONG]
    for at in places:
        if fits(text, at):
            return text[:at]
    return text


def longest(text: str, pattern: str) -> re.Match[str] | None:
    return compiled(pattern).match(text)


def replaced(text: str, pattern: str, made: str, operator: str) -> str:
    if operator == "/#":
        found = compiled(pattern).match(text)
        return made + text[found.end() :] if found else text
    if operator == "/%":
        short = trimmed(text, pattern, "%%")
        return short + made if short != text or not pattern else text
    if not pattern:
        return text
    rest = ""
    if "*" in pattern and len(text) > LONG:
        # Each place of the text is tried with all that follows it.
        text, rest = text[:LONG], text[LONG:]
    out, at = [], 0
    search = compiled(pattern).search
    size = 0
    while at <= len(text):
        found = search(text, at)
        if found is None or found.end() == found.start() and found.start() >= len(text):
            break
        if found.end() == found.start():
            out.append(text[at : found.start() + 1])
            at = found.start() + 1
            continue
        out.append(text[at : found.start()] + made)
        size += len(out[-1])
        if size > 1 << 20:
            raise OutOfMemory(size)
        at = found.end()
        if operator == "/":
            break
    return "".join(out) + text[at:] + rest

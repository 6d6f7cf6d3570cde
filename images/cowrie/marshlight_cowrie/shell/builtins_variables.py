"""export, readonly, unset, let; and what `declare` shares with them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .arithmetic import ArithmeticFailure, evaluate
from .assign import assign_array, split_assignment
from .builtins import builtin, out
from .control import Exit
from .quoting import value_quoted
from .variables import ReadOnly, Variable, attributes

NAME = re.compile(r"[A-Za-z_]\w*")
LETTERS = "aAfFgiIlnprtux"


def declaration(shell: Any, name: str, variable: Variable) -> str:
    """As `declare -p` writes it."""
    flags = attributes(variable) or "-"
    if variable.value is None:
        return f"declare -{flags} {name}\n"
    return f"declare -{flags} {name}={value_quoted(variable, shell.expander.ordered)}\n"


def parse_flags(shell: Any, words: list[str], letters: str) -> tuple[set[str], set[str], list[str], int] | None:
    """Flags given with `-`, with `+`, the rest and where it begins; None after a complaint."""
    plus: set[str] = set()
    minus: set[str] = set()
    at = 1
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if len(word) < 2 or word[0] not in "-+" or word[1:].isdigit():
            break
        for letter in word[1:]:
            if letter not in letters:
                shell.complain(f"{words[0]}: {word[0]}{letter}: invalid option")
                usage = USAGE.get(words[0])
                if usage and shell.dialect.bash:
                    shell.say_error(f"{words[0]}: usage: {usage}\n")
                return None
            (minus if word[0] == "-" else plus).add(letter)
        at += 1
    return minus, plus, words[at:], at


USAGE = {
    "export": "export [-fn] [name[=value] ...] or export -p",
    "readonly": "readonly [-aAf] [name[=value] ...] or readonly -p",
    "declare": "declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]",
    "typeset": "typeset [-aAfFgiIlnrtux] name[=value] ... or typeset -p [-aAfFilnrtux] [name ...]",
    "local": "local [option] name[=value] ...",
    "unset": "unset [-f] [-v] [-n] [name ...]",
}


@builtin("export", "readonly")
async def export(shell: Any, words: list[str]) -> int:
    parsed = parse_flags(shell, words, "fnpaA" if shell.dialect.bash else "p")
    if parsed is None:
        return 2
    minus, _, operands, first = parsed
    exporting = words[0] == "export"
    if not operands or "p" in minus:
        for name, variable in sorted(shell.vars.visible().items()):
            if variable.exported if exporting else variable.readonly:
                if shell.dialect.bash:
                    out(shell, declaration(shell, name, variable))
                elif variable.text is None:
                    out(shell, f"{words[0]} {name}\n")
                else:
                    quoted = "'" + variable.text.replace("'", "'\\''") + "'" if shell.dialect.kind != "dash" else dash_quoted(variable.text)
                    out(shell, f"{words[0]} {name}={quoted}\n")
        return 0
    status = 0
    for at, operand in enumerate(operands, first):
        name, index, append, value = split_assignment(operand)
        if "f" in minus:
            if operand not in shell.functions:
                shell.complain(f"{words[0]}: {operand}: not a function")
                status = 1
            continue
        if not NAME.fullmatch(name) or index is not None:
            shell.complain(f"{words[0]}: `{operand}': not a valid identifier" if shell.dialect.bash else f"{words[0]}: {operand}: bad variable name")
            if not shell.dialect.bash and not shell.interactive:
                raise Exit(2)
            status = 1
            continue
        node = shell.declared.get(at)
        try:
            if node is not None and node.elements is not None:
                await assign_array(shell, node)
            elif value is not None:
                shell.vars.set(name, value, append=append)
        except ReadOnly as failure:
            shell.complain(f"{failure.name}: readonly variable" if shell.dialect.bash else f"{words[0]}: {failure.name}: is read only")
            status = 1
            continue
        found = shell.vars.find(name) or Variable()
        found = replace(found, exported="n" not in minus) if exporting else replace(found, readonly=True)
        shell.vars.put(name, found)
    return status


def dash_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


@builtin("unset")
async def unset(shell: Any, words: list[str]) -> int:
    parsed = parse_flags(shell, words, "fvn")
    if parsed is None:
        return 2
    minus, _, operands, _ = parsed
    status = 0
    for operand in operands:
        name, index, _, _ = split_assignment(operand)
        if "f" in minus:
            shell.functions.pop(operand, None)
            continue
        if not NAME.fullmatch(name):
            # bash looks for a function of that name and says nothing.
            if not shell.dialect.bash:
                shell.complain(f"unset: {operand}: bad variable name")
                status = 2
            continue
        found = shell.vars.find(name)
        try:
            if index is not None and found is not None:
                if index in ("@", "*") and found.array != "A":
                    shell.vars.unset(name)
                elif isinstance(found.value, dict):
                    if found.readonly:
                        raise ReadOnly(name)
                    key = await shell.expander.key(name, index)
                    items: dict[Any, str] = {at: text for at, text in found.value.items() if at != key}
                    shell.vars.put(name, replace(found, value=items))
            elif found is not None or name in shell.vars.special:
                shell.vars.unset(name)
            elif "v" not in minus:
                shell.functions.pop(name, None)
        except ReadOnly:
            shell.complain(f"unset: {name}: cannot unset: readonly variable" if shell.dialect.bash else f"unset: {name}: is read only")
            status = 1
    return status


@builtin("let", bash=True)
async def let(shell: Any, words: list[str]) -> int:
    if len(words) < 2:
        shell.complain("let: expression expected")
        return 1
    value = 0
    for word in words[1:]:
        try:
            value = evaluate(word, shell)
        except ArithmeticFailure as failure:
            shell.complain(f"let: {failure}")
            return 1
    return int(not value)

"""export, readonly, declare, local, unset, let."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .arithmetic import ArithmeticFailure, evaluate
from .assign import assign_array, split_assignment
from .builtins import builtin, out
from .control import Exit
from .quoting import set_quoted, value_quoted
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


@builtin("declare", "typeset", bash=True)
@builtin("local")
async def declare(shell: Any, words: list[str]) -> int:
    parsed = parse_flags(shell, words, LETTERS)
    if parsed is None:
        return 2
    minus, plus, operands, first = parsed
    local = words[0] == "local"
    if local and not shell.calls:
        shell.complain("local: can only be used in a function" if shell.dialect.bash else "local: not in a function")
        return 1
    if minus & {"f", "F"}:
        return functions(shell, minus, operands)
    if "p" in minus or not operands:
        return listed(shell, words[0], minus, operands)
    scope = shell.vars.scopes[-1] if (shell.calls and "g" not in minus) else None
    status = 0
    for at, operand in enumerate(operands, first):
        name, index, append, value = split_assignment(operand)
        if not NAME.fullmatch(name):
            shell.complain(f"{words[0]}: `{operand}': not a valid identifier")
            status = 1
            continue
        if scope is not None and name not in scope:
            outer = shell.vars.find(name)
            # What is read-only outside cannot be hidden.
            if outer is not None and outer.readonly:
                shell.complain(f"{words[0]}: {name}: readonly variable")
                status = 1
                continue
            scope[name] = Variable(outer.value if append and outer else None)
        old = shell.vars.find(name) or Variable()
        changed = flagged(old, minus, plus)
        node = shell.declared.get(at)
        try:
            if old.readonly and (value is not None or node is not None and node.elements is not None or "r" in plus):
                raise ReadOnly(name)
            shell.vars.put(name, replace(changed, readonly=False))
            if node is not None and node.elements is not None:
                await assign_array(shell, node)
            elif value is not None:
                if changed.integer:
                    before = evaluate(old.text or "0", shell) if append else 0
                    value, append = str(evaluate(value, shell) + before), False
                if index is not None:
                    shell.vars.set_item(name, await shell.expander.key(name, index), value, append=append)
                else:
                    shell.vars.set(name, value, append=append)
            if changed.readonly:
                shell.vars.put(name, replace(shell.vars.find(name), readonly=True))
        except ReadOnly as failure:
            shell.complain(f"{words[0]}: {failure.name}: readonly variable")
            status = 1
    return status


def flagged(variable: Variable, minus: set[str], plus: set[str]) -> Variable:
    changes: dict[str, Any] = {}
    for letter, name in (("x", "exported"), ("r", "readonly"), ("i", "integer"), ("n", "reference")):
        if letter in minus:
            changes[name] = True
        elif letter in plus and letter != "r":
            changes[name] = False
    for letter in "ul":
        if letter in minus:
            changes["case"] = letter
        elif letter in plus:
            changes["case"] = ""
    array = "A" if "A" in minus else "a" if "a" in minus else ""
    if array and not variable.array:
        changes["array"] = array
        if isinstance(variable.value, str):
            changes["value"] = {("0" if array == "A" else 0): variable.value}
        elif variable.value is None:
            changes["value"] = None
    return replace(variable, **changes)


def functions(shell: Any, minus: set[str], operands: list[str]) -> int:
    status = 0
    for name in operands or sorted(shell.functions):
        found = shell.functions.get(name)
        if found is None:
            status = 1
        elif "F" in minus:
            out(shell, f"{name}\n" if operands else f"declare -f {name}\n")
        else:
            from .printing import function_text

            out(shell, function_text(found))
    return status


def listed(shell: Any, command: str, minus: set[str], operands: list[str]) -> int:
    status = 0
    if operands:
        for name in operands:
            found = shell.vars.find(name)
            if found is None:
                shell.complain(f"{command}: {name}: not found")
                status = 1
            else:
                out(shell, declaration(shell, name, found))
        return status
    wanted = minus - {"p", "g"}
    source = shell.vars.scopes[-1] if command == "local" else shell.vars.visible()
    for name, variable in sorted(source.items()):
        if all(letter in attributes(variable) for letter in wanted):
            if "p" in minus or wanted:
                out(shell, declaration(shell, name, variable))
            else:
                out(shell, f"{name}={shown(shell, variable)}\n")
    return 0


def shown(shell: Any, variable: Variable) -> str:
    if isinstance(variable.value, dict):
        return value_quoted(variable, shell.expander.ordered)
    return set_quoted(variable.value or "")


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

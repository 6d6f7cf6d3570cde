"""declare, typeset, local: variables with their attributes, and functions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .arithmetic import evaluate
from .assign import assign_array, split_assignment
from .builtins import builtin, out
from .builtins_variables import LETTERS, NAME, declaration, parse_flags
from .printing import function_text
from .quoting import set_quoted, value_quoted
from .variables import ReadOnly, Variable, attributes


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
        return 1 if shell.dialect.bash else 2
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

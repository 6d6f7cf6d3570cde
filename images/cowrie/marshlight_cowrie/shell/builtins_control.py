"""What steers the shell itself: exit, return, break, eval, source, exec, shift."""

from __future__ import annotations

from typing import Any

from .builtins import builtin
from .control import Break, Continue, Exit, Return
from .executables import find_executable


def number_of(shell: Any, words: list[str], default: int) -> int | None:
    """The first operand as a number; None after a complaint."""
    operands = [word for word in words[1:] if word != "--"]
    if not operands:
        return default
    text = operands[0].strip()
    if text.lstrip("+-").isdigit():
        return int(text)
    if shell.dialect.bash:
        shell.complain(f"{words[0]}: {operands[0]}: numeric argument required")
    elif shell.dialect.kind == "dash":
        shell.complain(f"{words[0]}: Illegal number: {operands[0]}")
    else:
        shell.complain(f"{words[0]}: Illegal number: {operands[0]}")
    return None


@builtin(":", "true")
async def nothing(shell: Any, words: list[str]) -> int:
    return 0


@builtin("false")
async def failure(shell: Any, words: list[str]) -> int:
    return 1


@builtin("exit", "logout")
async def leave(shell: Any, words: list[str]) -> int:
    if words[0] == "logout" and not shell.login:
        shell.complain("logout: not login shell: use `exit'")
        return 1
    if shell.interactive and not shell.subshell:
        shell.say_error("logout\n" if shell.login and shell.dialect.bash else "exit\n" if shell.dialect.bash else "")
    status = number_of(shell, words, shell.status)
    if len(words) > 2 and status is not None and shell.dialect.bash:
        shell.complain("exit: too many arguments")
        return 1
    raise Exit(2 if status is None else status)


@builtin("return")
async def give_back(shell: Any, words: list[str]) -> int:
    status = number_of(shell, words, shell.status)
    if not shell.calls and not shell.sourcing:
        if shell.dialect.bash:
            shell.complain("return: can only `return' from a function or sourced script")
            return 2 if shell.interactive else 1 if status is None else 2
        raise Exit(status or 0)
    raise Return(2 if status is None else status & 255)


@builtin("break", "continue")
async def leave_loop(shell: Any, words: list[str]) -> int:
    levels = number_of(shell, words, 1)
    if not shell.loops:
        if shell.dialect.bash:
            shell.complain(f"{words[0]}: only meaningful in a `for', `while', or `until' loop")
        return 0
    if levels is None:
        raise Exit(128 if shell.dialect.bash else 2)
    if levels < 1:
        shell.complain(f"{words[0]}: {levels}: loop count out of range")
        gone = Break(shell.loops)
        gone.status = 1
        raise gone
    raise (Break if words[0] == "break" else Continue)(levels)


@builtin("eval")
async def evaluate(shell: Any, words: list[str]) -> int:
    operands = words[2:] if words[1:2] == ["--"] else words[1:]
    text = " ".join(operands)
    if not text.strip():
        return 0
    shell.depth += 1
    before, shell.evaluating = shell.evaluating, True
    try:
        if shell.depth > 90:
            raise RecursionError
        shell.status = 0
        return int(await shell.run_text(text, label="eval", line=shell.line))
    finally:
        shell.depth -= 1
        shell.evaluating = before


@builtin("source", bash=True)
@builtin(".")
async def source(shell: Any, words: list[str]) -> int:
    operands = words[2:] if words[1:2] == ["--"] else words[1:]
    if not operands:
        if shell.dialect.bash:
            shell.complain(f"{words[0]}: filename argument required")
            shell.say_error(f"{words[0]}: usage: {words[0]} filename [arguments]\n")
        return 2
    from .profiles import known

    name = operands[0]
    path = located(shell, name)
    try:
        stat = shell.fs.stat(path)
        if stat.mode & 0o170000 == 0o040000:
            shell.complain(f"{words[0]}: {name}: is a directory" if shell.dialect.bash else f"{words[0]}: {name}: Is a directory")
            return 1
        data = shell.fs.read(path)
    except OSError as error:
        return unreadable(shell, words[0], name, error)
    if shell.dialect.bash and b"\0" in data[:80]:
        shell.complain(f"{words[0]}: {name}: cannot execute binary file")
        return 126
    text = data.decode("utf-8", "surrogateescape")
    if known(shell, path):
        return 0
    positional, base, sourced = shell.positional, shell.name, shell.sourcing
    if len(operands) > 1:
        shell.positional = operands[1:]
    shell.sourcing += 1
    shell.depth += 1
    script, interactive, line = shell.script, shell.interactive, shell.line
    shell.status = 0
    try:
        if shell.depth > 90:
            raise RecursionError
        return int(await run_as(shell, text, name))
    except Return as leave_:
        return leave_.status
    finally:
        shell.sourcing, shell.script, shell.interactive, shell.line = sourced, script, interactive, line
        shell.depth -= 1
        shell.name = base
        if len(operands) > 1:
            shell.positional = positional


async def run_as(shell: Any, text: str, name: str) -> int:
    """Errors of a sourced file bear its name and lines, `$0` does not."""
    before, shell.sourced = shell.sourced, name
    try:
        return int(await shell.run_text(text))
    finally:
        shell.sourced = before


def located(shell: Any, name: str) -> str:
    if "/" not in name:
        for folder in (shell.vars.get("PATH") or "").split(":"):
            path = f"{folder.rstrip('/') or '.'}/{name}"
            path = shell.absolute(path)
            try:
                if shell.fs.stat(path).mode & 0o170000 == 0o100000:
                    return path
            except OSError:
                continue
    return str(shell.absolute(name))


def unreadable(shell: Any, command: str, name: str, error: OSError) -> int:
    reason = error.strerror or "No such file or directory"
    if shell.dialect.bash:
        shell.complain(f"{name}: {reason}")
        return 1
    if shell.dialect.kind == "dash":
        shell.complain(f"{command}: cannot open {name}: {'No such file' if error.errno == 2 else reason}" if "/" in name else f"{command}: {name}: not found")
    else:
        shell.complain(f"{command}: can't open '{name}': {reason}")
    if not shell.interactive:
        raise Exit(2)
    return 2


@builtin("exec")
async def replace(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    name = None
    while operands and operands[0].startswith("-") and operands[0] != "-":
        flag = operands.pop(0)
        if flag == "--":
            break
        if flag == "-a" and operands:
            name = operands.pop(0)
    if not operands:
        return 0
    found = find_executable(shell, operands[0], shell.vars.get("PATH"))
    if isinstance(found, str):
        shell.system.on_command(" ".join(operands), False)
        if shell.dialect.bash:
            found = found.replace(": command not found", ": not found")
            found = found if "/" not in operands[0] else found.replace("Permission denied", "cannot execute: Permission denied")
        shell.complain(f"exec: {found}")
        if shell.interactive:
            return 127
        raise Exit(126 if "denied" in found else 127)
    shell.system.on_command(operands[0], True)
    status = await shell.execute(found, [name or operands[0], *operands[1:]], shell.vars.environment())
    raise Exit(status)


@builtin("shift")
async def shift(shell: Any, words: list[str]) -> int:
    by = number_of(shell, words, 1)
    if by is None:
        return 1
    if by > len(shell.positional) or by < 0:
        if by < 0 and shell.dialect.bash:
            shell.complain(f"shift: {by}: shift count out of range")
        if not shell.dialect.bash and by > len(shell.positional):
            if shell.dialect.kind == "dash":
                shell.complain("shift: can't shift that many")
                if not shell.interactive:
                    raise Exit(2)
        return 1
    shell.positional = shell.positional[by:]
    return 0

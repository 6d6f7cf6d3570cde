"""The lines of a session: history lists and keeps them, fc lists them or runs them again."""

from __future__ import annotations

import contextlib
import posixpath
import re
from typing import Any

from .builtins import builtin, out

#: Lines that fc lists when it is not told which.
LISTED = 16
USAGE = "fc: usage: fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]\n"


@builtin("history", bash=True)
async def history(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    if operands[:1] and operands[0].startswith("-"):
        flag = operands[0][1:2]
        if flag == "c":
            shell.history.clear()
        elif flag == "d" and len(operands) > 1:
            text = operands[1]
            at = int(text) if re.fullmatch(r"-?\d+", text) else 0
            at = at - 1 if at > 0 else len(shell.history) + at
            if not 0 <= at < len(shell.history) or not text.lstrip("-").isdigit():
                shell.complain(f"history: {text}: history position out of range")
                return 1
            del shell.history[at]
        elif flag in "wa":
            path = operands[1] if len(operands) > 1 else shell.vars.get("HISTFILE")
            if path:
                text = "".join(line + "\n" for line in shell.history)
                shell.fs.write(shell.absolute(path), text.encode("utf-8", "surrogateescape"), append=flag == "a", mode=0o600)
        elif flag == "r":
            path = operands[1] if len(operands) > 1 else shell.vars.get("HISTFILE")
            if path:
                shell.history.extend(shell.fs.read(shell.absolute(path)).decode("utf-8", "surrogateescape").splitlines())
        elif flag == "s":
            shell.history[-1:] = [" ".join(operands[1:])]
        elif flag not in "np":
            shell.complain(f"history: -{flag}: invalid option")
            shell.say_error("history: usage: history [-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]\n")
            return 2
        return 0
    most = len(shell.history)
    if operands:
        if not operands[0].isdigit():
            shell.complain(f"history: {operands[0]}: numeric argument required")
            return 1
        most = int(operands[0])
    first = max(0, len(shell.history) - most)
    out(shell, "".join(f"{at + 1:5d}  {line}\n" for at, line in enumerate(shell.history) if at >= first))
    return 0


@builtin("fc", bash=True)
async def fc(shell: Any, words: list[str]) -> int:
    flags, editor, operands = "", "", words[1:]
    while operands and re.fullmatch(r"-[A-Za-z-].*", operands[0]):
        word = operands.pop(0)
        if word == "--":
            break
        wrong = next((letter for letter in word[1:] if letter not in "elnrs"), "")
        if wrong:
            shell.complain(f"fc: -{wrong}: invalid option")
            shell.say_error(USAGE)
            return 2
        flags += word[1:]
        if word.endswith("e") and operands:
            editor = operands.pop(0)
    # The line that calls it is the newest: it does not count.
    lines = shell.history[:-1]
    if not lines:
        return 0
    if "s" in flags or editor == "-":
        return await again(shell, lines, operands)
    places = [place(lines, one) for one in operands[:2]]
    if None in places:
        shell.complain("fc: no command found")
        return 1
    most = len(lines) - 1
    default = max(0, len(lines) - LISTED) if "l" in flags else most
    first = places[0] if places and 0 <= places[0] <= most else default  # type: ignore[operator]
    last = min(max(places[1], 0), most) if len(places) > 1 else most if "l" in flags else first  # type: ignore[type-var]
    chosen = list(range(first, last + 1)) or list(range(first, last - 1, -1))  # type: ignore[operator, arg-type]
    if "r" in flags:
        chosen.reverse()
    if "l" in flags:
        out(shell, "".join(f"{'' if 'n' in flags else at + 1}\t {lines[at]}\n" for at in chosen))
        return 0
    return await edited(shell, "".join(lines[at] + "\n" for at in chosen), editor)


def place(lines: list[str], text: str) -> int | None:
    """Where an operand of fc points: a number, one from the end, or the start of a line."""
    if re.fullmatch(r"-?\d+", text):
        number = int(text)
        return number - 1 if number > 0 else max(0, len(lines) + number) if number else len(lines) - 1
    return next((at for at in range(len(lines) - 1, -1, -1) if lines[at].startswith(text)), None)


async def again(shell: Any, lines: list[str], operands: list[str]) -> int:
    changes = [one.partition("=") for one in operands if "=" in one]
    wanted = next((one for one in operands if "=" not in one), "-1")
    at = place(lines, wanted)
    if at is None or not 0 <= at < len(lines):
        shell.complain("fc: no command found")
        return 1
    line = lines[at]
    for pattern, _, made in changes:
        line = line.replace(pattern, made) if pattern else line
    shell.say_error(line + "\n")
    return await run_instead(shell, line)


async def edited(shell: Any, text: str, editor: str) -> int:
    """The lines in an editor, and then what they have become."""
    path = f"/tmp/bash-fc.{shell.seed.randrange(36**6):06d}"
    shell.fs.write(path, text.encode("utf-8", "surrogateescape"), mode=0o600)
    name = editor or shell.vars.get("FCEDIT") or shell.vars.get("EDITOR") or "vi"
    try:
        status = int(await shell.run_external([*name.split(), path], {}))
        made = shell.fs.read(posixpath.normpath(path)).decode("utf-8", "surrogateescape")
    finally:
        with contextlib.suppress(OSError):
            shell.fs.unlink(path)
    if status:
        return status
    shell.say_error(made)
    return await run_instead(shell, made.rstrip("\n"))


async def run_instead(shell: Any, line: str) -> int:
    """In the history it stands in the place of the fc that brought it."""
    shell.history[-1:] = [line]
    shell.depth += 1
    try:
        if shell.depth > 90:
            raise RecursionError
        return int(await shell.run_text(line, line=shell.line))
    finally:
        shell.depth -= 1

"""getopts."""

from __future__ import annotations

from typing import Any

from .builtins import builtin


@builtin("getopts")
async def getopts(shell: Any, words: list[str]) -> int:
    if len(words) < 3:
        shell.say_error("getopts: usage: getopts optstring name [arg ...]\n")
        return 2
    wanted, name = words[1], words[2]
    operands = words[3:] or shell.positional
    quiet = wanted.startswith(":")
    index, inside = shell.optind

    def done(index: int) -> int:
        shell.vars.set("OPTIND", str(index))
        shell.optind = (index, 0)
        shell.vars.set(name, "?")
        shell.vars.unset("OPTARG")
        return 1

    if index > len(operands):
        return done(index)
    word = operands[index - 1]
    if not inside:
        if word == "--":
            return done(index + 1)
        if not word.startswith("-") or word == "-":
            return done(index)
        inside = 1
    letter = word[inside]
    last = inside + 1 >= len(word)
    after = (index + 1, 0) if last else (index, inside + 1)
    at = wanted.find(letter)
    argument: str | None = None
    value = letter
    if at < 0 or letter == ":":
        value, argument = "?", letter if quiet else None
        if not quiet and shell.vars.get("OPTERR") != "0":
            shell.say_error(f"{shell.name}: illegal option -- {letter}\n" if shell.dialect.bash else f"Illegal option -{letter}\n")
    elif wanted[at + 1 : at + 2] == ":":
        if not last:
            argument, after = word[inside + 1 :], (index + 1, 0)
        elif index < len(operands):
            argument, after = operands[index], (index + 2, 0)
        else:
            value, argument, after = (":", letter, (index + 1, 0)) if quiet else ("?", None, (index + 1, 0))
            if not quiet:
                shell.say_error(f"{shell.name}: option requires an argument -- {letter}\n" if shell.dialect.bash else f"No arg for -{letter} option\n")
    shell.vars.set("OPTIND", str(after[0]))
    shell.optind = after
    shell.vars.set(name, value)
    if argument is None:
        shell.vars.unset("OPTARG")
    else:
        shell.vars.set("OPTARG", argument)
    return 0

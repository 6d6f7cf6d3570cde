"""What BusyBox's ash says otherwise than dash: its builtins' complaints, its help, its options."""

from __future__ import annotations

import re

OPTIONS = "errexit noglob ignoreeof monitor noexec xtrace verbose noclobber allexport notify nounset errtrace vi pipefail".split()
#: Their complaints name them, and outside of a prompt the line.
INNER = frozenset(". : bg break cd chdir continue eval exec exit export fg getopts hash jobs let local read readonly return set shift source trap type ulimit umask unset wait".split())
#: What the shell's own words for a failure are in a builtin that is an applet inside of the shell.
APPLETS = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"printf: (?P<f>.*): (?:invalid number|not completely converted|expected numeric value)", r"invalid number '\g<f>'"),
        (r"printf: (?P<f>.*): invalid (?:format|directive).*", r"\g<f>: invalid format"),
        (r"printf: usage: .*", "usage: printf FORMAT [ARGUMENT...]"),
        (r"(?:test|\[): Illegal number: (?P<f>.*)", r"\g<f>: bad number"),
        (r"(?:test|\[): (?P<f>.*): unexpected operator", r"\g<f>: unknown operand"),
        (r"(?:test|\[): (?P<f>.*)", r"\g<f>"),
        (r"kill: Usage: [\s\S]*", "you need to specify whom to kill"),
        (r"kill: invalid signal number or name: (?P<f>.*)", r"bad signal name '\g<f>'"),
        (r"kill: Illegal number: (?P<f>.*)", r"invalid number '\g<f>'"),
        (r"kill: No such process: (?P<f>\d+)", r"can't kill pid \g<f>: No such process"),
        (r"kill: Operation not permitted: (?P<f>\d+)", r"can't kill pid \g<f>: Operation not permitted"),
        (r"umask: Illegal (?:number|mode): (?P<f>.*)", r"umask: illegal mode: \g<f>"),
        (r"set: Illegal option (?P<f>.*)", r"set: illegal option \g<f>"),
        (r"cd: HOME not set", r"cd: HOME not set"),
    )
)


def complaint(name: str, text: str, line: int, *, interactive: bool, script: bool) -> str:
    """The whole line for standard error, without its end. `name`: what the shell was called by."""
    for pattern, said in APPLETS:
        found = pattern.fullmatch(text)
        if found:
            text = found.expand(said)
            break
    where = "" if interactive else f"line {line if script else 0}: "
    builtin, colon, rest = text.partition(": ")
    if colon and builtin in INNER:
        return f"{name}: {builtin}: {where}{rest}"
    return f"{name}: {where if script else ''}{text}"


def help_text(names: list[str]) -> str:
    """A line goes on until it is past sixty."""
    text, row = "Built-in commands:\n------------------\n", ""
    for name in sorted([*names, "[["]):
        row += f"{' ' if row else chr(9)}{name}"
        if len(row) > 60:
            text, row = f"{text}{row}\n", ""
    return f"{text}{row}\n" if row else text


def times(real: float, user: float, kernel: float) -> str:
    """As `time` tells them: minutes, and seconds with two digits."""
    return "".join(f"{name}\t{int(value // 60)}m {value % 60:.2f}s\n" for name, value in (("real", real), ("user", user), ("sys", kernel)))

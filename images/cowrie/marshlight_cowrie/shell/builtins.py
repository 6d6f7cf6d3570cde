"""Which builtins there are; each stands in one of `builtins_*`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Builtin = Callable[[Any, list[str]], Awaitable[int]]
BUILTINS: dict[str, Builtin] = {}
#: What bash has and dash, ash have not.
BASH_ONLY: set[str] = set()
#: What ash adds to dash.
ASH_TOO = {"let", "source", "history", "local", "printf", "echo", "help"}
#: What no ash has, though it is no extension of bash's alone here.
NOT_ASH = {"logout", "newgrp", "typeset"}


def builtin(*names: str, bash: bool = False) -> Callable[[Builtin], Builtin]:
    def note(function: Builtin) -> Builtin:
        for name in names:
            BUILTINS[name] = function
            if bash:
                BASH_ONLY.add(name)
        return function

    return note


def find(shell: Any, name: str) -> Builtin | None:
    if name in shell.__dict__.get("disabled", ()):
        return None
    if name in BASH_ONLY and not shell.dialect.bash:
        if not (shell.dialect.kind == "ash" and name in ASH_TOO):
            return None
    if name in NOT_ASH and shell.dialect.kind == "ash":
        return None
    return BUILTINS.get(name)


def names(shell: Any) -> list[str]:
    return sorted(name for name in BUILTINS if find(shell, name))


def out(shell: Any, text: str) -> None:
    stream = shell.fds.get(1)
    if stream is None:
        raise OSError(9, "Bad file descriptor")
    stream.write(text.encode("utf-8", "surrogateescape"))


# Each registers its own.
from . import (  # noqa: E402,F401
    builtins_completion,
    builtins_control,
    builtins_declare,
    builtins_folders,
    builtins_getopts,
    builtins_help,
    builtins_history,
    builtins_input,
    builtins_jobs,
    builtins_limits,
    builtins_names,
    builtins_options,
    builtins_output,
    builtins_variables,
)

"""What bash says of itself: help, caller."""

from __future__ import annotations

from typing import Any

from . import ash, builtins
from .builtins import builtin, out


@builtin("help", bash=True)
async def help_(shell: Any, words: list[str]) -> int:
    if shell.dialect.kind == "ash":
        out(shell, ash.help_text(builtins.names(shell)))
        return 0
    if len(words) > 1:
        missing = [word for word in words[1:] if word not in builtins.BUILTINS]
        for word in missing:
            shell.complain(f"help: no help topics match `{word}'.  Try `help help' or `man -k {word}' or `info {word}'.")
        for word in words[1:]:
            if word not in missing:
                out(shell, f"{word}: {word}\n    Shell builtin.\n")
        return int(bool(missing))
    machine = shell.system.host.persona.os.kernel.machine
    out(shell, f"GNU bash, version 5.2.15(1)-release ({machine}-pc-linux-gnu)\n")
    out(shell, "".join(f" {name}\n" for name in builtins.names(shell)))
    return 0


@builtin("caller", bash=True)
async def caller(shell: Any, words: list[str]) -> int:
    if not shell.calls:
        return 1
    out(shell, f"{shell.line} {shell.name}\n")
    return 0

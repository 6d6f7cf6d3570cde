"""The variables that a shell starts with, and those that are made when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .dialect import RED_HAT, Dialect
from .variables import Variable

VERSION = {0: "5", 1: "2", 2: "15", 3: "1", 4: "release"}
BASH_PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin:."
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start_variables(shell: Any, env: dict[str, str]) -> None:
    dialect: Dialect = shell.dialect
    variables = shell.vars
    scope = variables.scopes[0]
    for name, value in env.items():
        if name.replace("_", "a").isalnum() and not name[:1].isdigit():
            scope[name] = Variable(value, exported=True)
    machine = shell.system.host.persona.os.kernel.machine

    def default(name: str, value: str, *, exported: bool = False, readonly: bool = False) -> None:
        scope.setdefault(name, Variable(value, exported=exported, readonly=readonly))

    scope["IFS"] = Variable(" \t\n")
    scope["PWD"] = Variable(shell.cwd, exported=dialect.kind != "dash" or "PWD" in env)
    scope["OPTIND"] = Variable("1")
    default("PATH", BASH_PATH if dialect.bash else DEFAULT_PATH)
    scope["PPID"] = Variable(str(shell.ppid), readonly=dialect.bash, integer=dialect.bash)
    default("PS4", "+ ")
    if dialect.bash:
        level = env.get("SHLVL", "0")
        scope["SHLVL"] = Variable(str(int(level) + 1 if level.isdigit() and len(level) < 4 else 1), exported=True)
        scope["BASH_VERSION"] = Variable("5.2.15(1)-release")
        scope["BASH_VERSINFO"] = Variable({**VERSION, 5: f"{machine}-pc-linux-gnu"}, array="a", readonly=True)
        scope["BASH"] = Variable("/bin/bash")
        scope["HOSTNAME"] = Variable(shell.system.host.persona.hostname)
        scope["HOSTTYPE"] = Variable(machine)
        scope["MACHTYPE"] = Variable(f"{machine}-pc-linux-gnu")
        scope["OSTYPE"] = Variable("linux-gnu")
        scope["OPTERR"] = Variable("1")
        scope.setdefault("TERM", Variable("dumb"))
        for name, value in (("UID", shell.account.uid), ("EUID", shell.account.uid)):
            scope[name] = Variable(str(value), readonly=True, integer=True)
        groups = {at: str(group) for at, group in enumerate(shell.account.groups)}
        scope["GROUPS"] = Variable(groups, array="a")
        scope["DIRSTACK"] = Variable({0: shell.cwd}, array="a")
    if dialect.kind == "ash":
        level = env.get("SHLVL", "0")
        scope["SHLVL"] = Variable(str(int(level) + 1 if level.isdigit() and len(level) < 4 else 1), exported=True)
        default("HOSTNAME", shell.system.host.persona.hostname)
        if not shell.interactive:
            default("PS1", "\\w \\$ ")
            default("PS2", "> ")
    if shell.interactive:
        if dialect.bash:
            # Debian's own come from /etc/bash.bashrc; a Red Hat's from /etc/bashrc, which its tree has not.
            default("PS1", "[\\u@\\h \\W]\\$ " if shell.system.host.persona.os.id in RED_HAT else "\\s-\\v\\$ ")
            default("HISTFILE", f"{shell.account.home.rstrip('/')}/.bash_history")
            if shell.on_terminal():
                default("COLUMNS", str(shell.system.size[0]))
                default("LINES", str(shell.system.size[1]))
        elif dialect.kind == "ash":
            # As /etc/profile of OpenWrt sets it; else the shell's own.
            default("PS1", "\\u@\\h:\\w\\$ " if shell.system.host.persona.os.id in ("openwrt", "lede") else "\\w \\$ ")
        default("PS2", "> ")
    if dialect.kind == "dash":
        # Set whether anybody is asked or not.
        default("PS1", "# " if shell.account.uid == 0 else "$ ")
        default("PS2", "> ")


def history_variables(shell: Any) -> None:
    """What bash sets once its files are read, where they have not."""
    scope = shell.vars.scopes[0]
    red_hat = shell.system.host.persona.os.id in RED_HAT
    scope.setdefault("HISTSIZE", Variable("1000" if red_hat else "500"))
    scope.setdefault("HISTFILESIZE", Variable(scope["HISTSIZE"].text or "500"))


def special_variables(shell: Any) -> dict[str, Callable[[], str]]:
    host = shell.system.host
    made: dict[str, Callable[[], str]] = {"LINENO": lambda: str(shell.line)}
    if shell.dialect.kind != "dash":
        made["RANDOM"] = lambda: str(shell.seed.randrange(32768))
        made["SECONDS"] = lambda: str(int(host.now() - shell.started))
    if shell.dialect.bash:
        made |= {
            "SRANDOM": lambda: str(shell.seed.randrange(1 << 32)),
            "BASHPID": lambda: str(shell.bash_pid),
            "EPOCHSECONDS": lambda: str(int(host.now())),
            "EPOCHREALTIME": lambda: f"{host.now():.6f}",
            "BASH_SUBSHELL": lambda: str(shell.depth if shell.subshell else 0),
            "BASH_COMMAND": lambda: shell.history[-1] if shell.history else "",
            "BASHOPTS": lambda: ":".join(sorted(shell.shopts)),
            "SHELLOPTS": lambda: ":".join(sorted(shell.options)),
        }
    return made

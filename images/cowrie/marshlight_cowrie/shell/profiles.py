"""
The files that a shell reads as it starts and as it ends.

    bash, log-in       /etc/profile, then the first of ~/.bash_profile ~/.bash_login ~/.profile; ~/.bash_logout at the end
    bash, interactive  /etc/bash.bashrc, ~/.bashrc
    bash -c by sshd    the same two: Debian builds it so
    dash, ash, log-in  /etc/profile, ~/.profile
    dash, interactive  $ENV
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .children import FAILURES
from .control import Discard, Return
from .dialect import RED_HAT
from .tasks import Interrupted

if TYPE_CHECKING:
    from .interpreter import Shell

#: What a log-in makes of these is the same on every host, and takes a shell longer than all else together: not read
#: unless somebody wrote them; what they leave behind for others to see is set.
KNOWN = {"/usr/share/bash-completion/bash_completion": {"BASH_COMPLETION_VERSINFO": "2"}}


async def read_startup(shell: Shell, *, rc: bool = True, profile: bool = True, rcfile: str | None = None, command: bool = False) -> None:
    """`command`: the shell was given its text. An Exit in one of the files is the caller's to take."""
    for path in startup_files(shell, rc=rc, profile=profile, rcfile=rcfile, command=command):
        await read(shell, path)


def startup_files(shell: Shell, *, rc: bool, profile: bool, rcfile: str | None, command: bool) -> Iterator[str]:
    home = (shell.vars.get("HOME") or "/").rstrip("/")
    bash = shell.dialect.bash and shell.name.lstrip("-").rsplit("/", 1)[-1] != "sh"
    if shell.login:
        if not profile:
            return
        # The tree of a Red Hat is a Debian's: its own profile would say otherwise.
        if not red_hat(shell) or shell.system.written("/etc/profile"):
            yield "/etc/profile"
        if bash:
            names = [f"{home}/{name}" for name in (".bash_profile", ".bash_login", ".profile")]
            yield from [name for name in names if readable(shell, name)][:1]
        else:
            yield f"{home}/.profile"
        return
    if not bash:
        if shell.interactive and shell.vars.get("ENV"):
            yield named(shell.vars.get("ENV") or "", home)
        return
    by_sshd = command and shell.vars.get("SSH_CLIENT") is not None and (shell.vars.get("SHLVL") or "1") == "1"
    if shell.interactive or by_sshd:
        if rc:
            yield "/etc/bash.bashrc"
            yield rcfile or f"{home}/.bashrc"
    elif shell.vars.get("BASH_ENV"):
        yield named(shell.vars.get("BASH_ENV") or "", home)


def named(name: str, home: str) -> str:
    """$ENV and $BASH_ENV name a file, most often below the home."""
    return name.replace("$HOME", home, 1) if name.startswith("$HOME") else f"{home}{name[1:]}" if name.startswith("~/") else name


async def read_logout(shell: Shell) -> None:
    if shell.login and shell.dialect.bash:
        home = (shell.vars.get("HOME") or "/").rstrip("/")
        await read(shell, f"{home}/.bash_logout")
        await read(shell, "/etc/bash.bash_logout")


async def read(shell: Shell, path: str) -> None:
    """Its commands are not the ones that somebody typed: no event tells of them."""
    from .builtins_control import source

    if not readable(shell, path):
        return
    told, shell.system.on_command = shell.system.on_command, lambda name, found: None
    try:
        await source(shell, [".", path])
    except Return as leave:
        shell.status = leave.status
    except Discard:
        pass
    except FAILURES as error:
        try:
            shell.status = shell.failed(error)
        except Discard:
            pass
    except Interrupted as interrupted:
        # Ctrl-C leaves the file, not the shell.
        if interrupted.number != 2 or not shell.interactive:
            raise
        shell.status = 130
    except RecursionError:
        shell.status = 139
    finally:
        shell.system.on_command = told


def readable(shell: Shell, path: str) -> bool:
    try:
        return shell.fs.stat(path).mode & 0o170000 == 0o100000 and shell.fs.access(path, read=True)
    except OSError:
        return False


def red_hat(shell: Shell) -> bool:
    return shell.system.host.persona.os.id in RED_HAT


def known(shell: Shell, path: str) -> bool:
    """Whether the file is one of KNOWN as the host has it; then what it leaves behind is there after this."""
    if path not in KNOWN or shell.system.written(path):
        return False
    for name, value in KNOWN[path].items():
        shell.vars.set(name, value)
    return True

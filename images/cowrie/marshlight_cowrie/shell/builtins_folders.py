"""cd, pwd, pushd, popd, dirs."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from .builtins import builtin, out


@builtin("cd", "chdir")
async def cd(shell: Any, words: list[str]) -> int:
    operands = words[1:]
    physical = False
    while operands and operands[0] in ("-P", "-L", "-e", "-@", "--", "-LP", "-PL"):
        flag = operands.pop(0)
        physical = "P" in flag or physical and flag != "-L"
        if flag == "--":
            break
    if operands and operands[0].startswith("-") and operands[0] != "-" and shell.dialect.bash:
        shell.complain(f"cd: {operands[0][:2]}: invalid option")
        shell.say_error("cd: usage: cd [-L|[-P [-e]] [-@]] [dir]\n")
        return 2
    if len(operands) > 1 and shell.dialect.bash:
        shell.complain("cd: too many arguments")
        return 1
    shown = False
    if not operands:
        target = shell.vars.get("HOME")
        if target is None:
            shell.complain("cd: HOME not set")
            return 1
    elif operands[0] == "-":
        target, shown = shell.vars.get("OLDPWD"), True
        if target is None and shell.dialect.kind == "ash":
            target = shell.cwd
        if target is None:
            shell.complain("cd: OLDPWD not set")
            return 1
    else:
        target = operands[0]
        if not target.startswith(("/", "./", "../")) and target not in (".", ".."):
            for folder in (shell.vars.get("CDPATH") or "").split(":"):
                if folder and is_folder(shell, f"{shell.absolute(folder)}/{target}"):
                    target, shown = f"{folder}/{target}", True
                    break
    return enter(shell, "cd", target, shown=shown, physical=physical)


def enter(shell: Any, command: str, target: str, *, shown: bool = False, physical: bool = False) -> int:
    if not target:
        return 0
    path = posixpath.normpath(shell.absolute(target))
    path = "/" + path.lstrip("/")
    # What a `..` crosses must be there.
    try:
        stat = shell.fs.stat(shell.absolute(target) if not exists(shell, path) else path)
        if stat.mode & 0o170000 != 0o040000:
            raise NotADirectoryError(20, os.strerror(20))
        if not shell.fs.access(path, execute=True):
            raise PermissionError(13, os.strerror(13))
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 2)
        if shell.dialect.bash:
            shell.complain(f"{command}: {target}: {reason}")
        elif shell.dialect.kind == "dash":
            shell.complain(f"{command}: can't cd to {target}")
        else:
            shell.complain(f"{command}: can't cd to {target}: {reason}")
        return 1 if shell.dialect.bash else 2
    if physical:
        path = real_path(shell, path)
    before = shell.vars.get("PWD") or shell.cwd
    shell.cwd = path
    shell.vars.set("OLDPWD", before)
    shell.vars.set("PWD", path)
    if shell.dialect.bash:
        shell.vars.export("OLDPWD")
    if shown:
        out(shell, path + "\n")
    return 0


def exists(shell: Any, path: str) -> bool:
    try:
        shell.fs.stat(path)
    except OSError:
        return False
    return True


def is_folder(shell: Any, path: str) -> bool:
    try:
        return bool(shell.fs.stat(path).mode & 0o170000 == 0o040000)
    except OSError:
        return False


def real_path(shell: Any, path: str) -> str:
    made = "/"
    parts = [part for part in path.split("/") if part]
    hops = 0
    while parts and hops < 40:
        part = parts.pop(0)
        if part == "..":
            made = posixpath.dirname(made)
            continue
        here = posixpath.join(made, part)
        try:
            target = shell.fs.readlink(here)
        except OSError:
            made = here
            continue
        hops += 1
        parts = [piece for piece in target.split("/") if piece and piece != "."] + parts
        made = "/" if target.startswith("/") else made
    return made


@builtin("pwd")
async def pwd(shell: Any, words: list[str]) -> int:
    out(shell, (real_path(shell, shell.cwd) if "-P" in words[1:] else shell.cwd) + "\n")
    return 0


def shown_stack(shell: Any, *, tilde: bool = True) -> list[str]:
    home = (shell.vars.get("HOME") or "").rstrip("/")
    stack = [shell.cwd, *shell.folders]
    if not tilde or not home:
        return stack
    return ["~" + path[len(home) :] if path == home or path.startswith(home + "/") else path for path in stack]


@builtin("dirs", bash=True)
async def dirs(shell: Any, words: list[str]) -> int:
    flags = "".join(word[1:] for word in words[1:] if word.startswith("-"))
    if "c" in flags:
        shell.folders = []
        return 0
    stack = shown_stack(shell, tilde="l" not in flags)
    if "v" in flags:
        out(shell, "".join(f"{at:2d}  {path}\n" for at, path in enumerate(stack)))
    else:
        out(shell, ("\n" if "p" in flags else " ").join(stack) + "\n")
    return 0


@builtin("pushd", bash=True)
async def pushd(shell: Any, words: list[str]) -> int:
    operands = [word for word in words[1:] if word not in ("-n", "--")]
    before = shell.cwd
    if not operands:
        if not shell.folders:
            shell.complain("pushd: no other directory")
            return 1
        target = shell.folders[0]
        status = enter(shell, "pushd", target)
        if status == 0:
            shell.folders[0] = before
    elif operands[0][:1] in "+-" and operands[0][1:].isdigit():
        stack = [shell.cwd, *shell.folders]
        at = int(operands[0][1:]) if operands[0][0] == "+" else len(stack) - 1 - int(operands[0][1:])
        if not 0 <= at < len(stack):
            shell.complain(f"pushd: {operands[0]}: directory stack index out of range")
            return 1
        rotated = stack[at:] + stack[:at]
        status = enter(shell, "pushd", rotated[0])
        if status == 0:
            shell.folders = rotated[1:]
    else:
        status = enter(shell, "pushd", operands[0])
        if status == 0:
            shell.folders.insert(0, before)
    if status == 0:
        out(shell, " ".join(shown_stack(shell)) + "\n")
    return status


@builtin("popd", bash=True)
async def popd(shell: Any, words: list[str]) -> int:
    if not shell.folders:
        shell.complain("popd: directory stack empty")
        return 1
    status = enter(shell, "popd", shell.folders[0])
    if status == 0:
        shell.folders.pop(0)
        out(shell, " ".join(shown_stack(shell)) + "\n")
    return status

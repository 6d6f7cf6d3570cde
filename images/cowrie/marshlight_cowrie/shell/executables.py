"""Finds what a name stands for in the file system, and runs it: a command of ours, a script, a binary of no use here."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .binaries import run_elf

if TYPE_CHECKING:
    from .ports import Command, Process

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHELLS = ("bash", "sh", "dash", "ash")


@dataclass
class Executable:
    path: str
    command: Command | None


def find_executable(shell: Any, name: str, path: str | None, *, cwd: str | None = None) -> Executable | str:
    """What runs, or the wording of why nothing does."""
    dialect = shell.dialect
    if "/" in name:
        full = name if name.startswith("/") else f"{(cwd or shell.cwd).rstrip('/')}/{name}"
        return of_path(shell, full, name)
    if not name:
        return ": command not found" if dialect.bash else ": Permission denied"
    denied = ""
    if path is None and not shell.system.lenient:
        # With PATH unset there is but the current folder, and it is named as such.
        path = "" if dialect.kind != "ash" else DEFAULT_PATH
        if dialect.bash and not isinstance(of_path(shell, f"{cwd or shell.cwd}/{name}", name), Executable):
            return f"{name}: No such file or directory"
    for folder in (DEFAULT_PATH if path is None else path).split(":"):
        base = folder if folder.startswith("/") else f"{(cwd or shell.cwd).rstrip('/')}/{folder or '.'}"
        full = f"{base.rstrip('/')}/{name}"
        found = of_path(shell, full, name)
        if isinstance(found, Executable):
            return found
        if "ermission" in found:
            denied = found.replace(f"{name}: ", f"{full}: " if dialect.bash else f"{name}: ", 1)
    if shell.system.lenient and name in shell.system.registry.by_name:
        return Executable(f"/usr/bin/{name}", shell.system.registry.by_name[name])
    return denied or dialect.not_found(name, False)


def of_path(shell: Any, full: str, name: str) -> Executable | str:
    fs, registry = shell.fs, shell.system.registry.by_name
    normal = posixpath.normpath(full)
    try:
        stat = fs.stat(full)
    except NotADirectoryError:
        return f"{name}: Not a directory" if shell.dialect.bash else f"{name}: not found"
    except PermissionError:
        return f"{name}: Permission denied"
    except OSError:
        if shell.system.lenient and normal in registry:
            return Executable(normal, registry[normal])
        return shell.dialect.not_found(name, True)
    if stat.mode & 0o170000 == 0o040000:
        return f"{name}: Is a directory" if shell.dialect.bash else f"{name}: Permission denied"
    if not stat.mode & 0o111 or not fs.access(full, execute=True):
        return f"{name}: Permission denied"
    return Executable(normal, command_at(shell, normal))


def command_at(shell: Any, path: str) -> Command | None:
    """The registered command that stands there, be it behind links (`/bin` -> `usr/bin`, `vi` -> `/etc/alternatives/vi`)."""
    registry = shell.system.registry.by_name
    given = posixpath.basename(path)
    original = path
    for _ in range(8):
        if path in registry:
            return registry[path]  # type: ignore[no-any-return]
        try:
            target = shell.fs.readlink(path)
        except OSError:
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if shell.system.written(original):
        return None
    for twin in (path.replace("/usr/", "/", 1), "/usr" + path, given, posixpath.basename(path)):
        if twin in registry:
            return registry[twin]  # type: ignore[no-any-return]
    return None


async def run_file(shell: Any, found: Executable, process: Process) -> int:
    if found.command is not None:
        return await found.command(process)
    name = process.args[0]
    try:
        head = process.fs.read(found.path)
    except PermissionError:
        shell.complain(f"{name}: Permission denied")
        return 126
    except OSError as error:
        shell.complain(f"{name}: {error.strerror}")
        return 126
    # What is shorter than its header is no program: the kernel refuses it, and ash reads it as a script.
    if head[:4] == b"\x7fELF" and (len(head) >= 20 or shell.dialect.kind != "ash"):
        return await run_elf(shell, name, found.path, head, process)
    if head[:2] == b"#!":
        line = head[2:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape").strip()
        program, _, argument = line.partition(" ")
        interpreter = find_executable(shell, program, None) if program.startswith("/") else "none"
        if isinstance(interpreter, str):
            if shell.dialect.bash:
                shell.complain(f"{name}: cannot execute: required file not found")
            else:
                shell.complain(f"{name}: not found")
            return 127 if not shell.dialect.bash else 126 if "ermission" in interpreter else 127
        script = name if "/" in name else found.path
        process.args = [program, *([argument.strip()] if argument.strip() else []), script, *process.args[1:]]
        return await run_file(shell, interpreter, process)
    if b"\0" in head[:80]:
        shell.complain(f"{name}: cannot execute binary file: Exec format error" if shell.dialect.bash else f"{name}: Exec format error")
        return 126
    from .programs import run_script

    return await run_script(process, head.decode("utf-8", "surrogateescape"), name if "/" in name else found.path, process.args[1:])

"""The shells as programs: `bash -c`, `sh script`, `sh < file`, a shell within a shell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..machine.kind import small
from .children import isolated
from .cursor import Incomplete, SyntaxFailure
from .dialect import ASH, BASH, DASH, RED_HAT, Dialect
from .interactive import interact
from .profiles import read_startup

if TYPE_CHECKING:
    from .interpreter import Shell
    from .ports import Process, Registry

LONG = ("--norc", "--noprofile", "--login", "--posix", "--noediting", "--restricted", "--verbose", "--debugger")


def dialect_of(process: Process, name: str) -> Dialect:
    """What `/bin/sh` is, the persona's system says."""
    base = name.rsplit("/", 1)[-1].lstrip("-")
    system = process.host.persona.os.id
    if base in ("bash", "rbash"):
        return BASH
    if base == "dash":
        return DASH
    if base in ("ash", "busybox") or system == "alpine" or small(process.host.persona):
        return ASH
    return BASH if system in RED_HAT else DASH


def make_shell(process: Process, name: str, **more: Any) -> Shell:
    from .interpreter import Shell

    caller = process.notes["shell"]
    fds = {number: stream for number, stream in caller.fds.items() if number > 2}
    fds |= {0: process.stdin, 1: process.stdout, 2: process.stderr}
    shell = Shell(
        caller.system, process.account, process.fs, fds, process.env, cwd=process.cwd, name=name,
        dialect=more.pop("dialect", None) or dialect_of(process, name), pid=process.pid, ppid=process.ppid, **more,
    )  # fmt: skip
    shell.depth = caller.depth + 1
    shell.umask = process.umask
    shell.history = caller.history if more.get("interactive") else []
    return shell


async def shell_program(process: Process, dialect: Dialect | None = None) -> int:
    name, operands = process.args[0], list(process.args[1:])
    dialect = dialect or dialect_of(process, name)
    commands = interactive = from_stdin = login = False
    rc = profile = True
    rcfile: str | None = None
    options: list[str] = []
    login = name.startswith("-")
    while operands and operands[0][:1] in ("-", "+") and len(operands[0]) > 1:
        word = operands.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            if word == "--version" and dialect.bash:
                process.out(version(process))
                return 0
            if word in ("--rcfile", "--init-file"):
                rcfile = operands.pop(0) if operands else None
            elif word not in LONG:
                process.stderr.write(f"{name}: {word}: invalid option\n".encode())
                return 2
            login = login or word == "--login"
            rc, profile = rc and word != "--norc", profile and word != "--noprofile"
            continue
        for letter in word[1:]:
            if letter == "c":
                commands = True
            elif letter == "i":
                interactive = True
            elif letter == "s":
                from_stdin = True
            elif letter == "l":
                login = True
            elif letter == "r" and dialect.bash:
                continue
            elif letter in "oO" and operands:
                options.append(f"{word[0]}{letter} {operands.pop(0)}")
            else:
                options.append(word[0] + letter)
    script = None if commands or from_stdin or not operands else operands.pop(0)
    text = None
    if commands:
        if not operands:
            process.stderr.write(f"{name}: {'-c: option requires an argument' if dialect.bash else '0: -c requires an argument'}\n".encode())
            return 2
        text = operands.pop(0)
    interactive = interactive or (text is None and script is None and process.stdin.is_tty and process.stderr.is_tty)
    shell = make_shell(process, name, dialect=dialect, interactive=interactive, login=login)
    for option in options:
        letters = option.split(" ")
        if letters[0][1:2] == "O":
            shell.shopts.add(letters[1])
        else:
            await set_option(shell, letters)

    if interactive and dialect.bash and not shell.on_terminal():
        group = -1 if process.notes["shell"].bash_pid == process.pid else process.notes["shell"].bash_pid
        shell.say_error(f"{name}: cannot set terminal process group ({group}): Inappropriate ioctl for device\n{name}: no job control in this shell\n")

    async def started(then: Callable[[], Awaitable[int]]) -> int:
        await read_startup(shell, rc=rc, profile=profile, rcfile=rcfile, command=text is not None)
        return await then()

    if text is not None:
        return await isolated(shell, started(lambda: run_given(shell, text, operands)))
    if script is not None:
        return await isolated(shell, started(lambda: run_named(shell, script, operands)))
    shell.positional = operands
    shell.label = "-s"
    if interactive:
        return await interact(shell, rc=rc, profile=profile, rcfile=rcfile)
    return await isolated(shell, started(lambda: run_stream(shell)))


async def run_given(shell: Shell, text: str, operands: list[str]) -> int:
    shell.label = "-c"
    if operands:
        shell.name = operands.pop(0)
    shell.positional = operands
    return await shell.run_text(text, label="-c", all_there_is=True)


async def set_option(shell: Shell, words: list[str]) -> None:
    from .builtins_options import set_

    await set_(shell, ["set", *words])


async def run_named(shell: Shell, script: str, operands: list[str]) -> int:
    path = shell.absolute(script)
    try:
        if shell.fs.stat(path).mode & 0o170000 == 0o040000:
            shell.say_error(f"{shell.name}: {script}: Is a directory\n")
            return 126 if shell.dialect.bash else 2
        data = shell.fs.read(path)
    except OSError as error:
        if shell.dialect.bash:
            shell.say_error(f"{shell.name}: {script}: {error.strerror}\n")
            return 126 if error.errno == 13 else 127
        if shell.dialect.kind == "dash":
            shell.say_error(f"{shell.name}: 0: cannot open {script}: {'No such file' if error.errno == 2 else error.strerror}\n")
            return 2
        shell.say_error(f"{shell.name}: can't open '{script}': {error.strerror}\n")
        return 2
    if data[:4] == b"\x7fELF" or b"\0" in data[:80]:
        shell.say_error(f"{shell.name if not shell.dialect.bash else script}: {script}: cannot execute binary file\n" if shell.dialect.bash else f"{script}: 1: Syntax error: word unexpected\n")
        return 126 if shell.dialect.bash else 2
    return await run_loaded(shell, data.decode("utf-8", "surrogateescape"), script, operands)


async def run_loaded(shell: Shell, text: str, name: str, operands: list[str]) -> int:
    shell.name, shell.positional, shell.script = name, operands, True
    return await isolated(shell, shell.run_text(text))


async def run_script(process: Process, text: str, name: str, operands: list[str]) -> int:
    """A file without `#!`: a copy of the calling shell runs it."""
    dialect = process.notes["shell"].dialect
    return await run_loaded(make_shell(process, name, dialect=dialect), text, name, operands)


async def run_stream(shell: Shell) -> int:
    """Commands from standard input, line by line, so that they can read what follows them."""
    text, line = "", 1
    while True:
        more = (await shell.fds[0].readline()).decode("utf-8", "surrogateescape") if 0 in shell.fds else ""
        text += more
        if not more and not text:
            return shell.status
        parser = shell.parser(text, line=line, final=not more)
        try:
            found = parser.next_line()
        except Incomplete as failure:
            if more:
                continue
            return shell.refuse(failure, "", text, line)
        except SyntaxFailure as failure:
            shell.refuse(failure, "", text, line)
            if shell.dialect.bash and more:
                line += text.count("\n")
                text = ""
                continue
            return 2
        if text.endswith("\\\n") and more:
            continue
        line += text.count("\n")
        text = ""
        if found:
            await shell.run_line(found)
        if not more:
            return shell.status


def version(process: Process) -> str:
    machine = process.host.persona.os.kernel.machine
    return (
        f"GNU bash, version 5.2.15(1)-release ({machine}-pc-linux-gnu)\n"
        "Copyright (C) 2022 Free Software Foundation, Inc.\n"
        "License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\n\n"
        "This is free software; you are free to change and redistribute it.\n"
        "There is NO WARRANTY, to the extent permitted by law.\n"
    )


def register(registry: Registry) -> None:
    for name in ("bash", "sh", "dash", "ash", "rbash"):
        for path in (f"/bin/{name}", f"/usr/bin/{name}", name):
            registry.by_name.setdefault(path, shell_program)

"""Opens what redirections name. What fails is worded as the shell words it, and the command does not run."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

from .control import RedirectionFailure
from .nodes import Redirection
from .streams import Both, Endless, FileWriter, Null, Source, Stream

if TYPE_CHECKING:
    from .interpreter import Shell

SOCKET = re.compile(r"/dev/(tcp|udp)/([^/]+)/([^/]+)")
#: Soft limit of open files.
MOST_FDS = 1024


async def redirected(shell: Shell, redirections: list[Redirection], fds: dict[int, Stream]) -> dict[int, Stream]:
    """The table after them, left to right; `fds` stays as it is."""
    made = dict(fds)
    for node in redirections:
        await apply(shell, node, made)
    return made


async def apply(shell: Shell, node: Redirection, fds: dict[int, Stream]) -> None:
    operator = node.operator
    if operator in ("<<", "<<-"):
        body = await shell.expander.text(node.body)
        fds[node.fd or 0] = Source(body.encode("utf-8", "surrogateescape"))
        return
    if operator == "<<<":
        text = await shell.expander.text(node.target)
        fds[node.fd or 0] = Source((text + "\n").encode("utf-8", "surrogateescape"))
        return
    assert node.target is not None
    names = await shell.expander.words([node.target]) if operator not in ("<&", ">&") else [await shell.expander.text(node.target)]
    if len(names) != 1:
        raise RedirectionFailure(f"{node.target.source}: ambiguous redirect")
    name = names[0]
    fd = node.fd if node.fd is not None else 0 if operator.startswith("<") else 1
    if node.variable:
        if name == "-":
            fds.pop(int(shell.vars.get(node.variable) or -1), None)
            return
        fd = next(number for number in range(10, MOST_FDS) if number not in fds)
        shell.vars.set(node.variable, str(fd))
    if fd >= MOST_FDS:
        raise RedirectionFailure(f"{fd}: Bad file descriptor")
    if operator in ("<&", ">&"):
        if name == "-":
            fds.pop(fd, None)
            return
        moved = name.endswith("-") and name[:-1].isdigit()
        number = name[:-1] if moved else name
        if number.isdigit():
            if int(number) not in fds:
                raise RedirectionFailure(f"{number}: Bad file descriptor")
            fds[fd] = fds[int(number)]
            if moved and int(number) != fd:
                del fds[int(number)]
            return
        if operator == "<&" or node.fd is not None:
            raise RedirectionFailure(f"{name}: ambiguous redirect")
        operator = "&>"
    if operator in ("&>", "&>>"):
        fds[1] = fds[2] = await opened(shell, name, ">>" if operator == "&>>" else ">", fds)
        return
    fds[fd] = await opened(shell, name, operator, fds)


async def opened(shell: Shell, name: str, operator: str, fds: dict[int, Stream]) -> Stream:
    if not name:
        raise RedirectionFailure(": No such file or directory")
    special = device(shell, name, fds)
    if special is not None:
        return special
    path = shell.absolute(name)
    fs = shell.fs
    if SOCKET.fullmatch(name):
        raise refused_socket(shell, name)
    try:
        if operator == "<":
            if is_folder(shell, path):
                # As open(2) allows it; the read then fails.
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            return Source(fs.read(path), path)
        if is_folder(shell, path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        there = exists(shell, path)
        if operator == ">" and there and shell.option("noclobber") and fs.stat(path).mode & 0o170000 == 0o100000:
            raise RedirectionFailure(f"{name}: cannot overwrite existing file")
        if operator == ">>" or operator == "<>":
            fs.write(path, b"", append=True, mode=0o666 & ~shell.umask)
        else:
            fs.write(path, b"", mode=0o666 & ~shell.umask)
        shell.system.on_written(path)
        writer = FileWriter(fs, path)
        return Both(Source(fs.read(path), path), writer) if operator == "<>" else writer
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "Input/output error"
        if shell.dialect.bash:
            raise RedirectionFailure(f"{name}: {reason}") from None
        if operator == "<":
            verb, short = "open", "No such file" if error.errno == errno.ENOENT else reason
        else:
            verb, short = "create", "Directory nonexistent" if error.errno == errno.ENOENT else reason
        if shell.dialect.kind == "ash":
            short = {"No such file": "no such file", "Directory nonexistent": "nonexistent directory"}.get(short, short)
            raise RedirectionFailure(f"can't {verb} {name}: {short}") from None
        raise RedirectionFailure(f"cannot {verb} {name}: {short}") from None


def device(shell: Shell, name: str, fds: dict[int, Stream]) -> Stream | None:
    if name == "/dev/null":
        return Null()
    if name in ("/dev/zero", "/dev/full"):
        return Endless(name, bytes)
    if name in ("/dev/urandom", "/dev/random"):
        return Endless(name, os.urandom)
    if name in ("/dev/stdin", "/dev/stdout", "/dev/stderr"):
        number = ("/dev/stdin", "/dev/stdout", "/dev/stderr").index(name)
    elif re.fullmatch(r"/(?:dev|proc/self)/fd/\d+", name):
        number = int(name.rsplit("/", 1)[1])
    elif name == "/dev/tty" or name == shell.system.tty:
        terminal = next((stream for stream in shell.terminal_streams if stream.is_tty), None)
        if terminal is None:
            raise RedirectionFailure("/dev/tty: No such device or address")
        return terminal
    else:
        return None
    if number in shell.substitutions:
        return shell.substitutions[number]
    if number not in fds:
        raise RedirectionFailure(f"{name}: No such file or directory")
    return fds[number]


def refused_socket(shell: Shell, name: str) -> RedirectionFailure:
    """A host without a route: nothing is ever tried, whatever the address."""
    found = SOCKET.fullmatch(name)
    assert found
    host = found.group(2)
    if re.fullmatch(r"[\d.]+|[0-9a-fA-F:]+", host):
        own = host.startswith("127.") or host == "0" or host == "::1"
        reason = "Connection refused" if own else "Network is unreachable"
        shell.say_error(f"{shell.prefix().rstrip()} connect: {reason}".replace(f"line {shell.line}: connect", "connect") + "\n")
    else:
        reason = "Invalid argument"
        shell.say_error(f"{shell.prefix()}{host}: Temporary failure in name resolution\n")
    return RedirectionFailure(f"{name}: {reason}")


def is_folder(shell: Shell, path: str) -> bool:
    try:
        return shell.fs.stat(path).mode & 0o170000 == 0o040000
    except OSError:
        return False


def exists(shell: Shell, path: str) -> bool:
    try:
        shell.fs.stat(path)
    except OSError:
        return False
    return True

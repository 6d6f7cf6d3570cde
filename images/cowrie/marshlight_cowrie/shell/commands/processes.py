"""The process table as commands see it; pidof, pstree, fuser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .options import parse

if TYPE_CHECKING:
    from ..ports import Process, Row


def rows_of(p: Process) -> list[Row]:
    return p.table.rows() if p.table else []


def comm(command: str) -> str:
    """Name of the program as the kernel keeps it: 15 characters, without path and arguments."""
    if command.startswith("["):
        return command[1:-1]
    words = command.split(" ")
    first = words[0].rstrip(":")
    # A script is called by its own name, not by that of its interpreter.
    if first.rsplit("/", 1)[-1] in ("sh", "bash", "dash") and words[1:] and words[1].startswith("/"):
        first = words[1]
    return first.lstrip("-").rsplit("/", 1)[-1][:15]


async def pidof(p: Process) -> int:
    options = parse(p, "cnqo:sxS:z", hint=False)
    found = [row.pid for row in rows_of(p) if any(comm(row.command) == name.rsplit("/", 1)[-1][:15] for name in options.operands)]
    found = sorted(found, reverse=True)[: 1 if "s" in options else None]
    if found and "q" not in options:
        p.out(options.text("S", " ").join(str(pid) for pid in found) + "\n")
    return 0 if found else 1


async def pstree(p: Process) -> int:
    rows = rows_of(p)

    def shown(row: Row, depth: int) -> None:
        p.out(f"{' ' * depth * 2}{'|-' if depth else ''}{comm(row.command)}\n")
        for child in rows:
            if child.ppid == row.pid and depth < 12:
                shown(child, depth + 1)

    for row in rows:
        if row.pid == 1:
            shown(row, 0)
    return 0


async def fuser(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    status = 1
    for name in names:
        port, _, kind = name.partition("/")
        if kind == "tcp" and port == "22" and p.host.persona.ssh is not None:
            pids = [row.pid for row in rows_of(p) if comm(row.command) == "sshd"][:2]
            p.stderr.write(f"{name + ':':<21}".encode())
            p.out("".join(f" {pid:5d}" for pid in pids))
            p.stderr.write(b"\n")
            status = 0
    return status


COMMANDS = {"pidof": pidof, "pstree": pstree, "fuser": fuser}

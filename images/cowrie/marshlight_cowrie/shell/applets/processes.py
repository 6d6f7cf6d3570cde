"""ps, pidof and their kin, with the few columns that BusyBox has."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from ...machine import busybox as facts
from ..commands.processes import comm, rows_of
from .figures import short
from .gnu import gnu
from .modules import say

if TYPE_CHECKING:
    from ..ports import Process, Row


async def ps(p: Process) -> int:
    """Debian's build shows three columns and a firmware's five; options hardly matter to either."""
    wide = "w" in "".join(p.args[1:]) or not p.stdout.is_tty
    width = 10**6 if wide else p.size[0]
    lines = []
    if facts.of_distribution(p.host.persona):
        lines.append("PID   USER     COMMAND")
        lines += [f"{row.pid:5d} {row.user[:8]:<8} {shown(row)}" for row in rows_of(p)]
        if any("-o" in word for word in p.args[1:]):
            lines = selected(p)
    else:
        lines.append("  PID USER       VSZ STAT COMMAND")
        lines += [f"{row.pid:5d} {row.user[:8]:<8} {short(row.vsz)} {state(row)}  {shown(row)}" for row in rows_of(p)]
    p.out("".join(f"{line[:width]}\n" for line in lines))
    return 0


def selected(p: Process) -> list[str]:
    """`-o pid,comm`"""
    words = p.args[1:]
    at = next(index for index, word in enumerate(words) if word.startswith("-o"))
    names = (words[at][2:] or (words[at + 1] if len(words) > at + 1 else "")).split(",")
    makers = {"pid": ("PID  ", lambda row: f"{row.pid:5d}"), "user": ("USER    ", lambda row: f"{row.user[:8]:<8}"), "comm": ("COMMAND         ", lambda row: f"{comm(row.command):<16}")}
    makers |= {"args": ("COMMAND", shown), "ppid": ("PPID ", lambda row: f"{row.ppid:5d}"), "vsz": ("VSZ ", lambda row: f"{row.vsz:4d}"), "stat": ("STAT", lambda row: f"{state(row):<4}")}
    chosen = [makers[name] for name in names if name in makers] or [makers["pid"], makers["user"], makers["args"]]
    lines = [" ".join(head for head, _ in chosen)]
    lines += [" ".join(make(row) for _, make in chosen) for row in rows_of(p)]
    return [line.rstrip() if at == 0 else line for at, line in enumerate(lines)]


def state(row: Row) -> str:
    """Three letters: what it does, whether it has no memory of its own, its niceness."""
    return row.stat[:1] + ("W" if row.rss == 0 else " ") + ("<" if "<" in row.stat else "N" if "N" in row.stat else " ")


def shown(row: Row) -> str:
    return row.command


async def pidof(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    found = [row.pid for row in reversed(rows_of(p)) if comm(row.command) in names]
    if "-s" in p.args:
        found = found[:1]
    if not found:
        return 1
    p.out(" ".join(map(str, found)) + "\n")
    return 0


async def killall(p: Process) -> int:
    names = [word for word in p.args[1:] if not word.startswith("-")]
    if "-l" in p.args:
        return int(await gnu("killall")(p))
    if not names:
        say(p, "you need to specify whom to kill")
        return 1
    flag = next((word[1:] for word in p.args[1:] if word.startswith("-") and word != "-q"), "15").removeprefix("SIG")
    try:
        number = int(flag) if flag.isdigit() else int(getattr(signal, f"SIG{flag.upper()}"))
    except AttributeError:
        say(p, f"bad signal name '{flag}'")
        return 1
    status = 0
    for name in names:
        found = [row.pid for row in rows_of(p) if comm(row.command) == name and row.pid != p.pid]
        for pid in found if p.table else ():
            try:
                p.table.signal(pid, number, p.account)  # type: ignore[union-attr]
            except OSError as error:
                say(p, f"can't kill pid {pid}: {error.strerror or 'Operation not permitted'}")
                status = 1
        if not found:
            status = 1
            if "-q" not in p.args:
                say(p, f"{name}: no process killed")
    return status


COMMANDS = {"killall": killall, "ps": ps, "pidof": pidof}

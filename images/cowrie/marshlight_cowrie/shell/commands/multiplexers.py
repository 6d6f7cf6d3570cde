"""Programs that need the whole screen: screen, tmux, htop. What they leave running stands in the process table."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from .options import Usage
from .times import local

if TYPE_CHECKING:
    from ..ports import Process

#: Detached ones that one session may have; what runs in them runs as long as the session.
MOST = 8


def kept(p: Process, kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = p.notes["shell"].system.multiplexers.setdefault((kind, p.account.name), [])
    live = {row.pid for row in p.table.rows()} if p.table else set()
    rows[:] = [row for row in rows if row["pid"] in live]
    return rows


def detach(p: Process, kind: str, name: str, server: str, words: list[str]) -> None:
    rows, shell = kept(p, kind), p.notes["shell"]
    if len(rows) >= MOST or p.table is None:
        return
    pid = shell.system.table.new_pid()
    shell.system.table.add(pid, 1, p.account.name, server, None, "Ss")
    rows.append({"pid": pid, "name": name, "since": p.host.now()})
    spawn, env = p.spawn, {**p.env, "TERM": "screen"}

    async def run() -> int:
        from ..streams import Null

        try:
            if words:
                return int(await spawn(words, stdin=Null(), stdout=Null(), stderr=Null(), env=env))
            await p.host.sleep(1e6)
            return 0
        except OSError:
            return 127
        finally:
            shell.system.table.remove(pid)

    task = shell.system.scheduler.spawn(run())
    shell.system.table.tasks[pid] = task


async def screen(p: Process) -> int:
    words, name, detached, listing, quit_ = list(p.args[1:]), "", False, False, False
    command: list[str] = []
    while words:
        word = words.pop(0)
        if word in ("-v", "--version"):
            p.out("Screen version 4.09.00 (GNU) 30-Jan-22\n")
            return 0
        if word in ("-ls", "-list"):
            listing = True
        elif word.startswith("-") and len(word) > 1:
            detached = detached or "m" in word[1:] and "d" in word[1:]
            if word.endswith("S"):
                name = words.pop(0) if words else ""
            elif word.endswith("X"):
                quit_, words = words[:1] == ["quit"], []
            elif word[-1] in "rRxcestTp" and words and not words[0].startswith("-"):
                wanted = words.pop(0)
                name = wanted if word[-1] in "rRx" else name
            if word.lstrip("-")[:1] in ("r", "x") and not any(row["name"] == name or not name for row in kept(p, "screen")):
                raise Usage("There is no screen to be resumed" + (f" matching {name}" if name else "") + ".\n" if p.stdin.is_tty else "Must be connected to a terminal.\n")
        else:
            command, words = [word, *words], []
    rows = kept(p, "screen")
    folder = f"/run/screen/S-{p.account.name}"
    if listing:
        if not rows:
            p.out(f"No Sockets found in {folder}.\n\r\n")
            return 1
        p.out("There is a screen on:\n" if len(rows) == 1 else "There are screens on:\n")
        for row in reversed(rows):
            p.out(f"\t{row['pid']}.{row['name']}\t({local(p, row['since']):%m/%d/%y %H:%M:%S})\t(Detached)\n")
        p.out(f"{len(rows)} Socket{'s' if len(rows) > 1 else ''} in {folder}.\n")
        return 0
    if quit_:
        for row in [row for row in rows if row["name"] == name or str(row["pid"]) == name]:
            p.table.signal(row["pid"], 15, p.account) if p.table else None
        return 0
    if detached:
        title = name or f"{(p.tty or 'tty').rsplit('/dev/', 1)[-1].replace('/', '-')}.{p.host.persona.hostname}"
        detach(p, "screen", title, "SCREEN " + " ".join(p.args[1:]), command or [p.env.get("SHELL") or "/bin/sh", "-c", "sleep 1000000"])
        return 0
    if not p.stdin.is_tty:
        p.out("Must be connected to a terminal.\r\n")
        return 1
    return await inside(p, command, "screen", "[screen is terminating]\n")


async def tmux(p: Process) -> int:
    words = list(p.args[1:])
    while words and words[0] in ("-2", "-u", "-C", "-v", "-l", "-N"):
        words.pop(0)
    if words[:1] == ["-V"]:
        p.out("tmux 3.3a\n")
        return 0
    socket = f"/tmp/tmux-{p.account.uid}/default"
    rows = kept(p, "tmux")
    verb = words.pop(0) if words else "new-session"
    if verb in ("ls", "list-sessions", "a", "at", "attach", "attach-session", "kill-server", "kill-session", "send-keys", "has-session", "has"):
        if not rows:
            nobody = "(No such file or directory)"
            raise Usage("no sessions\n" if verb.startswith("a") and p.stdin.is_tty else f"error connecting to {socket} {nobody}\n")
        if verb in ("ls", "list-sessions"):
            for row in rows:
                p.out(f"{row['name']}: 1 windows (created {local(p, row['since']):%a %b %e %H:%M:%S %Y})\n")
        elif verb.startswith("kill"):
            for row in list(rows):
                p.table.signal(row["pid"], 15, p.account) if p.table else None
        elif verb.startswith("a"):
            if not p.stdin.is_tty:
                raise Usage("open terminal failed: not a terminal\n")
            return await inside(p, [], "screen", "[exited]\n")
        return 0
    if verb not in ("new", "new-session"):
        raise Usage(f"unknown command: {verb}\n")
    name, detached, command = str(len(rows)), False, []
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            detached = detached or "d" in word
            if word[-1] in "sncxyeF" and words:
                name = words.pop(0) if word.endswith("s") else (words.pop(0), name)[1]
        else:
            command, words = [word, *words], []
    if any(row["name"] == name for row in rows):
        raise Usage(f"duplicate session: {name}\n")
    line = " ".join(command)
    shell = p.env.get("SHELL") or "/bin/sh"
    if detached:
        detach(p, "tmux", name, f"tmux {' '.join(p.args[1:])}", [shell, "-c", line] if line else [])
        return 0
    if not p.stdin.is_tty:
        raise Usage("open terminal failed: not a terminal\n")
    return await inside(p, shlex.split(line) if line else [], "screen", "[exited]\n")


async def inside(p: Process, command: list[str], term: str, last: str) -> int:
    """A fresh screen with a shell in it; what was there before comes back."""
    p.out("\033[?1049h\033[22;0;0t\033[H\033[2J")
    await p.spawn(command or [p.env.get("SHELL") or "/bin/sh"], env={**p.env, "TERM": term})
    p.out("\033[?1049l\033[23;0;0t" + last)
    return 0


async def htop(p: Process) -> int:
    if p.args[1:2] in (["--version"], ["-V"]):
        p.out("htop 3.2.2\n")
        return 0
    term = p.env.get("TERM", "unknown")
    if not p.stdout.is_tty or term in ("unknown", ""):
        raise Usage(f"Error opening terminal: {term}.\n")
    # One picture of it, and then as `q` leaves it.
    p.out("\033[?1049h\033[22;0;0t\033[H\033[2J")
    await p.spawn(["top", "-b", "-n", "1"])
    await p.stdin.readline()
    p.out("\033[?1049l\033[23;0;0t")
    return 0


COMMANDS = {"screen": screen, "tmux": tmux, "htop": htop}

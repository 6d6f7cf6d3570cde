"""Signals to processes, and finding whom to send them to: kill killall pgrep pkill."""

from __future__ import annotations

import re
import signal as signals
from typing import TYPE_CHECKING

from .options import Usage, parse
from .processes import comm, rows_of

if TYPE_CHECKING:
    from ..ports import Process

SIGNALS = {s.name.removeprefix("SIG"): s.value for s in signals.Signals}


def signal_number(text: str) -> int | None:
    if text.isdigit():
        return int(text) if int(text) <= 64 else None
    return SIGNALS.get(text.upper().removeprefix("SIG"))


async def kill(p: Process) -> int:
    words, number = list(p.args[1:]), 15
    if words[:1] in (["-l"], ["-L"]):
        p.out(" ".join(SIGNALS) + "\n")
        return 0
    if words[:1] == ["-s"] or words[:1] == ["-n"]:
        number, words = signal_number(words[1]) or 15, words[2:]
    elif words and words[0].startswith("-"):
        sent = signal_number(words[0][1:])
        if sent is None:
            raise Usage(f"kill: unknown signal {words[0][1:]}\n")
        number, words = sent, words[1:]
    status = 0
    for word in words:
        try:
            if p.table:
                p.table.signal(int(word), number, p.account)
        except ValueError:
            p.err(f"failed to parse argument: '{word}'")
            status = 1
        except OSError as error:
            p.err(f"({word}): {error.strerror}")
            status = 1
    return status


async def killall(p: Process) -> int:
    words = [word for word in p.args[1:] if not word.startswith("-")]
    number = next((sent for word in p.args[1:] if word[:1] == "-" and (sent := signal_number(word[1:]))), 15)
    status = 0
    for name in words:
        found = [row for row in rows_of(p) if comm(row.command) == name[:15]]
        if not found and "-q" not in p.args:
            p.stderr.write(f"{name}: no process found\n".encode())
        status |= not found
        for row in found:
            try:
                if p.table:
                    p.table.signal(row.pid, number, p.account)
            except OSError as error:
                p.stderr.write(f"{name}({row.pid}): {error.strerror}\n".encode())
                status = 1
    return status


async def pgrep(p: Process) -> int:
    name = p.args[0].rsplit("/", 1)[-1]
    args, number = [], 15
    for word in p.args[1:]:
        sent = signal_number(word[1:]) if name == "pkill" and re.fullmatch(r"-([0-9]+|[A-Z][A-Z0-9]+)", word) else None
        if sent is not None:
            number = sent
        else:
            args.append(word)
    options = parse(
        p,
        "acd:efF:g:G:ilLno:P:s:t:u:U:vVwx" if name == "pgrep" else "cefF:g:G:iLno:P:s:t:u:U:vVx",
        "full:f list-name:l list-full:a count:c newest:n oldest exact:x inverse:v parent=:P euid=:u uid=:U signal= delimiter=:d ignore-case:i echo:e",
        status=2, hint=False, args=args,
    )  # fmt: skip
    if not options.operands and not options.any("uUPgGst"):
        raise Usage(f"{name}: no matching criteria specified\nTry `{name} --help' for more information.\n", 2)
    text = (options.operands or [""])[0]
    if len(text) > 15 and not options.any("f"):
        raise Usage(
            f"{name}: pattern that searches for process name longer than 15 characters will result in zero matches\n"
            f"Try `{name} -f' option to match against the complete command line.\n"
        )
    try:
        pattern = re.compile(f"^(?:{text})$" if "x" in options else text, re.IGNORECASE if "i" in options else 0)
    except re.error:
        raise Usage(f"{name}: Invalid preceding regular expression\n", 2) from None
    owners = [who for value in options.values("u") + options.values("U") for who in value.split(",")]
    found = []
    for row in rows_of(p):
        if row.pid == p.pid:
            continue
        subject = row.command if "f" in options else comm(row.command)
        fits = pattern.search(subject) is not None and (not owners or row.user in owners)
        fits = fits and (not options.values("P") or str(row.ppid) in options.text("P").split(","))
        if fits != ("v" in options):
            found.append(row)
    if "n" in options:
        found = found[-1:]
    if name == "pkill":
        for row in found:
            try:
                if p.table:
                    p.table.signal(row.pid, number, p.account)
            except OSError as error:
                p.stderr.write(f"pkill: killing pid {row.pid} failed: {error.strerror}\n".encode())
            if "e" in options:
                p.out(f"{comm(row.command)} killed (pid {row.pid})\n")
    elif "c" not in options:
        shown = [f"{row.pid} {row.command}" if "a" in options else f"{row.pid} {comm(row.command)}" if "l" in options else str(row.pid) for row in found]
        p.out(options.text("d", "\n").join(shown) + "\n" if shown else "")
    if "c" in options:
        p.out(f"{len(found)}\n")
    return 0 if found else 1


COMMANDS = {"pgrep": pgrep, "pkill": pgrep, "kill": kill, "killall": killall}

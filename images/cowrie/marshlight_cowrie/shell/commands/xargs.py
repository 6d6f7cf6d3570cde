"""Commands that run commands: xargs env nohup timeout nice time setsid stdbuf sleep chroot watch."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from .inputs import whole
from .options import Usage, complain, parse, refuse
from .streams import Given
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


async def xargs(p: Process) -> int:
    options = parse(
        p,
        "0a:d:E:e::i::I:l::L:n:oprP:s:tx",
        "null:0 arg-file=:a delimiter=:d eof=?:e replace=?:i max-lines=?:l max-args=:n open-tty:o interactive:p no-run-if-empty:r "
        "max-procs=:P max-chars=:s verbose:t exit:x show-limits version",
        permute=False,
    )
    try:
        data = (await whole(p, options.text("a", "-"))).decode("utf-8", "surrogateescape")
    except OSError as error:
        complain(p, f"Cannot open input file ‘{options.text('a')}’: {strerror(error)}")
        return 1
    command = options.operands or ["echo"]
    mark = options.value("I") or ("{}" if "i" in options and not options.text("i") else options.text("i"))
    by_line = bool(mark) or options.any("lL")
    if "0" in options:
        items = data.split("\0")[: None if not data.endswith("\0") else -1] if data else []
    elif "d" in options:
        delimiter = options.text("d").encode().decode("unicode_escape")
        items = data.split(delimiter)
        items = items[:-1] if items and items[-1] == "" else items
    elif by_line:
        items = [line.lstrip() if mark else line for line in data.split("\n") if line.strip()]
    else:
        try:
            items = words_of(data)
        except ValueError as error:
            complain(p, str(error))
            return 1
    runs: list[list[str]] = []
    if mark:
        runs = [[word.replace(mark, item.rstrip("\n")) for word in command] for item in items]
    elif options.any("lL"):
        step = int(options.text("L") or options.text("l") or "1")
        lines = [item.split() for item in items]
        runs = [[*command, *sum(lines[at : at + step], [])] for at in range(0, len(lines), step)]
        if not runs and "r" not in options:
            runs = [command]
    elif items or "r" not in options:
        step = int(options.text("n", "0")) or max(1, len(items))
        runs = [[*command, *items[at : at + step]] for at in range(0, max(1, len(items)), step)]
    status = 0
    for words in runs:
        if "t" in options:
            p.stderr.write((" ".join(words) + "\n").encode("utf-8", "surrogateescape"))
        try:
            code = await p.spawn(words, stdin=Given())
        except FileNotFoundError:
            complain(p, f"{words[0]}: No such file or directory")
            return 127
        except PermissionError:
            complain(p, f"{words[0]}: Permission denied")
            return 126
        if code == 255:
            complain(p, f"{words[0]}: exited with status 255; aborting")
            return 124
        if code in (126, 127):
            return code
        status = 123 if code else status
    return status


def words_of(data: str) -> list[str]:
    items: list[str] = []
    current: str | None = None
    quote = ""
    at = 0
    while at < len(data):
        c = data[at]
        at += 1
        if quote:
            if c == "\n":
                name = "single" if quote == "'" else "double"
                raise ValueError(f"unmatched {name} quote; by default quotes are special to xargs unless you use the -0 option")
            if c == quote:
                quote = ""
            else:
                current = (current or "") + c
        elif c in "'\"":
            quote, current = c, current or ""
        elif c == "\\" and at < len(data):
            current = (current or "") + data[at]
            at += 1
        elif c in " \t\n":
            if current is not None:
                items.append(current)
            current = None
        else:
            current = (current or "") + c
    if quote:
        name = "single" if quote == "'" else "double"
        raise ValueError(f"unmatched {name} quote; by default quotes are special to xargs unless you use the -0 option")
    return items if current is None else [*items, current]


async def started(p: Process, words: list[str], **more: object) -> int:
    """Runs it as execvp(3) would, with the program's own complaint where it cannot."""
    try:
        return await p.spawn(words, **more)
    except FileNotFoundError:
        complain(p, f"{quoted_name(p, words[0])}: No such file or directory")
        return 127
    except PermissionError:
        complain(p, f"{quoted_name(p, words[0])}: Permission denied")
        return 126


def quoted_name(p: Process, name: str) -> str:
    kind = p.args[0].rsplit("/", 1)[-1]
    if kind in ("nohup", "timeout"):
        return f"failed to run command ‘{name}’"
    return f"‘{name}’"


async def env(p: Process) -> int:
    options = parse(p, "iu:0C:S:v", "ignore-environment:i unset=:u null:0 chdir=:C split-string=:S debug:v", status=125, permute=False)
    made = {} if "i" in options else dict(p.env)
    for name in options.values("u"):
        made.pop(name, None)
    words = [*shlex.split(options.text("S")), *options.operands]
    if words[:1] == ["-"]:
        made, words = {}, words[1:]
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        made[name] = value
    if not words:
        end = "\0" if "0" in options else "\n"
        p.out("".join(f"{name}={value}{end}" for name, value in made.items()))
        return 0
    more = {"cwd": p.path(options.text("C"))} if "C" in options else {}
    return await started(p, words, env=made, **more)


async def printenv(p: Process) -> int:
    options = parse(p, "0", "null:0", status=2)
    if not options.operands:
        p.out("".join(f"{name}={value}\n" for name, value in p.env.items()))
        return 0
    status = 0
    for name in options.operands:
        if name in p.env:
            p.out(p.env[name] + "\n")
        else:
            status = 1
    return status


async def nohup(p: Process) -> int:
    if len(p.args) < 2:
        raise refuse(p, "missing operand", 125)
    if p.stdout.is_tty:
        p.stderr.write(b"nohup: ignoring input and appending output to 'nohup.out'\n")
    return await started(p, p.args[1:])


async def timeout(p: Process) -> int:
    options = parse(p, "k:s:v", "kill-after=:k signal=:s preserve-status foreground verbose:v", status=125, permute=False)
    if len(options.operands) < 2:
        raise refuse(p, "missing operand", 125)
    duration(p, options.operands[0], 125)
    return await started(p, options.operands[1:])


def duration(p: Process, text: str, status: int = 1) -> float:
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", text)
    if text == "infinity":
        return 1e9
    if not found:
        raise refuse(p, f"invalid time interval ‘{text}’", status)
    return float(found[1]) * SECONDS[found[2]]


async def sleep(p: Process) -> int:
    if len(p.args) < 2:
        raise refuse(p, "missing operand")
    options = parse(p, "", "help version")
    await p.host.sleep(sum(duration(p, word) for word in options.operands))
    return 0


async def wrapped(p: Process) -> int:
    """nice, ionice, setsid, stdbuf, chrt: they change what cannot be seen here."""
    words = list(p.args[1:])
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("-n", "-c", "-o", "-i", "-e", "-p") and words:
            words.pop(0)
    if not words:
        if p.args[0].endswith("nice") and not p.args[0].endswith("ionice"):
            p.out("0\n")
            return 0
        raise Usage(f"{p.args[0]}: no command specified\nTry '{p.args[0]} --help' for more information.\n")
    return await started(p, words)


async def watch(p: Process) -> int:
    options = parse(p, "bcdegn:ptwx", permute=False)
    if not options.operands:
        raise Usage("\nUsage:\n watch [options] command\n")
    if not p.stdout.is_tty:
        raise Usage("Error opening terminal: unknown.\n")
    while True:
        await p.spawn(["sh", "-c", " ".join(options.operands)])
        await p.host.sleep(float(options.text("n", "2")))


COMMANDS = {
    **{"xargs": xargs, "env": env, "printenv": printenv, "nohup": nohup, "timeout": timeout, "sleep": sleep, "watch": watch},
    **{name: wrapped for name in ("nice", "ionice", "setsid", "stdbuf", "chrt")},
}

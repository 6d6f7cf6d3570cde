"""ps, pgrep, pkill, pidof, kill, killall, fuser."""

from __future__ import annotations

import re
import signal as signals
from typing import TYPE_CHECKING

from .names import user
from .options import Usage, complain, parse
from .times import local

if TYPE_CHECKING:
    from ..ports import Process, Row

HEADS = {
    "pid": ("PID", 7), "ppid": ("PPID", 7), "user": ("USER", -8), "euser": ("EUSER", -8), "ruser": ("RUSER", -8), "uid": ("UID", 5),
    "comm": ("COMMAND", -15), "ucmd": ("CMD", -15), "cmd": ("CMD", -27), "args": ("COMMAND", -27), "command": ("COMMAND", -27),
    "%cpu": ("%CPU", 4), "pcpu": ("%CPU", 4), "%mem": ("%MEM", 4), "pmem": ("%MEM", 4), "vsz": ("VSZ", 6), "rss": ("RSS", 5),
    "tty": ("TT", -8), "tt": ("TT", -8), "tname": ("TTY", -8), "stat": ("STAT", -4), "state": ("S", 1), "s": ("S", 1),
    "start": ("STARTED", 8), "stime": ("STIME", 5), "start_time": ("START", 5), "lstart": ("STARTED", 24), "time": ("TIME", 8),
    "cputime": ("TIME", 8), "bsdtime": ("TIME", 6), "etime": ("ELAPSED", 11), "etimes": ("ELAPSED", 7), "c": ("C", 2), "ni": ("NI", 3),
    "pri": ("PRI", 3), "pgid": ("PGID", 7), "sid": ("SID", 7), "tpgid": ("TPGID", 7), "nlwp": ("NLWP", 4), "label": ("LABEL", -31),
    "group": ("GROUP", -8), "sz": ("SZ", 5), "wchan": ("WCHAN", -6), "f": ("F", 1), "psr": ("PSR", 3),
}  # fmt: skip
BSD_USER = ("user", "pid", "%cpu", "%mem", "vsz", "rss", "tname", "stat", "start_time", "bsdtime", "command")
BSD_PLAIN = ("pid", "tname", "stat", "bsdtime", "command")
BSD_JOB = ("ppid", "pid", "pgid", "sid", "tname", "tpgid", "stat", "uid", "bsdtime", "command")
FULL = ("uid_name", "pid", "ppid", "c", "stime", "tname", "time", "cmd")
PLAIN = ("pid", "tname", "time", "ucmd")


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


class Wrong(Exception):
    pass


async def ps(p: Process) -> int:
    asked = Asked()
    try:
        asked.read(p.args[1:])
    except Wrong as wrong:
        text = f"error: {wrong}\n" if str(wrong) else ""
        p.stderr.write(
            f"{text}\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n"
            "  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n".encode()
        )
        return 1
    if asked.version:
        p.out("ps from procps-ng 4.0.2\n")
        return 0
    chosen = [row for row in rows_of(p) if asked.wants(p, row)]
    for key in reversed(asked.sort):
        name = key.lstrip("+-")
        chosen.sort(key=lambda row, name=name: order_of(row, name), reverse=key.startswith("-"))  # type: ignore[misc]
    columns = asked.columns()
    cells = [[cell(p, row, name, last=index == len(columns) - 1) for index, (name, _) in enumerate(columns)] for row in chosen]
    heads = [head for _, head in columns]
    lines = []
    if any(heads) and not asked.headless:
        lines.append(line_of(columns, heads, True))
    lines += [line_of(columns, row, False) for row in cells]
    width = p.size[0] if p.stdout.is_tty and not asked.wide else 10**6
    p.out("".join(line[:width] + "\n" for line in lines))
    return 0 if chosen else 1


def line_of(columns: list[tuple[str, str]], cells: list[str], heading: bool) -> str:
    made = []
    for index, ((name, head), text) in enumerate(zip(columns, cells, strict=True)):
        width = HEADS.get(name, (head, -8 if name == "uid_name" else 8))[1]
        if len(columns) == 1 and width < 0 or index == len(columns) - 1 and width < 0:
            made.append(text)
        elif width < 0:
            made.append(f"{text:<{max(-width, len(head))}}")
        else:
            made.append(f"{text:>{max(width, len(head))}}")
    return " ".join(made)


class Asked:
    def __init__(self) -> None:
        self.every = self.with_tty = self.without_tty = self.wide = self.headless = self.version = False
        self.form: tuple[str, ...] = PLAIN
        self.output: list[tuple[str, str]] = []
        self.sort: list[str] = []
        self.pids: set[str] | None = None
        self.ppids: set[str] | None = None
        self.owners: set[str] | None = None
        self.names: set[str] | None = None
        self.label = self.bsd = False

    def read(self, args: list[str]) -> None:
        words = list(args)
        while words:
            word = words.pop(0)
            if word.startswith("--"):
                self.long(word[2:], words)
            elif word.startswith("-"):
                # `ps -aux`: as a BSD option where no account is called x.
                if word == "-aux" or word == "-auxw" or word == "-auxf":
                    self.letters_bsd(word[1:], words)
                else:
                    self.letters(word[1:], words)
            elif word.isdigit() or re.fullmatch(r"\d+(,\d+)*", word):
                self.pids = (self.pids or set()) | set(word.split(","))
            else:
                self.letters_bsd(word, words)

    def take(self, rest: str, words: list[str]) -> str:
        if rest:
            return rest
        if not words:
            raise Wrong("list of process IDs must follow -p")
        return words.pop(0)

    def letters(self, text: str, words: list[str]) -> None:
        while text:
            letter, text = text[0], text[1:]
            if letter in "eA":
                self.every = True
            elif letter == "f":
                self.form = FULL
            elif letter in "opuUCGgtqs":
                self.valued(letter, self.take(text, words))
                text = ""
            elif letter == "x":
                self.bsd, self.without_tty, self.form = True, True, BSD_PLAIN
            elif letter in "ad":
                self.every = True
            elif letter == "w":
                self.wide = True
            elif letter == "Z" or letter == "M":
                self.label = True
            elif letter == "V":
                self.version = True
            elif letter == "l":
                self.form = ("f", "s", "uid", "pid", "ppid", "c", "pri", "ni", "sz", "wchan", "tname", "time", "ucmd")
            elif letter == "j":
                self.form = ("pid", "pgid", "sid", "tname", "time", "ucmd")
            elif letter not in "FHLTycmn":
                raise Wrong("unsupported SysV option")

    def valued(self, letter: str, value: str) -> None:
        parts = {part for part in re.split(r"[ ,]+", value) if part}
        if letter == "o":
            self.columns_from(value)
        elif letter in "pq":
            if any(not part.isdigit() for part in parts):
                raise Wrong("process ID list syntax error")
            self.pids = (self.pids or set()) | parts
        elif letter in "uU":
            self.owners = (self.owners or set()) | parts
        elif letter == "C":
            self.names = (self.names or set()) | parts

    def columns_from(self, value: str) -> None:
        for part in re.split(r"[ ,]+(?![^=]*=[^,]*$)", value):
            name, equals, head = part.partition("=")
            if name not in HEADS:
                raise Wrong(f'unknown user-defined format specifier "{name}"')
            self.output.append((name, head if equals else HEADS[name][0]))

    def letters_bsd(self, text: str, words: list[str]) -> None:
        self.bsd = True
        if self.form == PLAIN:
            self.form = BSD_PLAIN
        for index, letter in enumerate(text):
            if letter == "a":
                self.with_tty = True
            elif letter == "x":
                self.without_tty = True
            elif letter == "u":
                self.form = BSD_USER
            elif letter == "j":
                self.form = BSD_JOB
            elif letter == "l":
                self.form = ("f", "uid", "pid", "ppid", "pri", "ni", "vsz", "rss", "wchan", "stat", "tname", "bsdtime", "command")
            elif letter == "w":
                self.wide = True
            elif letter == "h":
                self.headless = True
            elif letter in "op":
                self.valued(letter, self.take(text[index + 1 :], words))
                return
            elif letter not in "fecgrmT":
                raise Wrong("unsupported option (BSD syntax)" if letter.isalpha() else "garbage option")

    def long(self, text: str, words: list[str]) -> None:
        name, equals, value = text.partition("=")
        if name in ("sort", "pid", "user", "User", "ppid", "format", "cols", "columns", "width", "rows", "lines") and not equals:
            value = words.pop(0) if words else ""
        if name == "sort":
            self.sort = [key for key in value.split(",") if key]
        elif name in ("pid", "user", "User", "format"):
            self.valued({"pid": "p", "user": "u", "User": "U", "format": "o"}[name], value)
        elif name == "ppid":
            self.ppids = set(value.split(","))
        elif name in ("no-headers", "no-heading", "no-headings", "noheader"):
            self.headless = True
        elif name == "version":
            self.version = True
        elif name not in ("forest", "headers", "cols", "columns", "width", "rows", "lines", "deselect", "context"):
            raise Wrong("unknown gnu long option")

    def wants(self, p: Process, row: Row) -> bool:
        tests = []
        if self.pids is not None:
            tests.append(str(row.pid) in self.pids)
        if self.ppids is not None:
            tests.append(str(row.ppid) in self.ppids)
        if self.owners is not None:
            tests.append(row.user in self.owners or any(who.isdigit() and (u := user(p.fs, who)) and u.name == row.user for who in self.owners))
        if self.names is not None:
            tests.append(comm(row.command) in self.names)
        if tests:
            return any(tests)
        if self.every or self.with_tty and self.without_tty:
            return True
        mine = row.user == p.account.name
        own_tty = (p.tty or "?").removeprefix("/dev/")
        if self.with_tty:
            return row.tty != "?"
        if self.without_tty:
            return mine
        return mine and row.tty.removeprefix("/dev/") == own_tty

    def columns(self) -> list[tuple[str, str]]:
        if self.output:
            return self.output
        made = [(name, "UID" if name == "uid_name" else HEADS[name][0]) for name in self.form]
        return [("label", "LABEL"), *made] if self.label else made


def order_of(row: Row, name: str) -> object:
    return {
        **{"%cpu": row.cpu, "pcpu": row.cpu, "cpu": row.cpu, "%mem": row.mem, "pmem": row.mem, "mem": row.mem, "rss": row.rss},
        **{"vsz": row.vsz, "vsize": row.vsz, "pid": row.pid, "time": row.used, "start_time": row.started, "user": row.user},
    }.get(name, row.pid)  # type: ignore[dict-item]


def clock(seconds: float, hours: bool = True) -> str:
    whole = int(seconds)
    if not hours:
        return f"{whole // 60}:{whole % 60:02d}"
    days = f"{whole // 86400}-" if whole >= 86400 else ""
    return f"{days}{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def since(p: Process, row: Row) -> str:
    """START of ps: the time today, else the day, else the year."""
    then, now = local(p, row.started), local(p, p.host.now())
    if p.host.now() - row.started < 86400 and then.date() == now.date():
        return then.strftime("%H:%M")
    return then.strftime("%b%d") if then.year == now.year else then.strftime("%Y")


def elapsed(seconds: float) -> str:
    whole = int(seconds)
    days, hours = whole // 86400, whole // 3600 % 24
    front = f"{days}-{hours:02d}:" if days else f"{hours:02d}:" if hours else ""
    return f"{front}{whole // 60 % 60:02d}:{whole % 60:02d}"


def cell(p: Process, row: Row, name: str, last: bool = False) -> str:
    if name in ("user", "euser", "ruser", "uid_name", "group"):
        return row.user if len(row.user) <= 8 else row.user[:7] + "+"
    if name in ("comm", "ucmd"):
        return comm(row.command)
    if name in ("cmd", "args", "command"):
        return row.command if last else row.command[:27]
    if name in ("pid", "ppid"):
        return str(row.pid if name == "pid" else row.ppid)
    if name in ("pgid", "sid"):
        return str(row.pid if row.ppid in (0, 1, 2) or "s" in row.stat else row.ppid)
    if name in ("%cpu", "pcpu", "%mem", "pmem"):
        return f"{row.cpu if 'cpu' in name else row.mem:.1f}"
    if name in ("vsz", "rss", "sz"):
        return str(row.rss if name == "rss" else row.vsz // (4 if name == "sz" else 1))
    if name in ("tty", "tt", "tname"):
        return row.tty.removeprefix("/dev/")
    if name in ("stat", "state", "s"):
        return row.stat if name == "stat" else row.stat[:1]
    if name == "start":
        return local(p, row.started).strftime("%H:%M:%S" if p.host.now() - row.started < 86400 else "  %b %d")
    if name == "lstart":
        return local(p, row.started).strftime("%a %b %e %H:%M:%S %Y")
    if name in ("time", "cputime", "bsdtime"):
        return clock(row.used, name != "bsdtime")
    if name in ("etime", "etimes"):
        age = max(0.0, p.host.now() - row.started)
        return elapsed(age) if name == "etime" else str(int(age))
    if name == "uid":
        found = user(p.fs, row.user)
        return str(found.uid) if found else "0"
    fixed = {"c": str(int(row.cpu)), "ni": "0", "pri": "19", "tpgid": "-1", "nlwp": "1", "label": "-", "wchan": "-", "f": "4", "psr": "0"}
    return since(p, row) if name in ("stime", "start_time") else fixed.get(name, "-")


SIGNALS = {s.name.removeprefix("SIG"): s.value for s in signals.Signals}


def signal_number(text: str) -> int | None:
    if text.isdigit():
        return int(text) if int(text) <= 64 else None
    return SIGNALS.get(text.upper().removeprefix("SIG"))


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


async def pidof(p: Process) -> int:
    options = parse(p, "cnqo:sxS:z", hint=False)
    found = [row.pid for row in rows_of(p) if any(comm(row.command) == name.rsplit("/", 1)[-1][:15] for name in options.operands)]
    found = sorted(found, reverse=True)[: 1 if "s" in options else None]
    if found and "q" not in options:
        p.out(options.text("S", " ").join(str(pid) for pid in found) + "\n")
    return 0 if found else 1


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


COMMANDS = {
    **{"ps": ps, "pgrep": pgrep, "pkill": pgrep, "pidof": pidof, "kill": kill, "killall": killall, "pstree": pstree},
    "fuser": fuser,
}
__all__ = ["COMMANDS", "complain"]

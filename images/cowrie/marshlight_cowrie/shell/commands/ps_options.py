"""What ps was asked for: three dialects of options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .names import user
from .processes import comm

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


class Wrong(Exception):
    pass


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

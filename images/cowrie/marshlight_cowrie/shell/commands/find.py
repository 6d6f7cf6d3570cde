"""find: expressions of tests and actions over a tree."""

from __future__ import annotations

import posixpath
import re
import stat as modes
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .names import group, group_name, user, user_name
from .options import Usage, complain
from .regex import BadPattern, compiled
from .times import local
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process, Stat

TYPES = {"f": modes.S_ISREG, "d": modes.S_ISDIR, "l": modes.S_ISLNK, "p": modes.S_ISFIFO, "s": modes.S_ISSOCK, "b": modes.S_ISBLK, "c": modes.S_ISCHR}
SIZES = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1 << 20, "G": 1 << 30, "": 512}
GLOBAL = ("-maxdepth", "-mindepth", "-depth", "-d", "-mount", "-xdev", "-follow", "-noleaf", "-daystart", "-warn", "-nowarn", "-ignore_readdir_race", "-regextype")
ACTIONS = ("-print", "-print0", "-printf", "-fprint", "-ls", "-delete", "-exec", "-execdir", "-ok", "-okdir", "-quit")


class Entry:
    def __init__(self, path: str, start: str, depth: int, stat: Stat) -> None:
        self.path, self.start, self.depth, self.stat = path, start, depth, stat

    @property
    def name(self) -> str:
        return posixpath.basename(self.path.rstrip("/")) or "/"


Test = Callable[[Entry], Awaitable[bool]]


class Quit(Exception):
    pass


async def find(p: Process) -> int:
    args = list(p.args[1:])
    follow = False
    while args and args[0] in ("-H", "-L", "-P", "-O3", "-O2"):
        follow = args.pop(0) == "-L"
    starts = []
    while args and not args[0].startswith("-") and args[0] not in ("(", ")", "!", ","):
        starts.append(args.pop(0))
    if "--version" in args or "-version" in args:
        p.out("find (GNU findutils) 4.9.0\n")
        return 0
    search = Find(p, args, follow)
    test = search.parse()
    status = 0
    try:
        for start in starts or ["."]:
            status = max(status, await search.walk(start, test))
    except Quit:
        pass
    for words, batch, folder in search.batches:
        if batch:
            status = max(status, int(await search.run([*words, *batch], folder) != 0))
    return max(status, search.status)


class Find:
    def __init__(self, p: Process, args: list[str], follow: bool) -> None:
        self.p, self.args, self.at, self.follow = p, args, 0, follow
        self.least, self.most, self.depth_first = 0, 1 << 30, False
        self.batches: list[tuple[list[str], list[str], None]] = []
        self.status, self.pruned, self.extended = 0, False, "emacs"

    def bad(self, text: str) -> Usage:
        return Usage(f"{self.p.args[0]}: {text}\n", 1)

    def parse(self) -> Test:
        acts = any(word in ACTIONS for word in self.args)
        test = self.comma() if self.args else always
        if self.at < len(self.args):
            word = self.args[self.at]
            if word == ")":
                raise self.bad("invalid expression; you have too many ')'")
            raise self.bad(f"paths must precede expression: `{word}'")
        if acts:
            return test

        async def printed(entry: Entry) -> bool:
            if await test(entry):
                self.p.out(entry.path + "\n")
            return True

        return printed

    def peek(self) -> str:
        return self.args[self.at] if self.at < len(self.args) else ""

    def value(self, option: str) -> str:
        if self.at >= len(self.args):
            raise self.bad(f"missing argument to `{option}'")
        self.at += 1
        return self.args[self.at - 1]

    def comma(self) -> Test:
        test = self.either()
        while self.peek() == ",":
            self.at += 1
            test = both(test, self.either(), always_second=True)
        return test

    def either(self) -> Test:
        test = self.all()
        while self.peek() in ("-o", "-or"):
            self.at += 1
            one, other = test, self.all()

            async def tried(entry: Entry, one: Test = one, other: Test = other) -> bool:
                return await one(entry) or await other(entry)

            test = tried
        return test

    def all(self) -> Test:
        test = self.one()
        while self.at < len(self.args) and self.peek() not in ("-o", "-or", ")", ","):
            if self.peek() in ("-a", "-and"):
                self.at += 1
            test = both(test, self.one())
        return test

    def one(self) -> Test:
        word = self.value("")
        if word in ("!", "-not"):
            inner = self.one()

            async def negated(entry: Entry) -> bool:
                return not await inner(entry)

            return negated
        if word == "(":
            if self.peek() == ")":
                raise self.bad("invalid expression; empty parentheses are not allowed.")
            inner = self.comma()
            if self.peek() != ")":
                raise self.bad("invalid expression; I was expecting to find a ')' somewhere but did not see one.")
            self.at += 1
            return inner
        if not word.startswith("-"):
            raise self.bad(f"paths must precede expression: `{word}'")
        if word in GLOBAL:
            return self.setting(word)
        if word in ACTIONS or word == "-prune":
            return self.action(word)
        return plain(self.test(word))

    def setting(self, word: str) -> Test:
        if word in ("-maxdepth", "-mindepth"):
            text = self.value(word)
            if not text.isdigit():
                raise self.bad(f"Expected a positive decimal integer argument to {word}, but got ‘{text}’")
            if word == "-maxdepth":
                self.most = int(text)
            else:
                self.least = int(text)
        elif word == "-regextype":
            self.extended = self.value(word)
        elif word in ("-depth", "-d"):
            self.depth_first = True
        elif word == "-follow":
            self.follow = True
        return always

    def test(self, word: str) -> Callable[[Entry], bool]:
        p = self.p
        if word in ("-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename", "-lname"):
            glob = self.value(word)
            fold = word[1] == "i"
            glob = re.sub(r"\\(.)", r"[\1]", glob.replace("[^", "[!"))
            glob = glob.lower() if fold else glob
            whole = "path" in word or "whole" in word
            if word == "-lname":
                return lambda e: modes.S_ISLNK(e.stat.mode) and fnmatchcase(e.stat.target or "", glob)
            return lambda e: fnmatchcase((e.path if whole else e.name).lower() if fold else e.path if whole else e.name, glob)
        if word in ("-regex", "-iregex"):
            text = self.value(word)
            try:
                extended = "extended" in self.extended or self.extended in ("egrep", "awk", "posix-awk")
                # The default, of Emacs: + and ? repeat, \| and \( as in basic expressions.
                if not extended and self.extended == "emacs":
                    text = re.sub(r"(?<!\\)([+?])", r"\\\1", text)
                pattern = compiled(text, extended=extended, ignore_case=word == "-iregex")
            except BadPattern as error:
                raise self.bad(f"failed to compile regular expression '{text}': {error}") from None
            return lambda e: (found := pattern.match(e.path)) is not None and pattern.fullmatch(e.path) is not None and bool(found)
        if word == "-type" or word == "-xtype":
            text = self.value(word)
            kinds = text.split(",")
            for kind in kinds:
                if kind not in TYPES:
                    raise self.bad(f"Unknown argument to {word}: {kind}")
            return lambda e: any(TYPES[kind](e.stat.mode) for kind in kinds)
        if word in ("-user", "-group", "-uid", "-gid"):
            return self.owner(word, self.value(word))
        if word in ("-nouser", "-nogroup"):
            return lambda e: (user_name(p.fs, e.stat.uid) if word == "-nouser" else group_name(p.fs, e.stat.gid)).isdigit()
        if word == "-perm":
            return self.permission(self.value(word))
        if word == "-size":
            text = self.value(word)
            found = re.fullmatch(r"([-+]?)(\d+)([cwbkMG]?)", text)
            if not found:
                raise self.bad(f"invalid -size type `{text[-1:]}'" if text[-1:].isalpha() else f"Invalid argument `{text}' to -size")
            unit = SIZES[found[3]]
            return lambda e: ordered(found[1], -(-e.stat.size // unit), int(found[2]))
        if word in ("-mtime", "-atime", "-ctime", "-mmin", "-amin", "-cmin"):
            text = self.value(word)
            found = re.fullmatch(r"([-+]?)(\d+)", text)
            if not found:
                raise self.bad(f"invalid argument `{text}' to `{word}'")
            unit = 60 if word.endswith("min") else 86400
            now = p.host.now()

            def aged(e: Entry) -> bool:
                age = (now - (e.stat.ctime if word[1] == "c" else e.stat.mtime)) / unit
                if unit == 60:
                    return ordered(found[1], age, int(found[2])) if found[1] else int(age) + 1 == int(found[2])
                return ordered(found[1], int(age), int(found[2]))

            return aged
        if word in ("-newer", "-cnewer", "-anewer", "-newermt", "-newerct"):
            text = self.value(word)
            try:
                from .dates import read_date

                when = read_date(p, text) if word.endswith("t") else p.fs.stat(p.path(text)).mtime
            except (OSError, ValueError) as error:
                if isinstance(error, OSError):
                    raise self.bad(f"‘{text}’: {strerror(error)}") from None
                raise self.bad(f"I cannot figure out how to interpret ‘{text}’ as a date or time") from None
            return lambda e: e.stat.mtime > when
        if word == "-empty":
            return self.empty
        if word in ("-readable", "-writable", "-executable"):
            way = {"-readable": "read", "-writable": "write", "-executable": "execute"}[word]
            return lambda e: p.fs.access(p.path(e.path), **{way: True})
        if word in ("-true", "-false"):
            return lambda e: word == "-true"
        if word in ("-links", "-inum"):
            text = self.value(word)
            sign, number = text[:1] if text[:1] in "+-" else "", int(text.lstrip("+-") or 0)
            return lambda e: ordered(sign, e.stat.links if word == "-links" else e.stat.inode, number)
        if word == "-samefile":
            inode = p.fs.stat(p.path(self.value(word))).inode
            return lambda e: e.stat.inode == inode
        if word == "-fstype":
            kind = self.value(word)
            return lambda e: kind == "ext4"
        raise self.bad(f"unknown predicate `{word}'")

    def empty(self, e: Entry) -> bool:
        if modes.S_ISDIR(e.stat.mode):
            try:
                return not [name for name in self.p.fs.listdir(self.p.path(e.path)) if name not in (".", "..")]
            except OSError:
                return False
        return modes.S_ISREG(e.stat.mode) and e.stat.size == 0

    def owner(self, word: str, text: str) -> Callable[[Entry], bool]:
        if word in ("-uid", "-gid"):
            sign, number = text[:1] if text[:1] in "+-" else "", int(text.lstrip("+-") or 0)
            return lambda e: ordered(sign, e.stat.uid if word == "-uid" else e.stat.gid, number)
        if word == "-user":
            account = user(self.p.fs, text)
            if account is None and not text.isdigit():
                raise self.bad(f"‘{text}’ is not the name of a known user")
            uid = account.uid if account else int(text)
            return lambda e: e.stat.uid == uid
        known = group(self.p.fs, text)
        if known is None and not text.isdigit():
            raise self.bad(f"‘{text}’ is not the name of an existing group")
        gid = known.gid if known else int(text)
        return lambda e: e.stat.gid == gid

    def permission(self, text: str) -> Callable[[Entry], bool]:
        from .modes import BadMode, changed_mode

        kind = text[0] if text[:1] in ("-", "/") else ""
        try:
            wanted = changed_mode(text[len(kind) :], 0, False, 0)
        except BadMode:
            raise self.bad(f"invalid mode ‘{text}’") from None
        if kind == "-":
            return lambda e: e.stat.mode & 0o7777 & wanted == wanted
        if kind == "/":
            return lambda e: not wanted or bool(e.stat.mode & wanted)
        return lambda e: e.stat.mode & 0o7777 == wanted

    def action(self, word: str) -> Test:
        p = self.p
        if word == "-prune":

            async def pruned(_: Entry) -> bool:
                self.pruned = True
                return True

            return pruned
        if word in ("-print", "-print0"):
            end = "\n" if word == "-print" else "\0"

            async def printed(e: Entry) -> bool:
                p.out(e.path + end)
                return True

            return printed
        if word in ("-printf", "-ls"):
            form = self.value(word) if word == "-printf" else "%8i %6k %M %3n %-8u %-8g %8s %Tb %Td %TH:%TM %p\\n"

            async def shown(e: Entry) -> bool:
                p.out(described(p, form, e))
                return True

            return shown
        if word == "-delete":
            self.depth_first = True

            async def deleted(e: Entry) -> bool:
                if e.path in (".", "./"):
                    return True
                try:
                    (p.fs.rmdir if modes.S_ISDIR(e.stat.mode) else p.fs.unlink)(p.path(e.path))
                except OSError as error:
                    complain(p, f"cannot delete ‘{e.path}’: {strerror(error)}")
                    self.status = 1
                    return False
                return True

            return deleted
        if word == "-quit":

            async def leave(_: Entry) -> bool:
                raise Quit

            return leave
        if word == "-fprint":
            target = self.value(word)

            async def written(e: Entry) -> bool:
                p.fs.write(p.path(target), (e.path + "\n").encode(), append=True)
                return True

            return written
        return self.executed(word)

    def executed(self, word: str) -> Test:
        words: list[str] = []
        while True:
            if self.at >= len(self.args):
                raise self.bad(f"missing argument to `{word}'")
            part = self.value(word)
            if part == ";" or part == "+" and words and words[-1] == "{}":
                break
            words.append(part)
        if not words:
            raise self.bad(f"missing argument to `{word}'" if False else "invalid argument `;' to `-exec'")
        if part == "+":
            batch: list[str] = []
            self.batches.append((words[:-1], batch, None))

            async def gathered(e: Entry) -> bool:
                batch.append(e.path)
                return True

            return gathered

        async def ran(e: Entry) -> bool:
            inside = word in ("-execdir", "-okdir")
            name = f"./{e.name}" if inside else e.path
            if word.startswith("-ok"):
                self.p.stderr.write(f"< {words[0]} ... {name} > ? ".encode())
                return False
            folder = posixpath.dirname(self.p.path(e.path)) if inside else None
            return await self.run([part.replace("{}", name) for part in words], folder) == 0

        return ran

    async def run(self, words: list[str], folder: str | None) -> int:
        try:
            return await self.p.spawn(words, **({"cwd": folder} if folder else {}))
        except OSError as error:
            complain(self.p, f"‘{words[0]}’: {strerror(error)}")
            return 1

    async def walk(self, start: str, test: Test) -> int:
        try:
            stat = self.p.fs.stat(self.p.path(start), follow=self.follow)
        except OSError as error:
            complain(self.p, f"‘{start}’: {strerror(error)}")
            return 1
        return await self.visit(Entry(start, start, 0, stat), test)

    async def visit(self, e: Entry, test: Test) -> int:
        status = 0
        self.pruned = False
        if not self.depth_first and e.depth >= self.least:
            await test(e)
        if modes.S_ISDIR(e.stat.mode) and e.depth < self.most and not (self.pruned and not self.depth_first):
            try:
                names = [name for name in self.p.fs.listdir(self.p.path(e.path)) if name not in (".", "..")]
            except OSError as error:
                complain(self.p, f"‘{e.path}’: {strerror(error)}")
                names, status = [], 1
            for name in names:
                path = f"{e.path}{name}" if e.path.endswith("/") else f"{e.path}/{name}"
                try:
                    stat = self.p.fs.stat(self.p.path(path), follow=self.follow)
                except OSError:
                    continue
                status = max(status, await self.visit(Entry(path, e.start, e.depth + 1, stat), test))
            await self.p.stdout.drain()
        self.pruned = False
        if self.depth_first and e.depth >= self.least:
            await test(e)
        return status


async def always(_: Entry) -> bool:
    return True


def plain(test: Callable[[Entry], bool]) -> Test:
    async def tested(entry: Entry) -> bool:
        return test(entry)

    return tested


def both(one: Test, other: Test, always_second: bool = False) -> Test:
    async def tried(entry: Entry) -> bool:
        return (await one(entry) or always_second) and await other(entry)

    return tried


def ordered(sign: str, value: float, limit: int) -> bool:
    return value > limit if sign == "+" else value < limit if sign == "-" else value == limit


def described(p: Process, form: str, e: Entry) -> str:
    stat = e.stat
    relative = e.path[len(e.start) :].lstrip("/")
    kind = modes.filemode(stat.mode)[0].replace("-", "f")
    values: dict[str, Any] = {
        "p": e.path, "f": e.name, "h": posixpath.dirname(e.path) or ".", "P": relative, "H": e.start, "s": stat.size,
        "k": -(-stat.size // 4096) * 4, "b": -(-stat.size // 4096) * 8, "m": f"{stat.mode & 0o7777:o}", "M": modes.filemode(stat.mode),
        "u": user_name(p.fs, stat.uid), "g": group_name(p.fs, stat.gid), "U": stat.uid, "G": stat.gid, "i": stat.inode,
        "n": stat.links, "d": e.depth, "y": kind, "l": stat.target or "", "t": local(p, stat.mtime).strftime("%a %b %e %H:%M:%S.0000000000 %Y"),
    }  # fmt: skip

    def one(found: re.Match[str]) -> str:
        if found[0][0] == "\\":
            return {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}.get(found[0][1], found[0])
        if found[2][0] in "TAC" and len(found[2]) > 1:
            moment = local(p, stat.mtime)
            letter = found[2][1]
            return f"{stat.mtime:.10f}" if letter == "@" else moment.strftime("%Y-%m-%d+%H:%M:%S.0000000000" if letter == "+" else f"%{letter}")
        if found[2] == "%":
            return "%"
        return f"%{found[1]}s" % values.get(found[2], "")

    return re.sub(r"%([-0-9]*)([TAC].|.)|\\.", one, form)


COMMANDS = {"find": find}

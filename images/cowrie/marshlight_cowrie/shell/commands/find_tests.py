"""The tests of find: names, kinds, sizes, times, owners."""

from __future__ import annotations

import re
import stat as modes
from collections.abc import Callable
from fnmatch import fnmatchcase

from .find_entry import Entry, Words, ordered
from .names import group, group_name, user, user_name
from .regex import BadPattern, compiled
from .wording import strerror

TYPES = {"f": modes.S_ISREG, "d": modes.S_ISDIR, "l": modes.S_ISLNK, "p": modes.S_ISFIFO, "s": modes.S_ISSOCK, "b": modes.S_ISBLK, "c": modes.S_ISCHR}
SIZES = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1 << 20, "G": 1 << 30, "": 512}


class Tests(Words):
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

"""What find does with what it found: print, list, delete, run."""

from __future__ import annotations

import posixpath
import re
import stat as modes
from typing import TYPE_CHECKING, Any

from .find_entry import Entry, Quit, Test, Words
from .names import group_name, user_name
from .options import complain
from .times import local
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

ACTIONS = ("-print", "-print0", "-printf", "-fprint", "-ls", "-delete", "-exec", "-execdir", "-ok", "-okdir", "-quit")


class Actions(Words):
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

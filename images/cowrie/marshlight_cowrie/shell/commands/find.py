"""find: expressions of tests and actions over a tree."""

from __future__ import annotations

import stat as modes
from typing import TYPE_CHECKING

from .find_actions import ACTIONS, Actions
from .find_entry import Entry, Quit, Test, always, both, plain
from .find_tests import Tests
from .options import complain
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

GLOBAL = ("-maxdepth", "-mindepth", "-depth", "-d", "-mount", "-xdev", "-follow", "-noleaf", "-daystart", "-warn", "-nowarn", "-ignore_readdir_race", "-regextype")


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


class Find(Tests, Actions):
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


COMMANDS = {"find": find}

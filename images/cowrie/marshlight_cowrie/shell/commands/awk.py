"""awk, as mawk 1.3.4 of Debian answers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from .awk_parser import Parser
from .awk_run import Exit, Machine, Next, NextFile
from .awk_values import Input, text, true
from .awk_words import AwkError, string
from .inputs import whole
from .options import Usage
from .streams import Capture, Given
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

USAGE = "Usage: mawk [Options] 'program' [file ...]\n"



def name_of(p: Process) -> str:
    return p.args[0].rsplit("/", 1)[-1]


async def awk(p: Process) -> int:
    args, sources, separator, assigned = list(p.args[1:]), [], None, []
    while args and args[0].startswith("-") and args[0] != "-":
        word = args.pop(0)
        if word == "--":
            break
        if word in ("-W", "-Wversion"):
            p.out("mawk 1.3.4 20200120\nCopyright 2008-2019,2020, Thomas E. Dickey\nCopyright 1991-1996,2014, Michael D. Brennan\n")
            return 0
        if word[:2] not in ("-F", "-v", "-f"):
            raise Usage(f"{name_of(p)}: not an option: {word}\n", 2)
        value = word[2:] or (args.pop(0) if args else "")
        if word[1] == "F":
            separator = value
        elif word[1] == "v":
            assigned.append(value)
        else:
            try:
                sources.append((await whole(p, value)).decode("utf-8", "surrogateescape"))
            except OSError as error:
                raise Usage(f"{name_of(p)}: couldn't open file {value} ({strerror(error)})\n", 2) from None
    if not sources:
        if not args:
            raise Usage(USAGE, 2)
        sources.append(args.pop(0))
    try:
        m = Machine(p, Parser("\n".join(sources)).program())
    except (AwkError, IndexError) as error:
        raise Usage(f"{name_of(p)}: {error}\n" if str(error)[:4] == "line" else f"{name_of(p)}: line 1: {error}\n", 2) from None
    if separator is not None:
        m.globals["FS"] = "\t" if separator == "t" else unescaped(separator)
    for one in assigned:
        name, equals, value = one.partition("=")
        if not equals or not name.isidentifier():
            raise Usage(f"{name_of(p)}: improper assignment: -v {one}\n", 2)
        m.globals[name] = Input(unescaped(value))
    m.globals["ARGV"] = {"0": "awk", **{str(i): Input(word) for i, word in enumerate(args, 1)}}
    m.globals["ARGC"] = float(len(args) + 1)
    return await Session(p, m, args).run()


def unescaped(value: str) -> str:
    try:
        return string(value.replace('"', '\\"') + '"', 0)[0]
    except AwkError:
        return value


class Session:
    def __init__(self, p: Process, m: Machine, args: list[str]) -> None:
        self.p, self.m, self.args, self.failed = p, m, args, False
        self.records = self.all_records()
        m.read = self.next_record
        m.run_command = self.outside

    async def run(self) -> int:
        m, program = self.m, self.m.program
        try:
            try:
                for body in program.begin:
                    await m.run(body)
                if program.rules or program.end:
                    while (record := await self.next_record()) is not None:
                        m.set_record(record)
                        m.globals["NR"] += 1.0
                        m.globals["FNR"] += 1.0
                        try:
                            await self.rules()
                        except (Next, NextFile):
                            continue
            except Exit:
                pass
            try:
                for body in program.end:
                    await m.run(body)
            except Exit:
                pass
        except (AwkError, RecursionError) as error:
            await self.close_all()
            raise Usage(f"{name_of(self.p)}: {error}\n", 2) from None
        await self.close_all()
        return m.status or (2 if self.failed else 0)

    async def rules(self) -> None:
        m = self.m
        for index, (first, second, body) in enumerate(m.program.rules):
            if second is not None:
                if not m.ranges.get(index):
                    if first is None or not true(await m.value(first)):
                        continue
                    m.ranges[index] = True
                if true(await m.value(second)):
                    m.ranges[index] = False
            elif first is not None and not true(await m.value(first)):
                continue
            if body is None:
                self.p.out(m.record + text(m.globals["ORS"]))
            else:
                await m.run(body)

    async def next_record(self) -> str | None:
        return await anext(self.records, None)

    async def all_records(self) -> AsyncIterator[str]:
        files = [word for word in self.args if not re.match(r"[A-Za-z_]\w*=", word)]
        for word in self.args if files else [*self.args, "-"]:
            name, equals, value = word.partition("=")
            if equals and name.isidentifier():
                self.m.globals[name] = Input(unescaped(value))
                continue
            self.m.globals["FILENAME"], self.m.globals["FNR"] = "" if word == "-" else word, 0.0
            if word == "-" and text(self.m.globals["RS"]) == "\n":
                while line := await self.p.stdin.readline():
                    yield line.decode("utf-8", "surrogateescape").removesuffix("\n")
                continue
            try:
                data = (await whole(self.p, word)).decode("utf-8", "surrogateescape")
            except OSError as error:
                self.p.err(f"cannot open {word} ({strerror(error)})")
                self.failed = True
                continue
            for record in self.cut(data):
                yield record

    def cut(self, data: str) -> list[str]:
        separator = text(self.m.globals["RS"])
        if separator == "":
            return [part for part in re.split(r"\n\n+", data.strip("\n")) if part]
        parts = data.split(separator) if len(separator) == 1 else self.m.pattern(separator).split(data)
        if parts and parts[-1] == "":
            parts.pop()
        elif separator != "\n" and parts:
            parts[-1] = parts[-1].removesuffix("\n") if separator == "\n" else parts[-1]
        return parts

    async def outside(self, how: str, name: str) -> Any:
        """getline from a command or file; system(); close()."""
        if how == "<":
            try:
                return (await whole(self.p, name)).decode("utf-8", "surrogateescape").splitlines()
            except OSError:
                return None
        if how == "|":
            caught = Capture()
            await self.p.spawn(["sh", "-c", name], stdout=caught)
            return caught.data.decode("utf-8", "surrogateescape").splitlines()
        if how == "system":
            return await self.p.spawn(["sh", "-c", name])
        if how == "close":
            for key in [key for key in self.m.outputs if key[1] == name]:
                await self.flush(key)
            for key in [key for key in self.m.sources if key[1] == name]:
                del self.m.sources[key]
        return 0

    async def flush(self, key: tuple[str, str]) -> None:
        data = bytes(self.m.outputs.pop(key))
        how, name = key
        if how == "|":
            await self.p.spawn(["sh", "-c", name], stdin=Given(data))
        elif name != "/dev/null":
            self.p.fs.write(self.p.path(name), data, append=how == ">>", mode=0o666 & ~self.p.umask)

    async def close_all(self) -> None:
        for key in list(self.m.outputs):
            await self.flush(key)


COMMANDS = {"awk": awk, "mawk": awk}

"""perl as far as one-liners go: print, system, exec, a loop, -n -p -l -a. What else there is ends without a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .inputs import Inputs
from .options import Usage
from .perl_terms import WORD, Reader, Unknown, number, shown, statements
from .regex import BadPattern, compiled

if TYPE_CHECKING:
    from ..ports import Process

#: Bytes of a program, passes of a loop.
LONGEST, MOST = 1 << 16, 100_000
VERSION = (
    "\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for {machine}-linux-gnu-thread-multi\n"
    "(with 83 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n\n"
    "Perl may be copied only under the terms of either the Artistic License or the\nGNU General Public License, which may be found in the Perl 5 source kit.\n\n"
)


class Over(Exception):
    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


async def perl(p: Process) -> int:
    words, texts, letters = list(p.args[1:]), [], ""
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        if word in ("-v", "--version"):
            p.out(VERSION.format(machine=p.host.persona.os.kernel.machine))
            return 0
        if word[1] in "MmI":
            continue
        letters += word[1:].rstrip("eE")
        if word[-1] in "eE":
            texts.append(words.pop(0) if words else "")
    if not texts:
        if words:
            try:
                texts.append(p.fs.read(p.path(words[0])).decode("utf-8", "replace"))
            except OSError as error:
                raise Usage(f"Can't open perl script \"{words[0]}\": {error.strerror}\n", 2) from None
            words.pop(0)
        else:
            return 0
    machine = Perl(p, words, "l" in letters)
    text = "\n".join(texts)[:LONGEST]
    try:
        if "n" in letters or "p" in letters:
            async for raw in Inputs(p, words).lines():
                line = raw.decode("utf-8", "surrogateescape")
                machine.names["$_"] = line.rstrip("\n") if "l" in letters else line
                if "a" in letters:
                    machine.names["@F"] = line.split()
                await machine.run(text)
                if "p" in letters:
                    machine.show(str(machine.names["$_"]))
        else:
            await machine.run(text)
    except Over as over:
        return over.status
    except (Unknown, BadPattern, ValueError, ZeroDivisionError, RecursionError):
        return 0
    return 0


class Perl:
    def __init__(self, p: Process, arguments: list[str], ends: bool) -> None:
        self.p, self.ends, self.passes = p, ends, 0
        self.names: dict[str, Any] = {"$_": "", "$0": "-e", "$$": p.pid, "@ARGV": arguments}

    def show(self, text: str) -> None:
        self.p.out(text + ("\n" if self.ends else ""))

    async def run(self, text: str) -> None:
        for statement, body in statements(text):
            self.passes += 1
            if self.passes > MOST:
                raise Unknown
            await self.p.notes["shell"].budget.step()
            await (self.block(statement, body) if body is not None else self.simple(statement))

    async def block(self, head: str, body: str) -> None:
        loop = re.fullmatch(r"for(?:each)?\s*(?:my\s*)?(\$\w+)?\s*\((.*)\)", head, re.S)
        if loop:
            for item in await self.items(loop[2]):
                self.names[loop[1] or "$_"] = item
                await self.run(body)
        elif found := re.fullmatch(r"if\s*\((.*)\)", head, re.S):
            if await self.true(found[1]):
                await self.run(body)
        else:
            raise Unknown

    async def simple(self, text: str) -> None:
        if not text or re.match(r"(use|no|package|local|\$\|)\b|\$\|", text):
            return
        for word in ("if", "unless", "for", "foreach"):
            found = re.fullmatch(rf"(.*\S)\s+{word}\s+(.*)", text, re.S)
            if found and "\"" not in found[2] and not found[1].startswith(("\"", "'")):
                if word in ("if", "unless"):
                    if await self.true(found[2]) == (word == "if"):
                        await self.simple(found[1])
                    return
                for item in await self.items(found[2].strip("()")):
                    self.names["$_"] = item
                    await self.simple(found[1])
                return
        if found := re.fullmatch(r"s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gie]*)", text, re.S):
            if "e" in found[4]:
                raise Unknown
            pattern = compiled(found[2], extended=True, ignore_case="i" in found[4], escapes=True)
            made = re.sub(r"[$\\](\d)", r"\\g<\1>", found[3])
            self.names["$_"] = pattern.sub(made, str(self.names["$_"]), count=0 if "g" in found[4] else 1)
            return
        if found := re.fullmatch(r"(?:my\s+|our\s+)?(\$\w+|@\w+)\s*([-+*.]?)=\s*(.*)", text, re.S):
            values = await self.items(found[3])
            if found[1][0] == "@":
                self.names[found[1]] = values
            else:
                value = values[-1] if values else ""
                old = self.names.get(found[1], "")
                self.names[found[1]] = value if not found[2] else f"{old}{value}" if found[2] == "." else number(old) + number(value) * (-1 if found[2] == "-" else 1)
            return
        name, _, rest = text.partition(" ") if not re.match(r"\w+\(", text) else (text.partition("(")[0], "", text.partition("(")[2].rpartition(")")[0])
        if name in ("print", "say", "printf"):
            if rest.startswith(("STDERR", "{")):
                self.p.stderr.write("".join(map(shown, await self.items(rest.partition(" ")[2]))).encode())
                return
            values = await self.items(rest) if rest.strip() else [self.names["$_"]]
            if name == "printf" and values:
                self.p.out(str(values[0]) % tuple(int(v) if isinstance(v, float) and v == int(v) else v for v in values[1:]) if len(str(values[0])) < 200 else "")
            else:
                self.p.out("".join(map(shown, values)) + ("\n" if self.ends or name == "say" else ""))
            return
        values = await self.items(rest) if name in ("system", "exec", "exit", "die", "sleep", "unlink") else []
        if name in ("system", "exec"):
            called = [shown(value) for value in values]
            try:
                status = await self.p.spawn(["sh", "-c", called[0]] if len(called) == 1 else called, called="sh" if len(called) == 1 else None)
            except (OSError, IndexError):
                status = 255
            if name == "exec":
                raise Over(status)
        elif name == "exit":
            raise Over(int(number(values[0])) & 255 if values else 0)
        elif name == "die":
            said = "".join(map(shown, values)) or "Died"
            self.p.stderr.write((said if said.endswith("\n") else f"{said} at -e line 1.\n").encode())
            raise Over(255)
        elif name == "sleep" and values:
            await self.p.host.sleep(number(values[0]))
        elif name == "unlink":
            for value in values:
                try:
                    self.p.fs.unlink(self.p.path(shown(value)))
                except OSError:
                    continue
        else:
            raise Unknown

    async def true(self, text: str) -> bool:
        if found := re.fullmatch(r"\s*(?:\$_\s*=~\s*)?m?/((?:\\.|[^/])*)/(i?)\s*", text):
            return compiled(found[1], extended=True, ignore_case=bool(found[2]), escapes=True).search(str(self.names["$_"])) is not None
        values = await self.items(text)
        return bool(values) and shown(values[-1]) not in ("", "0")

    async def items(self, text: str) -> list[Any]:
        words = []
        at = 0
        while text[at:].strip():
            found = WORD.match(text, at)
            if not found:
                raise Unknown
            words.append((str(found.lastgroup), str(found[found.lastgroup or 0])))
            at = found.end()
        reader = Reader(self, words)
        values = await reader.list()
        if reader.at < len(words):
            raise Unknown
        return values

    def filled(self, text: str) -> str:
        def one(found: re.Match[str]) -> str:
            name = found[0]
            if name.startswith("\\"):
                return {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "0": "\0", "a": "\a"}.get(name[1], name[1])
            return shown(self.value(name.replace("{", "").replace("}", "") if name.startswith("${") else name))

        return re.sub(r"\\.|\$ENV\{\w+\}|\$\w+\[-?\d+\]|\$\{\w+\}|\$[\w$]+|@\w+", one, text, flags=re.S)

    def value(self, name: str) -> Any:
        if found := re.fullmatch(r"\$ENV\{(\w+)\}", name):
            return self.p.env.get(found[1], "")
        if found := re.fullmatch(r"\$(\w+)\[(-?\d+)\]", name):
            row = self.names.get(f"@{found[1]}", [])
            return row[int(found[2])] if -len(row) <= int(found[2]) < len(row) else ""
        value = self.names.get(name, [] if name.startswith("@") else "")
        return " ".join(map(shown, value)) if isinstance(value, list) and not name.startswith("@") else value


COMMANDS = {"perl": perl}

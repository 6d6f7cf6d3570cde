"""
Expansion of words, in the order of POSIX 2.6: braces, tilde, parameters and substitutions, field splitting, file names.

    Word -> segments (kind, text) -> fields of (text, quoted) -> names or texts
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .arithmetic import evaluate
from .arithmetic_reader import ArithmeticFailure
from .braces import TooMany, expand_braces
from .nodes import Arithmetic, Parameter, Substitution, Text, Word
from .parameter_values import BREAK, EXPANDED, LITERAL, QUOTED
from .parameters import ParameterExpansion
from .patterns import glob, is_pattern, quote
from .variables import OutOfMemory

if TYPE_CHECKING:
    from .interpreter import Shell

Segment = tuple[int, str]
LARGEST = 1 << 20
MOST_FIELDS = 60_000


class Expander(ParameterExpansion):
    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    async def words(self, words: list[Word]) -> list[str]:
        made: list[str] = []
        for word in words:
            plain = word.literal()
            if plain is not None and not word.braces and not re.search(r"[~*?\[]|[@+!]\(", plain):
                made.append(plain)
                continue
            try:
                several = expand_braces(word) if self.shell.dialect.bash and self.shell.option("braceexpand") else [word]
            except TooMany:
                raise OutOfMemory(LARGEST * 64) from None
            for one in several:
                for field in self.fields(await self.segments(one)):
                    made.extend(self.names(field))
            if len(made) > MOST_FIELDS:
                raise OutOfMemory(len(made) * 64)
        return made

    async def text(self, word: Word | None) -> str:
        """One text, neither split nor taken as a pattern: an assignment's value, a redirection's target."""
        if word is None:
            return ""
        if len(word.parts) == 1 and isinstance(word.parts[0], Text) and not word.parts[0].text.startswith("~"):
            return word.parts[0].text
        made = "".join(" " if kind == BREAK else text for kind, text in await self.segments(word, joining=True))
        if len(made) > LARGEST:
            raise OutOfMemory(len(made))
        return made

    async def value(self, word: Word | None) -> str:
        """Of an assignment: a tilde is also expanded after each colon."""
        if word is None:
            return ""
        if any(isinstance(part, Text) and not part.quoted and ":~" in part.text for part in word.parts):
            parts = [
                Text(re.sub(r"(?<=:)~[^:/]*", lambda found: self.tilde(found.group()), part.text))
                if isinstance(part, Text) and not part.quoted
                else part
                for part in word.parts
            ]
            word = Word(parts, word.source)
        return await self.text(word)

    async def pattern(self, word: Word) -> str:
        """A pattern in which what was quoted stands for itself."""
        made = []
        for kind, text in await self.segments(word, joining=True):
            made.append(quote(text) if kind == QUOTED else " " if kind == BREAK else text)
        return "".join(made)

    async def expression(self, word: Word) -> str:
        """A regular expression in which what was quoted stands for itself."""
        return "".join(re.escape(text) if kind == QUOTED else text for kind, text in await self.segments(word, joining=True))

    async def segments(self, word: Word, *, joining: bool = False) -> list[Segment]:
        made: list[Segment] = []
        for number, part in enumerate(word.parts):
            if isinstance(part, Text):
                text = part.text
                if number == 0 and not part.quoted and text.startswith("~"):
                    made.extend(self.leading_tilde(text, last=len(word.parts) == 1))
                else:
                    made.append((QUOTED if part.quoted else LITERAL, text))
            elif isinstance(part, Parameter):
                made.extend(await self.parameter(part, joining=joining))
            elif isinstance(part, Substitution):
                if part.direction:
                    made.append((QUOTED, await self.shell.process_substitution(part)))
                else:
                    output = await self.shell.substitute(part.body)
                    made.append((QUOTED if part.quoted else EXPANDED, output))
            elif isinstance(part, Arithmetic):
                result = await self.calculate(part.expression)
                made.append((QUOTED if part.quoted else EXPANDED, str(result)))
        return made

    def leading_tilde(self, text: str, *, last: bool) -> list[Segment]:
        name, slash, rest = text.partition("/")
        if not slash and not last:
            return [(LITERAL, text)]
        home = self.tilde(name)
        if home == name:
            return [(LITERAL, text)]
        return [(QUOTED, home), (LITERAL, slash + rest)] if slash else [(QUOTED, home)]

    def tilde(self, name: str) -> str:
        shell = self.shell
        if name == "~":
            home = shell.vars.get("HOME")
            return shell.account.home if home is None else home
        if name == "~+":
            return shell.vars.get("PWD") or name
        if name == "~-":
            return shell.vars.get("OLDPWD") or name
        return shell.system.home_of(name[1:]) or name

    async def calculate(self, word: Word) -> int:
        text = await self.text(word)
        await self.shell.budget.step()
        if self.shell.dialect.kind == "dash" and re.search(r"\*\*|[\w)]\s*(\+\+|--)\s*($|[^\w\s($+-])|,", text):
            raise ArithmeticFailure(f"{text}: not of POSIX")
        return evaluate(text.replace('"', ""), self.shell)

    async def number(self, text: str) -> int:
        return evaluate(text, self.shell)

    # -- fields ------------------------------------------------------------------------------------------------------

    def fields(self, segments: list[Segment]) -> list[list[tuple[str, bool]]]:
        ifs = self.shell.vars.get("IFS")
        delimiter = separators(" \t\n" if ifs is None else ifs)
        made: list[list[tuple[str, bool]]] = []
        current: list[tuple[str, bool]] | None = None
        for kind, text in segments:
            if kind == BREAK:
                if current is not None:
                    made.append(current)
                current = None
            elif kind != EXPANDED or delimiter is None:
                if kind != EXPANDED or text:
                    current = current or []
                    current.append((text, kind == QUOTED))
            else:
                at = 0
                for found in delimiter.finditer(text):
                    if found.start() > at:
                        current = [*(current or []), (text[at : found.start()], False)]
                    if current is not None:
                        made.append(current)
                    elif found.group(1) is not None:
                        made.append([("", True)])
                    current = None
                    at = found.end()
                    if len(made) > MOST_FIELDS:
                        raise OutOfMemory(len(text))
                if at < len(text):
                    current = [*(current or []), (text[at:], False)]
        if current is not None:
            made.append(current)
        return made

    def names(self, field: list[tuple[str, bool]]) -> list[str]:
        shell = self.shell
        text = "".join(part for part, _ in field)
        wild = not shell.option("noglob") and any(not quoted and re.search(r"[*?\[]|[@+!]\(", part) for part, quoted in field)
        if not wild:
            return [text]
        pattern = "".join(quote(part) if quoted else part.replace("\\", "\\\\") for part, quoted in field)
        if not is_pattern(pattern):
            return [text]
        extended = shell.option("extglob")
        found = glob(shell.fs, shell.cwd, pattern, hidden=shell.option("dotglob"), extended=extended)
        if found or shell.option("nullglob"):
            return found
        return [text]


def separators(ifs: str) -> re.Pattern[str] | None:
    """Group 1 is set where an empty field ends too."""
    blank = "".join(re.escape(char) for char in ifs if char in " \t\n")
    other = "".join(re.escape(char) for char in ifs if char not in " \t\n")
    if not ifs:
        return None
    if not other:
        return re.compile(f"()(?!)|[{blank}]+")
    around = f"[{blank}]*" if blank else ""
    either = f"{around}([{other}]){around}"
    return re.compile(either + (f"|[{blank}]+" if blank else ""))


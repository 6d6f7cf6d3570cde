"""Reads words: quotes and expansions. What is inside `$(` is read by the parser that owns the cursor."""

from __future__ import annotations

from .braced import BracedReader
from .cursor import Cursor, Incomplete, SyntaxFailure
from .nodes import Arithmetic, Parameter, Part, Substitution, Text, Word
from .quotes import METACHARACTERS, NAME, SPECIAL


class WordReader(BracedReader):
    def word(self, stop: str = METACHARACTERS, *, patterns: bool = False) -> Word:
        start, word = self.at, Word()
        parts = word.parts
        plain: list[str] = []

        def flush() -> None:
            if plain:
                parts.append(Text("".join(plain)))
                plain.clear()

        while not self.over:
            char = self.text[self.at]
            if char in stop:
                if char in "<>" and self.peek(1) == "(" and stop is METACHARACTERS and not self.plain:
                    flush()
                    self.at += 2
                    parts.append(Substitution(self.parse_until(")"), direction=char))
                    continue
                break
            if char == "\\":
                flush()
                if self.peek(1) == "\n":
                    self.at += 2
                elif self.at + 1 >= len(self.text):
                    parts.append(Text("\\", quoted=True))
                    self.at += 1
                else:
                    parts.append(Text(self.text[self.at + 1], quoted=True))
                    self.at += 2
            elif char == "'":
                flush()
                parts.append(self.single())
            elif char == '"':
                flush()
                self.at += 1
                parts.extend(self.double())
            elif char == "$":
                flush()
                parts.extend(self.dollar(quoted=False))
            elif char == "`":
                flush()
                parts.append(self.backtick(quoted=False))
            elif char in "?*+@!" and self.peek(1) == "(" and (self.extglob or patterns):
                plain.append(self.balanced())
            else:
                if char == "{":
                    word.braces = True
                plain.append(char)
                self.at += 1
        flush()
        word.source = self.text[start : self.at]
        return word

    def balanced(self) -> str:
        """An extended pattern with its brackets, as it stands."""
        start, depth, line = self.at, 0, self.line
        while not self.over:
            char = self.text[self.at]
            self.at += 1
            depth += (char == "(") - (char == ")")
            if char == ")" and depth == 0:
                return self.text[start : self.at]
        raise Incomplete(self.line, ")", opened=line)

    def double(self, closer: str = '"') -> list[Part]:
        """What stands to the closing quote, which is taken; with none, to the end of the text."""
        parts: list[Part] = []
        plain: list[str] = []
        line = self.line

        def flush() -> None:
            if plain:
                parts.append(Text("".join(plain), quoted=True))
                plain.clear()

        while True:
            if self.over:
                if closer:
                    raise Incomplete(self.line, closer, opened=line)
                break
            char = self.text[self.at]
            if char == closer:
                self.at += 1
                break
            if char == "\\":
                after = self.peek(1)
                if after == "\n":
                    pass
                elif after and after in '$`\\' or after and after == closer:
                    plain.append(after)
                else:
                    plain.append("\\" + after)
                self.at += 2
            elif char == "$":
                flush()
                parts.extend(self.dollar(quoted=True))
            elif char == "`":
                flush()
                parts.append(self.backtick(quoted=True))
            else:
                plain.append(char)
                self.at += 1
        flush()
        return parts or [Text("", quoted=True)]

    def dollar(self, *, quoted: bool) -> list[Part]:
        after = self.peek(1)
        start = self.at
        if after == "(":
            if self.peek(2) == "(":
                found = self.arithmetic(start + 3, "))")
                if found is not None:
                    return [Arithmetic(found, quoted)]
                self.at = start
            self.at += 2
            try:
                return [Substitution(self.parse_until(")"), quoted)]
            except Incomplete:
                raise
            except SyntaxFailure as failure:
                failure.status = 127
                raise
        if after == "[" and not self.plain_posix:
            found = self.arithmetic(start + 2, "]")
            if found is not None:
                return [Arithmetic(found, quoted)]
        if after == "{":
            self.at += 2
            return [self.braced(quoted, start)]
        if after == "'" and not quoted and not self.plain_posix:
            self.at += 2
            return [Text(self.ansi(), quoted=True)]
        if after == '"' and not quoted and not self.plain_posix:
            self.at += 2
            return self.double()
        name = NAME.match(self.text, self.at + 1)
        if name:
            self.at = name.end()
            return [Parameter(name.group(), quoted)]
        if after and (after in SPECIAL or after.isdigit()):
            self.at += 2
            return [Parameter(after, quoted)]
        self.at += 1
        return [Text("$", quoted)]

    def arithmetic(self, start: int, closer: str) -> Word | None:
        """The expression from `start` to `closer`; None when it is not closed so, and then a subshell was meant."""
        depth, at, line = 0, start, self.line
        text = self.text
        opener = "(" if closer == "))" else "["
        shut = closer[0]
        while at < len(text):
            char = text[at]
            if char == "\\":
                at += 1
            elif char == "'" or char == "`":
                end = text.find(char, at + 1)
                if end > 0:
                    at = end
            elif char == opener:
                depth += 1
            elif char == shut:
                if depth == 0:
                    if not text.startswith(closer, at):
                        return None
                    inner = WordReader.__new__(type(self))
                    inner.__dict__.update(self.__dict__)
                    Cursor.__init__(inner, text[start:at], line)
                    word = Word(inner.double(""), source=text[start:at])
                    self.at = at + len(closer)
                    return word
                depth -= 1
            at += 1
        raise Incomplete(self.line, ")" if closer == "))" else "]", opened=line)

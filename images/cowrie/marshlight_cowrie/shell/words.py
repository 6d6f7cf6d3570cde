"""Reads words: quotes, expansions, here-documents. What is inside `$(` is read by the parser that owns the cursor."""

from __future__ import annotations

import re
from collections.abc import Callable

from .cursor import Cursor, Incomplete, SyntaxFailure
from .nodes import Arithmetic, Node, Parameter, Part, Substitution, Text, Word

METACHARACTERS = " \t\n;&|<>()"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SPECIAL = "@*#?-$!"
#: Longest first.
OPERATORS = (":-", ":=", ":?", ":+", "-", "=", "?", "+", "##", "#", "%%", "%", "//", "/#", "/%", "/", "^^", "^", ",,", ",", "@", ":")
ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
ESCAPES |= {mark: mark for mark in "\\'\"?"}
NUMERIC = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)", re.S)


class WordReader(Cursor):
    extglob = False
    #: Of dash: no `$'`, no arrays in `${}`.
    plain_posix = False

    def parse_until(self, closer: str) -> list[Node]:
        raise NotImplementedError

    def parse_text(self, text: str, line: int) -> list[Node]:
        raise NotImplementedError

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
                if char in "<>" and self.peek(1) == "(" and stop is METACHARACTERS and not self.plain_posix:
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

    def single(self) -> Text:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise Incomplete(self.line, "'")
        text = self.text[self.at + 1 : end]
        self.at = end + 1
        return Text(text, quoted=True)

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

    def backtick(self, *, quoted: bool) -> Substitution:
        line, out = self.line, []
        self.at += 1
        while True:
            if self.over:
                raise Incomplete(self.line, "`", opened=line)
            char = self.text[self.at]
            if char == "`":
                self.at += 1
                break
            if char == "\\":
                after = self.peek(1)
                if after and (after in "$`\\" or (quoted and after == '"')):
                    out.append(after)
                elif after != "\n":
                    out.append("\\" + after)
                else:
                    out.append("\\\n")
                self.at += 2
                continue
            out.append(char)
            self.at += 1
        return Substitution(self.parse_text("".join(out), line), quoted)

    def ansi(self) -> str:
        """`$'...'`, the opening taken already. Bytes above 127 stay bytes."""
        out, line = bytearray(), self.line
        while True:
            if self.over:
                raise Incomplete(self.line, "'", opened=line)
            char = self.text[self.at]
            self.at += 1
            if char == "'":
                break
            if char == "\\":
                after = self.peek()
                number = NUMERIC.match(self.text, self.at)
                if after in ESCAPES and after:
                    out += ESCAPES[after].encode()
                    self.at += 1
                elif number:
                    out += coded(number)
                    self.at = number.end()
                else:
                    out += b"\\"
            else:
                out += char.encode("utf-8", "surrogateescape")
        return bytes(out).partition(b"\0")[0].decode("utf-8", "surrogateescape")

    def braced(self, quoted: bool, start: int) -> Parameter:
        line = self.line
        node = Parameter("", quoted)
        if self.peek() == "#" and self.peek(1) not in ("}", "") and not (self.peek(1) in ":-=+?%" and self.peek(2) != "}"):
            node.length = True
            self.at += 1
        elif self.peek() == "!" and self.peek(1) not in ("}", "") and self.peek(1) not in ":-=+?#%/":
            node.indirect = True
            self.at += 1
        name = NAME.match(self.text, self.at) or re.compile(r"\d+").match(self.text, self.at)
        if name:
            node.name = name.group()
            self.at = name.end()
        elif self.peek() and self.peek() in SPECIAL:
            node.name = self.peek()
            self.at += 1
        if node.name and self.peek() == "[" and not self.plain_posix:
            self.at += 1
            node.index = self.subscript()
        if node.indirect and self.peek() in ("*", "@") and self.peek(1) == "}":
            node.operator = "names" + self.peek()
            self.at += 1
        elif self.peek() != "}" and node.name:
            self.operator(node, quoted)
        if self.over:
            raise Incomplete(self.line, "}", opened=line)
        if self.peek() != "}" or not node.name:
            # As bash: what cannot be read is refused when it is expanded, as a whole.
            node.operator = "bad"
            self.word("}")
            if not self.take("}"):
                raise Incomplete(self.line, "}", opened=line)
        else:
            self.at += 1
        node.source = self.text[start : self.at]
        return node

    def operator(self, node: Parameter, quoted: bool) -> None:
        for operator in OPERATORS:
            if self.take(operator):
                node.operator = operator
                break
        else:
            return
        if operator in ("//", "/", "/#", "/%"):
            node.argument = self.within("/}", quoted=False)
            if self.take("/"):
                node.second = self.within("}", quoted=quoted, replacement=True)
        elif operator == ":":
            node.argument = self.offset()
            if self.take(":"):
                node.second = self.offset()
        elif operator in (":-", ":=", ":?", ":+", "-", "=", "?", "+"):
            node.argument = self.within("}", quoted=quoted)
        else:
            node.argument = self.within("}", quoted=False)

    def within(self, stop: str, *, quoted: bool, replacement: bool = False) -> Word:
        """A word inside `${}`. Inside double quotes, single quotes are themselves, but double quotes still quote."""
        if not quoted:
            return self.word(stop)
        start, word = self.at, Word()
        while not self.over and self.peek() not in stop:
            char = self.peek()
            if char == '"':
                self.at += 1
                word.parts.extend(self.double())
            elif char == "'" and replacement:
                word.parts.append(self.single())
            elif char == "$":
                word.parts.extend(self.dollar(quoted=True))
            elif char == "`":
                word.parts.append(self.backtick(quoted=True))
            elif char == "\\" and self.peek(1) and self.peek(1) in '$`"\\}\n':
                if self.peek(1) != "\n":
                    word.parts.append(Text(self.peek(1), quoted=True))
                self.at += 2
            else:
                word.parts.append(Text(char, quoted=True))
                self.at += 1
        word.source = self.text[start : self.at]
        return word

    def offset(self) -> Word:
        """An expression that ends at `:` or `}`; a question mark keeps its colon."""
        word, depth, questions = Word(), 0, 0
        start = self.at
        while not self.over:
            char = self.peek()
            if depth == 0 and (char == "}" or (char == ":" and not questions)):
                break
            if char == "$":
                word.parts.extend(self.dollar(quoted=True))
                continue
            if char == "`":
                word.parts.append(self.backtick(quoted=True))
                continue
            depth += (char == "(") - (char == ")")
            questions += (char == "?") - (char == ":")
            if char != '"':
                word.parts.append(Text(char, quoted=True))
            self.at += 1
        word.source = self.text[start : self.at]
        return word

    def subscript(self) -> Word:
        line = self.line
        word = self.word("]")
        if not self.take("]"):
            raise Incomplete(self.line, "]", opened=line)
        return word


def coded(number: re.Match[str]) -> bytes:
    two, four, eight, octal, control = number.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 255])
    if two is not None:
        return bytes([int(two, 16)])
    if control is not None:
        return bytes([ord(control.upper()) & 31])
    point = int(four or eight, 16)
    return chr(point).encode("utf-8", "surrogateescape") if point < 0x110000 else b""


def heredoc_word(reader: Callable[[str], WordReader], text: str) -> Word:
    """The lines of a here-document whose delimiter was not quoted: as in double quotes, but `"` is itself."""
    return Word(reader(text).double(""))


__all__ = ["METACHARACTERS", "NAME", "SyntaxFailure", "WordReader", "heredoc_word"]

"""Reads `${...}`: name, subscript, operator and its words."""

from __future__ import annotations

import re

from .cursor import Incomplete
from .nodes import Parameter, Part, Text, Word
from .quotes import METACHARACTERS, NAME, SPECIAL, QuoteReader

#: Longest first.
OPERATORS = (":-", ":=", ":?", ":+", "-", "=", "?", "+", "##", "#", "%%", "%", "//", "/#", "/%", "/", "^^", "^", ",,", ",", "@", ":")

#: What dash has not.
NOT_POSIX = ("//", "/", "/#", "/%", "^^", "^", ",,", ",", "@", ":")


class BracedReader(QuoteReader):
    def word(self, stop: str = METACHARACTERS, *, patterns: bool = False) -> Word:
        raise NotImplementedError

    def double(self, closer: str = '"') -> list[Part]:
        raise NotImplementedError

    def dollar(self, *, quoted: bool) -> list[Part]:
        raise NotImplementedError

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
        if node.name and self.peek() == "[" and not self.plain:
            self.at += 1
            node.index = self.subscript()
        if node.indirect and self.peek() in ("*", "@") and self.peek(1) == "}":
            node.operator = "names" + self.peek()
            self.at += 1
        elif self.peek() != "}" and node.name:
            self.operator(node, quoted)
            if self.plain_posix and node.operator in NOT_POSIX or node.indirect and self.plain_posix:
                # Not until it is expanded does it end the shell.
                node.operator = "bad"
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

"""Reads `[[ ... ]]` into nested tuples: ("word", w), (unary, w), (binary, left, right), ("!", e), ("(", e), ("&&", a, b)."""

from __future__ import annotations

from typing import Any

from .cursor import Incomplete, SyntaxFailure
from .lexemes import LexemeReader
from .nodes import Text, Word
from .quotes import METACHARACTERS
from .words import WordReader

UNARY = ("-a", "-b", "-c", "-d", "-e", "-f", "-g", "-h", "-k", "-p", "-r", "-s", "-t", "-u", "-w", "-x", "-G", "-L", "-N", "-O")
UNARY += ("-S", "-z", "-n", "-o", "-v", "-R")
BINARY = ("==", "=~", "!=", "=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "<", ">")


class ConditionReader(LexemeReader):
    def condition(self) -> tuple[Any, ...]:
        opened = self.line
        found = self.either(opened)
        self.skip_lines()
        if self.over:
            raise Incomplete(self.line, "]]", opened=opened)
        if not self.at_word("]]"):
            raise self.refused()
        self.at += 2
        return found

    def either(self, opened: int) -> tuple[Any, ...]:
        left = self.both(opened)
        self.skip_lines()
        while self.take("||"):
            left = ("||", left, self.both(opened))
            self.skip_lines()
        return left

    def both(self, opened: int) -> tuple[Any, ...]:
        left = self.primary(opened)
        self.skip_lines()
        while self.take("&&"):
            left = ("&&", left, self.primary(opened))
            self.skip_lines()
        return left

    def primary(self, opened: int) -> tuple[Any, ...]:
        self.skip_lines()
        if self.over:
            raise Incomplete(self.line, "]]", opened=opened)
        if self.at_word("!"):
            self.at += 1
            return ("!", self.primary(opened))
        if self.take("("):
            found = self.either(opened)
            self.skip_lines()
            if not self.take(")"):
                raise self.refused()
            return ("(", found)
        first = self.operand()
        operator = first.literal()
        if operator in UNARY:
            self.skip_lines()
            if self.at_word("]]") or self.over:
                raise SyntaxFailure("]]", self.line, wording="unexpected argument `]]' to conditional unary operator")
            if not self.at_word("]]") and not any(self.starts(mark) for mark in ("&&", "||", ")")):
                at = self.at
                if not any(self.at_word(mark) for mark in BINARY):
                    return (operator, self.operand())
                self.at = at
        self.skip_lines()
        for mark in BINARY:
            if self.at_word(mark) or mark in "<>" and self.starts(mark):
                self.at += len(mark)
                self.skip_lines()
                if self.at_word("]]"):
                    raise SyntaxFailure("]]", self.line, wording="unexpected argument `]]' to conditional binary operator")
                if mark == "=~":
                    return (mark, first, self.expression())
                return (mark, first, self.operand(patterns=mark in ("==", "!=", "=")))
        if not self.over and not self.at_word("]]") and not any(self.starts(mark) for mark in ("&&", "||", ")")):
            raise SyntaxFailure("", self.line, wording="conditional binary operator expected")
        return ("word", first)

    def operand(self, *, patterns: bool = False) -> Word:
        if self.over or self.peek() in METACHARACTERS and not self.starts("<("):
            raise self.refused()
        return self.word(patterns=patterns)

    def expression(self) -> Word:
        """A regular expression: brackets belong to it, blanks inside of them too."""
        word, depth, start = Word(), 0, self.at
        while not self.over:
            char = self.peek()
            if depth == 0 and (char in " \t\n" or char == ")"):
                break
            if char in "'\"$`\\":
                word.parts.extend(self.word(METACHARACTERS + "[{?*+.^)").parts or [])
                if self.at == start:
                    break
                continue
            depth += (char == "(") - (char == ")")
            more = WordReader.word(self, "'\"$`\\() \t\n") if char not in "() \t\n" else None
            if more is not None:
                word.parts.extend(more.parts)
            else:
                word.parts.append(Text(char))
                self.at += 1
        word.source = self.text[start : self.at]
        return word

    def refused(self) -> SyntaxFailure:
        if self.over:
            return Incomplete(self.line, "]]")
        start = self.at
        text = self.text[start : start + 40].split()
        return SyntaxFailure(text[0] if text else "newline", self.line, wording="conditional")

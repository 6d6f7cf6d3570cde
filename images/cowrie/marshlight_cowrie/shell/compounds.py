"""Reads compound commands: groups, branches, loops, functions."""

from __future__ import annotations

import re

from . import nodes
from .cursor import Incomplete, SyntaxFailure
from .lexemes import RESERVED
from .nodes import Node, Word
from .quotes import METACHARACTERS
from .simple_commands import SimpleReader

CLOSERS = ("then", "else", "elif", "fi", "do", "done", "esac", "}")
FUNCTION = re.compile(r"([^\s;&|<>()$`'\"\\={}#!]+)[ \t]*\([ \t]*\)")


class CompoundReader(SimpleReader):
    def list(self, closers: tuple[str, ...] = (), *, stop_at_line: bool = False) -> list[Node]:
        raise NotImplementedError

    def parse_until(self, closer: str, *, subshell: bool = False) -> list[Node]:
        raise NotImplementedError

    def command(self) -> Node:
        raise NotImplementedError

    def body(self, *closers: str, expecting: str = "") -> list[Node]:
        """A list that must not be empty, up to one of these words, which stays."""
        found = self.list(closers)
        if not found or not self.at_word(*closers):
            raise self.unexpected(expecting or closers[0])
        return found

    def compound(self) -> Node | None:
        line = self.line
        if self.starts("((") and not self.plain:
            at = self.at
            expression = self.arithmetic(self.at + 2, "))")
            if expression is not None:
                return nodes.Calculation(expression, line)
            self.at = at
        if self.take("("):
            body = self.parse_until(")", subshell=True)
            if not body:
                raise SyntaxFailure(")", self.line)
            return nodes.Subshell(body)
        word = self.reserved()
        if self.plain_posix and re.match(r"for[ \t]+\(\(|for\(\(", self.text[self.at :]):
            raise SyntaxFailure("((", self.line, wording="Bad for loop variable")
        if word in ("{", "if", "while", "until", "for", "select", "case", "function") and not (word == "select" and self.plain_ash or word in ("select", "function") and self.plain_posix):
            self.at += len(word)
            made: Node = getattr(self, "read_" + {"{": "group", "until": "while", "select": "for"}.get(word, word))(word, line)
            return made
        if word == "[[" and not self.plain_posix:
            self.at += 2
            return nodes.Test(self.condition(), line)
        if word in CLOSERS:
            raise self.unexpected()
        found = FUNCTION.match(self.text, self.at)
        if found and found.group(1) not in RESERVED:
            return self.function_body(found.group(1), found.end())
        return None

    def read_group(self, word: str, line: int) -> Node:
        body = self.body("}")
        self.at += 1
        return nodes.Group(body)

    def read_if(self, word: str, line: int) -> Node:
        branches = []
        otherwise = None
        condition = self.body("then")
        while True:
            self.at += 4
            branches.append((condition, self.body("elif", "else", "fi", expecting="fi")))
            if self.take("elif"):
                condition = self.body("then")
                continue
            if self.take("else"):
                otherwise = self.body("fi")
            self.at += 2
            return nodes.If(branches, otherwise)

    def read_while(self, word: str, line: int) -> Node:
        condition = self.body("do")
        self.at += 2
        body = self.body("done")
        self.at += 4
        return nodes.Loop(condition, body, word == "until")

    def read_for(self, word: str, line: int) -> Node:
        self.skip_blanks()
        if self.starts("((") and word == "for":
            expression = self.arithmetic(self.at + 2, "))")
            if expression is None:
                raise self.unexpected()
            parts = [self.child(text, line).double("") for text in expression.source.split(";")]
            if len(parts) != 3:
                raise SyntaxFailure(";", line, wording="arithmetic")
            self.skip_blanks()
            self.take(";")
            start, test, step = (Word(part, text) for part, text in zip(parts, expression.source.split(";")))
            return nodes.ForArithmetic(start, test, step, self.do_group())
        name = self.word()
        plain = name.literal()
        if not plain:
            raise self.unexpected()
        self.skip_lines()
        words: list[Word] | None = None
        if self.at_word("in"):
            self.at += 2
            words = []
            while True:
                self.skip_blanks()
                if self.over or self.peek() in ";\n":
                    break
                if self.peek() in METACHARACTERS and not self.starts("<(") and not self.starts(">("):
                    raise self.unexpected()
                words.append(self.word())
        if self.peek() == ";" and self.peek(1) != ";":
            self.at += 1
        return nodes.For(plain, words, self.do_group(), line, word == "select")

    def do_group(self) -> list[Node]:
        self.skip_lines()
        opener, closer = ("{", "}") if self.at_word("{") and not self.plain_posix else ("do", "done")
        if not self.at_word(opener):
            raise self.unexpected(opener)
        self.at += len(opener)
        body = self.body(closer)
        self.at += len(closer)
        return body

    def read_case(self, word: str, line: int) -> Node:
        self.skip_blanks()
        subject = self.word()
        self.skip_lines()
        if not self.at_word("in"):
            raise self.unexpected("in")
        self.at += 2
        branches = []
        while True:
            self.skip_lines()
            if self.at_word("esac"):
                self.at += 4
                return nodes.Case(subject, branches)
            self.take("(")
            patterns = []
            while True:
                self.skip_blanks()
                if self.over or self.peek() in METACHARACTERS:
                    raise self.unexpected()
                patterns.append(self.word())
                self.skip_blanks()
                if self.take(")"):
                    break
                if not self.take("|"):
                    raise self.unexpected(")")
            body = self.list(("esac",))
            end = next((end for end in (";;&", ";;", ";&") if self.take(end)), "")
            if not end and not self.at_word("esac"):
                raise self.unexpected(";;")
            branches.append((patterns, body, end))

    def read_function(self, word: str, line: int) -> Node:
        self.skip_blanks()
        name = self.word().source
        self.skip_blanks()
        if self.take("("):
            self.skip_blanks()
            if not self.take(")"):
                raise self.unexpected()
        return self.function_body(name, self.at)

    def function_body(self, name: str, at: int) -> Node:
        self.at = at
        self.skip_lines()
        start = self.at
        if self.over:
            raise Incomplete(self.line + 1)
        body = self.command()
        if isinstance(body, nodes.Simple):
            self.at = start
            raise self.unexpected()
        return nodes.Function(name, body, self.text[start : self.at])

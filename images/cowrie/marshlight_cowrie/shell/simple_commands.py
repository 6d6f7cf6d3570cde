"""Reads a simple command: assignments, words, redirections."""

from __future__ import annotations

import re

from . import nodes
from .cursor import Incomplete, SyntaxFailure
from .documents import RedirectionReader
from .nodes import Assignment, Node, Word
from .quotes import METACHARACTERS

ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[|\+?=)")
DECLARATIONS = ("declare", "typeset", "local", "export", "readonly")


class SimpleReader(RedirectionReader):
    def simple(self) -> Node:
        node = nodes.Simple([], [], [], self.line)
        start = self.at
        declaring = False
        while True:
            self.skip_blanks()
            redirection = self.redirection()
            if redirection is not None:
                node.redirections.append(redirection)
                continue
            if self.over or self.peek() in METACHARACTERS and not self.starts("<(") and not self.starts(">("):
                break
            if not node.words or declaring:
                assignment = self.assignment()
                if assignment is not None:
                    (node.words if node.words else node.assignments).append(assignment)  # type: ignore[attr-defined]
                    continue
            word = self.word()
            node.words.append(word)
            if len(node.words) == 1:
                declaring = word.literal() in DECLARATIONS
            if self.peek() == "(" and word.literal() == node.words[0].source:  # type: ignore[union-attr]
                # As the grammar sees it, this could still become a function: what stands after the bracket is wrong.
                self.at += 1
                raise self.unexpected()
        if self.peek() == "(" and len(node.words) == 1 and not node.assignments:
            self.at += 1
            raise self.unexpected()
        if self.peek() == "(":
            raise SyntaxFailure("(", self.line)
        if not (node.assignments or node.words or node.redirections):
            raise self.unexpected()
        node.source = self.text[start : self.at].rstrip()
        return node

    def assignment(self) -> Assignment | None:
        found = ASSIGNMENT.match(self.text, self.at)
        if not found:
            return None
        at, index = self.at, None
        self.at = found.end()
        operator = found.group(2)
        if operator == "[":
            if self.plain:
                self.at = at
                return None
            try:
                index = self.subscript()
            except SyntaxFailure:
                self.at = at
                return None
            operator = "+=" if self.take("+=") else "=" if self.take("=") else ""
        if not operator or operator == "+=" and self.plain:
            self.at = at
            return None
        if self.peek() == "(" and index is None and not self.plain:
            self.at += 1
            return Assignment(found.group(1), None, operator == "+=", None, self.elements())
        return Assignment(found.group(1), index, operator == "+=", self.word())

    def elements(self) -> list[tuple[Word | None, Word]]:
        made: list[tuple[Word | None, Word]] = []
        line = self.line
        while True:
            self.skip_lines(documents=False)
            if self.take(")"):
                return made
            if self.over:
                unclosed = Incomplete(self.line, ")", opened=line)
                unclosed.status = 1
                raise unclosed
            if self.peek() in METACHARACTERS and not self.starts("<("):
                raise self.unexpected()
            index, at = None, self.at
            if self.take("["):
                index = self.subscript()
                if not self.take("="):
                    index, self.at = None, at
            made.append((index, self.word()))

"""Reads redirections, and the here-documents that follow the line they stand on."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import nodes
from .conditions import ConditionReader
from .cursor import Incomplete, SyntaxFailure
from .nodes import Redirection, Word
from .quotes import METACHARACTERS

REDIRECTION = re.compile(r"(\d+|\{[A-Za-z_][A-Za-z0-9_]*\})?(&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||<|>)")


class RedirectionReader(ConditionReader):
    #: Whether no more text can come: a here-document then ends with it.
    final: bool
    warn: Callable[[int, str, int], None] | None
    #: Those whose lines come yet: node, delimiter, whether tabs go, whether it was quoted, line of the operator.
    documents: list[tuple[Redirection, str, bool, bool, int]]

    def child(self, text: str, line: int) -> RedirectionReader:
        """A parser for a part of the text, with the same rules."""
        raise NotImplementedError

    def redirection(self) -> Redirection | None:
        found = REDIRECTION.match(self.text, self.at)
        if not found or self.plain_posix and found.group(2) in ("&>", "&>>", "<<<") or self.plain_ash and found.group(2) == "<<<":
            return None
        before, operator = found.groups()
        if operator in ("<", ">") and self.text.startswith("(", found.end()) and before is None and not self.plain:
            return None
        self.at = found.end()
        self.skip_blanks()
        fd = int(before) if before and before.isdigit() else None
        node = Redirection(operator, fd, None, before[1:-1] if before and before.startswith("{") else "")
        if operator in ("<<", "<<-"):
            line = self.line
            word = self.word()
            if not word.source:
                raise self.unexpected()
            delimiter = word.plain()
            quoted = word.literal() is None
            node.target = word
            self.documents.append((node, word.source if delimiter is None else delimiter, operator == "<<-", quoted, line))
            return node
        if self.over:
            raise SyntaxFailure("newline", self.line)
        if self.peek() in METACHARACTERS and not self.starts("<(") and not self.starts(">("):
            raise self.unexpected()
        node.target = self.word()
        return node

    def read_documents(self) -> None:
        waiting, self.documents = self.documents, []
        for node, delimiter, tabs, quoted, line in waiting:
            lines = []
            first = self.line
            while True:
                if self.over:
                    if not self.final:
                        raise Incomplete(self.line)
                    if self.warn:
                        self.warn(line, delimiter, self.line - (self.text.endswith("\n") and self.at > 0))
                    break
                end = self.text.find("\n", self.at)
                text = self.text[self.at : end if end >= 0 else len(self.text)]
                self.at = end + 1 if end >= 0 else len(self.text)
                if tabs:
                    text = text.lstrip("\t")
                if text == delimiter:
                    break
                lines.append(text + "\n")
            body = "".join(lines)
            node.body = Word([nodes.Text(body, quoted=True)] if quoted else self.child(body, first).double(""), source=body)

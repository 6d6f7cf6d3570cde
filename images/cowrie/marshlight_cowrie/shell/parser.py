"""
Reads a shell's text into the tree of `nodes`, one complete command line at a time.

    Parser.next_line -> list of nodes -> interpreter;  Incomplete: the prompt PS2, or an unexpected end

Each file below reads one kind of thing, by methods of one reader: cursor -> quotes -> braced -> words -> lexemes ->
conditions -> documents -> simple_commands -> compounds -> parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import nodes
from .compounds import CLOSERS, CompoundReader
from .cursor import Cursor, Incomplete, SyntaxFailure
from .nodes import Node, Redirection

DEEPEST = 120


class Parser(CompoundReader):
    def __init__(
        self,
        text: str,
        *,
        line: int = 1,
        aliases: Mapping[str, str] | None = None,
        extglob: bool = False,
        plain_posix: bool = False,
        plain_ash: bool = False,
        final: bool = True,
        warn: Callable[[int, str, int], None] | None = None,
    ) -> None:
        Cursor.__init__(self, text, line)
        self.aliases, self.extglob, self.plain_posix = aliases or {}, extglob, plain_posix
        self.plain_ash = plain_ash
        #: Whether no more text can come: a here-document then ends with it.
        self.final, self.warn = final, warn
        self.documents: list[tuple[Redirection, str, bool, bool, int]] = []
        self.depth = 0
        self.expanded: tuple[int, set[str]] = (0, set())

    def next_line(self) -> list[Node] | None:
        """The commands up to the next line end; None at the end of the text."""
        self.skip_lines()
        if self.over:
            return None
        found = self.list(stop_at_line=True)
        if self.peek() == "\n":
            self.at += 1
            self.read_documents()
        elif self.over:
            self.read_documents()
        else:
            raise self.unexpected()
        return found

    def parse_until(self, closer: str, *, subshell: bool = False) -> list[Node]:
        opened = self.line
        found = self.list()
        if self.over:
            raise Incomplete(self.line + 1, "" if subshell else closer, opened=opened, expecting=closer)
        if not self.take(closer):
            raise self.unexpected()
        return found

    def parse_text(self, text: str, line: int) -> list[Node]:
        parser = self.child(text, line)
        found = parser.list()
        if not parser.over:
            raise parser.unexpected()
        parser.read_documents()
        return found

    def child(self, text: str, line: int) -> Parser:
        return Parser(text, line=line, aliases=self.aliases, extglob=self.extglob, plain_posix=self.plain_posix, plain_ash=self.plain_ash, warn=self.warn)

    def list(self, closers: tuple[str, ...] = (), *, stop_at_line: bool = False) -> list[Node]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise SyntaxFailure("", self.line, wording="memory exhausted")
        found: list[Node] = []
        while True:
            self.skip_lines() if not (stop_at_line and found) else self.skip_blanks()
            if self.over or self.peek() in ")\n" or self.starts(";;") or self.starts(";&") or self.at_word(*closers):
                break
            start = self.at
            node = self.and_or()
            source = self.text[start : self.at].rstrip()
            self.skip_blanks()
            if self.peek() == "&" and (self.peek(1) not in ("&", ">") or self.plain_posix and self.peek(1) == ">"):
                self.at += 1
                found.append(nodes.Background(node, source))
                continue
            if self.peek() == "&" and self.peek(1) == ">":
                self.at += 1
            found.append(node)
            if self.peek() == ";" and self.peek(1) not in (";", "&"):
                self.at += 1
            elif self.peek() == "\n":
                if stop_at_line:
                    break
            else:
                break
        self.depth -= 1
        return found

    def and_or(self) -> Node:
        first = self.pipeline()
        rest: list[tuple[str, Node]] = []
        while True:
            self.skip_blanks()
            if not (self.starts("&&") or self.starts("||")):
                return nodes.AndOr(first, rest) if rest else first
            operator = self.text[self.at : self.at + 2]
            self.at += 2
            self.skip_lines()
            rest.append((operator, self.pipeline()))

    def pipeline(self) -> Node:
        negated, timed = False, ""
        self.skip_blanks()
        start = self.at
        while True:
            if self.at_word("!"):
                self.at += 1
                negated = not negated
            elif self.at_word("time") and not self.plain:
                self.at += 4
                self.skip_blanks()
                timed = "time"
                if self.at_word("-p"):
                    self.at += 2
                    timed = "-p"
            else:
                break
            self.skip_blanks()
        if (timed or negated) and (self.over or self.peek() in ";\n"):
            return nodes.Pipeline([nodes.Group([])], negated, timed, [])
        stages, errors = [self.command()], []
        while True:
            self.skip_blanks()
            if self.peek() != "|" or self.peek(1) == "|":
                break
            self.at += 1
            errors.append(self.take("&"))
            self.skip_lines()
            stages.append(self.command())
        if len(stages) == 1 and not negated and not timed:
            return stages[0]
        return nodes.Pipeline(stages, negated, timed, errors, self.text[start : self.at].rstrip())

    def command(self) -> Node:
        self.skip_blanks()
        if self.over:
            raise Incomplete(self.line + 1)
        self.expand_alias()
        node = self.compound()
        if node is None:
            return self.simple()
        if isinstance(node, nodes.Function):
            return node
        redirections = []
        while True:
            self.skip_blanks()
            redirection = self.redirection()
            if redirection is None:
                break
            redirections.append(redirection)
        if not self.over and self.peek() not in ";&|)\n#" and not self.at_word(*CLOSERS):
            raise self.unexpected()
        return nodes.Compound(node, redirections) if redirections else node

"""
Reads a shell's text into the tree of `nodes`, one complete command line at a time.

    Parser.next_line -> list of nodes -> interpreter;  Incomplete: the prompt PS2, or an unexpected end
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from . import nodes
from .conditions import ConditionReader
from .cursor import Cursor, Incomplete, SyntaxFailure
from .nodes import Assignment, Node, Redirection, Word
from .words import METACHARACTERS, NAME

RESERVED = ("if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "select", "{", "}", "!")
RESERVED += ("function", "in", "time", "[[", "]]", "coproc")
CLOSERS = ("then", "else", "elif", "fi", "do", "done", "esac", "}")
TOKENS = ("&&", "||", ";;&", ";;", ";&", "|&", ">&", "<&", "<<<", "<<-", "<<", "&>>", "&>", ">>", ">|", "<>", "<(", ">(")
TOKENS += ("((", "\n", ";", "&", "|", "<", ">", "(", ")")
REDIRECTION = re.compile(r"(\d+|\{[A-Za-z_][A-Za-z0-9_]*\})?(&>>|&>|<<<|<<-|<<|<>|<&|>>|>&|>\||<|>)")
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[|\+?=)")
FUNCTION = re.compile(r"([^\s;&|<>()$`'\"\\={}#!]+)[ \t]*\([ \t]*\)")
DECLARATIONS = ("declare", "typeset", "local", "export", "readonly")
DEEPEST = 120


class Parser(ConditionReader):
    def __init__(
        self,
        text: str,
        *,
        line: int = 1,
        aliases: Mapping[str, str] | None = None,
        extglob: bool = False,
        plain_posix: bool = False,
        final: bool = True,
        warn: Callable[[int, str, int], None] | None = None,
    ) -> None:
        Cursor.__init__(self, text, line)
        self.aliases, self.extglob, self.plain_posix = aliases or {}, extglob, plain_posix
        #: Whether no more text can come: a here-document then ends with it.
        self.final, self.warn = final, warn
        self.documents: list[tuple[Redirection, str, bool, bool, int]] = []
        self.depth = 0
        self.expanded: tuple[int, set[str]] = (0, set())

    # -- lines -------------------------------------------------------------------------------------------------------

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
        return Parser(text, line=line, aliases=self.aliases, extglob=self.extglob, plain_posix=self.plain_posix, warn=self.warn)

    # -- lists -------------------------------------------------------------------------------------------------------

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
            if self.peek() == "&" and self.peek(1) not in "&>":
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

    def body(self, *closers: str, expecting: str = "") -> list[Node]:
        """A list that must not be empty, up to one of these words, which stays."""
        found = self.list(closers)
        if not found or not self.at_word(*closers):
            raise self.unexpected(expecting or closers[0])
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
            elif self.at_word("time") and not self.plain_posix:
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

    # -- commands ----------------------------------------------------------------------------------------------------

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

    def compound(self) -> Node | None:
        line = self.line
        if self.starts("((") and not self.plain_posix:
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
        if word in ("{", "if", "while", "until", "for", "select", "case", "function"):
            self.at += len(word)
            made: Node = getattr(self, "read_" + {"{": "group", "until": "while", "select": "for"}.get(word, word))(word, line)
            return made
        if word == "[[" and not self.plain_posix:
            self.at += 2
            return nodes.Test(self.condition(), line)
        if word in CLOSERS or word in ("]]", "in") and word != "in" and word != "]]":
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
            return nodes.ForArithmetic(*(Word(part) for part in parts), self.do_group())  # type: ignore[arg-type]
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
            if self.plain_posix:
                self.at = at
                return None
            try:
                index = self.subscript()
            except SyntaxFailure:
                self.at = at
                return None
            operator = "+=" if self.take("+=") else "=" if self.take("=") else ""
        if not operator or operator == "+=" and self.plain_posix:
            self.at = at
            return None
        if self.peek() == "(" and index is None and not self.plain_posix:
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

    # -- redirections ------------------------------------------------------------------------------------------------

    def redirection(self) -> Redirection | None:
        found = REDIRECTION.match(self.text, self.at)
        if not found or self.plain_posix and found.group(2) in ("&>", "&>>", "<<<"):
            return None
        before, operator = found.groups()
        if operator in ("<", ">") and self.text.startswith("(", found.end()) and before is None and not self.plain_posix:
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
            node.body = Word([nodes.Text(body, quoted=True)] if quoted else self.child(body, first).double(""))

    # -- small things ------------------------------------------------------------------------------------------------

    def skip_blanks(self) -> None:
        while True:
            while self.peek() and self.peek() in " \t":
                self.at += 1
            if self.starts("\\\n"):
                self.at += 2
            elif self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = end if end >= 0 else len(self.text)
            else:
                return

    def skip_lines(self, *, documents: bool = True) -> None:
        while True:
            self.skip_blanks()
            if self.peek() != "\n":
                return
            self.at += 1
            if documents and self.documents:
                self.read_documents()

    def reserved(self) -> str:
        for word in RESERVED:
            if self.at_word(word):
                return word
        return ""

    def at_word(self, *words: str) -> bool:
        for word in words:
            if self.text.startswith(word, self.at):
                after = self.peek(len(word))
                if not after or after in METACHARACTERS:
                    return True
        return False

    def expand_alias(self) -> None:
        """In place, so that an alias can begin or end anything; none within itself."""
        if not self.aliases:
            return
        until, used = self.expanded
        if self.at >= until:
            used = set()
        while True:
            end = self.at
            while end < len(self.text) and self.text[end] not in METACHARACTERS + "'\"\\$`=":
                end += 1
            name = self.text[self.at : end]
            if name not in self.aliases or name in used or (end < len(self.text) and self.text[end] not in METACHARACTERS):
                return
            value = self.aliases[name]
            used.add(name)
            self.text = self.text[: self.at] + value + self.text[end:]
            self.expanded = (self.at + len(value), used)

    def unexpected(self, expecting: str = "") -> SyntaxFailure:
        self.skip_blanks()
        if self.over:
            return Incomplete(self.line if self.text.endswith("\n") else self.line + 1, expecting=expecting)
        for token in TOKENS:
            if self.starts(token):
                if token == "\n" and not self.text[self.at + 1 :].strip() and expecting:
                    self.at = len(self.text)
                    return Incomplete(self.line, expecting=expecting)
                return SyntaxFailure("newline" if token == "\n" else token, self.line, expecting)
        line = self.line
        return SyntaxFailure(self.word().source, line, expecting)


__all__ = ["NAME", "Parser"]

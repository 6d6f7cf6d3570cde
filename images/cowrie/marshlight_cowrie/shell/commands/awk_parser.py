"""The statements and rules of an awk program as a tree of tuples: (kind, parts ...)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .awk_expressions import Expressions, Node


@dataclass
class Program:
    begin: list[Node] = field(default_factory=list)
    end: list[Node] = field(default_factory=list)
    #: (pattern or None, second pattern of a range or None, body or None)
    rules: list[tuple[Node | None, Node | None, Node | None]] = field(default_factory=list)
    functions: dict[str, tuple[list[str], Node]] = field(default_factory=dict)


class Parser(Expressions):
    def program(self) -> Program:
        made = Program()
        self.terminators()
        while self.word.kind != "end":
            if self.accept("BEGIN"):
                made.begin.append(self.block())
            elif self.accept("END"):
                made.end.append(self.block())
            elif self.accept("function"):
                name = self.take().text
                self.expect("(")
                names = []
                while not self.accept(")"):
                    names.append(self.take().text)
                    self.accept(",")
                    self.newlines()
                self.newlines()
                made.functions[name] = (names, self.block())
            else:
                first = second = body = None
                if not self.sees("{"):
                    first = self.expression()
                    if self.accept(","):
                        self.newlines()
                        second = self.expression()
                if self.sees("{"):
                    body = self.block()
                made.rules.append((first, second, body))
            self.terminators()
        return made

    def block(self) -> Node:
        self.expect("{")
        body = []
        self.terminators()
        while not self.accept("}"):
            if self.word.kind == "end":
                raise self.wrong()
            body.append(self.statement())
            self.terminators()
        return ("block", body)

    def simple_or_block(self) -> Node:
        self.newlines()
        if self.accept(";"):
            return ("block", [])
        return self.statement()

    def statement(self) -> Node:
        if self.sees("{"):
            return self.block()
        if self.accept("if"):
            self.expect("(")
            condition = self.grouped()
            then = self.simple_or_block()
            mark = self.at
            self.terminators()
            if self.accept("else"):
                return ("if", condition, then, self.simple_or_block())
            self.at = mark
            return ("if", condition, then, None)
        if self.accept("while"):
            self.expect("(")
            return ("while", self.grouped(), self.simple_or_block())
        if self.accept("do"):
            body = self.simple_or_block()
            self.terminators()
            self.expect("while")
            self.expect("(")
            return ("do", body, self.grouped())
        if self.accept("for"):
            return self.loop()
        made = self.simple()
        if not (self.word.kind in ("newline", "end") or self.sees(";", "}")):
            raise self.wrong()
        return made

    def grouped(self) -> Node:
        """From behind the opening parenthesis to behind the closing one."""
        before, self.plain_greater = self.plain_greater, True
        no_in, self.no_in = self.no_in, False
        made = self.expression()
        self.plain_greater, self.no_in = before, no_in
        self.expect(")")
        return made

    def loop(self) -> Node:
        self.expect("(")
        if self.word.kind == "name" and self.words[self.at + 1].text == "in" and self.words[self.at + 3].text == ")":
            name = self.take().text
            self.take()
            table = self.take().text
            self.expect(")")
            return ("each", name, table, self.simple_or_block())
        start = None if self.sees(";") else self.simple()
        self.expect(";")
        self.newlines()
        condition = None if self.sees(";") else self.expression()
        self.expect(";")
        self.newlines()
        step = None if self.sees(")") else self.simple()
        self.expect(")")
        return ("for", start, condition, step, self.simple_or_block())

    def simple(self) -> Node:
        for name in ("break", "continue", "next", "nextfile"):
            if self.accept(name):
                return (name,)
        if self.accept("exit", "return"):
            name = self.words[self.at - 1].text
            ends = self.word.kind in ("newline", "end") or self.sees(";", "}")
            return (name, None if ends else self.expression())
        if self.accept("delete"):
            name = self.take().text
            return ("delete", name, self.subscript() if self.accept("[") else None)
        if self.sees("print", "printf"):
            return self.printing()
        return ("expression", self.expression())

    def printing(self) -> Node:
        kind = self.take().text
        arguments: list[Node] = []
        before, self.plain_greater = self.plain_greater, False
        ends = ("newline", "end")
        if not (self.word.kind in ends or self.sees(";", "}", ">", ">>", "|")):
            mark = self.at
            listed = False
            if self.accept("("):
                arguments = self.list_until(")")
                listed = self.word.kind in ends or self.sees(";", "}", ">", ">>", "|")
            if not listed:
                self.at = mark
                arguments = [self.expression()]
                while self.accept(","):
                    self.newlines()
                    arguments.append(self.expression())
        self.plain_greater = before
        target = None
        if self.sees(">", ">>", "|"):
            mode = self.take().text
            target = (mode, self.concatenation(target=True))
        return (kind, arguments, target)

"""The expressions of awk, from the words of a program to tuples: (kind, parts ...)."""

from __future__ import annotations

from typing import Any

from .awk_words import AwkError, Word, words_of

Node = tuple[Any, ...]
ASSIGN = ("=", "+=", "-=", "*=", "/=", "%=", "^=")
COMPARE = ("<", "<=", "==", "!=", ">", ">=")


class Cursor:
    def __init__(self, source: str) -> None:
        self.words, self.at = words_of(source), 0
        #: Depth of parentheses in which `>` compares, and whether `in` is an operator here.
        self.plain_greater, self.no_in = True, False

    @property
    def word(self) -> Word:
        return self.words[self.at]

    def wrong(self) -> AwkError:
        return AwkError(f"line {self.word.line}: syntax error at or near {self.word.text if self.word.kind != 'newline' else 'end of line'}")

    def take(self) -> Word:
        word = self.word
        self.at += word.kind != "end"
        return word

    def sees(self, *texts: str) -> bool:
        return self.word.kind in ("symbol", "keyword") and self.word.text in texts

    def accept(self, *texts: str) -> bool:
        if self.sees(*texts):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.wrong()

    def newlines(self) -> None:
        while self.word.kind == "newline" or self.sees(";") and False:
            self.at += 1

    def terminators(self) -> None:
        while self.word.kind == "newline" or self.sees(";"):
            self.at += 1


class Expressions(Cursor):
    def subscript(self) -> list[Node]:
        made = self.list_until("]")
        return made

    def list_until(self, close: str) -> list[Node]:
        before, self.plain_greater = self.plain_greater, True
        no_in, self.no_in = self.no_in, False
        made = []
        self.newlines()
        while not self.accept(close):
            made.append(self.expression())
            self.newlines()
            if not self.accept(","):
                self.expect(close)
                break
            self.newlines()
        self.plain_greater, self.no_in = before, no_in
        return made

    def expression(self) -> Node:
        condition = self.either()
        if self.accept("?"):
            self.newlines()
            yes = self.expression()
            self.newlines()
            self.expect(":")
            self.newlines()
            return ("?", condition, yes, self.expression())
        if self.sees(*ASSIGN) and condition[0] in ("name", "field", "item"):
            operator = self.take().text
            self.newlines()
            return ("assign", operator[:-1], condition, self.expression())
        return condition

    def either(self) -> Node:
        made = self.both()
        while self.accept("||"):
            self.newlines()
            made = ("||", made, self.both())
        return made

    def both(self) -> Node:
        made = self.membership()
        while self.accept("&&"):
            self.newlines()
            made = ("&&", made, self.membership())
        return made

    def membership(self) -> Node:
        made = self.matching()
        while not self.no_in and self.accept("in"):
            made = ("in", [made], self.take().text)
        return made

    def matching(self) -> Node:
        made = self.comparison()
        while self.sees("~") or self.sees("!") and self.words[self.at + 1].text == "~":
            negated = self.accept("!")
            self.expect("~")
            made = ("match", made, self.comparison(), negated)
        return made

    def comparison(self) -> Node:
        made = self.concatenation()
        if self.sees(*COMPARE) and (self.plain_greater or not self.sees(">")):
            operator = self.take().text
            made = ("compare", operator, made, self.concatenation())
        while self.sees("|") and self.words[self.at + 1].text == "getline":
            self.at += 2
            made = ("getline", "|", made, self.target())
        return made

    def target(self) -> Node | None:
        """The variable that getline fills, if there is one."""
        return self.primary() if self.word.kind in ("name",) or self.sees("$") else None

    def concatenation(self, target: bool = False) -> Node:
        made = self.sum()
        while not target and (
            self.word.kind in ("number", "string", "name", "call", "function", "regex")
            or self.sees("$", "(", "-", "+", "++", "--")
            or self.sees("!") and self.words[self.at + 1].text != "~"
        ) and not self.sees("in"):
            made = ("join", made, self.sum())
        return made

    def sum(self) -> Node:
        made = self.product()
        while self.sees("+", "-"):
            operator = self.take().text
            made = ("math", operator, made, self.product())
        return made

    def product(self) -> Node:
        made = self.unary()
        while self.sees("*", "/", "%"):
            operator = self.take().text
            made = ("math", operator, made, self.unary())
        return made

    def unary(self) -> Node:
        if self.accept("!"):
            return ("not", self.unary())
        if self.sees("-", "+"):
            return ("sign", self.take().text, self.unary())
        return self.power()

    def power(self) -> Node:
        made = self.postfix()
        if self.accept("^"):
            sign = self.take().text if self.sees("-", "+") else ""
            exponent = self.power()
            return ("math", "^", made, ("sign", sign, exponent) if sign else exponent)
        return made

    def postfix(self) -> Node:
        if self.sees("++", "--"):
            operator = self.take().text
            return ("step", operator, self.primary(), True)
        made = self.primary()
        if made[0] in ("name", "field", "item") and self.sees("++", "--"):
            return ("step", self.take().text, made, False)
        return made

    def primary(self) -> Node:
        word = self.take()
        if word.kind == "number":
            return ("number", float(int(word.text, 16)) if word.text[:2] in ("0x", "0X") else float(word.text))
        if word.kind == "string":
            return ("string", word.text)
        if word.kind == "regex":
            return ("regex", word.text)
        if word.kind == "name":
            return ("item", word.text, self.subscript()) if self.accept("[") else ("name", word.text)
        if word.kind == "call":
            self.expect("(")
            return ("call", word.text, self.list_until(")"))
        if word.kind == "function":
            return ("function", word.text, self.list_until(")") if self.accept("(") else [])
        if word.kind == "symbol" and word.text == "$":
            if self.sees("++", "--"):
                return ("field", self.postfix())
            return ("field", ("sign", self.take().text, self.primary()) if self.sees("-") else self.primary())
        if word.kind == "symbol" and word.text == "(":
            made = self.list_until(")")
            if len(made) > 1:
                self.expect("in")
                return ("in", made, self.take().text)
            if not made:
                raise self.wrong()
            return ("group", made[0])
        if word.kind == "keyword" and word.text == "getline":
            variable = self.target()
            if self.accept("<"):
                return ("getline", "<", self.concatenation(target=True), variable)
            return ("getline", "", None, variable)
        self.at -= word.kind != "end"
        raise self.wrong()

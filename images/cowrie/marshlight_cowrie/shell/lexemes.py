"""Blanks, line ends, reserved words and aliases; and what to say of a sign that stands where it may not."""

from __future__ import annotations

from collections.abc import Mapping

from .cursor import Incomplete, SyntaxFailure
from .quotes import METACHARACTERS
from .words import WordReader

RESERVED = ("if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "select", "{", "}", "!")
RESERVED += ("function", "in", "time", "[[", "]]", "coproc")
TOKENS = ("&&", "||", ";;&", ";;", ";&", "|&", ">&", "<&", "<<<", "<<-", "<<", "&>>", "&>", ">>", ">|", "<>", "<(", ">(")
TOKENS += ("((", "\n", ";", "&", "|", "<", ">", "(", ")")


class LexemeReader(WordReader):
    aliases: Mapping[str, str]
    #: Where the text of the last alias ends, and the names of those that are in it.
    expanded: tuple[int, set[str]]

    def read_documents(self) -> None:
        """The here-documents whose operators stood on the line that just ended."""
        raise NotImplementedError

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

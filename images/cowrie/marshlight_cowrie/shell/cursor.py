"""A place in a shell's text, and the two ways in which reading it ends early."""

from __future__ import annotations


class SyntaxFailure(Exception):
    """`token` is what stands where it may not; empty at the end of the text."""

    def __init__(self, token: str, line: int, expecting: str = "", *, wording: str = "") -> None:
        super().__init__(token or wording or "end of file")
        self.token, self.line, self.expecting, self.wording = token, line, expecting, wording
        #: What bash leaves in `$?` and exits with.
        self.status = 2


class Incomplete(SyntaxFailure):
    """More text could still make it whole. `closer` is the quote or bracket that is looked for."""

    def __init__(self, line: int, closer: str = "", expecting: str = "", opened: int = 0) -> None:
        super().__init__("", line, expecting)
        self.closer, self.opened = closer, opened or line


class Cursor:
    def __init__(self, text: str, line: int = 1) -> None:
        self.text, self.at, self.first_line = text, 0, line
        self._known, self._lines = 0, 0

    @property
    def line(self) -> int:
        if self.at < self._known:
            self._known, self._lines = 0, 0
        self._lines += self.text.count("\n", self._known, self.at)
        self._known = self.at
        return self.first_line + self._lines

    @property
    def over(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.text[at] if at < len(self.text) else ""

    def starts(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.starts(text):
            self.at += len(text)
            return True
        return False

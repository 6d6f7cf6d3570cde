"""What a shell says of errors, with the prefix of its dialect, and what it does after."""

from __future__ import annotations

from typing import Any

from . import ash
from .arithmetic import ArithmeticFailure
from .control import Discard, Exit, ForkFailure
from .cursor import SyntaxFailure
from .parameter_values import ExpansionFailure
from .variables import OutOfMemory, ReadOnly


class Complaints:
    def warn_document(self: Any, line: int, delimiter: str, last: int) -> None:
        if self.dialect.bash:
            self.line = last
            self.say_error(f"{self.prefix()}warning: here-document at line {line} delimited by end-of-file (wanted `{delimiter}')\n")

    def refuse(self: Any, failure: SyntaxFailure, label: str, text: str, first: int = 1) -> int:
        shown = text if first == 1 else "\n" * (first - 1) + text
        interactive = self.interactive and not self.sourced
        # At a prompt bash names itself and then the file; without one the file alone.
        name = f"{self.name}: {self.sourced}" if self.sourced and self.interactive and self.dialect.bash else self.sourced or self.name
        for line in self.dialect.syntax(failure, name, label, shown, interactive=interactive):
            if self.dialect.kind == "ash" and self.script and not interactive:
                line = line.replace(": syntax error", f": line {failure.line}: syntax error", 1)
            self.say_error(line + "\n")
        self.status = failure.status if self.dialect.bash else 2
        if failure.wording.endswith(("operator", "expected")) and self.dialect.bash:
            # As bash: what is wrong within `[[ ]]` drops the command, not the shell.
            self.status = 0 if not self.interactive else 2
        return self.status

    def prefix(self: Any) -> str:
        if self.sourced and self.dialect.bash and not self.interactive:
            return f"{self.sourced}: line {self.line}: "
        if self.calls and self.label == "-c" and self.dialect.bash:
            # A function that was not read from a file counts as from the environment.
            return f"environment: line {self.line}: "
        lead = self.dialect.prefix(self.name, self.line, interactive=self.interactive, script=self.script)
        return f"{lead}eval: " if self.evaluating and self.dialect.kind == "dash" else lead

    def complain(self: Any, text: str) -> None:
        if self.dialect.kind == "ash":
            line = ash.complaint(self.name, text, self.line, interactive=self.interactive, script=self.script)
            self.say_error(f"{line}\n")
            return
        self.say_error(f"{self.prefix()}{text}\n")

    def say_error(self: Any, text: str) -> None:
        stream = self.fds.get(2)
        if stream is not None:
            try:
                stream.write(text.encode("utf-8", "surrogateescape"))
            except OSError:
                return

    def failed(self: Any, error: Exception) -> int:
        """An error of expansion or assignment: says it, and leaves as the shell would."""
        if isinstance(error, ExpansionFailure):
            self.complain(error.wording)
            if error.status != 1 and not self.interactive or not self.dialect.bash and not self.interactive:
                raise Exit(error.status)
            raise Discard(1)
        if isinstance(error, ArithmeticFailure):
            text = str(error)
            if not self.dialect.bash:
                text = posix_arithmetic(text, self.dialect.kind)
                self.complain(text)
                if not self.interactive:
                    raise Exit(2)
                raise Discard(2)
            self.complain(text)
            raise Discard(1)
        if isinstance(error, ReadOnly):
            self.complain(f"{error.name}: readonly variable" if self.dialect.bash else f"{error.name}: is read only")
            if not self.dialect.bash and not self.interactive:
                raise Exit(2)
            raise Discard(1)
        if isinstance(error, OutOfMemory):
            self.say_error(f"{self.name}: xrealloc: cannot allocate {error.size * 4096} bytes\n")
            raise Exit(2)
        if isinstance(error, ForkFailure):
            self.complain("fork: retry: Resource temporarily unavailable")
            self.complain("fork: Resource temporarily unavailable")
            raise Discard(254)
        raise error


def posix_arithmetic(text: str, kind: str) -> str:
    expression = text.split(": ", 1)[0]
    if "division by 0" in text:
        return "divide by zero" if kind == "ash" else f'arithmetic expression: division by zero: "{expression}"'
    return "arithmetic syntax error" if kind == "ash" else f'arithmetic expression: expecting primary: "{expression}"'

"""Which shell the persona has: what it can, and how it words what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from .cursor import Incomplete, SyntaxFailure

#: Systems whose /bin/sh is bash.
RED_HAT = ("rhel", "centos", "rocky", "almalinux", "fedora", "ol", "amzn")


@dataclass(frozen=True)
class Dialect:
    #: bash, dash or ash (BusyBox).
    kind: str
    #: What dash has not: `[[`, arrays, braces, `&>`, here-strings.
    extended: bool

    @property
    def bash(self) -> bool:
        return self.kind == "bash"

    def prefix(self, name: str, line: int, *, interactive: bool, script: bool) -> str:
        if self.kind == "bash":
            return f"{name}: " if interactive else f"{name}: line {line}: "
        if self.kind == "dash":
            return f"{name}: {line}: "
        return f"{name}: line {line}: " if script else f"{name}: "

    def not_found(self, name: str, path: bool) -> str:
        if self.kind == "bash":
            return f"{name}: No such file or directory" if path else f"{name}: command not found"
        return f"{name}: not found"

    def syntax(self, failure: SyntaxFailure, name: str, label: str, text: str, *, interactive: bool) -> list[str]:
        """The lines that are shown; `label` as `-c` or `eval`, `text` all that was read."""
        if self.kind != "bash":
            return [self.posix_syntax(failure, name, text, interactive=interactive)]
        lead = f"{name}: " + (f"{label}: " if label else "")
        where = "" if interactive and not label else f"line {failure.line}: "
        if isinstance(failure, Incomplete):
            if failure.closer == "]]":
                return [f"{lead}{where}unexpected EOF while looking for `]]'"]
            if failure.closer:
                wanted = failure.closer
                at = "" if not where else f"line {failure.opened if wanted != ')' else failure.line}: "
                return [f"{lead}{at}unexpected EOF while looking for matching `{wanted}'"]
            return [f"{lead}{where}syntax error: unexpected end of file"]
        if failure.wording == "memory exhausted":
            return [f"{lead}{where}memory exhausted at `{failure.token}'"]
        if failure.wording.endswith(("operator", "expected")):
            return [f"{lead}{where}{failure.wording}"]
        lines = text.split("\n")
        shown = lines[failure.line - 1] if 0 < failure.line <= len(lines) else ""
        first = []
        if failure.wording == "conditional":
            first = [f"{lead}{where}syntax error in conditional expression"]
        first.append(f"{lead}{where}syntax error near unexpected token `{failure.token}'" if failure.wording != "conditional" else f"{lead}{where}syntax error near `{failure.token}'")
        return first if interactive and not label else [*first, f"{lead}{where}`{shown}'"]

    def posix_syntax(self, failure: SyntaxFailure, name: str, text: str = "", *, interactive: bool) -> str:
        capital = self.kind == "dash"
        # dash counts the line ends that it has read.
        line = 1 + text.count("\n") if isinstance(failure, Incomplete) and not failure.closer and text else failure.line
        lead = f"{name}: {line}: Syntax error: " if capital else f"{name}: syntax error: "
        if isinstance(failure, Incomplete) and failure.closer in ("'", '"', "`"):
            quoted = {"'": "Unterminated quoted string", '"': "Unterminated quoted string", "`": "EOF in backquote substitution"}
            plain = {"'": "unterminated quoted string", '"': "unterminated quoted string", "`": "EOF in backquote substitution"}
            return lead + (quoted if capital else plain)[failure.closer]
        if isinstance(failure, Incomplete) and failure.closer == "}":
            return lead + ("Missing '}'" if capital else "missing '}'")
        expecting = failure.expecting or (failure.closer if isinstance(failure, Incomplete) else "")
        hint = f' (expecting "{expecting}")' if expecting else ""
        if isinstance(failure, Incomplete):
            return f"{lead}end of file unexpected{hint}" if capital else f"{lead}unexpected end of file{hint}"
        token = failure.token
        if capital:
            if failure.wording:
                return lead + failure.wording
            shown = token if token == "newline" else "redirection" if token[:1] in ("<", ">") else f'"{token}"'
            return f"{lead}{shown} unexpected{hint}"
        shown = token if token == "newline" else f'"{token}"'
        return f"{lead}unexpected {shown}{hint}"


BASH = Dialect("bash", True)
DASH = Dialect("dash", False)
ASH = Dialect("ash", True)
DIALECTS = {"bash": BASH, "dash": DASH, "ash": ASH}

"""
One shell of the pretended host: its state, and how it reads a text.

    text --Parser--> nodes --Execution--> builtin | function | command of the Registry
                                 |
                          Expander, redirect
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .arithmetic import ArithmeticFailure
from .control import Break, Discard, Exit, ForkFailure, Return
from .cursor import Incomplete, SyntaxFailure
from .dialect import BASH, Dialect
from .execute import Execution
from .expand import Expander
from .jobs import Jobs
from .launch import Launching
from .nodes import Function, Node
from .parameters import ExpansionFailure
from .parser import Parser
from .prompt import decoded
from .startup import special_variables, start_variables
from .streams import Stream
from .variables import OutOfMemory, ReadOnly, Variables

if TYPE_CHECKING:
    from .ports import Account, FileSystem
    from .system import System

OPTIONS = ("allexport", "errexit", "noglob", "nounset", "noexec", "xtrace", "verbose", "noclobber", "pipefail", "posix")
OPTIONS += ("monitor", "notify", "history", "ignoreeof", "keyword", "nolog", "onecmd", "physical", "privileged", "vi", "emacs")
OPTIONS += ("braceexpand", "errtrace", "functrace", "hashall", "histexpand", "interactive-comments")
LETTERS = {"a": "allexport", "b": "notify", "e": "errexit", "f": "noglob", "h": "hashall", "k": "keyword", "m": "monitor"}
LETTERS |= {"n": "noexec", "p": "privileged", "t": "onecmd", "u": "nounset", "v": "verbose", "x": "xtrace", "B": "braceexpand"}
LETTERS |= {"C": "noclobber", "E": "errtrace", "H": "histexpand", "P": "physical", "T": "functrace"}


class Shell(Execution, Launching):
    def __init__(
        self,
        system: System,
        account: Account,
        fs: FileSystem,
        fds: dict[int, Stream],
        env: dict[str, str],
        *,
        cwd: str = "/",
        name: str = "bash",
        dialect: Dialect = BASH,
        interactive: bool = False,
        login: bool = False,
        pid: int = 0,
        ppid: int = 0,
    ) -> None:
        self.system, self.account, self.fs, self.fds = system, account, fs, fds
        self.budget = system.budget
        self.cwd, self.name, self.dialect = cwd, name, dialect
        self.interactive, self.login = interactive, login
        self.pid = pid or system.table.new_pid()
        self.ppid = ppid or 1
        self.bash_pid = self.pid
        self.label = ""
        self.script = False
        self.line = 1
        self.status = 0
        self.statuses: list[int] = [0]
        self.substitution_status: int | None = None
        self.background_pid: int | None = None
        self.positional: list[str] = []
        self.functions: dict[str, Function] = {}
        self.aliases: dict[str, str] = {}
        self.traps: dict[str, str] = {}
        self.folders: list[str] = []
        self.hashed: dict[str, tuple[str, int]] = {}
        self.history: list[str] = []
        self.options: set[str] = {"hashall", "interactive-comments"} | ({"braceexpand"} if dialect.bash else set())
        if interactive:
            self.options |= {"monitor", "emacs"} | ({"history", "histexpand"} if dialect.bash else set())
        self.shopts: set[str] = {"extquote", "force_fignore", "hostcomplete", "interactive_comments", "progcomp", "promptvars", "sourcepath", "cmdhist", "complete_fullquote", "globasciiranges", "globskipdots", "patsub_replacement"}
        if interactive:
            self.shopts |= {"checkwinsize", "expand_aliases"}
        if login:
            self.shopts.add("login_shell")
        self.umask = 0o022
        self.limits: dict[str, str] = {}
        self.depth = 0
        self.loops = 0
        self.calls: list[str] = []
        self.sourcing = 0
        #: The file that is read by `.`; its errors bear its name.
        self.sourced = ""
        self.condition = 0
        self.optind = (1, 0)
        self.terminal_streams: list[Stream] = list(fds.values())
        self.substitutions: dict[int, Stream] = {}
        self.subshell = False
        self.jobs = Jobs(self)
        self.expander = Expander(self)
        self.seed = random.Random(f"{system.host.now()} {self.pid}")
        self.started = system.host.now()
        self.vars = Variables()
        self.expression_failure: Callable[[str], None] | None = None
        start_variables(self, env)
        self.vars.special.update(special_variables(self))
        self.own_variables()

    def own_variables(self) -> None:
        self.vars.changed = self.variable_changed
        if self.dialect.bash:
            self.vars.dynamic = {
                "PIPESTATUS": lambda: [str(status) for status in self.statuses],
                "FUNCNAME": lambda: [*reversed(self.calls), *(["main"] if self.script else [])] if self.calls else [],
                "BASH_SOURCE": lambda: [self.name] * (len(self.calls) + 1) if self.script else [],
                "BASH_ALIASES": lambda: list(self.aliases.values()),
            }

    # -- reading -----------------------------------------------------------------------------------------------------

    def parser(self, text: str, *, line: int = 1, final: bool = True) -> Parser:
        return Parser(
            text,
            line=line,
            aliases=self.aliases if "expand_aliases" in self.shopts or not self.dialect.bash else None,
            extglob="extglob" in self.shopts,
            plain_posix=not self.dialect.extended,
            final=final,
            warn=self.warn_document,
        )

    def warn_document(self, line: int, delimiter: str, last: int) -> None:
        if self.dialect.bash:
            self.line = last
            self.say_error(f"{self.prefix()}warning: here-document at line {line} delimited by end-of-file (wanted `{delimiter}')\n")

    async def run_text(self, text: str, *, label: str = "", line: int = 1) -> int:
        """Runs all of it, a complete line at a time; the status of the last command."""
        parser = self.parser(text, line=line)
        while True:
            parser.extglob = "extglob" in self.shopts
            try:
                self.line = parser.line
                found = parser.next_line()
            except SyntaxFailure as failure:
                return self.refuse(failure, label, text, line)
            if found is None:
                return self.status
            if self.option("verbose"):
                self.say_error(text)
            if "noexec" not in self.options or self.interactive:
                await self.run_line(found)

    async def run_line(self, found: list[Node]) -> int:
        """One line that was read; an error in an expansion drops the rest of it."""
        try:
            return await self.run_list(found)
        except Discard as discard:
            if self.subshell or self.calls and self.condition:
                raise
            self.status = discard.status
            self.loops = 0
            if self.sourcing or self.calls:
                raise
        return self.status

    def refuse(self, failure: SyntaxFailure, label: str, text: str, first: int = 1) -> int:
        shown = text if first == 1 else "\n" * (first - 1) + text
        interactive = self.interactive and not self.sourced
        for line in self.dialect.syntax(failure, self.sourced or self.name, label, shown, interactive=interactive):
            self.say_error(line + "\n")
        self.status = failure.status if self.dialect.bash else 2
        if failure.wording.endswith(("operator", "expected")) and self.dialect.bash:
            # As bash: what is wrong within `[[ ]]` drops the command, not the shell.
            self.status = 0 if not self.interactive else 2
        return self.status

    # -- what the expander and the arithmetic ask --------------------------------------------------------------------

    def option(self, name: str) -> bool:
        return name in self.options or name in self.shopts

    def lookup(self, name: str) -> str | None:
        if name.isdigit():
            number = int(name)
            if number == 0:
                return self.name
            return self.positional[number - 1] if number <= len(self.positional) else None
        if len(name) == 1 and not name.isalpha() and name != "_":
            if name == "?":
                return str(self.status)
            if name == "$":
                return str(self.pid)
            if name == "#":
                return str(len(self.positional))
            if name == "!":
                return str(self.background_pid) if self.background_pid is not None else None
            if name == "-":
                return self.flags()
            if name in "@*":
                return " ".join(self.positional) if self.positional else None
        return self.vars.get(name)

    def flags(self) -> str:
        letters = "".join(letter for letter, option in sorted(LETTERS.items(), key=lambda pair: pair[0]) if option in self.options)
        small = "".join(letter for letter in letters if letter.islower())
        return small + ("i" if self.interactive else "") + "".join(letter for letter in letters if letter.isupper()) + self.vars_flag()

    def vars_flag(self) -> str:
        return "c" if self.label == "-c" else "s" if self.label == "-s" or self.interactive else ""

    def number_text(self, name: str, index: str | None) -> str:
        if index is not None:
            found = self.vars.find(name)
            key: Any = index if found is not None and found.array == "A" else self.index_number(name, index)
            return self.expander.item(name, key) or ""
        value = self.lookup(name)
        if value is None and self.option("nounset"):
            raise ExpansionFailure(f"{name}: unbound variable", 127)
        return value or ""

    def index_number(self, name: str, index: str) -> int:
        from .arithmetic import evaluate

        number = evaluate(index, self)
        if number < 0:
            number += max((int(key) for key in self.expander.keys(name)), default=-1) + 1
        if number < 0:
            raise ExpansionFailure(f"{name}: bad array subscript")
        return number

    def set_number(self, name: str, index: str | None, value: int) -> None:
        if index is None:
            self.vars.set(name, str(value))
            return
        found = self.vars.find(name)
        key: Any = index if found is not None and found.array == "A" else self.index_number(name, index)
        self.vars.set_item(name, key, str(value))

    def prompt(self, text: str) -> str:
        return decoded(self, text)

    def absolute(self, name: str) -> str:
        return name if name.startswith("/") else f"{self.cwd.rstrip('/')}/{name}"

    # -- saying ------------------------------------------------------------------------------------------------------

    def prefix(self) -> str:
        if self.sourced and self.dialect.bash:
            return f"{self.sourced}: line {self.line}: "
        if self.calls and self.label == "-c" and self.dialect.bash:
            # A function that was not read from a file counts as from the environment.
            return f"environment: line {self.line}: "
        return self.dialect.prefix(self.name, self.line, interactive=self.interactive, script=self.script)

    def complain(self, text: str) -> None:
        self.say_error(f"{self.prefix()}{text}\n")

    def say_error(self, text: str) -> None:
        stream = self.fds.get(2)
        if stream is not None:
            try:
                stream.write(text.encode("utf-8", "surrogateescape"))
            except OSError:
                return

    def failed(self, error: Exception) -> int:
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

    # -- children ----------------------------------------------------------------------------------------------------

    def fork(self) -> Shell:
        """A copy, as a child process is; what it changes stays its own."""
        child: Shell = Shell.__new__(Shell)
        child.__dict__.update(self.__dict__)
        child.subshell = True
        child.vars = self.vars.copy()
        child.positional = list(self.positional)
        child.statuses = list(self.statuses)
        for name in ("functions", "aliases", "hashed", "limits", "fds", "substitutions"):
            setattr(child, name, dict(getattr(self, name)))
        child.traps = {name: action for name, action in self.traps.items() if not action}
        child.folders, child.history = list(self.folders), self.history
        child.options, child.shopts = set(self.options) - {"monitor"}, set(self.shopts)
        child.calls = list(self.calls)
        child.bash_pid = self.system.table.new_pid()
        child.seed = random.Random(f"{self.seed.random()} {child.bash_pid}")
        child.jobs = Jobs(child)
        child.expander = Expander(child)
        child.vars.special = {
            name: made for name, made in special_variables(child).items() if name in self.vars.special
        }
        child.own_variables()
        return child

    def variable_changed(self, name: str) -> None:
        if name == "PATH":
            self.hashed.clear()
        elif name == "OPTIND":
            self.optind = (int(self.vars.get("OPTIND") or 1) if (self.vars.get("OPTIND") or "").isdigit() else 1, 0)
        elif name == "RANDOM":
            self.seed = random.Random(self.vars.get(name))


def posix_arithmetic(text: str, kind: str) -> str:
    expression = text.split(": ", 1)[0]
    if "division by 0" in text:
        return "divide by zero" if kind == "ash" else f'arithmetic expression: division by zero: "{expression}"'
    return "arithmetic syntax error" if kind == "ash" else f'arithmetic expression: expecting primary: "{expression}"'


__all__ = ["Break", "Incomplete", "Return", "Shell"]

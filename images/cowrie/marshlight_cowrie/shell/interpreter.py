"""
One shell of the pretended host: its state, and how it reads a text.

    text --Parser--> nodes --Execution--> builtin | function | command of the Registry
                                 |
                          Expander, redirect
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from .complaints import Complaints
from .control import Discard
from .cursor import SyntaxFailure
from .dialect import BASH, Dialect
from .execute import Execution
from .expand import Expander
from .external import seen_by
from .jobs import Jobs
from .launch import Launching
from .lookup import Lookup
from .nodes import Function, Node
from .parser import Parser
from .prompt import decoded
from .sole_command import last_command
from .startup import special_variables, start_variables
from .streams import Stream
from .variables import Variables

if TYPE_CHECKING:
    from .ports import Account, FileSystem
    from .system import System
    from .tasks import Task


class Shell(Execution, Launching, Lookup, Complaints):
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
        self.options: set[str] = ({"hashall"} if dialect.kind != "ash" else set()) | {"interactive-comments"} | ({"braceexpand"} if dialect.bash else set())
        if interactive:
            self.options |= ({"monitor", "emacs"} if self.on_terminal() else set()) | ({"history", "histexpand"} if dialect.bash else set())
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
        #: Within `eval`, by which dash begins its errors then.
        self.evaluating = False
        #: The file that is read by `.`; its errors bear its name.
        self.sourced = ""
        self.condition = 0
        self.optind = (1, 0)
        self.terminal_streams: list[Stream] = list(fds.values())
        self.substitutions: dict[int, Stream] = {}
        #: Those that commands write to: number, end, who reads.
        self.outlets: list[tuple[int, Stream, Task]] = []
        self.subshell = False
        #: The command that takes its place, process and all; and whether that is under way.
        self.final: Node | None = None
        self.replaced = False
        self.jobs = Jobs(self)
        self.expander = Expander(self)
        self.seed = random.Random(f"{system.host.now()} {self.pid}")
        self.started = system.host.now()
        self.vars = Variables()
        self.expression_failure: Callable[[str], None] | None = None
        start_variables(self, env)
        self.vars.special.update(special_variables(self))
        self.own_variables()
        self.stands_in_table()

    def stands_in_table(self) -> None:
        """In /proc it finds itself, not the shell that it is a copy of."""
        self.system.table.shells[self.bash_pid] = self
        self.fs = seen_by(self.fs, self.system.table, self.bash_pid)

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
            plain_ash=self.dialect.kind == "ash",
            final=final,
            warn=self.warn_document,
        )

    async def run_text(self, text: str, *, label: str = "", line: int = 1, all_there_is: bool = False) -> int:
        """Runs all of it, a complete line at a time; the status of the last command. `all_there_is`: nothing follows."""
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
            if all_there_is:
                parser.skip_lines()
                self.final = last_command(self.dialect, found) if parser.over else None
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

    def on_terminal(self) -> bool:
        return any(stream.is_tty for number, stream in self.fds.items() if number in (0, 2))

    def option(self, name: str) -> bool:
        return name in self.options or name in self.shopts

    def prompt(self, text: str) -> str:
        return decoded(self, text)

    def absolute(self, name: str) -> str:
        return name if name.startswith("/") else f"{self.cwd.rstrip('/')}/{name}"

    # -- children ----------------------------------------------------------------------------------------------------

    def fork(self) -> Shell:
        """A copy, as a child process is; what it changes stays its own."""
        child: Shell = Shell.__new__(Shell)
        child.__dict__.update(self.__dict__)
        child.subshell, child.replaced = True, False
        child.outlets = []
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
        child.stands_in_table()
        return child

    def variable_changed(self, name: str) -> None:
        if name == "PATH":
            self.hashed.clear()
        elif name == "OPTIND":
            self.optind = (int(self.vars.get("OPTIND") or 1) if (self.vars.get("OPTIND") or "").isdigit() else 1, 0)
        elif name == "RANDOM":
            self.seed = random.Random(self.vars.get(name))

"""One log-in's shell: what it starts with, how its commands come, and what is told of them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from .. import diagnostics
from ..drift import kernel_lines
from ..drift.session import SessionDrift
from ..machine.kind import small
from .bridge_account import account_of, dialect_of, environment_of
from .bridge_artifacts import keep_written
from .bridge_daemons import seed_processes
from .bridge_greeting import greet, visit_of, wire_of
from .bridge_host import DecoyHost
from .bridge_no_shell import in_place_of_a_shell
from .bridge_terminal import Channel, Output, Script, Terminal
from .bridge_turns import Turns
from .children import isolated
from .interactive import interact
from .interpreter import Shell
from .processes import SessionTable
from .profiles import read_startup
from .programs import run_stream
from .streams import Stream
from .system import System
from .tasks import Interrupted, Signal, Task

if TYPE_CHECKING:
    from ..decoy import Decoy
    from .ports import Registries


class ShellSession:
    def __init__(self, decoy: Decoy, protocol: Any, registries: Registries) -> None:
        self.decoy, self.protocol = decoy, protocol
        self.task: Task | None = None
        self.closed = False
        self.turns = Turns()
        self.scheduler = self.turns.scheduler
        user = protocol.user
        host = DecoyHost(decoy, user.server.marshlight_account[0])
        wire = wire_of(protocol)
        meeting = getattr(wire, "drift", None)
        self.drift = SessionDrift(meeting, wire, host.now, host.sleep, Signal) if meeting is not None else None
        self.tree = user.server.fs.view if self.drift is None else user.server.fs.view.guarded_by(self.drift.files)
        registry = registries.of_small_devices if small(decoy.persona) else registries.common
        self.system = System(host, self.tree, registry, self.scheduler, SessionTable(host), session=protocol)
        self.system.on_command = self.note_command
        self.system.on_failure = lambda error: diagnostics.say("error", f"a command failed: {error!r}")
        self.system.on_written = self.note_written
        self.system.was_written = self.was_written
        if self.drift is not None:
            self.drift.files.unread = lambda path: kernel_lines.tell(decoy, host.key, path)
            self.system.on_process, self.system.on_fork = self.drift.process, self.drift.fork
        self.account = account_of(self, user)
        self.visit = visit_of(protocol)
        self.visit.tables.append(self.system.table)
        host.login_name = self.visit.client.user
        self.terminal: Terminal | None = None
        self.channel: Channel | None = None
        self.shell: Shell | None = None

    # -- start -------------------------------------------------------------------------------------------------------

    @property
    def telnet(self) -> bool:
        return not hasattr(self.protocol.terminal.transport.session, "conn")

    def size(self) -> tuple[int, int]:
        found = getattr(self.protocol.user, "windowSize", None)
        return (int(found[1]) or 80, int(found[0]) or 24) if found else (80, 24)

    def folder(self) -> str:
        home = self.account.home
        try:
            return home if self.tree.stat(home).mode & 0o170000 == 0o040000 else "/"
        except OSError:
            return "/"

    def make(self, fds: dict[int, Stream], *, name: str, interactive: bool, login: bool = False) -> Shell:
        dialect, _ = dialect_of(self)
        parent = seed_processes(self)
        shell = Shell(
            self.system, self.account, self.tree, fds, environment_of(self, dialect), cwd=self.folder(), name=name,
            dialect=dialect, interactive=interactive, login=interactive or login, ppid=parent,
        )  # fmt: skip
        stat = "Ss" if interactive else "S"
        self.system.table.add(shell.pid, parent, self.account.name, name if interactive else f"{name} -c", self.system.tty, stat)
        self.shell = shell
        return shell

    def open_terminal(self) -> Terminal:
        self.system.tty = f"/dev/{self.visit.client.tty or self.decoy.visits.free_terminal()}"
        self.system.size = self.size()
        terminal = self.terminal = Terminal(self.protocol)
        terminal.on_line = self.note_line
        terminal.before = self.drift.before if self.drift is not None else None
        return terminal

    def shell_on(self, terminal: Terminal, *, interactive: bool) -> Shell:
        _, name = dialect_of(self)
        name = f"-{name}" if interactive else name
        shell = self.make({0: terminal, 1: terminal, 2: terminal}, name=name, interactive=interactive)
        terminal.shell = shell
        return shell

    def record(self, shell: Shell) -> None:
        """Into utmp and wtmp; what is told of the last visit comes before."""
        tty = str(self.system.tty).removeprefix("/dev/")
        self.decoy.visits.terminal(self.visit, tty, shell.pid if not self.account.uid else self.visit.pid)

    def start_interactive(self) -> None:
        terminal = self.open_terminal()
        shell = self.shell_on(terminal, interactive=True)
        greet(self.decoy.persona, self.tree, self.visit, self.account, terminal)
        self.record(shell)
        self.run(in_place_of_a_shell(self.account, terminal) or interact(shell))

    def start_on_terminal(self, text: str) -> None:
        """`ssh -t host command`"""
        self.note_line(text)
        terminal = self.open_terminal()
        shell = self.shell_on(terminal, interactive=False)
        self.record(shell)
        shell.label = "-c"
        self.run(in_place_of_a_shell(self.account, terminal) or isolated(shell, self.given(shell, text)))

    def start_command(self, text: str) -> None:
        self.note_line(text)
        self.channel = Channel()
        sends = self.protocol.terminal
        out = Output(sends.write)
        err = Output(self.send_error)
        _, name = dialect_of(self)
        shell = self.make({0: self.channel, 1: out, 2: err}, name=name, interactive=False)
        row = self.system.table.own.get(shell.pid)
        if row is not None:
            row.command = f"{name} -c {text}"
        shell.label = "-c"
        if shell.dialect.bash:
            shell.vars.set("BASH_EXECUTION_STRING", text)
        self.run(in_place_of_a_shell(self.account, out) or isolated(shell, self.given(shell, text)))

    async def given(self, shell: Shell, text: str) -> int:
        if self.drift is not None:
            await self.drift.before(getattr(self.protocol.terminal.transport.session, "drift_answer", None))
        await read_startup(shell, command=True)
        return await shell.run_text(text, label="-c", all_there_is=True)

    def start_reading(self) -> None:
        """A log-in without a terminal: the shell takes its commands from its input."""
        self.channel = Script(self.note_line, self.drift.before if self.drift is not None else None)
        out = Output(self.protocol.terminal.write)
        _, name = dialect_of(self)
        fds: dict[int, Stream] = {0: self.channel, 1: out, 2: Output(self.send_error)}
        shell = self.make(fds, name=f"-{name}", interactive=False, login=True)
        shell.label = "-s"
        self.run(in_place_of_a_shell(self.account, out) or isolated(shell, self.taken(shell)))

    async def taken(self, shell: Shell) -> int:
        await read_startup(shell)
        return await run_stream(shell)

    def send_error(self, data: bytes) -> None:
        terminal = self.protocol.terminal
        transport = terminal.transport if terminal is not None else None
        if transport is not None:
            transport.errReceived(data)

    def run(self, coroutine: Any) -> None:
        self.task = self.scheduler.spawn(coroutine)
        self.task.then(self.ended)

    def ended(self) -> None:
        task = self.task
        if task is None or self.closed or self.protocol.terminal is None:
            return
        signal = task.error.number if isinstance(task.error, Interrupted) else getattr(self.shell, "ended_by", 0)
        # What an SSH server tells of a program that a signal has ended.
        self.protocol.terminal.transport.session.ended_by = signal
        status = 128 + task.error.number if isinstance(task.error, Interrupted) else 1 if task.error else int(task.value)
        if task.error is not None and not isinstance(task.error, Interrupted):
            diagnostics.say("error", f"a shell failed: {task.error!r}")
        self.protocol.end_process(status)

    # -- what happens ------------------------------------------------------------------------------------------------

    def note_line(self, line: str) -> None:
        if line.strip():
            self.protocol.events.dispatch("cowrie.command.input", "CMD: %(input)s", input=line)

    def note_command(self, line: str, found: bool) -> None:
        if not found:
            self.protocol.events.dispatch("cowrie.command.failed", "Command not found: %(input)s", input=line)

    def note_written(self, path: str) -> None:
        self.system.writes.add(posixpath.normpath(path))

    def was_written(self, path: str) -> bool | None:
        """Whether it is of the attacker's making; None where the tree does not say."""
        overlay = getattr(self.tree, "overlay", None)
        if overlay is None:
            return None
        try:
            inode, _ = self.tree.existing(path)
        except OSError:
            return None
        return inode in overlay.nodes

    def interrupt(self) -> None:
        """Ctrl-C"""
        if self.task is not None and not self.task.done:
            if self.terminal is not None:
                self.terminal.lines.clear()
            self.task.interrupt(Interrupted(2))

    def close(self) -> None:
        """The client is gone: what it wrote is kept, what it ran ends."""
        if self.closed:
            return
        if self.protocol.terminal is not None:
            keep_written(self.tree, self.protocol.terminal)
        self.closed = True
        if self.system.tty:
            self.decoy.visits.ended(self.visit, self.system.tty.removeprefix("/dev/"))
        if self.system.table in self.visit.tables:
            self.visit.tables.remove(self.system.table)
        self.turns.close()
        self.protocol = _Gone(self.protocol)


class _Gone:
    """What is left of a protocol whose client went: where events go."""

    terminal = None

    def __init__(self, protocol: Any) -> None:
        self.events = protocol.events
        self.realClientIP = getattr(protocol, "realClientIP", "")

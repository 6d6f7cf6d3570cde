"""
Runs a command of Cowrie's (wget, curl, ssh, ...: those that capture) as one of ours.

    our Process -> Stage (what Cowrie's command takes for its protocol and its shell) -> HoneyPotCommand -> exit status
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import bridge_status
from .streams import Stream
from .tasks import Interrupted, Signal

if TYPE_CHECKING:
    from .ports import Process, Registry

#: Seconds that one without a terminal may take.
LONGEST = 120.0
#: Shells and what only makes sense inside of Cowrie's.
NOT_TAKEN = frozenset("bash sh busybox exit logout cd pwd echo printf history set export unset env-shell help alias".split())
NOT_TAKEN |= frozenset("break continue shift read test [ [[ true false : source . eval exec type command ulimit umask".split())


class CallerShell:
    """At the bottom of the stack: gets the status and knows where the command runs."""

    interactive = False
    inherits_stdin = False
    done = True
    name = "bash"

    def __init__(self, process: Process, finished: Signal) -> None:
        self.environ, self.exported = dict(process.env), set(process.env)
        self.cwd = process.cwd
        account = process.account
        self.user = {"uid": account.uid, "gid": account.gid, "username": account.name, "home": account.home}
        self.finished = finished
        self.last_exit_code = 0
        self.shell = process.notes["shell"]

    def error_prefix(self) -> str:
        return str(self.shell.prefix())

    def queue_line(self, line: str) -> None:
        stream = self.shell.fds.get(0)
        if hasattr(stream, "lines"):
            stream.lines.append(line.encode() + b"\n")

    def resume(self) -> None:
        self.finished.set(self.last_exit_code)


class Wiring:
    """In place of Cowrie's pipes: output goes to our streams."""

    redirect_real_files: tuple[Any, ...] = ()
    redirections: tuple[Any, ...] = ()
    has_redirection_error = False
    argv0 = None

    def __init__(self, process: Process, data: bytes | None, silent: bool = False) -> None:
        #: The end of what it complained about.
        self.said, self.silent = b"", silent
        self.process, self.input_data = process, data
        self.stdin_from_pipe = data is not None
        self.targets = {1: ("terminal", None), 2: ("terminal", None)}
        self.cwd = process.cwd
        #: Called when the command asks something, where nobody can answer.
        self.on_question: Callable[[], None] = lambda: None

    def write_stdout(self, data: bytes) -> None:
        self.send(self.process.stdout, data)

    def write_stderr(self, data: bytes) -> None:
        self.said = (self.said + data)[-2048:]
        if self.silent:
            return
        self.send(self.process.stderr, data)

    outReceived, errReceived = write_stdout, write_stderr

    def send(self, stream: Any, data: bytes) -> None:
        try:
            stream.write(data)
        except OSError:
            return
        if data.endswith((b"]: ", b"? ")):
            self.on_question()


class Stage:
    """What a command of Cowrie's takes for the protocol: the real one, but for a stack of its own."""

    def __init__(self, protocol: Any, process: Process, finished: Signal) -> None:
        self.real = protocol
        self.cmdstack: list[Any] = [CallerShell(process, finished)]
        self.pp: Any = None
        self.fs = cowrie_fs(protocol, process)
        self.finished = finished

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "password_input":
            self.real.password_input = value
        else:
            object.__setattr__(self, name, value)

    def call_command(self, pp: Any, kind: Any, *args: str) -> None:
        self.pp = pp
        command = kind(self, *args)
        command.set_input_data(pp.input_data)
        self.cmdstack.append(command)
        command.start()

    def end_process(self, code: int) -> None:
        self.finished.set(code)


def cowrie_fs(protocol: Any, process: Process) -> Any:
    """Cowrie's calls on the tree as the account sees it that runs the command."""
    session: Any = protocol.user.server.fs if protocol.user is not None else protocol.fs
    made = type(session)(process.fs, session.arch, session.home)
    made.generated_files = session.generated_files
    return made


def adapted(kind: Any) -> Any:
    async def run(process: Process) -> int:
        protocol = process.session
        if protocol is None or getattr(protocol, "terminal", None) is None:
            return 1
        name = process.args[0].rsplit("/", 1)[-1]
        if (told := bridge_status.version(process, name)) is not None:
            process.out(told)
            return 0
        finished = Signal()
        stage = Stage(protocol, process, finished)
        stdin: Any = process.stdin
        data = None if stdin.is_tty or not waits_for_input(kind, process) else await stdin.read(-1)
        wiring = Wiring(process, data, bridge_status.silent(process, name))
        taker = stdin if hasattr(stdin, "taker") else None
        timer = last_resort(stage, finished) if not stdin.is_tty else None
        try:
            stage.call_command(wiring, kind, *process.args[1:])
            if not finished.done and not stdin.is_tty:
                if data is None and isinstance(stdin, Stream) and type(stdin).__name__ == "Channel":
                    await ended_or_input(stage, stdin, kind)
                wiring.on_question = lambda: unanswered(stage, process)
                if len(stage.cmdstack) > 1:
                    stage.cmdstack[-1].eofReceived()
            elif taker is not None:
                taker.taker = lambda line: stage.cmdstack[-1].lineReceived(line) if len(stage.cmdstack) > 1 else None
                taker.taker_end = lambda: stage.cmdstack[-1].eofReceived() if len(stage.cmdstack) > 1 else None
            return bridge_status.status_of(name, int(await finished or 0), wiring.said)
        except Interrupted:
            abandon(stage)
            raise
        finally:
            if timer is not None and timer.active():
                timer.cancel()
            if taker is not None:
                taker.taker = None
            protocol.password_input = False

    return run


def last_resort(stage: Stage, finished: Signal) -> Any:
    """Without a terminal nobody can end one that waits for a password or an answer."""
    from twisted.internet import reactor

    def give_up() -> None:
        abandon(stage)
        finished.set(1)

    return reactor.callLater(LONGEST, give_up)  # type: ignore[attr-defined]


def unanswered(stage: Stage, process: Process) -> None:
    """At the end of its input, what asks whether to go on goes on with `-y`, and otherwise ends."""
    from twisted.internet import reactor

    def answer() -> None:
        if len(stage.cmdstack) < 2:
            return
        if {"-y", "--assumeyes"} & set(process.args):
            stage.cmdstack[-1].lineReceived("y")
        else:
            process.stdout.write(b"\nOperation aborted.\n")
            stage.cmdstack[-1].exit(1)

    reactor.callLater(0, answer)  # type: ignore[attr-defined]


async def ended_or_input(stage: Stage, stdin: Any, kind: Any) -> None:
    """Of those that talk with the client: the end of its input ends them. The others get an end at once."""
    if kind.__name__ in ("Command_scp",):
        await stdin.read(-1)


def abandon(stage: Stage) -> None:
    """Ctrl-C: what it still has under way must not write any more."""
    for command in reversed(stage.cmdstack[1:]):
        if not command.exited:
            command.exit(130)
        command.connectionLost()


def waits_for_input(kind: Any, process: Process) -> bool:
    return bool(kind.consumes_stdin) and type(process.stdin).__name__ != "Null"


def register(registry: Registry, commands: dict[str, Any]) -> list[str]:
    """Those that we have not; gives their names."""
    taken = []
    for name, kind in commands.items():
        bare = name.rsplit("/", 1)[-1]
        if bare in NOT_TAKEN or name in registry.by_name or bare in registry.by_name and bare not in taken:
            continue
        registry.by_name[name] = adapted(kind)
        taken.append(bare)
    return sorted(set(taken))

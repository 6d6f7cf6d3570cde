"""
What a command of the pretended host may rely on, and what the rooms give each other.

    bridge (Cowrie) -> interpreter (language) -> command(Process) -> exit status
                                                    |        |
                                              FileSystem    Host (persona, clock, seed)

Commands are coroutines, so that one that waits (sleep, a download, a read from the terminal) holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..persona import Persona


@dataclass
class Stat:
    """Of one node, as stat(2) tells it: `mode` with the type bits, times in seconds since 1970."""

    mode: int
    uid: int
    gid: int
    size: int
    mtime: float
    ctime: float
    inode: int
    links: int = 1
    target: str | None = None


class FileSystem(Protocol):
    """
    The tree as one account sees it. Paths are absolute and may hold `..` and links. Errors are OSError with the errno
    of the real call, `filename` set: FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError, ...
    """

    def stat(self, path: str, *, follow: bool = True) -> Stat: ...
    def listdir(self, path: str) -> list[str]: ...
    def read(self, path: str) -> bytes: ...
    def write(self, path: str, data: bytes, *, append: bool = False, mode: int = 0o644) -> None: ...
    def mkdir(self, path: str, mode: int = 0o755) -> None: ...
    def rmdir(self, path: str) -> None: ...
    def unlink(self, path: str) -> None: ...
    def rename(self, old: str, new: str) -> None: ...
    def symlink(self, target: str, path: str) -> None: ...
    def readlink(self, path: str) -> str: ...
    def chmod(self, path: str, mode: int) -> None: ...
    def chown(self, path: str, uid: int, gid: int) -> None: ...
    def utime(self, path: str, mtime: float) -> None: ...
    def access(self, path: str, *, read: bool = False, write: bool = False, execute: bool = False) -> bool: ...
    def usage(self) -> tuple[int, int]:
        """Bytes used and bytes in all of the root file system, as df tells them."""
        ...

    def as_account(self, uid: int, gids: tuple[int, ...]) -> FileSystem:
        """The same tree for another account."""
        ...


class Host(Protocol):
    """The pretended machine."""

    @property
    def persona(self) -> Persona: ...
    def now(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def random(self, name: str) -> float:
        """0 <= x < 1, always the same for this persona and name."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    address: str
    mac: str
    gateway: str


class Reader(Protocol):
    """
    Standard input. `read` gives b'' at the end. That of a terminal also has `hide(hidden: bool)`: what is typed, the line
    end too, is not shown while it is on.
    """

    async def read(self, most: int = -1) -> bytes: ...
    async def readline(self) -> bytes: ...

    is_tty: bool


class Writer(Protocol):
    """
    `write` raises BrokenPipeError when nobody reads any more: a command lets it pass, and dies of SIGPIPE as a real one.
    One that writes without end awaits `drain` now and then: it gives the event loop its turn and waits for the reader.
    """

    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None: ...

    is_tty: bool


@dataclass
class Account:
    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str


@dataclass
class Row:
    """One line of the process table, of the persona or of this session, as ps tells it."""

    user: str
    pid: int
    ppid: int
    cpu: float
    mem: float
    vsz: int
    rss: int
    tty: str
    stat: str
    #: Seconds since 1970.
    started: float
    #: CPU seconds used.
    used: float
    command: str


class Table(Protocol):
    """What runs on the host. One that was killed is gone from `rows` for the rest of the session."""

    def rows(self) -> list[Row]: ...
    def signal(self, pid: int, number: int, account: Account) -> None:
        """ProcessLookupError or PermissionError, as kill(2). Number 0 only asks."""
        ...


@dataclass
class Process:
    """One running command. `args[0]` is the name it was called by."""

    args: list[str]
    stdin: Reader
    stdout: Writer
    stderr: Writer
    env: dict[str, str]
    cwd: str
    account: Account
    fs: FileSystem
    host: Host
    #: Runs words as a command of its own (for xargs, find -exec, sudo, env, nohup, sh -c); gives its status.
    #: `spawn(words, stdin=None, stdout=None, stderr=None, env=None, cwd=None, account=None, called=None)`: what is left
    #: out is this process's own; `called` is the name that the program sees itself by. A name that is not there raises FileNotFoundError, one that may not run PermissionError.
    spawn: Callable[..., Awaitable[int]]
    pid: int
    ppid: int
    tty: str | None
    #: Columns and rows of the terminal.
    size: tuple[int, int] = (80, 24)
    umask: int = 0o022
    #: What the bridge knows of the session (the attacker's address and port); None outside of one.
    session: Any = None
    table: Table | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    def out(self, text: str) -> None:
        self.stdout.write(text.encode("utf-8", "surrogateescape"))

    def err(self, text: str) -> None:
        """As programs do: `<name>: <text>` and a line end."""
        name = self.args[0].rsplit("/", 1)[-1]
        self.stderr.write(f"{name}: {text}\n".encode("utf-8", "surrogateescape"))

    def path(self, name: str) -> str:
        """A name as given by the user, made absolute."""
        return name if name.startswith("/") else f"{self.cwd.rstrip('/')}/{name}"


Command = Callable[[Process], Awaitable[int]]


@dataclass
class Registries:
    """The commands of most hosts, and those of devices whose every command is BusyBox."""

    common: Registry
    of_small_devices: Registry


class Registry:
    """Commands by the path they stand at; a bare name is looked up along PATH by the interpreter."""

    def __init__(self) -> None:
        self.by_name: dict[str, Command] = {}

    def add(self, *names: str) -> Callable[[Command], Command]:
        def note(command: Command) -> Command:
            for name in names:
                self.by_name[name] = command
            return command

        return note

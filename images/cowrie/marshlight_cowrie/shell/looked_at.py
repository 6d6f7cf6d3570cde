"""What /proc tells of the session's own shells and commands: from the objects that run them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from ..machine.running import Running
from .streams import PipeReader, PipeWriter, Stream

if TYPE_CHECKING:
    from .ports import Account, Process, Row

#: Permission bits of a descriptor's link: how it is open.
READ, WRITE = 0o500, 0o300


def of_command(row: Row, process: Process, path: str) -> Running:
    name = path.rsplit("/", 1)[-1]
    fds = {0: process.stdin, 1: process.stdout, 2: process.stderr}
    one = made(row, process.account, tuple(process.args), name, path, process.cwd, process.env, process.umask, fds, process.tty)
    one.state = "R"
    if name in ("ls", "find"):
        # The folder it reads.
        one.open[max(one.open) + 1] = (f"/proc/{row.pid}/fd", READ)
    return one


def of_shell(row: Row, shell: Any) -> Running:
    env = shell.vars.environment()
    account, name = shell.account, shell.dialect.kind
    path = account.shell if account.shell.rsplit("/", 1)[-1] in (name, "sh", "busybox") else f"/bin/{name}"
    # Zeros stand between arguments: what a client's command line holds of them ends it.
    args = tuple(row.command.split(" -c ", 1)) if " -c " in row.command else (row.command,)
    args = (args[0], "-c", args[1]) if len(args) == 2 else args
    return made(row, account, args, path.rsplit("/", 1)[-1], path, shell.cwd, env, shell.umask, shell.fds, shell.system.tty)


def physical(cwd: str) -> str:
    """A shell that went into a process's `cwd` has a name that leads through itself."""
    return "/" if cwd.startswith("/proc/") and "/cwd" in cwd else cwd


def made(
    row: Row, account: Account, args: tuple[str, ...], comm: str, exe: str, cwd: str, env: dict[str, str], umask: int,
    fds: dict[int, Any], tty: str | None,
) -> Running:  # fmt: skip
    return Running(
        pid=row.pid, ppid=row.ppid, uid=account.uid, gid=account.gid, groups=account.groups, args=args, comm=comm, exe=exe,
        cwd=physical(cwd), env=tuple(f"{name}={value}" for name, value in env.items()), umask=umask, state=row.stat[:1], vsz=row.vsz,
        rss=row.rss, tty=row.tty, started=row.started, used=row.used,
        open={number: described(stream, tty) for number, stream in fds.items()},
    )  # fmt: skip


def described(stream: Stream, tty: str | None) -> tuple[str, int]:
    """What stands behind it, and how it is open."""
    mode = READ * bool(stream.readable) | WRITE * bool(stream.writable)
    if stream.is_tty:
        return tty or "/dev/pts/0", READ | WRITE
    if stream.path and stream.path.startswith("/") and not stream.path.startswith("/dev/fd/"):
        return stream.path, mode
    behind = stream.pipe if isinstance(stream, (PipeReader, PipeWriter)) else stream
    # Both ends are of one inode; it stays while the pipe does.
    return f"pipe:[{20_000 + zlib.crc32(str(id(behind)).encode()) % 60_000}]", mode or READ

"""
`python3 -m marshlight_cowrie.shell.run [-d bash|dash|ash] [--files FOLDER] -c TEXT | SCRIPT`: the shell without Cowrie.

With an in-memory file system, the registered commands, and this process's own standard input and output.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import time
from typing import Any

from . import busybox
from .children import isolated
from .dialect import DIALECTS, Dialect
from .interpreter import Shell
from .memory_tree import MemoryTree
from .ports import Account, Registry
from .processes import SessionTable
from .programs import register as register_shells
from .streams import Sink, Source, Stream
from .system import System
from .tasks import Scheduler, Signal


class TestHost:
    """A small Debian machine, with the real clock."""

    address, mac, gateway = "198.18.0.7", "d4:ae:52:00:00:07", "198.18.0.1"

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.timers: list[tuple[float, Signal]] = []
        self.persona: Any = example_persona()

    def now(self) -> float:
        return time.time()

    def random(self, name: str) -> float:
        return int(hashlib.sha256(f"test {name}".encode()).hexdigest()[:12], 16) / (1 << 48)

    async def sleep(self, seconds: float) -> None:
        signal = Signal()
        self.timers.append((time.monotonic() + seconds, signal))
        await signal

    def wake(self) -> bool:
        """Waits for the next timer; whether there was one."""
        if not self.timers:
            return False
        self.timers.sort(key=lambda timer: timer[0])
        when, signal = self.timers.pop(0)
        time.sleep(max(0.0, when - time.monotonic()))
        signal.set()
        return True


def example_persona() -> Any:
    from types import SimpleNamespace

    from ..persona import Hardware, Kernel, Process, User
    from ..persona import System as Os

    kernel = Kernel("Linux", "6.1.0-28-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)", "x86_64", "GNU/Linux")
    processes = (("root", 1, "/sbin/init"), ("root", 640, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"))
    return SimpleNamespace(
        id="test", version=1, seed="test", hostname="test-01", domain="", timezone="UTC", booted_at=time.time() - 864000,
        os=Os("debian", "Debian GNU/Linux", "12 (bookworm)", "Debian GNU/Linux 12 (bookworm)", kernel),
        hardware=Hardware("Dell Inc.", "Intel(R) Core(TM) i5-8500", 3000.0, 4, 8146432),
        ssh=None, telnet=None, busybox=None, packages=(), issue="", motd="", ttl=64,
        users=(User("root", 0, 0, "root", "/root", "/bin/bash", ()), User("user", 1000, 1000, "", "/home/user", "/bin/bash", ())),
        processes=tuple(Process(user, pid, 0.0, 0.1, 16000, 9000, "?", "Ss", "Jan30", "0:01", text) for user, pid, text in processes),
    )  # fmt: skip


FILES: dict[str, bytes | str | None] = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n",
    "/etc/group": "root:x:0:\nuser:x:1000:\n",
    "/etc/hostname": "test-01\n",
    "/root": None,
    "/home/user": None,
    "/tmp": None,
    "/var/tmp": None,
    "/usr/bin": None,
    "/dev": None,
}


def register_all(registry: Registry) -> None:
    """What helper rooms have: `commands` may not be there yet."""
    try:
        importlib.import_module("marshlight_cowrie.shell.commands").register(registry)
    except ModuleNotFoundError as missing:
        if missing.name != "marshlight_cowrie.shell.commands":
            raise
    register_shells(registry)
    busybox.register(registry)


class Run:
    def __init__(self, *, files: dict[str, bytes | str | None] | None = None, uid: int = 0, commands: bool = True) -> None:
        self.scheduler = Scheduler()
        self.host = TestHost(self.scheduler)
        self.tree = MemoryTree().fill(FILES)
        self.registry = Registry()
        if commands:
            register_all(self.registry)
        for name in self.registry.by_name:
            path = name if name.startswith("/") else f"/usr/bin/{name}"
            self.tree.fill({path: b"\x7fELF"}, 0o755)
        self.tree.fill(files or {})
        home = "/root" if uid == 0 else "/home/user"
        self.account = Account("root" if uid == 0 else "user", uid, uid, (uid,), home, "/bin/bash")
        self.system = System(self.host, self.tree, self.registry, self.scheduler, SessionTable(self.host))

    def shell(self, stdin: Stream, stdout: Stream, stderr: Stream, dialect: Dialect, **more: Any) -> Shell:
        login = {"HOME": self.account.home, "USER": self.account.name, "LOGNAME": self.account.name, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        env = more.pop("env", None) or login
        fs = self.tree.as_account(self.account.uid, self.account.groups) if self.account.uid else self.tree
        name = more.pop("name", "bash" if dialect.bash else "sh")
        return Shell(self.system, self.account, fs, {0: stdin, 1: stdout, 2: stderr}, env, cwd=more.pop("cwd", "/tmp"), name=name, dialect=dialect, **more)

    def command(self, text: str, stdin: bytes = b"", dialect: str = "bash", operands: list[str] | None = None, **more: Any) -> tuple[int, bytes, bytes]:
        stdout, stderr = Sink(1 << 24), Sink(1 << 24)
        shell = self.shell(Source(stdin), stdout, stderr, DIALECTS[dialect], **more)
        shell.label = "-c"
        shell.positional = operands or []
        status = self.finish(isolated(shell, shell.run_text(text, label="-c")))
        return status, stdout.data, stderr.data

    def finish(self, coroutine: Any) -> int:
        from .tasks import Interrupted

        task = self.scheduler.spawn(coroutine)
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 20000))
        while not task.done:
            if not self.scheduler.run_slice(1.0) and not task.done and not self.host.wake():
                raise RuntimeError("the shell waits for something that never comes")
        if isinstance(task.error, Interrupted):
            return 128 + task.error.number
        if task.error is not None:
            raise task.error
        return int(task.value)


def main(arguments: list[str]) -> int:
    dialect, files = "bash", {}
    while arguments and arguments[0] in ("-d", "--files"):
        flag, value, arguments = arguments[0], arguments[1], arguments[2:]
        if flag == "-d":
            dialect = value
        else:
            for folder, _, names in os.walk(value):
                for name in names:
                    path = os.path.join(folder, name)
                    with open(path, "rb") as file:
                        files["/" + os.path.relpath(path, value)] = file.read()
    run = Run(files=files)
    stdin = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    if arguments[:1] == ["-c"]:
        text, operands = arguments[1], arguments[2:]
    else:
        with open(arguments[0], encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
        operands = arguments[1:]
    status, out, err = run.command(text, stdin, dialect, operands)
    sys.stdout.buffer.write(out)
    sys.stderr.buffer.write(err)
    sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

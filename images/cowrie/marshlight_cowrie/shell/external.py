"""A command that is a file: found along PATH, run as a process of its own with a row in the table."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from .budget import DEEPEST
from .control import Exit, Return
from .executables import Executable, find_executable, run_file
from .ports import Process
from .streams import Null, Stream
from .tasks import Interrupted
from .variables import bucket, plain_bucket

if TYPE_CHECKING:
    from .ports import Account


def seen_by(fs: Any, table: Any, pid: int) -> Any:
    """The tree with this process's own /proc/self, where the tree has one."""
    of_process = getattr(fs, "of_process", None)
    return of_process(table, pid) if of_process is not None else fs


class External:
    async def run_external(self: Any, words: list[str], extra: dict[str, str]) -> int:
        name = words[0]
        path = self.vars.get("PATH") if "PATH" not in extra else extra["PATH"]
        found = find_executable(self, name, path)
        if isinstance(found, str):
            self.system.on_command(" ".join(words), False)
            handle = self.functions.get("command_not_found_handle")
            if handle is not None and "/" not in name:
                return int(await self.call(handle, ["command_not_found_handle", *words]))
            self.complain(found)
            return 126 if "denied" in found or "directory" in found.lower() and "No such" not in found else 127
        if "/" not in name and self.option("hashall"):
            path_known, hits = self.hashed.get(name, (found.path, 0))
            self.hashed[name] = (path_known, hits + 1)
        self.system.on_command(" ".join(words), True)
        environment = self.handed_on(extra)
        if self.dialect.bash:
            environment.pop("_", None)
            environment["_"] = found.path
        if self.replaced and self.dialect.bash and environment.get("SHLVL", "").isdigit():
            # What takes the shell's place stands where the shell stood.
            environment["SHLVL"] = str(max(0, int(environment["SHLVL"]) - 1))
        return int(await self.execute(found, words, environment))

    def handed_on(self: Any, extra: dict[str, str]) -> dict[str, str]:
        """The environment in the order of the shell's own table of variables."""
        kept = self.vars.environment()
        if self.dialect.bash:
            return {**{name: extra[name] for name in sorted(extra, key=lambda name: bucket(name) & 3)}, **dict(sorted(kept.items(), key=lambda row: bucket(row[0]))), **extra}
        return dict(sorted({**kept, **extra}.items(), key=lambda row: plain_bucket(row[0])))

    async def execute(
        self: Any,
        found: Executable,
        words: list[str],
        env: dict[str, str],
        *,
        fds: dict[int, Stream] | None = None,
        cwd: str | None = None,
        account: Account | None = None,
    ) -> int:
        """Runs it in the foreground of this shell, as a process of its own."""
        table = self.system.table
        pid, ppid = (self.pid, self.ppid) if self.replaced else (table.new_pid(), self.bash_pid)
        self.replaced = False
        account = account or self.account
        fds = fds or self.fds
        fs = self.fs if account is self.account else self.system.fs.as_account(account.uid, account.groups)
        fs = seen_by(fs, table, pid)
        process = Process(
            args=words,
            stdin=fds.get(0, Null()),
            stdout=fds.get(1, Null()),
            stderr=fds.get(2, Null()),
            env=env,
            cwd=cwd or self.cwd,
            account=account,
            fs=fs,
            host=self.system.host,
            spawn=None,  # type: ignore[arg-type]
            pid=pid,
            ppid=ppid,
            tty=self.system.tty,
            size=self.system.size,
            umask=self.umask,
            session=self.system.session,
            table=table,
            notes={"shell": self, "history": self.history, "aliases": self.aliases},
        )
        process.spawn = self.spawner(process)
        if self.system.on_process is not None:
            self.system.on_process(process)
        table.add(pid, ppid, account.name, " ".join(words)[:4096], self.system.tty, "R+" if self.interactive else "S")
        table.commands[pid] = (process, found.path)
        await self.budget.step()
        if len(table.own) > 200 or self.depth > DEEPEST:
            table.remove(pid)
            self.complain("fork: retry: Resource temporarily unavailable")
            return 254
        try:
            refused = await self.system.on_fork(self.complain, self.dialect.kind) if self.system.on_fork is not None else None
        except Interrupted:
            table.remove(pid)
            raise
        if refused is not None:
            table.remove(pid)
            return refused
        self.depth += 1
        try:
            return int(await run_file(self, found, process)) & 255
        except BrokenPipeError:
            return 141
        except RecursionError:
            return 139
        except Interrupted as interrupted:
            # One that was sent to this process alone ends it; one to all goes on.
            if interrupted.number in (2, 1, 15, 9) and self.jobs.whole:
                raise
            return 128 + interrupted.number
        except (Exit, Return) as leave:
            return leave.status
        except Exception as error:  # noqa: BLE001 - a command of ours that fails must not end the attacker's session
            self.system.on_failure(error)
            return 1
        finally:
            self.depth -= 1
            table.remove(pid)

    def spawner(self: Any, caller: Process) -> Any:
        async def spawn(
            words: list[str], stdin: Any = None, stdout: Any = None, stderr: Any = None,
            env: dict[str, str] | None = None, cwd: str | None = None, account: Account | None = None, called: str | None = None,
        ) -> int:  # fmt: skip
            env = caller.env if env is None else env
            # As execvp(3): with no PATH there are two folders.
            found = find_executable(self, words[0], env.get("PATH", "/bin:/usr/bin"), cwd=cwd or caller.cwd)
            if isinstance(found, str):
                if "ermission" in found:
                    raise PermissionError(errno.EACCES, "Permission denied", words[0])
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", words[0])
            if called is not None:
                words = [called, *words[1:]]
            fds = {0: stdin or caller.stdin, 1: stdout or caller.stdout, 2: stderr or caller.stderr}
            return int(
                await self.execute(found, words, env, fds=fds, cwd=cwd or caller.cwd, account=account or caller.account)
            )

        return spawn

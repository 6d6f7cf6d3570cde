"""
One simple command: its words, its redirections, and what its name stands for.

    function -> special builtin -> builtin -> file along PATH -> command of the Registry | script | binary
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Any

from . import builtins
from .assign import assign, declare_word
from .budget import DEEPEST
from .control import Exit, RedirectionFailure, Return
from .executables import Executable, find_executable, run_file
from .nodes import Assignment, Function, Simple
from .ports import Process
from .quoting import set_quoted
from .redirect import redirected
from .streams import Null, Stream
from .tasks import Interrupted
from .variables import ReadOnly, Variable

if TYPE_CHECKING:
    from .ports import Account

SPECIAL = (":", ".", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "trap", "unset")


class Launching:
    async def run_simple(self: Any, node: Simple) -> int:
        self.line = node.line
        self.substitution_status = None
        words, declared = await self.command_words(node)
        if not words:
            return int(await self.run_assignments(node))
        name = words[0]
        if self.option("xtrace"):
            await self.trace(node, words)
        await self.jobs.run_debug(node)
        before = self.fds
        try:
            fds = await redirected(self, node.redirections, self.fds) if node.redirections else self.fds
        except RedirectionFailure as failure:
            self.complain(str(failure))
            if not self.dialect.bash and name in SPECIAL and not self.interactive:
                raise Exit(2) from None
            return 1 if self.dialect.bash else 2
        function = self.functions.get(name) if name not in SPECIAL or self.dialect.bash else None
        builtin = builtins.find(self, name) if function is None else None
        if name == "exec" and builtin is not None and len(words) == 1:
            self.fds = fds
            await self.apply_assignments(node)
            return 0
        self.fds = fds
        self.vars.set("_", words[-1]) if self.dialect.bash else None
        try:
            if function is not None:
                return int(await self.with_environment(node, lambda: self.call(function, words)))
            if builtin is not None:
                self.declared = declared
                if not node.assignments:
                    return int(await self.run_builtin(builtin, words))
                if name in SPECIAL and not self.dialect.bash:
                    await self.apply_assignments(node)
                    return int(await self.run_builtin(builtin, words))
                return int(await self.with_environment(node, lambda: self.run_builtin(builtin, words)))
            return int(await self.run_external(words, await self.extra_environment(node)))
        finally:
            if self.fds is fds:
                self.fds = before

    async def command_words(self: Any, node: Simple) -> tuple[list[str], dict[int, Assignment]]:
        """The words; for `declare` and its kin also which of them are assignments, by their place."""
        plain = [word for word in node.words if not isinstance(word, Assignment)]
        if len(plain) == len(node.words):
            return await self.expander.words(plain), {}
        words: list[str] = []
        declared: dict[int, Assignment] = {}
        for word in node.words:
            if isinstance(word, Assignment):
                declared[len(words)] = word
                words.append(await declare_word(self, word))
            else:
                words.extend(await self.expander.words([word]))
        return words, declared

    async def run_assignments(self: Any, node: Simple) -> int:
        if node.redirections:
            try:
                await redirected(self, node.redirections, self.fds)
            except RedirectionFailure as failure:
                self.complain(str(failure))
                return 1
        await self.apply_assignments(node)
        return int(self.substitution_status or 0)

    async def apply_assignments(self: Any, node: Simple) -> None:
        for assignment in node.assignments:
            text = await assign(self, assignment)
            if self.option("xtrace"):
                self.say_error(f"{self.trace_prefix()}{text}\n")

    async def extra_environment(self: Any, node: Simple) -> dict[str, str]:
        made = {}
        for assignment in node.assignments:
            found = self.vars.find(assignment.name)
            if found is not None and found.readonly:
                raise ReadOnly(assignment.name)
            value = await self.expander.value(assignment.value)
            made[assignment.name] = (self.vars.get(assignment.name) or "") + value if assignment.append else value
        return made

    async def with_environment(self: Any, node: Simple, run: Any) -> int:
        """A function or builtin with assignments before it: they hold while it runs."""
        if not node.assignments:
            return int(await run())
        extra = await self.extra_environment(node)
        self.vars.scopes.append({name: Variable(value, exported=True) for name, value in extra.items()})
        level = len(self.vars.scopes)
        for name in extra:
            self.vars.changed(name)
        try:
            return int(await run())
        finally:
            del self.vars.scopes[level - 1 :]

    async def run_builtin(self: Any, builtin: Any, words: list[str]) -> int:
        try:
            return int(await builtin(self, words))
        except BrokenPipeError:
            if self.subshell:
                raise
            self.complain(f"{words[0]}: write error: Broken pipe")
            return 1
        except OSError as error:
            if error.errno == errno.EBADF:
                self.complain(f"{words[0]}: write error: Bad file descriptor")
            elif error.errno == errno.ENOSPC:
                self.complain(f"{words[0]}: write error: No space left on device")
            else:
                self.complain(f"{words[0]}: {error.strerror or error}")
            return 1

    async def call(self: Any, function: Function, words: list[str]) -> int:
        if self.depth > DEEPEST:
            raise RecursionError
        positional, loops, name = self.positional, self.loops, words[0]
        self.positional, self.loops = words[1:], 0
        self.depth += 1
        self.calls.append(name)
        self.vars.scopes.append({})
        level = len(self.vars.scopes)
        try:
            await self.run(function.body)
            return int(self.status)
        except Return as leave:
            return leave.status
        finally:
            del self.vars.scopes[level - 1 :]
            self.calls.pop()
            self.depth -= 1
            self.positional, self.loops = positional, loops

    # -- trace -------------------------------------------------------------------------------------------------------

    def trace_prefix(self: Any) -> str:
        return str(self.prompt(self.vars.get("PS4") or ""))

    async def trace(self: Any, node: Simple, words: list[str]) -> None:
        lead = self.trace_prefix()
        for assignment in node.assignments if words else ():
            self.say_error(f"{lead}{assignment.name}={set_quoted(await self.expander.value(assignment.value))}\n")
        self.say_error(lead + " ".join(set_quoted(word) if word else "''" for word in words) + "\n")

    # -- external commands -------------------------------------------------------------------------------------------

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
        environment = {**self.vars.environment(), **extra, "_": found.path}
        return int(await self.execute(found, words, environment))

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
        table, pid = self.system.table, self.system.table.new_pid()
        account = account or self.account
        fds = fds or self.fds
        fs = self.fs if account is self.account else self.system.fs.as_account(account.uid, account.groups)
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
            ppid=self.bash_pid,
            tty=self.system.tty,
            size=self.system.size,
            umask=self.umask,
            session=self.system.session,
            table=table,
            notes={"shell": self, "history": self.history, "aliases": self.aliases},
        )
        process.spawn = self.spawner(process)
        table.add(pid, self.bash_pid, account.name, " ".join(words)[:4096], self.system.tty, "R+" if self.interactive else "S")
        await self.budget.step()
        if len(table.own) > 200 or self.depth > DEEPEST:
            table.remove(pid)
            self.complain("fork: retry: Resource temporarily unavailable")
            return 254
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
            env: dict[str, str] | None = None, cwd: str | None = None, account: Account | None = None,
        ) -> int:  # fmt: skip
            env = caller.env if env is None else env
            found = find_executable(self, words[0], env.get("PATH"), cwd=cwd or caller.cwd)
            if isinstance(found, str):
                if "ermission" in found:
                    raise PermissionError(errno.EACCES, "Permission denied", words[0])
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", words[0])
            fds = {0: stdin or caller.stdin, 1: stdout or caller.stdout, 2: stderr or caller.stderr}
            return int(
                await self.execute(found, words, env, fds=fds, cwd=cwd or caller.cwd, account=account or caller.account)
            )

        return spawn


__all__ = ["Launching", "re"]

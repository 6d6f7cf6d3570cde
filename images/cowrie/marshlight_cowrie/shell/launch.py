"""
One simple command: its words, its redirections, and what its name stands for.

    function -> special builtin -> builtin -> file along PATH -> command of the Registry | script | binary
"""

from __future__ import annotations

import errno
from typing import Any

from . import builtins
from .assign import assign, declare_word
from .budget import DEEPEST
from .control import Exit, RedirectionFailure, Return
from .external import External
from .nodes import Assignment, Function, Simple
from .quoting import set_quoted
from .redirect import redirected
from .variables import ReadOnly, Variable

SPECIAL = (":", ".", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "trap", "unset")


class Launching(External):
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
            return 2 if self.dialect.kind == "dash" else 1
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
            self.replaced = node is self.final and not self.traps
            return int(await self.run_external(words, await self.extra_environment(node)))
        finally:
            if self.fds is fds:
                self.fds = before
            if self.outlets and name != "exec":
                await self.close_outlets()

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

"""`[[ ]]` and `test`: one set of questions, two ways to ask them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import nodes
from .patterns import compiled

if TYPE_CHECKING:
    from .nodes import Word

KINDS = {"-f": 0o100000, "-d": 0o040000, "-b": 0o060000, "-c": 0o020000, "-p": 0o010000, "-S": 0o140000}
COMPARISONS = {
    "-eq": lambda left, right: left == right,
    "-ne": lambda left, right: left != right,
    "-lt": lambda left, right: left < right,
    "-le": lambda left, right: left <= right,
    "-gt": lambda left, right: left > right,
    "-ge": lambda left, right: left >= right,
}


class Conditions:
    async def run_test(self: Any, node: nodes.Test) -> int:
        self.line = node.line
        try:
            return int(not await self.holds(node.expression))
        except re.error:
            return 2

    async def holds(self: Any, tree: tuple[Any, ...]) -> bool:
        kind = tree[0]
        if kind == "!":
            return not await self.holds(tree[1])
        if kind == "(":
            return await self.holds(tree[1])  # type: ignore[no-any-return]
        if kind == "&&":
            return await self.holds(tree[1]) and await self.holds(tree[2])
        if kind == "||":
            return await self.holds(tree[1]) or await self.holds(tree[2])
        if kind == "word":
            return bool(await self.expander.text(tree[1]))
        if len(tree) == 2:
            return bool(unary(self, kind, await self.expander.text(tree[1])))
        left = await self.expander.text(tree[1])
        if kind in ("==", "=", "!="):
            fits = compiled(await self.expander.pattern(tree[2]), ignore_case=self.option("nocasematch")).fullmatch(left)
            return bool(fits) != (kind == "!=")
        if kind == "=~":
            return await self.matches(left, tree[2])
        right = await self.expander.text(tree[2])
        if kind in COMPARISONS:
            return bool(COMPARISONS[kind](await self.expander.number(left), await self.expander.number(right)))
        return bool(binary(self, kind, left, right))

    async def matches(self: Any, text: str, word: Word) -> bool:
        source = await self.expander.expression(word)
        from .patterns import CLASSES

        source = re.sub(r"\[:(\w+):\]", lambda name: CLASSES.get(name.group(1), ""), source)
        found = searched(source, text, ignore_case=self.option("nocasematch"))
        from .variables import Variable

        groups = {at: group or "" for at, group in enumerate((found.group(), *found.groups()))} if found else {}
        self.vars.put("BASH_REMATCH", Variable(groups, array="a"))
        return found is not None


def searched(source: str, text: str, *, ignore_case: bool) -> re.Match[str] | None:
    """
    An extended regular expression, whose worst case must not be exponential: in a longer text, what repeats inside of
    what repeats is not tried again, and one of many repetitions sees the beginning of the text alone.
    """
    if len(text) > 24:
        if re.search(r"\)[*+{]", source):
            source = re.sub(r"(?<!\\)([*+}])(?![+?])", r"\1+", source)
        many = len(re.findall(r"(?<!\\)[*+]", source))
        text = text[: (65536, 65536, 4096, 512, 128)[min(many, 4)]]
    return re.compile(source, re.I if ignore_case else 0).search(text)


def unary(shell: Any, operator: str, operand: str) -> bool:
    if operator == "-z":
        return not operand
    if operator == "-n":
        return bool(operand)
    if operator == "-t":
        stream = shell.fds.get(int(operand)) if operand.strip().isdigit() else None
        return stream is not None and stream.is_tty
    if operator == "-o":
        return bool(shell.option(operand))
    if operator in ("-v", "-R"):
        found = re.fullmatch(r"(\w+)\[(.*)\]", operand)
        if found:
            if found.group(2) in ("@", "*"):
                return bool(shell.expander.elements(found.group(1)))
            return found.group(2) in shell.expander.keys(found.group(1))
        return shell.lookup(operand) is not None
    if not operand:
        return False
    path = shell.absolute(operand)
    if re.fullmatch(r"/dev/(fd/\d+|stdin|stdout|stderr)", operand):
        return operator in ("-e", "-a", "-r", "-w", "-p")
    if operator in ("-r", "-w", "-x"):
        wanted = {"-r": "read", "-w": "write", "-x": "execute"}[operator]
        try:
            shell.fs.stat(path)
            return bool(shell.fs.access(path, **{wanted: True}))
        except OSError:
            return False
    try:
        stat = shell.fs.stat(path, follow=operator not in ("-h", "-L"))
    except OSError:
        return False
    if operator in ("-e", "-a"):
        return True
    if operator in KINDS:
        return stat.mode & 0o170000 == KINDS[operator]
    if operator in ("-h", "-L"):
        return stat.mode & 0o170000 == 0o120000
    if operator == "-s":
        return stat.size > 0
    if operator in ("-g", "-u", "-k"):
        return bool(stat.mode & {"-g": 0o2000, "-u": 0o4000, "-k": 0o1000}[operator])
    if operator == "-O":
        return stat.uid == shell.account.uid
    if operator == "-G":
        return stat.gid == shell.account.gid
    return operator == "-N"


def binary(shell: Any, operator: str, left: str, right: str) -> bool:
    if operator in ("=", "=="):
        return left == right
    if operator == "!=":
        return left != right
    if operator == "<":
        return left < right
    if operator == ">":
        return left > right

    def stat(name: str) -> Any:
        try:
            return shell.fs.stat(shell.absolute(name))
        except OSError:
            return None

    one, other = stat(left), stat(right)
    if operator == "-ef":
        return one is not None and other is not None and one.inode == other.inode
    if operator == "-nt":
        return one is not None and (other is None or one.mtime > other.mtime)
    return other is not None and (one is None or one.mtime < other.mtime)

"""
BusyBox as the program behind every link: the applet that it was called by, or the first operand of `busybox`.

    /bin/ls -> busybox: args[0] is "ls"          busybox wget -> args become "wget"
"""

from __future__ import annotations

import posixpath
import textwrap
from typing import TYPE_CHECKING

from ...machine import busybox as facts
from ..commands import guarded
from ..dialect import ASH
from ..programs import shell_program
from . import usage
from .catalogue import Catalogue

if TYPE_CHECKING:
    from ..ports import Process

#: `--help` is an operand to them.
NO_HELP = frozenset("[ [[ test true false echo".split())


async def run(p: Process, catalogue: Catalogue) -> int:
    name = posixpath.basename(p.args[0]).lstrip("-")
    persona = p.host.persona
    have = facts.applets(persona)
    if name.startswith("busybox") and name not in have:
        words = p.args[1:]
        if words[:1] == ["--help"] and len(words) > 1:
            words = [words[1], "--help"]
        if not words or words[0] == "--help":
            p.out(overview(p, have))
            return 0
        if words[0] in ("--list", "--list-full"):
            places = facts.places() if words[0] == "--list-full" else {}
            p.out("".join(f"{places.get(one, one)}\n" for one in have))
            return 0
        if words[0] == "--install":
            return 0
        name = posixpath.basename(words[0])
        if name == "busybox":
            p.args = words
            return await run(p, catalogue)
        p.args = words
    if name not in have:
        p.stderr.write(f"{name}: applet not found\n".encode("utf-8", "surrogateescape"))
        return 127
    if p.args[1:] == ["--help"] and name not in NO_HELP:
        p.stderr.write(usage.shown(p, name).encode())
        return 0
    if name in ("sh", "ash"):
        return await shell_program(p, ASH)
    p.args = [name, *p.args[1:]]
    return await guarded(catalogue.applet(name))(p)


def overview(p: Process, have: list[str]) -> str:
    listed = textwrap.wrap(", ".join(have), 72, initial_indent="\t", subsequent_indent="\t", break_on_hyphens=False, break_long_words=False, expand_tabs=False)
    heading = facts.read()["heading"]
    return f"{facts.banner(p.host.persona)} multi-call binary.\n{heading}Currently defined functions:\n" + "\n".join(listed) + "\n"

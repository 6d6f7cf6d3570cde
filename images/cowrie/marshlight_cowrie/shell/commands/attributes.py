"""Attributes of the file system: lsattr and chattr."""

from __future__ import annotations

import stat as modes
from typing import TYPE_CHECKING

from .options import Usage, parse
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

ATTRIBUTES = "suSDiadAcEjItTeCxFNPVm"


async def lsattr(p: Process) -> int:
    options = parse(p, "RVadlpv", status=1, hint=False)
    status = 0
    marks = p.host_marks if hasattr(p, "host_marks") else p.notes.setdefault("attributes", {})
    for name in options.operands or ["."]:
        try:
            stat = p.fs.stat(p.path(name), follow=False)
            inner = modes.S_ISDIR(stat.mode) and "d" not in options
            names = [f"{name}/{child}" for child in sorted(p.fs.listdir(p.path(name))) if "a" in options or child[0] != "."] if inner else [name]
        except OSError as error:
            p.err(f"{strerror(error)} while trying to stat {name}")
            status = 1
            continue
        for one in names:
            held = marks.get(p.path(one), "e")
            p.out("".join(letter if letter in held else "-" for letter in ATTRIBUTES[:22]) + f" {one}\n")
    return status


async def chattr(p: Process) -> int:
    words = [word for word in p.args[1:] if word not in ("-R", "-V", "-f")]
    changes = [word for word in words if word[:1] in "+-=" and len(word) > 1]
    names = [word for word in words if word not in changes]
    bad = next((word for word in changes if word.strip("+-=" + ATTRIBUTES)), None)
    if not changes or not names or bad:
        if changes and not bad and not names or not changes:
            p.err("Must use '-v', =, - or +") if not changes and words else None
        usage = "Usage: chattr [-pRVf] [-+=aAcCdDeijPsStTuFx] [-v version] files...\n"
        raise Usage(usage)
    status = 0
    marks = p.notes.setdefault("attributes", {})
    for name in names:
        try:
            p.fs.stat(p.path(name))
        except OSError as error:
            p.err(f"{strerror(error)} while trying to stat {name}")
            status = 1
            continue
        if p.account.uid != 0:
            p.err(f"Operation not permitted while setting flags on {name}")
            status = 1
            continue
        held = set(marks.get(p.path(name), "e"))
        for change in changes:
            letters = set(change[1:])
            held = held | letters if change[0] == "+" else held - letters if change[0] == "-" else letters
        marks[p.path(name)] = "".join(sorted(held))
    return status


COMMANDS = {"lsattr": lsattr, "chattr": chattr}

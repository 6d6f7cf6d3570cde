"""du: what a tree takes of the disk."""

from __future__ import annotations

import stat as modes
from typing import TYPE_CHECKING

from .listing_rows import blocks_of, human
from .options import complain, parse
from .wording import quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process


async def du(p: Process) -> int:
    options = parse(p, "0abB:cDd:hHkLlmPsStX:x", "all:a apparent-size bytes:b total:c max-depth=:d human-readable:h summarize:s exclude= one-file-system:x block-size=:B")
    most = 0 if "s" in options else int(options.text("d", "9999"))
    total = status = 0

    def told(kb: float, name: str) -> None:
        text = human(kb * 1024) if "h" in options else str(int(kb * 1024)) if "b" in options else str(-(-int(kb) // (1024 if "m" in options else 1)))
        p.out(f"{text}\t{name}\n")

    def size_of(node: object) -> float:
        return node.size / 1024 if "b" in options or "apparent-size" in options else blocks_of(node)  # type: ignore[attr-defined, arg-type]

    def walk(name: str, depth: int) -> float:
        nonlocal status
        node = p.fs.stat(p.path(name), follow=False)
        kb = size_of(node)
        if not modes.S_ISDIR(node.mode):
            if depth == 0 or "a" in options and depth <= most:
                told(kb, name)
            return kb
        try:
            for child in p.fs.listdir(p.path(name)):
                if child not in (".", ".."):
                    kb += walk(f"{name.rstrip('/')}/{child}", depth + 1)
        except OSError as error:
            complain(p, f"cannot read directory {quoted(name)}: {strerror(error)}")
            status = 1
        if depth <= most:
            told(kb, name)
        return kb

    for name in options.operands or ["."]:
        try:
            total += walk(name, 0)
        except OSError as error:
            complain(p, f"cannot access {quoted(name)}: {strerror(error)}")
            status = 1
    if "c" in options:
        told(total, "total")
    return status


COMMANDS = {"du": du}

"""sed: options and scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .inputs import whole
from .options import Usage, parse
from .sed_edits import BadScript
from .sed_run import Run
from .sed_script import read_script
from .wording import strerror

if TYPE_CHECKING:
    from ..ports import Process

USAGE = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n"


async def sed(p: Process) -> int:
    options = parse(
        p,
        "nEre:f:i::l:suz",
        "quiet:n silent:n expression=:e file=:f in-place=?:i regexp-extended:E separate:s unbuffered:u null-data:z "
        "version help posix debug sandbox follow-symlinks line-length=:l",
        hint=False,
    )
    if "version" in options:
        p.out("sed (GNU sed) 4.9\n")
        return 0
    operands = list(options.operands)
    pieces = []
    for name, value in options.given:
        if name == "e":
            pieces.append(value)
        elif name == "f":
            try:
                text = (await whole(p, value)).decode("utf-8", "surrogateescape").removesuffix("\n")
            except OSError as error:
                raise Usage(f"sed: couldn't open file {value}: {strerror(error)}\n", 4) from None
            pieces.append(text.partition("\n")[2] if text.startswith("#!") else text)
    if not pieces:
        if not operands:
            raise Usage(USAGE, 1 if len(p.args) > 1 else 1)
        pieces.append(operands.pop(0))
    try:
        edits = read_script("\n".join(pieces), options.any("Er"))
    except BadScript as error:
        where = f"-e expression #1, char {error.at}" if error.at >= 0 else "-e expression #1"
        text = f"sed: {where}: {error.text}\n" if error.at >= 0 else f"sed: {error.text}\n"
        raise Usage(text) from None
    if not options.any("is"):
        return await Run(p, options, edits).over(operands or ["-"], None)
    status = 0
    for name in operands or ["-"]:
        target = name if "i" in options else None
        status = max(status, await Run(p, options, edits).over([name], target))
    return status


COMMANDS = {"sed": sed}

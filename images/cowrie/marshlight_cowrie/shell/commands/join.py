"""Two sorted files by a common field: join."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .inputs import bare, whole
from .options import complain, parse, refuse
from .wording import if_needed, strerror

if TYPE_CHECKING:
    from ..ports import Process


async def join(p: Process) -> int:
    options = parse(p, "a:e:ij:o:t:v:1:2:", "ignore-case:i check-order nocheck-order header")
    if len(options.operands) != 2:
        raise refuse(p, "missing operand" if not options.operands else f"missing operand after ‘{options.operands[-1]}’")
    separator = options.value("t")
    fields = [int(options.text(side, options.text("j", "1"))) - 1 for side in "12"]
    tables = []
    for name in options.operands:
        try:
            lines = bare(await whole(p, name))
        except OSError as error:
            complain(p, f"{if_needed(name)}: {strerror(error)}")
            return 1
        tables.append([line.decode("utf-8", "surrogateescape").split(separator) for line in lines])
    between = separator or " "

    def key(row: list[str], side: int) -> str:
        text = row[fields[side]] if fields[side] < len(row) else ""
        return text.lower() if "i" in options else text

    def told(left: list[str] | None, right: list[str] | None) -> None:
        some = left if left is not None else right or []
        text = key(some, 0 if left is not None else 1)
        if "o" in options and options.text("o") != "auto":
            cells = []
            for spec in re.split(r"[ ,]+", options.text("o")):
                file, _, index = spec.partition(".")
                row = left if file == "1" else right
                cells.append(text if spec == "0" else row[int(index) - 1] if row and int(index) <= len(row) else options.text("e"))
        else:
            cells = [text]
            for side, row in enumerate((left, right)):
                cells += [cell for index, cell in enumerate(row or []) if index != fields[side]]
        p.out(between.join(cells) + "\n")

    left, right = tables
    only, also = options.values("v"), options.values("a")
    # Both are walked at once, as sorted files are: what has no partner is told where it stands.
    one = two = 0
    while one < len(left) or two < len(right):
        if two == len(right) or one < len(left) and key(left[one], 0) < key(right[two], 1):
            if "1" in [*only, *also]:
                told(left[one], None)
            one += 1
        elif one == len(left) or key(left[one], 0) > key(right[two], 1):
            if "2" in [*only, *also]:
                told(None, right[two])
            two += 1
        else:
            same = key(left[one], 0)
            end_one = next((at for at in range(one, len(left)) if key(left[at], 0) != same), len(left))
            end_two = next((at for at in range(two, len(right)) if key(right[at], 1) != same), len(right))
            for row in left[one:end_one] if not only else ():
                for other in right[two:end_two]:
                    told(row, other)
            one, two = end_one, end_two
    for number, table in enumerate(tables, 1):
        keys = [key(row, number - 1) for row in table]
        for at in range(1, len(keys)):
            if keys[at] < keys[at - 1] and "nocheck-order" not in options:
                line = between.join(table[at])
                complain(p, f"{options.operands[number - 1]}:{at + 1}: is not sorted: {line}")
                complain(p, "input is not in sorted order")
                return 1
    return 0


COMMANDS = {"join": join}

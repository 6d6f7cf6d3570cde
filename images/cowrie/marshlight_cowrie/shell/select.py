"""`select`: a numbered list, a question, and the body for each answer."""

from __future__ import annotations

from typing import Any

from .nodes import For


async def run_select(shell: Any, node: For, values: list[str]) -> int:
    if not values:
        return 0
    width = len(str(len(values)))
    shell.loops += 1
    status = 0
    show = True
    try:
        while True:
            if show:
                shell.say_error("".join(f"{at:{width}d}) {value}\n" for at, value in enumerate(values, 1)))
            ps3 = shell.vars.get("PS3")
            shell.say_error("#? " if ps3 is None else ps3)
            line = await shell.fds[0].readline() if 0 in shell.fds else b""
            if not line:
                shell.say_error("\n")
                return 1
            answer = line.decode("utf-8", "surrogateescape").rstrip("\n")
            shell.vars.set("REPLY", answer)
            show = not answer.strip()
            if show:
                continue
            number = int(answer) if answer.strip().isdigit() else 0
            shell.vars.set(node.name, values[number - 1] if 0 < number <= len(values) else "")
            if not await shell.run_body(node.body):
                return int(shell.status)
            status = shell.status
    finally:
        shell.loops -= 1
    return int(status)

"""Assignments: of texts, of items, of whole arrays; integers are calculated, cases changed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .arithmetic import evaluate
from .nodes import Assignment
from .quoting import set_quoted
from .variables import ReadOnly, Variable


async def assign(shell: Any, node: Assignment, *, local: bool = False) -> str:
    """Does it; gives what `set -x` shows of it."""
    shown = node.name + (f"[{node.index.source}]" if node.index is not None else "") + ("+=" if node.append else "=")
    if node.elements is not None:
        await assign_array(shell, node)
        return shown + "(" + " ".join(word.source for _, word in node.elements) + ")"
    value = await shell.expander.value(node.value)
    found = shell.vars.find(node.name)
    if found is not None and found.integer:
        before = evaluate(found.text or "0", shell) if node.append and node.index is None else 0
        value = str(evaluate(value, shell) + before)
        store(shell, node, value, await index_of(shell, node), append=False)
        return shown + value
    store(shell, node, value, await index_of(shell, node), append=node.append)
    return shown + set_quoted(value)


async def index_of(shell: Any, node: Assignment) -> int | str | None:
    if node.index is None:
        return None
    key = await shell.expander.key(node.name, node.index.source, node.index)
    return key  # type: ignore[no-any-return]


def store(shell: Any, node: Assignment, value: str, key: int | str | None, *, append: bool) -> None:
    if key is not None:
        shell.vars.set_item(node.name, key, value, append=append)
    else:
        shell.vars.set(node.name, value, append=append)
        if shell.option("allexport"):
            shell.vars.export(node.name)


async def assign_array(shell: Any, node: Assignment) -> None:
    old = shell.vars.find(node.name) or Variable()
    if old.readonly:
        raise ReadOnly(node.name)
    associative = old.array == "A"
    items: dict[Any, str] = {}
    if node.append:
        items = dict(old.value) if isinstance(old.value, dict) else {0: old.value} if old.value is not None else {}
    at = max((int(key) for key in items), default=-1) + 1 if not associative else 0
    pairs = [(index, word) for index, word in node.elements or []]
    if associative and pairs and all(index is None for index, _ in pairs):
        flat = await shell.expander.words([word for _, word in pairs])
        items.update(zip(flat[::2], [*flat[1::2], ""]))
        pairs = []
    for index, word in pairs:
        if index is not None:
            key = await shell.expander.text(index) if associative else evaluate(await shell.expander.text(index), shell)
            items[key] = await shell.expander.value(word)
            at = key + 1 if isinstance(key, int) else at
        else:
            for text in await shell.expander.words([word]):
                items[at] = str(evaluate(text, shell)) if old.integer else text
                at += 1
    shell.vars.put(node.name, replace(old, value=items, array=old.array or "a"))


async def declare_word(shell: Any, node: Assignment) -> str:
    """`name=value` as `declare` and its kin get it; arrays are kept for them in `declared`."""
    if node.elements is not None:
        return node.name
    name = node.name + (f"[{await shell.expander.text(node.index)}]" if node.index is not None else "")
    return f"{name}{'+' if node.append else ''}={await shell.expander.value(node.value)}"


def split_assignment(text: str) -> tuple[str, str | None, bool, str | None]:
    """name, subscript, whether appended, value (None without `=`)."""
    found = re.match(r"([A-Za-z_]\w*)(?:\[(.*?)\])?(\+?=)?", text, re.S)
    if not found or (not found.group(3) and found.end() != len(text)):
        return text, None, False, None
    if not found.group(3):
        return found.group(1), found.group(2), False, None
    return found.group(1), found.group(2), found.group(3) == "+=", text[found.end() :]

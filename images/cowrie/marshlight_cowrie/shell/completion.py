"""Tab: commands for the first word, names of files for the others. Pure but for the file system it looks at."""

from __future__ import annotations

import re
from os.path import commonprefix
from typing import Any

from . import builtins
from .builtins_names import KEYWORDS


def complete(shell: Any, line: str) -> tuple[str, list[str]]:
    """What to add to the line, and, when nothing can be added, what it could be."""
    word = re.split(r"[\s;|&<>()`]", line)[-1]
    before = line[: len(line) - len(word)].rstrip()
    first = not before or before[-1] in ";|&(`"
    if first and "/" not in word:
        found = commands(shell, word)
        shown = found
    else:
        found, shown = names(shell, word, only_folders=bool(re.match(r"\s*(cd|pushd|rmdir)\s", line)))
    if not found:
        return "", []
    common = commonprefix(found)
    added = common[len(word) :]
    if len(found) == 1:
        return escaped(added) + ("" if found[0].endswith("/") else " "), []
    return (escaped(added), []) if added else ("", shown)


def commands(shell: Any, word: str) -> list[str]:
    found = set(builtins.names(shell)) | set(KEYWORDS) | set(shell.functions) | set(shell.aliases)
    for folder in (shell.vars.get("PATH") or "").split(":"):
        try:
            found |= set(shell.fs.listdir(folder))
        except OSError:
            continue
    return sorted(name for name in found if name.startswith(word))


def names(shell: Any, word: str, *, only_folders: bool) -> tuple[list[str], list[str]]:
    folder, slash, start = word.rpartition("/")
    where = folder + slash
    looked = where
    if looked.startswith("~/"):
        looked = (shell.vars.get("HOME") or "") + looked[1:]
    try:
        listed = sorted(shell.fs.listdir(shell.absolute(looked) if looked else shell.cwd))
    except OSError:
        return [], []
    found, shown = [], []
    for name in listed:
        if not name.startswith(start) or (name.startswith(".") and not start):
            continue
        try:
            is_folder = shell.fs.stat(f"{shell.absolute(looked or '.').rstrip('/')}/{name}").mode & 0o170000 == 0o040000
        except OSError:
            is_folder = False
        if only_folders and not is_folder:
            continue
        found.append(where + name + ("/" if is_folder else ""))
        shown.append(name + ("/" if is_folder else ""))
    return found, shown


def escaped(text: str) -> str:
    return re.sub(r"([\s'\"\\$`;|&<>()*?\[\]])", r"\\\1", text)


def columns(shown: list[str], width: int) -> str:
    """As readline lays them out: down, then across."""
    widest = max(len(name) for name in shown) + 2
    across = max(1, width // widest)
    rows = -(-len(shown) // across)
    lines = []
    for row in range(rows):
        cells = shown[row::rows]
        lines.append("".join(cell.ljust(widest) for cell in cells[:-1]) + cells[-1])
    return "\n".join(lines) + "\n"

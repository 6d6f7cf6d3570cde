"""What lies in a share: those of the persona's files that are below its folder. Nothing of it can be changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...persona import File, Persona

FOLDER_MODE = 0o755
READABLE = 0o004
BLOCK = 4096


@dataclass
class Node:
    """A file, or a folder where `content` is None. `path`: below the share, with a backslash before each name."""

    name: str
    path: str
    changed: float
    content: bytes | None
    mode: int = FOLDER_MODE
    uid: int = 0
    gid: int = 0
    number: int = 0
    inside: dict[str, Node] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        return self.content is None

    @property
    def readable(self) -> bool:
        """By a guest, who owns nothing here."""
        return bool(self.mode & READABLE)

    @property
    def size(self) -> int:
        return 0 if self.content is None else len(self.content)

    @property
    def allocated(self) -> int:
        return -(-self.size // BLOCK) * BLOCK

    @property
    def hidden(self) -> bool:
        return self.name.startswith(".") and self.name not in (".", "..")


def pairs(text: str) -> dict[str, str]:
    """`name=value` separated by `;`."""
    pieces = (piece.partition("=") for piece in text.split(";"))
    return {name.strip(): value.strip() for name, _, value in pieces if name.strip()}


def share_of(persona: Persona, folder: str) -> Node:
    """The folder of a share as a tree; names are found whatever their case."""
    base = folder.replace("\\", "/").rstrip("/") + "/"
    root = Node("", "", persona.booted_at, None, number=number_of(base))
    for file in persona.files:
        path = file.path.replace("\\", "/")
        if path.lower().startswith(base.lower()):
            add(root, path[len(base) :].split("/"), file, base)
    return root


def add(root: Node, names: list[str], file: File, base: str) -> None:
    at = root
    # A folder is as old as the newest that lies in it.
    at.changed = file.modified_at if not at.inside else max(at.changed, file.modified_at)
    for name in names[:-1]:
        made = at.inside.setdefault(name.lower(), Node(name, f"{at.path}\\{name}", 0.0, None))
        made.number = made.number or number_of(base + made.path)
        made.changed = max(made.changed, file.modified_at)
        if not made.is_folder:
            return
        at = made
    name = names[-1]
    path = f"{at.path}\\{name}"
    at.inside[name.lower()] = Node(
        name, path, file.modified_at, file.content, file.mode, file.uid, file.gid, number_of(base + path)
    )


def number_of(path: str) -> int:
    """As a file system numbers its files: some million, the same at each visit."""
    return 1 << 20 | int.from_bytes(hashlib.sha256(path.encode()).digest()[:3], "big")


def found(root: Node, names: list[str]) -> Node | None:
    at: Node | None = root
    for name in names:
        at = at.inside.get(name.lower()) if at is not None and at.is_folder else None
    return at


def entries(folder: Node, pattern: str) -> Iterator[tuple[str, Node]]:
    """What a listing shows, itself and the folder above first."""
    wanted = pattern.lower()
    for name, node in ((".", folder), ("..", folder), *((node.name, node) for node in folder.inside.values())):
        if fits(name.lower(), wanted):
            yield name, node


def fits(name: str, pattern: str) -> bool:
    """The wildcards of MS-FSA, 2.1.4.4: those of DOS mean the same here. Linear in both, whatever the pattern."""
    pattern = pattern.replace("<", "*").replace(">", "?").replace('"', ".")
    if pattern in ("*", "*.*"):
        return True
    at = star = mark = 0
    star = -1
    place = 0
    while at < len(name):
        if place < len(pattern) and (pattern[place] == "?" or pattern[place] == name[at]) and pattern[place] != "*":
            at, place = at + 1, place + 1
        elif place < len(pattern) and pattern[place] == "*":
            star, mark, place = place, at, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return all(letter == "*" for letter in pattern[place:])

"""The agent's files: read whole, noticed when they change; what this side writes is whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Stamp = tuple[int, int, int]
NO_FILE: Stamp = (0, 0, 0)


class Refused(Exception):
    """A control file that cannot be used; what is in force stays."""


@dataclass(frozen=True)
class Context:
    """Which decoy this is, and the revision of the plan that it plays."""

    decoy: str
    revision: int


class Watched:
    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        self.seen: tuple[Stamp, ...] = ()

    def changed(self) -> bool:
        """Whether a file is another than at the last call; the first call says yes."""
        now = tuple(stamp(path) for path in self.paths)
        different = now != self.seen
        self.seen = now
        return different


def contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path.name}: {error.strerror}") from None


def stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return NO_FILE
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def replace(path: Path, data: bytes) -> None:
    """Whole or not at all: a reader never sees half a file."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with open(unfinished, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)

"""
What attackers left, over restarts of the service. One file an overlay, long contents beside them by their digest.

    FOLDER/<digest of the key>.json {"key", "accounts", "keys", "names", "gone"}      FOLDER/blobs/<digest>

Bounded: the overlay that was used longest ago goes first. A file that cannot be read is set aside as *.corrupt and told.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import saved
from .node import Spooled
from .overlay import Overlay

MOST_OVERLAYS = 64
MOST_BYTES = 64 << 20


@dataclass
class Owner:
    """By what an attacker is known again, besides his address: accounts he made, keys he planted."""

    accounts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    #: Whether he changed files; one who only came is forgotten first.
    left: bool = True


class Store:
    def __init__(self, folder: Path, most: int = MOST_OVERLAYS, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self.most, self.most_bytes = folder, most, most_bytes
        self.blobs = folder / "blobs"
        self.owners: dict[str, Owner] = {}
        self.blobs.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime):
            self._remember(path)
        self.trim()

    def put(self, data: bytes) -> Spooled:
        digest = hashlib.sha256(data).hexdigest()
        if not (self.blobs / digest).exists():
            replace(self.blobs / digest, data)
        return Spooled(digest, len(data))

    def get(self, data: Spooled) -> bytes:
        try:
            return (self.blobs / data.digest).read_bytes()
        except OSError:
            # Dropped with an overlay that had the same file: as an empty one, but of its size.
            return bytes(data.size)

    def load(self, key: str, overlay: Overlay) -> None:
        path = self._path(key)
        found = self._read(path)
        if found is None:
            return
        try:
            saved.load(overlay, found)
            os.utime(path)
        except (KeyError, TypeError, ValueError, OSError) as wrong:
            self._aside(path, wrong)

    def save(self, key: str, overlay: Overlay, owner: Owner) -> None:
        self.owners.pop(key, None)
        owner.left = bool(overlay.nodes or overlay.entries)
        self.owners[key] = owner
        told = {"key": key, "accounts": owner.accounts, "keys": owner.keys, **saved.dump(overlay)}
        replace(self._path(key), json.dumps(told, separators=(",", ":")).encode())
        self.trim()

    def trim(self) -> None:
        """Drops the oldest overlays past the bounds, and then what no overlay names any more."""
        idle = {self._path(key) for key, owner in self.owners.items() if not owner.left}
        files = sorted(self.folder.glob("*.json"), key=lambda path: (path not in idle, path.stat().st_mtime), reverse=True)
        sizes = {path.name: path.stat().st_size for path in self.blobs.iterdir()}
        kept: set[str] = set()
        size = 0
        for number, path in enumerate(files):
            named = self._blobs_of(path) if len(sizes) else set()
            added = path.stat().st_size + sum(sizes.get(name, 0) for name in named - kept)
            if number >= self.most or (number > 0 and size + added > self.most_bytes):
                self._forget(path)
                continue
            size += added
            kept |= named
        for name in sizes.keys() - kept:
            (self.blobs / name).unlink(missing_ok=True)

    def _blobs_of(self, path: Path) -> set[str]:
        found = self._read(path) or {}
        return {entry["spooled"][0] for entry in found.get("names", []) if "spooled" in entry}

    def _remember(self, path: Path) -> None:
        found = self._read(path)
        if found is not None:
            self.owners[found["key"]] = Owner(found["accounts"], found["keys"], bool(found["names"] or found["gone"]))

    def _forget(self, path: Path) -> None:
        gone = [key for key in self.owners if self._path(key) == path]
        for key in gone:
            del self.owners[key]
        path.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            found = json.loads(path.read_bytes())
            lists = ("accounts", "keys", "names", "gone")
            if not isinstance(found["key"], str) or not all(isinstance(found[name], list) for name in lists):
                raise ValueError("not a saved overlay")
            return dict(found)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            self._aside(path, wrong)
            return None

    def _aside(self, path: Path, why: Exception) -> None:
        print(f"the overlay {path.name} cannot be used and is set aside: {why}", file=sys.stderr)
        os.replace(path, path.with_suffix(".corrupt"))

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:40]}.json"


def replace(path: Path, data: bytes) -> None:
    """Whole or not at all. Not forced to the disk: what an attacker left may be lost with the machine's power."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(data)
    os.replace(unfinished, path)

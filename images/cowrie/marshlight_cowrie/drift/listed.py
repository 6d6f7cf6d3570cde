"""
An attacker's layer, in which some folders list other files than they do: one is missing, one more is there, or one is as
it was days ago. Whoever asks by name meets the same, so ls, find, stat, sftp and cat agree.

    view of a session -> WithProcesses -> Listed -> Overlay -> HostLayer
                                            |
                          FileGate.listing(path): by path and window of time

Only files of the persona are chosen, by what the persona alone has there. What the attacker writes, moves or takes away
is his from then on, in the overlay: drift does nothing to it any more.
"""

from __future__ import annotations

import posixpath
import stat as st
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..tree.layer import GONE
from ..tree.node import Generated, Node
from . import altered
from .data_paths import is_data
from .draws import fraction

if TYPE_CHECKING:
    from .file_gate import FileGate

LARGEST = 256 << 10
#: Days by which something older is older.
LEAST_DAYS, MOST_DAYS = 1, 40
#: Inodes of files that came from elsewhere lie so far from their neighbours'.
FAR, SPREAD = 1 << 20, 1 << 12
MOST_FOLDERS, MOST_SHOWN = 1024, 256


@dataclass(frozen=True)
class Change:
    """`what`: missing, added or older."""

    what: str
    folder: int
    name: str
    ino: int


class Listed:
    def __init__(self, below: Any, gate: FileGate) -> None:
        self.below, self.gate = below, gate
        self.since: tuple[int, object] | None = None
        self.folders: dict[int, Change | None] = {}
        #: Files that are not as the layer below has them.
        self.shown: dict[int, tuple[Change, Node]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    # -- as Overlay has them -----------------------------------------------------------------------------------------

    def listing(self, folder: int) -> dict[str, int]:
        names: dict[str, int] = self.below.listing(folder)
        change = self.of(folder)
        if change is None or self.is_own(change):
            return names
        self.gate.noted_listing()
        if change.what == "missing":
            return {name: ino for name, ino in names.items() if name != change.name}
        return {**names, change.name: change.ino}

    def child(self, folder: int, name: str) -> int | None:
        change = self.of(folder)
        if change is None or change.name != name or self.is_own(change):
            return self.below.child(folder, name)  # type: ignore[no-any-return]
        return None if change.what == "missing" else change.ino

    def get(self, ino: int) -> Node | None:
        node = self.node(ino)
        return self.below.get(ino) if node is None else node

    def content(self, ino: int) -> bytes:
        node = self.node(ino)
        return bytes(self.below.content(ino)) if node is None else bytes(node.data)  # type: ignore[arg-type]

    def size(self, ino: int) -> int:
        node = self.node(ino)
        return int(self.below.size(ino)) if node is None else len(node.data)  # type: ignore[arg-type]

    def mtime(self, ino: int, node: Node) -> float:
        return float(self.below.mtime(ino, node)) if self.node(ino) is None else node.mtime

    def place_of(self, ino: int) -> tuple[int, str] | None:
        added = self.added(ino)
        return self.below.place_of(ino) if added is None else (added.folder, added.name)

    def path(self, ino: int) -> str | None:
        added = self.added(ino)
        return self.below.path(ino) if added is None else posixpath.join(self.below.path(added.folder) or "/", added.name)

    def change(self, ino: int) -> Node:
        self.take_over(ino)
        return self.below.change(ino)  # type: ignore[no-any-return]

    def fill(self, ino: int, data: bytes | bytearray) -> Node:
        self.take_over(ino)
        return self.below.fill(ino, data)  # type: ignore[no-any-return]

    def take(self, folder: int, name: str) -> None:
        change = self.of(folder)
        if change is None or change.what != "added" or change.name != name:
            self.below.take(folder, name)
            return
        self.take_over(change.ino)
        self.below.take(folder, name)
        if name not in self.below.entries.get(folder, ()):
            # The layers below know no such name; that it is gone has to be known all the same.
            self.below.quota.note(0, 1)
            self.below.entries.setdefault(folder, {})[name] = GONE

    # -- what is another way -----------------------------------------------------------------------------------------

    def of(self, folder: int) -> Change | None:
        now = self.gate.period
        if now != self.since:
            self.since = now
            self.folders.clear()
            # What somebody has open stays what it is; so few that it is no matter.
            older = [ino for ino, (change, _) in self.shown.items() if change.what == "older"]
            for ino in older if len(self.shown) < MOST_SHOWN else list(self.shown):
                del self.shown[ino]
        if now is None:
            return None
        if folder not in self.folders:
            if len(self.folders) >= MOST_FOLDERS:
                self.folders.clear()
            path = self.below.path(folder)
            how = self.gate.listing(path) if path else None
            self.folders[folder] = self.chosen(folder, path, how) if how is not None else None
        return self.folders[folder]

    def chosen(self, folder: int, path: str, how: float) -> Change | None:
        lower = self.below.lower
        names = lower.listing(folder)
        files = sorted(name for name, ino in names.items() if self.is_usable(posixpath.join(path, name), ino))
        if not files:
            return None
        name = files[int(fraction(how, "which") * len(files))]
        ino, node = names[name], lower.get(names[name])
        what = ("missing", "added", "older")[int(3 * how)]
        if what == "missing":
            return Change(what, folder, name, ino)
        days = LEAST_DAYS + (MOST_DAYS - LEAST_DAYS) * fraction(how, "days")
        then = float(int(lower.mtime(ino, node) - 86_400 * days))
        made = Node(node.mode, node.uid, node.gid, then, links=node.links, data=altered.earlier(lower.content(ino), how))
        if what == "added":
            name, made.links = altered.copy_name(name, how), 1
            ino += FAR + zlib.crc32(name.encode("utf-8", "surrogateescape")) % SPREAD
            if name in names or self.below.get(ino) is not None and name not in self.below.entries.get(folder, ()):
                return None
        change = Change(what, folder, name, ino)
        self.shown[ino] = (change, made)
        return change

    def is_usable(self, path: str, ino: int) -> bool:
        """A file of the persona with contents that stay, which nothing runs."""
        node = self.below.lower.get(ino)
        if node is None or not st.S_ISREG(node.mode) or node.mode & 0o111 or isinstance(node.data, Generated):
            return False
        return is_data(path) and 0 < self.below.lower.size(ino) <= LARGEST

    def is_own(self, change: Change) -> bool:
        return change.name in self.below.entries.get(change.folder, ())

    def node(self, ino: int) -> Node | None:
        found = self.shown.get(ino)
        return None if found is None or ino in self.below.nodes else found[1]

    def added(self, ino: int) -> Change | None:
        found = self.shown.get(ino)
        return None if found is None or found[0].what != "added" or ino in self.below.nodes else found[0]

    def take_over(self, ino: int) -> None:
        """The attacker changes it: it is his as he sees it."""
        node = self.node(ino)
        if node is None:
            return
        change, data = self.shown[ino][0], bytes(node.data)  # type: ignore[arg-type]
        if change.what == "added":
            self.below.quota.charge(len(data), 1)
            self.below.nodes[ino] = Node(node.mode, node.uid, node.gid, node.mtime, data=data)
            self.below.put(change.folder, change.name, ino)
        else:
            own = self.below.change(ino)
            self.below.fill(ino, data)
            own.mtime = node.mtime

"""
The persona's own machine over the base tree: its configuration, homes, devices, kernel files, and the files that the
persona brings. Built anew when the persona changes; inodes are drawn from paths, so overlays stay where they were.
"""

from __future__ import annotations

import hashlib
import os
import stat as st
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from . import devices, homes, installed, red_hat, server_config
from .base import ROOT
from .layer import Bottom, Layer
from .mounts import EVERYWHERE, Mounts
from .node import Data, Generated, Node
from .walk import Account, Walker

if TYPE_CHECKING:
    from ..life.files import Trace
    from ..persona import Persona

#: Path -> contents and permission bits, as `machine.files` gives them.
Texts = dict[str, tuple[bytes, int]]
FIRST, SPAN = 262_144, 1 << 20
GIB = 1 << 30


class HostLayer(Layer):
    def __init__(
        self,
        bottom: Bottom,
        persona: Persona,
        provide: Callable[[], Texts],
        clock: Callable[[], float],
        traces: Callable[[], Sequence[Trace]] = tuple,
    ) -> None:
        super().__init__(bottom)
        self.bottom = bottom
        self.traces = traces
        self.traced: set[str] = set()
        self.day = -1
        self.persona, self.provide, self.clock = persona, provide, clock
        self.installed_at = installed_at(persona)
        self.mounts = Mounts(disk=disk(persona))
        if persona.network and persona.network.stack == "linux-embedded":
            self.mounts.protected = frozenset()
        self.texts: Texts = {}
        self.read_at = -1.0
        self.proc: int | None = None
        #: Folders that the kernel makes up: they have no size.
        self.kernels: set[int] = set()
        self.log: int | None = None
        self._lay()

    def _lay(self) -> None:
        if self.persona.os.id in red_hat.IDS:
            self._red_hat()
        if self.bottom.tree.whole:
            installed.lay(self)
        for path, kind in EVERYWHERE.items():
            self.folder(path, 0o1777 if path in ("/dev/shm", "/run/lock") else 0o755, when=self.persona.booted_at)
            self.mounts.roots[self._ino(path)] = kind
        flash = self.persona.os.kernel.machine.startswith(("mips", "armv5"))
        for path, mode, gid, data in devices.nodes(flash=flash):
            self.put_node(path, Node(mode, 0, gid, self.persona.booted_at, links=2 if st.S_ISDIR(mode) else 1, data=data))
        self.proc = self._ino("/proc")
        homes.lay(self)
        server_config.lay(self)
        for file in self.persona.files:
            self._brought(file.path)
        self.refresh()
        for path in self.texts.keys() & {file.path for file in self.persona.files}:
            self._brought(path)
        self.log = self._ino("/var/log")

    def _brought(self, path: str) -> None:
        file = next(file for file in self.persona.files if file.path == path)
        self.file(path, file.content.encode("utf-8", "surrogateescape"), file.mode, file.uid, file.gid, file.modified_at)

    def _red_hat(self) -> None:
        for path in red_hat.gone():
            self.remove(path)
        for path in red_hat.FOLDERS:
            self.folder(path, 0o755)
        for name, size in red_hat.PROGRAMS.items():
            path = f"/usr/bin/{name}"
            self.file(path, Generated(lambda path=path, size=size: self.bottom.program(path, size), sized=True), 0o755)  # type: ignore[misc]
        for path, target in red_hat.LINKS.items():
            self.link(path, target)
        self.file("/etc/redhat-release", f"{self.persona.os.pretty_name}\n".encode(), 0o644)

    def _trace(self) -> None:
        """What life leaves behind; which files there are changes when logs are turned over."""
        before, self.traced = self.traced, set()
        for trace in self.traces():
            self.traced.add(trace.path)
            data = Generated(trace.read, sized=True, when=trace.changed, size=trace.size, book=trace.book)
            self.file(trace.path, data, trace.mode, trace.uid, trace.gid)
        for path in before - self.traced:
            self.remove(path)

    def child(self, folder: int, name: str) -> int | None:
        if folder == self.proc or (folder == self.log and self.day != int(self.clock() // 900)):
            self.refresh()
        return super().child(folder, name)

    def listing(self, folder: int) -> dict[str, int]:
        if folder == self.proc or (folder == self.log and self.day != int(self.clock() // 900)):
            self.refresh()
        return super().listing(folder)

    def get(self, ino: int) -> Node | None:
        node = super().get(ino)
        if node is not None and node.mtime == 0 and ino not in self.nodes:
            # What the installation made, and not a package.
            node.mtime = node.ctime = self.installed_at
        return node

    def size(self, ino: int) -> int:
        return 0 if ino in self.kernels else super().size(ino)

    def mtime(self, ino: int, node: Node) -> float:
        return super().mtime(ino, node) or self.installed_at

    def refresh(self) -> None:
        """Kernel files come and go with processes; looked at once a second."""
        now = self.clock()
        if 0 <= now - self.read_at < 1:
            return
        self.read_at = now
        if self.day != int(now // 900):
            self.day = int(now // 900)
            self._trace()
        before, self.texts = self.texts, self.provide()
        for path in before.keys() - self.texts.keys():
            if path.startswith("/proc/"):
                self.remove(path)
        for path, (contents, mode) in self.texts.items():
            live = path.startswith(("/proc/", "/sys/"))
            if path in before or (before and not live):
                continue
            if live:
                self.file(path, Generated(lambda path=path: self._text(path)), mode, when=now)  # type: ignore[misc]
            else:
                self.file(path, contents, mode, gid=42 if path.endswith("shadow") and self.debian else 0)

    @property
    def debian(self) -> bool:
        return self.persona.os.id in homes.DEBIAN

    def _text(self, path: str) -> bytes:
        self.refresh()
        return self.texts.get(path, (b"", 0))[0]

    def place(self, path: str) -> int | None:
        try:
            return Walker(self, Account(0, (0,))).find(path).ino
        except OSError:
            return None

    def _ino(self, path: str) -> int:
        return self.place(path) or ROOT

    def folder(self, path: str, mode: int, uid: int = 0, gid: int = 0, when: float | None = None) -> None:
        node = Node(st.S_IFDIR | mode, uid, gid, self.installed_at if when is None else when, links=2)
        self.put_node(path, node)
        if path.startswith(("/proc/", "/sys/")) and (ino := self.place(path)):
            self.kernels.add(ino)

    def file(
        self, path: str, data: Data, mode: int, uid: int = 0, gid: int = 0, when: float | None = None
    ) -> None:
        self.put_node(path, Node(st.S_IFREG | mode, uid, gid, self.installed_at if when is None else when, data=data))

    def link(self, path: str, target: str) -> None:
        self.put_node(path, Node(st.S_IFLNK | 0o777, 0, 0, self.installed_at, data=os.fsencode(target)))

    def put_node(self, path: str, node: Node) -> None:
        """Replaces what is there, through links; makes missing folders. Nothing happens where a file is in the way."""
        walker = Walker(self, Account(0, (0,)))
        above = path.rsplit("/", 1)[0] or "/"
        if self.place(above) is None and above != path:
            self.folder(above, 0o555 if above.startswith("/proc/") else 0o755, when=node.mtime)
        try:
            place = walker.find(path, follow=not node.is_link)
        except OSError:
            return
        if place.bare:
            return
        if place.ino is not None:
            there = self.get(place.ino)
            if there and there.is_dir and node.is_dir:
                kept = self.change(place.ino)
                kept.mode, kept.uid, kept.gid = node.mode, node.uid, node.gid
                return
            if there and there.is_dir != node.is_dir:
                return
        ino = place.ino or self.number(f"{place.folder}/{place.name}")
        self.nodes[ino] = node
        if place.ino is None:
            self.put(place.folder, place.name, ino)
            if node.is_dir:
                self.change(place.folder).links += 1

    def remove(self, path: str) -> None:
        """With the folder, where that is then empty: of a process that is gone nothing stays."""
        try:
            place = Walker(self, Account(0, (0,))).find(path, follow=False)
        except OSError:
            return
        if place.ino is None or place.bare:
            return
        self.take(place.folder, place.name)
        self.nodes.pop(place.ino, None)
        above = path.rsplit("/", 1)[0]
        if above.startswith("/proc/") and not super().listing(place.folder):
            self.remove(above)

    def number(self, name: str) -> int:
        ino = FIRST + zlib.crc32(name.encode("utf-8", "surrogateescape")) % SPAN
        while ino in self.nodes:
            ino += 1
        return ino


def chance(persona: Persona, name: str) -> float:
    """0 <= x < 1, always the same for this persona and name."""
    return int.from_bytes(hashlib.sha256(f"{persona.seed} {name}".encode()).digest()[:6], "big") / (1 << 48)


def installed_at(persona: Persona) -> float:
    """Some months to two years before the last start."""
    return float(int(persona.anchor - (90 + 640 * chance(persona, "installed")) * 86_400))


def disk(persona: Persona) -> tuple[int, int]:
    """Bytes used and in all: what `df` shows. An ext4 file system holds a bit less than its partition."""
    if persona.hardware.memory_kb < 600_000:
        size = (8, 16, 32, 64)[int(4 * chance(persona, "disk"))] << 20
    else:
        size = (20, 40, 60, 80, 120, 250)[int(6 * chance(persona, "disk"))] * GIB
    inside = int(size * 0.978) // 4096 * 4096
    return int(inside * (0.12 + 0.35 * chance(persona, "used"))) // 4096 * 4096, inside

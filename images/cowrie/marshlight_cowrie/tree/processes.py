"""
The processes in /proc, as one of them sees them: nothing is stored, all is made when somebody looks.

    view of a command -> WithProcesses (its own pid) -> Overlay -> HostLayer
                              |
                      Processes: session's table, or the persona's alone

Inodes from FIRST on are of here. `/proc/self` leads to the process that looks; /proc/net and /proc/mounts go by it.
"""

from __future__ import annotations

import errno
import os
import stat as st
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, Union

from ..machine import running as facts
from .node import Generated, Node
from .program_of import program

if TYPE_CHECKING:
    from ..machine.running import Running
    from ..persona import Persona
    from .overlay import Overlay

FIRST, SPAN = 1 << 28, 1 << 28
Key = tuple[Union[str, int], ...]
TOP = {"self": "{pid}", "thread-self": "{pid}/task/{pid}", "net": "self/net", "mounts": "self/mounts"}


class Processes(Protocol):
    @property
    def persona(self) -> Persona: ...
    def now(self) -> float: ...
    def pids(self) -> list[int]: ...
    def running(self, pid: int) -> Running | None: ...


class WithProcesses:
    """In the overlay's place; what it does not know itself, the overlay answers."""

    def __init__(self, below: Overlay, processes: Processes, pid: int) -> None:
        self.below, self.processes, self.pid = below, processes, pid
        self.keys: dict[int, Key] = {}
        self.numbers: dict[Key, int] = {}
        #: What stands in the folder of each process.
        self.shown: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    @property
    def proc(self) -> int:
        return getattr(self.below.lower, "proc", None) or 0

    def number(self, key: Key) -> int:
        found = self.numbers.get(key)
        if found is None:
            found = FIRST + zlib.crc32(repr(key).encode()) % SPAN
            while found in self.keys:
                found += 1
            self.numbers[key], self.keys[found] = found, key
        return found

    # -- as Layer has them -------------------------------------------------------------------------------------------

    def get(self, ino: int) -> Node | None:
        key = self.keys.get(ino)
        if key is not None:
            return self._node(key)
        found = self.below.get(ino)
        if ino == self.proc and found is not None:
            found = found.copy()
            found.mode, found.links = st.S_IFDIR | 0o555, len(self.processes.pids()) + 9
        return found

    def child(self, folder: int, name: str) -> int | None:
        key = self.keys.get(folder)
        if key is not None:
            return self._named(key, name) if name in self._names(key) else None
        if folder == self.proc:
            if name in TOP and self.processes.running(self.pid):
                return self.number((name,))
            if name.isascii() and name.isdigit():
                shown = str(int(name)) == name and self.processes.running(int(name))
                return self.number((int(name),)) if shown else None
        return self.below.child(folder, name)

    def listing(self, folder: int) -> dict[str, int]:
        key = self.keys.get(folder)
        if key is not None:
            return {name: self._named(key, name) for name in self._names(key)}
        found = self.below.listing(folder)
        if folder != self.proc:
            return found
        found = {name: ino for name, ino in found.items() if not name.isdigit()}
        found |= {str(pid): self.number((pid,)) for pid in self.processes.pids()}
        if self.processes.running(self.pid):
            found |= {name: self.number((name,)) for name in TOP}
        return found

    def content(self, ino: int) -> bytes:
        key = self.keys.get(ino)
        if key is None:
            return self.below.content(ino)
        node = self._node(key)
        if node is None:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        return node.data.make() if isinstance(node.data, Generated) else bytes(node.data)  # type: ignore[arg-type]

    def size(self, ino: int) -> int:
        key = self.keys.get(ino)
        if key is None:
            return 0 if ino == self.proc else self.below.size(ino)
        if key[-2:-1] == ("fd",):
            return 64
        return len(TOP[str(key[0])]) if key[0] in ("net", "mounts") else 0

    def mtime(self, ino: int, node: Node) -> float:
        return node.mtime if ino in self.keys else self.below.mtime(ino, node)

    def place_of(self, ino: int) -> tuple[int, str] | None:
        key = self.keys.get(ino)
        if key is None:
            return self.below.place_of(ino)
        return (self.number(key[:-1]) if len(key) > 1 else self.proc), str(key[-1])

    def path(self, ino: int) -> str | None:
        key = self.keys.get(ino)
        return self.below.path(ino) if key is None else f"/proc/{'/'.join(map(str, key))}"

    def leads(self, ino: int) -> int | None:
        """Where a link goes that is no path: what stands behind a descriptor has no name."""
        key = self.keys.get(ino)
        if key is None or len(key) < 3 or key[-2] not in ("fd", "ns"):
            return None
        target = self.content(ino)
        return None if target.startswith(b"/") else self.number((*key, target.decode()))

    def refuses(self, ino: int, uid: int) -> bool:
        """Links of another's process are for nobody but root (ptrace(2), access mode checking)."""
        key = self.keys.get(ino)
        if key is None or uid == 0 or len(key) < 2:
            return False
        one = self.processes.running(int(key[0]))
        return one is not None and one.uid != uid

    def change(self, ino: int) -> Node:
        """What may be written here (oom_score_adj ...) is taken and forgotten."""
        if ino in self.keys:
            return self._node(self.keys[ino]) or Node(st.S_IFREG | 0o444, 0, 0, 0.0)
        return self.below.change(ino)

    def fill(self, ino: int, data: bytes | bytearray) -> Node:
        return self.change(ino) if ino in self.keys else self.below.fill(ino, data)

    def owns(self, ino: int) -> bool:
        return ino in self.keys

    # -- of one process ----------------------------------------------------------------------------------------------

    def _names(self, key: Key) -> tuple[str, ...]:
        """In one of its folders."""
        pid, inside = key[0], key[1:]
        one = self.processes.running(int(pid)) if isinstance(pid, int) else None
        if one is None:
            return ()
        if inside[:1] == ("task",):
            if len(inside) == 1:
                return (str(pid),)
            inside = inside[2:]
        if not inside:
            names = self.shown = self.shown or facts.names(self.processes.persona)
            return names if len(key) == 1 else tuple(name for name in names if name != "task")
        within: Any = {"fd": one.open, "fdinfo": one.open, "ns": facts.NAMESPACES, "attr": facts.ATTRIBUTES}.get(str(inside[0]), ())
        return tuple(str(name) for name in within)

    def _named(self, key: Key, name: str) -> int:
        # A process's net is that of the machine.
        real = self.below.child(self.proc, "net") if name == "net" and (len(key) == 1 or len(key) == 3) else None
        return real or self.number((*key, name))

    def _node(self, key: Key) -> Node | None:
        now = self.processes.now()
        if key[0] in TOP:
            return Node(st.S_IFLNK | 0o777, 0, 0, now, data=TOP[str(key[0])].format(pid=self.pid).encode())
        one = self.processes.running(int(key[0]))
        if one is None:
            return None
        inside = key[3:] if key[1:2] == ("task",) and len(key) > 2 else key[1:]
        mode, data, links = self._inside(one, inside)
        return Node(mode, one.uid, one.gid, now, links=links, data=data)

    def _program(self, one: Running) -> str:
        return program(self.below.lower, one.exe) if one.exe else ""  # type: ignore[arg-type]

    def _text(self, name: str, one: Running) -> bytes:
        if name == "maps":
            one = replace(one, exe=self._program(one) or None)
        return facts.text(name, one, self.processes.persona, self.processes.now())

    def _mounts(self) -> bytes:
        ino = self.below.child(self.proc, "mounts")
        return self.below.content(ino) if ino else b""

    def _inside(self, one: Running, inside: Key) -> tuple[int, Any, int]:
        """Type and permission bits, contents, links."""
        if not inside or inside == ("task",):
            return st.S_IFDIR | 0o555, b"", 3 if inside else 9
        name = str(inside[0])
        if len(inside) == 1:
            if name in facts.FOLDERS:
                return st.S_IFDIR | facts.FOLDERS[name], b"", 2
            if name in facts.LINKS:
                target = {"cwd": one.cwd, "exe": self._program(one), "root": "/"}[name]
                return st.S_IFLNK | 0o777, target.encode("utf-8", "surrogateescape"), 1
            if name in ("mounts", "mountinfo"):
                return st.S_IFREG | 0o444, Generated(lambda: self._mounts() if name == "mounts" else facts.mountinfo(self._mounts())), 1
            return st.S_IFREG | facts.MODES.get(name, 0o444), Generated(lambda: self._text(name, one)), 1
        if len(inside) == 3:
            kinds = {"pipe": st.S_IFIFO | 0o600, "sock": st.S_IFSOCK | 0o777}
            return kinds.get(str(inside[2])[:4], st.S_IFREG | 0o444), b"", 1
        if name == "fd":
            target, mode = one.open.get(int(inside[1]), ("/dev/null", 0o700))
            return st.S_IFLNK | mode, target.encode("utf-8", "surrogateescape"), 1
        if name == "ns":
            return st.S_IFLNK | 0o777, facts.namespace(str(inside[1])).encode(), 1
        if name == "fdinfo":
            return st.S_IFREG | 0o444, Generated(lambda: b"pos:\t0\nflags:\t0100002\nmnt_id:\t15\nino:\t7\n"), 1
        return st.S_IFREG | 0o666, b"", 1

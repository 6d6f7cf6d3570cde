"""
Puts the persona's files into Cowrie's tree.

All sessions share one tree; a session that writes gets a copy. A change of persona is made in the shared tree and in
every open copy, where it replaces what came from a persona and leaves what the attacker wrote.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from . import machine, network
from .signatures import expect, expect_attribute

if TYPE_CHECKING:
    from .decoy import Decoy

NAME, TYPE, UID, GID, SIZE, MODE, CTIME, CONTENTS, TARGET, REALFILE = range(10)
LINK, DIRECTORY, FILE = 0, 1, 2
# Left in the stock tree by the container and the person it was recorded from.
TRACES = (
    "/.dockerenv",
    "/proc/docker",
    "/home/phil",
    "/etc/dpkg/dpkg.cfg.d/docker-apt-speedup",
    "/etc/apt/apt.conf.d/docker-autoremove-suggests",
    "/etc/apt/apt.conf.d/docker-clean",
    "/etc/apt/apt.conf.d/docker-no-languages",
    "/etc/apt/apt.conf.d/docker-gzip-indexes",
    "/etc/debian_version",
)


class FromPersona(bytes):
    """Contents that a later persona may replace; survives the copy of a tree."""


def install(decoy: Decoy) -> None:
    from cowrie.core import honeyfs
    from cowrie.shell import fs

    expect(honeyfs.get_tree, "()")
    expect(fs.HoneyPotFilesystem.__init__, "(self, arch, home)")
    expect(fs.HoneyPotFilesystem.file_contents, "(self, target)")
    expect_attribute(fs, "A_REALFILE")
    if [fs.A_NAME, fs.A_CONTENTS, fs.A_REALFILE] != [NAME, CONTENTS, REALFILE]:
        raise AssertionError("cowrie.shell.fs orders the fields of an entry in another way")

    copies: WeakSet[Any] = WeakSet()
    ensure = fs.HoneyPotFilesystem._ensure_private_fs
    contents = fs.HoneyPotFilesystem.file_contents

    def ensure_private_fs(self: Any) -> None:
        ensure(self)
        copies.add(self)

    def file_contents(self: Any, target: str) -> bytes:
        try:
            return contents(self, target)
        except FileNotFoundError:
            # A captured file that was fetched and dropped from the disk meanwhile.
            return b""

    fs.HoneyPotFilesystem._ensure_private_fs = ensure_private_fs
    fs.HoneyPotFilesystem.file_contents = file_contents

    tree = honeyfs.get_tree()
    for path in TRACES:
        remove(tree, path)
    remove_processes(tree)

    def follow(decoy: Decoy) -> None:
        apply(tree, decoy, shared=True)
        for copy in copies:
            apply(copy.fs, decoy, shared=False)

    decoy.on_change(follow)


def apply(tree: list[Any], decoy: Decoy, *, shared: bool) -> None:
    persona = decoy.persona
    made = machine.files(persona, network.address())
    drop_stale(tree, "/etc", made)
    drop_stale(tree, "/proc", made)
    for path, (contents, mode) in made.items():
        put(tree, path, FromPersona(contents), mode, persona.booted_at, shared=shared)
    for path, uid, gid in machine.homes(persona):
        home = directory(tree, path, persona.booted_at)
        if home is not None:
            home[UID], home[GID], home[MODE] = uid, gid, 0o40700


def put(tree: list[Any], path: str, contents: FromPersona, mode: int, when: float, *, shared: bool) -> None:
    folder, name = posixpath.split(path)
    parent = directory(tree, folder, when)
    if parent is None:
        return
    found = child(parent, name)
    if found is None or found[TYPE] != FILE:
        if found is not None:
            parent[CONTENTS].remove(found)
        found = [name, FILE, 0, 0, 0, 0o100000 | mode, when, b"", None, None]
        parent[CONTENTS].append(found)
    elif not shared and not isinstance(found[CONTENTS], FromPersona):
        return
    size = 0 if path.startswith("/proc") else len(contents)
    found[CONTENTS], found[SIZE], found[MODE] = contents, size, 0o100000 | mode


def drop_stale(tree: list[Any], path: str, made: dict[str, Any]) -> None:
    """Takes out what an earlier persona had here and this one has not: another's processes, its release files."""
    folder = find(tree, path)
    if folder is None:
        return
    for entry in list(folder[CONTENTS]):
        where = f"{path}/{entry[NAME]}"
        if entry[TYPE] == FILE and isinstance(entry[CONTENTS], FromPersona) and where not in made:
            folder[CONTENTS].remove(entry)
        elif path == "/proc" and entry[NAME].isdigit() and f"{where}/comm" not in made:
            folder[CONTENTS].remove(entry)


def remove_processes(tree: list[Any]) -> None:
    proc = find(tree, "/proc")
    if proc is not None:
        proc[CONTENTS][:] = [entry for entry in proc[CONTENTS] if not entry[NAME].isdigit()]


def remove(tree: list[Any], path: str) -> None:
    folder, name = posixpath.split(path)
    parent = find(tree, folder)
    found = parent and child(parent, name)
    if parent and found:
        parent[CONTENTS].remove(found)


def find(tree: list[Any], path: str, hops: int = 8) -> list[Any] | None:
    node: list[Any] | None = tree
    walked = ""
    for part in [part for part in path.split("/") if part]:
        if node is None or not isinstance(node[CONTENTS], list):
            return None
        node = child(node, part)
        if node is not None and node[TYPE] == LINK and node[TARGET] and hops:
            node = find(tree, posixpath.normpath(posixpath.join(walked or "/", node[TARGET])), hops - 1)
        walked = f"{walked}/{part}"
    return node


def directory(tree: list[Any], path: str, when: float) -> list[Any] | None:
    """Finds it, or makes it with its parents; None where a file stands in the way."""
    found = find(tree, path)
    if found is not None:
        return found if isinstance(found[CONTENTS], list) and found[TYPE] == DIRECTORY else None
    folder, name = posixpath.split(path.rstrip("/"))
    parent = directory(tree, folder, when)
    if parent is None or child(parent, name) is not None:
        return None
    made = [name, DIRECTORY, 0, 0, 4096, 0o40755, when, [], None, None]
    parent[CONTENTS].append(made)
    return made


def child(folder: list[Any], name: str) -> list[Any] | None:
    return next((entry for entry in folder[CONTENTS] if entry[NAME] == name), None)

"""
From a path to an inode, as path_resolution(7) has it: `.` and `..`, links, permissions of each folder on the way, and
the errors in the kernel's order. `..` goes back on the folders walked through, so no inode needs to know its parent.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from dataclasses import dataclass

from .base import ROOT
from .layer import Layer
from .node import Node

READ, WRITE, EXECUTE = 4, 2, 1
LONGEST_NAME, LONGEST_PATH, MOST_LINKS = 255, 4095, 40
STICKY, SETUID, SETGID = 0o1000, 0o4000, 0o2000


@dataclass
class Account:
    uid: int
    gids: tuple[int, ...]

    def may(self, node: Node, wanted: int) -> bool:
        if self.uid == 0:
            return not (wanted & EXECUTE) or node.is_dir or bool(node.mode & 0o111)
        if self.uid == node.uid:
            bits = node.mode >> 6
        elif node.gid in self.gids:
            bits = node.mode >> 3
        else:
            bits = node.mode
        return bits & wanted == wanted

    def owns(self, node: Node) -> bool:
        return self.uid in (0, node.uid)


@dataclass
class Place:
    """Where a path leads: folders from the root to the one that holds it, its name, its inode if there is one."""

    folders: list[int]
    name: str
    ino: int | None
    #: The path ends in a slash: it has to be a folder.
    slash: bool
    #: "/", "." or "..": ends in no name of its own.
    bare: bool = False

    @property
    def folder(self) -> int:
        return self.folders[-1]


def error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class Walker:
    #: The kernel's settings fs.protected_<name> that are on (proc(5)).
    protected: frozenset[str] = frozenset()

    def __init__(self, layer: Layer, account: Account) -> None:
        self.layer, self.account = layer, account

    def node(self, ino: int, path: str) -> Node:
        found = self.layer.get(ino)
        if found is None:
            raise error(errno.ENOENT, path)
        return found

    def parent(self, path: str) -> Place:
        """For calls that make or take away a name: the last part is looked up, and no link of it is followed."""
        names = split(path)
        if not names:
            return Place([ROOT], "/", ROOT, False, True)
        folders = self._walk(path, names[:-1])
        name, folder = names[-1], folders[-1]
        self._enter(folder, path)
        if name in (".", ".."):
            return Place(folders, name, folder, False, True)
        if len(os.fsencode(name)) > LONGEST_NAME:
            raise error(errno.ENAMETOOLONG, path)
        return Place(folders, name, self.layer.child(folder, name), path.endswith("/"))

    def find(self, path: str, *, follow: bool = True, creates: bool = False) -> Place:
        """For all others. `ino` is None where only the last part is missing. `creates`: for open with O_CREAT."""
        folders = [ROOT]
        slash = path.endswith("/")
        pending = deque(split(path))
        hops = 0
        while pending:
            name = pending.popleft()
            folder = folders[-1]
            self._enter(folder, path)
            if name == ".":
                continue
            if name == "..":
                if len(folders) > 1:
                    folders.pop()
                continue
            if len(os.fsencode(name)) > LONGEST_NAME:
                raise error(errno.ENAMETOOLONG, path)
            ino = self.layer.child(folder, name)
            node = self.layer.get(ino) if ino else None
            if ino is None or node is None:
                if pending:
                    raise error(errno.ENOENT, path)
                if creates and slash:
                    raise error(errno.EISDIR, path)
                return Place(folders, name, None, slash)
            if node.is_link and (pending or follow or slash):
                hops += 1
                target = self.target(ino)
                behind = self.layer.leads(ino)
                if behind is not None and not pending:
                    return Place(folders, name, behind, slash)
                self._may_follow(folder, node, last=not pending, path=path)
                if hops > MOST_LINKS:
                    raise error(errno.ELOOP, path)
                if target.startswith("/"):
                    folders = [ROOT]
                slash = slash or (not pending and target.endswith("/"))
                pending.extendleft(reversed([part for part in target.split("/") if part]))
            elif pending:
                folders.append(ino)
            elif slash and not node.is_dir:
                raise error(errno.EISDIR if creates else errno.ENOTDIR, path)
            else:
                return Place(folders, name, ino, slash)
        return Place(folders[:-1] or [ROOT], "", folders[-1], slash, True)

    def existing(self, path: str, *, follow: bool = True) -> tuple[int, Node]:
        place = self.find(path, follow=follow)
        if place.ino is None:
            raise error(errno.ENOENT, path)
        return place.ino, self.node(place.ino, path)

    def target(self, ino: int) -> str:
        return os.fsdecode(self.layer.content(ino))

    def _walk(self, path: str, names: list[str]) -> list[int]:
        if not names:
            return [ROOT]
        place = self.find("/" + "/".join(names))
        if place.ino is None:
            raise error(errno.ENOENT, path)
        return [*place.folders, place.ino] if place.ino != ROOT else [ROOT]

    def _enter(self, ino: int, path: str) -> None:
        node = self.node(ino, path)
        if not node.is_dir:
            raise error(errno.ENOTDIR, path)
        if not self.account.may(node, EXECUTE):
            raise error(errno.EACCES, path)

    def _may_follow(self, folder: int, link: Node, *, last: bool, path: str) -> None:
        above = self.node(folder, path)
        shared = above.mode & (STICKY | 0o002) == STICKY | 0o002
        if last and shared and "symlinks" in self.protected and link.uid not in (self.account.uid, above.uid):
            raise error(errno.EACCES, path)


def split(path: str) -> list[str]:
    if not path or "\0" in path:
        raise error(errno.ENOENT if not path else errno.EINVAL, path)
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise error(errno.ENAMETOOLONG, path)
    return [part for part in path.split("/") if part]

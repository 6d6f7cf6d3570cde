"""Random sequences of calls on the tree and on a real folder of this machine: the same results, the same errors."""

from __future__ import annotations

import json
import os
import random
import stat
import tempfile
import traceback
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linux_worlds import Ours, Real
from marshlight_cowrie.tree.base import BaseTree
from marshlight_cowrie.tree.layer import Bottom
from marshlight_cowrie.tree.mounts import Mounts
from marshlight_cowrie.tree.overlay import Overlay, Quota
from marshlight_cowrie.tree.pack import Entry, pack
from marshlight_cowrie.tree.view import View

PLAIN = 65_534
SEQUENCES, CALLS = 40, 200
NAMES = ("a", "b", "c", "d", "dir", "own")
FOLDERS = ("/w", "/w/dir", "/w/dir/own", "/shared", "/closed", "/locked", "/w/a", "/w/b", "/w/c/a")
TARGETS = ("a", "b", "dir", "../a", "/w/dir", "dir/own", "/w/dir/", "missing/x", "loop", "/", "../../shared/other")
MODES = (0o644, 0o600, 0o755, 0o700, 0o000, 0o4755, 0o2755, 0o1777, 0o2644, 0o444, 0o311)


def given(me: int) -> list[tuple[str, int, int, bytes | None]]:
    """Path, mode, owner and contents, None for a folder."""
    return [
        ("/w", 0o755, me, None),
        ("/w/dir", 0o750, me, None),
        ("/w/dir/own", 0o755, me, None),
        ("/w/dir/file", 0o640, me, b"file\n" * 30),
        ("/w/program", 0o4755, me, b"\x7fELF" + bytes(100)),
        ("/shared", 0o1777, 0, None),
        ("/shared/other", 0o644, 0, b"of root\n"),
        ("/shared/open", 0o666, 0, b"anybody's\n"),
        ("/closed", 0o755, 0, None),
        ("/closed/a", 0o600, 0, b"secret\n"),
        ("/closed/b", 0o644, 0, b"public\n"),
        ("/locked", 0o700, 0, None),
    ]


def picked(chance: random.Random, me: int) -> tuple[Any, ...]:
    """A call and its arguments."""

    def path() -> str:
        made = f"{chance.choice(FOLDERS)}/{chance.choice(NAMES)}"
        return made + chance.choices(("", "/", "/.", "/..", "/own", "/x/y"), (30, 2, 1, 1, 3, 1))[0]

    name = chance.choice(
        ("stat", "listdir", "read", "write", "write", "make", "mkdir", "mkdir", "rmdir", "unlink", "rename", "rename")
        + ("link", "symlink", "readlink", "chmod", "chown", "utime", "access")
    )
    match name:
        case "stat":
            return name, path(), chance.random() < 0.5
        case "write":
            return name, path(), chance.randbytes(chance.randrange(40)), chance.random() < 0.5, chance.choice(MODES)
        case "make" | "mkdir" | "chmod":
            return name, path(), chance.choice(MODES)
        case "rename" | "link":
            return name, path(), path()
        case "symlink":
            return name, chance.choice(TARGETS), path()
        case "chown":
            return name, path(), chance.choice((-1, me, 0)), chance.choice((-1, me, 0))
        case "utime":
            return name, path(), float(chance.randrange(1 << 30))
        case "access":
            return name, path(), chance.randrange(8)
        case _:
            return name, path()


def outcome(world: Real, call: tuple[Any, ...]) -> Any:
    try:
        return world.call(*call)
    except OSError as error:
        return os.strerror(error.errno or 0)


def built(me: int) -> View:
    entries = [Entry("/", stat.S_IFDIR | 0o755, size=4096)]
    for path, mode, owner, contents in given(me):
        kind = stat.S_IFDIR if contents is None else stat.S_IFREG
        entries.append(Entry(path, kind | mode, owner, owner, size=4096, data=contents or b""))
    base = BaseTree(pack(entries, [], {}))
    overlay = Overlay(Bottom(base, lambda path, size: bytes(size)), Quota(1 << 20, 4000), 500_000)
    return View(overlay, Mounts(protected=protected()), lambda: 1_000_000.0, me, (me,))


def protected() -> frozenset[str]:
    """As this machine's kernel has them."""
    names = ("symlinks", "hardlinks", "regular")
    return frozenset(name for name in names if Path(f"/proc/sys/fs/protected_{name}").read_text().strip() != "0")


def lay_out(root: str, me: int) -> None:
    for path, mode, owner, contents in given(me):
        if contents is None:
            os.mkdir(root + path)
        else:
            Path(root + path).write_bytes(contents)
        os.chown(root + path, owner, owner)
        os.chmod(root + path, mode)


def compare(root: str, me: int, seed: int) -> str:
    """What differs, or nothing. In a process of its own: it gives up root and stays in the folder."""
    ours = Ours(built(me))
    os.chroot(root)
    os.chdir("/")
    os.setgroups([])
    os.setgid(me)
    os.setuid(me)
    os.umask(0)
    chance = random.Random(seed)
    real = Real("")
    done = []
    for _ in range(CALLS):
        call = picked(chance, me)
        done.append(call)
        expected, found = outcome(real, call), outcome(ours, call)
        if expected != found:
            return f"seed {seed}, call {len(done)}: {call}\n Linux: {expected}\n tree:  {found}\n after {done[-12:-1]}"
    return ""


class LikeLinux(unittest.TestCase):
    def test_random_calls_give_what_linux_gives(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("lays out files of two accounts, and changes its root: needs root")
        for seed in range(SEQUENCES):
            with tempfile.TemporaryDirectory() as root, self.subTest(seed=seed):
                os.chmod(root, 0o755)
                lay_out(root, PLAIN)
                self.assertEqual(in_a_child(lambda root=root, seed=seed: compare(root, PLAIN, seed)), "")


def in_a_child(work: Callable[[], str]) -> str:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = work()
        except BaseException:
            said = traceback.format_exc()
        os.write(theirs, json.dumps(said[:30_000]).encode())
        os._exit(0)
    os.close(theirs)
    with open(ours, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return str(json.loads(told))

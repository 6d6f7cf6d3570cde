"""The same packets to the sftp-server of this machine and to ours: the same replies."""

from __future__ import annotations

import os
import random
import re
import stat as st
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import linux_test
from marshlight_cowrie.transfer import wire
from marshlight_cowrie.transfer.sftp import SftpServer
from marshlight_cowrie.tree.base import BaseTree
from marshlight_cowrie.tree.layer import Bottom
from marshlight_cowrie.tree.mounts import Mounts
from marshlight_cowrie.tree.overlay import Overlay, Quota
from marshlight_cowrie.tree.pack import Entry, pack
from marshlight_cowrie.tree.view import View

SERVER = Path("/usr/lib/openssh/sftp-server")
ME = linux_test.PLAIN


class Real:
    def __init__(self, folder: str) -> None:
        self.folder = folder
        own = {"user": ME, "group": ME, "extra_groups": []} if os.geteuid() == 0 else {}
        self.process = subprocess.Popen(
            # A log-in's usual limit, which its answer to limits@openssh.com tells.
            ["prlimit", "--nofile=1024", SERVER, "-d", folder, "-u", "022"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **own
        )

    def ask(self, packet: bytes) -> bytes:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(packet)
        self.process.stdin.flush()
        head = self.process.stdout.read(4)
        return head + self.process.stdout.read(int.from_bytes(head, "big"))

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


class Ours:
    def __init__(self, uid: int, folder: str) -> None:
        entries = [Entry("/", st.S_IFDIR | 0o755)]
        path = ""
        for part in folder.strip("/").split("/"):
            path += f"/{part}"
            entries.append(Entry(path, st.S_IFDIR | 0o755, uid if path == folder else 0, uid if path == folder else 0))
        base = BaseTree(pack(entries, [], {}))
        overlay = Overlay(Bottom(base, lambda path, size: bytes(size)), Quota(1 << 20, 4000), 500_000)
        mounts = Mounts(protected=linux_test.protected())
        view = View(overlay, mounts, lambda: 1_000_000.0, uid, (uid,))
        self.uploads: list[tuple[str, bytes]] = []
        self.server = SftpServer(view, folder, "nobody", (9, 2), lambda *one: self.uploads.append(one), lambda at: "date")

    def ask(self, packet: bytes) -> bytes:
        return self.server.feed(packet)


def request(kind: int, number: int, *parts: Any) -> bytes:
    body = b"".join(wire.u32(part) if isinstance(part, int) else wire.string(part) if isinstance(part, str) else part for part in parts)
    return wire.packet(kind, wire.u32(number) + body)


def told(reply: bytes) -> Any:
    """Without what two machines may differ in: dates, sizes of folders, the order of a listing."""
    kind, body = reply[4], wire.Reader(reply[9:])
    if kind == wire.ATTRS:
        return kind, attributes(body)
    if kind == wire.NAME:
        found = [(body.path(), body.path(), attributes(body)) for _ in range(body.u32())]
        return kind, sorted((name, shape(line), rest) for name, line, rest in found if name not in (".", ".."))
    return kind, reply[9:]


def shape(line: str) -> Any:
    """Of a long name: mode, links, the widths of owner and group, size of a file, name."""
    found = re.fullmatch(r"(\S{10}) ( +\d+) (\S+ *) (\S+ *) ( *\d+) (date|\w{3} .{8}) (.*)", line)
    if not found:
        return line
    mode, links, owner, group, size, _, name = found.groups()
    return mode, links, len(owner), len(group), "" if mode[0] == "d" else size, name


def attributes(body: wire.Reader) -> Any:
    found = body.attributes()
    folder = found.mode is not None and st.S_ISDIR(found.mode)
    return (None if folder else found.size, found.owner, found.mode)


def mode(bits: int | None) -> bytes:
    return wire.u32(0) if bits is None else wire.u32(wire.PERMISSIONS) + wire.u32(bits)


def picked(chance: random.Random, number: int) -> bytes:
    """Paths of a small folder, relative as scp and sftp send them too; handles that are there and that are not."""

    def path() -> str:
        return chance.choice(("a", "b", "c", "d/a", "d/b", "d", "e", "d/", "a/x", "./a", "d/../b", "", "."))

    handle = wire.u32(chance.randrange(4))
    bits = chance.choice((None, 0o644, 0o600, 0o4755, 0o000, 0o700))
    match chance.randrange(20):
        case 0 | 1 | 2:
            flags = chance.choice((1, 2 | 8 | 16, 2 | 8, 2 | 8 | 32, 3, 2 | 4 | 8, 1 | 8))
            return request(wire.OPEN, number, path(), flags, mode(bits))
        case 3 | 4:
            return request(wire.WRITE, number, wire.string(handle), wire.u64(chance.randrange(64)), "x" * chance.randrange(30))
        case 5:
            return request(wire.READ, number, wire.string(handle), wire.u64(chance.randrange(64)), 40)
        case 6 | 7:
            return request(wire.CLOSE, number, wire.string(handle))
        case 8:
            return request(wire.MKDIR, number, path(), mode(bits))
        case 9:
            return request(wire.RMDIR, number, path())
        case 10:
            return request(wire.REMOVE, number, path())
        case 11:
            return request(wire.RENAME, number, path(), path())
        case 12:
            return request(wire.SYMLINK, number, chance.choice(("a", "b", "d", "none")), path())
        case 13:
            return request(chance.choice((wire.STAT, wire.LSTAT)), number, path())
        case 14:
            return request(wire.SETSTAT, number, path(), mode(bits))
        case 15:
            return request(chance.choice((wire.READLINK, wire.REALPATH)), number, path())
        case 16:
            return request(wire.FSTAT, number, wire.string(handle))
        case 17:
            return request(wire.EXTENDED, number, "posix-rename@openssh.com", path(), path())
        case 18:
            return request(wire.EXTENDED, number, "hardlink@openssh.com", path(), path())
        case _:
            return request(wire.EXTENDED, number, chance.choice(("limits@openssh.com", "nothing@example.org")))


class LikeSftpServer(unittest.TestCase):
    def setUp(self) -> None:
        if not SERVER.exists():
            self.skipTest(f"this machine has no {SERVER}: the lab compares with the one of its host")
        if "9.2" not in subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr:
            self.skipTest("written for OpenSSH 9.2, which this machine has not")

    def pair(self) -> tuple[Real, Ours]:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        uid = ME if os.geteuid() == 0 else os.getuid()
        if os.geteuid() == 0:
            os.chown(folder, ME, ME)
        real = Real(folder)
        self.addCleanup(real.end)
        return real, Ours(uid, folder)

    def test_it_announces_what_the_real_one_announces(self) -> None:
        real, ours = self.pair()
        hello = wire.packet(wire.INIT, wire.u32(3))
        self.assertEqual(ours.ask(hello), real.ask(hello))

    def test_random_packets_get_the_same_replies(self) -> None:
        for seed in range(15):
            real, ours = self.pair()
            chance = random.Random(seed)
            for side in (real, ours):
                side.ask(wire.packet(wire.INIT, wire.u32(3)))
            for number in range(120):
                packet = picked(chance, number)
                expected, found = told(real.ask(packet)), told(ours.ask(packet))
                self.assertEqual(found, expected, f"seed {seed}, packet {number}: {packet!r}")
            with self.subTest(seed=seed):
                listed = [told(side.ask(request(wire.OPENDIR, 1000, "."))) for side in (real, ours)]
                handle = listed[0][1]
                self.assertEqual(listed[1], listed[0])
                again = [told(side.ask(request(wire.READDIR, 1001, handle))) for side in (real, ours)]
                self.assertEqual(again[1], again[0])

    def test_a_new_file_keeps_its_set_user_id_bit_and_one_that_is_cut_loses_it(self) -> None:
        cut = request(wire.OPEN, 1, "x", 2 | 8 | 16, mode(0o4755))
        look = request(wire.STAT, 2, "x")
        real, ours = self.pair()
        for side in (real, ours):
            side.ask(wire.packet(wire.INIT, wire.u32(3)))
        bits = []
        for packet in (cut, look, cut, look):
            expected, found = told(real.ask(packet)), told(ours.ask(packet))
            self.assertEqual(found, expected)
            bits += [found[1][2]] if packet is look else []
        self.assertEqual(bits, [0o104755, 0o100755])

    def test_an_upload_is_told_when_it_is_closed(self) -> None:
        _, ours = self.pair()
        ours.ask(wire.packet(wire.INIT, wire.u32(3)))
        ours.ask(request(wire.OPEN, 1, "x", 2 | 8 | 16, mode(0o755)))
        ours.ask(request(wire.WRITE, 2, wire.string(wire.u32(0)), wire.u64(4), "tail"))
        ours.ask(request(wire.WRITE, 3, wire.string(wire.u32(0)), wire.u64(0), "head"))
        self.assertEqual(ours.uploads, [])
        ours.ask(request(wire.CLOSE, 4, wire.string(wire.u32(0))))
        self.assertEqual([contents for _, contents in ours.uploads], [b"headtail"])

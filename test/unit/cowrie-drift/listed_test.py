"""Folders that list other files than they do: whoever asks, by list or by name, meets the same."""

from __future__ import annotations

import json
import os
import stat as st
import tempfile
import unittest
from datetime import datetime
from pathlib import Path

from marshlight_cowrie.drift.file_gate import WINDOW, FileGate
from marshlight_cowrie.drift.in_force import InForce
from marshlight_cowrie.tree.base import BaseTree
from marshlight_cowrie.tree.layer import Bottom
from marshlight_cowrie.tree.mounts import Mounts
from marshlight_cowrie.tree.overlay import Overlay, Quota
from marshlight_cowrie.tree.pack import Entry, pack
from marshlight_cowrie.tree.view import View

FOLDERS, FILES = 120, 6
TEXT = b"".join(b"row %03d of a table\n" % number for number in range(40))
MTIME = 1_700_000_000


class ListedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "drift.json"
        self.force = InForce(self.path, datetime.now, lambda: 0)
        self.put("s")
        self.at = 1e9
        entries = [Entry("/", st.S_IFDIR | 0o755), Entry("/srv", st.S_IFDIR | 0o755), Entry("/usr", st.S_IFDIR | 0o755)]
        for number in range(FOLDERS):
            entries.append(Entry(f"/srv/{number}", st.S_IFDIR | 0o755))
            entries += [
                Entry(f"/srv/{number}/file{place}.txt", st.S_IFREG | 0o644, 0, 0, MTIME, len(TEXT), TEXT) for place in range(FILES)
            ]
        entries += [Entry(f"/usr/{place}", st.S_IFREG | 0o644, 0, 0, MTIME, len(TEXT), TEXT) for place in range(FILES)]
        base = BaseTree(pack(entries, [], {}))
        self.overlay = Overlay(Bottom(base, lambda path, size: bytes(size)), Quota(1 << 20, 4000), 500_000)
        self.plain = View(self.overlay, Mounts(), lambda: self.at, 0, (0,))

    def put(self, seed):
        effects = [{"type": "alteration", "what": "listing", "share": 0.3}]
        self.path.with_suffix(".new").write_text(json.dumps({"everyone": seed and {"seed": seed, "effects": effects}, "views": []}))
        os.replace(self.path.with_suffix(".new"), self.path)
        self.force.look()

    def session(self, source="198.18.0.9"):
        return self.plain.guarded_by(FileGate(self.force.meeting(source), lambda: self.at))

    def seen(self, view):
        """Each folder by its list; each file as stat has it, and what is read of it."""
        found = {}
        for number in range(FOLDERS):
            for name in view.listdir(f"/srv/{number}"):
                stat = view.stat(f"/srv/{number}/{name}")
                found[f"/srv/{number}/{name}"] = (stat.size, stat.mtime, stat.inode, stat.mode, view.read(f"/srv/{number}/{name}"))
        return found

    def test_files_are_missing_added_and_older_and_who_asks_by_name_meets_the_same(self):
        before, now = self.seen(self.plain), self.seen(self.session())
        missing, added = before.keys() - now.keys(), now.keys() - before.keys()
        older = {path for path in now.keys() & before.keys() if now[path] != before[path]}
        for kind in (missing, added, older):
            self.assertTrue(3 <= len(kind) <= 25, kind)
        fresh = self.session()
        for path in missing:
            with self.assertRaises(FileNotFoundError):
                fresh.stat(path)
        for path in added | older:
            # By its name alone, in a session that has listed nothing.
            size, mtime, inode, mode, contents = now[path]
            stat = fresh.stat(path)
            self.assertEqual((stat.size, stat.mtime, stat.inode, stat.mode, fresh.read(path)), now[path])
            self.assertEqual(size, len(contents))
            self.assertTrue(TEXT.startswith(contents) and len(contents) > len(TEXT) * 3 // 4)
            self.assertTrue(1 <= (MTIME - mtime) / 86_400 <= 41)
            self.assertEqual(fresh.realpath(path), path)
        self.assertEqual(len({one[2] for one in now.values()}), len(now), "each has an inode of its own")
        for path in added:
            self.assertRegex(path, r"file\d\.txt(\.bak|\.old|~|\.orig|\.save)$")
        self.assertEqual(fresh.listdir("/usr"), self.plain.listdir("/usr"))
        self.assertEqual(self.seen(self.plain), before, "nothing of it is in the attacker's own layer")
        self.assertFalse(self.overlay.nodes or self.overlay.entries)

    def test_the_same_seed_and_source_give_the_same_and_it_passes(self):
        now = self.seen(self.session())
        self.assertEqual(self.seen(self.session()), now)
        self.assertNotEqual(self.seen(self.session("198.18.0.8")), now)
        open_session = self.session()
        path = sorted(now.keys() - self.seen(self.plain).keys())[0]
        with open_session.open(path, os.O_RDONLY) as file:
            self.at += WINDOW
            self.assertNotEqual(self.seen(open_session), now)
            self.assertEqual(file.read(0, 1 << 20), now[path][4], "who has it open reads on")
        self.put(None)
        self.assertEqual(self.seen(open_session), self.seen(self.plain))

    def test_what_the_attacker_does_to_them_stays(self):
        before, view = self.seen(self.plain), self.session()
        now = self.seen(view)
        added = sorted(now.keys() - before.keys())
        older = sorted(path for path in now.keys() & before.keys() if now[path] != before[path])
        missing = sorted(before.keys() - now.keys())
        view.unlink(added[0])
        view.rename(added[1], "/srv/mine")
        view.write(added[2], b"more\n", append=True)
        view.write(older[0], b"more\n", append=True)
        view.chmod(older[1], 0o600)
        view.unlink(older[2])
        view.write(missing[0], b"new\n")
        for one in (view, self.session()):
            for path in (added[0], added[1], older[2]):
                with self.assertRaises(FileNotFoundError):
                    one.stat(path)
                self.assertNotIn(os.path.basename(path), one.listdir(os.path.dirname(path)))
            self.assertEqual(one.read("/srv/mine"), now[added[1]][4])
            self.assertEqual(one.read(added[2]), now[added[2]][4] + b"more\n")
            self.assertEqual(one.read(older[0]), now[older[0]][4] + b"more\n")
            self.assertEqual((one.read(older[1]), one.stat(older[1]).mtime), (now[older[1]][4], now[older[1]][1]))
            self.assertEqual(one.read(missing[0]), b"new\n")
            self.assertIn(os.path.basename(missing[0]), one.listdir(os.path.dirname(missing[0])))
        self.put(None)
        self.assertEqual(self.plain.read(added[2]), now[added[2]][4] + b"more\n", "what he wrote is his")


if __name__ == "__main__":
    unittest.main()

from __future__ import annotations

import base64
import os
import random
import stat as st
import tempfile
import unittest
from pathlib import Path

import given
import linux_test
from marshlight_cowrie.tree import Trees, open_tree
from marshlight_cowrie.tree.overlay import Overlay, Quota
from marshlight_cowrie.tree.saved import dump, load
from marshlight_cowrie.tree.store import Store
from marshlight_cowrie.tree.view import View

# Of "Wombat7!", by `openssl passwd -6 -salt abcdefgh`.
HASH = "$6$abcdefgh$wS5xHwgbJ5JqonE/7ZmHEgtrqv5VbQ1ceTqA8H4BXFr7d/hzZl/0DU26/0Y31uTDsHLZSb6.9An/jRYB/EN6h0"


class Persistence(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def trees(self) -> Trees:
        return Trees(given.persona("rich"), store=Store(self.folder))

    def test_what_was_written_is_there_after_a_restart(self) -> None:
        trees = self.trees()
        view = trees.view("198.18.0.9", 0, (0,))
        view.mkdir("/root/.cache")
        view.write("/root/.cache/miner", os.urandom(50_000), mode=0o755)
        view.write("/etc/motd", b"mine\n", append=True)
        view.rename("/home/jmeier", "/home/old")
        view.unlink("/etc/issue")
        view.symlink("/etc/passwd", "/tmp/p")
        view.link("/root/.cache/miner", "/usr/bin/miner")
        view.chmod("/srv/backup/credentials.txt", 0o666)
        trees.save("198.18.0.9")
        after = self.trees().view("198.18.0.9", 0, (0,))
        self.assertEqual(after.read("/usr/bin/miner"), view.read("/root/.cache/miner"))
        self.assertEqual(after.stat("/usr/bin/miner").links, 2)
        self.assertEqual(after.read("/etc/motd").decode(), "Grüße aus db01\nmine\n")
        self.assertIn(".bashrc", after.listdir("/home/old"))
        self.assertNotIn("jmeier", after.listdir("/home"))
        self.assertFalse(after.access("/etc/issue"))
        self.assertEqual(after.readlink("/tmp/p"), "/etc/passwd")
        self.assertEqual(st.S_IMODE(after.stat("/srv/backup/credentials.txt").mode), 0o666)
        self.assertFalse(self.trees().view("198.18.0.10", 0, (0,)).access("/root/.cache"))

    def test_whatever_was_done_comes_back_the_same(self) -> None:
        for seed in range(30):
            view = linux_test.built(linux_test.PLAIN)
            chance = random.Random(seed)
            for _ in range(200):
                linux_test.outcome(linux_test.Ours(view), linux_test.picked(chance, linux_test.PLAIN))
            again = Overlay(view.overlay.lower, Quota(1 << 20, 4000), 500_000)
            load(again, dump(view.overlay))
            root = View(again, view.mounts, view.clock, 0, (0,))
            with self.subTest(seed=seed):
                self.assertEqual(everything(root), everything(view.as_account(0, (0,))))

    def test_the_oldest_go_first_and_their_contents_with_them(self) -> None:
        store = Store(self.folder, most=2)
        trees = Trees(given.persona("rich"), store=store)
        for number, key in enumerate(("a", "b", "c")):
            trees.view(key, 0, (0,)).write("/root/x", bytes([number]) * 40_000)
            trees.save(key)
            for path in self.folder.glob("*.json"):
                os.utime(path, (os.stat(path).st_mtime - 10,) * 2)
        self.assertEqual((list(store.owners), len(list(store.blobs.iterdir()))), (["b", "c"], 2))

    def test_a_corrupt_file_is_set_aside(self) -> None:
        trees = self.trees()
        trees.view("a", 0, (0,)).write("/root/x", b"1")
        trees.save("a")
        (saved,) = self.folder.glob("*.json")
        saved.write_bytes(b'{"key": "a", "names": 3')
        self.assertFalse(self.trees().view("a", 0, (0,)).access("/root/x"))
        self.assertEqual([path.suffix for path in self.folder.iterdir() if path.is_file()], [".corrupt"])

    def test_accounts_that_an_attacker_made_open_for_him_from_everywhere(self) -> None:
        trees = self.trees()
        root = trees.view("198.18.0.9", 0, (0,))
        self.assertIsNone(trees.opens("198.18.0.9", "root", b"x"))
        root.write("/etc/passwd", b"evil:x:0:0::/root:/bin/bash\n", append=True)
        root.write("/etc/shadow", f"evil:{HASH}:19000:0:99999:7:::\n".encode(), append=True)
        key = base64.b64encode(b"a key of the attacker").decode()
        root.mkdir("/root/.ssh")
        root.write("/root/.ssh/authorized_keys", f"ssh-ed25519 {key} me\n".encode())
        trees.save("198.18.0.9")
        later = self.trees()
        self.assertEqual(later.key_for("203.0.113.5", "evil"), "198.18.0.9")
        self.assertEqual(later.key_for("203.0.113.5", "root", key), "198.18.0.9")
        self.assertEqual(later.key_for("203.0.113.5", "root"), "203.0.113.5")
        self.assertEqual([later.opens("203.0.113.5", "evil", word) for word in (b"Wombat7!", b"x")], [True, False])
        self.assertIsNone(later.opens("203.0.113.5", "jmeier", b"x"))
        found = later.account("198.18.0.9", "evil")
        assert found
        self.assertEqual((found.uid, found.home), (0, "/root"))


def everything(view: View, path: str = "/") -> dict[str, object]:
    found = view.stat(path, follow=False)
    told: dict[str, object] = {path: (found.mode, found.uid, found.gid, found.mtime, found.links, found.target)}
    if st.S_ISREG(found.mode):
        told[path] = (told[path], view.read(path))
    if st.S_ISDIR(found.mode):
        for name in sorted(view.listdir(path)):
            told.update(everything(view, f"{path.rstrip('/')}/{name}"))
    return told


class Memory(unittest.TestCase):
    def test_a_session_that_writes_keeps_little(self) -> None:
        import tracemalloc

        view = open_tree(given.persona("rich"))
        view.write("/tmp/first", b"")
        tracemalloc.start()
        for number in range(20):
            view.write(f"/tmp/{number}", b"line\n" * 400)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertLess(kept, 200_000)

from __future__ import annotations

import dataclasses
import errno
import os
import stat as st
import struct
import unittest

import given
from marshlight_cowrie.tree import Trees, open_tree
from marshlight_cowrie.tree.base import BaseTree
from marshlight_cowrie.tree.embedded import built
from marshlight_cowrie.tree.pack import Entry, pack


class HostOfThePersona(unittest.TestCase):
    def setUp(self) -> None:
        self.view = open_tree(given.persona("rich"))

    def test_what_the_persona_brings_is_there_as_it_says(self) -> None:
        found = self.view.stat("/srv/backup/credentials.txt")
        self.assertEqual((st.S_IMODE(found.mode), found.uid, found.gid, found.mtime), (0o600, 1001, 1001, 1768210200))
        self.assertEqual(self.view.read("/etc/motd").decode(), "Grüße aus db01\n")
        self.assertEqual(self.view.read("/etc/hostname"), b"db01\n")
        home = self.view.stat("/home/jmeier")
        self.assertEqual((home.uid, st.S_IMODE(home.mode)), (1000, 0o700))
        self.assertEqual(self.view.stat("/home/jmeier/.bashrc").uid, 1000)

    def test_a_system_account_takes_no_folder_for_its_home(self) -> None:
        plain = given.persona("rich")
        system = [("bin", 2, "/bin"), ("daemon", 1, "/usr/sbin"), ("lp", 7, "/var/spool/lpd"), ("postgres", 112, "/var/lib/postgresql")]
        users = [dataclasses.replace(plain.users[0], name=name, uid=uid, gid=uid, home=home) for name, uid, home in system]
        view = open_tree(dataclasses.replace(plain, users=(*plain.users, *users)), 1000, (1000,))
        for path in ("/usr/bin", "/usr/sbin"):
            found = view.stat(path)
            self.assertEqual((found.uid, st.S_IMODE(found.mode)), (0, 0o755), path)
        self.assertIn("ls", view.listdir("/bin"))
        with self.assertRaises(FileNotFoundError):
            view.stat("/var/spool/lpd")
        found = view.stat("/var/lib/postgresql")
        self.assertEqual((found.uid, st.S_IMODE(found.mode)), (112, 0o755), "a service that runs has its folder")

    def test_accounts_see_what_their_rights_give(self) -> None:
        self.assertIn(b"root:", self.view.read("/etc/shadow"))
        user = self.view.as_account(1000, (1000,))
        for path in ("/etc/shadow", "/srv/backup/credentials.txt"):
            with self.assertRaises(PermissionError):
                user.read(path)
        with self.assertRaises(PermissionError):
            user.write("/etc/passwd", b"")
        user.write("/tmp/x", b"1")
        self.assertEqual(self.view.stat("/tmp/x").uid, 1000)

    def test_a_session_knows_what_it_wrote_and_where_that_is_now(self) -> None:
        trees = Trees(given.persona("rich"))
        view, other = trees.view("a", 0, (0,)), trees.view("a", 0, (0,))
        other.write("/tmp/of-another-session", b"0")
        view.write("/tmp/dropped", b"12345")
        view.rename("/tmp/dropped", "/usr/bin/named")
        view.as_account(1000, (1000,)).write("/tmp/as-jmeier", b"67")
        view.write("/tmp/told-elsewhere", b"8")
        view.forget_written("/tmp/told-elsewhere")
        view.write("/tmp/away", b"9")
        view.unlink("/tmp/away")
        view.write("/etc/motd", b"mine")
        view.unlink("/etc/motd")
        view.write("/tmp/empty", b"")
        view.chmod("/etc/hostname", 0o600)
        self.assertEqual(list(view.contents_written(9, 9, 99)), [("/usr/bin/named", b"12345"), ("/tmp/as-jmeier", b"67")])
        for most, largest, room, names in ((1, 9, 9, ["/usr/bin/named"]), (9, 4, 9, ["/tmp/as-jmeier"]), (9, 9, 6, ["/usr/bin/named"])):
            self.assertEqual([path for path, _ in view.contents_written(most, largest, room)], names)

    def test_kernel_files_are_made_when_they_are_read(self) -> None:
        now = [1_770_000_000.0]
        texts = {"/proc/uptime": (b"1.00 1.00\n", 0o444), "/proc/driver/rtc": (b"rtc\n", 0o644)}
        trees = Trees(given.persona("rich"), provide=lambda: dict(texts), clock=lambda: now[0])
        view = trees.view("", 0, (0,))
        self.assertEqual((view.read("/proc/uptime"), view.stat("/proc/uptime").size), (b"1.00 1.00\n", 0))
        self.assertIn("driver", view.listdir("/proc"))
        texts["/proc/uptime"] = (b"9.00 9.00\n", 0o444)
        del texts["/proc/driver/rtc"]
        now[0] += 8
        self.assertEqual(view.read("/proc/uptime"), b"9.00 9.00\n")
        self.assertNotIn("driver", view.listdir("/proc"))
        for path, number in (("/proc/x", errno.ENOENT), ("/sys/x", errno.EPERM)):
            with self.assertRaises(OSError) as refused:
                view.write(path, b"")
            self.assertEqual((refused.exception.errno, refused.exception.filename), (number, path))
        with self.assertRaises(OSError) as refused:
            view.rename("/etc/hostname", "/dev/shm/h")
        self.assertEqual(refused.exception.errno, errno.EXDEV)

    def test_devices_and_programs_read_as_what_they_are(self) -> None:
        self.assertEqual(self.view.read("/dev/null"), b"")
        with self.view.open("/dev/zero", os.O_RDONLY) as zero:
            self.assertEqual(zero.read(0, 7), bytes(7))
        self.view.write("/dev/null", b"gone")
        with self.assertRaises(OSError) as full:
            self.view.write("/dev/full", b"x")
        self.assertEqual(full.exception.errno, errno.ENOSPC)
        program = self.view.read("/bin/echo")
        self.assertEqual(len(program), self.view.stat("/bin/echo").size)
        self.assertEqual(program[:6], b"\x7fELF\x02\x01")
        self.assertEqual(struct.unpack_from("<H", program, 18)[0], 62)
        self.assertEqual(program, open_tree(given.persona("rich")).read("/bin/echo"))


class Overlays(unittest.TestCase):
    def test_attackers_do_not_see_each_other_and_the_base_stays(self) -> None:
        trees = Trees(given.persona("rich"))
        one, other = trees.view("a", 0, (0,)), trees.view("b", 0, (0,))
        one.write("/etc/hostname", b"owned\n")
        one.unlink("/bin/ls")
        one.mkdir("/root/.x")
        self.assertEqual(trees.view("a", 0, (0,)).read("/etc/hostname"), b"owned\n")
        self.assertEqual(other.read("/etc/hostname"), b"db01\n")
        self.assertTrue(other.stat("/bin/ls").size)
        self.assertNotIn("ls", one.listdir("/usr/bin"))

    def test_a_new_persona_leaves_what_the_attacker_did(self) -> None:
        trees = Trees(given.persona("rich"))
        view = trees.view("a", 0, (0,))
        view.write("/home/jmeier/kept", b"1")
        trees.play(given.persona("plain"))
        self.assertEqual(view.read("/home/jmeier/kept"), b"1")
        with self.assertRaises(FileNotFoundError):
            view.read("/srv/backup/credentials.txt")

    def test_a_full_disk_says_so_takes_nothing_and_recovers(self) -> None:
        view = open_tree(given.persona("rich"))
        view.write("/root/big", bytes(15 << 20))
        with self.assertRaises(OSError) as full:
            view.write("/root/more", bytes(2 << 20))
        self.assertEqual((full.exception.errno, full.exception.filename), (errno.ENOSPC, "/root/more"))
        view.unlink("/root/big")
        view.write("/root/more", bytes(2 << 20))
        with self.assertRaises(OSError) as full:
            for number in range(5000):
                view.mkdir(f"/tmp/{number}")
        self.assertEqual(full.exception.errno, errno.ENOSPC)
        for number in range(1000):
            view.rmdir(f"/tmp/{number}")
        view.mkdir("/tmp/again")


class OtherSystems(unittest.TestCase):
    def test_a_small_device_has_busybox_behind_its_commands(self) -> None:
        tree = BaseTree(built(["bin/ash", "sbin/ifconfig", "usr/bin/wget", "bin/bash"])).showing({"applet:ash", "applet:wget"})
        self.assertEqual([name for name, _ in tree.children(tree.child(2, "bin") or 0)], ["ash", "busybox"])
        wget = tree.child(tree.child(tree.child(2, "usr") or 0, "bin") or 0, "wget") or 0
        self.assertEqual(tree.stored(wget), b"../../bin/busybox")

    def test_a_red_hat_host_has_rpm_and_nothing_of_dpkg(self) -> None:
        persona = given.persona("rich")
        system = dataclasses.replace(persona.os, id="rocky", pretty_name="Rocky Linux 9.4 (Blue Onyx)")
        view = open_tree(dataclasses.replace(persona, os=system))
        self.assertEqual(view.read("/etc/redhat-release"), b"Rocky Linux 9.4 (Blue Onyx)\n")
        self.assertTrue(view.access("/usr/bin/yum", execute=True))
        self.assertEqual(view.read("/usr/bin/rpm")[:4], b"\x7fELF")
        self.assertFalse(any(view.access(path) for path in ("/usr/bin/dpkg", "/etc/apt", "/var/lib/dpkg")))
        self.assertTrue(view.access("/var/log/secure"))


class TreeFile(unittest.TestCase):
    def test_packages_that_a_host_does_not_have_are_not_in_its_tree(self) -> None:
        entries = [
            Entry("/", st.S_IFDIR | 0o755),
            Entry("/usr", st.S_IFDIR | 0o755),
            Entry("/usr/nginx", st.S_IFREG | 0o755, size=4000, data=None, package=1),
            Entry("/usr/ls", st.S_IFREG | 0o755, size=4000, data=None, package=0),
            Entry("/usr/text", st.S_IFREG | 0o644, data=b"word " * 1000),
        ]
        tree = BaseTree(pack(entries, [("coreutils", False), ("nginx", True)], {}))
        without, with_ = tree.showing(set()), tree.showing({"nginx"})
        usr = tree.child(2, "usr") or 0
        self.assertEqual([name for name, _ in with_.children(usr)], ["ls", "nginx", "text"])
        self.assertEqual([name for name, _ in without.children(usr)], ["ls", "text"])
        self.assertIsNone(without.child(usr, "nginx"))
        text = tree.child(usr, "text") or 0
        self.assertEqual((tree.stored(text), tree.path(text)), (b"word " * 1000, "/usr/text"))
        self.assertLess(len(tree.buffer), 1200)

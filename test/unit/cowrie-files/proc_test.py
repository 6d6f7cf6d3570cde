from __future__ import annotations

import errno
import stat as st
import unittest
from typing import Any

import given
from marshlight_cowrie.persona import Persona
from marshlight_cowrie.shell.ports import Account, Process
from marshlight_cowrie.shell.processes import SessionTable
from marshlight_cowrie.shell.streams import Null, Pipe
from marshlight_cowrie.tree import open_tree


class HostOfTest:
    def __init__(self, persona: Persona) -> None:
        self.persona: Any = persona

    def now(self) -> float:
        return 1_770_000_000.0

    def random(self, name: str) -> float:
        return 0.5


class ProcOfASession(unittest.TestCase):
    """Held against a Debian 12 (Linux 6.1): what one process finds of itself and of others."""

    def setUp(self) -> None:
        self.table = SessionTable(HostOfTest(given.persona("rich")))
        pid = self.table.new_pid()
        self.table.add(pid, 1, "jmeier", "cat /proc/self/comm", None, "R+")
        account = Account("jmeier", 1000, 1000, (1000,), "/home/jmeier", "/bin/bash")
        tree = open_tree(given.persona("rich"), 1000, (1000,))
        command = Process(
            ["cat", "/proc/self/comm"], Null(), Pipe().writer, Null(), {"HOME": "/home/jmeier"}, "/tmp", account, tree,
            self.table.host, spawn=None, pid=pid, ppid=1, tty=None,  # type: ignore[arg-type]
        )  # fmt: skip
        self.table.commands[pid] = (command, "/bin/cat")
        self.pid, self.view = pid, tree.of_process(self.table, pid)

    def test_self_is_the_process_that_looks(self) -> None:
        view, pid = self.view, self.pid
        self.assertEqual((view.readlink("/proc/self"), view.readlink("/proc/thread-self")), (str(pid), f"{pid}/task/{pid}"))
        self.assertEqual((view.readlink("/proc/self/exe"), view.readlink("/proc/self/cwd")), ("/usr/bin/cat", "/tmp"))
        self.assertEqual(view.read("/proc/self/cmdline"), b"cat\0/proc/self/comm\0")
        self.assertEqual((view.read(f"/proc/{pid}/comm"), view.read("/proc/self/environ")), (b"cat\n", b"HOME=/home/jmeier\0"))
        self.assertEqual(view.read("/proc/self/exe"), view.read("/bin/cat"))
        status = dict(line.split(":\t", 1) for line in view.read("/proc/self/status").decode().splitlines())
        self.assertEqual((status["Name"], status["Pid"], status["Uid"]), ("cat", str(pid), "1000\t1000\t1000\t1000"))
        self.assertEqual(view.stat("/proc/self/status").size, 0)
        self.assertEqual(view.realpath("/proc/self/task"), f"/proc/{pid}/task")
        self.assertIn("exe", view.listdir("/proc/self/"))
        self.assertEqual(view.read("/proc/net/arp"), view.read("/proc/self/net/arp"))

    def test_descriptors_lead_to_what_is_open(self) -> None:
        self.assertEqual(self.view.readlink("/proc/self/fd/0"), "/dev/null")
        self.assertRegex(self.view.readlink("/proc/self/fd/1"), r"^pipe:\[\d+\]$")
        self.assertTrue(st.S_ISFIFO(self.view.stat("/dev/stdout").mode))

    def test_others_tell_no_more_than_they_do(self) -> None:
        view = self.view
        self.assertEqual(view.read("/proc/1/comm")[-1:], b"\n")
        self.assertEqual(view.stat("/proc/1/exe", follow=False).target, None)
        for look in (lambda: view.readlink("/proc/1/exe"), lambda: view.read("/proc/1/environ"), lambda: view.listdir("/proc/1/fd")):
            with self.assertRaises(PermissionError):
                look()
        root = view.as_account(0, (0,))
        self.assertTrue(root.readlink("/proc/1/exe").startswith("/"))
        self.assertNotIn(b"docker", root.read("/proc/1/cgroup"))
        for what, number in ((lambda: root.unlink("/proc/1/comm"), errno.EPERM), (lambda: root.chmod("/proc/1/comm", 0), errno.EPERM), (lambda: root.mkdir("/proc/1/x"), errno.ENOENT)):
            with self.assertRaises(OSError) as refused:
                what()
            self.assertEqual(refused.exception.errno, number)

    def test_who_is_gone_has_no_folder(self) -> None:
        self.assertIn(str(self.pid), self.view.listdir("/proc"))
        self.table.remove(self.pid)
        self.assertNotIn(str(self.pid), self.view.listdir("/proc"))
        with self.assertRaises(FileNotFoundError):
            self.view.stat("/proc/self")

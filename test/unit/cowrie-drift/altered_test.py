"""What becomes of files, lists and numbers; what a log-in rests on stays."""

from __future__ import annotations

import errno
import json
import tempfile
import unittest
from datetime import datetime
from pathlib import Path

from marshlight_cowrie.drift import altered
from marshlight_cowrie.drift.course import Answer
from marshlight_cowrie.drift.data_paths import is_data
from marshlight_cowrie.drift.file_gate import WINDOW, FileGate
from marshlight_cowrie.drift.in_force import InForce

FREE = b"""\
               total        used        free      shared  buff/cache   available
Mem:         8146432     1234567      234567        1234     3456789     5678901
"""
UPTIME = b" 16:01:01 up 10 days,  2:03,  1 user,  load average: 0.62, 0.95, 0.41\n"
DF = b"Filesystem      Size  Used Avail Use% Mounted on\n/dev/sda1        49G   12G   35G  26% /\n/dev/sda15 1290592 345678 900300  26% /boot\n"


class AlteredTest(unittest.TestCase):
    def test_numbers_change_within_their_bounds_and_columns(self):
        for name, output in (("free", FREE), ("uptime", UPTIME), ("df", DF)):
            made = altered.numbers_of(name, output, 0.3)
            self.assertNotEqual(made, output)
            self.assertEqual(len(made), len(output))
            self.assertEqual(made, altered.numbers_of(name, output, 0.3))
            for before, after in zip(output.split(), made.split(), strict=True):
                if before != after:
                    old, new = (float(word.strip(b"G,")) for word in (before, after))
                    self.assertLessEqual(abs(new - old), altered.PART * old + 1, before)
        self.assertTrue(altered.numbers_of("uptime", UPTIME, 0.3).startswith(UPTIME[:46]))
        made = altered.numbers_of("df", DF, 0.3)
        self.assertTrue(made.startswith(DF[:50]) and b"/dev/sda15 " in made and made.count(b"26%") == 2)
        self.assertEqual(altered.numbers_of("ps", b"root 812 0.0 bash\n", 0.9)[:9], b"root 812 ")

    def test_versions_move_by_a_patch_level(self):
        banner = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"
        self.assertEqual(altered.version_of(banner, 0.1), banner[:-1] + b"2")
        self.assertEqual(altered.version_of(banner, 0.9), banner[:-1] + b"4")
        self.assertEqual(altered.version_of(b"ii  curl  7.88.1-10+deb12u8  amd64\n", 0.9), b"ii  curl  7.88.1-10+deb12u9  amd64\n")

    def test_files_keep_their_length(self):
        text = b"".join(b"row %04d of a table\n" % number for number in range(100))
        for change in (altered.end_of, altered.inside_of):
            made = change(text, 0.4)
            self.assertEqual(len(made), len(text))
            self.assertNotEqual(made, text)
            self.assertEqual(made.count(b"\n"), 100)
        self.assertEqual(altered.end_of(text, 0.4)[:-17], text[:-17])
        differing = sum(one != other for one, other in zip(text.split(b"\n"), altered.inside_of(text, 0.4).split(b"\n")))
        self.assertTrue(2 <= differing <= 25, differing)

    def test_what_is_data(self):
        for path in ("/home/jmeier/notes.txt", "/var/log/syslog", "/srv/a", "/etc/crontab", "/tmp/x"):
            self.assertTrue(is_data(path), path)
        for path in (
            *("/etc/passwd", "/etc/../etc/shadow", "/etc/ssh/sshd_config", "/home/jmeier/.bashrc", "/root/.ssh/authorized_keys"),
            *("/bin/ls", "/usr/bin/id", "/proc/meminfo", "/dev/null", "/var/log/lastlog", "/homes", "/etc/profile.d/a.sh"),
        ):
            self.assertFalse(is_data(path), path)


class FileGateTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "drift.json"
        effects = [{"type": "alteration", "what": what, "share": 0.3} for what in ("bytes",)]
        path.write_text(json.dumps({"everyone": {"seed": "s", "effects": effects}, "views": []}))
        force = InForce(path, datetime.now, lambda: 0)
        force.look()
        self.at = 1e9
        self.meeting = force.meeting("198.18.0.9")
        self.gate = FileGate(self.meeting, lambda: self.at)

    def test_the_first_data_file_of_an_answer_fails_and_stays_broken(self):
        self.gate.touch("/srv/a", writes=False)
        unread = []
        self.gate.unread = unread.append
        self.gate.begin(Answer(0, "disk"))
        self.gate.touch("/etc/passwd", writes=False)
        for writes, number in ((False, errno.EIO), (False, errno.EIO), (True, errno.ENOSPC)):
            with self.assertRaises(OSError) as raised:
                self.gate.touch("/srv/a", writes=writes)
            self.assertEqual(raised.exception.errno, number)
        self.assertEqual(unread, ["/srv/a"], "the kernel is told once, and of what is read alone")
        self.gate.touch("/srv/b", writes=False)
        self.gate.begin(Answer(0, None))
        self.gate.touch("/srv/a", writes=False)
        self.assertEqual([row["count"] for row in self.meeting.felt.take("m")], [1])

    def test_a_file_reads_the_same_twice_and_a_share_of_them_is_altered(self):
        text = b"a line of a file that is long enough\n" * 4
        made = {f"/srv/{number}": self.gate.contents(f"/srv/{number}", text) for number in range(1000)}
        for path, contents in made.items():
            self.assertEqual(self.gate.contents(path, text), contents)
        share = sum(contents != text for contents in made.values()) / 1000
        self.assertTrue(0.26 < share < 0.34, share)
        before = {path for path, contents in made.items() if contents != text}
        self.at += WINDOW
        self.assertNotEqual({path for path in made if self.gate.contents(path, text) != text}, before)
        self.assertEqual(self.gate.contents("/etc/passwd", text), text)


if __name__ == "__main__":
    unittest.main()

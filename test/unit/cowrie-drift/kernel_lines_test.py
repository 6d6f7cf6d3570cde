"""The kernel's words about a block that could not be read, by release; held beside lines of real machines' logs."""

from __future__ import annotations

import re
import unittest
from types import SimpleNamespace

from marshlight_cowrie.drift import kernel_lines
from marshlight_cowrie.life.doings import Doings

BOOTED = 1_700_000_000.0


def persona(release, vendor="Dell Inc.", busybox=None, machine="x86_64"):
    kernel = SimpleNamespace(release=release, machine=machine)
    os = SimpleNamespace(kernel=kernel, id="debian")
    return SimpleNamespace(
        os=os, hardware=SimpleNamespace(vendor=vendor), busybox=busybox, motd="", seed="s", booted_at=BOOTED
    )


def said(one, path="/srv/a", at=BOOTED + 90_000.25):
    return [re.sub(r"^\[ *90000\.2500\d\d\] ", "", line) for line in kernel_lines.failed_read(one, path, at)]


SECTOR = r"(\d+)"
FULL = rf"critical medium error, dev sda, sector {SECTOR} op 0x0:\(READ\) flags 0x80700 phys_seg 1 prio class"


class KernelLinesTest(unittest.TestCase):
    def test_each_release_says_it_in_its_words(self):
        for release, result, last in (
            ("6.1.0-28-amd64", r"DRIVER_OK cmd_age=\ds", f"{FULL} 2"),
            ("5.14.0-427.13.1.el9_4.x86_64", r"DRIVER_OK cmd_age=\ds", f"{FULL} 2"),
            ("5.15.0-91-generic", r"DRIVER_OK cmd_age=\ds", f"blk_update_request: {FULL} 0"),
            ("5.10.0-33-amd64", r"DRIVER_SENSE cmd_age=\ds", f"blk_update_request: {FULL} 0"),
            ("4.18.0-553.el8_10.x86_64", r"DRIVER_SENSE cmd_age=\ds", f"blk_update_request: {FULL} 0"),
            ("4.4.180+", "DRIVER_SENSE", rf"blk_update_request: critical medium error, dev sda, sector {SECTOR}"),
        ):
            lines = said(persona(release))
            self.assertEqual(len(lines), 5)
            self.assertRegex(lines[0], rf"^sd 0:0:0:0: \[sda\] tag#\d+ FAILED Result: hostbyte=DID_OK driverbyte={result}$")
            self.assertRegex(lines[1], r"tag#\d+ Sense Key : Medium Error \[current\] $")
            self.assertRegex(lines[2], r"tag#\d+ Add\. Sense: Unrecovered read error$")
            self.assertRegex(lines[4], f"^{last}$")
            sector = int(re.search(r"sector (\d+)", lines[4])[1])
            self.assertRegex(lines[3], rf"tag#\d+ CDB: Read\(10\) 28 00 {sector.to_bytes(4, 'big').hex(' ')} 00 00 08 00$")
            self.assertEqual(sector % 8, 0)

    def test_a_file_lies_where_it_lies_and_a_virtual_disk_gives_up(self):
        one = persona("6.1.0-28-amd64", "QEMU")
        last = said(one)[-1]
        self.assertRegex(last, r"^I/O error, dev sda, sector \d+ op 0x0")
        self.assertEqual(said(one)[-1], last)
        self.assertNotEqual(said(one, "/srv/b")[-1], last)
        self.assertIn("I/O process terminated", said(one)[2])
        self.assertEqual(said(persona("5.15.150", machine="mips")), [], "flash has no such disk")

    def test_it_is_told_into_the_attackers_own_logs_within_bounds(self):
        clock = [BOOTED + 100.0]
        books = Doings()
        visits = SimpleNamespace(
            now=lambda: clock[0], say=lambda key, facility, tag, text: books.say(clock[0], facility, tag, text)
        )
        decoy = SimpleNamespace(persona=persona("6.1.0-28-amd64"), visits=visits, trees=SimpleNamespace(doings=lambda key: books))
        books.say(clock[0], "auth", "sshd[1]", "kept")
        for _ in range(40):
            kernel_lines.tell(decoy, "198.18.0.9", "/srv/a")
        self.assertEqual(len(books.lines), 1 + 10 * 5, "a burst is cut off as a kernel does")
        for _ in range(200):
            clock[0] += 60
            kernel_lines.tell(decoy, "198.18.0.9", "/srv/a")
        self.assertEqual(books.lines[0].text, "kept")
        self.assertEqual(len(books.lines), 1 + kernel_lines.MOST_KEPT)


if __name__ == "__main__":
    unittest.main()

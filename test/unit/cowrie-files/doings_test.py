"""What an attacker's visits leave in the machine's books, and what happens to it when he wipes them or comes back later."""

from __future__ import annotations

import gzip
import tempfile
import unittest
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import given
from marshlight_cowrie import life
from marshlight_cowrie.shell.commands.records import USER, Record, parsed
from marshlight_cowrie.tree import Trees
from marshlight_cowrie.tree.accounts import Account
from marshlight_cowrie.tree.store import Store
from marshlight_cowrie.tree.view import View
from marshlight_cowrie.visits import Visit, Visits

DAY = 86_400.0
#: A Friday afternoon; the logs are turned over on Sunday at midnight.
NOW = datetime.fromisoformat("2026-11-20T15:20:00+01:00").timestamp()
ATTACKER, OTHER = "198.18.0.9", "198.18.0.10"
ROOT = Account("root", 0, 0, "/root", "/bin/bash", ())


class Machine(unittest.TestCase):
    def setUp(self) -> None:
        self.now = NOW
        self.persona = given.persona("rich")
        self.trees = Trees(self.persona, clock=lambda: self.now)
        decoy: Any = SimpleNamespace(persona=self.persona, trees=self.trees)
        self.visits = Visits(decoy)

    def view(self, key: str = ATTACKER) -> View:
        return self.trees.view(key, 0, (0,))

    def text(self, path: str, key: str = ATTACKER) -> str:
        return self.view(key).read(path).decode()

    def visit(self, seconds: float = 60.0, source: str = ATTACKER) -> Visit:
        visit = self.visits.connected("sshd", source, 40_000)
        self.visits.asked(visit, "root")
        self.visits.entered(visit, source, ROOT, "password")
        self.visits.terminal(visit, self.visits.free_terminal(), self.visits.next_pid())
        self.now += seconds
        visit.farewell = "11: disconnected by user"
        self.visits.left(visit)
        self.now += 5
        return visit

    def people(self, path: str, key: str = ATTACKER) -> list[Record]:
        return [one for one in parsed(self.view(key).read(path)) if one.kind == USER]


class Books(Machine):
    def test_his_visit_stands_in_all_of_them_and_another_attacker_sees_nothing_of_it(self) -> None:
        refused = self.visits.connected("sshd", ATTACKER, 39_999)
        self.visits.asked(refused, "admin")
        self.visits.refused(refused)
        self.now += 3
        self.visits.left(refused)
        visit = self.visit()
        log = self.text("/var/log/auth.log")
        for line in (
            f"sshd[{refused.pid}]: Invalid user admin from {ATTACKER} port 39999",
            f"sshd[{refused.pid}]: Failed password for invalid user admin from {ATTACKER} port 39999 ssh2",
            f"sshd[{visit.pid}]: Accepted password for root from {ATTACKER} port 40000 ssh2",
            f"sshd[{visit.pid}]: Received disconnect from {ATTACKER} port 40000:11: disconnected by user",
            f"sshd[{visit.pid}]: pam_unix(sshd:session): session closed for user root",
        ):
            self.assertIn(line, log)
        dates = [line.split(" ")[0] for line in log.splitlines()]
        self.assertEqual(sorted(dates), dates, "in the order of time, with the machine's own")
        self.assertEqual([(one.user, one.host, one.line) for one in self.people("/var/log/wtmp")][-1], ("root", ATTACKER, "pts/0"))
        self.assertEqual([one.user for one in parsed(self.view().read("/var/log/btmp"))], ["admin", "admin"])
        for path in ("/var/log/auth.log", "/var/log/wtmp", "/var/log/lastlog", "/var/log/btmp"):
            size = self.view().stat(path)
            self.assertEqual(size.size, len(self.view().read(path)), path)
            self.assertLess(self.now - size.mtime, 120, path)
        for path in ("/var/log/auth.log", "/var/log/wtmp", "/var/log/btmp"):
            self.assertNotIn(ATTACKER.encode(), self.view(OTHER).read(path), path)

    def test_a_terminal_is_nobody_elses_and_numbers_of_processes_rise(self) -> None:
        one, two = (self.visits.connected("sshd", ATTACKER, port) for port in (1, 2))
        for visit in (one, two):
            self.visits.entered(visit, ATTACKER, ROOT, "password")
            self.visits.terminal(visit, self.visits.free_terminal(), self.visits.next_pid())
        lines = [*one.terminals, *two.terminals]
        self.assertEqual(len(set(lines)), 2)
        people = life.events(self.persona, self.now - DAY, self.now + DAY / 2, ("login",))
        self.assertFalse({event.tty for event in people if event.until > self.now} & set(lines))
        self.assertGreater(two.pid, one.pid)
        self.now += 1
        here = parsed(self.view().read("/run/utmp"))
        self.assertEqual([record.line for record in here if record.host == ATTACKER], lines)


class Wiped(Machine):
    def test_a_log_that_he_emptied_goes_on_with_the_machine_and_with_his_next_visit(self) -> None:
        self.visit()
        for path in ("/var/log/auth.log", "/var/log/wtmp", "/var/log/lastlog", "/var/log/btmp"):
            self.view().write(path, b"")
            self.assertEqual(self.view().read(path), b"", path)
        self.now += 3 * 3600
        log = self.text("/var/log/auth.log")
        self.assertIn("CRON[", log, "cron goes on")
        self.assertNotIn(ATTACKER, log)
        self.visit()
        self.assertIn(f"Accepted password for root from {ATTACKER}", self.text("/var/log/auth.log"))
        self.assertEqual(len(self.people("/var/log/wtmp")), 1)
        self.assertEqual(self.view().stat("/var/log/auth.log").size, len(self.view().read("/var/log/auth.log")))

    def test_what_he_wrote_stays_where_it_stands(self) -> None:
        self.visit()
        kept = self.text("/var/log/auth.log").replace(ATTACKER, "10.9.9.9")
        self.view().write("/var/log/auth.log", kept.encode())
        self.now += 3 * 3600
        self.view().write("/var/log/auth.log", b"mine\n", append=True)
        self.now += 3 * 3600
        log = self.text("/var/log/auth.log")
        self.assertTrue(log.startswith(kept))
        before, _, after = log[len(kept) :].partition("mine\n")
        self.assertIn("CRON[", before)
        self.assertIn("CRON[", after)

    def test_one_that_another_file_took_the_place_of_no_daemon_writes_to(self) -> None:
        self.view().write("/tmp/x", b"short\n")
        self.view().rename("/tmp/x", "/var/log/auth.log")
        self.view().write("/tmp/y", b"")
        self.view().rename("/tmp/y", "/var/log/wtmp")
        self.visit(3600)
        self.assertEqual(self.text("/var/log/auth.log"), "short\n")
        self.assertEqual(len(self.people("/var/log/wtmp")), 1, "log-ins are written to the file of that name")

    def test_all_of_it_outlives_the_service(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.trees.store = Store(Path(folder))
            self.visit()
            self.view().write("/var/log/auth.log", b"mine\n")
            self.now += 2 * 3600
            self.visit()
            self.trees.save(ATTACKER)
            again = Trees(self.persona, clock=lambda: self.now, store=Store(Path(folder))).view(ATTACKER, 0, (0,))
            for path in ("/var/log/auth.log", "/var/log/wtmp", "/var/log/lastlog"):
                self.assertEqual(again.read(path), self.view().read(path), path)

    def test_the_turn_of_the_logs_takes_his_changes_along(self) -> None:
        self.visit()
        self.view().write("/var/log/auth.log", b"wiped\n")
        self.view().unlink("/var/log/syslog")
        self.now += 4 * DAY
        self.assertTrue(self.text("/var/log/auth.log.1").startswith("wiped\n"))
        self.assertNotIn("wiped", self.text("/var/log/auth.log"))
        self.assertNotIn("syslog.1", self.view().listdir("/var/log"))
        self.assertIn("CRON[", self.text("/var/log/syslog"))
        self.now += 7 * DAY
        self.assertTrue(gzip.decompress(self.view().read("/var/log/auth.log.2.gz")).startswith(b"wiped\n"))
        self.assertNotIn(b"wiped", self.view().read("/var/log/auth.log.1"))
        self.assertIn(ATTACKER, "".join(one.host for one in self.people("/var/log/wtmp.1")))


if __name__ == "__main__":
    unittest.main()

from __future__ import annotations

import dataclasses
import re
import struct
import subprocess
import tempfile
import unittest
from datetime import datetime

import given
from marshlight_cowrie import life
from marshlight_cowrie.life.calendar import due, moment
from marshlight_cowrie.persona import Persona
from marshlight_cowrie.tree import Trees

DAY = 86_400.0
#: A Friday afternoon there, ten months after the persona's own last start.
NOW = datetime.fromisoformat("2026-11-20T15:20:00+01:00").timestamp()


def logs(persona: Persona, now: float) -> dict[str, bytes]:
    return {trace.path: trace.read() for trace in life.traces(persona, lambda: now)}


class OneMachine(unittest.TestCase):
    def setUp(self) -> None:
        self.persona = given.persona("rich")

    def test_the_same_moment_gives_the_same_bytes_and_another_seed_others(self) -> None:
        self.assertEqual(logs(self.persona, NOW), logs(given.persona("rich"), NOW))
        other = dataclasses.replace(self.persona, seed="another-seed-of-a-persona")
        self.assertNotEqual(logs(self.persona, NOW)["/var/log/auth.log"], logs(other, NOW)["/var/log/auth.log"])

    def test_logs_only_grow_until_they_are_turned_over_and_then_stand_in_the_next(self) -> None:
        first = logs(self.persona, NOW)
        for hours in (0.1, 3, 20):
            later = logs(self.persona, NOW + hours * 3600)
            for path in ("/var/log/syslog", "/var/log/auth.log", "/home/jmeier/.bash_history", "/var/log/wtmp"):
                self.assertTrue(later[path].startswith(first[path]), path)
                self.assertGreaterEqual(len(later[path]), len(first[path]))
        week = logs(self.persona, NOW + 4 * DAY)
        self.assertTrue(week["/var/log/auth.log.1"].startswith(first["/var/log/auth.log"]))
        self.assertGreater(len(logs(self.persona, NOW + DAY)["/var/log/syslog"]), len(first["/var/log/syslog"]))

    def test_wtmp_auth_log_and_the_present_tell_the_same_log_ins(self) -> None:
        texts = logs(self.persona, NOW)
        accepted = re.findall(r"sshd\[(\d+)\]: Accepted \w+ for (\w+) from ([\d.]+) port", texts["/var/log/auth.log"].decode())
        records = [
            (str(pid), user.rstrip(b"\0").decode(), host.rstrip(b"\0").decode())
            for kind, pid, _, _, user, host, *_ in struct.iter_unpack("<hxxi32s4s32s256shhiii4s12x20x", texts["/var/log/wtmp"])
            if kind == 7
        ]
        self.assertGreater(len(accepted), 2)
        self.assertEqual([one for one in records if one in accepted], accepted)
        here = life.logins(self.persona, NOW)
        rows = life.processes(self.persona, NOW)
        for session in here:
            self.assertIn(f"sshd: {session.user}@{session.tty}", [row.command for row in rows])

    def test_real_last_reads_wtmp_and_agrees_with_the_start(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(logs(self.persona, NOW)["/var/log/wtmp"])
            file.flush()
            try:
                said = subprocess.run(["last", "-F", "-f", file.name], env={"TZ": "Europe/Berlin"}, capture_output=True, text=True)
            except FileNotFoundError:
                self.skipTest("this machine has no last(1)")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertRegex(said.stdout, r"jmeier +pts/0 +198\.18\.7\.20 +\w{3} Nov +\d+ ")

    def test_starts_are_those_of_the_schedule(self) -> None:
        booted = life.booted_at(self.persona, NOW)
        self.assertGreater(booted, self.persona.booted_at)
        self.assertLess(NOW - booted, 40 * 1.2 * DAY)
        self.assertEqual(life.booted_at(self.persona, self.persona.booted_at + DAY), self.persona.booted_at)
        moved = dataclasses.replace(self.persona, booted_at=booted, written_start=self.persona.booted_at)
        self.assertEqual(logs(moved, NOW), logs(self.persona, NOW))
        without = dataclasses.replace(self.persona, schedule=None)
        self.assertEqual(life.booted_at(without, NOW), without.booted_at)

    def test_work_is_done_when_people_work(self) -> None:
        found = life.sessions(self.persona, NOW - 60 * DAY, NOW)
        hours = [datetime.fromtimestamp(session.begin).astimezone() for session in found]
        self.assertGreater(len(hours), 40)
        working = [session for session in found if 8 <= local_hour(self.persona, session.begin) <= 17.5]
        self.assertEqual(len(working), len(found))

    def test_updates_lead_to_the_versions_that_are_installed(self) -> None:
        told = b"".join(text for path, text in logs(self.persona, self.persona.booted_at + 3600).items() if "dpkg.log" in path and not path.endswith("gz"))
        whole = life.events(self.persona, 0, NOW, ("update",))
        self.assertTrue(whole)
        last = re.findall(rb"status installed openssh-server:amd64 (\S+)", told)
        self.assertIn(last[-1:] or [b"1:9.2p1-2+deb12u3"], [[b"1:9.2p1-2+deb12u3"]])

    def test_logs_stand_in_the_tree_with_their_sizes_and_times(self) -> None:
        now = [NOW]
        view = Trees(self.persona, clock=lambda: now[0]).view("a", 0, (0,))
        found = view.stat("/var/log/auth.log")
        self.assertEqual(found.size, len(view.read("/var/log/auth.log")))
        self.assertLess(NOW - found.mtime, 3700)
        now[0] += 4 * DAY
        self.assertGreater(view.stat("/var/log/auth.log").mtime, found.mtime)
        self.assertIn("backup.sh", view.read("/var/spool/cron/crontabs/backup").decode())
        view.write("/var/log/auth.log", b"")
        self.assertEqual(view.read("/var/log/auth.log"), b"")


def local_hour(persona: Persona, at: float) -> float:
    from marshlight_cowrie.life.calendar import local

    there = local(persona, at)
    return there.hour + there.minute / 60


class Crontab(unittest.TestCase):
    def test_lines_are_due_as_crontab_says(self) -> None:
        persona = given.persona("rich")
        day = datetime(2026, 11, 20).date()
        cases = [
            ("17 * * * *", 24),
            ("*/15 8-17 * * mon-fri", 40),
            ("0 3 * * sun", 0),
            ("0 3 20 * sun", 1),
            ("@daily", 1),
            ("5 4 1,20 nov *", 1),
            ("61 * * * *", 0),
            ("nonsense", 0),
        ]
        for line, times in cases:
            self.assertEqual(len(due(persona, line, day)), times, line)
        self.assertEqual(due(persona, "30 2 * * *", day), [moment(persona, day, 2.5)])

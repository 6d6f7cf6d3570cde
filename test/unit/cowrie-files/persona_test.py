from __future__ import annotations

import json
import unittest
from typing import Any

import given
from marshlight_cowrie.persona import Refused, read_persona


def changed(path: list[Any], value: Any) -> bytes:
    whole = given.as_json("rich")
    at: Any = whole
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return json.dumps(whole).encode()


class ReadPersona(unittest.TestCase):
    def test_a_rich_one_is_read_whole(self) -> None:
        persona = given.persona("rich")
        self.assertEqual([user.accept_from_try for user in persona.users], [3, 1, 1])
        self.assertEqual(persona.locale, "de_DE.UTF-8")
        self.assertEqual(persona.services[0].pages[0].path, "/")
        self.assertEqual(persona.services[0].settings, {"title": "Intranet", "workers": 2, "listing": False})
        assert persona.network is not None and persona.schedule is not None
        self.assertEqual((persona.network.window_scale, persona.network.closed_udp), (7, "unreachable"))
        self.assertEqual(persona.schedule.work_days, (1, 2, 3, 4, 5))
        self.assertEqual(persona.schedule.logins[0].source, "198.18.7.20")
        self.assertEqual(persona.packages[1].name, "postgresql-15")
        self.assertEqual(persona.files[0].modified_at, 1768210200)
        self.assertEqual(persona.honey[0].path, persona.files[0].path)

    def test_a_plain_one_has_none_of_it(self) -> None:
        persona = given.persona("plain")
        self.assertEqual((persona.services, persona.files, persona.honey, persona.packages), ((), (), (), ()))
        self.assertIsNone(persona.network)
        self.assertIsNone(persona.schedule)

    def test_what_is_out_of_bounds_is_refused_with_its_path(self) -> None:
        cases: list[tuple[list[Any], Any, str]] = [
            (["users", 0, "acceptFromTry"], 0, "users[0].acceptFromTry"),
            (["services", 0, "kind"], "gopher", "services[0].kind"),
            (["services", 0, "port"], 70000, "services[0].port"),
            (["services", 0, "settings", "title"], ["x"], "settings.title"),
            (["network", "windowScale"], 15, "network.windowScale"),
            (["network", "sack"], 1, "network.sack"),
            (["schedule", "workDays"], [0], "schedule.workDays"),
            (["schedule", "cron"], [{}] * 65, "schedule.cron"),
            (["packages"], [{}] * 1025, "persona.packages"),
            (["files", 0, "mode"], 0o10000, "files[0].mode"),
            (["files", 0, "path"], "etc/passwd", "files[0].path"),
            (["files", 0, "content"], "x" * 32_769, "files[0].content"),
            (["honey", 0, "path"], "x", "honey[0].path"),
            (["locale"], "de DE", "persona.locale"),
        ]
        for path, value, said in cases:
            with self.subTest(said), self.assertRaises(Refused) as refused:
                read_persona(changed(path, value))
            self.assertIn(said, str(refused.exception))

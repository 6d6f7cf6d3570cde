"""Who gets in, and from which try on."""

from __future__ import annotations

import unittest
from types import SimpleNamespace
from typing import Any

from marshlight_cowrie.auth import MOST_KNOWN, Tries, opens
from marshlight_cowrie.persona import User


def decoy(*users: User) -> Any:
    return SimpleNamespace(persona=SimpleNamespace(users=users))


def user(name: str, *passwords: str, accept_from_try: int = 1) -> User:
    return User(name, 1000, 1000, name, f"/home/{name}", "/bin/bash", passwords, accept_from_try)


class FromTheTryOn(unittest.TestCase):
    def test_the_right_password_opens_from_that_try_on(self) -> None:
        patient = decoy(user("deploy", "Winter2023", accept_from_try=3), user("jmeier", "Sommer2024"))
        tries = Tries()

        def attempt(name: bytes, password: bytes, source: str = "198.18.0.9") -> bool:
            return opens(patient, name, password, tries.count(source, name))

        self.assertEqual([attempt(b"deploy", b"Winter2023") for _ in range(4)], [False, False, True, True])
        self.assertFalse(attempt(b"deploy", b"wrong"), "patience alone does not open")
        self.assertFalse(attempt(b"deploy", b"Winter2023", "198.18.0.10"), "each source has its own count")
        self.assertTrue(attempt(b"jmeier", b"Sommer2024"), "as has each account")
        self.assertFalse(attempt(b"nobody", b"Winter2023"))

    def test_a_wrong_try_counts_like_any_other(self) -> None:
        patient, tries = decoy(user("deploy", "Winter2023", accept_from_try=3)), Tries()
        guesses = [b"admin", b"", b"Winter2023"]
        self.assertEqual(
            [opens(patient, b"deploy", guess, tries.count("198.18.0.9", b"deploy")) for guess in guesses],
            [False, False, True],
        )

    def test_an_account_without_a_password_never_opens(self) -> None:
        closed = decoy(user("backup"))
        self.assertFalse(any(opens(closed, b"backup", guess, 1000) for guess in (b"", b"backup")))

    def test_who_comes_from_everywhere_fills_no_memory(self) -> None:
        tries = Tries()
        self.assertEqual([tries.count("198.18.0.9", b"deploy") for _ in range(2)], [1, 2])
        for n in range(MOST_KNOWN - 1):
            tries.count(f"source {n}", b"x" * 5000)
        self.assertEqual(tries.count("198.18.0.9", b"deploy"), 3, "who was there is known still")
        for n in range(MOST_KNOWN):
            tries.count(f"later {n}", b"root")
        self.assertEqual(len(tries.known), MOST_KNOWN)
        self.assertEqual(tries.count("198.18.0.9", b"deploy"), 1, "the one not seen for longest goes")
        self.assertTrue(all(len(name) <= 64 for _, name in tries.known))


if __name__ == "__main__":
    unittest.main()

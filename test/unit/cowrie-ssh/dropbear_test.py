"""What Dropbear does its own way, as far as it needs no connection."""

from __future__ import annotations

import unittest
from types import SimpleNamespace
from typing import Any

from marshlight_cowrie.ssh.dropbear import extensions, identification, pace, unauthenticated
from marshlight_cowrie.ssh.dropbear.limits import read_text
from marshlight_cowrie.ssh.software import Identified, Refusal
from marshlight_cowrie.ssh.wire import Unreadable, string


class Identification(unittest.TestCase):
    def test_the_first_line_decides(self) -> None:
        for sent, read in (
            (b"SSH-2.0-x y\r\nrest", Identified(b"SSH-2.0-x y", b"rest")),
            (b"SSH-2.5-\r\r\n", Identified(b"SSH-2.5-", b"")),
            (b"SSH-1.99-old\n", Identified(b"SSH-1.99-old", b"")),
            (b"SSH-2.0-a\0b\n", Identified(b"SSH-2.0-a", b"")),
            (b"SSH-1.5-x\nrest", Refusal(b"SSH-1.5-x", b"", unread=True)),
            (b"GET / HTTP/1.0\r\n", Refusal(b"GET / HTTP/1.0", b"", unread=False)),
            (b"hello\r\nSSH-2.0-late\r\n", Refusal(b"hello", b"", unread=True)),
        ):
            self.assertEqual(identification.read(sent), read)

    def test_a_line_ends_at_255_bytes_whatever_follows(self) -> None:
        self.assertIsNone(identification.read(b"SSH-2.0-" + b"v" * 246))
        full = b"SSH-2.0-\r" + b"v" * 247
        self.assertEqual(identification.read(full + b"more\n"), Identified(full.replace(b"\r", b""), b"more\n"))
        self.assertEqual(identification.read(b"z" * 300), Refusal(b"z" * 255, b"", unread=True))


class Other(unittest.TestCase):
    def test_five_of_one_host_and_thirty_in_all_wait_for_their_log_in(self) -> None:
        door = unauthenticated.Unauthenticated()
        connections: list[Any] = [object() for _ in range(30)]
        for number, connection in enumerate(connections[:5]):
            self.assertIsNone(door.refuses("198.18.0.9"), number)
            door.enter(connection, "198.18.0.9")
        self.assertEqual(door.refuses("198.18.0.9"), b"")
        for number, connection in enumerate(connections[5:]):
            self.assertIsNone(door.refuses(f"198.18.1.{number}"))
            door.enter(connection, f"198.18.1.{number}")
        self.assertEqual(door.refuses("198.18.2.1"), b"")
        door.leave(connections[0])
        door.leave(connections[0])
        self.assertIsNone(door.refuses("198.18.0.9"))

    def test_signatures_follow_the_build(self) -> None:
        def told(banner: str, *kex: bytes) -> bytes:
            offer: Any = SimpleNamespace(kex=[b"curve25519-sha256", *kex])
            return extensions.extension_info(banner, offer) or b""

        small = b"ssh-ed25519,sk-ssh-ed25519@openssh.com,rsa-sha2-256,ssh-rsa"
        self.assertTrue(told("SSH-2.0-dropbear").endswith(string(small)))
        self.assertIn(b"ecdsa-sha2-nistp256", told("SSH-2.0-dropbear_2022.83", b"ecdh-sha2-nistp256"))
        self.assertNotIn(b"sk-", told("SSH-2.0-dropbear_2020.81", b"ecdh-sha2-nistp256"))
        self.assertEqual(told("SSH-2.0-dropbear_2019.78"), b"")

    def test_a_failure_takes_its_time_in_all(self) -> None:
        for elapsed in (0.0, 0.1, 0.25):
            self.assertTrue(0.25 <= elapsed + pace.of_failure(elapsed) <= 0.35)
        self.assertTrue(0.25 <= pace.of_failure(2.0) <= 0.35, "and as much again where none is left")

    def test_long_texts_are_no_texts(self) -> None:
        self.assertEqual(read_text(string(b"x" * 9000) + b"y"), (b"x" * 9000, b"y"))
        self.assertRaises(Unreadable, read_text, string(b"x" * 9001))


if __name__ == "__main__":
    unittest.main()

"""Which planted keys open an account, as sshd(8) and sshd_config(5) have it."""

from __future__ import annotations

import base64
import unittest

import given
from marshlight_cowrie.login import authorized_keys, entry
from marshlight_cowrie.login.authorized_keys import Allowance, comes_from
from marshlight_cowrie.login.keys import Refusal
from marshlight_cowrie.tree import Trees

NOW = 1_795_000_000.0
KEY = b"\0\0\0\x0bssh-ed25519" + bytes(36)
OTHER = b"\0\0\0\x0bssh-ed25519" + bytes(35) + b"x"
LINE = f"ssh-ed25519 {base64.b64encode(KEY).decode()} me@there"


class Lines(unittest.TestCase):
    def test_options_are_read_as_sshd_reads_them(self) -> None:
        cases: list[tuple[str, list[Allowance]]] = [
            (LINE, [Allowance()]),
            (f"  \t{LINE}", [Allowance()]),
            (f"# {LINE}", []),
            (f'command="echo \\"a, b\\"" {LINE}', [Allowance(command='echo "a, b"')]),
            (f'no-pty,No-Port-Forwarding {LINE}', [Allowance(pty=False, forwarding=False)]),
            (f'restrict,pty,command="x" {LINE}', [Allowance(command="x", forwarding=False)]),
            (f'from="198.18.0.0/16,!198.18.0.9" {LINE}', [Allowance(sources="198.18.0.0/16,!198.18.0.9")]),
            (f'permitopen="a:1",environment="A=b",no-x11-forwarding {LINE}', [Allowance()]),
            (f"no-such-option {LINE}", []),
            (f"command=x {LINE}", []),
            (f'expiry-time="soon" {LINE}', []),
            (LINE.replace("ssh-ed25519", "ssh-rsa", 1), []),
            ("ssh-ed25519 not-base64!", []),
        ]
        for text, allowed in cases:
            self.assertEqual([one for _, one in authorized_keys.lines(text.encode())], allowed, text)

    def test_from_names_addresses(self) -> None:
        self.assertTrue(comes_from("198.18.0.*", "198.18.0.9"))
        self.assertTrue(comes_from("10.0.0.1,198.18.0.0/24", "198.18.0.9"))
        self.assertFalse(comes_from("198.18.0.0/24,!198.18.0.9", "198.18.0.9"))
        self.assertFalse(comes_from("10.0.0.0/8", "198.18.0.9"))


class Planted(unittest.TestCase):
    def setUp(self) -> None:
        self.persona = given.persona("rich")
        self.trees = Trees(self.persona, clock=lambda: NOW)
        self.root = self.trees.view("198.18.0.9", 0, (0,))
        for path in ("/bin", "/etc/ssh"):
            if not self.root.access(path):
                self.root.mkdir(path)
        self.root.write("/bin/bash", b"\x7fELF", mode=0o755)
        self.root.mkdir("/home/jmeier/.ssh", 0o700)
        self.root.chown("/home/jmeier/.ssh", 1000, 1000)
        self.plant(LINE)

    def plant(self, line: str, path: str = "/home/jmeier/.ssh/authorized_keys", uid: int = 1000) -> None:
        self.root.write(path, line.encode() + b"\n", mode=0o600)
        self.root.chown(path, uid, uid)

    def why(self, blob: bytes = KEY, name: str = "jmeier", source: str = "198.18.0.9") -> str | None:
        """Why it does not open; None where it does."""
        try:
            entry.by_key(self.trees, self.persona, source, name, blob)
        except Refusal as refusal:
            return str(refusal)
        return None

    def test_the_key_opens_the_account_it_was_planted_in(self) -> None:
        self.assertIsNone(self.why())
        self.assertEqual(self.why(OTHER), "")
        self.assertEqual(self.why(name="root"), "")
        self.assertEqual(self.why(name="nobody-here"), "")
        found = entry.by_key(self.trees, self.persona, "198.18.0.9", "jmeier", KEY)
        self.assertRegex(found.fingerprint, r"^ED25519 SHA256:[A-Za-z0-9+/]{43}$")
        self.assertEqual(self.why(source="198.18.0.10"), "", "another attacker sees no such key")

    def test_strict_modes(self) -> None:
        for path, kind in (("/home/jmeier/.ssh/authorized_keys", "file"), ("/home/jmeier/.ssh", "directory"), ("/home/jmeier", "directory")):
            before = self.root.stat(path).mode & 0o7777
            self.root.chmod(path, before | 0o020)
            self.assertEqual(self.why(), f"Authentication refused: bad ownership or modes for {kind} {path}")
            self.root.chmod(path, before)
        self.root.chown("/home/jmeier/.ssh/authorized_keys", 1001, 1001)
        self.assertEqual(self.why(), "", "the account cannot read it")
        self.root.chmod("/home/jmeier/.ssh/authorized_keys", 0o644)
        self.assertIn("bad ownership", self.why() or "")
        self.root.write("/etc/ssh/sshd_config", b"StrictModes no\n")
        self.assertIsNone(self.why())

    def test_the_configuration_of_his_own_tree_counts(self) -> None:
        cases = [
            ("PubkeyAuthentication no\n", False),
            ("PubkeyAuthentication yes\nPubkeyAuthentication no\n", True),
            ("AuthorizedKeysFile /etc/ssh/keys/%u\n", False),
            ("AuthorizedKeysFile none\n", False),
            ("DenyUsers j*\n", False),
            ("AllowUsers backup\nAllowUsers jmeier@198.18.0.*\n", True),
            ("AllowUsers backup\n", False),
            ("PubkeyAuthentication yes\nMatch User jmeier\nPubkeyAuthentication no\n", True),
            ("Match User other\nPubkeyAuthentication no\n", True),
            ("Match Address 198.18.0.0/24 User jmeier\n  PubkeyAuthentication no # really\n", False),
        ]
        for text, opens in cases:
            self.root.write("/etc/ssh/sshd_config", text.encode())
            self.assertEqual(self.why() is None, opens, text)

    def test_root_and_its_rules(self) -> None:
        self.root.mkdir("/root/.ssh", 0o700)
        self.plant(LINE, "/root/.ssh/authorized_keys", 0)
        for said, opens in (("prohibit-password", True), ("without-password", True), ("yes", True), ("no", False), ("forced-commands-only", False)):
            self.root.write("/etc/ssh/sshd_config", f"PermitRootLogin {said}\n".encode())
            self.assertEqual(self.why(name="root") is None, opens, said)
            asked = entry.password_is_asked(self.trees, self.persona, "198.18.0.9", "root")
            self.assertEqual(asked, said == "yes", said)
        self.plant(f'command="true" {LINE}', "/root/.ssh/authorized_keys", 0)
        self.assertIsNone(self.why(name="root"))

    def test_passwords_are_asked_as_the_persona_says_until_he_writes_a_configuration(self) -> None:
        ask = lambda source: entry.password_is_asked(self.trees, self.persona, source, "jmeier")  # noqa: E731
        self.assertTrue(ask("198.18.0.9"))
        self.root.write("/etc/ssh/sshd_config", b"PasswordAuthentication no\n")
        self.assertFalse(ask("198.18.0.9"))
        self.assertTrue(ask("198.18.0.10"))

    def test_a_key_may_be_bound_to_places_and_a_date(self) -> None:
        self.plant(f'from="10.0.0.0/8" {LINE}')
        self.assertIn("correct key but not from a permitted host", self.why() or "")
        self.plant(f'expiry-time="20200101" {LINE}')
        self.assertIn("expired", self.why() or "")
        self.plant(f'expiry-time="20990101Z",from="198.18.0.9" {LINE}')
        self.assertIsNone(self.why())


if __name__ == "__main__":
    unittest.main()

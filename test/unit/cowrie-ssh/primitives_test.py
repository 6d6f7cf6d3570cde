"""Key encapsulation, groups, identification and pace: what needs no third-party package."""

from __future__ import annotations

import random
import unittest
from pathlib import Path

import marshlight_cowrie
from marshlight_cowrie.ssh import groups, sntrup761, wire
from marshlight_cowrie.ssh.openssh import identification, pace, release, startups
from marshlight_cowrie.ssh.software import Identified, Refusal

MODULI = Path(marshlight_cowrie.__file__).with_name("moduli")


def schoolbook(a: list[int], b: list[int]) -> list[int]:
    full = [0] * (2 * sntrup761.P - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            full[i + j] += x * y
    for place in range(len(full) - 1, sntrup761.P - 1, -1):
        full[place - sntrup761.P] += full[place]
        full[place - sntrup761.P + 1] += full[place]
    return [(value + sntrup761.HALF) % sntrup761.Q - sntrup761.HALF for value in full[: sntrup761.P]]


class Sntrup761(unittest.TestCase):
    def test_products_are_those_of_the_definition(self) -> None:
        drawn = random.Random(761)
        big = [drawn.randint(-sntrup761.HALF, sntrup761.HALF) for _ in range(sntrup761.P)]
        small = sntrup761.short_random()
        self.assertEqual(sum(map(abs, small)), sntrup761.WEIGHT)
        self.assertEqual(sntrup761.product(big, small), schoolbook(big, small))

    def test_encodings_come_back(self) -> None:
        drawn = random.Random(4591)
        for modulus, size in ((sntrup761.Q, sntrup761.PUBLIC_KEY_BYTES), (sntrup761.ROUNDED, 1007)):
            values = [drawn.randrange(modulus) for _ in range(sntrup761.P)]
            encoded = sntrup761.encode(values, [modulus] * sntrup761.P)
            self.assertEqual(len(encoded), size)
            self.assertEqual(sntrup761.decode(encoded, [modulus] * sntrup761.P), values)

    def test_any_key_of_the_right_length_is_answered(self) -> None:
        ciphertext, secret = sntrup761.encapsulate(bytes([255]) * sntrup761.PUBLIC_KEY_BYTES)
        self.assertEqual((len(ciphertext), len(secret)), (sntrup761.CIPHERTEXT_BYTES, sntrup761.SECRET_BYTES))
        self.assertRaises(ValueError, sntrup761.encapsulate, bytes(1157))


class Groups(unittest.TestCase):
    def test_primes_are_safe_primes(self) -> None:
        for bits in (1024, 2048, 4096):
            prime = groups.oakley_prime(bits)
            self.assertEqual(prime.bit_length(), bits)
            for number in (prime, prime // 2):
                self.assertEqual(pow(3, number - 1, number), 1)

    def test_a_group_is_of_the_size_asked_for_or_the_next(self) -> None:
        for asked, bits in (((2048, 3000, 8192), 3072), ((1024, 2048, 8192), 2048), ((2048, 8192, 16384), 8192)):
            found = groups.exchange_group(MODULI, *asked)
            assert found is not None
            self.assertEqual(found[1].bit_length(), bits)

    def test_contradictions_get_none(self) -> None:
        for asked in ((4096, 2048, 1024), (1024, 1024, 1024), (2048, 1024, 8192)):
            self.assertIsNone(groups.exchange_group(MODULI, *asked), asked)


class Identification(unittest.TestCase):
    def test_every_cut_of_a_stream_reads_the_same(self) -> None:
        for sent in (b"SSH-2.0-x y\r\nrest", b"SSH-1.5-x\r\n", b"GET / HTTP/1.0\r\n\r\n", b"a\0b", b"SSH-2.0-a\rb\n", b"z" * 9000):
            whole = identification.read(sent)
            assert whole is not None
            for cut in range(len(sent)):
                early = identification.read(sent[:cut])
                if early is not None:
                    self.assertEqual(early.line, whole.line)
                    self.assertIs(type(early), type(whole))
                    break

    def test_what_goes_on_and_what_does_not(self) -> None:
        self.assertEqual(identification.read(b"SSH-1.99-old\nx"), Identified(b"SSH-1.99-old", b"x"))
        self.assertEqual(identification.read(b"SSH-3.0-x\r\n"), Refusal(b"SSH-3.0-x", identification.OTHER_MAJOR, False))
        self.assertEqual(identification.read(b"SSH-2.0-Probe-x\r\n"), Refusal(b"SSH-2.0-Probe-x", b"", False))
        self.assertIsNone(identification.read(b"y" * 8192))
        self.assertIsInstance(identification.read(b"y" * 8193), Refusal)


class Pace(unittest.TestCase):
    def test_a_failure_ends_at_the_floor_doubled(self) -> None:
        floor = pace.floor_of("seed", b"root")
        self.assertTrue(0.005 <= floor < 0.0093)
        for _ in range(200):
            gone = pace.after_wrong_password(b"wrong")
            self.assertTrue(1 <= gone <= 3)
            total = gone + pace.at_least(gone, floor)
            self.assertIn(round(total / floor, 6), [2.0**n for n in range(12)])

    def test_what_pam_never_sees_costs_no_delay(self) -> None:
        self.assertEqual([pace.after_wrong_password(one) for one in (b"", b"x" * 1025)], [0, 0])


class Other(unittest.TestCase):
    def test_startups_are_turned_away_from_ten_on(self) -> None:
        share = [sum(startups.refuses(n, k / 100) for k in range(100)) for n in (0, 9, 10, 55, 99, 100)]
        self.assertEqual(share, [0, 0, 30, 65, 99, 100])

    def test_numbers_are_written_as_rfc_4251_shows(self) -> None:
        self.assertEqual(wire.mpint(0).hex(), "00000000")
        self.assertEqual(wire.mpint(0x9A378F9B2E332A7).hex(), "0000000809a378f9b2e332a7")
        self.assertEqual(wire.mpint(0x80).hex(), "000000020080")
        self.assertRaises(wire.Unreadable, wire.read_string, b"\0\0\0\5abc")

    def test_a_release_announces_what_it_knows(self) -> None:
        self.assertIsNone(release.release_of("SSH-2.0-dropbear_2022.83"))
        self.assertNotIn(b"webauthn", release.extension_info("SSH-2.0-OpenSSH_8.2p1 Ubuntu-4ubuntu0.11") or b"")
        self.assertIn(b"ping@openssh.com", release.extension_info("SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5") or b"")


if __name__ == "__main__":
    unittest.main()

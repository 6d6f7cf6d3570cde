"""
An RSA key drawn from a seed, so that a decoy that is built again has the key it had before. Made for decoys: nothing
secret is ever under it, and whoever knows the seed knows the key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from . import der

EXPONENT = 65537
SIEVE = [n for n in range(3, 4000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


@dataclass(frozen=True)
class Key:
    p: int
    q: int

    @property
    def n(self) -> int:
        return self.p * self.q

    @property
    def d(self) -> int:
        return pow(EXPONENT, -1, (self.p - 1) * (self.q - 1))

    def sign(self, message: bytes) -> bytes:
        """PKCS #1 v1.5 with SHA-256."""
        size = (self.n.bit_length() + 7) // 8
        info = der.sequence(
            der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.tlv(der.NULL)),
            der.octets(hashlib.sha256(message).digest()),
        )
        padded = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(size, "big")

    def public_info(self) -> bytes:
        """SubjectPublicKeyInfo, RFC 5280."""
        public = der.sequence(der.integer(self.n), der.integer(EXPONENT))
        kind = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.tlv(der.NULL))
        return der.sequence(kind, der.tlv(0x03, b"\0" + public))

    def private_info(self) -> bytes:
        """RSAPrivateKey, RFC 8017."""
        d, p, q = self.d, self.p, self.q
        numbers = (0, self.n, EXPONENT, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
        return der.sequence(*(der.integer(number) for number in numbers))


def key_of(seed: str, bits: int = 2048) -> Key:
    stream = Stream(seed)
    p = prime(stream, bits // 2)
    q = prime(stream, bits // 2)
    return Key(max(p, q), min(p, q))


class Stream:
    """Bytes that follow from a seed."""

    def __init__(self, seed: str) -> None:
        self.seed, self.count = seed.encode(), 0

    def take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += hashlib.sha256(self.seed + b"\0" + self.count.to_bytes(8, "big")).digest()
            self.count += 1
        return data[:count]


def prime(stream: Stream, bits: int) -> int:
    """The next prime after a number of so many bits whose two highest are set."""
    number = int.from_bytes(stream.take(bits // 8), "big") | 3 << (bits - 2) | 1
    while any(number % small == 0 for small in SIEVE) or not is_prime(number, stream):
        number += 2
    return number


def is_prime(number: int, stream: Stream) -> bool:
    """Miller and Rabin; eight rounds leave a doubt below 2^-100 at this size."""
    if (number - 1) % EXPONENT == 0:
        return False
    shift = ((number - 1) & (1 - number)).bit_length() - 1
    odd = (number - 1) >> shift
    for _ in range(8):
        x = pow(int.from_bytes(stream.take(32), "big") + 2, odd, number)
        if x in (1, number - 1):
            continue
        for _ in range(shift - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True

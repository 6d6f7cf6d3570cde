"""
Which of a persona's SSH algorithms can really be served. Announcing one that is not would break the clients that pick
it, so those are left out, in the persona's order, and status.json names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .persona import Ssh

STRICT_SERVER = b"kex-strict-s-v00@openssh.com"
STRICT_CLIENT = b"kex-strict-c-v00@openssh.com"
EXT_INFO_SERVER = b"ext-info-s"
MARKERS = (STRICT_SERVER, EXT_INFO_SERVER)
COMPRESSIONS = (b"none", b"zlib", b"zlib@openssh.com")
HOST_KEYS = (b"rsa-sha2-512", b"rsa-sha2-256", b"ssh-rsa", b"ecdsa-sha2-nistp256", b"ssh-ed25519")

# RFC 3526: p = 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + k), by bits: k.
OAKLEY_GROUPS = {2048: 124476, 4096: 240904, 8192: 4743158}
MODP_EXCHANGES = (
    (b"diffie-hellman-group14-sha256", 2048, sha256),
    (b"diffie-hellman-group16-sha512", 4096, sha512),
    (b"diffie-hellman-group18-sha512", 8192, sha512),
)


@dataclass(frozen=True)
class Offer:
    kex: list[bytes]
    host_keys: list[bytes]
    ciphers: list[bytes]
    macs: list[bytes]
    compression: list[bytes]
    left_out: list[str]


def offer_of(ssh: Ssh, ciphers: Iterable[bytes], macs: Iterable[bytes], kex: Iterable[bytes]) -> Offer:
    left_out: list[str] = []

    def served(wanted: tuple[str, ...], able: Iterable[bytes]) -> list[bytes]:
        able = list(able)
        names = [name.encode("ascii", "replace") for name in wanted]
        left_out.extend(name.decode() for name in names if name not in able)
        # A list that nothing is left of would refuse every client: then all that can be served.
        return [name for name in names if name in able] or able

    return Offer(
        kex=served(ssh.kex, [*kex, *MARKERS]),
        host_keys=served(ssh.host_keys, HOST_KEYS),
        ciphers=served(ssh.ciphers, [name for name in ciphers if name != b"none"]),
        macs=served(ssh.macs, [name for name in macs if name != b"none"]),
        compression=served(ssh.compression, COMPRESSIONS),
        left_out=left_out,
    )


def add_modp_exchanges(known: dict[bytes, Any], fixed_group: Any) -> None:
    """Twisted has group 14 with SHA-1 only; the others differ by prime and hash."""
    from zope.interface import implementer

    for rank, (name, bits, digest) in enumerate(MODP_EXCHANGES):

        @implementer(fixed_group)
        class Exchange:
            preference = 20 + rank
            hashProcessor = digest
            prime = oakley_prime(bits)
            generator = 2

        known[name] = Exchange()


def oakley_prime(bits: int) -> int:
    return 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (floor_of_pi(bits - 130) + OAKLEY_GROUPS[bits])


def floor_of_pi(bits: int) -> int:
    """floor(2^bits * pi), by Machin's formula with 64 guard bits."""
    one = 1 << (bits + 64)

    def arctan_of_inverse(x: int) -> int:
        total = term = one // x
        odd, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // odd)
            odd, sign = odd + 2, -sign
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 64

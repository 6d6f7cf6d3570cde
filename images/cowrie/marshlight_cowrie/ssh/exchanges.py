"""
The server's half of each key exchange: the client's public value in, ours and the shared secret out, all of them as
they stand in the exchange hash (RFC 4253, 8; RFC 8731; RFC 5656; sntrup761x25519-sha512).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha1, sha256, sha384, sha512
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import sntrup761
from .groups import oakley_prime
from .wire import Unreadable, mpint, read_mpint, read_string, string

EXPONENT_BITS = 512


@dataclass(frozen=True)
class Agreed:
    """`client` and `server` are the public values, `secret` is K; each encoded."""

    client: bytes
    server: bytes
    secret: bytes


Respond = Callable[[bytes], Agreed]


@dataclass(frozen=True)
class Exchange:
    hash: Any
    # None: a group exchange, whose group comes first.
    respond: Respond | None


T = TypeVar("T")


def alone(read: tuple[T, bytes]) -> T:
    value, rest = read
    if rest:
        raise Unreadable(f"{len(rest)} bytes behind the public value")
    return value


def curve25519(packet: bytes) -> Agreed:
    theirs = alone(read_string(packet))
    ours, secret = x25519_with(theirs)
    return Agreed(string(theirs), string(ours), mpint(int.from_bytes(secret, "big")))


def x25519_with(theirs: bytes) -> tuple[bytes, bytes]:
    key = x25519.X25519PrivateKey.generate()
    try:
        secret = key.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:
        raise Unreadable(str(error)) from None
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), secret


def sntrup761x25519(packet: bytes) -> Agreed:
    theirs = alone(read_string(packet))
    lattice, curve = theirs[: sntrup761.PUBLIC_KEY_BYTES], theirs[sntrup761.PUBLIC_KEY_BYTES :]
    ours, curve_secret = x25519_with(curve)
    ciphertext, lattice_secret = sntrup761.encapsulate(lattice)
    return Agreed(string(theirs), string(ciphertext + ours), string(sha512(lattice_secret + curve_secret).digest()))


def nist(curve: ec.EllipticCurve, packet: bytes) -> Agreed:
    theirs = alone(read_string(packet))
    key = ec.generate_private_key(curve)
    try:
        secret = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, theirs))
    except ValueError as error:
        raise Unreadable(str(error)) from None
    ours = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Agreed(string(theirs), string(ours), mpint(int.from_bytes(secret, "big")))


def finite_field(generator: int, prime: int, packet: bytes) -> Agreed:
    theirs = alone(read_mpint(packet))
    # A value with few bits set comes from a broken generator or a small subgroup.
    if not 1 < theirs < prime - 1 or theirs.bit_count() < 4:
        raise Unreadable("bad client public DH value")
    exponent = secrets.randbits(EXPONENT_BITS) | 1 << (EXPONENT_BITS - 1)
    return Agreed(mpint(theirs), mpint(pow(generator, exponent, prime)), mpint(pow(theirs, exponent, prime)))


def modp(bits: int) -> Respond:
    return lambda packet: finite_field(2, oakley_prime(bits), packet)


EXCHANGES: dict[bytes, Exchange] = {
    b"sntrup761x25519-sha512@openssh.com": Exchange(sha512, sntrup761x25519),
    b"sntrup761x25519-sha512": Exchange(sha512, sntrup761x25519),
    b"curve25519-sha256": Exchange(sha256, curve25519),
    b"curve25519-sha256@libssh.org": Exchange(sha256, curve25519),
    b"ecdh-sha2-nistp256": Exchange(sha256, partial(nist, ec.SECP256R1())),
    b"ecdh-sha2-nistp384": Exchange(sha384, partial(nist, ec.SECP384R1())),
    b"ecdh-sha2-nistp521": Exchange(sha512, partial(nist, ec.SECP521R1())),
    b"diffie-hellman-group1-sha1": Exchange(sha1, modp(1024)),
    b"diffie-hellman-group14-sha1": Exchange(sha1, modp(2048)),
    b"diffie-hellman-group14-sha256": Exchange(sha256, modp(2048)),
    b"diffie-hellman-group16-sha512": Exchange(sha512, modp(4096)),
    b"diffie-hellman-group18-sha512": Exchange(sha512, modp(8192)),
    b"diffie-hellman-group-exchange-sha1": Exchange(sha1, None),
    b"diffie-hellman-group-exchange-sha256": Exchange(sha256, None),
}

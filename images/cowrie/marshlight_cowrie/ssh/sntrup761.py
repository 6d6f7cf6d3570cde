"""
Streamlined NTRU Prime 761, the server's half: encapsulation to a client's public key (draft-josefsson-ntruprime-ssh;
the parameters and encodings of NTRU Prime's third-round submission).

Polynomials live in Z_q[x] / (x^P - x - 1). A product of two is one product of two big integers (Kronecker's
substitution): coefficients lie in lanes of 32 bits, which the sums cannot overflow, since 761 * 4590 < 2^22.
"""

from __future__ import annotations

import secrets
from array import array
from hashlib import sha512

P, Q, WEIGHT = 761, 4591, 286
HALF = (Q - 1) // 2
PUBLIC_KEY_BYTES, CIPHERTEXT_BYTES, SECRET_BYTES = 1158, 1039, 32
ROUNDED = (Q + 2) // 3
LANE = 4


def encapsulate(public_key: bytes) -> tuple[bytes, bytes]:
    """(ciphertext, shared secret). Raises ValueError for a key of another length."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise ValueError(f"a public key of {len(public_key)} bytes")
    h = [value % Q - HALF for value in decode(public_key, [Q] * P)]
    r = short_random()
    rounded = [(value - (value + 1) % 3 + 1 + HALF) // 3 for value in product(h, r)]
    inputs = prefixed(3, small_bytes(r))
    body = encode(rounded, [ROUNDED] * P)
    ciphertext = body + prefixed(2, inputs + prefixed(4, public_key))
    return ciphertext, prefixed(1, inputs + ciphertext)


def prefixed(tag: int, data: bytes) -> bytes:
    return sha512(bytes((tag,)) + data).digest()[:32]


def short_random() -> list[int]:
    """WEIGHT coefficients of +-1, the rest zero, at places drawn by sorting random keys."""
    signs = secrets.token_bytes(WEIGHT)
    places = sorted(range(P), key=array("Q", secrets.token_bytes(8 * P)).__getitem__)
    small = [0] * P
    for place, sign in zip(places, signs, strict=False):
        small[place] = (sign & 1) * 2 - 1
    return small


def small_bytes(small: list[int]) -> bytes:
    padded = [value + 1 for value in small] + [0] * (-P % 4)
    return bytes(a | b << 2 | c << 4 | d << 6 for a, b, c, d in zip(*[iter(padded)] * 4, strict=True))


def product(big: list[int], small: list[int]) -> list[int]:
    """Coefficients in -HALF..HALF. Lanes hold no signs: `small` (-1..1) is multiplied as what it adds and what it takes."""
    factor = as_integer([value % Q for value in big])
    added = lanes(factor * as_integer([int(value > 0) for value in small]))
    taken = lanes(factor * as_integer([int(value < 0) for value in small]))
    full = [plus - minus for plus, minus in zip(added, taken, strict=True)]
    for place in range(2 * P - 2, P - 1, -1):
        full[place - P] += full[place]
        full[place - P + 1] += full[place]
    return [(value + HALF) % Q - HALF for value in full[:P]]


def as_integer(coefficients: list[int]) -> int:
    return int.from_bytes(b"".join(value.to_bytes(LANE, "little") for value in coefficients), "little")


def lanes(number: int) -> list[int]:
    data = number.to_bytes(LANE * 2 * P, "little")
    return [int.from_bytes(data[at : at + LANE], "little") for at in range(0, len(data), LANE)]


def encode(values: list[int], moduli: list[int]) -> bytes:
    """Mixed radix, pair by pair: each pass writes what fills whole bytes and hands the rest up."""
    out = bytearray()
    while len(values) > 1:
        next_values, next_moduli = [], []
        for at in range(0, len(values) - 1, 2):
            value, modulus = values[at] + values[at + 1] * moduli[at], moduli[at] * moduli[at + 1]
            while modulus >= 1 << 14:
                out.append(value & 255)
                value, modulus = value >> 8, (modulus + 255) >> 8
            next_values.append(value)
            next_moduli.append(modulus)
        if len(values) % 2:
            next_values.append(values[-1])
            next_moduli.append(moduli[-1])
        values, moduli = next_values, next_moduli
    value, modulus = values[0], moduli[0]
    while modulus > 1:
        out.append(value & 255)
        value, modulus = value >> 8, (modulus + 255) >> 8
    return bytes(out)


def decode(data: bytes, moduli: list[int]) -> list[int]:
    """The way back. Any bytes give some values; those of a foreign encoder come out reduced."""
    if len(moduli) == 1:
        return [int.from_bytes(data, "little") % moduli[0]]
    bottoms: list[tuple[int, int]] = []
    next_moduli: list[int] = []
    at = 0
    for pair in range(0, len(moduli) - 1, 2):
        modulus, bottom, weight = moduli[pair] * moduli[pair + 1], 0, 1
        while modulus >= 1 << 14:
            bottom += data[at] * weight
            at, weight, modulus = at + 1, weight << 8, (modulus + 255) >> 8
        bottoms.append((bottom, weight))
        next_moduli.append(modulus)
    if len(moduli) % 2:
        next_moduli.append(moduli[-1])
    tops = decode(data[at:], next_moduli)
    values: list[int] = []
    for index, (bottom, weight) in enumerate(bottoms):
        both = bottom + tops[index] * weight
        values += [both % moduli[2 * index], both // moduli[2 * index] % moduli[2 * index + 1]]
    if len(moduli) % 2:
        values.append(tops[-1])
    return values

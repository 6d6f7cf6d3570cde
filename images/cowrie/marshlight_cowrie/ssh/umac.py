"""
UMAC with tags of 8 or 16 bytes (RFC 4418). AES comes in from outside, so that this file needs nothing but arithmetic.

    message -> NH, blocks of 1024 bytes -> polynomial hash, past one block -> inner product -> 4 bytes an iteration
    tag = those bytes XOR pad of the nonce
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Aes = Callable[[bytes, bytes], bytes]

BLOCK = 1024
P36, P64, P128 = 2**36 - 5, 2**64 - 59, 2**128 - 159
MASK32, MASK64 = 2**32 - 1, 2**64 - 1
# Past 16 MiB the hash goes on with P128 (5.4); a packet of SSH ends at 256 KiB.
LONGEST = 1 << 24


class Umac:
    def __init__(self, key: bytes, tag_bytes: int, aes: Aes) -> None:
        """`aes(key, blocks)`: AES-128 in ECB mode over whole blocks."""
        self.aes, self.tag_bytes = aes, tag_bytes
        iterations = tag_bytes // 4
        nh = self.kdf(key, 1, BLOCK + 16 * (iterations - 1))
        poly, inner = self.kdf(key, 2, 24 * iterations), self.kdf(key, 3, 64 * iterations)
        translation = self.kdf(key, 4, 4 * iterations)
        self.pad_key = self.kdf(key, 0, 16)
        words = struct.unpack(f">{len(nh) // 4}I", nh)
        self.nh_keys = [words[4 * i : 4 * i + BLOCK // 4] for i in range(iterations)]
        self.poly_keys = [
            int.from_bytes(poly[24 * i : 24 * i + 8], "big") & 0x01FFFFFF01FFFFFF for i in range(iterations)
        ]
        self.inner_keys = [
            [word % P36 for word in struct.unpack(">8Q", inner[64 * i : 64 * i + 64])] for i in range(iterations)
        ]
        self.translations = struct.unpack(f">{iterations}I", translation)

    def kdf(self, key: bytes, index: int, length: int) -> bytes:
        """3.2.1: AES of (index, counter from 1)."""
        blocks = -(-length // 16)
        return self.aes(key, b"".join(struct.pack(">QQ", index, n) for n in range(1, blocks + 1)))[:length]

    def tag(self, message: bytes, nonce: bytes) -> bytes:
        hashed = b"".join(self.hashed(message, i) for i in range(self.tag_bytes // 4))
        pad = self.pad(nonce)
        return bytes(a ^ b for a, b in zip(hashed, pad, strict=True))

    def pad(self, nonce: bytes) -> bytes:
        """3.3.1: one block of AES serves as many nonces as tags fit into it."""
        shared = 16 // self.tag_bytes
        low = nonce[-1] % shared
        block = (nonce[:-1] + bytes((nonce[-1] - low,))).ljust(16, b"\0")
        return self.aes(self.pad_key, block)[low * self.tag_bytes : (low + 1) * self.tag_bytes]

    def hashed(self, message: bytes, i: int) -> bytes:
        """5.1, one iteration. Raises ValueError past 16 MiB."""
        if len(message) > LONGEST:
            raise ValueError(f"a message of {len(message)} bytes")
        blocks = [message[at : at + BLOCK] for at in range(0, len(message), BLOCK)] or [b""]
        parts = [nh(block, self.nh_keys[i]) for block in blocks]
        value = parts[0] if len(message) <= BLOCK else polynomial(parts, self.poly_keys[i])
        # 5.5: eight pieces of 16 bits of the 16-byte input, which is the 8-byte value behind zeros.
        total = sum(
            key * (value >> shift & 0xFFFF)
            for key, shift in zip(self.inner_keys[i][4:], (48, 32, 16, 0), strict=True)
        )
        return struct.pack(">I", (total % P36 & MASK32) ^ self.translations[i])


def nh(block: bytes, keys: tuple[int, ...]) -> int:
    """5.2.2: products of sums of 32-bit words four apart, little-endian, and the length in bits."""
    padded = block + bytes(-len(block) % 32) if block else bytes(32)
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    sums = [(word + key) & MASK32 for word, key in zip(words, keys, strict=False)]
    total = len(block) * 8
    for at in range(0, len(sums), 8):
        a, b, c, d, e, f, g, h = sums[at : at + 8]
        total += a * e + b * f + c * g + d * h
    return total & MASK64


def polynomial(parts: list[int], key: int) -> int:
    """5.3 with P64: values that might pass the prime go in as a marker and the difference."""
    value = 1
    for part in parts:
        if part >= 2**64 - 2**32:
            value = (key * value + P64 - 1) % P64
            value = (key * value + part - 59) % P64
        else:
            value = (key * value + part) % P64
    return value

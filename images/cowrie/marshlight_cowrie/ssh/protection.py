"""
How packets are closed and opened in one direction: cipher and MAC of the key exchange (RFC 4253, 6; RFC 5647 as
OpenSSH reads it; PROTOCOL.chacha20poly1305; `-etm` of OpenSSH's PROTOCOL, 1.7).

    Sealer.seal(sequence, payload) -> bytes        Opener.open(sequence, buffer) -> payload, or None: more is needed

Each cipher says how the length is read, where the block's padding counts from, and what stands behind the packet.
"""

from __future__ import annotations

import hmac
import os
import struct
from hashlib import sha1, sha256, sha512
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.poly1305 import Poly1305

from .umac import Umac

if TYPE_CHECKING:
    from collections.abc import Callable

    from .software import Software

LEAST_PADDING = 4


class Corrupt(Exception):
    """
    Bytes that no packet of this key can be: the connection ends, mostly without a word. `reply`: what is said; `taken`:
    bytes read until that was known.
    """

    def __init__(self, why: str, reply: bytes | None = None) -> None:
        super().__init__(why)
        self.reply, self.taken = reply, 0


class Secret:
    def padding(self, size: int) -> bytes:
        return os.urandom(size)


class Plain(Secret):
    """Before the first NEWKEYS: no cipher, no MAC."""

    block, tag, clear_length = 8, 0, False

    def close(self, sequence: int, packet: bytes) -> bytes:
        return packet

    def length(self, sequence: int, buffer: bytes) -> int:
        return int(struct.unpack_from(">I", buffer)[0])

    def unlock(self, sequence: int, packet: bytes) -> bytes:
        return packet


class PlainZeros(Plain):
    """With padding of zeros, as OpenSSH sends it."""

    def padding(self, size: int) -> bytes:
        return bytes(size)


class ChaCha(Secret):
    """Two keys: the first 32 bytes for the body and its tag, the others for the length."""

    block, tag, clear_length = 8, 16, True

    def __init__(self, key: bytes) -> None:
        self.body_key, self.length_key = key[:32], key[32:64]

    @staticmethod
    def stream(key: bytes, counter: int, sequence: int, data: bytes) -> bytes:
        nonce = struct.pack("<Q", counter) + struct.pack(">Q", sequence)
        return Cipher(algorithms.ChaCha20(key, nonce), None).encryptor().update(data)

    def tag_of(self, sequence: int, sealed: bytes) -> bytes:
        return Poly1305.generate_tag(self.stream(self.body_key, 0, sequence, bytes(32)), sealed)

    def close(self, sequence: int, packet: bytes) -> bytes:
        sealed = self.stream(self.length_key, 0, sequence, packet[:4])
        sealed += self.stream(self.body_key, 1, sequence, packet[4:])
        return sealed + self.tag_of(sequence, sealed)

    def length(self, sequence: int, buffer: bytes) -> int:
        return int.from_bytes(self.stream(self.length_key, 0, sequence, buffer[:4]), "big")

    def unlock(self, sequence: int, packet: bytes) -> bytes:
        sealed, tag = packet[:-16], packet[-16:]
        try:
            Poly1305.verify_tag(self.stream(self.body_key, 0, sequence, bytes(32)), sealed, tag)
        except InvalidSignature:
            raise Corrupt("message authentication code incorrect") from None
        return packet[:4] + self.stream(self.body_key, 1, sequence, sealed[4:])


class Gcm(Secret):
    """The length stays readable and is authenticated; the nonce counts packets, not sequence numbers."""

    block, tag, clear_length = 16, 16, True

    def __init__(self, key: bytes, iv: bytes) -> None:
        self.aead, self.fixed, self.counter = AESGCM(key), iv[:4], int.from_bytes(iv[4:12], "big")

    def nonce(self) -> bytes:
        nonce = self.fixed + self.counter.to_bytes(8, "big")
        self.counter = (self.counter + 1) % 2**64
        return nonce

    def close(self, sequence: int, packet: bytes) -> bytes:
        return packet[:4] + self.aead.encrypt(self.nonce(), packet[4:], packet[:4])

    def length(self, sequence: int, buffer: bytes) -> int:
        return int(struct.unpack_from(">I", buffer)[0])

    def unlock(self, sequence: int, packet: bytes) -> bytes:
        try:
            return packet[:4] + self.aead.decrypt(self.nonce(), packet[4:], packet[:4])
        except InvalidTag:
            raise Corrupt("message authentication code incorrect") from None


class EncryptThenMac(Secret):
    block, clear_length = 16, True

    def __init__(self, context: Any, mac: Callable[[int, bytes], bytes], tag: int) -> None:
        self.context, self.mac, self.tag = context, mac, tag

    def close(self, sequence: int, packet: bytes) -> bytes:
        sealed = packet[:4] + self.context.update(packet[4:])
        return sealed + self.mac(sequence, sealed)

    def length(self, sequence: int, buffer: bytes) -> int:
        return int(struct.unpack_from(">I", buffer)[0])

    def unlock(self, sequence: int, packet: bytes) -> bytes:
        sealed, tag = packet[: -self.tag], packet[-self.tag :]
        if not hmac.compare_digest(self.mac(sequence, sealed), tag):
            raise Corrupt("message authentication code incorrect")
        return packet[:4] + self.context.update(sealed[4:])


class EncryptAndMac(Secret):
    """RFC 4253: the length is inside the first block, the MAC is of the clear packet."""

    block, clear_length = 16, False

    def __init__(self, context: Any, mac: Callable[[int, bytes], bytes], tag: int) -> None:
        self.context, self.mac, self.tag = context, mac, tag
        self.first: bytes | None = None

    def close(self, sequence: int, packet: bytes) -> bytes:
        return self.context.update(packet) + self.mac(sequence, packet)

    def length(self, sequence: int, buffer: bytes) -> int:
        if self.first is None:
            self.first = self.context.update(buffer[: self.block])
        return int(struct.unpack_from(">I", self.first)[0])

    def unlock(self, sequence: int, packet: bytes) -> bytes:
        clear = (self.first or b"") + self.context.update(packet[self.block : -self.tag])
        self.first = None
        if not hmac.compare_digest(self.mac(sequence, clear), packet[-self.tag :]):
            raise Corrupt("message authentication code incorrect")
        return clear


AES_KEYS = {b"aes128": 16, b"aes192": 24, b"aes256": 32}
HASHES: dict[bytes, Any] = {b"hmac-sha1": sha1, b"hmac-sha2-256": sha256, b"hmac-sha2-512": sha512}
UMACS = {b"umac-64": 8, b"umac-128": 16}
CHACHA = b"chacha20-poly1305@openssh.com"
ETM = b"-etm@openssh.com"
GCM = b"-gcm@openssh.com"

CIPHERS = [CHACHA, *(aes + mode for aes in AES_KEYS for mode in (b"-ctr", b"-cbc")), b"aes128" + GCM, b"aes256" + GCM]
MACS = [
    *(name + end for name in HASHES for end in (b"", ETM)),
    *(name + end for name in UMACS for end in (b"@openssh.com", ETM)),
]


def brings_its_own_mac(cipher: bytes) -> bool:
    return cipher == CHACHA or cipher.endswith(GCM)


def protection(cipher: bytes, mac: bytes, iv: bytes, key: bytes, mac_key: bytes, sending: bool) -> Any:
    """The keys may be longer than needed."""
    if cipher == CHACHA:
        return ChaCha(key)
    size = AES_KEYS[cipher[:6]]
    if cipher.endswith(GCM):
        return Gcm(key[:size], iv)
    mode = modes.CBC(iv[:16]) if cipher.endswith(b"-cbc") else modes.CTR(iv[:16])
    aes = Cipher(algorithms.AES(key[:size]), mode)
    context = aes.encryptor() if sending else aes.decryptor()
    compute, tag = mac_of(mac, mac_key)
    return (EncryptThenMac if mac.endswith(ETM) else EncryptAndMac)(context, compute, tag)


def mac_of(name: bytes, key: bytes) -> tuple[Callable[[int, bytes], bytes], int]:
    base = name.split(b"@")[0].removesuffix(b"-etm")
    if base in UMACS:
        umac = Umac(key[:16], UMACS[base], aes_blocks)
        return (lambda sequence, data: umac.tag(data, sequence.to_bytes(8, "big"))), UMACS[base]
    digest, size = HASHES[base], HASHES[base]().digest_size
    return (lambda sequence, data: hmac.digest(key[:size], struct.pack(">I", sequence) + data, digest)), size


def aes_blocks(key: bytes, blocks: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(blocks)


def seal(how: Any, sequence: int, payload: bytes, least: int) -> bytes:
    """`least`: bytes that the packet has before its tag."""
    counted = len(payload) + 1 + (0 if how.clear_length else 4)
    padding = how.block - counted % how.block
    if padding < LEAST_PADDING:
        padding += how.block
    if 5 + len(payload) + padding < least:
        padding += how.block
    packet = struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + how.padding(padding)
    return bytes(how.close(sequence, packet))


def open_packet(software: Software, how: Any, sequence: int, buffer: bytes) -> tuple[bytes, int] | None:
    """(payload, bytes taken). Raises Corrupt at the byte that the software would give up at."""
    if len(buffer) < (4 if how.clear_length else how.block):
        return None
    length, taken = how.length(sequence, buffer), how.block
    try:
        software.check_length(how, length)
        taken = 4 + length + how.tag
        if len(buffer) < taken:
            return None
        return software.payload_of(how.unlock(sequence, buffer[:taken])), taken
    except Corrupt as corrupt:
        corrupt.taken = taken
        raise

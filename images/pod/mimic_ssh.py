"""
SSH between two hosts that mimic, as who looks on sees it (RFC 4253): versions, the lists of algorithms, a key exchange, new keys,
and from there on what nobody can read. The lists are those of OpenSSH 9.2 on Debian, the keys are random numbers, and there is
no secret: nothing in it means anything.

    asks       version  KEXINIT  key       NEWKEYS + message   message ...
    answers    version  KEXINIT  key, NEWKEYS, extensions      as many bytes as the message asks for

    message    how long it is and how long the answer shall be, four bytes each under a mask of both cookies; random bytes
"""

from __future__ import annotations

import hashlib
import os
import struct

VERSION = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n"
CURVES = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521"
GROUPS = ",".join(f"diffie-hellman-group{name}" for name in ("-exchange-sha256", "16-sha512", "18-sha512", "14-sha256"))
KEYS = f"sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,{CURVES},{GROUPS}"
NISTS = [f"ecdsa-sha2-nistp{bits}" for bits in (256, 384, 521)]
CERTIFIED = ",".join(f"{name}-cert-v01@openssh.com" for name in ("ssh-ed25519", *NISTS, "sk-ssh-ed25519", "sk-ecdsa-sha2-nistp256"))
CERTIFIED_RSA = "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com"
KNOWN = f"{CERTIFIED},{CERTIFIED_RSA},ssh-ed25519,{','.join(NISTS)},sk-ssh-ed25519@openssh.com"
ASKS = [f"{KEYS},ext-info-c,kex-strict-c-v00@openssh.com", f"{KNOWN},sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"]
ANSWERS = [f"{KEYS},kex-strict-s-v00@openssh.com", "rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ssh-ed25519"]
CIPHERS = "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com"
PROOFS = ["umac-64", "umac-128", "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"]
MACS = ",".join([f"{name}-etm@openssh.com" for name in PROOFS] + [f"{name}@openssh.com" for name in PROOFS[:2]] + PROOFS[2:])
KEXINIT, NEWKEYS, INIT, REPLY = 20, 21, 30, 31
# Of sntrup761 with x25519 (draft-ietf-sshm-ntruprime-ssh): a key, what answers it; and of ed25519 (RFC 8709) key and signature.
PUBLIC, CIPHERTEXT, HOST_KEY, SIGNATURE = 1158 + 32, 1039 + 32, 32, 64
# What OpenSSH says of signatures once keys are new.
EXTENSIONS = 316
COOKIE = slice(6, 22)
HEAD = 8
LONGEST = 8 << 20


def text(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("!I", len(raw)) + raw


def packet(payload: bytes) -> bytes:
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack("!IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def kexinit(lists: list[str], compressions: str) -> bytes:
    names = [*lists, CIPHERS, CIPHERS, MACS, MACS, compressions, compressions, "", ""]
    return packet(bytes([KEXINIT]) + os.urandom(16) + b"".join(map(text, names)) + bytes(5))


class Reader:
    """Pieces of what came: a line, packets in the clear, so many bytes."""

    def __init__(self) -> None:
        self.data = b""

    def line(self) -> bytes | None:
        return self.bytes(self.data.index(b"\n") + 1) if b"\n" in self.data[:256] else self.nothing(256)

    def packet(self) -> bytes | None:
        if len(self.data) < 4:
            return None
        (size,) = struct.unpack_from("!I", self.data)
        if not 8 <= size <= 35_000:
            raise ValueError("no packet")
        return self.bytes(size + 4)

    def bytes(self, size: int) -> bytes | None:
        if len(self.data) < size:
            return None
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def nothing(self, most: int) -> None:
        if len(self.data) >= most:
            raise ValueError("no line")


class Side:
    def __init__(self) -> None:
        self.came, self.place, self.cookies, self.told = Reader(), 0, b"", 0

    def masked(self, head: bytes) -> bytes:
        mask = hashlib.shake_128(self.cookies + struct.pack("!I", self.told)).digest(HEAD)
        self.told += 1
        return bytes(a ^ b for a, b in zip(head, mask, strict=True))


class Asking(Side):
    """`steps` exchanges until keys are new; then messages."""

    steps = 3

    def step(self) -> bytes:
        if self.place == 0:
            return VERSION
        if self.place == 1:
            own = kexinit(ASKS, "none,zlib@openssh.com,zlib")
            self.cookies = own[COOKIE]
            return own
        return packet(bytes([INIT]) + text(os.urandom(PUBLIC)))

    def take(self, data: bytes) -> bool:
        """Whether the answer to the step is whole."""
        self.came.data += data
        whole = self.came.line() if self.place == 0 else self.came.packet()
        if whole is None:
            return False
        if self.place == 1:
            self.cookies += whole[COOKIE]
        if self.place == 2:
            # The rest of this answer has a length that is known.
            self.came.data = whole + self.came.data
            if self.came.bytes(len(whole) + 16 + EXTENSIONS) is None:
                return False
        self.place += 1
        return True

    def message(self, size: int, response: int) -> bytes:
        opening = packet(bytes([NEWKEYS])) if self.told == 0 else b""
        size = max(HEAD, min(size, LONGEST) - len(opening))
        return opening + self.masked(struct.pack("!II", size, min(response, LONGEST))) + os.urandom(size - HEAD)

    @staticmethod
    def expected(response: int) -> int:
        return min(response, LONGEST)


class Answering(Side):
    def take(self, data: bytes) -> list[bytes]:
        """What is to be said to what came."""
        self.came.data += data
        said = []
        while (answer := self._next()) is not None:
            said.append(answer)
        return said

    def _next(self) -> bytes | None:
        if self.place == 4:
            return self._message()
        whole = self.came.line() if self.place == 0 else self.came.packet()
        if whole is None:
            return None
        self.place += 1
        if self.place == 1:
            return VERSION
        if self.place == 2:
            own = kexinit(ANSWERS, "none,zlib@openssh.com")
            self.cookies = whole[COOKIE] + own[COOKIE]
            return own
        if self.place == 3:
            host_key = text("ssh-ed25519") + text(os.urandom(HOST_KEY))
            signature = text("ssh-ed25519") + text(os.urandom(SIGNATURE))
            reply = packet(bytes([REPLY]) + text(host_key) + text(os.urandom(CIPHERTEXT)) + text(signature))
            return reply + packet(bytes([NEWKEYS])) + os.urandom(EXTENSIONS)
        return b""

    def _message(self) -> bytes | None:
        if len(self.came.data) < HEAD:
            return None
        told = self.told
        size, response = struct.unpack("!II", self.masked(self.came.data[:HEAD]))
        if not HEAD <= size <= LONGEST or response > LONGEST:
            raise ValueError("no message")
        if self.came.bytes(size) is None:
            self.told = told
            return None
        return os.urandom(response)

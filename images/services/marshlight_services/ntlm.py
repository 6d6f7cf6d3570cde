"""NTLM (MS-NLMP) from the server's side, as far as it goes before a log-in is refused, and its wrapping in SPNEGO."""

from __future__ import annotations

import secrets
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import der

if TYPE_CHECKING:
    from .persona import Persona, Service

SIGNATURE = b"NTLMSSP\0"
NTLMSSP_OID, SPNEGO_OID = "1.3.6.1.4.1.311.2.2.10", "1.3.6.1.5.5.2"
# Unicode, target, NTLM, always sign, extended session security, target info, version, 128 bit, key exchange, 56 bit.
OFFERED = 0x00000001 | 0x00000004 | 0x00000200 | 0x00008000 | 0x00080000 | 0x00800000 | 0x02000000 | 0xE0000000
# What a client asks for that says nothing of it.
ASKED = 0x00000001 | 0x00000010 | 0x00000020 | 0x00000200 | 0x00008000 | 0x00080000 | 0xE0000000
TARGET_DOMAIN, TARGET_SERVER = 0x00010000, 0x00020000


@dataclass(frozen=True)
class Names:
    """What a host calls itself before anybody has logged in."""

    computer: str
    domain: str
    dns_computer: str
    dns_domain: str
    version: tuple[int, int, int]
    # Member of a domain, not of a workgroup.
    joined: bool


def names_of(persona: Persona, service: Service) -> Names:
    computer = service.text("netbiosName", persona.hostname.upper()[:15])
    joined = bool(persona.domain)
    domain = service.text("workgroup", persona.domain.split(".")[0].upper() if joined else "WORKGROUP")[:15]
    major, minor, build = (int(part) for part in service.text("osVersion", "10.0.17763").split("."))
    return Names(computer, domain, persona.full_name, persona.domain, (major, minor, build), joined)


@dataclass(frozen=True)
class Login:
    user: str
    domain: str
    workstation: str
    challenge: str
    response: str
    older: str

    @property
    def anonymous(self) -> bool:
        return self.user == "" and len(self.response) <= 2

    def told(self) -> dict[str, str | None]:
        """What an event says of it: shared/schemas/login-proof.ts."""
        return {
            "domain": self.domain,
            "workstation": self.workstation,
            "scheme": "ntlm",
            "salt": self.challenge,
            "response": self.response,
            # With an answer of version 2 it says nothing more.
            "lmResponse": self.older if len(self.response) <= 48 else None,
        }


def kind_of(token: bytes) -> int:
    """1 negotiate, 3 authenticate; 0 for what is no NTLM."""
    at = token.find(SIGNATURE)
    return struct.unpack_from("<I", token, at + 8)[0] if at >= 0 and len(token) >= at + 12 else 0


def challenge_of(token: bytes, names: Names, samba: bool = False) -> tuple[bytes, bytes]:
    """The answer to a negotiate message, and its challenge."""
    at = token.find(SIGNATURE)
    asked = struct.unpack_from("<I", token, at + 12)[0] if len(token) >= at + 16 else ASKED
    flags = OFFERED & (asked | 0x00800000 | 0x00000004 | 0x02000000)
    flags |= asked & 0x00000010
    flags |= TARGET_DOMAIN if names.joined and not samba else TARGET_SERVER
    target = (names.domain if names.joined and not samba else names.computer).encode("utf-16le")
    dns_computer = names.dns_computer if names.joined or samba else names.computer
    dns_domain = names.dns_domain if names.joined or samba else names.computer
    own_domain = names.computer if samba or not names.joined else names.domain
    pairs = [(2, own_domain), (1, names.computer), (4, dns_domain), (3, dns_computer)]
    if names.joined and not samba:
        pairs.append((5, names.dns_domain))
    info = b"".join(struct.pack("<HH", tag, len(text.encode("utf-16le"))) + text.encode("utf-16le") for tag, text in pairs)
    info += struct.pack("<HHQ", 7, 8, file_time(time.time())) + b"\0\0\0\0"
    challenge = secrets.token_bytes(8)
    major, minor, build = (6, 1, 0) if samba else names.version
    head = SIGNATURE + struct.pack("<IHHI", 2, len(target), len(target), 56) + struct.pack("<I", flags) + challenge
    head += b"\0" * 8 + struct.pack("<HHI", len(info), len(info), 56 + len(target))
    head += struct.pack("<BBHBBBB", major, minor, build, 0, 0, 0, 15)
    return head + target + info, challenge


def login_of(token: bytes, challenge: bytes) -> Login | None:
    """What an authenticate message says. None where it cannot be read."""
    at = token.find(SIGNATURE)
    message = token[at:] if at >= 0 else b""
    if len(message) < 52 or kind_of(message) != 3:
        return None

    def field(number: int) -> bytes:
        size, _, offset = struct.unpack_from("<HHI", message, 12 + 8 * number)
        return message[offset : offset + size]

    def text(number: int) -> str:
        return field(number).decode("utf-16le", "replace")

    return Login(text(3), text(2), text(4), challenge.hex(), field(1).hex() or field(0).hex(), field(0).hex())


def mechanisms(names: Names, samba: bool = False) -> bytes:
    """NegTokenInit2: NTLM, after what a Windows host would rather speak."""
    kerberos = ["1.2.840.48018.1.2.2", "1.2.840.113554.1.2.2", "1.2.840.113554.1.2.2.3"] if names.joined else []
    windows = [] if samba else ["1.3.6.1.4.1.311.2.2.30", *kerberos]
    offered = (der.oid(dotted) for dotted in (*windows, NTLMSSP_OID))
    hint = der.sequence(der.tlv(0xA0, der.tlv(0x1B, b"not_defined_in_RFC4178@please_ignore")))
    inner = der.sequence(der.tlv(0xA0, der.sequence(*offered)), der.tlv(0xA3, hint))
    return der.tlv(0x60, der.oid(SPNEGO_OID), der.tlv(0xA0, inner))


def wrapped(challenge: bytes) -> bytes:
    """NegTokenResp that goes on."""
    state = der.tlv(0xA0, der.tlv(0x0A, b"\1"))
    mechanism = der.tlv(0xA1, der.oid(NTLMSSP_OID))
    return der.tlv(0xA1, der.sequence(state, mechanism, der.tlv(0xA2, der.octets(challenge))))


COMPLETED = der.tlv(0xA1, der.sequence(der.tlv(0xA0, der.tlv(0x0A, b"\0"))))
REJECTED = der.tlv(0xA1, der.sequence(der.tlv(0xA0, der.tlv(0x0A, b"\2"))))


def file_time(seconds: float) -> int:
    """Hundreds of nanoseconds since 1601."""
    return int((seconds + 11644473600) * 10_000_000)

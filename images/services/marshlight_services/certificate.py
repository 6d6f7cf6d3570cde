"""The self-signed certificate (RFC 5280) of a service, made of the persona's seed and kept in the state folder."""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import time
from typing import TYPE_CHECKING

from . import der, places
from .rsa_key import Key, Stream, key_of

if TYPE_CHECKING:
    from .persona import Persona, Service

DAY = 86400
COMMON_NAME, ORGANIZATION = "2.5.4.3", "2.5.4.10"
ALGORITHM = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.tlv(der.NULL))


def tls_context(persona: Persona, service: Service) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(stored(persona, service))
    if service.kind == "https":
        context.set_alpn_protocols(["http/1.1"])
    return context


def stored(persona: Persona, service: Service) -> str:
    """Path of a file with key and certificate; made where there is none yet."""
    own = sorted((name, value) for name, value in service.settings.items() if name.startswith("cert"))
    words = repr((persona.seed, persona.full_name, owner_of(service), own))
    path = places.STATE / f"tls-{hashlib.sha256(words.encode()).hexdigest()[:16]}.pem"
    if not path.exists():
        key = own_key(persona, service)
        certificate = certificate_of(key, persona, service)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(pem("RSA PRIVATE KEY", key.private_info()) + pem("CERTIFICATE", certificate))
    return str(path)


def own_key(persona: Persona, service: Service) -> Key:
    return key_of(f"{persona.seed} tls {owner_of(service)}")


def owner_of(service: Service) -> str:
    """Debian's web servers and databases share the certificate that comes with the machine; these have their own."""
    return service.kind if service.kind in ("mysql", "rdp") else "machine"


def certificate_of(key: Key, persona: Persona, service: Service) -> bytes:
    stream = Stream(f"{persona.seed} certificate")
    windows = service.kind == "rdp"
    name = service.text("certCommonName", persona.full_name)
    organization = service.text("certOrganization")
    subject = name_of(*([(ORGANIZATION, organization)] if organization else []), (COMMON_NAME, name))
    begin = persona.booted_at - (3 + stream.take(1)[0] % 60) * DAY - int.from_bytes(stream.take(3), "big") % DAY
    # Windows makes its own for half a year, and a new one in time; others are made once for long.
    days = service.number("certDays", 182 if windows else 3650)
    while windows and begin + days * DAY < time.time():
        begin += (days - 14) * DAY
    serial = int.from_bytes(b"\x10" + stream.take(15), "big")
    body = der.sequence(
        der.tlv(0xA0, der.integer(2)),
        der.integer(serial),
        ALGORITHM,
        subject,
        der.sequence(moment(begin), moment(begin + days * DAY)),
        subject,
        key.public_info(),
        der.tlv(0xA3, der.sequence(*(extensions_windows() if windows else extensions(name)))),
    )
    return der.sequence(body, ALGORITHM, der.tlv(0x03, b"\0" + key.sign(body)))


def name_of(*attributes: tuple[str, str]) -> bytes:
    pairs = (der.sequence(der.oid(kind), der.tlv(0x0C, text.encode())) for kind, text in attributes)
    return der.sequence(*(der.tlv(der.SET, pair) for pair in pairs))


def extensions(name: str) -> list[bytes]:
    constraints = der.sequence(der.oid("2.5.29.19"), der.octets(der.sequence()))
    names = der.sequence(der.oid("2.5.29.17"), der.octets(der.sequence(der.tlv(0x82, name.encode()))))
    return [constraints, names]


def extensions_windows() -> list[bytes]:
    purpose = der.sequence(der.oid("2.5.29.37"), der.octets(der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))))
    usage = der.sequence(der.oid("2.5.29.15"), der.octets(b"\x03\x02\x04\x30"))
    return [purpose, usage]


def moment(seconds: float) -> bytes:
    found = time.gmtime(seconds)
    if found.tm_year < 2050:
        return der.tlv(0x17, time.strftime("%y%m%d%H%M%SZ", found).encode())
    return der.tlv(0x18, time.strftime("%Y%m%d%H%M%SZ", found).encode())


def pem(label: str, data: bytes) -> bytes:
    text = base64.encodebytes(data).decode().replace("\n", "")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()

"""
Which of a persona's SSH algorithms can really be served. Announcing one that is not would break the clients that pick
it, so those are left out, in the persona's order, and status.json names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .exchanges import EXCHANGES
from .protection import CIPHERS, MACS

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..decoy import Decoy
    from ..persona import Ssh

STRICT_SERVER = b"kex-strict-s-v00@openssh.com"
STRICT_CLIENT = b"kex-strict-c-v00@openssh.com"
EXT_INFO_CLIENT = b"ext-info-c"
# Words among the key exchanges that are none; the last is Dropbear's, on guessed packets.
MARKERS = (STRICT_SERVER, b"ext-info-s", b"kexguess2@matt.ucc.asn.au")
COMPRESSIONS = (b"none", b"zlib", b"zlib@openssh.com")
HOST_KEYS = (b"rsa-sha2-512", b"rsa-sha2-256", b"ssh-rsa", b"ecdsa-sha2-nistp256", b"ssh-ed25519")


@dataclass(frozen=True)
class Offer:
    kex: list[bytes]
    host_keys: list[bytes]
    ciphers: list[bytes]
    macs: list[bytes]
    compression: list[bytes]
    left_out: list[str]


def offer_of(ssh: Ssh) -> Offer:
    left_out: list[str] = []

    def served(wanted: tuple[str, ...], able: Collection[bytes]) -> list[bytes]:
        names = [name.encode("ascii", "replace") for name in wanted]
        left_out.extend(name.decode() for name in names if name not in able)
        # A list that nothing is left of would refuse every client: then all that can be served.
        return [name for name in names if name in able] or list(able)

    return Offer(
        kex=served(ssh.kex, [*EXCHANGES, *MARKERS]),
        host_keys=served(ssh.host_keys, HOST_KEYS),
        ciphers=served(ssh.ciphers, CIPHERS),
        macs=served(ssh.macs, MACS),
        compression=served(ssh.compression, COMPRESSIONS),
        left_out=left_out,
    )


def current_offer(decoy: Decoy) -> Offer | None:
    return offer_of(decoy.persona.ssh) if decoy.persona.ssh else None


def first_common(client: list[bytes], server: list[bytes]) -> bytes | None:
    """RFC 4253, 7.1: the client's order decides."""
    return next((name for name in client if name in server), None)

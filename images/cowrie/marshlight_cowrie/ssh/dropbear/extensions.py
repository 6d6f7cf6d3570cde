"""EXT_INFO of a Dropbear: the signatures its build can check, which its curves tell, whatever host keys it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..wire import names, string

if TYPE_CHECKING:
    from ..algorithms import Offer

RELEASE = re.compile(r"SSH-2\.0-dropbear_(\d+)\.(\d+)")
# The first that knew EXT_INFO, and keys on hardware.
FIRST, WITH_HARDWARE = (2020, 79), (2022, 82)
SIZES = (b"nistp256", b"nistp384", b"nistp521")


def extension_info(banner: str, offer: Offer) -> bytes | None:
    found = RELEASE.match(banner)
    # OpenWrt's builds tell no number.
    release = (int(found[1]), int(found[2])) if found else WITH_HARDWARE
    if release < FIRST:
        return None
    listed = names(signature_algorithms(offer, release >= WITH_HARDWARE))
    return (1).to_bytes(4, "big") + string(b"server-sig-algs") + listed


def signature_algorithms(offer: Offer, hardware: bool) -> list[bytes]:
    curves = [b"ecdsa-sha2-" + size for size in SIZES if b"ecdh-sha2-" + size in offer.kex]
    edwards = [b"ssh-ed25519"] + ([b"sk-ssh-ed25519@openssh.com"] if hardware else [])
    on_hardware = [b"sk-ecdsa-sha2-nistp256@openssh.com"] if hardware and curves else []
    # The builds that leave out the curves, for small flash, leave out DSA too.
    old = [b"ssh-dss"] if curves else []
    return [*edwards, *curves, *on_hardware, b"rsa-sha2-256", b"ssh-rsa", *old]

"""What an OpenSSH release says beyond its KEXINIT, by the number in its banner."""

from __future__ import annotations

import re

from ..wire import string

RELEASE = re.compile(r"SSH-2\.0-OpenSSH_(\d+)\.(\d+)")
NIST = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
SK_ED25519, SK_ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
WEBAUTHN = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"


def release_of(banner: str) -> tuple[int, int] | None:
    """None: not an OpenSSH."""
    found = RELEASE.match(banner)
    return (int(found[1]), int(found[2])) if found else None


def signature_algorithms(release: tuple[int, int]) -> list[str]:
    if release >= (9, 6):
        # From here on the list is PubkeyAcceptedAlgorithms, not all that the library knows.
        return ["ssh-ed25519", *NIST, SK_ED25519, SK_ECDSA, "rsa-sha2-512", "rsa-sha2-256"]
    if release >= (9, 2):
        ecdsa = [*NIST, SK_ECDSA, WEBAUTHN]
        return ["ssh-ed25519", SK_ED25519, *ecdsa, "ssh-dss", "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"]
    keys = [SK_ED25519] if release >= (8, 2) else []
    algorithms = ["ssh-ed25519", *keys, "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512", "ssh-dss", *NIST]
    algorithms += [SK_ECDSA] if release >= (8, 2) else []
    return algorithms + ([WEBAUTHN] if release >= (8, 4) else [])


def extension_info(banner: str) -> bytes | None:
    """Body of EXT_INFO (RFC 8308); None where the release sends none."""
    release = release_of(banner)
    if release is None:
        return (1).to_bytes(4, "big") + string(b"server-sig-algs") + string(b"ssh-ed25519,rsa-sha2-256,ssh-rsa")
    if release < (7, 2):
        return None
    entries = [(b"server-sig-algs", ",".join(signature_algorithms(release)).encode())]
    if release >= (8, 9):
        entries.append((b"publickey-hostbound@openssh.com", b"0"))
    if release >= (9, 5):
        entries.append((b"ping@openssh.com", b"0"))
    return len(entries).to_bytes(4, "big") + b"".join(string(name) + string(value) for name, value in entries)

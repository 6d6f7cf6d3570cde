"""
Lines of ~/.ssh/authorized_keys as sshd(8) reads them (AUTHORIZED_KEYS FILE FORMAT): options, kind, key, comment. A line
with an option that sshd does not know opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

MOST_LINES, LONGEST_LINE = 4096, 16_384
KINDS = ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


@dataclass(frozen=True)
class Allowance:
    """What a log-in by this key may do."""

    command: str | None = None
    pty: bool = True
    forwarding: bool = True
    #: Patterns of addresses that may use it; None: all.
    sources: str | None = None
    #: Seconds since 1970 after which it opens nothing; None: never.
    expires: str | None = None


EVERYTHING = Allowance()
#: Options whose effects are none here; `environment` counts with PermitUserEnvironment alone, which is off.
WITHOUT_EFFECT = re.compile(
    r"(no-)?(agent-forwarding|x11-forwarding|user-rc)|environment=.*|permitopen=.*|permitlisten=.*|tunnel=.*|no-touch-required|verify-required",
    re.IGNORECASE | re.DOTALL,
)


def lines(text: bytes) -> Iterator[tuple[bytes, Allowance]]:
    """The key itself and what it allows, of each line that opens anything."""
    for raw in text.splitlines()[:MOST_LINES]:
        line = raw[:LONGEST_LINE].decode("utf-8", "surrogateescape").lstrip(" \t")
        if not line or line[0] == "#":
            continue
        key = key_of(line)
        if key is not None:
            yield key, EVERYTHING
            continue
        end = end_of_options(line)
        key = key_of(line[end:].lstrip(" \t"))
        allowed = options(line[:end]) if key is not None else None
        if key is not None and allowed is not None:
            yield key, allowed


def key_of(text: str) -> bytes | None:
    words = text.split(None, 2)
    if len(words) < 2 or words[0] not in KINDS:
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    kind = words[0].encode()
    return blob if blob.startswith(len(kind).to_bytes(4, "big") + kind) else None


def end_of_options(line: str) -> int:
    """At the first blank outside of quotes."""
    quoted = False
    at = 0
    while at < len(line) and (quoted or line[at] not in " \t"):
        if line[at] == "\\" and line[at + 1 : at + 2] == '"':
            at += 1
        elif line[at] == '"':
            quoted = not quoted
        at += 1
    return at


def options(text: str) -> Allowance | None:
    """None where sshd refuses the line for them."""
    found = EVERYTHING
    for word in re.findall(r'(?:[^,"\\]|\\.|"(?:\\.|[^"\\])*")+', text):
        name, equals, raw = word.partition("=")
        value = raw[1:-1].replace('\\"', '"') if len(raw) > 1 and raw[0] == raw[-1] == '"' else None
        match name.lower():
            case "restrict":
                found = replace(found, pty=False, forwarding=False)
            case "pty" | "no-pty":
                found = replace(found, pty=name.lower() == "pty")
            case "port-forwarding" | "no-port-forwarding":
                found = replace(found, forwarding=name.lower() == "port-forwarding")
            case "command" if value is not None and found.command is None:
                found = replace(found, command=value)
            case "from" if value is not None and found.sources is None:
                found = replace(found, sources=value)
            case "expiry-time" if value is not None and re.fullmatch(r"\d{8}(\d{4}(\d\d)?)?Z?", value):
                found = replace(found, expires=value)
            case _:
                if not WITHOUT_EFFECT.fullmatch(word) or bool(equals) != (value is not None):
                    return None
    return found


def comes_from(sources: str, address: str) -> bool:
    """`from=`: patterns and networks, any of them; one that begins with `!` and fits decides against."""
    said = False
    for pattern in sources.split(","):
        negated, pattern = pattern.startswith("!"), pattern.lstrip("!")
        if fits(pattern, address):
            if negated:
                return False
            said = True
    return said


def fits(pattern: str, address: str) -> bool:
    if "/" in pattern:
        try:
            return ipaddress.ip_address(address) in ipaddress.ip_network(pattern)
        except ValueError:
            return False
    return fnmatch.fnmatchcase(address, pattern.replace("[", "[[]"))

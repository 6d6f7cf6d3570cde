"""
What a client says before the first packet, read as OpenSSH reads it (RFC 4253, 4.2): byte by byte, one line, and
whatever cannot become an identification ends the connection at the byte that proves it.
"""

from __future__ import annotations

import re

from ..software import Identified, Refusal

LONGEST_LINE = 8192
INVALID = b"Invalid SSH identification string."
OTHER_MAJOR = b"Protocol major versions differ."
# As scanf reads `%d.%d-%[^\n]`: space and a sign may stand before a number.
VERSION = re.compile(rb"SSH-\s*([+-]?\d+)\.\s*([+-]?\d+)-(.+)", re.DOTALL)
# Known scanners (compat.c): hung up on without a word.
PROBES = re.compile(rb"Probe-.*|.*SSH_Version_Mapper.*", re.DOTALL)


def read(received: bytes) -> Identified | Refusal | None:
    """None: more is needed."""
    end, wrong = scan(received)
    if wrong is not None:
        return Refusal(received[:wrong], INVALID, unread=len(received) > wrong + 1)
    if end is None:
        return None
    line, rest = received[:end].rstrip(b"\r"), received[end + 1 :]
    version = VERSION.fullmatch(line)
    if version is None:
        return Refusal(line, INVALID, unread=bool(rest))
    major, minor = int(version[1]), int(version[2])
    if major != 2 and (major, minor) != (1, 99):
        return Refusal(line, OTHER_MAJOR, unread=bool(rest))
    if PROBES.fullmatch(version[3]):
        return Refusal(line, b"", unread=bool(rest))
    return Identified(line, rest)


def scan(received: bytes) -> tuple[int | None, int | None]:
    """(place of the line's end, place of the byte that cannot be)."""
    end = received.find(b"\n")
    line = received if end < 0 else received[:end]
    wrong = [place for place in (line.find(b"\0"), after_return(line), past_longest(line)) if place >= 0]
    if wrong:
        return None, min(wrong)
    return (None if end < 0 else end), None


def after_return(line: bytes) -> int:
    """A CR announces the end: another byte than LF behind it is wrong; more CRs are passed over."""
    at = line.find(b"\r")
    if at < 0:
        return -1
    behind = len(line) - len(line[at:].lstrip(b"\r"))
    return behind if behind < len(line) else -1


def past_longest(line: bytes) -> int:
    text = line.replace(b"\r", b"")
    return LONGEST_LINE if len(text) > LONGEST_LINE else -1

"""
What becomes of a text or a file that is altered. Each takes `how`, from 0 to 1, and gives the same for the same; lengths
stay, so that sizes and columns still fit.
"""

from __future__ import annotations

import re

from .draws import fraction

#: Bytes at the end of a file that are other ones.
BYTES_AT_END = 16
SMALLEST_FILE = 64
#: One line of so many has other digits.
LINES_OF = 10
#: By so much at most is a number another.
PART = 0.08
#: A number of an output: no part of a name, a device, an address, a date, a time or a head of a column.
WHOLE = re.compile(rb"(?<![\w.:/%-])\d{3,}(?![\w.:/%-])")
WITH_PART = re.compile(rb"(?<![\w.:/%-])\d+\.\d+(?![\d:/-]|\.\d)")
WITH_UNIT = re.compile(rb"(?<![\w.:/%-])\d+(?:\.\d+)?(?=[KMGT]i?B?(?!\w))")
#: Of these commands the whole numbers are amounts; of the others (ps, top) they are names of processes.
AMOUNTS = frozenset({"df", "free", "vmstat", "iostat", "du"})
PARTS = frozenset({"ps", "top", "uptime", "w"})
SAYS_VERSIONS = frozenset({"dpkg", "dpkg-query", "rpm", "apt", "apt-cache", "yum", "dnf", "opkg"})
#: The last number of a package's version or of a patch level: 1.18.0-6.1+deb11u3, OpenSSH_9.2p1 Debian-2+deb12u3.
PATCH = re.compile(rb"(?<=[+~.\-_a-z])(\d{1,3})(?=[ \t\r\n)]|$)")
VERSION = re.compile(rb"(?<![\w.:/-])(?:\d+:)?\d+\.\d+[\w.+~:-]*|(?<= Debian-)\d[\w.+~]*|(?<= Ubuntu-)\d[\w.+~]*")


def end_of(contents: bytes, how: float) -> bytes:
    """As after a write that was not finished: the last bytes are others, the line's end stays."""
    if len(contents) < SMALLEST_FILE:
        return contents
    ending = b"\n" if contents.endswith(b"\n") else b""
    body = contents[: len(contents) - len(ending)]
    kept, last = body[:-BYTES_AT_END], body[-BYTES_AT_END:]
    turned = bytes(byte ^ (1 + int(fraction(how, place) * 127)) for place, byte in enumerate(last))
    return kept + turned + ending


def inside_of(contents: bytes, how: float) -> bytes:
    """One line of ten has other digits, as an older or a wrong record has."""
    if b"\0" in contents[:1024]:
        return contents
    lines = contents.split(b"\n")
    for place, line in enumerate(lines):
        if fraction(how, "line", place) < 1 / LINES_OF or len(lines) <= 2:
            lines[place] = other_digits(line, how, place)
    return b"\n".join(lines)


def other_digits(line: bytes, how: float, place: int) -> bytes:
    return re.sub(rb"\d", lambda digit: b"%d" % int(10 * fraction(how, place, digit.start())), line)


def numbers_of(name: str, output: bytes, how: float) -> bytes:
    """Amounts of df and free, shares of ps, load of uptime: up to eight of a hundred more or less, as wide as they were."""

    def other(found: re.Match[bytes]) -> bytes:
        text = found[0]
        whole, point, parts = text.partition(b".")
        least = 10 ** (len(whole) - 1) if len(whole) > 1 else 0
        factor = 1 + PART * (2 * fraction(how, found.start(), text) - 1)
        value = min(max(float(text) * factor, least), 10 ** len(whole) - (1 if not point else 10 ** -len(parts)))
        made = b"%.*f" % (len(parts), value)
        return made.rjust(len(text), b"0")

    if name in AMOUNTS:
        output = WITH_UNIT.sub(other, WHOLE.sub(other, output))
    return WITH_PART.sub(other, output)


def version_of(text: bytes, how: float) -> bytes:
    """The last number of each version is the neighbouring patch level."""

    def patched(found: re.Match[bytes]) -> bytes:
        number = int(found[1])
        made = b"%d" % (number - 1 if how < 0.5 and number > 0 else number + 1)
        return made if len(made) == len(found[1]) else found[1]

    return VERSION.sub(lambda found: PATCH.sub(patched, found[0]), text)


def earlier(contents: bytes, how: float) -> bytes:
    """As it was some days ago: of a text, up to an eighth of its lines was not there yet."""
    lines = contents.splitlines(keepends=True)
    if b"\0" in contents[:1024] or len(lines) < 3:
        return contents
    return b"".join(lines[: len(lines) - max(1, int(len(lines) / 8 * fraction(how, "lines")))])


def copy_name(name: str, how: float) -> str:
    """As somebody calls what he keeps beside a file that he is about to change."""
    endings = (".bak", ".old", "~", ".orig", ".save")
    return name + endings[int(len(endings) * fraction(how, "name"))]

"""
Which digits of an answer may be changed. Only in plain text, one for another, so that no length changes; never where the
protocol itself reads them: the first line, a head of HTTP, sizes and reply codes at the beginning of lines. Pure.
"""

from __future__ import annotations

import random
import re

MOST = 3
MOST_OF_LINE = 256
NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
TLS = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
LINE = re.compile(rb"[^\n]*\n?")
# Counted lines as RESP has them, reply codes, chunks' sizes, and whatever tells a length.
COUNTED = re.compile(rb"(?i)[$*+:-]|\d{3}[ -]|[0-9a-f]+\s*$|.*length")
# No part of a name, a date, a time or an entity.
NUMBER = re.compile(rb"(?<![\w.&#%-])(?<!\d:)\d+(?:\.\d+)*(?![\w-]|[.:]\d)")
VERSION = re.compile(rb"\d+\.\d+(?:\.\d+)*")
SERVER = re.compile(rb"(?i)server:")
ENCODED = re.compile(rb"(?i)content-encoding:(?!\s*identity\s*$)")
CONTINUED = re.compile(rb"[\x80-\xbf]{0,3}")
TAG = re.compile(rb"<[^<>]*>")


class Text:
    """
    One answer as it goes by: where in it a content has begun that may be changed. `before`: the one before it in the same
    connection. Where that began as HTTP does, what does not is the rest of something; what was no text once (TLS, also
    after plain words, a protocol in binary) is none any more.
    """

    def __init__(self, before: Text | None = None) -> None:
        self.line = 0
        #: Of a line of the head that goes on in the next piece.
        self.begun = b""
        self.head: bool | None = None
        self.is_http = before is not None and before.is_http
        self.usable = before is None or before.is_http or before.usable

    def begin(self, content: bytes) -> None:
        """The first piece, also of an answer that is not to be changed: the next one is judged by it."""
        if self.head is not None:
            return
        self.head = content[:5] == b"HTTP/"[: len(content)]
        self.usable = self.usable and (self.head or not self.is_http) and not TLS.match(content)
        self.is_http = self.is_http or self.head

    def eligible(self, content: bytes, what: str) -> list[tuple[int, int]]:
        """Places of numbers in the next piece, as (from, to). Beyond a head a piece is judged by itself."""
        self.begin(content)
        if not self.usable or not is_text(content):
            self.usable = False
            return []
        found: list[tuple[int, int]] = []
        for line in LINE.finditer(content):
            text = line[0]
            if not text:
                continue
            first, self.line = self.line == 0, self.line + 1
            if self.head:
                whole, self.begun = self.begun + text, b""
                if not whole.endswith(b"\n"):
                    self.begun = whole[:MOST_OF_LINE]
                if whole in (b"\r\n", b"\n"):
                    self.head = False
                elif ENCODED.match(whole):
                    # Its body is another's bytes, whatever they look like; the head itself may still name a version.
                    self.usable = False
                elif what == "version" and SERVER.match(text):
                    found += [(line.start() + number.start(), line.start() + number.end()) for number in VERSION.finditer(text)]
            elif self.usable and not first and not COUNTED.match(text):
                tags = [tag.span() for tag in TAG.finditer(text)]
                for number in (VERSION if what == "version" else NUMBER).finditer(text):
                    if not any(begin <= number.start() < end for begin, end in tags):
                        found.append((line.start() + number.start(), line.start() + number.end()))
        return found


def is_text(content: bytes) -> bool:
    """In UTF-8, but for a letter that is cut at either end."""
    if NOT_TEXT.search(content):
        return False
    begun = content[CONTINUED.match(content).end() :]  # type: ignore[union-attr]
    try:
        begun.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.end == len(begun)
    return True


def changed(content: bytes, places: list[tuple[int, int]], what: str, row: random.Random) -> dict[int, int]:
    """Offset to new byte: of a few numbers for fields and contents, of the last one for bytes and versions."""
    if not places:
        return {}
    chosen = places[-1:] if what in ("bytes", "version") else row.sample(places, min(len(places), row.randint(1, MOST)))
    changes = {}
    for begin, end in chosen:
        at = row.choice([place for place in range(begin, end) if content[place] != 0x2E])
        # No number begins with a nought that did not before.
        changes[at] = row.choice([digit for digit in b"123456789" if digit != content[at]])
    return changes

"""Sizes that Dropbear is built with (default_options.h, sysoptions.h). What is past them ends the connection."""

from __future__ import annotations

from ..wire import Unreadable, read_string

LARGEST_PACKET = 35_000
LARGEST_PAYLOAD = 32_768
LONGEST_TEXT = 9000
MOST_NAMES = 50
LONGEST_NAME = 64
LONGEST_USER, LONGEST_PASSWORD = 100, 100
LONGEST_TERMINAL = 200
WINDOW = 24_576
# A message of a channel has nine bytes before its data.
LARGEST_DATA_IN, LARGEST_DATA_OUT = LARGEST_PAYLOAD - 9, 16_384 - 9


def read_text(data: bytes) -> tuple[bytes, bytes]:
    text, rest = read_string(data)
    if len(text) > LONGEST_TEXT:
        raise Unreadable(f"a text of {len(text)} bytes")
    return text, rest

"""
What a client says before the first packet, read as Dropbear reads it: up to 255 bytes of one line, whatever CRs are in
it. A line that is no `SSH-2.` ends the connection without a word.
"""

from __future__ import annotations

from ..software import Identified, Refusal

LONGEST_LINE = 255
STARTS = (b"SSH-2.", b"SSH-1.99-")


def read(received: bytes) -> Identified | Refusal | None:
    """None: more is needed."""
    line, taken = line_of(received)
    if line is None:
        return None
    if line.startswith(STARTS):
        # It handles the line as a C string.
        return Identified(line.split(b"\0")[0], received[taken:])
    return Refusal(line, b"", unread=len(received) > taken)


def line_of(received: bytes) -> tuple[bytes | None, int]:
    """(the line, or None where it goes on; the bytes taken). A line that is full ends there, and the rest are packets."""
    end = received.find(b"\n")
    text = (received if end < 0 else received[:end]).replace(b"\r", b"")
    if len(text) >= LONGEST_LINE:
        return text[:LONGEST_LINE], place_of_last(received, LONGEST_LINE)
    return (None, 0) if end < 0 else (text, end + 1)


def place_of_last(received: bytes, count: int) -> int:
    """Behind so many bytes other than CR."""
    place = 0
    while count:
        count -= received[place] != 0x0D
        place += 1
    return place

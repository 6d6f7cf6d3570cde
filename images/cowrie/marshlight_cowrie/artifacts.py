"""Finished tty logs by the SHA-256 of what is in them (Cowrie's own name is of the typed part alone), and capped."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from . import limits as caps
from . import places
from .signatures import expect

if TYPE_CHECKING:
    from .limits import Limits


def install(limits: Limits) -> None:
    from cowrie.core import ttylog

    expect(ttylog.ttylog_inputhash, "(logfile)")
    expect(ttylog.ttylog_write, "(logfile, length, direction, stamp, data)")
    for folder in (places.TTY, places.FILES):
        caps.remove_unfinished(folder)
        caps.trim(folder, limits)
    write = ttylog.ttylog_write

    def ttylog_write(logfile: str, length: int, direction: int, stamp: float, data: bytes) -> None:
        if os.stat(logfile).st_size + length <= limits.tty_bytes:
            write(logfile, length, direction, stamp, data)

    ttylog.ttylog_write = ttylog_write
    ttylog.ttylog_inputhash = digest_of


def digest_of(logfile: str) -> str:
    with open(logfile, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

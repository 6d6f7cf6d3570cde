"""How the C library and coreutils name errors."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from .options import complain

if TYPE_CHECKING:
    from ..ports import Process

PLAIN = re.compile(r"[\w@%+=:,./^-]+", re.ASCII)


def strerror(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error.strerror or error)


def quoted(name: str) -> str:
    """As coreutils quotes a name in a sentence, outside of a terminal with UTF-8."""
    if "'" in name and '"' not in name:
        return f'"{name}"'
    return "'" + name.replace("'", "'\\''").replace("\n", "'$'\\n''") + "'"


def if_needed(name: str) -> str:
    """As coreutils names a file before a colon: quoted only where a shell would need it."""
    return name if PLAIN.fullmatch(name) else quoted(name)


def trouble(p: Process, name: str, error: OSError) -> None:
    """`cat: name: No such file or directory`"""
    complain(p, f"{if_needed(name)}: {strerror(error)}")

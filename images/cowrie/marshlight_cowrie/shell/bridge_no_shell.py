"""Programs that stand in the place of a shell, for accounts that nobody is to work with."""

from __future__ import annotations

import posixpath
from collections.abc import Coroutine
from typing import Any

from .ports import Account
from .streams import Stream

#: What they say, and their status.
NO_SHELLS = {"nologin": (b"This account is currently not available.\n", 1), "false": (b"", 1), "true": (b"", 0), "sync": (b"", 0)}


def in_place_of_a_shell(account: Account, out: Stream) -> Coroutine[Any, Any, int] | None:
    """What an account runs that has no shell; None for the others."""
    said = NO_SHELLS.get(posixpath.basename(account.shell))
    if said is None:
        return None

    async def program() -> int:
        out.write(said[0])
        return said[1]

    return program()

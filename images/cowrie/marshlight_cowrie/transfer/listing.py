"""The long names of a listing, which sftp-server writes as `ls -l` does."""

from __future__ import annotations

import stat as st
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..shell.ports import Stat


def long_name(
    name: str, found: Stat, users: dict[int, str], groups: dict[int, str], date: Callable[[float], str]
) -> str:
    owner = users.get(found.uid, str(found.uid))
    group = groups.get(found.gid, str(found.gid))
    # The mode has an eleventh place, for what strmode(3) knows besides.
    mode = f"{st.filemode(found.mode)} "
    return f"{mode} {found.links:3d} {owner:<8} {group:<8} {found.size:>8} {date(found.mtime)} {name}"

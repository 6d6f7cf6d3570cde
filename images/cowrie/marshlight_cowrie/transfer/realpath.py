"""The one path that the server makes of another."""

from __future__ import annotations

import errno
import os
import stat as st
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..tree.view import View


def resolved(view: View, path: str) -> str:
    """As the server's own realpath: a `..` takes a part away whatever that was, and the last part may be missing."""
    done: list[str] = []
    left, links = path.split("/"), 0
    while left:
        part = left.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            del done[-1:]
            continue
        whole = "/".join(("", *done, part))
        try:
            found = view.stat(whole, follow=False)
        except FileNotFoundError:
            if left:
                raise
            return whole
        if st.S_ISLNK(found.mode):
            links += 1
            if links > 32:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = found.target or ""
            done = [] if target.startswith("/") else done
            left = target.split("/") + left
        else:
            done.append(part)
    return "/" + "/".join(done)

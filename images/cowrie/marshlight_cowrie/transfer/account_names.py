"""Accounts and groups as listings and the extensions name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..tree.view import View


class Names:
    """Of accounts and groups by number, as the host's /etc/passwd and /etc/group have them."""

    def __init__(self, view: View) -> None:
        root = view.as_account(0, (0,))
        self.users, self.groups = read_names(root, "/etc/passwd"), read_names(root, "/etc/group")
        self.homes = {row[0]: row[5] for row in rows(root, "/etc/passwd") if len(row) == 7}


def rows(view: View, path: str) -> list[list[str]]:
    try:
        return [line.split(":") for line in view.read(path)[:262_144].decode("utf-8", "replace").splitlines()]
    except OSError:
        return []


def read_names(view: View, path: str) -> dict[int, str]:
    return {int(row[2]): row[0] for row in reversed(rows(view, path)) if len(row) > 2 and row[2].isdigit()}

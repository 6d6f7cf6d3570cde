"""MAX_UNAUTH_PER_IP and MAX_UNAUTH_CLIENTS: past those that have not logged in, a connection is closed at once."""

from __future__ import annotations

from typing import Any

from ..software import Door

MOST_OF_ONE, MOST = 5, 30


class Unauthenticated(Door):
    def __init__(self) -> None:
        self.hosts: dict[int, str] = {}

    def refuses(self, host: str) -> bytes | None:
        waiting = list(self.hosts.values())
        return b"" if len(waiting) >= MOST or waiting.count(host) >= MOST_OF_ONE else None

    def enter(self, connection: Any, host: str) -> None:
        self.hosts[id(connection)] = host

    def leave(self, connection: Any) -> None:
        self.hosts.pop(id(connection), None)

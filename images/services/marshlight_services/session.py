"""
One connection, or one source's datagrams, as events: `<kind>.<what>`, with the fields that Cowrie's events have too
(`src_ip`, `username`, `input`, `url` ...), so that all services tell the same in the same words.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from marshlight_common.event_files import cut, utc

from .drifting import whose

if TYPE_CHECKING:
    from .host import Host

Address = tuple[str, int]
# One connection that never ends must not fill the disk.
MOST_EVENTS = 5000
LONGEST_TEXT = 4096


class Session:
    def __init__(self, host: Host, kind: str, source: Address, target: Address) -> None:
        self.host, self.kind = host, kind
        self.source, self.target = source, target
        self.id = secrets.token_hex(6)
        self.began = time.monotonic()
        self.events = 0

    def tell(self, what: str, **fields: Any) -> None:
        self.events += 1
        if self.events > MOST_EVENTS and what != "session.close":
            return
        line: dict[str, Any] = {
            "eventid": f"{self.kind}.{what}",
            "timestamp": utc(time.time()),
            "session": self.id,
            "protocol": self.kind,
            "src_ip": self.source[0],
            "src_port": self.source[1],
            "dst_ip": self.target[0],
            "dst_port": self.target[1],
        }
        line.update((name, bounded(value)) for name, value in fields.items() if value is not None)
        line["marshlight"] = whose(self.host.control)
        self.host.files.append(line)

    def opened(self) -> None:
        self.tell("session.open")

    def closed(self) -> None:
        self.tell("session.close", duration_ms=round((time.monotonic() - self.began) * 1000))

    def refused_login(self, username: str | bytes, password: str | bytes | None = None, **more: Any) -> None:
        self.tell("login.failed", username=username, password=password, **more)

    def accepted_login(self, username: str | bytes, password: str | bytes | None = None, **more: Any) -> None:
        self.tell("login.success", username=username, password=password, **more)

    def command(self, text: str | bytes, **more: Any) -> None:
        self.tell("command", input=text, **more)

    def odd(self, text: str | bytes, **more: Any) -> None:
        """Spoken wrongly for this protocol."""
        self.tell("protocol.error", message=text, **more)


def bounded(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        # UTF-8 where it is, otherwise each odd byte as an escape.
        value = bytes(value[: LONGEST_TEXT + 1]).decode("utf-8", "backslashreplace")
    return cut(value, LONGEST_TEXT) if isinstance(value, str) else value

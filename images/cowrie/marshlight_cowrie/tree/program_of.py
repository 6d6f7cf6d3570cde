"""Where the name of a program leads to: /sbin/init is systemd on most hosts, and /bin/ls BusyBox on some."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host_layer import HostLayer

SYSTEMD = "/usr/lib/systemd/systemd"


def program(layer: HostLayer, name: str) -> str:
    if "/" not in name:
        name = next((path for path in (f"/usr/sbin/{name}", f"/usr/bin/{name}") if layer.place(path)), f"/usr/sbin/{name}")
    ino = layer.place(name)
    found = layer.path(ino) if ino else None
    return found or (SYSTEMD if posixpath.basename(name) in ("init", "systemd") else name)

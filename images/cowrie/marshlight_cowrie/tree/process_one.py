"""The rest of /proc/1, where people look: its links and folders. Files with contents are those of `machine`."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host_layer import HostLayer

FOLDERS = {"attr": 0o555, "fd": 0o500, "fdinfo": 0o555, "map_files": 0o500, "net": 0o555, "ns": 0o511, "task": 0o555}
SYSTEMD = "/usr/lib/systemd/systemd"


def lay(layer: HostLayer) -> None:
    first = next((process.command for process in layer.persona.processes if process.pid == 1), "")
    if not first:
        return
    booted = layer.persona.booted_at
    for name, mode in FOLDERS.items():
        layer.folder(f"/proc/1/{name}", mode, when=booted)
    layer.link("/proc/1/cwd", "/")
    layer.link("/proc/1/root", "/")
    layer.link("/proc/1/exe", program(layer, first.split(" ")[0]))


def program(layer: HostLayer, name: str) -> str:
    """Where the name leads to: /sbin/init is systemd on most hosts."""
    if "/" not in name:
        name = next((path for path in (f"/usr/sbin/{name}", f"/usr/bin/{name}") if layer.place(path)), f"/sbin/{name}")
    ino = layer.place(name)
    found = layer.path(ino) if ino else None
    return found or (SYSTEMD if posixpath.basename(name) in ("init", "systemd") else name)

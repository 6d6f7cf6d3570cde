"""BusyBox as one program among others, on a host whose commands are its own: `busybox wget`, `busybox --list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .applets import multi_for

if TYPE_CHECKING:
    from .ports import Registry


def register(registry: Registry) -> None:
    multi = multi_for(registry)
    for path in ("/bin/busybox", "/usr/bin/busybox", "busybox"):
        registry.by_name.setdefault(path, multi)

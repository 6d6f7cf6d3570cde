"""
Logs that were turned over while an attacker was away take along what he did to them: his auth.log of last week is
auth.log.1 now, what he deleted stays deleted there, and the new log is the daemon's.

    turn:   P -> P.1 -> P.2.gz -> ... -> gone        start of the machine: a log that is missing is made anew
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from .layer import GONE
from .node import Generated

if TYPE_CHECKING:
    from .host_layer import HostLayer
    from .overlay import Overlay

#: A log as he left it: contents, None for one that he deleted.
State = tuple[bytes | None]


def follow(overlay: Overlay, host: HostLayer) -> None:
    """Brings the overlay up to the present."""
    now, before = overlay.clock(), overlay.turned
    overlay.turned = now
    if before <= 0 or not (overlay.nodes or overlay.entries):
        return
    for base, logs in families(host).items():
        names = [log.path for log in logs]
        times = sum(1 for log in logs if log.begin > before)
        for _ in range(times):
            turn(overlay, host, names)
        if not times and host.persona.booted_at > before and base not in ("/var/log/wtmp", "/var/log/btmp"):
            place = overlay_place(overlay, host, base)
            if place is not None and overlay.entries.get(place[0], {}).get(place[1]) == GONE:
                leave(overlay, host, base, b"", host.persona.booted_at)


def families(host: HostLayer) -> dict[str, list[Any]]:
    """By the name of the present one, the logs from that to the oldest."""
    found: dict[str, list[Any]] = {}
    for path in sorted(host.traced):
        ino = host.place(path)
        node = host.nodes.get(ino) if ino else None
        book = node.data.book if node and isinstance(node.data, Generated) else None
        log = getattr(book, "log", None)
        if log is not None:
            stem = path.removesuffix(".gz")
            base, _, number = stem.rpartition(".")
            found.setdefault(base if number.isdigit() else path, []).append(log)
    return {base: sorted(logs, key=lambda log: -log.begin) for base, logs in found.items()}


def turn(overlay: Overlay, host: HostLayer, names: list[str]) -> None:
    states = [state_of(overlay, host, name) for name in names]
    if not any(states):
        return
    for name, state in zip(names, [None, *states], strict=False):
        forget(overlay, host, name)
        if state is not None:
            contents = state[0]
            if contents is not None and name.endswith(".2.gz"):
                contents = gzip.compress(contents, 6, mtime=0)
            leave(overlay, host, name, contents, 0.0)


def overlay_place(overlay: Overlay, host: HostLayer, path: str) -> tuple[int, str] | None:
    folder, _, name = path.rpartition("/")
    above = host.place(folder)
    return (above, name) if above else None


def state_of(overlay: Overlay, host: HostLayer, path: str) -> State | None:
    """None: as the machine has it."""
    place = overlay_place(overlay, host, path)
    if place is None:
        return None
    named = overlay.entries.get(place[0], {}).get(place[1])
    if named == GONE:
        return (None,)
    ino = named or host.child(*place)
    if ino is None or (named is None and overlay.untouched(ino)):
        return None
    return (overlay.content(ino),)


def forget(overlay: Overlay, host: HostLayer, path: str) -> None:
    """His changes at that name are away."""
    place = overlay_place(overlay, host, path)
    if place is None:
        return
    named = overlay.entries.get(place[0], {}).get(place[1])
    if named is not None:
        overlay.entries[place[0]].pop(place[1])
        overlay.quota.charge(0, -1)
        if named != GONE and overlay.places.get(named) == place:
            del overlay.places[named]
            if named in overlay.nodes and host.get(named) is None:
                overlay._free(named)
    ino = host.child(*place)
    if ino in overlay.nodes:
        overlay._free(ino)


def leave(overlay: Overlay, host: HostLayer, path: str, contents: bytes | None, since: float) -> None:
    place = overlay_place(overlay, host, path)
    ino = host.child(*place) if place else None
    if place is None or ino is None:
        return
    if contents is None:
        overlay.take(*place)
        return
    overlay.entries.get(place[0], {}).pop(place[1], None)
    overlay.fill(ino, contents)
    if since:
        overlay.since[ino] = since

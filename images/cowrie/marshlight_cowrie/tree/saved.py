"""
An overlay as JSON and back. By path, not by inode: a new image brings another base tree, and what an attacker left has
to fit on that too. What does not fit any more is left out.

    {"names": [{path, mode, uid, gid, mtime, ctime, links, + one of: text, spooled, target, below}], "gone": [path]}

`below`: the node of the lower layer at that path, moved or with other attributes; contents stay there. Names stand
with their folders first.
"""

from __future__ import annotations

import base64
import stat as st
from typing import Any

from ..life.doings import restored as restored_doings
from .base import ROOT
from .layer import GONE
from .node import BELOW, Node, Spooled
from .overlay import Overlay


def dump(overlay: Overlay) -> dict[str, Any]:
    names: list[dict[str, Any]] = []
    gone: list[str] = []
    seen: dict[int, str] = {}
    for folder, changed in overlay.entries.items():
        above = standing(overlay, folder)
        for name, ino in changed.items() if above else ():
            path = f"{(above or '').rstrip('/')}/{name}"
            if ino == GONE:
                gone.append(path)
            else:
                node = overlay.get(ino)
                if node:
                    names.append({**described(overlay, ino, node, path), "same": seen.setdefault(ino, path)})
    for ino, node in overlay.nodes.items():
        path = standing(overlay, ino) if ino not in overlay.places else None
        if path:
            names.append({**described(overlay, ino, node, path), "same": path})
    names.sort(key=lambda entry: (entry["path"].count("/") if entry["path"] != "/" else 0, entry["same"] != entry["path"]))
    doings = overlay.doings.dump() if overlay.doings else None
    return {"names": names, "gone": sorted(gone), "doings": doings, "turned": overlay.turned}


def standing(overlay: Overlay, ino: int) -> str | None:
    """Its path, if a walk along that comes to it."""
    path = overlay.path(ino)
    return path if path and find(overlay, path) == ino else None


def described(overlay: Overlay, ino: int, node: Node, path: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        **{"path": path, "mode": node.mode, "uid": node.uid, "gid": node.gid},
        **{"mtime": overlay.mtime(ino, node), "ctime": node.ctime},
    }
    if overlay.lower.get(ino) is not None:
        entry["below"] = overlay.lower.path(ino)
    if ino in overlay.since:
        entry["since"] = overlay.since[ino]
    data = node.data if ino in overlay.nodes else BELOW
    if isinstance(data, Spooled):
        entry["spooled"] = [data.digest, data.size]
    elif isinstance(data, (bytes, bytearray)) and not node.is_dir:
        entry["text"] = base64.b64encode(data).decode()
    return entry


def load(overlay: Overlay, saved: dict[str, Any]) -> None:
    """Into an empty overlay. Raises KeyError, TypeError or ValueError for what is no saved overlay, OSError when full."""
    overlay.doings = restored_doings(saved["doings"]) if saved.get("doings") else None
    overlay.turned = float(saved.get("turned", 0.0))
    placed: dict[str, int] = {}
    for entry in saved["names"]:
        path = str(entry["path"])
        folder, name = path.rsplit("/", 1)
        above = find(overlay, folder or "/")
        if above is None:
            continue
        ino = placed.get(entry["same"]) or restored(overlay, entry)
        if ino is None:
            continue
        placed[entry["same"]] = ino
        if path != "/" and overlay.child(above, name) != ino:
            overlay.put(above, name, ino)
    for path in saved["gone"]:
        folder, name = str(path).rsplit("/", 1)
        above = find(overlay, folder or "/")
        if above is not None and overlay.lower.child(above, name) is not None:
            overlay.take(above, name)
    count_links(overlay)


def restored(overlay: Overlay, entry: dict[str, Any]) -> int | None:
    node = Node(int(entry["mode"]), int(entry["uid"]), int(entry["gid"]), float(entry["mtime"]), float(entry["ctime"]))
    if "below" in entry:
        ino = find_below(overlay, str(entry["below"]))
        if ino is None:
            return None
        there = overlay.change(ino)
        there.mode, there.uid, there.gid, there.mtime, there.ctime = node.mode, node.uid, node.gid, node.mtime, node.ctime
    else:
        node.links = 2 if node.is_dir else 1
        ino = overlay.add(node)
        there = node
    if "text" in entry:
        raw = base64.b64decode(entry["text"], validate=True)
        if st.S_ISREG(there.mode):
            overlay.fill(ino, raw)
        else:
            overlay.quota.charge(len(raw), 0)
            there.data = raw
    elif "spooled" in entry:
        digest, size = entry["spooled"]
        overlay.quota.charge(int(size), 0)
        there.data = Spooled(str(digest), int(size))
    if "since" in entry:
        overlay.since[ino] = float(entry["since"])
    return ino


def count_links(overlay: Overlay) -> None:
    """Names of a new file, and folders in a changed folder."""
    names: dict[int, int] = {}
    for changed in overlay.entries.values():
        for ino in changed.values():
            names[ino] = names.get(ino, 0) + 1
    for ino, node in overlay.nodes.items():
        if node.is_dir:
            below = (overlay.get(child) for child in overlay.listing(ino).values())
            node.links = 2 + sum(1 for child in below if child and child.is_dir)
        elif overlay.lower.get(ino) is None:
            node.links = names.get(ino, 1)


def find(overlay: Overlay, path: str) -> int | None:
    """Without links and rights."""
    ino: int | None = ROOT
    for name in path.split("/"):
        if name and ino is not None:
            ino = overlay.child(ino, name)
    return ino


def find_below(overlay: Overlay, path: str) -> int | None:
    ino: int | None = ROOT
    for name in path.split("/"):
        if name and ino is not None:
            ino = overlay.lower.child(ino, name)
    return ino

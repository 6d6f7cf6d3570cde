"""What dpkg's own records and links say of packages that the persona lacks: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import alternatives
from .node import Generated

if TYPE_CHECKING:
    from .host_layer import HostLayer

STATUS = "/var/lib/dpkg/status"
#: Shells to log in with, one a line: a package adds its own.
SHELLS = ("/etc/shells", "/var/lib/shells.state")


def lay(layer: HostLayer) -> None:
    records = layer.place(alternatives.RECORDS)
    for name, ino in layer.listing(records).items() if records else ():
        record = f"{alternatives.RECORDS}/{name}"
        known = alternatives.read(name, layer.content(ino).decode("utf-8", "surrogateescape"))
        left = known.among(lambda path: layer.place(path) is not None)
        if not left.choices:
            layer.remove(record)
        elif left != known:
            layer.file(record, left.text().encode("utf-8", "surrogateescape"), 0o644)
            for path, target in left.targets().items():
                layer.link(path, target)
    for path in SHELLS:
        ino = layer.place(path)
        if ino is not None:
            lines = layer.content(ino).decode("utf-8", "surrogateescape").splitlines(keepends=True)
            kept = "".join(line for line in lines if line.startswith("#") or layer.place(line.strip()) is not None)
            if kept != "".join(lines):
                layer.file(path, kept.encode("utf-8", "surrogateescape"), 0o644)
    status, below, gone = layer.place(STATUS), layer.bottom, layer.bottom.tree.hidden_names
    if status is not None and gone:
        layer.file(STATUS, Generated(lambda: without(below.content(status), gone), sized=True), 0o644)


def without(status: bytes, names: set[str]) -> bytes:
    """The paragraphs of dpkg's status file but those of these packages."""
    parts = status.split(b"\n\n")
    return b"\n\n".join(part for part in parts if part.split(b"\n", 1)[0].partition(b": ")[2].decode() not in names)

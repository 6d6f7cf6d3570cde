"""What this BusyBox is: its first line, its applets, their usages; the persona's own where it says so."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..persona import Persona

#: Each applet is an optional package of the tree `busybox`: a persona shows those that it has.
APPLET = "applet:"
#: What small devices leave out of Debian's build.
LEFT_OUT = frozenset("ar nuke resume rpm rpm2cpio run-init svc svok tac uuencode uudecode w mim".split())
#: Made with the image, beside the tree that holds the links (`shell/applets/read`).
FILE = "busybox.json"
FOLDER = Path(os.environ.get("MARSHLIGHT_TREES", Path(__file__).parents[1] / "tree" / "bases"))
#: Where nothing was read, as in a test without the image.
NOTHING = {"banner": "BusyBox v1.35.0", "heading": "", "applets": [], "usage": {}}


def read() -> dict[str, Any]:
    """Read each time: few ask, and a decoy shall not keep it."""
    try:
        found = json.loads((FOLDER / FILE).read_text("utf-8"))
    except OSError:
        return dict(NOTHING)
    return found if isinstance(found, dict) else dict(NOTHING)


def banner(persona: Persona) -> str:
    """`BusyBox v1.36.1 (2024-03-22 22:09:42 UTC)`: the persona's, or what its shell greets with."""
    own = getattr(persona, "busybox", None)
    if own is not None:
        return str(own.banner)
    greeted = re.search(r"BusyBox v\S+ \([^)\n]*\)", persona.motd)
    return greeted.group() if greeted else str(read()["banner"])


def of_distribution(persona: Persona) -> bool:
    """Debian's and Ubuntu's build differs from a firmware's: the columns of ps, whether shells take options apart."""
    return bool(re.search(r"\((?:Debian|Ubuntu)", banner(persona)))


def release(persona: Persona) -> tuple[int, ...]:
    """(1, 36, 1)"""
    found = re.search(r"v(\d+)\.(\d+)(?:\.(\d+))?", banner(persona))
    return tuple(int(part or 0) for part in found.groups()) if found else (1, 35, 0)


def applets(persona: Persona) -> list[str]:
    """Their names, in the order of `--list`."""
    own = getattr(persona, "busybox", None)
    if own is not None and own.applets:
        return sorted(own.applets)
    return sorted({path.rsplit("/", 1)[-1] for path in read()["applets"]} - LEFT_OUT)


def places() -> dict[str, str]:
    """Name -> where it is installed, without the leading slash."""
    return {path.rsplit("/", 1)[-1]: path for path in read()["applets"]}


def usage(name: str) -> str:
    """From `Usage:` on."""
    return str(read()["usage"].get(name, f"Usage: {name}\n"))

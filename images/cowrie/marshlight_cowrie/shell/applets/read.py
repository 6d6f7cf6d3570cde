"""
What a real BusyBox says of itself, read when the image is built:

    python3 -m marshlight_cowrie.shell.applets.read OUT [BUSYBOX]

`{banner, heading, applets, usage}`: the first line, what stands before the list of applets, where each applet is
installed, and its usage, all without the version.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

#: `[`, `test` and the like take `--help` for an operand.
WITHOUT = frozenset("[ [[ test true false echo".split())


def said(*words: str) -> str:
    ran = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    return (ran.stdout + ran.stderr).decode("utf-8", "replace")


def read(busybox: str) -> dict[str, object]:
    banner, _, rest = said(busybox).partition("\n")
    usage = {}
    applets = said(busybox, "--list-full").split()
    for name in (path.rsplit("/", 1)[-1] for path in applets):
        first, _, text = said(busybox, name, "--help").partition("\n\n") if name not in WITHOUT else ("", "", "")
        if first == banner:
            usage[name] = text
    return {
        "banner": banner.removesuffix(" multi-call binary."),
        "heading": rest.partition("Currently defined functions:")[0],
        "applets": applets,
        "usage": usage,
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(read(sys.argv[2] if len(sys.argv) > 2 else "busybox")), "utf-8")

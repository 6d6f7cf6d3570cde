"""
What a session that writes costs, in private memory: prints {"ours": MB, "stock": MB, "ours_ms": ms, "stock_ms": ms}, each the
mean of a number of sessions that each write a few files as intruders do. Runs in the decoy's image.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import Any

SESSIONS = 12


def private() -> float:
    gc.collect()
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024


def measured(begin: Any) -> tuple[float, float]:
    """Megabytes kept by a session, and milliseconds its first write takes, once the first session is through."""
    kept = [begin(0)]
    before, took = private(), 0.0
    for number in range(1, SESSIONS + 1):
        at = time.perf_counter()
        kept.append(begin(number))
        took += time.perf_counter() - at
    return (private() - before) / SESSIONS, took * 1000 / SESSIONS


def ours(persona: str) -> tuple[float, float]:
    from marshlight_cowrie.persona import read_persona
    from marshlight_cowrie.tree import Trees

    trees = Trees(read_persona(persona.encode()))

    def begin(number: int) -> Any:
        view = trees.view(f"198.18.0.{number}", 0, (0,))
        view.write("/etc/hosts", b"198.18.0.1 c2\n", append=True)
        view.mkdir("/tmp/.x")
        for name in range(8):
            view.write(f"/tmp/.x/{name}", b"#!/bin/sh\nexit 0\n" * 200, mode=0o755)
        view.unlink("/var/log/wtmp")
        return view

    return measured(begin)


def stock() -> tuple[float, float]:
    from cowrie.shell.fs import HoneyPotFilesystem

    def begin(number: int) -> Any:
        files = HoneyPotFilesystem("linux-x64-lsb", "/root")
        files.mkdir("/tmp/.x", 0, 0, 4096, 0o40755)
        for name in range(8):
            files.mkfile(f"/tmp/.x/{name}", 0, 0, 3400, 0o100755)
        return files

    return measured(begin)


mine, mine_ms = ours(sys.stdin.read())
theirs, theirs_ms = stock()
print(json.dumps({"ours": mine, "stock": theirs, "ours_ms": mine_ms, "stock_ms": theirs_ms}))

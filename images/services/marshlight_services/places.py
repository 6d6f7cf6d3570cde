"""Where the agent's mounts are. One root, so that tests can put it elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(os.environ.get("MARSHLIGHT_ROOT", "/marshlight"))

PERSONA = ROOT / "control" / "persona.json"
DRIFT = ROOT / "control" / "drift.json"
CONTEXT = ROOT / "control" / "context.json"
EVENTS = ROOT / "out" / "events"
FILES = ROOT / "out" / "files"
STATUS = ROOT / "out" / "status.json"
# In memory where the agent gives a place for it; agents before did not.
ALIVE = ROOT / "alive" / "beat" if (ROOT / "alive").is_dir() else ROOT / "out" / "alive"
STATE = ROOT / "state"


def make_folders() -> None:
    for folder in (EVENTS, FILES, STATE):
        folder.mkdir(parents=True, exist_ok=True)

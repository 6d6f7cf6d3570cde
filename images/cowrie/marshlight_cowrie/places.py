"""Where the agent's mounts are. One root, so that tests can put it elsewhere."""

import os
from pathlib import Path

ROOT = Path(os.environ.get("MARSHLIGHT_ROOT", "/marshlight"))

CONTROL = ROOT / "control"
PERSONA = CONTROL / "persona.json"
CONTEXT = CONTROL / "context.json"
EGRESS = CONTROL / "egress.json"
DRIFT = CONTROL / "drift.json"

OUT = ROOT / "out"
EVENTS = OUT / "events"
TTY = OUT / "tty"
FILES = OUT / "files"
STATUS = OUT / "status.json"
# In memory where the agent gives a place for it; agents before did not.
ALIVE = ROOT / "alive" / "beat" if (ROOT / "alive").is_dir() else OUT / "alive"

STATE = ROOT / "state"
MODULI = Path(__file__).with_name("moduli")


def make_folders() -> None:
    for folder in (EVENTS, TTY, FILES, STATE):
        folder.mkdir(parents=True, exist_ok=True)

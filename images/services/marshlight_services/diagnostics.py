"""Words for whoever runs the container, as JSON lines on standard error; never what an attacker typed as such."""

from __future__ import annotations

import json
import sys


def say(level: str, message: str) -> None:
    sys.stderr.write(json.dumps({"level": level, "message": message}) + "\n")
    sys.stderr.flush()

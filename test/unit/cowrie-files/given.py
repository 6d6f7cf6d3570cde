"""The personas that the tests read: written by cowrie-files.test.ts, checked there by the schema of the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from marshlight_cowrie.persona import Persona, read_persona

FOLDER = Path(os.environ["MARSHLIGHT_TEST_PERSONAS"])


def as_json(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return read


def persona(name: str) -> Persona:
    return read_persona((FOLDER / f"{name}.json").read_bytes())

"""Twisted's log as JSON lines on standard output: warnings and worse only, since the rest repeats the events."""

from __future__ import annotations

import json
import sys
from typing import Any

from marshlight_common.event_files import utc

LONGEST = 2000


def install() -> None:
    from twisted.logger import LogLevel, formatEvent, globalLogBeginner

    def observe(event: dict[str, Any]) -> None:
        level = event.get("log_level")
        failure = event.get("log_failure")
        if level is None or (level < LogLevel.warn and failure is None):
            return
        message = formatEvent(event)
        if failure is not None:
            message = f"{message}: {failure.getErrorMessage()} {trace(failure)}"
        say(level.name, message, utc(event["log_time"]))

    globalLogBeginner.beginLoggingTo([observe], redirectStandardIO=False, discardBuffer=True)


def trace(failure: Any) -> str:
    frames = [f"{frame[1].rsplit('/', 1)[-1]}:{frame[2]}" for frame in failure.frames[-6:]]
    return " < ".join(reversed(frames))


def say(level: str, message: str, at: str | None = None) -> None:
    from time import time

    line = {"level": level, "time": at or utc(time()), "msg": message[:LONGEST]}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()

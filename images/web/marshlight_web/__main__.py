"""`python -m marshlight_web`: the real web servers of a decoy and their events, in the foreground, until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time

from marshlight_common.control_files import Refused
from marshlight_common.event_files import EventFiles
from marshlight_common.limits import Limits, read_limits
from marshlight_services import places
from marshlight_services.control import Control
from marshlight_services.diagnostics import say
from marshlight_services.status import Status

from .web import Web

# EX_CONFIG of sysexits.h: the agent's files are wrong, and starting again will not help.
UNUSABLE = 78
LOOK_EVERY = 0.25
# The agent starts a service again that gives no sign of life.
BEAT_EVERY = 5.0


async def serve(control: Control) -> int:
    limits = read_limits(Limits, os.environ)
    files = EventFiles(places.EVENTS, places.STATE / "events.next", limits.event_bytes, "services.lost")
    web, status = Web(control, files), Status()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    web.listen()
    await web.apply()
    tell(web, status)
    gc.collect()
    gc.freeze()
    beat = 0.0
    while not stop.is_set():
        if time.monotonic() - beat >= BEAT_EVERY:
            beat = time.monotonic()
            places.ALIVE.touch()
            await web.sweep()
            if web.missing():
                # The port may have been another's, who has left it by now.
                web.made.clear()
                await web.apply()
            if web.missing() != web.left_out:
                tell(web, status)
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        except asyncio.TimeoutError:
            files.tell()
            if control.changed():
                await follow(web, status)
    await web.close()
    files.tell()
    return 0


async def follow(web: Web, status: Status) -> None:
    try:
        web.control.read()
        await web.apply()
        tell(web, status)
    except Refused as refused:
        status.error = str(refused)
        say("error", f"control files refused: {refused}")
        status.write(web)  # type: ignore[arg-type]


def tell(web: Web, status: Status) -> None:
    web.left_out = web.missing()
    status.error = "; ".join(web.left_out)[:1024] or None
    status.write(web)  # type: ignore[arg-type]


def main() -> int:
    os.umask(0o022)
    try:
        places.make_folders()
        control = Control()
    except Refused as refused:
        say("error", f"control files refused: {refused}")
        return UNUSABLE
    return asyncio.run(serve(control))


sys.exit(main())

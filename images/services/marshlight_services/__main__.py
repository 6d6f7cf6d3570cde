"""`python -m marshlight_services`: the further services of a decoy, in the foreground, until SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time

from marshlight_common.control_files import Refused
from marshlight_common.event_files import EventFiles
from marshlight_common.limits import read_limits

from . import places
from .control import Control
from .diagnostics import say
from .host import Host
from .limits import Limits
from .status import Status

# EX_CONFIG of sysexits.h: the agent's files are wrong, and starting again will not help.
UNUSABLE = 78
LOOK_EVERY = 0.25
# The agent starts a service again that gives no sign of life.
BEAT_EVERY = 5.0


async def serve(control: Control) -> int:
    limits = read_limits(Limits, os.environ)
    files = EventFiles(places.EVENTS, places.STATE / "events.next", limits.event_bytes, "services.lost")
    host = Host(control, files, limits, os.environ.get("MARSHLIGHT_ADDRESS", "0.0.0.0"))
    status = Status()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host.drifting.look()
    await host.apply()
    status.error = told_faults(host)
    status.write(host)
    gc.collect()
    gc.freeze()
    beat = 0.0
    while not stop.is_set():
        if time.monotonic() - beat >= BEAT_EVERY:
            beat = time.monotonic()
            places.ALIVE.touch()
        try:
            await asyncio.wait_for(stop.wait(), LOOK_EVERY)
        except asyncio.TimeoutError:
            host.sweep(time.monotonic())
            files.tell()
            host.drifting.look()
            if control.changed():
                await follow(host, status)
            elif host.left_out:
                await again(host, status)
    host.close()
    files.tell()
    return 0


async def follow(host: Host, status: Status) -> None:
    try:
        host.control.read()
        await host.apply()
        status.error = told_faults(host)
    except Refused as refused:
        status.error = str(refused)
        say("error", f"control files refused: {refused}")
    status.write(host)


async def again(host: Host, status: Status) -> None:
    """A port may have been another container's, which has left it by now."""
    before = host.left_out
    await host.apply()
    if host.left_out != before:
        status.error = told_faults(host)
        status.write(host)


def told_faults(host: Host) -> str | None:
    return "; ".join(host.left_out)[:1024] or None


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

"""A real server's process: started with the tap under it, told of another configuration, started again if it dies."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

from marshlight_services.diagnostics import say

from . import places

FLAVOURS = ("nginx", "apache")
# A server that cannot listen says so by not doing it in this time; nginx itself tries for three seconds.
PATIENCE = 6.0
LOOK_EVERY = 0.05


class Server:
    def __init__(self, flavour: str, tap: int) -> None:
        self.flavour, self.tap = flavour, tap
        self.run = places.RUN / flavour
        self.file, self.names = self.run / f"{flavour}.conf", self.run / "names"
        self.process: asyncio.subprocess.Process | None = None
        self.text = ""
        self.ports: frozenset[int] = frozenset()

    async def follow(self, text: str, names: tuple[str, str], ports: frozenset[int]) -> None:
        """Plays `text` from now on; connections that are in the middle of an answer get it."""
        made = text + "\n".join(names)
        if made == self.text and self.alive():
            return
        self.run.mkdir(parents=True, exist_ok=True)
        (self.run / "nobody").touch()
        # Where nothing is to be put, the name stays as it is.
        self.names.write_text("\n".join(names) if names[0] != names[1] else "")
        self.file.write_text(text)
        self.ports = ports
        if self.process is None or not self.alive():
            await self.start()
        else:
            before = children(self.process.pid)
            self.process.send_signal(signal.SIGHUP if self.flavour == "nginx" else signal.SIGUSR1)
            await self.until(lambda: self.process is None or children(self.process.pid) - before)
        self.text = made
        await self.until(lambda: ports <= listening())

    async def start(self) -> None:
        command = [str(places.NGINX), "-c", str(self.file), "-e", "stderr"]
        if self.flavour == "apache":
            command = [str(places.APACHE), "-f", str(self.file), "-D", "FOREGROUND"]
        environment = {
            "PATH": "/usr/sbin:/usr/bin",
            "TZ": "UTC",
            "LANG": "C",
            "LD_PRELOAD": str(places.TAP),
            "MARSHLIGHT_TAP": str(self.tap),
            "MARSHLIGHT_NAMES": str(self.names),
            "APACHE_RUN_DIR": str(self.run),
            **{name: value for name, value in os.environ.items() if name.startswith(("MARSHLIGHT_MAX_", "LD_LIBRARY_"))},
        }
        (self.run / f"{self.flavour}.pid").unlink(missing_ok=True)
        # Its words are its own business, and an attacker's: what is wrong shows by a port that does not listen.
        self.process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            pass_fds=(self.tap,),
            start_new_session=True,
        )

    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def again(self) -> None:
        """Starts it again if it ended by itself."""
        if self.process is not None and not self.alive():
            say("error", f"{self.flavour} ended with {self.process.returncode}, started again")
            await self.start()
            await self.until(lambda: self.ports <= listening())

    async def stop(self) -> None:
        process, self.process, self.text, self.ports = self.process, None, "", frozenset()
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 3)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()

    def processes(self) -> set[int]:
        return {self.process.pid, *children(self.process.pid)} if self.process and self.alive() else set()

    async def until(self, come: object) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE
        while not come() and self.alive() and asyncio.get_running_loop().time() < end:  # type: ignore[operator]
            await asyncio.sleep(LOOK_EVERY)


def children(process: int) -> set[int]:
    """The processes whose parent it is."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if int(parent) == process and state != "Z":
                found.add(int(folder.name))
    return found


def listening() -> frozenset[int]:
    """TCP ports of this network namespace that listen."""
    table = Path("/proc/net/tcp").read_text()
    return frozenset(int(port, 16) for port in re.findall(r"^ *\d+: [0-9A-F]{8}:([0-9A-F]{4}) \S+ 0A ", table, re.M))

"""
    control files --> Web.apply --> pages as files, configuration of each server, reload
    the tap's pipe --> Records --> a Session for each connection --> events
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import time
from typing import TYPE_CHECKING

from marshlight_services.beside import real_server
from marshlight_services.certificate import stored
from marshlight_services.diagnostics import say
from marshlight_services.session import Session

from . import apache, nginx, places
from .overheard import Overheard
from .records import Address, Records
from .server import FLAVOURS, Server, listening
from .site import Site, first_name, forget, site_of

if TYPE_CHECKING:
    from marshlight_common.event_files import EventFiles
    from marshlight_services.control import Control
    from marshlight_services.persona import Service

PIPE = 1 << 20
AT_ONCE = 1 << 16
# Longer than the servers wait for anybody: 75 seconds of nginx, five minutes of Apache.
LONGEST_SILENCE = 400.0


class Web:
    def __init__(self, control: Control, files: EventFiles) -> None:
        self.control, self.files = control, files
        self.doorkeeper = Records(self.opened)
        self.left_out: list[str] = []
        self.services: dict[int, Service] = {}
        self.heard_from, tap = os.pipe()
        os.set_blocking(self.heard_from, False)
        os.set_blocking(tap, False)
        fcntl.fcntl(tap, fcntl.F_SETPIPE_SZ, PIPE)
        self.servers = {flavour: Server(flavour, tap) for flavour in FLAVOURS}
        self.installed = installed_nginx() if places.NGINX.exists() else ""
        self.generation = 0
        # What each server's sites were made of last.
        self.made: dict[str, str] = {}

    async def apply(self) -> None:
        """Brings the servers in line with the persona."""
        persona = self.control.persona
        by_flavour: dict[str, list[Service]] = {flavour: [] for flavour in FLAVOURS}
        for service in persona.services:
            flavour = real_server(service)
            if flavour is not None:
                by_flavour[flavour].append(service)
        self.services = {service.port: service for services in by_flavour.values() for service in services}
        # Who leaves a port leaves it before another wants it.
        for flavour in sorted(FLAVOURS, key=lambda flavour: len(by_flavour[flavour])):
            services, server = by_flavour[flavour], self.servers[flavour]
            made = repr((persona.seed, persona.full_name, persona.os, persona.booted_at, services)) if services else ""
            if made == self.made.get(flavour) and (server.alive() or not services):
                continue
            self.made[flavour] = made
            if not services:
                await server.stop()
                continue
            # Who is still answering somebody reads the files of his own time.
            past = sorted(places.RUN.glob(f"{flavour}-*"), key=lambda path: path.stat().st_ctime)[:-1]
            self.generation += 1
            folder = places.RUN / f"{flavour}-{self.generation}"
            sites = [
                site_of(persona, one, flavour, folder, stored(persona, one) if one.kind == "https" else None)
                for one in services
            ]
            await server.follow(*self.words(flavour, sites), frozenset(one.port for one in services))
            forget(past)

    def missing(self) -> list[str]:
        """What does not listen, in words."""
        ports = set(self.services) - listening()
        return [f"{self.services[port].kind} on tcp {port}: does not listen" for port in sorted(ports)]

    def words(self, flavour: str, sites: list[Site]) -> tuple[str, tuple[str, str]]:
        persona, run = self.control.persona, self.servers[flavour].run
        name = first_name(sites)
        if flavour == "apache":
            return apache.configuration(persona, sites, run), ("-", name)
        return nginx.configuration(persona, sites, run, self.installed), (
            self.installed,
            self.installed if name == "nginx" else name,
        )

    def opened(self, source: Address, target: Address) -> Overheard:
        service = self.services.get(target[1])
        return Overheard(Session(self, service.kind if service else "http", source, target))  # type: ignore[arg-type]

    def listen(self) -> None:
        asyncio.get_running_loop().add_reader(self.heard_from, self.hear)

    def hear(self) -> None:
        try:
            data = os.read(self.heard_from, AT_ONCE)
            self.doorkeeper.feed(data, time.monotonic())
        except BlockingIOError:
            return
        except ValueError as error:
            # Never while the tap and this are of one image.
            say("error", f"tap: {error}")
            self.doorkeeper.buffer.clear()

    async def sweep(self) -> None:
        for server in self.servers.values():
            await server.again()
        alive = {process for server in self.servers.values() for process in server.processes()}
        self.doorkeeper.sweep(alive, time.monotonic(), LONGEST_SILENCE)

    async def close(self) -> None:
        for server in self.servers.values():
            await server.stop()
        self.hear()


def installed_nginx() -> str:
    """`nginx/1.22.1`, as it names itself."""
    said = subprocess.run([places.NGINX, "-v"], capture_output=True, text=True, check=False).stderr
    return said.strip().rpartition(" ")[2]

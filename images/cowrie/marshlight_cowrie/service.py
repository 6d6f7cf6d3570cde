"""
Puts Cowrie together. The order matters: settings before the import of what reads them, hooks before the first
connection, listeners last.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from . import artifacts, auth, diagnostics, egress, filesystem, holes, places, settings, telnet
from .drift import hook as drift
from .drift.door import Door
from .limits import Doorkeeper, Limits, cap_files
from .live import Live
from .shell import bridge
from .sink import Sink
from .ssh import hook as ssh
from .transfer import hook as transfer

if TYPE_CHECKING:
    from .decoy import Decoy


def run(decoy: Decoy, limits: Limits) -> None:
    settings.install(decoy)
    cap_files(limits)
    diagnostics.install()

    from twisted.internet import reactor
    from twisted.plugins import cowrie_plugin

    artifacts.install(limits)
    for module in (drift, ssh, auth, telnet, egress, filesystem, bridge):
        module.install(decoy)
    transfer.install(decoy, limits)
    use_moduli()

    maker = cowrie_plugin.serviceMaker
    choose_services(maker, decoy)
    service = maker.makeService({"help": False})
    events = Sink(decoy, limits)
    # Cowrie's console renderer would write every password into the container's log as well.
    maker.dispatcher.sinks = [events]
    door = Doorkeeper(limits)
    deviations = Door(decoy, maker.dispatcher)
    for factory in factories(service):
        deviations.guard(factory, "telnet" if "telnet" in type(factory).__module__ else "ssh")
        door.guard(factory)
    service.privilegedStartService()
    service.startService()
    live = Live(decoy, events, door)
    reactor.callWhenRunning(live.start, reactor)
    reactor.callWhenRunning(deviations.start)
    reactor.callWhenRunning(at_rest)
    reactor.addSystemEventTrigger("before", "shutdown", deviations.tell_all)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()


def at_rest() -> None:
    """Everything that stays is made: what was needed to make it goes."""
    gc.collect()
    gc.freeze()
    gc.enable()
    holes.clear()


def choose_services(maker: Any, decoy: Decoy) -> None:
    """Cowrie reads this from its settings at import, when no persona was known yet."""
    from .signatures import expect_attribute

    expect_attribute(maker, "enableSSH")
    expect_attribute(maker, "enableTelnet")
    maker.enableSSH = decoy.persona.ssh is not None
    maker.enableTelnet = decoy.persona.telnet is not None


def factories(service: Any) -> list[Any]:
    from .signatures import expect_attribute

    for listener in service.services:
        expect_attribute(listener, "factory")
    return [listener.factory for listener in service.services]


def use_moduli() -> None:
    """Cowrie looks for them in /etc/ssh, and without any offers no group exchange, which OpenSSH does."""
    from cowrie.ssh import factory

    from .signatures import expect

    expect(factory.primes.parseModuliFile, "(filename)")
    parse = factory.primes.parseModuliFile
    factory.primes.parseModuliFile = lambda filename: parse(str(places.MODULI))

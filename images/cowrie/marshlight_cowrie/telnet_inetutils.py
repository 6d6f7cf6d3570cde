"""
How telnetd of GNU inetutils opens a connection, as Debian 12 installs it: it asks for four things about the terminal, waits
until each is answered, has those that are there sent, turns on echo, and only then shows its banner and starts login(1).

    WILL AUTHENTICATION, ENCRYPT; DO TTYPE, TSPEED, XDISPLOC, NEW-ENVIRON, ENVIRON
    -- all answered --> SB SEND for each that the client has -- all sent --> WILL SGA ... DO BINARY, banner, prompt

A client that never answers sees no prompt, as on the real one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .persona import Persona

BINARY, ECHO, SGA, STATUS, TIMING_MARK, TTYPE, NAWS = (bytes((n,)) for n in (0, 1, 3, 5, 6, 24, 31))
TSPEED, LFLOW, LINEMODE, XDISPLOC, ENVIRON, AUTHENTICATION, ENCRYPT, NEW_ENVIRON = (
    bytes((n,)) for n in (32, 33, 34, 35, 36, 37, 38, 39)
)
ASKED = (TTYPE, TSPEED, XDISPLOC, NEW_ENVIRON, ENVIRON)
# In the order in which the daemon has them sent.
SENT = (TSPEED, XDISPLOC, NEW_ENVIRON, TTYPE)
SEND = b"\1"
TAKEN = {*ASKED, NAWS, LFLOW, TIMING_MARK, BINARY}


def speaks(persona: Persona) -> bool:
    """Debian's `telnetd` is inetutils' from release 12 on."""
    release = re.match(r"\d+", persona.os.version)
    return persona.os.id == "debian" and release is not None and int(release[0]) >= 12


def banner(persona: Persona) -> bytes:
    text = f"\n{persona.os.kernel.name} {persona.os.kernel.release} ({persona.hostname}) (pts/0)\n\n"
    return text.encode("utf-8", "replace")


def open_dialogue(wire: Any, then: Any) -> None:
    """`then` shows the banner and the prompt."""
    from twisted.internet import defer

    wire.gone = False
    wire.enableRemote = lambda option: option in TAKEN
    wire.enableLocal = lambda option: option in (ECHO, SGA, STATUS)
    quiet(wire.will(AUTHENTICATION))
    quiet(wire.will(ENCRYPT))
    answers = [wire.do(option) for option in ASKED]
    wishes = defer.DeferredList(answers, consumeErrors=True)
    # All fail as the connection ends; nothing may be asked then.
    wishes.addCallback(lambda results: None if wire.gone else fetch(wire, [ok for ok, _ in results], then))


def fetch(wire: Any, has: list[bool], then: Any) -> None:
    from twisted.internet import defer

    there = {option for option, yes in zip(ASKED, has, strict=True) if yes}
    waits = []
    for option in SENT:
        if option in there:
            waits.append(told(wire, option))
            wire.requestNegotiation(option, SEND)
    defer.DeferredList(waits).addCallback(lambda _: None if wire.gone else finish(wire, then))


def told(wire: Any, option: bytes) -> Any:
    """Fires at the client's answer; who listened already for it still hears it."""
    from twisted.internet import defer

    heard: Any = defer.Deferred()
    before = wire.negotiationMap.get(option)

    def hear(data: Any) -> None:
        if before is not None:
            before(data)
        if not heard.called:
            heard.callback(None)

    wire.negotiationMap[option] = hear
    return heard


def finish(wire: Any, then: Any) -> None:
    quiet(wire.will(SGA))
    # Both sides of one option at a time: Conch keeps a record of one only, so this side is put down as agreed.
    wire._do(ECHO)
    quiet(wire.do(LINEMODE))
    quiet(wire.do(NAWS))
    quiet(wire.will(STATUS))
    quiet(wire.do(LFLOW))
    wire.getOptionState(ECHO).us.state = "yes"
    wire._will(ECHO)
    quiet(wire.do(TIMING_MARK))
    quiet(wire.do(BINARY))
    then()


def quiet(answer: Any) -> None:
    answer.addErrback(lambda _: None)

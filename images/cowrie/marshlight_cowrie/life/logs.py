"""
/var/log at a moment: which files there are, from when to when each tells, and what stands in them.

    weekly, Sunday midnight: syslog, auth.log, cron.log, kern.log (4 kept, from .2 on gzipped)    monthly: dpkg, apt, wtmp
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..tree.host_layer import installed_at
from . import lines, records, updates
from .calendar import DAY, day_of, local, moment
from .doings import NOBODY, Doings
from .happenings import DEBIAN_LIKE, Event, events, starts

if TYPE_CHECKING:
    from ..persona import Persona


#: When it was written, and the bytes.
Piece = tuple[float, bytes]
Pieces = Callable[["Persona", float, float], list[Piece]]
Mine = Callable[["Persona", Doings, float, float], list[Piece]]


@dataclass(frozen=True)
class Log:
    """What stands there of begin <= at < end: `render` of the machine's life, `mine` of an attacker's doings."""

    path: str
    begin: float
    end: float
    render: Pieces
    mine: Mine = lambda persona, own, begin, end: []
    mode: int = 0o640
    #: adm
    gid: int = 4
    #: The happenings it tells of; all where empty.
    kinds: tuple[str, ...] = ()

    def read(self, persona: Persona, now: float, own: Doings = NOBODY) -> bytes:
        made = self.since(persona, self.begin, now, own)
        return gzip.compress(made, 6, mtime=0) if self.path.endswith(".gz") else made

    def since(self, persona: Persona, begin: float, now: float, own: Doings = NOBODY) -> bytes:
        """What was written from then on."""
        span = max(begin, self.begin), min(self.end, now)
        told = [*self.render(persona, *span), *(self.mine(persona, own, *span) if own else ())]
        return b"".join(text for _, text in sorted(told, key=lambda piece: piece[0]))

    def added(self, persona: Persona, begin: float, now: float, own: Doings) -> list[Piece]:
        """What these doings alone wrote there."""
        return self.mine(persona, own, max(begin, self.begin), min(self.end, now)) if own else []

    def changed(self, persona: Persona, now: float) -> float:
        """When its last line was written."""
        end = min(self.end, now)
        if self.kinds == ("failed",):
            return max(self.begin, installed_at(persona))
        if self.kinds in (("boot",), ("update",)):
            rare = [at for at in moments(persona, self.kinds[0], end) if self.begin <= at]
            return max(rare, default=max(self.begin, installed_at(persona)))
        found = events(persona, max(self.begin, end - 2 * DAY), end)
        return found[-1].at if found else max(self.begin, installed_at(persona))


def logs(persona: Persona, now: float) -> list[Log]:
    red_hat = persona.os.id not in DEBIAN_LIKE
    names = RED_HAT if red_hat else DEBIAN
    found = []
    weeks = turns(persona, now, weekly=True)
    for path, facilities in names.items():
        mode, gid = (0o600, 0) if red_hat else (0o640, 4)
        kinds = ("boot",) if facilities == ("kern",) else ()
        mine = said(facilities, red_hat)
        found += rotated(path, filled(persona, weeks, kinds), 4, syslog(facilities, red_hat), mode, gid, kinds, mine)
    months = turns(persona, now, weekly=False)
    if not red_hat:
        full = filled(persona, months, ("update",))
        found += rotated("/var/log/dpkg.log", full, 12, dpkg, 0o644, 0, ("update",))
        found += rotated("/var/log/apt/history.log", full, 12, apt_history, 0o644, 0, ("update",))
    if any(service.kind in ("http", "https") and "nginx" in service.product.lower() for service in persona.services):
        found += rotated("/var/log/nginx/access.log", turns(persona, now, daily=True), 14, access)
    found += rotated("/var/log/wtmp", months, 1, wtmp, 0o664, 43, (), own_wtmp)
    found += rotated("/var/log/btmp", months, 1, lambda persona, begin, end: [], 0o660, 43, ("failed",), own_btmp)
    return found


def wtmp(persona: Persona, begin: float, end: float) -> list[Piece]:
    return [(event.at, records.wtmp(persona, [event])) for event in events(persona, begin, end, LOGGED)]


def own_wtmp(persona: Persona, own: Doings, begin: float, end: float) -> list[Piece]:
    return [(one.at, records.wtmp(persona, [one])) for one in own.recorded(("login", "logout"), begin, end)]


def own_btmp(persona: Persona, own: Doings, begin: float, end: float) -> list[Piece]:
    return [(one.at, records.failed(one)) for one in own.recorded(("failed",), begin, end)]


LOGGED = ("boot", "shutdown", "login", "logout")
DEBIAN = {
    "/var/log/syslog": ("kern", "daemon", "cron", "user"),
    "/var/log/auth.log": ("auth",),
    "/var/log/cron.log": ("cron",),
    "/var/log/kern.log": ("kern",),
}
RED_HAT = {"/var/log/messages": ("kern", "daemon", "user"), "/var/log/secure": ("auth",), "/var/log/cron": ("cron",)}


def rotated(
    path: str,
    turned: list[float],
    kept: int,
    render: Pieces,
    mode: int = 0o640,
    gid: int = 4,
    kinds: tuple[str, ...] = (),
    mine: Mine = lambda persona, own, begin, end: [],
) -> list[Log]:
    """`turned`: when a new file was begun, the latest first; the last of them is the installation."""
    found = [Log(path, turned[0], float("inf"), render, mine, mode, gid, kinds)]
    for number, (begin, end) in enumerate(zip(turned[1 : kept + 1], turned, strict=False), 1):
        found.append(Log(f"{path}.{number}{'.gz' if number > 1 else ''}", begin, end, render, mine, mode, gid, kinds))
    return found


def filled(persona: Persona, turned: list[float], kinds: tuple[str, ...]) -> list[float]:
    """Without the turns at which the log was empty: logrotate leaves it then (notifempty)."""
    if kinds not in (("boot",), ("update",)):
        return turned
    told = moments(persona, kinds[0], turned[0])
    spans = zip(turned, turned[1:], strict=False)
    return [*(at for at, before in spans if any(before <= one < at for one in told)), turned[-1]]


def moments(persona: Persona, kind: str, end: float) -> list[float]:
    """Of what happens rarely: quickly found over years."""
    if kind == "boot":
        return [at for at in starts(persona, end) if at > installed_at(persona)]
    found = [event.at for day in updates.plan(persona) for event in updates.on_day(persona, day)]
    return [at for at in found if at < end]


def turns(persona: Persona, now: float, *, weekly: bool = False, daily: bool = False) -> list[float]:
    """logrotate.timer runs at midnight, and sees then what is due."""
    first = installed_at(persona)
    day, found = day_of(persona, now), []
    while len(found) < 20:
        at = moment(persona, day, 0) + 12
        if at <= first:
            break
        if at <= now and (daily or (day.isoweekday() == 7 if weekly else day.day == 1)):
            found.append(at)
        day -= timedelta(days=1)
    return [*found, first]


def syslog(facilities: tuple[str, ...], red_hat: bool) -> Pieces:
    # Which happenings say anything there.
    kinds = ("boot",) if facilities == ("kern",) else ("boot", "cron") if facilities == ("cron",) else ()

    def render(persona: Persona, begin: float, end: float) -> list[Piece]:
        # An event's lines come up to some minutes after it began.
        happened = events(persona, begin - 3600, end, kinds)
        told = [line for event in happened for line in lines.of(persona, event) if line.facility in facilities]
        return [(line.at, written(persona, line, red_hat)) for line in told if begin <= line.at < end]

    return render


def said(facilities: tuple[str, ...], red_hat: bool) -> Mine:
    return lambda persona, own, begin, end: [
        (line.at, written(persona, line, red_hat)) for line in own.told(facilities, begin, end)
    ]


def written(persona: Persona, line: lines.Line, red_hat: bool) -> bytes:
    """As rsyslog's template of the distribution has it."""
    at = lines.dated(persona, line.at, precise=not red_hat and newest(persona))
    return f"{at} {persona.hostname} {line.tag}: {line.text}\n".encode("utf-8", "replace")


def newest(persona: Persona) -> bool:
    number = persona.os.version.split(" ")[0].split(".")[0].strip('"')
    least = 24 if persona.os.id == "ubuntu" else 12
    return not number.isdigit() or int(number) >= least


def dpkg(persona: Persona, begin: float, end: float) -> list[Piece]:
    told = []
    for event in of_kind(persona, "update", begin, end):
        at = event.at
        told.append((at, "startup archives unpack"))
        for one in updates.of(persona, event.at):
            at += 1.2
            told.append((at, f"upgrade {one.name}:{one.arch} {one.before} {one.after}"))
            told.append((at + 0.3, f"status half-configured {one.name}:{one.arch} {one.before}"))
            told.append((at + 0.4, f"status unpacked {one.name}:{one.arch} {one.before}"))
            told.append((at + 0.5, f"status half-installed {one.name}:{one.arch} {one.before}"))
            told.append((at + 0.9, f"status unpacked {one.name}:{one.arch} {one.after}"))
            told.append((at + 1.0, f"configure {one.name}:{one.arch} {one.after} <none>"))
            told.append((at + 1.1, f"status installed {one.name}:{one.arch} {one.after}"))
    return [(at, f"{local(persona, at):%Y-%m-%d %H:%M:%S} {text}\n".encode()) for at, text in told if at < end]


def apt_history(persona: Persona, begin: float, end: float) -> list[Piece]:
    told: list[Piece] = []
    for event in of_kind(persona, "update", begin, end):
        changed = ", ".join(f"{one.name}:{one.arch} ({one.before}, {one.after})" for one in updates.of(persona, event.at))
        text = (
            f"\nStart-Date: {local(persona, event.at):%Y-%m-%d  %H:%M:%S}\n"
            f"Commandline: /usr/bin/unattended-upgrade\nUpgrade: {changed}\n"
            f"End-Date: {local(persona, event.until):%Y-%m-%d  %H:%M:%S}\n"
        )
        told.append((event.at, text.encode()))
    return told


def access(persona: Persona, begin: float, end: float) -> list[Piece]:
    sizes = {page.path: len(page.body.encode()) for service in persona.services for page in service.pages}
    browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
    return [
        (
            event.at,
            f"{event.source} - - [{lines.web_date(local(persona, event.at))}] "
            f'"GET {event.text} HTTP/1.1" 200 {sizes.get(event.text, 612)} "-" "{browser}"\n'.encode(),
        )
        for event in of_kind(persona, "request", begin, end)
    ]


def of_kind(persona: Persona, kind: str, begin: float, end: float) -> list[Event]:
    return events(persona, begin, end, (kind,))

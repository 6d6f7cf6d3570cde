"""
What happens on the persona's host, day by day: a pure function of the persona and the day, so that what was in a log
yesterday is in it today, and two visits see one machine.

    schedule, packages, services, seed --day--> boots, log-ins, cron, timers, updates, requests -> Event
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from ..machine.kernel import most_pid
from ..persona_host import Cron
from ..tree.host_layer import installed_at
from . import calendar, updates
from .calendar import DAY, chance, day_of, moment

if TYPE_CHECKING:
    from ..persona import Persona

DEBIAN_LIKE = ("debian", "ubuntu", "raspbian", "linuxmint", "devuan", "kali")
STANDARD = (
    Cron("root", "17 * * * *", "cd / && run-parts --report /etc/cron.hourly", "/etc/crontab"),
    Cron("root", "25 6 * * *", "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }", "/etc/crontab"),
    Cron("root", "47 6 * * 7", "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.weekly; }", "/etc/crontab"),
    Cron("root", "30 3 * * 0", "test -e /run/systemd/system || SERVICE_MODE=1 /usr/lib/x86_64-linux-gnu/e2fsprogs/e2scrub_all_cron", "/etc/cron.d/e2scrub_all"),
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """`kind`: boot, shutdown, login, logout, cron, timer, update, request. `until`: when it is over."""

    at: float
    kind: str
    user: str = "root"
    source: str = ""
    text: str = ""
    until: float = 0.0
    #: pts of a log-in.
    tty: str = ""
    pid: int = 0


@dataclass(frozen=True)
class Session:
    user: str
    tty: str
    source: str
    begin: float
    #: None while it lasts.
    end: float | None
    pid: int
    port: int


def events(persona: Persona, begin: float, end: float, kinds: tuple[str, ...] = ()) -> list[Event]:
    """All of begin <= at < end, in order of time; from the installation on. `kinds`: only of these."""
    begin = max(begin, installed_at(persona))
    if end <= begin:
        return []
    makers = tuple(maker for maker, made in MAKERS.items() if not kinds or set(kinds) & set(made))
    found = [event for day in calendar.days(persona, begin - DAY, end) for event in on_day(persona, day, makers)]
    wanted = (event for event in found if begin <= event.at < end and (not kinds or event.kind in kinds))
    return sorted(wanted, key=lambda event: event.at)


# A log is read line by line and again; more days than two weeks would only hold memory.
@lru_cache(maxsize=32)
def on_day(persona: Persona, day: date, makers: tuple[str, ...]) -> tuple[Event, ...]:
    made = {"boots": boots, "logins": logins, "crons": crons, "timers": timers, "requests": requests}
    return tuple(event for name in makers for event in made.get(name, updates.on_day)(persona, day))


MAKERS = {
    "boots": ("boot", "shutdown"),
    "logins": ("login", "logout"),
    "crons": ("cron",),
    "timers": ("timer",),
    "requests": ("request",),
    "updates": ("update",),
}


def booted_at(persona: Persona, now: float) -> float:
    """The last start: the persona's own, or a later one that its schedule has brought since."""
    return max((at for at in starts(persona, now) if at <= now), default=persona.anchor)


@lru_cache(maxsize=64)
def _starts(persona: Persona, until: int) -> tuple[float, ...]:
    every = persona.schedule.reboot_every_days if persona.schedule else 0
    found = [persona.anchor]
    if every < 1:
        return (installed_at(persona), persona.anchor)
    at, count = persona.anchor, 0
    while at < until * DAY:
        count += 1
        day = day_of(persona, at + every * DAY * chance(persona, "boot", count).uniform(0.8, 1.2))
        # Machines are restarted when nobody works on them.
        at = moment(persona, day, chance(persona, "boot hour", count).uniform(5.2, 6.1))
        found.append(at)
    at, count = persona.anchor, 0
    while at > installed_at(persona):
        found.append(at)
        count += 1
        at -= every * DAY * chance(persona, "earlier boot", count).uniform(0.8, 1.2)
    return tuple(sorted({installed_at(persona), *found}))


def starts(persona: Persona, until: float) -> tuple[float, ...]:
    """All starts before `until`, the first of them the installation's."""
    return tuple(at for at in _starts(persona, math.ceil(until / DAY / 64) * 64) if at <= until)


def boots(persona: Persona, day: date) -> Iterator[Event]:
    for at in starts(persona, moment(persona, day, 24)):
        if day_of(persona, at) == day:
            if at > installed_at(persona):
                yield Event(at - chance(persona, "down", at).uniform(24, 55), "shutdown")
            yield Event(at, "boot")


def pid_at(persona: Persona, at: float) -> int:
    """Numbers rise with the time since the start, as processes come and go."""
    since = max(0.0, at - booted_at(persona, at))
    # Each day a few thousand short processes.
    rate = chance(persona, "pids").uniform(0.03, 0.09)
    floor = max((process.pid for process in persona.processes), default=600)
    return floor + 40 + int(since * rate) % (most_pid(persona) - floor - 140)


def logins(persona: Persona, day: date) -> Iterator[Event]:
    schedule = persona.schedule
    if schedule is None:
        return
    works = day.isoweekday() in schedule.work_days
    taken: list[tuple[float, float]] = []
    for number, login in enumerate(schedule.logins):
        drawn = chance(persona, "login", day, number)
        mean = login.per_day if works else login.per_day * 0.06
        count = int(mean) + (drawn.random() < mean % 1) if works else int(drawn.random() < mean)
        hours = sorted(drawn.uniform(schedule.work_from, max(schedule.work_from + 0.5, schedule.work_to)) for _ in range(count))
        for hour in hours:
            begin = moment(persona, day, hour)
            lasts = min(drawn.lognormvariate(math.log(900), 1.1), 6 * 3600.0)
            end = begin + max(20.0, lasts)
            # Nobody stays logged in over a restart.
            following = min((at for at in starts(persona, end + DAY) if at > begin), default=end + 60)
            end = min(end, following - 60)
            if end <= begin:
                continue
            busy = sum(1 for since, until in taken if since < end and begin < until)
            taken.append((begin, end))
            port = drawn.randrange(32_768, 60_999)
            pid = pid_at(persona, begin)
            shared = {"user": login.user, "source": login.source, "tty": f"pts/{busy}", "pid": pid, "text": str(port)}
            yield Event(begin, "login", until=end, **shared)  # type: ignore[arg-type]
            yield Event(end, "logout", until=end, **shared)  # type: ignore[arg-type]


def crontab(persona: Persona) -> tuple[Cron, ...]:
    own = persona.schedule.cron if persona.schedule else ()
    if persona.os.id not in DEBIAN_LIKE:
        return own
    known = {cron.command for cron in own}
    return (*own, *(cron for cron in STANDARD if cron.command not in known))


def crons(persona: Persona, day: date) -> Iterator[Event]:
    for number, cron in enumerate(crontab(persona)):
        for at in calendar.due(persona, cron.at, day):
            drawn = chance(persona, "cron", number, int(at))
            begin = at + 1 + drawn.uniform(0.002, 0.05)
            lasts = chance(persona, "lasts", cron.command).lognormvariate(0.3, 1.4) * drawn.uniform(0.7, 1.4)
            yield Event(begin, "cron", cron.user, "", cron.command, begin + min(lasts, 600.0), "", pid_at(persona, begin))


#: Unit, hour, spread in hours: systemd's timers of Debian and how far they are strewn (RandomizedDelaySec).
TIMERS = (
    ("apt-daily.service", "Daily apt download activities", 6.0, 12.0),
    ("apt-daily.service", "Daily apt download activities", 18.0, 5.9),
    ("apt-daily-upgrade.service", "Daily apt upgrade and clean activities", 6.0, 1.0),
    ("dpkg-db-backup.service", "Daily dpkg database backup service", 0.0, 0.01),
    ("logrotate.service", "Rotate log files", 0.0, 0.02),
    ("man-db.service", "Daily man-db regeneration", 0.2, 11.0),
    ("systemd-tmpfiles-clean.service", "Cleanup of Temporary Directories", 4.0, 2.0),
    ("fstrim.service", "Discard unused blocks on filesystems from /etc/fstab", 0.6, 1.5),
)


def timers(persona: Persona, day: date) -> Iterator[Event]:
    if persona.os.id not in DEBIAN_LIKE:
        return
    for number, (unit, what, hour, spread) in enumerate(TIMERS):
        if unit.startswith("fstrim") and day.isoweekday() != 1:
            continue
        drawn = chance(persona, "timer", day, number)
        at = moment(persona, day, hour + drawn.random() * spread)
        yield Event(at, "timer", "root", unit, what, at + drawn.uniform(0.05, 9.0), "", pid_at(persona, at))


def requests(persona: Persona, day: date) -> Iterator[Event]:
    web = next((service for service in persona.services if service.kind in ("http", "https")), None)
    if web is None or persona.schedule is None or day.isoweekday() not in persona.schedule.work_days:
        return
    drawn = chance(persona, "requests", day)
    sources = [login.source for login in persona.schedule.logins if login.source[:1].isdigit()] or ["10.0.0.24"]
    pages = [page.path for page in web.pages if page.status == 200] or ["/"]
    for _ in range(drawn.randrange(12, 40)):
        hour = drawn.uniform(persona.schedule.work_from, max(persona.schedule.work_from + 0.5, persona.schedule.work_to))
        yield Event(moment(persona, day, hour), "request", "", drawn.choice(sources), drawn.choice(pages))


def sessions(persona: Persona, begin: float, now: float) -> list[Session]:
    """Log-ins since `begin`, oldest first."""
    return [
        Session(one.user, one.tty, one.source, one.at, one.until if one.until <= now else None, one.pid, int(one.text))
        for one in events(persona, begin, now, ("login",))
    ]

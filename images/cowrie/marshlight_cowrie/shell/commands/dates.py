"""date, cal, and the ways GNU date reads a date."""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from .options import Options, Usage, complain, parse, refuse
from .times import zone, zone_named

if TYPE_CHECKING:
    from ..ports import Process

UNITS = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "fortnight": 1209600}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class BadDate(ValueError):
    pass


def read_date(p: Process, text: str, where: tzinfo | None = None) -> float:
    """Seconds since 1970 of a date as people write it for `date -d`."""
    where = where or zone(p)
    now = p.host.now()
    rest = text.strip().lower()
    if re.fullmatch(r"@-?\d+(\.\d+)?", rest):
        return float(rest[1:])
    moment = datetime.fromtimestamp(now, where)
    clock = False
    shift = 0.0
    months = 0
    while rest:
        found = re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})[t ]?", rest) or re.match(r"(\d{4})(\d\d)(\d\d)(?!\d)", rest)
        if found:
            moment = replaced(moment, int(found[1]), int(found[2]), int(found[3]))
            clock = clock or False
            moment = moment.replace(hour=0, minute=0, second=0, microsecond=0) if not clock else moment
        elif found := re.match(r"(\d{1,2})/(\d{1,2})/(\d{4})", rest):
            moment = replaced(moment, int(found[3]), int(found[1]), int(found[2])).replace(hour=0, minute=0, second=0, microsecond=0)
        elif found := re.match(r"(\d{1,2}):(\d\d)(?::(\d\d)(\.\d+)?)? ?(am|pm)?", rest):
            hour = int(found[1]) % 12 + (12 if found[5] == "pm" else 0) if found[5] else int(found[1])
            if hour > 23 or int(found[2]) > 59:
                raise BadDate(text)
            moment, clock = moment.replace(hour=hour, minute=int(found[2]), second=int(found[3] or 0), microsecond=0), True
        elif found := re.match(r"(?:utc|gmt|z)(?![a-z])", rest):
            moment = moment.replace(tzinfo=timezone.utc)
        elif found := re.match(r"([-+])(\d\d):?(\d\d)(?!\d)", rest):
            offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
            moment = moment.replace(tzinfo=timezone(offset if found[1] == "+" else -offset))
        elif found := re.match(r"(now|today|yesterday|tomorrow|midnight|noon|ago)(?![a-z])", rest):
            shift += {"yesterday": -86400, "tomorrow": 86400}.get(found[1], 0)
            if found[1] in ("midnight", "noon"):
                moment = moment.replace(hour=12 if found[1] == "noon" else 0, minute=0, second=0, microsecond=0)
        elif found := re.match(r"(?:([-+]?) ?(\d+)|(next|last|a|an)) ?(sec|second|min|minute|hour|day|week|fortnight|month|year)s?( ago)?(?![a-z])", rest):
            amount = int(found[2]) if found[2] else -1 if found[3] == "last" else 1
            amount *= (-1 if found[1] == "-" else 1) * (-1 if found[5] else 1)
            if found[4] in ("month", "year"):
                months += amount * (12 if found[4] == "year" else 1)
            else:
                shift += amount * UNITS[found[4]]
        elif found := re.match(r"(?:(next|last) )?(mon|tue|wed|thu|fri|sat|sun)[a-z]*,?", rest):
            ahead = (DAYS.index(found[2]) - moment.weekday()) % 7
            ahead += 7 if found[1] == "next" and ahead == 0 else -7 if found[1] == "last" else 0
            if not re.search(r"\d{4}", text):
                shift += ahead * 86400
                moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        elif found := re.match(r"(\d{1,2}) (" + "|".join(MONTHS) + r")[a-z]*(?: (\d{4}))?", rest):
            moment = replaced(moment, int(found[3] or moment.year), MONTHS.index(found[2]) + 1, int(found[1])).replace(hour=0, minute=0, second=0, microsecond=0)
        elif found := re.match(r"(" + "|".join(MONTHS) + r")[a-z]* (\d{1,2})(?:,? (\d{4}))?(?![\d:])", rest):
            moment = replaced(moment, int(found[3] or moment.year), MONTHS.index(found[1]) + 1, int(found[2])).replace(hour=0, minute=0, second=0, microsecond=0)
        else:
            raise BadDate(text)
        rest = rest[found.end() :].lstrip(" ,")
    if months:
        total = moment.year * 12 + moment.month - 1 + months
        overflow = moment.day - 1
        moment = moment.replace(year=total // 12, month=total % 12 + 1, day=1) + timedelta(days=overflow)
    if text.strip() == "":
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment.timestamp() + shift


def replaced(moment: datetime, year: int, month: int, day: int) -> datetime:
    try:
        return moment.replace(year=year, month=month, day=day)
    except ValueError:
        raise BadDate from None


def formatted(moment: datetime, form: str) -> str:
    """strftime of the C locale, with the extensions of GNU date."""

    def one(found: re.Match[str]) -> str:
        flag, width, letter = found.groups()
        made = {
            "N": lambda: f"{moment.microsecond:06d}000"[: int(width) if width else 9],
            "s": lambda: str(int(moment.timestamp())),
            "z": lambda: moment.strftime("%z")[:5],
            ":z": lambda: moment.strftime("%z")[:3] + ":" + moment.strftime("%z")[3:5],
            "Z": lambda: name_of_zone(moment),
            "P": lambda: moment.strftime("%p").lower(),
            "n": lambda: "\n",
            "t": lambda: "\t",
            "q": lambda: str((moment.month + 2) // 3),
            "k": lambda: f"{moment.hour:2d}",
            "l": lambda: f"{(moment.hour - 1) % 12 + 1:2d}",
            "c": lambda: moment.strftime("%a %b %e %H:%M:%S %Y"),
            "x": lambda: moment.strftime("%m/%d/%y"),
            "X": lambda: moment.strftime("%H:%M:%S"),
            "r": lambda: moment.strftime("%I:%M:%S %p"),
            "h": lambda: moment.strftime("%b"),
            "Y": lambda: str(moment.year),
            "%": lambda: "%",
        }.get(letter)
        text = made() if made else moment.strftime("%" + letter) if letter in "aAbBCdDeFgGHIjmMpRSTuUVwWy" else found[0]
        if flag == "-":
            text = text.lstrip("0 ") or "0" if text.strip("0123456789 ") == "" else text
        elif flag == "^":
            text = text.upper()
        elif flag == "_":
            text = re.sub(r"^0+(?=\d)", lambda zeros: " " * len(zeros[0]), text)
        return text

    return re.sub(r"%([-_0^#]?)(\d*)(:?[a-zA-Z%])", one, form)


def name_of_zone(moment: datetime) -> str:
    return moment.tzname() if moment.tzinfo is not timezone.utc and moment.tzname() else "UTC"


async def date(p: Process) -> int:
    options = parse(
        p,
        "d:f:I::r:Rs:u",
        "date=:d file=:f iso-8601=?:I reference=:r rfc-email:R rfc-822:R rfc-3339=:3 set=:s utc:u universal:u debug help version",
    )
    where = zone_named("UTC") if "u" in options else zone(p)
    try:
        moment = read_date(p, options.text("d"), where) if "d" in options else p.host.now()
    except BadDate:
        complain(p, f"invalid date ‘{options.text('d')}’")
        return 1
    if "r" in options:
        try:
            moment = p.fs.stat(p.path(options.text("r"))).mtime
        except OSError as error:
            complain(p, f"{options.text('r')}: {error.strerror}")
            return 1
    if "s" in options or options.operands and not options.operands[0].startswith("+"):
        text = options.text("s") or options.operands[0]
        if "s" not in options and not re.fullmatch(r"\d{8}(\d\d(\d\d)?)?(\.\d\d)?", text):
            raise refuse(p, f"invalid date ‘{text}’", hint=False)
        complain(p, "cannot set date: Operation not permitted")
        return 1
    if len(options.operands) > 1:
        raise refuse(p, f"extra operand ‘{options.operands[1]}’")
    p.out(formatted(datetime.fromtimestamp(moment, where), form_of(p, options)) + "\n")
    return 0


def form_of(p: Process, options: Options) -> str:
    if options.operands:
        return options.operands[0][1:]
    if "R" in options:
        return "%a, %d %b %Y %H:%M:%S %z"
    if "I" in options or "3" in options:
        style = options.text("I") or options.text("3") or "date"
        join = "T" if "I" in options else " "
        forms = {
            "date": "%Y-%m-%d",
            "hours": "%Y-%m-%dT%H%:z",
            "minutes": "%Y-%m-%dT%H:%M%:z",
            "seconds": f"%Y-%m-%d{join}%H:%M:%S%:z",
            "ns": f"%Y-%m-%d{join}%H:%M:%S{',' if 'I' in options else '.'}%N%:z",
        }
        return forms.get(style, forms["date"])
    language = p.env.get("LC_ALL") or p.env.get("LC_TIME") or p.env.get("LANG") or "C"
    if language.startswith("en_US"):
        return "%a %b %e %r %Z %Y" if False else "%a %b %e %I:%M:%S %p %Z %Y"
    return "%a %b %e %H:%M:%S %Z %Y"


async def cal(p: Process) -> int:
    options = parse(p, "13hjmyA:B:")
    now = datetime.fromtimestamp(p.host.now(), zone(p))
    words = options.operands
    try:
        year = int(words[-1]) if words else now.year
        month = int(words[0]) if len(words) == 2 else now.month
        if not 1 <= month <= 12 or not 1 <= year <= 9999:
            raise ValueError
    except ValueError:
        raise Usage(f"cal: {words[0]} is neither a month number (1..12) nor a name\n", 64) from None
    made = calendar.TextCalendar(6)
    if "y" in options or len(words) == 1:
        p.out(made.formatyear(year))
        return 0
    title = f"{calendar.month_name[month]} {year}"
    p.out(f"{title:^20}".rstrip().ljust(20) + "  \n" + "Su Mo Tu We Th Fr Sa  \n")
    for week in made.monthdayscalendar(year, month):
        p.out(" ".join(f"{day:2d}" if day else "  " for day in week) + "  \n")
    return 0


COMMANDS = {"date": date, "cal": cal, "ncal": cal}

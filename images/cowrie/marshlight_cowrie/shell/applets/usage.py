"""An applet's usage as its grammar: which letters it knows, which take a value, and how it refuses others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...machine import busybox as facts
from ..commands.options import Usage

if TYPE_CHECKING:
    from ..ports import Process

#: Letters that the usage leaves out.
MORE = {"grep": "XYNI", "ls": "QUfgGoN", "ps": "weafoAlTxu", "tar": "SpPsU", "date": "R", "cp": "v", "mv": "v", "df": "BaT", "netstat": "46"}
VALUED = {"date": "dsrDI:", "find": "", "head": "nc", "tail": "ncs", "cut": "bcfdF", "sort": "kto", "dd": ""}
#: These have statuses with a meaning, and 2 for what went wrong.
STATUS = dict.fromkeys("grep egrep fgrep sort cmp diff expr".split(), 2)
#: Theirs is no getopt.
FREE = frozenset(
    "ping ping6 nslookup [ [[ test true false echo printf expr dd find awk kill yes let ip route ifconfig stty tar ps nice usleep sh ash env time timeout "
    "nohup chroot xargs setsid watch su sed seq hostname arp brctl".split()
)


def shown(p: Process, name: str) -> str:
    return f"{facts.banner(p.host.persona)} multi-call binary.\n\n{facts.usage(name)}"


def refusal(p: Process, name: str, lead: str = "") -> Usage:
    """`lead`: what is said before the usage."""
    return Usage((f"{name}: {lead}\n" if lead else "") + shown(p, name), STATUS.get(name, 1))


def letters(text: str) -> dict[str, bool]:
    """Letter -> whether it takes a value, as the usage has it: `[-lr]`, `-n N`, `\t-m MODE\tMode`."""
    known: dict[str, bool] = {}
    for group, value in re.findall(r"(?<![\w-])-([A-Za-z0-9]+)((?: ?\[?[A-Z]{1,}[A-Z_]*)?)", text):
        for letter in group:
            known.setdefault(letter, False)
        if value and len(group) == 1:
            known[group] = True
    # `-I,--inode-max`, `-R,-r`: a letter after a comma.
    for letter in re.findall(r",-([A-Za-z0-9])\b", text):
        known.setdefault(letter, False)
    return known


def check(p: Process, name: str) -> None:
    """Raises Usage at the first letter that the applet does not know."""
    if name in FREE:
        return
    known = letters(facts.usage(name))
    if not known:
        return
    for letter in MORE.get(name, ""):
        known.setdefault(letter, False)
    for letter in VALUED.get(name, ""):
        known[letter] = True
    words = p.args[1:]
    while words:
        word = words.pop(0)
        if word == "--":
            return
        if word.startswith("--") or not word.startswith("-") or word == "-":
            continue
        rest = word[1:]
        if name in ("head", "tail", "fold") and rest[0].isdigit():
            continue
        while rest:
            letter, rest = rest[0], rest[1:]
            if letter not in known:
                raise refusal(p, name, f"invalid option -- '{letter}'")
            if known[letter]:
                if not rest and not words:
                    raise refusal(p, name, f"option requires an argument -- '{letter}'")
                if not rest:
                    words.pop(0)
                break

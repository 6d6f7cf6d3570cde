"""dpkg's own records of a root file system: which packages there are, what they need, whose a path is."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Package:
    name: str
    needs: list[str]
    #: No host can do without it.
    essential: bool
    #: By its priority: hardly a host is made without it.
    required: bool


def read(root: Path) -> dict[str, Package]:
    found = {}
    provided: dict[str, str] = {}
    for paragraph in (root / "var/lib/dpkg/status").read_text("utf-8").split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if not fields.get("Status", "").endswith(" installed"):
            continue
        name = fields["Package"]
        wanted = ", ".join(fields[key] for key in ("Pre-Depends", "Depends") if key in fields)
        choices = [re.split(r"\s*\|\s*", part) for part in wanted.split(",") if part.strip()]
        needs = [bare(choice) for alternatives in choices for choice in alternatives]
        found[name] = Package(name, needs, fields.get("Essential") == "yes", fields.get("Priority") == "required")
        for other in fields.get("Provides", "").split(","):
            provided.setdefault(bare(other), name)
    for package in found.values():
        needs = (provided.get(need, need) if need not in found else need for need in package.needs)
        package.needs = sorted({need for need in needs if need in found})
    return found


def bare(relation: str) -> str:
    return re.sub(r"[\s(:].*", "", relation.strip())


def closure(installed: dict[str, Package], names: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = [name for name in names if name in installed]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(installed[name].needs)
    return reached


def asked_for(root: Path, installed: dict[str, Package]) -> set[str]:
    """Not installed for the sake of others."""
    states = root / "var/lib/apt/extended_states"
    found = re.findall(r"^Package: (\S+)\n(?:.+\n)*?Auto-Installed: 1", states.read_text("utf-8") if states.exists() else "", re.M)
    return set(installed) - set(found)


def only_for(installed: dict[str, Package], optional: list[str], asked: set[str]) -> set[str]:
    """What nobody but the optional packages needs: the packages are there for them, and away without them."""
    wanted = closure(installed, set(optional))
    needed = {other: {name for name, package in installed.items() if other in package.needs} for other in wanted}
    extra = set(wanted)
    changed = True
    while changed:
        standing = {
            name
            for name in extra
            if installed[name].essential or installed[name].required or (name not in optional and (name in asked or needed[name] - extra))
        }
        changed = bool(standing)
        extra -= standing
    return extra


def owners(root: Path, order: list[str]) -> dict[str, list[int]]:
    """Numbers of the packages that hold a path, by the path as it is behind the merged /usr."""
    numbers = {name: number for number, name in enumerate(order)}
    found: dict[str, list[int]] = defaultdict(list)
    for listing in (root / "var/lib/dpkg/info").glob("*.list"):
        number = numbers.get(listing.name.removesuffix(".list").split(":")[0])
        if number is None:
            continue
        for line in listing.read_text("utf-8", "surrogateescape").splitlines():
            path = re.sub(r"^/(bin|sbin|lib|lib32|lib64|libx32)(?=/)", r"/usr/\1", line)
            if path != "/.":
                found[path].append(number)
    for listing in (root / "var/lib/dpkg/info").iterdir():
        number = numbers.get(listing.name.rsplit(".", 1)[0].split(":")[0])
        if number is not None:
            found[f"/var/lib/dpkg/info/{listing.name}"].append(number)
    return found

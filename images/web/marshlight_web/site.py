"""What one service of the persona is to a real web server: its name, its pages as files, and what is more than files."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from marshlight_services.persona import Page, Persona, Service
from marshlight_services.web_words import server_of, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = 86400
SAFE = re.compile(r"(/[A-Za-z0-9_~+-][A-Za-z0-9._~+-]*)*/?")
# Types that both servers give a file by its name.
BY_NAME = {".html": "text/html", ".htm": "text/html", ".css": "text/css", ".txt": "text/plain", ".xml": "text/xml"}
SYSTEMS = {"ubuntu": "Ubuntu", "debian": "Debian", "rocky": "Rocky Linux", "almalinux": "AlmaLinux"}
SYSTEMS |= {"red hat": "Red Hat Enterprise Linux", "centos": "CentOS", "raspbian": "Raspbian", "fedora": "Fedora Linux"}
POSTED = re.compile(rb"<form[^>]*method\s*=\s*[\"']?post", re.IGNORECASE)


@dataclass(frozen=True)
class Site:
    service: Service
    root: Path
    name: str
    headers: tuple[tuple[str, str], ...]
    # Pages whose file's name does not tell their type, by path.
    typed: tuple[tuple[str, str, Path], ...]
    # Paths of log-in forms, and the file that answers them.
    forms: tuple[tuple[str, str, Path], ...]
    certificate: str | None


def site_of(persona: Persona, service: Service, flavour: str, folder: Path, certificate: str | None) -> Site:
    """Writes the pages below `folder`, each as old as it is said to be."""
    root = folder / str(service.port)
    pages = dict(service.pages)
    if "/" not in pages and not service.text("redirect"):
        title = service.text("title", persona.full_name)
        body = f"<!doctype html><title>{title}</title><h1>{title}</h1>\n".encode()
        pages["/"] = Page("/", 200, "text/html", body)
    typed, places = [], {}
    root.mkdir(parents=True)
    for number, page in enumerate(sorted(pages.values(), key=lambda page: page.path.count("/"), reverse=True)):
        place = placed(root, page.path) or folder / f"page-{service.port}-{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(page.body)
        changed = changed_at(persona, page)
        os.utime(place, (changed, changed))
        places[page.path] = place
        if BY_NAME.get(place.suffix) != page.type or root not in place.parents:
            typed.append((page.path, page.type, place))
    refused = service.text("refusedPath")
    forms = []
    for path, page in pages.items():
        shown = pages.get(refused, page)
        if POSTED.search(page.body):
            forms.append((path, shown.type, places[shown.path]))
    extra = tuple(pair for pair in words_of(service).extra if all(0x20 <= ord(one) < 0x7F for one in "".join(pair)))
    name = full_name(persona, service, flavour)
    return Site(service, root, name, extra, tuple(typed), tuple(forms), certificate)


def placed(root: Path, path: str) -> Path | None:
    """The file of a page, or None where no file can have its path: odd letters, or a folder that is there already."""
    if not SAFE.fullmatch(path):
        return None
    place = root / (path.lstrip("/") + ("index.html" if path.endswith("/") else ""))
    return None if place.exists() or any(parent.is_file() for parent in place.parents) else place


def full_name(persona: Persona, service: Service, flavour: str) -> str:
    """The `Server` header. Packages of Debian and its kin say whose they are: Apache's always, nginx's on Ubuntu."""
    name = server_of(service)
    system = next((found for word, found in SYSTEMS.items() if word in persona.os.lower()), "")
    told = "/" in name and "(" not in name and "server" not in service.settings
    return f"{name} ({system})" if told and system and (flavour == "apache" or system == "Ubuntu") else name


def changed_at(persona: Persona, page: Page) -> float:
    """When the page was last changed: some time before the host's last start, the same at each look."""
    drawn = int.from_bytes(hashlib.sha256(f"{persona.seed} {page.path}".encode()).digest()[:4], "big")
    return float(int(persona.booted_at) - drawn % (400 * DAY))


def of_red_hat(persona: Persona) -> bool:
    return any(word in persona.os.lower() for word in ("rocky", "almalinux", "red hat", "centos", "fedora"))


def forget(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def first_name(sites: Sequence[Site]) -> str:
    """One program has one name, whatever it listens to."""
    return next((site.name for site in sites if "/" in site.name), sites[0].name)

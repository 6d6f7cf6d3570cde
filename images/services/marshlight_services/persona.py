"""What these services need of the persona (shared/schemas/persona.ts), checked before anything uses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshlight_common.control_files import Refused

LARGEST = 1 << 20
# Numbers of people: from 1000 on most systems, from 500 on Windows and old ones.
PEOPLE_FROM = 500


@dataclass(frozen=True)
class Page:
    path: str
    status: int
    type: str
    body: bytes


@dataclass(frozen=True)
class File:
    path: str
    modified_at: float
    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Service:
    kind: str
    port: int
    product: str
    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    pages: Mapping[str, Page] = field(default_factory=dict)

    def text(self, name: str, otherwise: str = "") -> str:
        value = self.settings.get(name)
        return value if isinstance(value, str) else otherwise

    def flag(self, name: str, otherwise: bool = False) -> bool:
        value = self.settings.get(name)
        return value if isinstance(value, bool) else otherwise

    def number(self, name: str, otherwise: int) -> int:
        value = self.settings.get(name)
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else otherwise

    def named(self, separator: str = " ") -> str:
        return f"{self.product}{separator}{self.version}" if self.version else self.product


@dataclass(frozen=True)
class Persona:
    id: str
    version: int
    seed: str
    family: str
    hostname: str
    domain: str
    os: str
    kernel: str
    machine: str
    mac: str
    booted_at: float
    users: tuple[str, ...]
    # Of these the ones that are people, not parts of the system.
    people: tuple[str, ...]
    services: tuple[Service, ...]
    files: tuple[File, ...]

    @property
    def full_name(self) -> str:
        return f"{self.hostname}.{self.domain}" if self.domain else self.hostname


def read_persona(raw: bytes) -> Persona:
    """Raises Refused with what is wrong."""
    root = parsed(raw, "persona")
    try:
        kernel = root["os"]["kernel"]
        persona = Persona(
            id=text(root["id"]),
            version=int(root["version"]),
            seed=text(root["seed"]),
            family=text(root.get("family", "")),
            hostname=text(root["hostname"]),
            domain=text(root.get("domain") or ""),
            os=text(root["os"]["prettyName"]),
            kernel=" ".join(text(kernel[name]) for name in ("name", "release", "build")),
            machine=text(kernel["machine"]),
            mac=text(root["mac"]["oui"]),
            booted_at=moment(root["bootedAt"]),
            users=tuple(text(user["name"]) for user in root.get("users", [])),
            people=tuple(text(user["name"]) for user in root.get("users", []) if user["uid"] >= PEOPLE_FROM),
            services=tuple(service_of(service) for service in root.get("services") or []),
            files=tuple(file_of(file) for file in root.get("files") or []),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"persona: {type(error).__name__} {error}"[:300]) from None
    if not persona.services:
        raise Refused("persona.services is empty: nothing to serve")
    return persona


def service_of(value: dict[str, Any]) -> Service:
    port = value["port"]
    if not isinstance(port, int) or not 1 <= port <= 65535:
        raise ValueError(f"port {port!r} of a service")
    pages = {
        page["path"]: Page(text(page["path"]), int(page["status"]), text(page["type"]), text(page["body"]).encode())
        for page in value.get("pages") or []
    }
    settings = value["settings"]
    if not isinstance(settings, dict):
        raise ValueError("settings of a service are no object")
    return Service(text(value["kind"]), port, text(value["product"]), text(value["version"]), settings, pages)


def file_of(value: dict[str, Any]) -> File:
    numbers = (int(value[name]) for name in ("mode", "uid", "gid"))
    return File(text(value["path"]), moment(value["modifiedAt"]), text(value["content"]).encode(), *numbers)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{str(value)[:80]!r} is no text")
    return value


def moment(value: Any) -> float:
    return datetime.fromisoformat(text(value).replace("Z", "+00:00")).timestamp()


def parsed(raw: bytes, name: str) -> dict[str, Any]:
    if len(raw) > LARGEST:
        raise Refused(f"{name} has {len(raw)} bytes, more than {LARGEST}")
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise Refused(f"{name}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused(f"{name} is not an object")
    return value

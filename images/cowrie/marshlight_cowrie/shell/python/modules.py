"""What `import` finds: modules that are played, those of the standard library that are only there, and no others."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import json
import math
import random
import string
import sys
from typing import TYPE_CHECKING, Any

from . import modules_os, modules_process, modules_socket, modules_system
from .names import plain
from .things import Native, Thing, Unknown

if TYPE_CHECKING:
    from .machine import Machine

#: Pure functions of modules, taken as they are: plain values in, plain values out.
PURE: dict[str, dict[str, Any]] = {
    "base64": {name: getattr(base64, name) for name in ("b64encode", "b64decode", "b32encode", "b32decode", "b16encode", "b16decode", "urlsafe_b64encode", "urlsafe_b64decode", "encodebytes", "decodebytes")},
    "binascii": {name: getattr(binascii, name) for name in ("hexlify", "unhexlify", "crc32", "b2a_base64", "a2b_base64")},
    "json": {"dumps": lambda value, **named: dumped(value, **named), "loads": json.loads},
    "math": {name: getattr(math, name) for name in ("sqrt", "floor", "ceil", "log", "log2", "log10", "sin", "cos", "tan", "fabs", "gcd", "exp", "trunc", "isnan")},
}


def dumped(value: Any, *, indent: Any = None, sort_keys: bool = False, ensure_ascii: bool = True, separators: Any = None, **more: Any) -> str:
    if isinstance(indent, int) and indent > 16 or isinstance(indent, str) and len(indent) > 16 or separators and any(len(part) > 8 for part in separators) or more:
        raise Unknown
    return json.dumps(value, indent=indent, sort_keys=bool(sort_keys), ensure_ascii=bool(ensure_ascii), separators=separators)


VALUES: dict[str, dict[str, Any]] = {
    "math": {"pi": math.pi, "e": math.e, "inf": math.inf},
    "string": {name: getattr(string, name) for name in ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "punctuation", "printable", "whitespace", "octdigits")},
}
#: Those that 3.11 has within itself.
FROZEN = {"os": "os", "os.path": "posixpath", "posixpath": "posixpath", "codecs": "codecs", "io": "io", "abc": "abc", "stat": "stat", "site": "site"}
DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


def find(machine: Machine, name: str) -> Thing:
    if name in machine.modules:
        return machine.modules[name]
    top = name.split(".")[0]
    if top not in sys.stdlib_module_names:
        raise ModuleNotFoundError(f"No module named '{top}'", name=top)
    made = module(name, {})
    machine.modules[name] = made
    attributes: dict[str, Any] = {function: plain(function, run) for function, run in PURE.get(name, {}).items()}
    attributes |= VALUES.get(name, {})
    for room in (modules_os, modules_process, modules_socket, modules_system):
        attributes |= room.attributes(machine, name)
    attributes |= OWN[name](machine) if name in OWN else {}
    made.attributes |= attributes
    if not attributes or name not in ("os", "sys", "platform"):
        made.attributes["__unknown__"] = unknown(made, name)
    return made


def module(name: str, attributes: dict[str, Any]) -> Thing:
    builtin = name in sys.builtin_module_names
    file = f"/usr/lib/python3.11/{name.replace('.', '/')}.py"
    if name in FROZEN:
        return Thing("module", f"<module '{FROZEN[name]}' (frozen)>", {"__name__": FROZEN[name], "__file__": file, **attributes})
    shown = f"<module '{name}' (built-in)>" if builtin else f"<module '{name}' from '{file}'>"
    return Thing("module", shown, {"__name__": name, **({} if builtin else {"__file__": file}), **attributes})


def unknown(made: Thing, name: str) -> Any:
    """A name that the real module has and this one has not ends the program; one that no module has is its error."""

    def look(wanted: str) -> Any:
        if wanted.startswith("__") or not known_to_be(name, wanted):
            raise AttributeError(f"module '{name}' has no attribute '{wanted}'")
        raise Unknown

    return look


def known_to_be(name: str, wanted: str) -> bool:
    """Of the modules that this very process has loaded; of the others everything might be there."""
    loaded = sys.modules.get(name)
    return loaded is None or hasattr(loaded, wanted)


def digest(machine: Machine, name: str, data: bytes = b"") -> Thing:
    made = hashlib.new(name, data, usedforsecurity=False)

    async def update(machine: Machine, more: bytes) -> None:
        made.update(more)

    functions = {"hexdigest": plain("hexdigest", lambda: made.hexdigest()), "digest": plain("digest", lambda: made.digest()), "update": Native("update", update)}
    return Thing("_hashlib.HASH", f"<{name} _hashlib.HASH object @ 0x7f1c5e0a7b10>", {**functions, "name": name, "digest_size": made.digest_size})


def digests(machine: Machine) -> dict[str, Any]:
    def made(name: str) -> Native:
        async def run(machine: Machine, data: bytes = b"", **named: Any) -> Thing:
            if isinstance(data, str):
                raise TypeError("Strings must be encoded before hashing")
            return digest(machine, name, data)

        return Native(f"openssl_{name}", run)

    return {name: made(name) for name in DIGESTS}


def chances(machine: Machine) -> dict[str, Any]:
    seed = random.Random()

    async def choice(machine: Machine, items: Any) -> Any:
        if not len(items):
            raise IndexError("Cannot choose from an empty sequence")
        return items[seed.randrange(len(items))]

    async def shuffle(machine: Machine, items: list[Any]) -> None:
        seed.shuffle(items)

    async def choices(machine: Machine, items: Any, k: int = 1) -> list[Any]:
        machine.bounds.length(k)
        return [items[seed.randrange(len(items))] for _ in range(k)]

    pure = {"randint": seed.randint, "random": seed.random, "uniform": seed.uniform, "randrange": seed.randrange}
    return {**{name: plain(name, run) for name, run in pure.items()}, "choice": Native("choice", choice), "choices": Native("choices", choices), "shuffle": Native("shuffle", shuffle)}


def dates(machine: Machine) -> dict[str, Any]:
    async def now(machine: Machine, *more: Any) -> Thing:
        offset = getattr(machine.p.host, "utc_offset", 0.0)
        moment = datetime.datetime.fromtimestamp(machine.p.host.now() + offset, datetime.timezone.utc).replace(tzinfo=None)

        async def strftime(machine: Machine, form: str) -> str:
            machine.bounds.length(len(form) * 32)
            return moment.strftime(form)

        parts = {name: getattr(moment, name) for name in ("year", "month", "day", "hour", "minute", "second", "microsecond")}
        shown = Thing("datetime.datetime", str(moment), {**parts, "strftime": Native("strftime", strftime), "isoformat": plain("isoformat", lambda: moment.isoformat())})
        return shown

    return {"datetime": Thing("type", "<class 'datetime.datetime'>", {"__name__": "datetime", "now": Native("now", now), "today": Native("today", now)})}


OWN = {"hashlib": digests, "random": chances, "datetime": dates}

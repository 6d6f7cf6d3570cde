"""The methods that plain values have, by name; each runs on the value itself, within bounds."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from .bounds import Bounds, width_of
from .things import Thing, Unknown

STRING = frozenset(
    "capitalize casefold count encode endswith find format format_map index isalnum isalpha isascii isdecimal isdigit isidentifier "
    "islower isnumeric isprintable isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill center ljust rjust".split()
)
METHODS: dict[type, frozenset[str]] = {
    str: STRING,
    bytes: (STRING - {"encode", "format", "format_map", "casefold", "isidentifier", "isprintable", "isdecimal", "isnumeric"}) | {"decode", "hex"},
    bytearray: frozenset({"decode", "hex", "append", "extend", "find", "startswith", "endswith", "split", "strip"}),
    list: frozenset("append clear copy count extend index insert pop remove reverse".split()),
    dict: frozenset("clear copy get items keys pop popitem setdefault update values".split()),
    set: frozenset("add clear copy discard difference intersection issubset issuperset pop remove union update".split()),
    tuple: frozenset(("count", "index")),
    int: frozenset(("bit_length", "to_bytes")),
    float: frozenset(("is_integer", "hex")),
}
CODECS = frozenset("utf-8 utf8 ascii latin-1 latin1 iso-8859-1 utf-16 utf-16le utf-16-le utf-16be utf-32 cp1252 unicode-escape us-ascii cp437".split())
GROWING = frozenset("append extend insert update setdefault add".split())


def has(value: Any, name: str) -> bool:
    return name in METHODS.get(int if isinstance(value, bool) else type(value), ())


def run(bounds: Bounds, value: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    if any(isinstance(one, Thing) and "__items__" in one.attributes for one in arguments):
        arguments = [bounds.items(one) if isinstance(one, Thing) and "__items__" in one.attributes else one for one in arguments]
    if name in ("encode", "decode") and arguments and str(arguments[0]).lower().replace("_", "-") not in CODECS:
        raise Unknown
    if name in ("index", "count", "remove", "format", "format_map"):
        bounds.weigh(value, arguments, named)
    if name in ("format", "format_map"):
        return bounds.kept(Formatter().vformat(value, () if name == "format_map" else arguments, arguments[0] if name == "format_map" else named))
    if name in ("zfill", "center", "ljust", "rjust") and arguments and isinstance(arguments[0], int):
        bounds.length(arguments[0])
    if name == "replace" and len(arguments) > 1:
        bounds.length(value.count(arguments[0]) + 1, len(arguments[1]))
    if name == "join" and arguments:
        parts = bounds.items(arguments[0])
        bounds.length(sum(len(part) for part in parts if isinstance(part, (str, bytes))) + len(value) * len(parts))
        arguments = [parts]
    if name == "to_bytes" and arguments:
        bounds.length(arguments[0])
    if name == "extend" and arguments:
        arguments = [bounds.items(arguments[0])]
    if name in GROWING:
        bounds.charge(len(value) // 64)
        bounds.kept(value)
    found = getattr(value, name)(*arguments, **named)
    if name in ("keys", "values", "items"):
        found = list(found)
    return bounds.kept(found)


class Formatter(string.Formatter):
    """Fields are numbers and names: nothing of a real object can be reached by a format."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if not field_name.replace("_", "a").isalnum() and field_name:
            raise Unknown
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> Any:
        width_of(format_spec)
        return super().format_field(value, format_spec)

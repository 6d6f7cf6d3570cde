"""Classes of plain values, called: int str bytes list dict ... and type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .things import Thing, Unknown, kind_of

if TYPE_CHECKING:
    from .machine import Machine


async def type_(machine: Machine, value: Any, *more: Any) -> Any:
    if more:
        raise Unknown
    name = kind_of(value)
    found = machine.builtins.get(name)
    return found if found is not None else Thing("type", f"<class '{name}'>", {"__name__": name})


async def int_(machine: Machine, value: Any = 0, base: Any = None) -> int:
    if isinstance(value, (Thing, type)):
        raise TypeError(f"int() argument must be a string, a bytes-like object or a real number, not '{kind_of(value)}'")
    return int(value) if base is None else int(value, base)


async def str_(machine: Machine, value: Any = "", *more: Any) -> str:
    machine.bounds.weigh(value)
    return str(value, *more) if more else str(value)


async def bytes_(machine: Machine, value: Any = b"", *more: Any) -> bytes:
    if isinstance(value, int):
        machine.bounds.length(value)
        return bytes(value)
    return bytes(value, *more) if isinstance(value, str) else bytes(machine.bounds.items(value))


async def dict_(machine: Machine, value: Any = (), **named: Any) -> dict[Any, Any]:
    return {**(dict(value) if isinstance(value, dict) else dict(machine.bounds.items(value))), **named}


async def range_(machine: Machine, *parts: Any) -> range:
    if any(isinstance(part, int) and part.bit_length() > 62 for part in parts):
        raise OverflowError("Python int too large to convert to C ssize_t")
    return range(*parts)


def maker(run: Callable[..., Any]) -> Callable[..., Any]:
    async def made(machine: Machine, *values: Any) -> Any:
        return run(machine.bounds.items(values[0])) if values else run()

    return made


async def bool_(machine: Machine, value: Any = False) -> bool:
    return bool(value)


async def float_(machine: Machine, value: Any = 0.0) -> float:
    return float(value)


MAKERS: dict[str, Any] = {
    **{"int": int_, "str": str_, "bytes": bytes_, "dict": dict_, "range": range_, "list": maker(list), "tuple": maker(tuple)},
    **{"set": maker(set), "frozenset": maker(frozenset), "bool": bool_, "float": float_, "type": type_},
}

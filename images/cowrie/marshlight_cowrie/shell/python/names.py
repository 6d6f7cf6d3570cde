"""The names that are there without an import."""

from __future__ import annotations

import ast
import builtins as real
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .bounds import MOST_BITS, width_of
from .files import open_
from .makers import MAKERS
from .things import PLAIN, Function, Native, Scope, Thing, Unknown, kind_of

if TYPE_CHECKING:
    from .machine import Machine

#: Classes that isinstance and type know.
CLASSES: dict[str, Any] = {
    **{"str": str, "int": int, "float": float, "bool": bool, "bytes": bytes, "bytearray": bytearray, "list": list, "dict": dict},
    **{"set": set, "frozenset": frozenset, "tuple": tuple, "range": range, "complex": complex, "object": object},
}
#: Pure functions that take only plain values and give small ones.
PLAIN_FUNCTIONS = "abs ord chr hex oct bin divmod round ascii".split()


def plain(name: str, run: Callable[..., Any], kind: str = "builtin_function_or_method") -> Native:
    async def called(machine: Machine, *arguments: Any, **named: Any) -> Any:
        if any(isinstance(one, (Thing, type)) for one in (*arguments, *named.values())):
            wrong = next(one for one in (*arguments, *named.values()) if isinstance(one, (Thing, type)))
            raise TypeError(f"{name}() argument must not be '{kind_of(wrong)}'")
        machine.bounds.weigh(arguments, named)
        return run(*arguments, **named)

    return Native(name, called, kind)


def builtins(machine: Machine) -> dict[str, Any]:
    made: dict[str, Any] = {name: plain(name, getattr(real, name)) for name in PLAIN_FUNCTIONS}
    errors = {name: value for name, value in vars(real).items() if isinstance(value, type) and issubclass(value, BaseException)}
    made |= errors
    made |= {name: Native(name, run) for name, run in FUNCTIONS.items()}
    made |= {name: Native(name, run, "type") for name, run in MAKERS.items()}
    made |= {"object": Native("object", nothing, "type"), "Ellipsis": ..., "NotImplemented": NotImplemented}
    for name in ("exit", "quit"):
        made[name] = Native(name, leave)
        made[name].shown = f"Use {name}() or Ctrl-D (i.e. EOF) to exit"
    made["copyright"] = made["credits"] = made["license"] = Thing("_Printer", "Type license() to see the full license text")
    made["help"] = Native("help", nothing)
    made["help"].shown = "Type help() for interactive help, or help(object) for help about object."
    return made


async def nothing(machine: Machine, *arguments: Any, **named: Any) -> None:
    return None


async def leave(machine: Machine, status: Any = None) -> None:
    raise SystemExit(status)


async def print_(machine: Machine, *values: Any, sep: Any = " ", end: Any = "\n", file: Any = None, flush: bool = False) -> None:
    machine.bounds.weigh(values)
    text = (" " if sep is None else sep).join([str(value) for value in values]) + ("\n" if end is None else end)
    machine.bounds.length(len(text))
    if file is None:
        file = machine.import_module("sys").attributes["stdout"]
    await machine.call(await machine.attribute(file, "write"), [text])


async def input_(machine: Machine, prompt: Any = "") -> str:
    machine.p.out(str(prompt))
    line = (await machine.p.stdin.readline()).decode("utf-8", "surrogateescape")
    if not line:
        raise EOFError("EOF when reading a line")
    return line.rstrip("\n")


async def length(machine: Machine, value: Any) -> int:
    if isinstance(value, Thing):
        items = value.attributes.get("__items__", value.attributes.get("__mapping__"))
        if items is None:
            raise TypeError(f"object of type '{value.kind}' has no len()")
        return len(items)
    return len(value)


async def isinstance_(machine: Machine, value: Any, wanted: Any) -> bool:
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    named = [CLASSES.get(kind.name) if isinstance(kind, Native) else kind for kind in kinds]
    return any(isinstance(kind, type) and isinstance(value, kind) for kind in named)


async def sorted_(machine: Machine, value: Any, key: Any = None, reverse: bool = False) -> list[Any]:
    return await machine.sorted_by(machine.bounds.items(value), key, reverse)


async def map_(machine: Machine, function: Any, *values: Any) -> list[Any]:
    return [await machine.call(function, list(each)) for each in zip(*(machine.bounds.items(value) for value in values), strict=False)]


async def filter_(machine: Machine, function: Any, value: Any) -> list[Any]:
    return [item for item in machine.bounds.items(value) if (await machine.call(function, [item]) if function is not None else item)]


def over_items(run: Callable[..., Any]) -> Callable[..., Any]:
    async def called(machine: Machine, value: Any, *more: Any, **named: Any) -> Any:
        if named.get("key") is not None:
            items = machine.bounds.items(value)
            ordered = await machine.sorted_by(items, named["key"], run is max)
            return ordered[0]
        if more and run in (max, min):
            machine.bounds.weigh(value, more)
            return run(value, *more)
        items = machine.bounds.items(value)
        machine.bounds.weigh(items)
        if run is sum and not all(isinstance(item, (int, float, complex)) for item in (*items, *more)):
            # Lists or tuples: each step would copy all that is there.
            raise Unknown
        return run(items, *more, **named)

    return called


async def zip_(machine: Machine, *values: Any) -> list[Any]:
    return list(zip(*(machine.bounds.items(value) for value in values), strict=False))


async def getattr_(machine: Machine, value: Any, name: str, *default: Any) -> Any:
    try:
        return await machine.attribute(value, name)
    except AttributeError:
        if default:
            return default[0]
        raise


async def hasattr_(machine: Machine, value: Any, name: str) -> bool:
    try:
        await machine.attribute(value, name)
    except AttributeError:
        return False
    return True


async def import_(machine: Machine, name: str, *more: Any, **named: Any) -> Any:
    return machine.import_module(name.split(".")[0])


async def exec_(machine: Machine, source: Any, *more: Any) -> None:
    await machine.run(parsed(source, "<string>", "exec"), Scope(machine.top, "<module>") if more else machine.top)


async def eval_(machine: Machine, source: Any, *more: Any) -> Any:
    tree = parsed(source, "<string>", "eval")
    return await machine.value(tree.body, machine.top)


async def compile_(machine: Machine, source: Any, *more: Any, **named: Any) -> Any:
    parsed(source, "<string>", "exec")
    return Thing("code", "<code object <module> at 0x7f6d2c0b5e70>", {"__source__": source})


def parsed(source: Any, name: str, mode: str) -> Any:
    if isinstance(source, Thing):
        source = source.attributes.get("__source__")
    if isinstance(source, (bytes, bytearray)):
        source = bytes(source).decode("utf-8", "replace")
    if not isinstance(source, str):
        raise TypeError("exec() arg 1 must be a string, bytes or code object")
    if len(source) > 1 << 18:
        raise MemoryError
    return ast.parse(source.strip() if mode == "eval" else source, name, mode)


async def power(machine: Machine, base: Any, exponent: Any, modulus: Any = None) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and modulus is None and base.bit_length() * max(0, exponent) > MOST_BITS and abs(base) > 1:
        raise MemoryError
    if any(isinstance(one, int) and one.bit_length() > 4096 for one in (base, exponent, modulus)):
        raise MemoryError
    return pow(base, exponent, modulus)


async def format_(machine: Machine, value: Any, form: str = "") -> str:
    width_of(form)
    machine.bounds.weigh(value)
    return format(value, form) if isinstance(value, PLAIN) else repr(value)


async def dir_(machine: Machine, *values: Any) -> list[str]:
    names = values[0].attributes if values and isinstance(values[0], Thing) else machine.top.names
    return sorted(name for name in names if name not in ("__items__", "__mapping__", "__unknown__", "__source__"))


async def enumerate_(machine: Machine, value: Any, start: int = 0) -> list[Any]:
    return list(enumerate(machine.bounds.items(value), start))


async def reversed_(machine: Machine, value: Any) -> list[Any]:
    return machine.bounds.items(value)[::-1]


async def repr_(machine: Machine, value: Any) -> str:
    machine.bounds.weigh(value)
    return repr(value)


async def id_(machine: Machine, value: Any) -> int:
    return 0x7F0000000000 + id(value) % 0xFFFFFFF0


async def callable_(machine: Machine, value: Any) -> bool:
    return isinstance(value, (Native, Function, type))


async def next_(machine: Machine, value: Any, *default: Any) -> Any:
    items = machine.bounds.items(value)
    if not items and not default:
        raise StopIteration
    return items[0] if items else default[0]


async def iter_(machine: Machine, value: Any) -> Any:
    return machine.bounds.items(value)


FUNCTIONS: dict[str, Any] = {
    **{"print": print_, "input": input_, "len": length, "isinstance": isinstance_, "sorted": sorted_, "map": map_, "filter": filter_},
    **{"zip": zip_, "getattr": getattr_, "hasattr": hasattr_, "__import__": import_, "exec": exec_, "eval": eval_, "compile": compile_},
    **{"sum": over_items(sum), "max": over_items(max), "min": over_items(min), "any": over_items(any), "all": over_items(all)},
    **{"pow": power, "format": format_, "dir": dir_, "enumerate": enumerate_, "reversed": reversed_, "repr": repr_, "id": id_},
    **{"callable": callable_, "next": next_, "iter": iter_, "open": open_, "globals": nothing, "locals": nothing},
}

"""Variables of one shell. A `Variable` is not changed but replaced, so that a subshell need not copy texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Union

Value = Union[str, dict[int, str], dict[str, str], None]
#: Bytes of one value; past it the shell dies as one that gets no memory.
LARGEST = 1 << 20


class ReadOnly(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class OutOfMemory(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


@dataclass(frozen=True)
class Variable:
    value: Value = None
    exported: bool = False
    readonly: bool = False
    integer: bool = False
    #: "": a text; "a": indexed; "A": associative.
    array: str = ""
    case: str = ""
    reference: bool = False

    @property
    def text(self) -> str | None:
        if isinstance(self.value, dict):
            return self.value.get("0" if self.array == "A" else 0)  # type: ignore[call-overload,no-any-return]
        return self.value

    def with_text(self, text: str) -> Variable:
        if isinstance(self.value, dict):
            key = "0" if self.array == "A" else 0
            return replace(self, value={**self.value, key: text})  # type: ignore[dict-item]
        return replace(self, value=text)


def copied(scope: dict[str, Variable]) -> dict[str, Variable]:
    """Items of an array are the one thing that is changed in place."""
    return {
        name: replace(found, value=dict(found.value)) if isinstance(found.value, dict) else found  # type: ignore[arg-type]
        for name, found in scope.items()
    }


@dataclass
class Variables:
    """The innermost function's locals last. `special` gives those that are made when they are read."""

    scopes: list[dict[str, Variable]] = field(default_factory=lambda: [{}])
    special: dict[str, Callable[[], str]] = field(default_factory=dict)
    #: Arrays of the shell's own, made when they are read.
    dynamic: dict[str, Callable[[], list[str]]] = field(default_factory=dict)
    changed: Callable[[str], None] = lambda name: None

    def copy(self) -> Variables:
        return Variables([copied(scope) for scope in self.scopes], dict(self.special), {}, self.changed)

    def find(self, name: str) -> Variable | None:
        for scope in reversed(self.scopes):
            if name in scope:
                found = scope[name]
                if found.reference and isinstance(found.value, str) and found.value != name:
                    return self.find(found.value) or Variable()
                return found
        if name in self.dynamic:
            values = self.dynamic[name]()
            return Variable(dict(enumerate(values)), array="a") if values else None
        return None

    def get(self, name: str) -> str | None:
        if name in self.special:
            return self.special[name]()
        found = self.find(name)
        return found.text if found else None

    def put(self, name: str, variable: Variable) -> None:
        for scope in reversed(self.scopes):
            if name in scope:
                old = scope[name]
                if old.reference and not variable.reference and isinstance(old.value, str) and old.value != name:
                    self.put(old.value, variable)
                    return
                scope[name] = variable
                return
        self.scopes[0][name] = variable

    def set(self, name: str, text: str, *, append: bool = False) -> None:
        old = self.find(name) or Variable()
        if old.readonly:
            raise ReadOnly(name)
        if append:
            text = (old.text or "") + text
        if len(text) > LARGEST:
            raise OutOfMemory(len(text))
        text = text.upper() if old.case == "u" else text.lower() if old.case == "l" else text
        if name in self.special and name != "SECONDS":
            del self.special[name]
        self.put(name, old.with_text(text))
        self.changed(name)

    def set_item(self, name: str, key: int | str, text: str, *, append: bool = False) -> None:
        old = self.find(name) or Variable()
        if old.readonly:
            raise ReadOnly(name)
        items = old.value if isinstance(old.value, dict) else {} if old.value is None else {0: old.value}
        if append:
            text = items.get(key, "") + text  # type: ignore[call-overload]
        items[key] = text  # type: ignore[index]
        if len(items) > 20000 or len(text) > LARGEST:
            raise OutOfMemory(len(items) * 64 + len(text))
        if items is not old.value:
            self.put(name, replace(old, value=items, array=old.array or "a"))  # type: ignore[arg-type]

    def unset(self, name: str) -> None:
        found = self.find(name)
        if found and found.readonly:
            raise ReadOnly(name)
        self.special.pop(name, None)
        for scope in reversed(self.scopes):
            if name in scope:
                del scope[name]
                return

    def export(self, name: str) -> None:
        self.put(name, replace(self.find(name) or Variable(), exported=True))

    def visible(self) -> dict[str, Variable]:
        merged: dict[str, Variable] = {}
        for scope in self.scopes:
            merged.update(scope)
        return merged

    def environment(self) -> dict[str, str]:
        return {
            name: variable.text
            for name, variable in self.visible().items()
            if variable.exported and variable.text is not None
        }

    def names(self, prefix: str = "") -> Iterator[str]:
        return iter(sorted(name for name in self.visible() if name.startswith(prefix)))


def bucket(name: str) -> int:
    """Where bash's table of variables has a name (FNV-1 of 32 bits, 1024 chains): the order its children get them in."""
    value = 2166136261
    for byte in name.encode("utf-8", "surrogateescape"):
        value = (value * 16777619 & 0xFFFFFFFF) ^ byte
    return value & 1023


def plain_bucket(name: str) -> int:
    """The same of dash: 39 chains by the sum of the bytes, the first of them 16 times once more."""
    data = name.encode("utf-8", "surrogateescape")
    return ((data[0] << 4) + sum(data)) % 39 if data else 0


def attributes(variable: Variable) -> str:
    """The letters of `declare`."""
    return (
        variable.array
        + ("i" if variable.integer else "")
        + ("n" if variable.reference else "")
        + ("r" if variable.readonly else "")
        + ("x" if variable.exported else "")
        + variable.case
    )

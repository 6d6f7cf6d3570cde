"""What the expander and the arithmetic ask a shell for: parameters by name, items by number, its flags."""

from __future__ import annotations

from typing import Any

from .arithmetic import evaluate
from .parameter_values import ExpansionFailure

LETTERS = {"a": "allexport", "b": "notify", "e": "errexit", "f": "noglob", "h": "hashall", "k": "keyword", "m": "monitor"}
LETTERS |= {"n": "noexec", "p": "privileged", "t": "onecmd", "u": "nounset", "v": "verbose", "x": "xtrace", "B": "braceexpand"}
LETTERS |= {"C": "noclobber", "E": "errtrace", "H": "histexpand", "P": "physical", "T": "functrace"}


class Lookup:
    def lookup(self: Any, name: str) -> str | None:
        if name.isdigit():
            number = int(name)
            if number == 0:
                return self.name
            return self.positional[number - 1] if number <= len(self.positional) else None
        if len(name) == 1 and not name.isalpha() and name != "_":
            if name == "?":
                return str(self.status)
            if name == "$":
                return str(self.pid)
            if name == "#":
                return str(len(self.positional))
            if name == "!":
                return str(self.background_pid) if self.background_pid is not None else None
            if name == "-":
                return self.flags()
            if name in "@*":
                return " ".join(self.positional) if self.positional else None
        return self.vars.get(name)

    def flags(self: Any) -> str:
        letters = "".join(letter for letter, option in sorted(LETTERS.items(), key=lambda pair: pair[0]) if option in self.options)
        small = "".join(letter for letter in letters if letter.islower())
        return "".join(sorted(small + ("i" if self.interactive else ""))) + "".join(letter for letter in letters if letter.isupper()) + self.vars_flag()

    def vars_flag(self: Any) -> str:
        return "c" if self.label == "-c" else "s" if self.label == "-s" or self.interactive else ""

    def number_text(self: Any, name: str, index: str | None) -> str:
        if index is not None:
            found = self.vars.find(name)
            key: Any = index if found is not None and found.array == "A" else self.index_number(name, index)
            return self.expander.item(name, key) or ""
        value = self.lookup(name)
        if value is None and self.option("nounset"):
            raise ExpansionFailure(f"{name}: unbound variable", 127)
        return value or ""

    def index_number(self: Any, name: str, index: str) -> int:
        number = evaluate(index, self)
        if number < 0:
            number += max((int(key) for key in self.expander.keys(name)), default=-1) + 1
        if number < 0:
            raise ExpansionFailure(f"{name}: bad array subscript")
        return number

    def set_number(self: Any, name: str, index: str | None, value: int) -> None:
        if index is None:
            self.vars.set(name, str(value))
            return
        found = self.vars.find(name)
        key: Any = index if found is not None and found.array == "A" else self.index_number(name, index)
        self.vars.set_item(name, key, str(value))

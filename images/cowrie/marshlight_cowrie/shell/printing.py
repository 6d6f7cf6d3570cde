"""Functions as text, for `type` and `declare -f`: as they were written, laid out a little."""

from __future__ import annotations

from .nodes import Function


def function_text(function: Function) -> str:
    source = function.source.strip()
    if source.startswith("{") and source.endswith("}"):
        inner = source[1:-1].strip().rstrip(";").rstrip()
        lines = [line.strip() for line in inner.replace("; ", ";\n").split("\n")]
        return f"{function.name} () \n{{ \n" + "\n".join("    " + line for line in lines) + "\n}\n"
    return f"{function.name} () \n{source}\n"

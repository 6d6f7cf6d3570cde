"""How the real interpreter words what went wrong: the trace, with the marks of 3.11 under what failed."""

from __future__ import annotations

import ast
import traceback

from .things import Raised


def trace(raised: Raised, file: str, lines: list[str] | None) -> str:
    shown = ["Traceback (most recent call last):\n"]
    for line, where, node in reversed(raised.frames):
        shown.append(f'  File "{file}", line {line}, in {where}\n')
        if lines is not None and 0 < line <= len(lines):
            text = lines[line - 1]
            shown.append(f"    {text.strip()}\n")
            marks = marked(text, node)
            shown.append(f"    {marks}\n" if marks else "")
    return "".join(shown) + last_line(raised.error)


def last_line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error)).replace(f"{type(error).__module__}.", "", 1) if hidden(error) else "".join(traceback.format_exception_only(type(error), error))


def hidden(error: BaseException) -> bool:
    """An error that belongs to a module of ours would say so."""
    return type(error).__module__.startswith("marshlight")


def refused(error: SyntaxError) -> str:
    return "".join(traceback.format_exception_only(type(error), error))


def marked(text: str, node: ast.AST | None) -> str:
    """Marks under the part of its line; none where it is all of it, or goes over several."""
    if node is None or getattr(node, "end_lineno", None) != getattr(node, "lineno", 0):
        return ""
    start, end = len(text.encode()[: node.col_offset].decode("utf-8", "ignore")), len(text.encode()[: node.end_col_offset].decode("utf-8", "ignore"))  # type: ignore[attr-defined]
    lead = len(text) - len(text.lstrip())
    if end - start >= len(text.strip()):
        return ""
    marks = ["^"] * (end - start)
    if isinstance(node, ast.BinOp):
        at = node.left.end_col_offset or 0
        while at < end and text[at] in " \t)":
            at += 1
        wide = 2 if text[at : at + 2] in ("**", "//", "<<", ">>") else 1
        marks = ["~"] * (end - start)
        marks[at - start : at - start + wide] = "^" * wide
    elif isinstance(node, ast.Subscript):
        at = (node.value.end_col_offset or 0) - start
        marks = ["~"] * at + ["^"] * (end - start - at)
    return " " * (start - lead) + "".join(marks)



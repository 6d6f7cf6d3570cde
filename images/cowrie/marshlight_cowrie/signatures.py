"""What we wrap in Cowrie and Twisted must be what we read there: an upgrade that moves it stops the start, loudly."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


class Moved(Exception):
    """Something of Cowrie's or Twisted's that we wrap is not as it was."""


def expect(function: Callable[..., Any], parameters: str) -> None:
    """`parameters`: names with stars, as in `(self, data, *args)`."""
    found = "(" + ", ".join(shown(parameter) for parameter in inspect.signature(function).parameters.values()) + ")"
    if found != parameters:
        name = f"{function.__module__}.{function.__qualname__}"
        raise Moved(f"{name} takes {found}, not {parameters}: read the new version and adapt marshlight_cowrie")


def expect_attribute(owner: Any, *names: str) -> None:
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise Moved(f"{owner!r} has no {', '.join(missing)}: read the new version and adapt marshlight_cowrie")


def shown(parameter: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    return f"{stars}{parameter.name}"

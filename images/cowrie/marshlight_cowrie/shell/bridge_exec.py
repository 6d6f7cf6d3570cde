"""Whether a shell that is given its text is a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cursor import SyntaxFailure
from .nodes import Simple

if TYPE_CHECKING:
    from .interpreter import Shell


def only_a_command(shell: Shell, text: str) -> bool:
    """A shell that is given one plain command becomes it, with exec(2), and is no process of its own then."""
    # A text for its input would be asked for twice.
    if "<<" in text:
        return False
    try:
        parser = shell.parser(text)
        found, more = parser.next_line(), parser.next_line()
    except SyntaxFailure:
        return False
    return more is None and found is not None and len(found) == 1 and isinstance(found[0], Simple)

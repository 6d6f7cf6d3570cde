"""Which command of a text takes the place of the shell that is given it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .nodes import AndOr, Node, Simple

if TYPE_CHECKING:
    from .dialect import Dialect


def last_command(dialect: Dialect, found: list[Node]) -> Simple | None:
    """
    Of the last line of a text: the plain command that ends it, which a shell becomes with exec(2) and is no process of
    its own then. bash keeps to those without redirections.
    """
    node = found[-1] if found else None
    while isinstance(node, AndOr):
        node = node.rest[-1][1] if node.rest else node.first
    if not isinstance(node, Simple) or dialect.bash and node.redirections:
        return None
    return node

"""
Debian's alternatives where packages are away: `awk` is gawk's while gawk is there, else mawk's.

    /usr/bin/awk -> /etc/alternatives/awk -> the choice of the highest priority that stands
    /var/lib/dpkg/alternatives/awk: links and choices, as update-alternatives(1) keeps them
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

RECORDS = "/var/lib/dpkg/alternatives"
LINKS = "/etc/alternatives"


@dataclass
class Alternative:
    """`links`: name and path of the link, the main one first; a choice has a target for each."""

    mode: str
    links: list[tuple[str, str]]
    choices: list[tuple[int, list[str]]]

    def among(self, stands: Callable[[str], bool]) -> Alternative:
        return Alternative(self.mode, self.links, [choice for choice in self.choices if stands(choice[1][0])])

    def targets(self) -> dict[str, str]:
        """Path of each link -> where it leads, of the best choice."""
        if not self.choices:
            return {}
        _, best = max(self.choices, key=lambda choice: choice[0])
        found = {}
        for (name, path), target in zip(self.links, best, strict=True):
            if target:
                found |= {path: f"{LINKS}/{name}", f"{LINKS}/{name}": target}
        return found

    def text(self) -> str:
        (_, path), *others = self.links
        rows = [self.mode, path, *(cell for link in others for cell in link), ""]
        for priority, targets in self.choices:
            rows += [targets[0], str(priority), *targets[1:]]
        return "\n".join([*rows, "", ""])


def read(name: str, text: str) -> Alternative:
    head, _, tail = text.partition("\n\n")
    mode, path, *cells = head.split("\n")
    links = [(name, path), *zip(cells[::2], cells[1::2], strict=True)]
    rows = tail.rstrip("\n").split("\n")
    # An empty target of a slave is an empty line, which the end of the last choice may have lost.
    width = len(links) + 1
    rows += [""] * (-len(rows) % width)
    choices = [(int(rows[at + 1]), [rows[at], *rows[at + 2 : at + width]]) for at in range(0, len(rows), width)]
    return Alternative(mode, links, choices)

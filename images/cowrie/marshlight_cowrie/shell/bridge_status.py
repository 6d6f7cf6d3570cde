"""What Cowrie's downloaders leave out: the version, silence, and why they failed as an exit status (wget(1), "Exit status")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ports import Process

#: Why it failed, as the program says it on standard error -> its exit status, which Cowrie gives as 1 or 0.
REASONS: dict[str, tuple[tuple[bytes, int], ...]] = {
    "wget": (
        (b"invalid option|unrecognized option", 2),
        (b"unable to resolve host|failed: |Unable to establish", 4),
        (b"ERROR [45]\\d\\d", 8),
    ),
}
DEFAULTS = {"wget": "1.21.3", "curl": "7.88.1"}


def version(process: Process, name: str) -> str | None:
    """The first line of `--version`, as the persona's package numbers it; None where none was asked for."""
    if name not in DEFAULTS or not any(word in ("--version", "-V") for word in process.args[1:]):
        return None
    persona = process.host.persona
    package = next((package.version for package in persona.packages if package.name == name), DEFAULTS[name])
    number = re.split(r"[-+]", package.partition(":")[2] or package)[0]
    if name == "wget":
        return f"GNU Wget {number} built on linux-gnu.\n"
    return f"curl {number} ({persona.os.kernel.machine}-pc-linux-gnu) libcurl/{number}\n"


def silent(process: Process, name: str) -> bool:
    """wget says nothing at all with -q; curl's -s keeps Cowrie's own counsel."""
    return name == "wget" and any(word in ("-q", "--quiet") or re.fullmatch(r"-[a-zA-Z]*q[a-zA-Z]*", word) for word in process.args[1:])


def status_of(name: str, given: int, said: bytes) -> int:
    if given != 1 and not (given == 0 and name == "wget" and b"ERROR " in said):
        return given
    return next((status for pattern, status in REASONS.get(name, ()) if re.search(pattern, said)), given)

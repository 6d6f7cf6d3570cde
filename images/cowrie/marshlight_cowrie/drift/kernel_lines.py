"""
What the kernel says of a disk from which a file could not be read, in the words of its release: the SCSI layer's report
of the command, then the block layer's. Pure but for `tell`. A disk that is full, or a file's data that is lost, is no
error of the file system: EXT4 says nothing of either. Devices with flash have no such disk, and say nothing here.

    release                     the block layer's line begins      and ends
    to 4.x                      blk_update_request: ...            with the sector
    4.18 of el8, 5.3 to 5.15    blk_update_request: ...            op, flags, phys_seg, prio class 0
    5.14 of el9, from 5.16      critical medium error ...          op, flags, phys_seg, prio class 2 (before 6.0: 0)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..machine.kind import small
from .draws import fraction

if TYPE_CHECKING:
    from ..decoy import Decoy
    from ..persona import Persona

#: Where files lie: in the first half of the disk that /proc/partitions tells of.
SECTORS = 62_914_560
#: As printk_ratelimit has it: so many of a kind within seconds; and what is kept of an attacker's other lines.
BURST, BURST_SECONDS, MOST_KEPT = 10, 5.0, 160
#: Whose disk is another machine's file: what that says is that it was given up.
VIRTUAL = re.compile(r"(?i)qemu|kvm|vmware|virtual|xen|bochs")


def failed_read(persona: Persona, path: str, at: float) -> list[str]:
    """Of one block that could not be read, `at` which time; as they stand in the log, with the time since boot."""
    if small(persona):
        return []
    release = persona.os.kernel.release
    version = tuple(int(number) for number in re.findall(r"\d+", release)[:2])
    el8, el9 = ".el8" in release, ".el9" in release
    sector = 8 * int(fraction(persona.seed, "sector", path) * SECTORS / 8)
    tag = f"sd 0:0:0:0: [sda] tag#{int(32 * fraction(persona.seed, 'tag', path, at))}"
    age = f" cmd_age={1 + int(4 * fraction(persona.seed, 'age', path, at))}s" if version >= (5, 5) or el8 else ""
    driver = "DRIVER_OK" if version >= (5, 14) else "DRIVER_SENSE"
    virtual = VIRTUAL.search(persona.hardware.vendor) is not None
    key, sense, error = (
        ("Aborted Command", "I/O process terminated", "I/O") if virtual else ("Medium Error", "Unrecovered read error", "critical medium")
    )
    told = f"{error} error, dev sda, sector {sector}"
    if version >= (5, 3) or el8:
        told += f" op 0x0:(READ) flags 0x80700 phys_seg 1 prio class {2 if version >= (6, 0) or el9 else 0}"
    if version < (5, 16) and not el9:
        told = f"blk_update_request: {told}"
    place = " ".join(f"{byte:02x}" for byte in sector.to_bytes(4, "big"))
    lines = (
        f"{tag} FAILED Result: hostbyte=DID_OK driverbyte={driver}{age}",
        f"{tag} Sense Key : {key} [current] ",
        f"{tag} Add. Sense: {sense}",
        f"{tag} CDB: Read(10) 28 00 {place} 00 00 08 00",
        told,
    )
    up = at - persona.booted_at
    return [f"[{up + number * 4e-6:12.6f}] {line}" for number, line in enumerate(lines)]


def tell(decoy: Decoy, key: str, path: str) -> None:
    """Into the logs and the ring of messages of the attacker with this key; no more than a kernel would."""
    now = decoy.visits.now()
    lines = decoy.trees.doings(key).lines
    said = [line for line in lines if line.facility == "kern"]
    made = failed_read(decoy.persona, path, now)
    if sum(line.at > now - BURST_SECONDS for line in said) >= BURST * len(made):
        return
    if len(said) + len(made) > MOST_KEPT:
        for line in said[: len(made)]:
            lines.remove(line)
    for text in made:
        decoy.visits.say(key, "kern", "kernel", text)

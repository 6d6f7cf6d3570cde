"""What one decoy may use: connections, bytes, files. The container's own limits stand behind these."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marshlight_common import limits as common
from marshlight_common.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Limits(common.Limits):
    file_bytes: int = 10 * MIB
    tty_bytes: int = 1 * MIB
    kept_files: int = 256
    kept_bytes: int = 64 * MIB


def read_limits(environment: Mapping[str, str]) -> Limits:
    return common.read_limits(Limits, environment)


class Doorkeeper(common.Doorkeeper):
    def guard(self, factory: Any) -> None:
        """A refused connection is closed at once, as a server past its MaxStartups does."""
        build: Callable[[Any], Any] = factory.buildProtocol

        def build_protocol(address: Any) -> Any:
            source = address.host
            if not self.admits(source):
                self.refused += 1
                return None
            protocol = build(address)
            if protocol is not None:
                self.enter(source)
                self.watch(protocol, source)
            return protocol

        factory.buildProtocol = build_protocol

    def watch(self, protocol: Any, source: str) -> None:
        lost = protocol.connectionLost

        def connection_lost(*reason: Any) -> Any:
            self.leave(source)
            return lost(*reason)

        protocol.connectionLost = connection_lost


def cap_files(limits: Limits) -> None:
    """Whatever path an upload takes, the kernel ends it: a write past this fails with EFBIG."""
    largest = max(limits.file_bytes, 16 * MIB)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


def trim(folder: Path, limits: Limits) -> None:
    """Drops the oldest finished files past the caps; the agent has fetched those long before."""
    finished = []
    for entry in os.scandir(folder):
        if is_digest(entry.name):
            found = entry.stat(follow_symlinks=False)
            finished.append((found.st_mtime_ns, found.st_size, entry.path))
    finished.sort()
    kept, size = len(finished), sum(entry[1] for entry in finished)
    for _, bytes_, path in finished:
        if kept <= limits.kept_files and size <= limits.kept_bytes:
            return
        os.unlink(path)
        kept, size = kept - 1, size - bytes_


def remove_unfinished(folder: Path) -> None:
    """What a killed process left behind has no name of a digest, and nobody will finish it."""
    for entry in os.scandir(folder):
        if not is_digest(entry.name) and entry.is_file(follow_symlinks=False):
            os.unlink(entry.path)


def is_digest(name: str) -> bool:
    return len(name) == 64 and all(letter in "0123456789abcdef" for letter in name)

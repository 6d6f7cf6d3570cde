"""What one decoy may use: connections, bytes, files. The container's own limits stand behind these."""

from __future__ import annotations

import os
import resource
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    connections: int = 128
    connections_per_source: int = 32
    file_bytes: int = 10 * MIB
    tty_bytes: int = 1 * MIB
    kept_files: int = 256
    kept_bytes: int = 64 * MIB
    event_bytes: int = 128 * MIB


def read_limits(environment: dict[str, str]) -> Limits:
    """MARSHLIGHT_MAX_<NAME>, whole numbers."""
    given = {}
    for name in Limits.__dataclass_fields__:
        text = environment.get(f"MARSHLIGHT_MAX_{name.upper()}")
        if text is not None:
            given[name] = max(1, int(text))
    return Limits(**given)


class Doorkeeper:
    """Counts open connections, in total and per source."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.total = 0
        self.by_source: Counter[str] = Counter()
        self.refused = 0

    def admits(self, source: str) -> bool:
        full = self.total >= self.limits.connections
        return not full and self.by_source[source] < self.limits.connections_per_source

    def enter(self, source: str) -> None:
        self.total += 1
        self.by_source[source] += 1

    def leave(self, source: str) -> None:
        self.total -= 1
        self.by_source[source] -= 1
        if self.by_source[source] <= 0:
            del self.by_source[source]

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

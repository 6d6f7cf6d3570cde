"""
Room on the disk that is held back, so that one that others filled still takes what is worth most.

    held --give_up--> the next lines have room        not held --take, once there is room--> held
"""

from __future__ import annotations

import os
from pathlib import Path


class Reserve:
    def __init__(self, path: Path, size: int = 256 << 10) -> None:
        self.path, self.size = path, size
        self.held = False

    def take(self) -> bool:
        """Whether it is held; tries to where it is not."""
        if self.held:
            return True
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            # Blocks, not a hole: what is promised must be there.
            os.posix_fallocate(file, 0, self.size)
        except OSError:
            self.remove()
            return False
        finally:
            os.close(file)
        self.held = True
        return True

    def give_up(self) -> bool:
        """Whether there is room now that was not there before."""
        if not self.held:
            return False
        self.held = False
        return self.remove()

    def remove(self) -> bool:
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            return False
        return True

"""`python -m marshlight_cowrie`: the decoy, in the foreground, until SIGTERM."""

from __future__ import annotations

import gc
import os
import sys

from . import diagnostics, places
from .decoy import Decoy
from .limits import read_limits
from .persona import Refused

# EX_CONFIG of sysexits.h: the agent's files are wrong, and starting again will not help.
UNUSABLE = 78


def main() -> int:
    # Everything made until the first connection stays for good: collecting in between only makes the start slower.
    gc.disable()
    os.umask(0o022)
    try:
        places.make_folders()
        decoy = Decoy()
    except Refused as refused:
        diagnostics.say("error", f"control files refused: {refused}")
        return UNUSABLE
    from .service import run

    run(decoy, read_limits(dict(os.environ)))
    return 0


sys.exit(main())

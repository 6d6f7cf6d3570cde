"""`python -m marshlight_cowrie`: the decoy, in the foreground, until SIGTERM."""

from __future__ import annotations

import gc
import os
import sys

from . import sharing

# Before any further import: those are what is to lie at the same place in every decoy.
sharing.start_again()
sharing.allow_merging()

from . import diagnostics, places  # noqa: E402
from .decoy import Decoy  # noqa: E402
from .limits import read_limits  # noqa: E402
from .persona import Refused  # noqa: E402

# EX_CONFIG of sysexits.h: the agent's files are wrong, and starting again will not help.
UNUSABLE = 78


def main() -> int:
    # Everything made until the first connection stays for good: collecting in between only makes the start slower.
    gc.disable()
    os.umask(0o022)
    limits = read_limits(dict(os.environ))
    from . import preload
    from .service import run

    preload.load(limits)
    try:
        places.make_folders()
        decoy = Decoy()
    except Refused as refused:
        diagnostics.say("error", f"control files refused: {refused}")
        return UNUSABLE
    run(decoy, limits)
    return 0


sys.exit(main())

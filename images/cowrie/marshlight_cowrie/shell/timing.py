"""What `time` and `times` say."""

from __future__ import annotations

from typing import Any


def minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}m{seconds % 60:.3f}s"


def report(shell: Any, style: str, began: float) -> str:
    real = max(0.001, shell.system.host.now() - began)
    # Most of a short command is the start of its process.
    user, kernel = min(real * 0.4, 0.002 + real * 0.02), min(real * 0.3, 0.001 + real * 0.01)
    if style == "-p" or not shell.dialect.bash:
        return f"real {real:.2f}\nuser {user:.2f}\nsys {kernel:.2f}\n"
    return f"\nreal\t{minutes(real)}\nuser\t{minutes(user)}\nsys\t{minutes(kernel)}\n"

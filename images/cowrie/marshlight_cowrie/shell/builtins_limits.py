"""What a process may: umask, ulimit; and what it used: times."""

from __future__ import annotations

import re
from typing import Any

from .builtins import builtin, out


@builtin("umask")
async def umask(shell: Any, words: list[str]) -> int:
    operands = [word for word in words[1:] if word not in ("-S", "-p", "--")]
    if not operands:
        if "-S" in words:
            shown = [
                who + "=" + "".join(letter for letter, bit in zip("rwx", (4, 2, 1)) if not (shell.umask >> shift) & bit)
                for who, shift in (("u", 6), ("g", 3), ("o", 0))
            ]
            out(shell, ",".join(shown) + "\n")
        else:
            out(shell, f"{'umask ' if '-p' in words else ''}{shell.umask:04o}\n")
        return 0
    if re.fullmatch(r"[0-7]{1,4}", operands[0]):
        shell.umask = int(operands[0], 8) & 0o777
        return 0
    if operands[0][:1].isdigit():
        shell.complain(f"umask: {operands[0]}: octal number out of range" if shell.dialect.bash else f"umask: Illegal number: {operands[0]}")
        return 1
    allowed = ~shell.umask & 0o777
    for clause in operands[0].split(","):
        found = re.fullmatch(r"([ugoa]*)([-+=])([rwx]*)", clause)
        if not found:
            shell.complain(f"umask: `{clause[:1]}': invalid symbolic mode operator" if shell.dialect.bash else f"umask: Illegal mode: {operands[0]}")
            return 1
        who, operator, letters = found.groups()
        bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in set(letters))
        for shift in [{"u": 6, "g": 3, "o": 0}[one] for one in (who.replace("a", "ugo") or "ugo")]:
            field = bits << shift
            allowed = allowed | field if operator == "+" else allowed & ~field if operator == "-" else allowed & ~(7 << shift) | field
    shell.umask = ~allowed & 0o777
    return 0


LIMITS = (
    ("R", "real-time non-blocking time", "microseconds", "unlimited"),
    ("c", "core file size", "blocks", "0"),
    ("d", "data seg size", "kbytes", "unlimited"),
    ("e", "scheduling priority", "", "0"),
    ("f", "file size", "blocks", "unlimited"),
    ("i", "pending signals", "", ""),
    ("l", "max locked memory", "kbytes", ""),
    ("m", "max memory size", "kbytes", "unlimited"),
    ("n", "open files", "", "1024"),
    ("p", "pipe size", "512 bytes", "8"),
    ("q", "POSIX message queues", "bytes", "819200"),
    ("r", "real-time priority", "", "0"),
    ("s", "stack size", "kbytes", "8192"),
    ("t", "cpu time", "seconds", "unlimited"),
    ("u", "max user processes", "", ""),
    ("v", "virtual memory", "kbytes", "unlimited"),
    ("x", "file locks", "", "unlimited"),
)


@builtin("ulimit")
async def ulimit(shell: Any, words: list[str]) -> int:
    memory = shell.system.host.persona.hardware.memory_kb
    # As the kernel sets them from the memory it has.
    threads, locked = str(memory // 256 - memory // 256 % 7), str(max(64, memory // 8))
    given = {"i": threads, "u": threads, "l": locked}
    flags = "".join(word[1:] for word in words[1:] if re.fullmatch(r"-[A-Za-z]+", word))
    operands = [word for word in words[1:] if not re.fullmatch(r"-[A-Za-z]+", word)]
    letters = [letter for letter in flags if letter not in "SHa"] or ["f"]
    table = {letter: (name, unit, shell.limits.get(letter) or given.get(letter, value)) for letter, name, unit, value in LIMITS}
    if "a" in flags:
        for letter, (name, unit, value) in table.items():
            unit = f"({unit}, -{letter})" if unit else f"(-{letter})"
            out(shell, f"{name:<20}{unit:>20} {value}\n")
        return 0
    for letter in letters:
        if letter not in table:
            shell.complain(f"ulimit: -{letter}: invalid option")
            shell.say_error("ulimit: usage: ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]\n")
            return 2
        if not operands:
            out(shell, table[letter][2] + "\n")
            continue
        value = operands[0]
        if value in ("unlimited", "hard", "soft"):
            hard = {"n": "1048576", "c": "unlimited"}.get(letter, table[letter][2])
            value = hard if value == "hard" else value
        elif not value.isdigit():
            shell.complain(f"ulimit: {value}: invalid number")
            return 1
        if letter == "n" and (value == "unlimited" or int(value) > 1048576) or letter == "n" and shell.account.uid and int(value) > 1048576:
            shell.complain("ulimit: open files: cannot modify limit: Operation not permitted")
            return 1
        shell.limits[letter] = value
    return 0


@builtin("times")
async def times(shell: Any, words: list[str]) -> int:
    used = shell.system.scheduler.used
    line = f"0m{used * 0.3:.3f}s 0m{used * 0.1:.3f}s\n" if shell.dialect.bash else f"0m{used * 0.3:.6f}s 0m{used * 0.1:.6f}s\n"
    out(shell, line * 2)
    return 0

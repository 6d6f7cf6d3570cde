"""Who may do what: chmod chown chgrp."""

from __future__ import annotations

import re
import stat as modes
from typing import TYPE_CHECKING

from .names import group, group_name, user, user_name
from .options import Options, Usage, complain, parse, refuse
from .wording import quoted, strerror

if TYPE_CHECKING:
    from ..ports import Process

CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)\Z")


class BadMode(ValueError):
    pass


def changed_mode(text: str, mode: int, folder: bool, umask: int) -> int:
    """`text` as for chmod: octal, or clauses as `u+x,go=`. Gives permission bits."""
    if re.fullmatch(r"[0-7]{1,5}", text):
        value = int(text, 8)
        if value > 0o7777:
            raise BadMode(text)
        # A folder keeps its set-id bits unless five digits say otherwise.
        return value | (mode & 0o6000 if folder and len(text) < 5 else 0)
    for clause in text.split(","):
        found = CLAUSE.match(clause)
        if not found:
            raise BadMode(text)
        who = found[1]
        for operator, letters in re.findall(r"([-+=])([rwxXst]*|[ugo])", found[2]):
            mode = applied(mode, who, operator, letters, folder, umask)
    return mode


def applied(mode: int, who: str, operator: str, letters: str, folder: bool, umask: int) -> int:
    shifts = [shift for name, shift in (("u", 6), ("g", 3), ("o", 0)) if not who or name in who or "a" in who]
    if letters in ("u", "g", "o"):
        bits = mode >> {"u": 6, "g": 3, "o": 0}[letters] & 7
    else:
        bits = sum(value for name, value in (("r", 4), ("w", 2), ("x", 1)) if name in letters)
        if "X" in letters and (folder or mode & 0o111):
            bits |= 1
    mask = sum(bits << shift for shift in shifts)
    cleared = sum(7 << shift for shift in shifts)
    if not who:
        mask &= ~umask
    if "s" in letters:
        mask |= (0o4000 if 6 in shifts else 0) | (0o2000 if 3 in shifts else 0)
    if "t" in letters and (not who or "o" in who or "a" in who):
        mask |= 0o1000
    if operator == "+":
        return mode | mask
    if operator == "-":
        return mode & ~mask
    return mode & ~cleared | mask


async def chmod(p: Process) -> int:
    args, flags = [], "cfvR"
    minus: str | None = None
    for word in p.args[1:]:
        # `chmod -x file`: a mode that looks like an option.
        if minus is None and re.fullmatch(r"-[rwxXst]+(,.*)?", word) and not args:
            minus = word
        else:
            args.append(word)
    options = parse(
        p, flags, "changes:c silent:f quiet:f verbose:v recursive:R reference= preserve-root no-preserve-root help version", args=args
    )
    operands = list(options.operands)
    reference = options.value("reference")
    if minus is None and reference is None:
        if not operands:
            raise refuse(p, "missing operand")
        minus = operands.pop(0)
        if not operands:
            raise refuse(p, f"missing operand after {quoted(minus)}".replace("'", "‘", 1).replace("'", "’"))
    elif not operands:
        raise refuse(p, "missing operand")
    try:
        if reference is not None:
            minus = f"{p.fs.stat(p.path(reference)).mode & 0o7777:o}"
        changed_mode(minus or "", 0, False, 0)
    except BadMode:
        raise refuse(p, f"invalid mode: ‘{minus}’") from None
    status = 0
    for name in operands:
        status |= chmod_one(p, name, minus or "", options, True)
    return status


def chmod_one(p: Process, name: str, text: str, options: Options, top: bool) -> int:
    path = p.path(name)
    try:
        try:
            stat = p.fs.stat(path, follow=top)
        except FileNotFoundError:
            if p.fs.stat(path, follow=False):
                complain(p, f"cannot operate on dangling symlink {quoted(name)}")
                return 1
            raise
    except OSError as error:
        if "f" not in options:
            complain(p, f"cannot access {quoted(name)}: {strerror(error)}")
        return 1
    if modes.S_ISLNK(stat.mode):
        return 0
    folder = modes.S_ISDIR(stat.mode)
    old, new = stat.mode & 0o7777, changed_mode(text, stat.mode & 0o7777, folder, p.umask)
    try:
        p.fs.chmod(path, new)
    except OSError as error:
        if "f" not in options:
            complain(p, f"changing permissions of {quoted(name)}: {strerror(error)}")
        return 1
    if "v" in options or "c" in options and old != new:
        change = f"changed from {octal(old)} to {octal(new)}" if old != new else f"retained as {octal(new)}"
        p.out(f"mode of {quoted(name)} {change}\n")
    status = 0
    if folder and "R" in options:
        for child in p.fs.listdir(path):
            status |= chmod_one(p, f"{name.rstrip('/')}/{child}", text, options, False)
    return status


def octal(mode: int) -> str:
    return f"{mode:04o} ({modes.filemode(mode)[1:]})"


async def chown(p: Process) -> int:
    only_group = p.args[0].rsplit("/", 1)[-1] == "chgrp"
    options = parse(
        p,
        "cfhHLPRv",
        "changes:c silent:f quiet:f dereference no-dereference:h recursive:R verbose:v from= reference= preserve-root no-preserve-root",
    )
    operands = list(options.operands)
    if "reference" in options:
        stat = p.fs.stat(p.path(options.text("reference")))
        uid, gid = stat.uid, stat.gid
    else:
        if not operands:
            raise refuse(p, "missing operand")
        text = operands.pop(0)
        if not operands:
            raise refuse(p, f"missing operand after ‘{text}’")
        uid, gid = owners(p, text, only_group)
    if not operands:
        raise refuse(p, "missing operand")
    status = 0
    for name in operands:
        status |= chown_one(p, name, uid, gid, options, only_group)
    return status


def owners(p: Process, text: str, only_group: bool) -> tuple[int, int]:
    name, colon, group_text = ("", ":", text) if only_group else text.partition(":")
    if not colon and "." in text and user(p.fs, text) is None:
        name, colon, group_text = text.partition(".")
    uid = gid = -1
    if name:
        account = user(p.fs, name)
        if account is None and not name.isdigit():
            raise Usage(f"{p.args[0]}: invalid user: ‘{text}’\n")
        uid = account.uid if account else int(name)
        if colon and not group_text and account:
            gid = account.gid
    if group_text:
        found = group(p.fs, group_text)
        if found is None and not group_text.isdigit():
            raise Usage(f"{p.args[0]}: invalid group: ‘{text}’\n")
        gid = found.gid if found else int(group_text)
    return uid, gid


def chown_one(p: Process, name: str, uid: int, gid: int, options: Options, only_group: bool) -> int:
    path = p.path(name)
    try:
        stat = p.fs.stat(path, follow="h" not in options)
    except OSError as error:
        if "f" not in options:
            complain(p, f"cannot {'access' if 'h' in options or True else 'dereference'} {quoted(name)}: {strerror(error)}")
        return 1
    try:
        p.fs.chown(path, uid if uid >= 0 else stat.uid, gid if gid >= 0 else stat.gid)
    except OSError as error:
        if "f" not in options:
            complain(p, f"changing {'group' if only_group else 'ownership'} of {quoted(name)}: {strerror(error)}")
        return 1
    if "v" in options or "c" in options:
        old, new = user_name(p.fs, stat.uid), user_name(p.fs, uid if uid >= 0 else stat.uid)
        if gid >= 0:
            old, new = f"{old}:{group_name(p.fs, stat.gid)}", f"{new}:{group_name(p.fs, gid)}"
        p.out(f"changed ownership of {quoted(name)} from {old} to {new}\n" if old != new else f"ownership of {quoted(name)} retained as {new}\n")
    status = 0
    if modes.S_ISDIR(stat.mode) and "R" in options:
        for child in p.fs.listdir(path):
            status |= chown_one(p, f"{name.rstrip('/')}/{child}", uid, gid, options, only_group)
    return status


COMMANDS = {"chmod": chmod, "chown": chown, "chgrp": chown}

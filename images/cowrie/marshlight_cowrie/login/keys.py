"""Whether a public key opens an account of the tree, or why not in the words that sshd writes into its log."""

from __future__ import annotations

import posixpath
import stat as st
from datetime import datetime, timezone, tzinfo

from ..tree.accounts import Account
from ..tree.view import View
from . import authorized_keys
from .authorized_keys import Allowance, comes_from
from .sshd_config import Rules, is_named

LARGEST = 1 << 18


class Refusal(Exception):
    """Nobody gets in; the text is what the log says, empty where it says nothing."""


def allowance(root: View, account: Account, rules: Rules, blob: bytes, address: str, now: float, zone: tzinfo = timezone.utc) -> Allowance:
    """Raises Refusal. `root`: the tree as root sees it."""
    may_enter(root, account, rules, address)
    if not rules.public_key:
        raise Refusal("")
    if account.uid == 0 and rules.root_login == "no":
        raise Refusal("")
    why = ""
    for pattern in rules.key_files:
        path = posixpath.normpath(posixpath.join(account.home, expanded(pattern, account)))
        try:
            found = within(root, account, rules, path, blob)
        except Refusal as refused:
            why = why or str(refused)
            continue
        for allowed in found:
            if allowed.sources is not None and not comes_from(allowed.sources, address):
                why = f"Authentication tried for {account.name} with correct key but not from a permitted host (host={address}, ip={address}, required={allowed.sources})."
            elif allowed.expires is not None and moment(allowed.expires, zone) <= now:
                why = f"Public key file {path}: key expired at {allowed.expires}"
            elif account.uid == 0 and rules.root_login == "forced-commands-only" and allowed.command is None:
                why = ""
            else:
                return allowed
    raise Refusal(why)


def may_enter(root: View, account: Account, rules: Rules, address: str) -> None:
    """What sshd asks before any method: AllowUsers, DenyUsers, and a shell that can run."""
    if is_named(rules.deny_users, account.name, address):
        raise Refusal(f"User {account.name} from {address} not allowed because listed in DenyUsers")
    if rules.allow_users and not is_named(rules.allow_users, account.name, address):
        raise Refusal(f"User {account.name} from {address} not allowed because not listed in AllowUsers")
    try:
        shell = root.stat(account.shell)
    except OSError:
        raise Refusal(f"User {account.name} not allowed because shell {account.shell} does not exist") from None
    if not st.S_ISREG(shell.mode) or not shell.mode & 0o111:
        raise Refusal(f"User {account.name} not allowed because shell {account.shell} is not executable")


def within(root: View, account: Account, rules: Rules, path: str, blob: bytes) -> list[Allowance]:
    """What the lines of that file with this key allow."""
    try:
        text = root.as_account(account.uid, (account.gid, *account.groups)).read(path)[:LARGEST]
    except OSError:
        return []
    if rules.strict_modes:
        be_strict(root, account, path)
    return [allowed for key, allowed in authorized_keys.lines(text) if key == blob]


def be_strict(root: View, account: Account, path: str) -> None:
    """StrictModes: nobody but root and the account may be able to change the file, or a folder above it up to the home."""
    real, home = root.realpath(path), root.realpath(account.home)
    found = root.stat(real)
    if not st.S_ISREG(found.mode):
        raise Refusal(f"Authentication refused: {path} is not a regular file")
    if found.uid not in (0, account.uid) or found.mode & 0o022:
        raise Refusal(f"Authentication refused: bad ownership or modes for file {real}")
    folder = real
    while folder not in ("/", home):
        folder = posixpath.dirname(folder)
        above = root.stat(folder)
        if above.uid not in (0, account.uid) or above.mode & 0o022:
            raise Refusal(f"Authentication refused: bad ownership or modes for directory {folder}")


def expanded(pattern: str, account: Account) -> str:
    """%h, %u and %U of AuthorizedKeysFile."""
    for token, value in (("%h", account.home), ("%u", account.name), ("%U", str(account.uid)), ("%%", "%")):
        pattern = pattern.replace(token, value)
    return pattern


def moment(text: str, zone: tzinfo) -> float:
    digits = text.rstrip("Z")
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}[len(digits)]
    try:
        return datetime.strptime(digits, form).replace(tzinfo=timezone.utc if text.endswith("Z") else zone).timestamp()
    except ValueError:
        return 0.0

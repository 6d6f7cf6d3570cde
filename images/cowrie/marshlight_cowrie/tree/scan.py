"""
A real root file system -> the file of a base tree. Run when the image is built:

    python3 -m marshlight_cowrie.tree.scan ROOT bases/debian-12.json OUT

Read off the machine: every path, mode, owner, size, link, date, and the contents of texts. Derived: sizes of what the
root was made without (manual pages, translations: dpkg lists them, they are not there).
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import stat as st
import sys
from pathlib import Path
from typing import Any

from . import packages
from .pack import Entry, pack

#: Left by containers and the build; or what each host makes for itself.
SKIPPED = re.compile(
    r"/(proc|sys|dev|run)/.*|/\.dockerenv|/(scan|out)(/.*)?|/root/\.ssh(/.*)?|/tmp/.*|/var/tmp/.*|/var/cache/apt/.*|/etc/(hostname|hosts|mtab)"
    r"|/etc/(resolv\.conf|machine-id|fstab)|/etc/apt/apt\.conf\.d/(docker-.*|99.*)|/var/lib/apt/lists/.*|.*/__pycache__(/.*)?"
    r"|/etc/ssh/ssh_host_.*|/var/log/.*|/etc/(passwd|shadow|group|gshadow)-?|/var/lib/dpkg/[^/]*(-old|lock.*)"
    r"|/var/lib/(mysql|postgresql|redis)/.+|/etc/ssl/private/.+|/var/cache/(debconf|ldconfig)/.*"
)
LONGEST_TEXT = 64 << 10
WIDE = 384 << 10
WIDER = re.compile(r"/etc/|/var/lib/dpkg/(status|info)|/usr/(s?bin|lib/systemd)/")
#: Checksums would tell that programs are not what they were; nobody misses a file of them.
UNREAD = re.compile(r"/var/lib/dpkg/info/.*\.md5sums$|/usr/share/(perl|i18n|X11)/")


def scan(root: Path, description: dict[str, Any]) -> bytes:
    installed = packages.read(root)
    order = sorted(installed)
    extra = packages.only_for(installed, description["optional"], packages.asked_for(root, installed))
    owners = packages.owners(root, order)
    begun = newest_of_packages(root, owners)
    entries: dict[str, Entry] = {}
    for path in walked(root):
        entry = entry_of(root, path, begun)
        if path not in owners:
            owners.update(made_at_set_up(entry, owners, order, description["made"]))
        entry.package = number_of(path, owners, order, extra, entries)
        entries[path] = entry
    for path in owners:
        if path not in entries and not SKIPPED.fullmatch(path):
            add_missing(entries, owners, path, number_of(path, owners, order, extra, entries))
    about = {
        "name": "debian-12",
        "machine": os.uname().machine,
        "needs": {name: installed[name].needs for name in sorted(extra)},
        "essential": sorted(name for name in order if installed[name].essential),
    }
    return pack(entries.values(), [(name, name in extra) for name in order], about)


def made_at_set_up(
    entry: Entry, owners: dict[str, list[int]], order: list[str], made: dict[str, str]
) -> dict[str, list[int]]:
    """What dpkg knows nothing of: links to what a package holds, and what the description names."""
    if st.S_ISLNK(entry.mode):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), os.fsdecode(entry.data or b"")))
        target = re.sub(r"^/(bin|sbin|lib)(?=/)", r"/usr/\1", target)
        if target in owners:
            return {entry.path: owners[target]}
    name = next((name for pattern, name in made.items() if re.search(pattern, entry.path)), None)
    return {entry.path: [order.index(name)]} if name in order else {}


def walked(root: Path) -> list[str]:
    """Parents first; of one file system alone."""
    device = root.stat().st_dev
    found = ["/"]
    for folder in found:
        at = root / folder.lstrip("/")
        if at.is_symlink() or not at.is_dir() or (at.stat().st_dev != device and folder != "/"):
            continue
        names = sorted(posixpath.join(folder, name) for name in os.listdir(at))
        found += [name for name in names if not SKIPPED.fullmatch(name)]
    return found


def entry_of(root: Path, path: str, begun: float) -> Entry:
    at = root / path.lstrip("/")
    found = at.lstat()
    # What the installation made, and no package brought, gets the time of the pretended installation.
    mtime = 0 if found.st_mtime > begun else int(found.st_mtime)
    entry = Entry(path, found.st_mode, found.st_uid, found.st_gid, mtime, found.st_size, links=found.st_nlink)
    if st.S_ISLNK(found.st_mode):
        entry.data = os.fsencode(os.readlink(at))
    elif st.S_ISREG(found.st_mode):
        entry.data = text_of(at, path, found.st_size)
        # Hard links are entries of their own here.
        entry.links = 1
    elif st.S_ISDIR(found.st_mode):
        entry.size = max(4096, (found.st_size + 4095) // 4096 * 4096)
    return entry


def text_of(at: Path, path: str, size: int) -> bytes | None:
    if size > (WIDE if WIDER.match(path) else LONGEST_TEXT) or UNREAD.match(path):
        return None
    data = at.read_bytes()
    if b"\0" in data:
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return data


def newest_of_packages(root: Path, owners: dict[str, list[int]]) -> float:
    """Nothing in a package is younger than its build; the installation is the first thing that is."""
    times = sorted((root / path.lstrip("/")).lstat().st_mtime for path in owners if is_file(root, path))
    installation = (root / "var/lib/dpkg/status").stat().st_mtime
    return max((time for time in times if time < installation - 3600), default=installation)


def is_file(root: Path, path: str) -> bool:
    at = root / path.lstrip("/")
    return at.is_file() and not at.is_symlink()


def number_of(
    path: str, owners: dict[str, list[int]], order: list[str], extra: set[str], entries: dict[str, Entry]
) -> int:
    from .base import EVERYWHERE

    names = owners.get(path)
    if names:
        alone = len(names) == 1 or all(order[number] in extra for number in names)
        return names[0] if alone else EVERYWHERE
    above = entries.get(posixpath.dirname(path))
    return above.package if above and path != "/" else EVERYWHERE


def add_missing(entries: dict[str, Entry], owners: dict[str, list[int]], path: str, package: int) -> None:
    parent = posixpath.dirname(path)
    if parent not in entries:
        add_missing(entries, owners, parent, package)
    if path in entries:
        return
    if not st.S_ISDIR(entries[parent].mode):
        return
    drawn = int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big")
    is_page = path.endswith((".gz", ".mo")) or "." in posixpath.basename(path)[1:]
    if any(other in owners for other in (f"{path}/copyright", f"{path}/changelog.Debian.gz")) or not is_page:
        entries[path] = Entry(path, st.S_IFDIR | 0o755, mtime=0, size=4096, package=package)
    else:
        size = 600 + drawn % 5000 if path.endswith(".gz") else 2000 + drawn % 30_000
        entries[path] = Entry(path, st.S_IFREG | 0o644, mtime=0, size=size, data=None, package=package)


if __name__ == "__main__":
    root, description, out = sys.argv[1:4]
    Path(out).write_bytes(scan(Path(root), json.loads(Path(description).read_text())))

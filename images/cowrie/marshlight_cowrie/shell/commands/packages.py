"""Packages as dpkg tells them: dpkg and dpkg-query."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .options import Usage

if TYPE_CHECKING:
    from ..ports import Process

LEGEND = (
    "Desired=Unknown/Install/Remove/Purge/Hold\n"
    "| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n"
    "|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n"
)
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386"}


def installed(p: Process) -> list[Any]:
    found = getattr(p.host.persona, "packages", ())
    return sorted(found, key=lambda package: package.name) if found else from_status(p)


class Known:
    def __init__(self, fields: dict[str, str]) -> None:
        self.name, self.version = fields.get("Package", ""), fields.get("Version", "")
        self.arch, self.summary = fields.get("Architecture", "amd64"), fields.get("Description", "")


def stanzas(p: Process) -> list[dict[str, str]]:
    try:
        text = p.fs.read("/var/lib/dpkg/status").decode("utf-8", "replace")
    except OSError:
        return []
    return [dict(line.split(": ", 1) for line in part.splitlines() if ": " in line and line[0] != " ") for part in text.split("\n\n") if part.strip()]


def from_status(p: Process) -> list[Any]:
    return [Known(fields) for fields in stanzas(p)]


def lists(p: Process, package: str) -> list[str]:
    for name in (package, f"{package}:{ARCHITECTURES.get(p.host.persona.os.kernel.machine, 'amd64')}"):
        try:
            return p.fs.read(f"/var/lib/dpkg/info/{name}.list").decode("utf-8", "replace").splitlines()
        except OSError:
            continue
    return []


async def dpkg(p: Process) -> int:
    words = p.args[1:]
    action = words[0] if words else ""
    rest = words[1:]
    query = "dpkg-query"
    if action in ("-l", "--list"):
        return listed(p, rest)
    if action in ("-s", "--status"):
        return status(p, rest)
    if action in ("-L", "--listfiles"):
        for name in rest:
            found = lists(p, name)
            if not any(package.name == name for package in installed(p)):
                raise Usage(f"{query}: package '{name}' is not installed\nUse dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n")
            p.out("".join(f"{line}\n" for line in found or ["/."]))
        return 0
    if action in ("-S", "--search"):
        return searched(p, rest)
    if action == "--print-architecture":
        p.out(ARCHITECTURES.get(p.host.persona.os.kernel.machine, "amd64") + "\n")
        return 0
    if action in ("-W", "--show"):
        return shown(p, rest)
    if action == "--get-selections":
        for package in installed(p):
            p.out(f"{package.name:<47} install\n".replace(" " * 40, "\t\t\t\t\t"))
        return 0
    if action == "--version":
        p.out("Debian 'dpkg' package management program version 1.21.22 (amd64).\n")
        return 0
    if action in ("-i", "--install"):
        raise Usage(f"dpkg: error: cannot access archive '{(rest or ['?'])[0]}': No such file or directory\n", 2)
    raise Usage("dpkg: error: need an action option\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\n", 2)


def listed(p: Process, patterns: list[str]) -> int:
    everything = installed(p)
    rows = [package for package in everything if not patterns or any(fnmatchcase(package.name, pattern) for pattern in patterns)]
    status_ = 0
    for pattern in patterns:
        if not any(fnmatchcase(package.name, pattern) for package in everything):
            p.stderr.write(f"dpkg-query: no packages found matching {pattern}\n".encode())
            status_ = 1
    if not rows:
        return status_
    several = {package.name for package in rows}
    arch = ARCHITECTURES.get(p.host.persona.os.kernel.machine, "amd64")
    # Libraries may be installed for several architectures, and are named with theirs.
    names = [f"{package.name}:{arch}" if shared(package, arch) else package.name for package in rows]
    widths = [
        max(14, *(len(name) for name in names)),
        max(12, *(len(package.version) for package in rows)),
        max(12, *(len(package.arch) for package in rows)),
        max(33, *(len(package.summary) for package in rows)),
    ]
    if p.stdout.is_tty:
        widths[3] = max(20, p.size[0] - sum(widths[:3]) - 7)
    p.out(LEGEND)
    heads = ("Name", "Version", "Architecture", "Description")
    p.out("||/ " + " ".join(f"{head:<{width}}" for head, width in zip(heads, widths, strict=True)).rstrip() + "\n")
    p.out("+++-" + "-".join("=" * width for width in widths) + "\n")
    for name, package in zip(names, rows, strict=True):
        cells = (name, package.version, package.arch, package.summary)
        p.out("ii  " + " ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip() + "\n")
    return status_ if several else status_


def shared(package: Any, arch: str) -> bool:
    return package.arch == arch and package.name.startswith("lib") and not package.name.endswith(("-perl", "-bin", "-tools"))


def status(p: Process, names: list[str]) -> int:
    for name in names:
        found = next((fields for fields in stanzas(p) if fields.get("Package") == name), None)
        package = next((package for package in installed(p) if package.name == name), None)
        if package is None:
            p.stderr.write(
                f"dpkg-query: package '{name}' is not installed and no information is available\n"
                "Use dpkg --info (= dpkg-deb --info) to examine archive files.\n".encode()
            )
            return 1
        if found:
            p.out("".join(f"{key}: {value}\n" for key, value in found.items()))
            continue
        essential = "Essential: yes\n" if name in ("bash", "coreutils", "dpkg", "grep", "sed", "tar", "util-linux", "login", "findutils", "gzip", "hostname", "diffutils") else ""
        p.out(
            f"Package: {name}\n{essential}Status: install ok installed\nPriority: {'required' if essential else 'optional'}\nSection: {'shells' if name == 'bash' else 'admin'}\n"
            f"Architecture: {package.arch}\nMulti-Arch: foreign\nVersion: {package.version}\nDescription: {package.summary}\n"
        )
    return 0


def searched(p: Process, names: list[str]) -> int:
    status_ = 0
    for name in names:
        found = []
        for package in installed(p):
            for path in lists(p, package.name):
                if path == name or not name.startswith("/") and name in path:
                    found.append(f"{package.name}: {path}")
        if not found:
            base = name.rsplit("/", 1)[-1]
            owner = next((package.name for package in installed(p) if package.name == base), None)
            if owner and name.startswith("/"):
                found = [f"{owner}: {name}"]
        if not found:
            p.stderr.write(f"dpkg-query: no path found matching pattern {name if name.startswith('/') else '*' + name + '*'}\n".encode())
            status_ = 1
        p.out("".join(f"{line}\n" for line in found))
    return status_


def shown(p: Process, words: list[str]) -> int:
    form, names, words = "${Package}\t${Version}\n", [], list(words)
    while words:
        word = words.pop(0)
        if word in ("-f", "--showformat") and words:
            form = words.pop(0)
        elif word.startswith(("-f=", "--showformat=")):
            form = word.partition("=")[2]
        else:
            names.append(word)
    form = form.replace("\\n", "\n").replace("\\t", "\t")
    rows = [package for package in installed(p) if not names or any(fnmatchcase(package.name, name) for name in names)]
    for package in rows:
        text = form
        for key, value in (("Package", package.name), ("Version", package.version), ("Architecture", package.arch), ("binary:Summary", package.summary), ("Status", "install ok installed")):
            text = text.replace("${" + key + "}", value)
        p.out(text)
    if names and not rows:
        p.stderr.write(f"dpkg-query: no packages found matching {names[0]}\n".encode())
        return 1
    return 0


COMMANDS = {"dpkg": dpkg, "dpkg-query": dpkg}

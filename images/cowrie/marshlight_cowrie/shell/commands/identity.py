"""Who one is: id whoami groups users logname hostname uname arch tty getent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .names import User, gids_of, group, group_name, groups, user, user_name, users
from .options import Usage, complain, parse, refuse

if TYPE_CHECKING:
    from ..ports import Process


def known(p: Process, who: str) -> User | None:
    return user(p.fs, who)


async def id_(p: Process) -> int:
    options = parse(p, "agGnruzZ", "context:Z group:g groups:G name:n real:r user:u zero:z help version")
    if "Z" in options:
        raise Usage("id: --context (-Z) works only on an SELinux-enabled kernel\n")
    if "n" in options and not options.any("ugG"):
        raise Usage("id: cannot print only names or real IDs in default format\n")
    status = 0
    for who in options.operands or [""]:
        if who:
            account = known(p, who)
            if account is None:
                complain(p, f"‘{who}’: no such user")
                status = 1
                continue
            uid, gids = account.uid, gids_of(p.fs, account)
        else:
            uid = p.account.uid
            gids = [p.account.gid, *(gid for gid in p.account.groups if gid != p.account.gid)]
        kind = options.last("ugG")
        named = "n" in options
        if kind == "u":
            p.out((user_name(p.fs, uid) if named else str(uid)) + "\n")
        elif kind == "g":
            p.out((group_name(p.fs, gids[0]) if named else str(gids[0])) + "\n")
        elif kind == "G":
            p.out(" ".join(group_name(p.fs, gid) if named else str(gid) for gid in gids) + "\n")
        else:
            listed = ",".join(f"{gid}({group_name(p.fs, gid)})" for gid in gids)
            p.out(f"uid={uid}({user_name(p.fs, uid)}) gid={gids[0]}({group_name(p.fs, gids[0])}) groups={listed}\n")
    return status


async def whoami(p: Process) -> int:
    options = parse(p, "", "help version")
    if "help" in options:
        p.out(
            "Usage: whoami [OPTION]...\nPrint the user name associated with the current effective user ID.\n"
            "Same as id -un.\n\n      --help        display this help and exit\n"
        )
        return 0
    if options.operands:
        raise refuse(p, f"extra operand ‘{options.operands[0]}’")
    p.out(p.account.name + "\n")
    return 0


async def logname(p: Process) -> int:
    p.out((p.env.get("LOGNAME") or p.account.name) + "\n")
    return 0


async def groups_(p: Process) -> int:
    options = parse(p, "", "help version")
    if not options.operands:
        gids = [p.account.gid, *(gid for gid in p.account.groups if gid != p.account.gid)]
        p.out(" ".join(group_name(p.fs, gid) for gid in gids) + "\n")
        return 0
    status = 0
    for who in options.operands:
        account = known(p, who)
        if account is None:
            complain(p, f"‘{who}’: no such user")
            status = 1
            continue
        p.out(f"{who} : {' '.join(group_name(p.fs, gid) for gid in gids_of(p.fs, account))}\n")
    return status


async def hostname(p: Process) -> int:
    persona = p.host.persona
    words = [word for word in p.args[1:]]
    name = persona.hostname
    try:
        name = p.fs.read("/proc/sys/kernel/hostname").decode("utf-8", "replace").strip() or name
    except OSError:
        pass
    for word in words:
        if word in ("-f", "--fqdn", "--long", "-A", "--all-fqdns"):
            p.out((f"{name}.{persona.domain}" if persona.domain else name) + "\n")
        elif word in ("-s", "--short"):
            p.out(name.partition(".")[0] + "\n")
        elif word in ("-d", "--domain", "-y", "--yp", "--nis"):
            p.out(persona.domain + "\n" if word[1] != "y" and "nis" not in word else "(none)\n")
        elif word in ("-I", "--all-ip-addresses", "-i", "--ip-address"):
            p.out(f"{p.host.address} \n" if word in ("-I", "--all-ip-addresses") else f"{p.host.address}\n")
        elif word.startswith("--all-ip-address"):
            p.out(f"{p.host.address} \n")
        elif word.startswith("-"):
            raise Usage(f"hostname: invalid option -- '{word[1:2]}'\nUsage: hostname [-b] {{hostname|-F file}}         set host name (from file)\n", 255)
        else:
            raise Usage("hostname: you must be root to change the host name\n" if p.account.uid else "hostname: you don't have permission to set the host name\n")
        return 0
    p.out(name + "\n")
    return 0


async def uname(p: Process) -> int:
    kernel = p.host.persona.os.kernel
    if p.args[0].rsplit("/", 1)[-1] == "arch":
        p.out(kernel.machine + "\n")
        return 0
    options = parse(
        p,
        "asnrvmpio",
        "all:a kernel-name:s nodename:n kernel-release:r kernel-version:v machine:m processor:p hardware-platform:i "
        "operating-system:o help version",
    )
    if options.operands:
        raise refuse(p, f"extra operand ‘{options.operands[0]}’")
    if "version" in options:
        p.out("uname (GNU coreutils) 9.1\n")
        return 0
    parts = {
        **{"s": kernel.name, "n": p.host.persona.hostname, "r": kernel.release, "v": kernel.build, "m": kernel.machine},
        **{"p": "unknown", "i": "unknown", "o": kernel.operating_system},
    }
    # Everything but what nobody knows.
    wanted = "snrvmo" if "a" in options else "".join(name for name in "snrvmpio" if name in options) or "s"
    p.out(" ".join(parts[name] for name in wanted) + "\n")
    return 0


async def tty(p: Process) -> int:
    options = parse(p, "s", "silent:s quiet:s")
    if p.tty and p.stdin.is_tty:
        if "s" not in options:
            p.out(f"{p.tty if p.tty.startswith('/') else '/dev/' + p.tty}\n")
        return 0
    if "s" not in options:
        p.out("not a tty\n")
    return 1


async def getent(p: Process) -> int:
    words = [word for word in p.args[1:] if not word.startswith("-")]
    if not words:
        raise Usage("Usage: getent [OPTION...] database [key ...]\nTry `getent --help' for more information.\n", 1)
    database, keys = words[0], words[1:]
    if database in ("passwd", "shadow", "group"):
        if not keys:
            p.stdout.write(p.fs.read(f"/etc/{database}"))
            return 0
        status = 0
        for key in keys:
            if database == "passwd":
                found = user(p.fs, key)
                line = found.line() if found else None
            elif database == "group":
                held = group(p.fs, key)
                line = held.line() if held else None
            else:
                text = p.fs.read("/etc/shadow").decode()
                line = next((row for row in text.splitlines() if row.startswith(f"{key}:")), None)
            if line is None:
                status = 2
            else:
                p.out(line + "\n")
        return status
    if database in ("hosts", "ahosts", "ahostsv4"):
        return hosts(p, keys)
    if database in ("services", "protocols", "networks", "netgroup", "rpc", "ethers", "gshadow", "initgroups"):
        try:
            lines = p.fs.read(f"/etc/{database}").decode("utf-8", "replace").splitlines()
        except OSError:
            return 2
        found = [line for line in lines if line and line[0] != "#" and (not keys or keys[0] in line.split()[:1])]
        for line in found:
            cells = line.split("#")[0].split()
            p.out(f"{cells[0]:<21} {' '.join(cells[1:])}\n")
        return 0 if found else 2
    raise Usage(f"Unknown database: {database}\nTry `getent --help' or `getent --usage' for more information.\n", 1)


def hosts(p: Process, keys: list[str]) -> int:
    text = p.fs.read("/etc/hosts").decode("utf-8", "replace")
    rows = [line.split("#")[0].split() for line in text.splitlines()]
    rows = [row for row in rows if len(row) > 1]
    if keys:
        matches = [row for row in rows if keys[0] in row]
        # A name is looked up in IPv6 first.
        rows = sorted(matches, key=lambda row: ":" not in row[0])[:1]
    for row in rows:
        p.out(f"{row[0]:<15} {' '.join(row[1:])}\n")
    return 0 if rows else 2


COMMANDS = {
    **{"id": id_, "whoami": whoami, "logname": logname, "groups": groups_, "hostname": hostname, "uname": uname},
    **{"arch": uname, "tty": tty, "getent": getent},
}
__all__ = ["COMMANDS", "groups", "users"]

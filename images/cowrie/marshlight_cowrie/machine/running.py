"""One process as /proc/<pid> tells it: pure, from what is known of it. Formats as proc(5) and Linux 6.1 have them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .kernel import draw

if TYPE_CHECKING:
    from ..persona import Persona

#: What the programs of a container would tell, and of a host.
NAMESPACES = {"cgroup": 4026531835, "ipc": 4026531839, "mnt": 4026531841, "net": 4026531840, "pid": 4026531836}
NAMESPACES |= {"pid_for_children": 4026531836, "time": 4026531834, "time_for_children": 4026531834, "user": 4026531837, "uts": 4026531838}
#: Permission bits by name; folders stand in FOLDERS, links in LINKS.
MODES = {
    **dict.fromkeys("arch_status cgroup cmdline cpuset limits maps mountinfo mounts numa_maps oom_score schedstat sessionid smaps smaps_rollup stat statm status timers wchan".split(), 0o444),
    **dict.fromkeys("autogroup comm coredump_filter gid_map loginuid oom_adj oom_score_adj projid_map sched setgroups timens_offsets uid_map".split(), 0o644),
    **dict.fromkeys("auxv environ io mountstats pagemap patch_state personality stack syscall ksm_merging_pages ksm_stat".split(), 0o400),
    "clear_refs": 0o200, "cpu_resctrl_groups": 0o444, "mem": 0o600, "timerslack_ns": 0o666,
}  # fmt: skip
#: What the kernel of a small device is built without.
LARGE_ONLY = frozenset("arch_status autogroup cpu_resctrl_groups cpuset ksm_merging_pages ksm_stat loginuid numa_maps patch_state sessionid timens_offsets".split())
FOLDERS = {"attr": 0o555, "fd": 0o500, "fdinfo": 0o555, "map_files": 0o500, "net": 0o555, "ns": 0o511, "task": 0o555}
LINKS = ("cwd", "exe", "root")
ATTRIBUTES = ("current", "exec", "fscreate", "keycreate", "prev", "sockcreate")
UNLIMITED = "unlimited"


@dataclass
class Running:
    """`args` is empty, and `exe` None, for a thread of the kernel. Sizes in kB, times in seconds."""

    pid: int
    ppid: int
    uid: int
    gid: int
    groups: tuple[int, ...]
    args: tuple[str, ...]
    comm: str
    exe: str | None
    cwd: str = "/"
    env: tuple[str, ...] = ()
    umask: int = 0o022
    state: str = "S"
    vsz: int = 5472
    rss: int = 1764
    tty: str = "?"
    started: float = 0.0
    used: float = 0.0
    #: Number -> what is open, and permission bits of the link: how it is open.
    open: dict[int, tuple[str, int]] = field(default_factory=dict)

    @property
    def kernel(self) -> bool:
        return self.exe is None


STATES = {"R": "R (running)", "S": "S (sleeping)", "D": "D (disk sleep)", "I": "I (idle)", "T": "T (stopped)", "Z": "Z (zombie)"}
Maker = Callable[[Running, "Persona", float], str]


def text(name: str, one: Running, persona: Persona, now: float) -> bytes:
    """Contents of /proc/<pid>/<name>; nothing for what only the kernel could tell."""
    made = MAKERS.get(name)
    return made(one, persona, now).encode("utf-8", "surrogateescape") if made else b""


def names(persona: Persona) -> tuple[str, ...]:
    """All that stands in the folder of a process."""
    small = persona.network is not None and persona.network.stack == "linux-embedded"
    return tuple(sorted(name for name in (*MODES, *FOLDERS, *LINKS) if not (small and name in LARGE_ONLY)))


def namespace(name: str) -> str:
    return f"{name.removesuffix('_for_children')}:[{NAMESPACES[name]}]"


def status(one: Running, persona: Persona, now: float) -> str:
    uid, gid = one.uid, one.gid
    rows: list[tuple[str, object]] = [("Name", one.comm[:15])]
    if not one.kernel:
        rows.append(("Umask", f"{one.umask:04o}"))
    rows += [("State", STATES.get(one.state[:1], STATES["S"])), ("Tgid", one.pid), ("Ngid", 0), ("Pid", one.pid), ("PPid", one.ppid), ("TracerPid", 0)]
    rows += [("Uid", f"{uid}\t{uid}\t{uid}\t{uid}"), ("Gid", f"{gid}\t{gid}\t{gid}\t{gid}"), ("FDSize", 64)]
    rows += [("Groups", f"{' '.join(map(str, sorted(one.groups)))} "), *((name, one.pid) for name in ("NStgid", "NSpid", "NSpgid", "NSsid"))]
    if not one.kernel:
        file, data = one.rss * 4 // 5, max(132, one.rss // 5)
        sizes: tuple[tuple[str, int], ...] = (("VmPeak", one.vsz), ("VmSize", one.vsz), ("VmLck", 0), ("VmPin", 0), ("VmHWM", one.rss), ("VmRSS", one.rss))
        sizes += (("RssAnon", one.rss - file), ("RssFile", file), ("RssShmem", 0), ("VmData", data + 200), ("VmStk", 132), ("VmExe", 20))
        sizes += (("VmLib", min(1528, one.vsz // 2)), ("VmPTE", 44 + one.vsz // 800 // 4 * 4), ("VmSwap", 0), ("HugetlbPages", 0))
        rows += [(name, f"{size:8d} kB") for name, size in sizes]
        rows += [("CoreDumping", 0), ("THP_enabled", 1)]
    rows += [("Threads", 1), ("SigQ", f"0/{persona.hardware.memory_kb // 256}")]
    rows += [(name, "0" * 16) for name in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh")]
    held = "000001ffffffffff" if uid == 0 else "0" * 16
    rows += [("CapPrm", held), ("CapEff", held), ("CapBnd", "000001ffffffffff"), ("CapAmb", "0" * 16), ("NoNewPrivs", 0), ("Seccomp", 0), ("Seccomp_filters", 0)]
    rows += [("Speculation_Store_Bypass", "thread vulnerable"), ("SpeculationIndirectBranch", "conditional enabled")]
    cores = persona.hardware.cores
    rows += [("Cpus_allowed", f"{(1 << cores) - 1:x}"), ("Cpus_allowed_list", f"0-{cores - 1}" if cores > 1 else "0")]
    rows += [("Mems_allowed", "00000000,00000001"), ("Mems_allowed_list", 0), ("voluntary_ctxt_switches", int(now - one.started) // 9), ("nonvoluntary_ctxt_switches", int(now - one.started) // 400)]
    return "".join(f"{name}:\t{value}\n" for name, value in rows)


def stat(one: Running, persona: Persona, _now: float) -> str:
    ticks = max(0, int((one.started - persona.booted_at) * 100))
    used = int(one.used * 100)
    tty = 34816 + int(one.tty.rsplit("/", 1)[1]) if one.tty.rpartition("/")[2].isdigit() else 0
    base = 0x555500000000 + int(draw(persona, f"layout {one.pid}") * 0xFFFFFFF) * 0x1000
    stack = 0x7FFC00000000 + int(draw(persona, f"stack {one.pid}") * 0xFFFFF) * 0x1000
    memory = (one.vsz * 1024, one.rss // 4) if not one.kernel else (0, 0)
    code = (base, base + 0x5000, stack) if not one.kernel else (0, 0, 0)
    flags = 2129984 if one.kernel else 4194304
    rows: tuple[object, ...] = (one.pid, f"({one.comm[:15]})", one.state[:1], one.ppid, one.pid, one.pid, tty, one.pid if tty else -1, flags)
    rows += (one.rss // 5, 0, 0, 0, used * 2 // 3, used // 3, 0, 0, 20, 0, 1, 0, ticks, *memory, 18446744073709551615, *code)
    return " ".join(map(str, (*rows, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, one.pid % persona.hardware.cores, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))) + "\n"


def limits(one: Running, persona: Persona, _now: float) -> str:
    most = persona.hardware.memory_kb // 256
    locked = persona.hardware.memory_kb // 8 * 1024
    rows = (
        ("cpu time", UNLIMITED, UNLIMITED, "seconds"), ("file size", UNLIMITED, UNLIMITED, "bytes"), ("data size", UNLIMITED, UNLIMITED, "bytes"),
        ("stack size", 8388608, UNLIMITED, "bytes"), ("core file size", 0, UNLIMITED, "bytes"), ("resident set", UNLIMITED, UNLIMITED, "bytes"),
        ("processes", most, most, "processes"), ("open files", 1024, 1048576 if one.uid == 0 else 1048576, "files"),
        ("locked memory", locked, locked, "bytes"), ("address space", UNLIMITED, UNLIMITED, "bytes"), ("file locks", UNLIMITED, UNLIMITED, "locks"),
        ("pending signals", most, most, "signals"), ("msgqueue size", 819200, 819200, "bytes"), ("nice priority", 0, 0, ""),
        ("realtime priority", 0, 0, ""), ("realtime timeout", UNLIMITED, UNLIMITED, "us"),
    )  # fmt: skip
    heading = f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} {'Units':<10}\n"
    return heading + "".join(f"{f'Max {name}':<25} {soft!s:<20} {hard!s:<20} {unit:<10}\n" for name, soft, hard, unit in rows)


def cgroup(one: Running, persona: Persona, _now: float) -> str:
    return f"0::{slice_of(one, persona)}\n"


def slice_of(one: Running, persona: Persona) -> str:
    """The unit it runs in; a system without systemd has none."""
    first = next((process.command for process in persona.processes if process.pid == 1), "")
    if one.kernel or not any(word in first for word in ("systemd", "/sbin/init")) or "procd" in first:
        return "/"
    if one.pid == 1:
        return "/init.scope"
    if not any(process.pid == one.pid for process in persona.processes):
        return f"/user.slice/user-{one.uid}.slice/session-{session_of(persona)}.scope"
    name = one.comm.rstrip(":")
    return f"/system.slice/{ {'sshd': 'ssh', 'agetty': 'getty@tty1', 'cron': 'cron'}.get(name, name)}.service"


def session_of(persona: Persona) -> int:
    return 3 + int(draw(persona, "session") * 400)


def maps(one: Running, persona: Persona, _now: float) -> str:
    if one.exe is None:
        return ""
    at = 0x555500000000 + int(draw(persona, f"layout {one.pid}") * 0xFFFFFFF) * 0x1000
    stack = 0x7FFC00000000 + int(draw(persona, f"stack {one.pid}") * 0xFFFFF) * 0x1000
    inode = 260000 + int(hashlib.sha256(one.exe.encode("utf-8", "surrogateescape")).hexdigest()[:4], 16)
    lines, offset = [], 0
    for size, rights in ((0x2000, "r--p"), (0x5000, "r-xp"), (0x3000, "r--p"), (0x1000, "r--p"), (0x1000, "rw-p")):
        lines.append(f"{mapped(at, size, rights, offset, '08:01', inode)}{one.exe}")
        at, offset = at + size, offset + size
    lines.append(f"{mapped(at + 0xE3C000, 0x21000, 'rw-p', 0, '00:00', 0)}[heap]")
    lines.append(f"{mapped(stack, 0x21000, 'rw-p', 0, '00:00', 0)}[stack]")
    return "".join(f"{line}\n" for line in lines)


def mapped(at: int, size: int, rights: str, offset: int, device: str, inode: int) -> str:
    return f"{f'{at:x}-{at + size:x} {rights} {offset:08x} {device} {inode}':<72} "


def mountinfo(mounts: bytes) -> bytes:
    """Out of what /proc/mounts says."""
    lines = []
    for number, line in enumerate(mounts.decode("utf-8", "replace").splitlines()):
        source, folder, kind, options, *_ = line.split(" ")
        device, above = (f"0:{20 + number}", 27) if not source.startswith("/dev/") else ("8:1", 1)
        lines.append(f"{22 + number} {above} {device} / {folder} {options.split(',size=')[0]} shared:{number + 1} - {kind} {source} {options}\n")
    return "".join(lines).encode()


def sched(one: Running, _persona: Persona, now: float) -> str:
    head = f"{one.comm[:15]} ({one.pid}, #threads: 1)\n{'-' * 67}\n"
    rows: tuple[tuple[str, str], ...] = (("se.exec_start", f"{now % 10**7 * 1000:.6f}"), ("se.vruntime", f"{one.used * 1000 + 12.25:.6f}"), ("se.sum_exec_runtime", f"{one.used * 1000:.6f}"))
    rows += (("se.nr_migrations", "1"), ("nr_switches", "12"), ("nr_voluntary_switches", "9"), ("nr_involuntary_switches", "3"), ("policy", "0"), ("prio", "120"))
    return head + "".join(f"{name:<45}:{value:>21}\n" for name, value in rows)


MAKERS: dict[str, Maker] = {
    "cmdline": lambda one, *_: "".join(f"{word}\0" for word in one.args),
    "comm": lambda one, *_: f"{one.comm[:15]}\n",
    "environ": lambda one, *_: "".join(f"{pair}\0" for pair in one.env),
    "status": status,
    "stat": stat,
    "statm": lambda one, *_: f"{one.vsz // 4} {one.rss // 4} {one.rss // 5} 5 0 {one.rss // 8} 0\n" if not one.kernel else "0 0 0 0 0 0 0\n",
    "limits": limits,
    "cgroup": cgroup,
    "cpuset": lambda *_: "/\n",
    "maps": maps,
    "sched": sched,
    "schedstat": lambda one, *_: f"{int(one.used * 1e9)} {int(one.used * 1e7)} {12 + one.pid % 90}\n",
    "io": lambda one, *_: f"rchar: {3000 + one.pid % 977}\nwchar: 0\nsyscr: 8\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
    "oom_score": lambda one, *_: "0\n" if one.kernel or one.pid == 1 else "666\n",
    "oom_adj": lambda *_: "0\n",
    "oom_score_adj": lambda *_: "0\n",
    # Who did not log in has the highest number there is.
    "loginuid": lambda one, persona, _now: "4294967295" if any(process.pid == one.pid for process in persona.processes) else str(one.uid),
    "sessionid": lambda one, persona, _now: "4294967295" if any(process.pid == one.pid for process in persona.processes) else str(session_of(persona)),
    "uid_map": lambda *_: "         0          0 4294967295\n",
    "gid_map": lambda *_: "         0          0 4294967295\n",
    "projid_map": lambda *_: "         0          0 4294967295\n",
    "setgroups": lambda *_: "allow\n",
    "personality": lambda *_: "00000000\n",
    "wchan": lambda *_: "0",
    "coredump_filter": lambda *_: "00000033\n",
    "timens_offsets": lambda *_: "monotonic           0         0\nboottime            0         0\n",
    "timerslack_ns": lambda *_: "50000\n",
    "autogroup": lambda one, *_: f"/autogroup-{one.pid % 200 + 30} nice 0\n",
    "patch_state": lambda *_: "-1\n",
    "cpu_resctrl_groups": lambda *_: "res:/\nmon:\n",
    "ksm_merging_pages": lambda *_: "0\n",
    "ksm_stat": lambda *_: "ksm_rmap_items 0\n",
}

"""Files of /proc that stand there on any Linux host and are seldom read: pure, from persona and uptime."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..persona import Persona

#: For root alone, and for all; without contents here, as are those that only the running kernel could tell.
CLOSED = "kmsg kpagecgroup kpagecount kpageflags pagetypeinfo slabinfo vmallocinfo timer_list".split()
BARE = "buddyinfo crypto fb iomem ioports kallsyms key-users keys locks mdstat mtrr schedstat softirqs zoneinfo".split()
#: A folder is there when something stands in it.
INSIDE = {
    "/proc/driver/rtc": "rtc_time\t: 00:00:00\n",
    "/proc/fs/ext4/sda1/mb_groups": "",
    "/proc/irq/default_smp_affinity": "ff\n",
    "/proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=918264\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "/proc/pressure/io": "some avg10=0.00 avg60=0.00 avg300=0.00 total=412553\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=398210\n",
    "/proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "/proc/sysvipc/shm": "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime\n",
    "/proc/tty/drivers": "/dev/tty             /dev/tty        5       0 system:/dev/tty\n",
    "/proc/bus/pci/devices": "",
    "/proc/acpi/wakeup": "Device\tS-state\t  Status   Sysfs node\n",
}
#: Not on a small device.
LARGE = ("/proc/acpi/", "/proc/pressure/", "/proc/fs/ext4/")
SUBSYSTEMS = "cpuset cpu cpuacct blkio memory devices freezer net_cls perf_event net_prio hugetlb pids rdma misc".split()
#: Name, size, used by.
MODULES = (
    ("ext4", 983040, "-"), ("mbcache", 16384, "ext4,"), ("jbd2", 184320, "ext4,"), ("crc16", 16384, "ext4,"), ("sd_mod", 65536, "-"),
    ("t10_pi", 16384, "sd_mod,"), ("ahci", 49152, "-"), ("libahci", 53248, "ahci,"), ("libata", 401408, "ahci,libahci,"),
    ("scsi_mod", 286720, "sd_mod,libata,"), ("e1000e", 327680, "-"), ("ptp", 40960, "e1000e,"), ("pps_core", 24576, "ptp,"),
    ("intel_rapl_msr", 20480, "-"), ("aesni_intel", 393216, "-"), ("crypto_simd", 16384, "aesni_intel,"), ("evdev", 28672, "-"),
    ("button", 24576, "-"), ("loop", 32768, "-"), ("fuse", 176128, "-"), ("dm_mod", 184320, "-"), ("efi_pstore", 16384, "-"),
    ("configfs", 57344, "-"), ("ip_tables", 36864, "-"), ("x_tables", 61440, "ip_tables,"), ("autofs4", 53248, "-"),
)  # fmt: skip


def files(persona: Persona, up: float, small: bool) -> dict[str, tuple[str, int]]:
    """Path -> text and permission bits."""
    names = BARE if not small else [name for name in BARE if name not in ("fb", "mtrr", "mdstat")]
    made = {f"/proc/{name}": ("", 0o444) for name in names}
    made |= {f"/proc/{name}": ("", 0o400) for name in CLOSED}
    made |= {path: (text, 0o444) for path, text in INSIDE.items() if not (small and path.startswith(LARGE))}
    made["/proc/sysrq-trigger"] = ("", 0o200)
    for name, text in (("cgroups", cgroups()), ("consoles", "tty0                 -WU (EC  p  )    4:1\n"), ("dma", " 4: cascade\n"),
                       ("devices", DEVICES), ("execdomains", "0-0\tLinux           \t[kernel]\n"), ("misc", MISC),
                       ("interrupts", interrupts(persona, up)), ("vmstat", vmstat(persona, up))):  # fmt: skip
        made[f"/proc/{name}"] = (text, 0o444)
    if not small:
        made["/proc/diskstats"] = (diskstats(up), 0o444)
    made["/proc/modules"] = (modules(small), 0o444)
    return made


def cgroups() -> str:
    return "#subsys_name\thierarchy\tnum_cgroups\tenabled\n" + "".join(f"{name}\t0\t71\t1\n" for name in SUBSYSTEMS)


def modules(small: bool) -> str:
    rows = MODULES if not small else (("x_tables", 20480, "ip_tables,"), ("ip_tables", 16384, "-"), ("nf_conntrack", 86016, "-"))
    return "".join(f"{name} {size} {by.count(',')} {by} Live 0x0000000000000000\n" for name, size, by in rows)


def interrupts(persona: Persona, up: float) -> str:
    cores = persona.hardware.cores
    head = " " * 11 + " ".join(f"{f'CPU{core}':<10}" for core in range(cores)) + "\n"
    rows = (("0", 34, "IR-IO-APIC    2-edge      timer"), ("8", 1, "IR-IO-APIC    8-edge      rtc0"), ("9", 0, "IR-IO-APIC    9-fasteoi   acpi"), ("LOC", int(up * 60), "Local timer interrupts"))
    return head + "".join(f"{name:>3}: " + " ".join(f"{count // (core + 1):>10}" for core in range(cores)) + f"  {words}\n" for name, count, words in rows)


def vmstat(persona: Persona, up: float) -> str:
    free = persona.hardware.memory_kb // 10
    rows = (("nr_free_pages", free), ("nr_zone_inactive_anon", free // 3), ("nr_mlock", 0), ("pgpgin", int(up * 3)), ("pgpgout", int(up * 21)), ("pswpin", 0), ("pswpout", 0), ("pgfault", int(up * 400)), ("pgmajfault", int(up // 90)), ("oom_kill", 0))
    return "".join(f"{name} {value}\n" for name, value in rows)


def diskstats(up: float) -> str:
    reads, writes = 9000 + int(up / 30), int(up * 1.7)
    rows = ((0, "sda", reads, writes), (1, "sda1", reads - 120, writes))
    return "".join(
        f"   8 {minor:7d} {name} {r} {r // 3} {r * 40} {r * 2} {w} {w // 2} {w * 24} {w * 3} 0 {w} {w * 3 + r * 2} 0 0 0 0 {w // 5} {w // 9}\n"
        for minor, name, r, w in rows
    )


DEVICES = """Character devices:
  1 mem
  4 /dev/vc/0
  4 tty
  4 ttyS
  5 /dev/tty
  5 /dev/console
  5 /dev/ptmx
  7 vcs
 10 misc
 13 input
128 ptm
136 pts

Block devices:
  8 sd
259 blkext
"""
MISC = "237 loop-control\n229 fuse\n236 device-mapper\n231 snapshot\n183 hw_random\n  1 psaux\n"

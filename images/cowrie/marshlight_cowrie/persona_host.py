"""What a rich persona tells of its host: services, network stack, schedule, packages, files, honey-credentials."""

from __future__ import annotations

from dataclasses import dataclass

from .fields import Fields, Refused

KINDS = (
    *("http", "https", "ftp", "smb", "mysql", "postgres", "redis", "rdp", "vnc", "snmp", "modbus", "mqtt"),
    *("msrpc", "winrm", "rtsp", "printer", "ntp", "tftp", "netbios", "mdns", "llmnr"),
)
STACKS = ("linux", "linux-embedded", "windows", "bsd", "printer", "switch")


@dataclass(frozen=True)
class Busybox:
    """`banner` without `multi-call binary`; no `applets`: those of the tree."""

    banner: str
    applets: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    path: str
    status: int
    type: str
    body: str


@dataclass(frozen=True)
class Service:
    kind: str
    port: int
    product: str
    version: str
    settings: dict[str, str | float | bool]
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Network:
    stack: str
    window: int
    mss: int
    window_scale: int | None
    sack: bool
    timestamps: bool
    ecn: bool
    icmp_echo: bool
    closed_tcp: str
    closed_udp: str


@dataclass(frozen=True)
class Cron:
    user: str
    at: str
    command: str
    file: str


@dataclass(frozen=True)
class Login:
    user: str
    per_day: float
    source: str


@dataclass(frozen=True)
class Schedule:
    work_days: tuple[int, ...]
    work_from: float
    work_to: float
    cron: tuple[Cron, ...]
    logins: tuple[Login, ...]
    update_every_days: float
    reboot_every_days: float


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    arch: str
    summary: str


@dataclass(frozen=True)
class File:
    """`mode`: permission bits; `modified_at`: seconds since 1970."""

    path: str
    mode: int
    uid: int
    gid: int
    modified_at: float
    content: str


@dataclass(frozen=True)
class Honey:
    username: str
    password: str
    service: str
    path: str


def busybox_of(root: Fields) -> Busybox | None:
    if not root.has("busybox"):
        return None
    busybox = root.fields("busybox")
    applets = busybox.names("applets") if busybox.has("applets") else ()
    if len(applets) > 512 or any(not name or len(name) > 32 or "/" in name for name in applets):
        raise Refused("persona.busybox.applets is no list of at most 512 names")
    return Busybox(busybox.text("banner", 128, r"BusyBox v[\x20-\x7e]+"), applets)


def services_of(root: Fields) -> tuple[Service, ...]:
    return tuple(
        Service(
            kind=service.one_of("kind", KINDS),
            port=service.integer("port", 1, 65535),
            product=service.text("product", 64),
            version=service.text("version", 64),
            settings=settings_of(service.fields("settings")),
            pages=tuple(
                Page(
                    path=page.text("path", 256, "/.*"),
                    status=page.integer("status", 100, 599),
                    type=page.text("type", 128),
                    body=page.text("body", 16_384),
                )
                for page in service.each_if_any("pages", 32)
            ),
        )
        for service in root.each_if_any("services", 16)
    )


def settings_of(settings: Fields) -> dict[str, str | float | bool]:
    for name, value in settings.value.items():
        if len(name) > 64 or not isinstance(value, (str, int, float, bool)) or len(str(value)) > 2048:
            raise Refused(f"{settings.path}.{name[:64]} is neither a short text, a number nor true or false")
    return dict(settings.value)


def network_of(root: Fields) -> Network | None:
    if not root.has("network"):
        return None
    network = root.fields("network")
    return Network(
        stack=network.one_of("stack", STACKS),
        window=network.integer("window", 0, 65535),
        mss=network.integer("mss", 536, 9000),
        window_scale=network.integer("windowScale", 0, 14) if network.has("windowScale") else None,
        sack=network.truth("sack"),
        timestamps=network.truth("timestamps"),
        ecn=network.truth("ecn"),
        icmp_echo=network.truth("icmpEcho"),
        closed_tcp=network.one_of("closedTcp", ("reset", "drop")),
        closed_udp=network.one_of("closedUdp", ("unreachable", "drop")),
    )


def schedule_of(root: Fields) -> Schedule | None:
    if not root.has("schedule"):
        return None
    schedule = root.fields("schedule")
    return Schedule(
        work_days=schedule.integers("workDays", 7, 1, 7),
        work_from=schedule.number("workFrom", 0, 24),
        work_to=schedule.number("workTo", 0, 24),
        cron=tuple(
            Cron(cron.text("user", 32), cron.text("at", 64), cron.text("command", 256), cron.text("file", 128))
            for cron in schedule.each("cron", 64)
        ),
        logins=tuple(
            Login(login.text("user", 32), login.number("perDay", 0, 50), login.text("from", 64))
            for login in schedule.each("logins", 32)
        ),
        update_every_days=schedule.number("updateEveryDays", 0, 3650),
        reboot_every_days=schedule.number("rebootEveryDays", 0, 3650),
    )


def packages_of(root: Fields) -> tuple[Package, ...]:
    return tuple(
        Package(item.text("name", 96), item.text("version", 96), item.text("arch", 16), item.text("summary", 128))
        for item in root.each_if_any("packages", 1024)
    )


def files_of(root: Fields) -> tuple[File, ...]:
    return tuple(
        File(
            path=file.text("path", 256, r"/[^\0]+"),
            mode=file.integer("mode", 0, 0o7777),
            uid=file.integer("uid", 0, 65535),
            gid=file.integer("gid", 0, 65535),
            modified_at=file.moment("modifiedAt"),
            content=file.text("content", 32_768),
        )
        for file in root.each_if_any("files", 128)
    )


def honey_of(root: Fields) -> tuple[Honey, ...]:
    return tuple(
        Honey(
            username=honey.text("username", 64),
            password=honey.text("password", 128),
            service=honey.text("service", 32),
            path=honey.text("path", 256, "/.*"),
        )
        for honey in root.each_if_any("honey", 16)
    )

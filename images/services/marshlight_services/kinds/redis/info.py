"""What Redis says of itself in INFO, as its persona has it."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...connection import Connection


def info_of(connection: Connection, wanted: str, keys: int) -> str:
    persona, service = connection.persona, connection.service
    version = service.version.split("-")[0].split(":")[-1]
    drawn = hashlib.sha256(f"{persona.seed} redis".encode()).hexdigest()
    up = int(time.time() - persona.booted_at) - 11
    system = " ".join(persona.kernel.split(" ")[:2])
    sections = {
        "server": {
            "redis_version": version,
            "redis_git_sha1": "00000000",
            "redis_git_dirty": "0",
            "redis_build_id": drawn[:16],
            "redis_mode": "standalone",
            "os": f"{system} {persona.machine}",
            "arch_bits": "64",
            "monotonic_clock": "POSIX clock_gettime",
            "multiplexing_api": "epoll",
            "atomicvar_api": "c11-builtin",
            "gcc_version": "12.2.0",
            "process_id": str(600 + int(drawn[16:18], 16)),
            "process_supervised": "systemd",
            "run_id": drawn[20:60],
            "tcp_port": str(service.port),
            "server_time_usec": str(int(time.time() * 1_000_000)),
            "uptime_in_seconds": str(up),
            "uptime_in_days": str(up // 86400),
            "hz": "10",
            "configured_hz": "10",
            "lru_clock": str(int(time.time()) & 0xFFFFFF),
            "executable": "/usr/bin/redis-server",
            "config_file": "/etc/redis/redis.conf",
            "io_threads_active": "0",
        },
        "clients": {"connected_clients": "1", "maxclients": "10000", "blocked_clients": "0"},
        "memory": {"used_memory": str(0x100000 + int(drawn[:4], 16)), "used_memory_human": "1.03M", "maxmemory": "0"},
        "persistence": {"loading": "0", "rdb_last_save_time": str(int(persona.booted_at)), "aof_enabled": "0"},
        "stats": {"total_connections_received": str(up // 3600 + 1), "rejected_connections": "0"},
        "replication": {"role": "master", "connected_slaves": "0", "master_failover_state": "no-failover"},
        "cpu": {"used_cpu_sys": f"{up / 900:.6f}", "used_cpu_user": f"{up / 1100:.6f}"},
        "cluster": {"cluster_enabled": "0"},
        "keyspace": {"db0": f"keys={keys},expires=0,avg_ttl=0"} if keys else {},
    }
    chosen = [wanted] if wanted in sections else list(sections) if wanted in ("", "all", "default", "everything") else []
    pieces = []
    for name in chosen:
        lines = "".join(f"{key}:{value}\r\n" for key, value in sections[name].items())
        pieces.append(f"# {name.upper() if name == 'cpu' else name.capitalize()}\r\n{lines}")
    return "\r\n".join(pieces)

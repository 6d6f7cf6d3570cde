"""
The rules that lead packets to the queue, in a table of their own: after the filter of what may leave, before the one by
which packets look like the persona's. The kernel's way to a queue is an expression of nft, or, where it is built without
that, the target of iptables, which nft's own tool cannot write: that one rule is set by netlink.

A reset that answers a SYN (its number is 0) must not come to the queue: it shares the connection's entry with that SYN, which
is not confirmed yet, and such the kernel throws away there.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable

from marshlight_common.drift import Effect

from . import netlink
from .netlink import attribute, nested

TABLE, THROUGH = "marshlight_drift", "through"
QUEUE = 0x6D6C
MARK = 0x6D6C6472
# As long as the pod's filter lets an answer out from a port that was not asked (presence.py), and as an answer may wait.
ASKED_SECONDS = 8
# Content begins after 20 bytes of IP and as many words of TCP: nft cannot reckon, so each length has its rule.
CONTENT = "\n    ".join(f"tcp doff {words} ip length > {20 + 4 * words} jump {THROUGH}" for words in (8, 5, 6, 7, *range(9, 15)))


def concerning(effects: Iterable[Effect]) -> tuple[bool, bool, bool]:
    """Whether connections are met as they begin, whether answers are, and whether packets are changed."""
    met = {(effect.type, effect.word) for effect in effects}
    kinds = {kind for kind, _ in met}
    begin = "schedule" in kinds or bool({("error", "refused"), ("error", "timeout")} & met)
    cut = "schedule" in kinds or ("error", "reset") in met
    changes = cut or any(kind == "alteration" and word != "listing" for kind, word in met)
    return begin, changes or "latency" in kinds or ("error", "busy") in met, changes


def holding(effects: Iterable[Effect]) -> bool:
    """Whether answers may wait."""
    return any(effect.type == "latency" or (effect.type, effect.word) == ("error", "busy") for effect in effects)


def left_out(effects: Iterable[Effect]) -> list[str]:
    """What cannot be done to packets."""
    return sorted({f"{effect.type} {effect.word}" for effect in effects if effect.word in ("disk", "listing")})


def text(tcp: Iterable[int], udp: Iterable[int], begin: bool, answers: bool, queue: str) -> str:
    entering, leaving = [], []
    tcp, udp = ", ".join(map(str, sorted(tcp))), ", ".join(map(str, sorted(udp)))
    if tcp and begin:
        entering.append(f"tcp dport {{ {tcp} }} tcp flags & (fin | syn | rst | ack) == syn jump {THROUGH}")
    if tcp and answers:
        leaving.append(f"tcp sport {{ {tcp} }} jump answers")
    if udp and answers:
        entering.append(f"udp dport {{ {udp} }} add @askers {{ ip saddr . udp sport }}")
    if udp and begin:
        entering.append(f"udp dport {{ {udp} }} jump {THROUGH}")
    if udp and answers:
        # Also from a port that was not asked: a transfer of TFTP has one of its own (RFC 1350, 4).
        leaving.append(f"udp sport {{ {udp} }} jump {THROUGH}")
        leaving.append(f"udp sport != {{ {udp} }} ip daddr . udp dport @askers jump {THROUGH}")
    return f"""
table ip {TABLE}
delete table ip {TABLE}
table ip {TABLE} {{
  set askers {{
    type ipv4_addr . inet_service
    size 4096
    flags dynamic,timeout
    timeout {ASKED_SECONDS}s
  }}
  chain {THROUGH} {{
    {queue}
  }}
  chain answers {{
    tcp flags & syn == syn return
    tcp flags & rst == rst tcp sequence 0 return
    tcp flags & (fin | rst) != 0x0 jump {THROUGH}
    ip length > 80 jump {THROUGH}
    ip length <= 40 return
    {CONTENT}
  }}
  chain leaving {{
    type filter hook output priority 250; policy accept;
    oifname "lo" accept
    {chr(10).join(leaving)}
  }}
  chain refused_leaving {{
    type filter hook output priority 251; policy accept;
    meta mark {MARK:#x} meta l4proto tcp reject with tcp reset
  }}
  chain entering {{
    type filter hook input priority 10; policy accept;
    iifname "lo" accept
    {chr(10).join(entering)}
  }}
  chain refused_entering {{
    type filter hook input priority 11; policy accept;
    meta mark {MARK:#x} meta l4proto tcp reject with tcp reset
    meta mark {MARK:#x} meta l4proto udp reject with icmp type port-unreachable
  }}
}}
"""


def put(tcp: Iterable[int], udp: Iterable[int], begin: bool, answers: bool) -> None:
    """In one transaction but for the last step, before which packets pass. OSError where it cannot be done."""
    tcp, udp = list(tcp), list(udp)
    if load(text(tcp, udp, begin, answers, f"queue flags bypass to {QUEUE}")) is None:
        return
    refused = load(text(tcp, udp, begin, answers, ""))
    if refused is not None:
        raise OSError(0, refused)
    to_queue_by_target()


def load(words: str) -> str | None:
    done = subprocess.run(["nft", "-f", "-"], input=words, text=True, capture_output=True)
    return None if done.returncode == 0 else f"nft: {done.stderr.strip()[:300]}"


def remove() -> None:
    load(f"table ip {TABLE}\ndelete table ip {TABLE}\n")


def to_queue_by_target() -> None:
    """Appends `-j NFQUEUE --queue-num QUEUE --queue-bypass` (revision 3: number, queues in all, 1 for bypass)."""
    tables, new_rule, begin, end = 10, 6, 0x10, 0x11
    target = nested(
        1,
        attribute(1, b"target\0"),
        nested(
            2,
            attribute(1, b"NFQUEUE\0"),
            attribute(2, struct.pack("!I", 3)),
            attribute(3, struct.pack("=HHHxx", QUEUE, 1, 1)),
        ),
    )
    rule = (attribute(1, TABLE.encode() + b"\0"), attribute(2, THROUGH.encode() + b"\0"), nested(4, target))
    flags = netlink.ACKNOWLEDGE | netlink.CREATE | netlink.APPEND
    link = netlink.connected()
    try:
        batch = netlink.message(begin, 0, 1, 0, tables)
        batch += netlink.message(tables << 8 | new_rule, flags, 2, 2, 0, *rule)
        batch += netlink.message(end, 0, 3, 0, tables)
        netlink.asked(link, 2, batch)
    finally:
        link.close()

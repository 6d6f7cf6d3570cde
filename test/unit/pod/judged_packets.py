"""Packets and drift as `judge_test.py` hands them to a judge whose clock stands still."""

import json
import struct
import sys
from datetime import datetime, timezone
from pathlib import Path

images = Path(__file__).parents[3] / "images"
sys.path[:0] = [str(images / "common"), str(images / "pod")]
from marshlight_common import drift
from marshlight_drift import judge, packet

CLIENT, OWN = "198.18.0.9", "198.18.0.5"
PAGE = b"<h1>Files</h1>\n<p class=w3>total 12345 in 678 files</p>\n"
ANSWER = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE


def segment(seq, ack, content=b"", flags=packet.ACK, port=40_000, leaving=True, source=CLIENT):
    ends = (80, port) if leaving else (port, 80)
    tcp = struct.pack("!HHIIBBHHH", *ends, seq % packet.WHOLE, ack % packet.WHOLE, 8 << 4, flags, 512, 0, 0) + b"\1" * 12
    addresses = [OWN, source] if leaving else [source, OWN]
    words = [bytes(map(int, address.split("."))) for address in addresses]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(content), 7, 0x4000, 64, packet.TCP, 0, *words)
    return packet.parsed(packet.summed(bytearray(head + tcp + content)), leaving)


def whole(raw):
    """The sums over header and segment of a packet that is right come out as nought."""
    pseudo = raw[12:20] + struct.pack("!BBH", 0, packet.TCP, len(raw) - 20)
    return packet.checksum(raw[:20]) == 0 == packet.checksum(pseudo + raw[20:])


def judging(*effects, views=(), hour=12):
    one = judge.Judge(lambda _: datetime(2026, 1, 1, hour, tzinfo=timezone.utc), lambda: 2)
    everyone = {"seed": "s", "effects": list(effects)} if effects else None
    one.now(drift.read(json.dumps({"everyone": everyone, "views": list(views)}).encode()))
    return one


def latency(ms, form="fixed"):
    return {"type": "latency", "form": form, "ms": ms, "spread": 0}


def error(kind, share=0.3):
    return {"type": "error", "kind": kind, "share": share}


def altering(what):
    return {"type": "alteration", "what": what, "share": 0.3}


def datagram(leaving, port=40_000, own=161, source=CLIENT):
    ends = (own, port) if leaving else (port, own)
    udp = struct.pack("!HHHH", *ends, 12, 0) + b"word"
    words = [bytes(map(int, address.split("."))) for address in ([OWN, source] if leaving else [source, OWN])]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 7, 0x4000, 64, packet.UDP, 0, *words)
    return packet.parsed(head + udp, leaving)

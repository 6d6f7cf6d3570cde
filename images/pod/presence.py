"""
What a host of this kind says by itself when it comes up, said once: network.json "announce".

    arp      its address and MAC, to all (RFC 5227, 2.3)           by the kernel, when told its MAC again
    dhcp     its name and what it is, asking for settings only (DHCPINFORM, RFC 2131, 3.4): no lease is taken or changed
    netbios  its names and its workgroup (NAME REGISTRATION REQUEST, RFC 1002, 4.2.2)
    mdns     its name and address (RFC 6762, 8.3)

It is sent before the rules that close the network are in force, while nothing else runs in it: `rules` lets out these
destinations alone. A host with mDNS also answers those who ask the group, later and from a service that has no right at
all: for that `standing` leaves its way to the group open, which no router forwards, a few packets a second.

An answer from another port or address than was asked is a connection of its own to the kernel: TFTP's (RFC 1350), those
to a question that went to a group or to all of a link. `askers` remembers for some seconds who asked such a port, and from
where; there and nowhere else an answer may go.
"""

import fcntl
import os
import socket
import struct
import sys
import time

KINDS = ("arp", "dhcp", "netbios", "mdns")
EVERYBODY = "255.255.255.255"
MDNS = ("224.0.0.251", 5353)
SIOCGIFADDR, SIOCGIFBRDADDR, SIOCSIFHWADDR, SIOCGIFHWADDR = 0x8915, 0x8919, 0x8924, 0x8927
TIMES, BETWEEN = 3, 0.25


def rules(kinds, broadcast):
    lines = {
        "dhcp": f"ip daddr {EVERYBODY} udp sport 68 udp dport 67 accept",
        "netbios": f"ip daddr {broadcast} udp sport 137 udp dport 137 accept",
        "mdns": f"ip daddr {MDNS[0]} udp sport 5353 udp dport 5353 accept",
    }
    return [lines[kind] for kind in kinds if kind in lines]


def standing(kinds):
    """What stays open beyond the plan, as (cidr, protocol, port), and the rules for it."""
    rule = f"ip daddr {MDNS[0]} udp sport 5353 udp dport 5353 limit rate 10/second burst 10 packets accept"
    return ([(f"{MDNS[0]}/32", "udp", 5353)], [rule]) if "mdns" in kinds else ([], [])


def askers(answers, transfers):
    """
    For the UDP ports that answer questions to all from themselves, and those that answer from a new port: sets, the rules
    that fill them, and those that let answers out.
    """
    sets, hear, out = [], [], []
    for name, ports, key in (
        ("askers", answers, ("ipv4_addr . inet_service . inet_service", "ip saddr . udp sport . udp dport", "ip daddr . udp dport . udp sport")),
        ("transfers", transfers, ("ipv4_addr . inet_service", "ip saddr . udp sport", "ip daddr . udp dport")),
    ):
        if not ports:
            continue
        kind, asked, answered = key
        among = "{ " + ", ".join(str(port) for port in sorted(ports)) + " }"
        sets.append(f"set {name} {{\n    type {kind}\n    size 4096\n    flags dynamic,timeout\n    timeout 5s\n  }}")
        hear.append(f'iifname != "lo" udp dport {among} update @{name} {{ {asked} }}')
        out.append(f"{answered} @{name} limit rate 50/second burst 50 packets accept")
    return "\n  ".join(sets), hear, out


def interface():
    return next((name for _, name in socket.if_nameindex() if name != "lo"), None)


def asked(name, request):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return fcntl.ioctl(probe, request, struct.pack("256s", name.encode()))


def broadcast_of(name):
    return socket.inet_ntoa(asked(name, SIOCGIFBRDADDR)[20:24])


def announce(kinds, workgroup):
    """Sends all; a kind that cannot be sent is told on standard error and is no reason to have no decoy."""
    name = interface()
    if name is None:
        return
    host = os.uname().nodename.split(".")[0]
    address, mac = asked(name, SIOCGIFADDR)[20:24], asked(name, SIOCGIFHWADDR)[18:24]
    packets = {
        "dhcp": [(68, (EVERYBODY, 67), inform(host, address, mac))],
        "netbios": [(137, (broadcast_of(name), 137), text) for text in registrations(host, workgroup, address)],
        "mdns": [(5353, MDNS, answer(host, address))],
    }
    for turn in range(TIMES):
        for kind in kinds:
            try:
                if kind == "arp":
                    say_mac(name, mac)
                for port, to, packet in packets.get(kind, ()):
                    send(name, address, port, to, packet)
            except OSError as error:
                sys.stderr.write(f"{kind} not announced: {error.strerror}\n")
        time.sleep(BETWEEN if turn + 1 < TIMES else 0)


def say_mac(name, mac):
    """With arp_notify set, a device that gets an address of its own tells it to all, also if it is the one it had."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, SIOCSIFHWADDR, struct.pack("16sH6s232x", name.encode(), 1, mac))


def send(name, address, port, to, packet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        # The service of this port may have begun to listen meanwhile.
        out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, address)
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        out.bind((socket.inet_ntoa(address), port))
        out.sendto(packet, to)


def inform(host, address, mac):
    """As Windows does for its proxy settings: type 8, client id, name, vendor class, and what it would like to know."""
    head = struct.pack("!BBBB4sHH4s12x16s192x", 1, 1, 6, 0, os.urandom(4), 0, 0, address, mac)
    options = [(53, b"\x08"), (61, b"\x01" + mac), (12, host.encode()), (60, b"MSFT 5.0")]
    options.append((55, bytes([1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252])))
    text = b"".join(bytes([code, len(value)]) + value for code, value in options)
    return head + b"\x63\x82\x53\x63" + text + b"\xff"


def registrations(host, workgroup, address):
    """For each name: broadcast registration with recursion desired, one question, the record it asks for."""
    machine = host.upper()[:15]
    for name, suffix, group in ((machine, 0x00, False), (workgroup.upper()[:15], 0x00, True), (machine, 0x20, False)):
        encoded = b"\x20" + first_level(name, suffix) + b"\x00"
        question = encoded + struct.pack("!HH", 0x20, 1)
        record = struct.pack("!HHHIHH4s", 0xC00C, 0x20, 1, 300_000, 6, 0x8000 if group else 0, address)
        yield os.urandom(2) + struct.pack("!HHHHH", 0x2910, 1, 0, 0, 1) + question + record


def first_level(name, suffix):
    """RFC 1001, 14.1: each half of a byte as a letter from A on."""
    raw = name.encode("ascii", "replace").ljust(15) + bytes([suffix])
    return bytes(letter for byte in raw for letter in (0x41 + (byte >> 4), 0x41 + (byte & 15)))


def answer(host, address):
    """An unsolicited answer, with the bit that says that it is the only one."""
    label = host.encode()[:63]
    name = bytes([len(label)]) + label + b"\x05local\x00"
    return struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + name + struct.pack("!HHIH4s", 1, 0x8001, 120, 4, address)

"""
How the host's packets look, as far as a packet filter can change them: network.json -> rules of table marshlight_stack.

The words of network.json are those of agent/decoys/pod-network.ts. What a word does stands beside its rule. Bytes of
options are written where Linux puts them in a SYN-ACK (tcp_output.c): MSS; SACK permitted and timestamps, or padding and
timestamps, or padding and SACK permitted; padding and window scale.
"""

import json
import os

import presence

NETWORK = os.environ.get("MARSHLIGHT_NETWORK_FILE", "/marshlight/control/network.json")
TABLE = "marshlight_stack"
LONGEST = 4096
WORDS = {
    "ipId": ("kernel", "increment", "random"),
    "dontFragment": ("kernel", "open", "never"),
    "options": ("kernel", "scale-first"),
    "oddProbes": ("kernel", "reset"),
    "resetAck": ("kernel", "filled"),
    "echoCode": ("kernel", "zero"),
    "closedTcp": ("reset", "drop"),
    "closedUdp": ("unreachable", "drop"),
}
# Ports of services that answer to all of a link, or from a new port: presence.py.
PORTS = ("answers", "transfers")
NUMBERS = {"window": 65535, "mss": 9000, "windowScale": 14, "ipIdFrom": 59999}

# Of a packet that a port without a listener answers: RST, with ACK if the packet had none.
RESET = "tcp flags & (syn | rst) == rst"
SYN_ACK = "tcp flags & (syn | rst | ack) == syn | ack"


def wanted():
    """What the file says, and why it cannot be used. A missing file: as the kernel does it."""
    try:
        with open(NETWORK, "rb") as file:
            said = json.loads(file.read(LONGEST))
        if not isinstance(said, dict):
            raise ValueError("not an object")
        unknown = set(said) - set(WORDS) - set(NUMBERS) - {"announce", "workgroup", *PORTS}
        if unknown:
            raise ValueError(f"unknown: {sorted(unknown)}")
        for key, words in WORDS.items():
            if said.get(key, words[0]) not in words:
                raise ValueError(f"{key}: {said[key]!r}")
        for key, most in NUMBERS.items():
            if type(said.get(key, 0)) is not int or not 0 <= said.get(key, 0) <= most:
                raise ValueError(f"{key}: {said[key]!r}")
        kinds, workgroup = said.get("announce", []), said.get("workgroup", "")
        if not isinstance(kinds, list) or not set(kinds) <= set(presence.KINDS):
            raise ValueError(f"announce: {kinds!r}")
        for key in PORTS:
            ports = said.get(key, [])
            if not isinstance(ports, list) or not all(type(port) is int and 0 < port < 65536 for port in ports[:9]):
                raise ValueError(f"{key}: {ports!r}")
            if len(ports) > 8:
                raise ValueError(f"{key}: {len(ports)} ports")
        if not isinstance(workgroup, str) or not 0 <= len(workgroup) <= 15:
            raise ValueError(f"workgroup: {workgroup!r}")
        return said, None
    except FileNotFoundError:
        return {}, None
    except (OSError, ValueError, TypeError) as error:
        return {}, f"{NETWORK}: {error}"[:300]


def rules(said):
    """Rules by chain: `output` sees each packet, `synack` the answers of open ports, `input` what comes."""
    word = lambda key: said.get(key, WORDS[key][0])  # noqa: E731
    output, synack, entering = [], [], []
    if word("closedTcp") == "drop":
        # A reset of an open connection has a sequence number and goes out.
        output.append(f"{RESET} tcp flags & ack == ack tcp sequence 0 drop")
        output.append(f"{RESET} tcp flags & ack == 0x0 drop")
    if word("closedUdp") == "drop":
        output.append("icmp type destination-unreachable drop")
    if word("dontFragment") == "never":
        output.append("ip frag-off & 0x4000 != 0x0 ip frag-off set 0x0")
    if word("dontFragment") == "open":
        output.append(f"{RESET} ip frag-off set 0x0")
    if word("ipId") == "increment":
        # A 16-bit field takes the upper half of the four bytes that a counter is.
        output.append(f"ip id set numgen inc mod 60000 offset {said.get('ipIdFrom', 0)} << 16")
    if word("ipId") == "random":
        output.append("ip id set numgen random mod 65535 offset 1 << 16")
    if word("echoCode") == "zero":
        output.append("icmp type echo-reply icmp code set 0")
    if word("resetAck") == "filled":
        output.append(f"{RESET} tcp flags & ack == 0x0 tcp ackseq 0 tcp ackseq set numgen random mod 4294967294 offset 1")
    if said.get("window"):
        synack.append(f"tcp window set {said['window']}")
    if said.get("mss"):
        # The kernel only ever makes it smaller this way.
        synack.append(f"tcp option maxseg size set {said['mss']}")
    if "windowScale" in said:
        scaling = f"0x010303{said['windowScale']:02x}"
        for words, bit in ((10, 288), (8, 224), (7, 192)):
            synack.append(f"tcp doff {words} @th,{bit},24 0x010303 @th,{bit},32 set {scaling}")
        if word("options") == "scale-first":
            # MSS SACK TS N WS -> MSS N WS SACK TS: the twelve bytes move back by four, from the last on.
            synack += [
                "tcp doff 10 @th,288,32 set @th,256,32",
                "tcp doff 10 @th,256,32 set @th,224,32",
                "tcp doff 10 @th,224,32 set @th,192,32",
                f"tcp doff 10 @th,192,32 set {scaling}",
                # MSS N N SACK N WS -> MSS N WS N N SACK.
                f"tcp doff 8 @th,192,32 0x01010402 @th,224,32 set 0x01010402 @th,192,32 set {scaling}",
            ]
    if word("oddProbes") == "reset":
        entering.append("tcp flags & (fin | syn | rst | psh | ack | urg) == 0x0 reject with tcp reset")
        entering.append("tcp flags & (fin | syn | rst) == fin | syn reject with tcp reset")
    if synack:
        output.append(f"{SYN_ACK} jump synack")
    return {"output": output, "synack": synack, "input": entering}


def text(said):
    chains = rules(said)
    body = {name: "\n    ".join(lines) for name, lines in chains.items()}
    return f"""
table ip {TABLE}
delete table ip {TABLE}
table ip {TABLE} {{
  chain synack {{
    {body["synack"]}
  }}
  chain output {{
    type filter hook output priority 300; policy accept;
    oifname "lo" accept
    {body["output"]}
  }}
  chain input {{
    type filter hook input priority -10; policy accept;
    iifname "lo" accept
    {body["input"]}
  }}
}}
"""


def compare(said, entries):
    """Entries of `nft -j list table`; None when each chain has as many rules as it shall."""
    found = {}
    for entry in entries:
        if "rule" in entry:
            found[entry["rule"]["chain"]] = found.get(entry["rule"]["chain"], 0) + 1
    for name, lines in rules(said).items():
        expected = len(lines) + (0 if name == "synack" else 1)
        if found.get(name, 0) != expected:
            return f"chain {name} has {found.get(name, 0)} rules, not {expected}"
    return None

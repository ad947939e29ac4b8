"""Scenarios on two wires: packets in on either side, and exactly what has to come out of it, through `sallyport replay
--inside-in --outside-in`. A scenario is a function over a Scenario:

    @case("N1 one inside port keeps its outside port")
    def _(t):
        query = udp(A, 5000, S, 7000, b"question")
        t.inside(query, outside=seen(query, src=E))              # what leaves by the outside wire, byte for byte
        t.outside(udp(S, 7000, E, 5000, b"answer"), inside=seen(udp(S, 7000, A, 5000, b"answer")))
        t.wait(301)                                              # nothing may come out meanwhile
        t.outside(udp(S, 7000, E, 5000, b"too late"), drop="no_mapping")
        t.flow(src_ip=A, reason="timeout")                       # the flow records, in any order

Everything is checked: packets that nobody expects, drops that nobody names and records that nobody describes (once one is
described) fail. Expected packets are scapy packets without Ethernet header, or functions that look at one and answer whether
it is right. Where it does not matter what comes out, `inside=ANYTHING`."""

import collections
import json
import struct
import subprocess

from scapy.layers.l2 import Ether
from scapy.packet import Packet

ANYTHING = object()
START_US = 1_700_000_000_000_000
STEP_US = 1000

# The cast: two inside hosts, the server and another one, the egress address; the same in IPv6.
A, B, S, S2, E = "10.1.2.3", "10.1.2.4", "198.51.100.7", "198.51.100.8", "203.0.113.1"
A6, B6, S6, S26, E6 = "fd00:1::3", "fd00:1::4", "2001:db8:51::7", "2001:db8:51::8", "2001:db8:113::1"
CAST = {4: (A, B, S, S2, E), 6: (A6, B6, S6, S26, E6)}

ALLOW = """
[[egress_network]]
namespace = "linkerd-egress"
name = "everything"
traffic_policy = "Allow"
networks = [ { cidr = "0.0.0.0/0" }, { cidr = "::/0" } ]
"""
SNAT = """
[snat]
addresses = ["203.0.113.1", "2001:db8:113::1"]
"""

CASES = []


def case(name, policy=ALLOW + SNAT, config=""):
    """Registers a scenario. `config`: a sallyport.toml, without its policy."""
    def register(function):
        CASES.append(Scenario(name, policy, config, function))
        return function
    return register


def both_families(name, **more):
    """The same for IPv4 and IPv6; the function takes the five addresses, too."""
    def register(function):
        for version, cast in CAST.items():
            case(f"{name}, IPv{version}", **more)(lambda t, cast=cast: function(t, *cast))
        return function
    return register


# ---- a scenario ----------------------------------------------------------------------------------------------------

class Step:
    def __init__(self, what, time_us, inside, outside):
        self.what, self.time_us = what, time_us
        self.expected = {"inside": listed(inside), "outside": listed(outside)}
        self.got = {"inside": [], "outside": []}

    def wrong(self):
        for wire, expected in self.expected.items():
            got = self.got[wire]
            if expected is ANYTHING:
                continue
            good = len(got) == len(expected) and all(matches(e, g) for e, g in zip(expected, got))
            if not good:
                yield (f"{self.what}: by the {wire} wire should leave:\n" + "".join(f"    {shown(e)}\n" for e in expected)
                       + "  but there left:\n" + "".join(f"    {shown(g)}\n" for g in got))


class Scenario:
    def __init__(self, name, policy, config, function):
        self.name, self.policy, self.config, self.function = name, policy, config, function

    def play(self, program, folder):
        """What is wrong, as text."""
        self.now_us = START_US
        self.steps, self.frames = [], {"inside": [], "outside": []}
        self.drops, self.wanted_flows, self.wanted_blocks = collections.Counter(), [], []
        self.function(self)
        done, out, flows = self._replay(program, folder)
        if done.returncode != 0:
            return f"status {done.returncode}: {done.stderr[-3000:]}"
        self._attribute(out)
        problems = [problem for step in self.steps for problem in step.wrong()]
        drops = dropped(done.stdout)
        if drops != +self.drops:
            problems.append(f"dropped {dict(drops)}, expected {dict(self.drops)}")
        problems += list(self._wrong_flows([flow for flow in flows if flow["event_type"] == "flow"]))
        problems += list(self._wrong_blocks([flow for flow in flows if flow["event_type"] == "nat_port_block"]))
        return "\n".join(problems)

    # what happens
    def inside(self, packet, inside=None, outside=None, drop=None):
        """Comes in from inside. What leaves: nothing, a packet, or a list of them. `drop`: the reason it ends under."""
        self._take("inside", packet, inside, outside, drop)

    def outside(self, packet, inside=None, outside=None, drop=None):
        self._take("outside", packet, inside, outside, drop)

    def wait(self, seconds, inside=None, outside=None):
        self.steps.append(Step(f"step {len(self.steps) + 1}, {seconds} s", self.now_us + 1, inside, outside))
        self.now_us += int(seconds * 1_000_000)

    # what has to be said of it
    def flow(self, **wanted):
        """A record with these members, wherever in it they stand: action="deny", reason="route" (of the verdict),
        end="timeout", sni=.., rule=.., egress=.., nat_ip=.., nat_port=.., src_ip=.., pkts_toserver=.."""
        self.wanted_flows.append(wanted)

    def block(self, source, first, last, action="allocated", egress=E):
        """The next record of ports that were given to a source, or taken back."""
        self.wanted_blocks.append((action, source, egress, first, last))

    def any_blocks(self):
        """Whatever is recorded of ports."""
        self.wanted_blocks = ANYTHING

    def drop(self, **reasons):
        self.drops.update(reasons)

    def _take(self, wire, packet, inside, outside, drop):
        self.now_us += STEP_US
        self.steps.append(Step(f"step {len(self.steps) + 1}, {wire} {shown(packet)}", self.now_us, inside, outside))
        frame = packet if isinstance(packet, (Ether, bytes)) else Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet
        self.frames[wire].append((self.now_us, bytes(frame)))
        if drop:
            self.drops[drop] += 1

    def _replay(self, program, folder):
        (folder / "policy.toml").write_text(self.policy, encoding="utf-8")
        command = [program, "replay", "--policy", folder / "policy.toml", "--out", folder / "out.pcapng", "--flows",
                   folder / "flows.jsonl"]
        if self.config:
            (folder / "sallyport.toml").write_text(self.config, encoding="utf-8")
            command += ["--config", folder / "sallyport.toml"]
        for wire, frames in self.frames.items():
            write_pcap(folder / f"{wire}.pcap", frames)
            command += [f"--{wire}-in", folder / f"{wire}.pcap"]
        for output in (folder / "out.pcapng", folder / "flows.jsonl"):
            output.unlink(missing_ok=True)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300, check=False)
        if done.returncode != 0:
            return done, [], []
        flows = (folder / "flows.jsonl").read_text(encoding="utf-8").splitlines()
        return done, read_pcapng(folder / "out.pcapng"), [json.loads(line) for line in flows]

    def _attribute(self, out):
        """Each packet that left, to the step during which it did."""
        for wire, time_us, frame in out:
            step = [step for step in self.steps if step.time_us <= time_us][-1]
            exact = [step for step in self.steps if step.time_us == time_us]
            step = exact[-1] if exact else step
            step.got[wire].append(Ether(frame).payload)

    def _wrong_flows(self, flows):
        if not self.wanted_flows:
            return
        left = [flattened(flow) for flow in flows]
        for wanted in self.wanted_flows:
            found = [flow for flow in left if all(flow.get(key) == value for key, value in wanted.items())]
            if found:
                left.remove(found[0])
            else:
                yield f"no record with {wanted} among {[flattened(flow) for flow in flows]}"
        if left:
            yield f"records that nobody described: {left}"


    def _wrong_blocks(self, records):
        got = [(r["port_block"]["action"], r["src_ip"], r["port_block"]["src_ip"], r["port_block"]["first_port"],
                r["port_block"]["last_port"]) for r in records]
        if self.wanted_blocks is not ANYTHING and got != self.wanted_blocks:
            yield f"records of port blocks {got}, expected {self.wanted_blocks}"


def flattened(record):
    flat = {key: value for key, value in record.items() if not isinstance(value, dict)}
    flat.update(record["flow"])
    flat["end"] = flat.pop("reason", None)
    flat.update(record["verdict"])
    flat.update(record.get("source", {}))
    flat.update({"nat_ip": record["nat"]["src_ip"], "nat_port": record["nat"]["src_port"], "egress": record["nat"].get("egress")}
                if "nat" in record else {})
    for app in ("tls", "quic", "http", "socks"):
        flat.update(record.get(app, {}))
    return flat


def listed(expected):
    if expected is None:
        return []
    return list(expected) if isinstance(expected, (list, tuple)) else expected if expected is ANYTHING else [expected]


def matches(expected, packet):
    return bytes(expected) == bytes(packet) if isinstance(expected, Packet) else expected(packet)


def shown(packet):
    if isinstance(packet, Packet):
        octets = bytes(packet).hex()
        return f"{packet.summary()} [{octets if len(octets) < 400 else octets[:400] + '..'}]"
    return (packet.__doc__ or "what a function says") if callable(packet) else repr(packet)


def dropped(summary):
    """The reasons below "packets dropped"."""
    drops, inside = collections.Counter(), False
    for line in summary.splitlines():
        if not line.startswith("  "):
            inside = line.startswith("packets dropped")
        elif inside:
            reason, count = line.split()[:2]
            drops[reason] = int(count)
    return drops


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for time_us, frame in frames:
            file.write(struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, len(frame), len(frame)) + frame)


def read_pcapng(path):
    """(interface name, microseconds, frame) of a file that sallyport wrote."""
    data = path.read_bytes()
    names, packets, at = [], [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + length - 4]
        if kind == 1:
            size = struct.unpack_from("<H", body, 10)[0]
            names.append(body[12:12 + size].decode())
        elif kind == 6:
            interface, high, low, captured = struct.unpack_from("<IIII", body)
            packets.append((names[interface], ((high << 32) | low) // 1000, body[20:20 + captured]))
        at += length
    return packets

"""Captures of one wire (`--in` alone): whose side is whose, what was captured in other ways than on an Ethernet, and what
replay says of captures that are broken."""

import collections
import json
import struct
import subprocess

from packets import client_hello
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from crafted import echo, fixed, icmp_error, seen, tcp, udp
from wires import A, A6, ALLOW, B, E, E6, S, S6, SNAT, START_US, dropped, flattened, read_pcapng

HELLO = client_hello("httpbin.org")
NAMED = {"sni": "httpbin.org", "action": "allow"}
CASES = []


class Capture:
    """One capture, replayed with an Allow network and translation; `link` as pcap numbers link types."""

    def __init__(self, program, folder, packets, link=1, gap_us=1000, policy=ALLOW + SNAT, file=None):
        path = folder / "in.pcap"
        path.write_bytes(file if file is not None else pcap(packets, link, gap_us))
        (folder / "policy.toml").write_text(policy, encoding="utf-8")
        out, flows = folder / "out.pcapng", folder / "flows.jsonl"
        done = subprocess.run([program, "replay", "--policy", folder / "policy.toml", "--in", path, "--out", out, "--flows", flows],
                              capture_output=True, text=True, errors="replace", timeout=300, check=False)
        self.status, self.errors = done.returncode, "".join(
            line for line in done.stderr.splitlines(True) if "cluster.networks" not in line)
        self.drops = dropped(done.stdout)
        self.out = collections.defaultdict(list)
        for wire, _time, frame in read_pcapng(out) if out.exists() else []:
            self.out[wire].append(Ether(frame).payload)
        self.flows = [flattened(json.loads(line)) for line in flows.read_text(encoding="utf-8").splitlines()] if flows.exists() else []

    def expect(self, outside=(), inside=(), drops=None, flows=(), status=0):
        """Everything that left, what was dropped, and a member or more of every record."""
        assert self.status == status, f"status {self.status}: {self.errors}"
        for wire, expected in (("outside", outside), ("inside", inside)):
            got = self.out[wire]
            assert [bytes(p) for p in got] == [bytes(p) for p in expected], (
                f"by the {wire} wire left {got}, expected {list(expected)}")
        assert self.drops == collections.Counter(drops or {}), f"dropped {dict(self.drops)}"
        left = list(self.flows)
        for wanted in flows:
            found = [flow for flow in left if all(flow.get(key) == value for key, value in wanted.items())]
            assert found, f"no record with {wanted} among {left}"
            left.remove(found[0])
        assert not left, f"more records: {left}"


def pcap(packets, link=1, gap_us=1000, originals=()):
    """`packets`: scapy packets or bytes; a number is a pause in seconds."""
    now, frames = START_US, []
    for packet in packets:
        if isinstance(packet, (int, float)):
            now += int(packet * 1_000_000)
            continue
        frame = packet if isinstance(packet, bytes) else bytes(packet if link != 1 or isinstance(packet, Ether) else Ether() / packet)
        now += gap_us
        frames.append((now, frame))
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for i, (time, frame) in enumerate(frames):
        original = originals[i] if i < len(originals) else len(frame)
        out += struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(frame), original) + frame
    return out


def one_wire(name):
    def register(function):
        def play(program, folder):
            try:
                function(lambda *args, **more: Capture(program, folder, *args, **more))
            except AssertionError as wrong:
                return str(wrong)
            return ""
        CASES.append((name, play))
        return function
    return register


@one_wire("the first sender is inside, answers come as a server would send them")
def _(replay):
    for a, s, e in ((A, S, E), (A6, S6, E6)):
        talk = [udp(a, 5000, s, 53, b"q"), udp(s, 53, a, 5000, b"a"), echo(a, s, 7), echo(s, a, 7, reply=True),
                tcp(a, 40000, s, 443), tcp(s, 443, a, 40000, "SA", 5000, 1001)]
        replay(talk).expect(outside=[seen(p, src=e) for p in talk[::2]], inside=[seen(p) for p in talk[1::2]],
                            flows=[{"src_ip": a, "nat_ip": e, "pkts_toserver": 1, "pkts_toclient": 1}] * 3)


@one_wire("two hosts with one port: the answers find theirs")
def _(replay):
    talk = [tcp(A, 40000, S, 443), tcp(B, 40000, S, 443), tcp(S, 443, B, 40000, "SA", 1, 1001), tcp(S, 443, A, 40000, "SA", 1, 1001)]
    done = replay(talk)
    assert [bytes(p) for p in done.out["inside"]] == [bytes(seen(p)) for p in talk[2:]]
    assert len({flow["nat_port"] for flow in done.flows}) == 2 and not done.drops


@one_wire("a SYN-ACK that comes first is from outside")
def _(replay):
    ack = tcp(A, 40000, S, 443, "A", 1001, 5001)
    more = tcp(S, 443, A, 40000, "PA", 5001, 1001, b"data")
    replay([tcp(S, 443, A, 40000, "SA", 5000, 1001), ack, more]).expect(
        outside=[seen(ack, src=E)], inside=[seen(more)], drops={"no_mapping": 1}, flows=[{"src_ip": A, "dest_ip": S}])


@one_wire("flows are picked up in mid-stream, whoever speaks first")
def _(replay):
    data, answer = tcp(A, 40000, S, 443, "PA", 1001, 5001, HELLO), tcp(S, 443, A, 40000, "A", 5001, 1001 + len(HELLO))
    replay([data, answer]).expect(outside=[seen(data, src=E)], inside=[seen(answer)], flows=[{"src_ip": A, **NAMED}])


@one_wire("after its timeout a UDP flow may begin from the other side")
def _(replay):
    first, second = udp(A, 123, S, 123, b"1"), udp(S, 123, A, 123, b"2")
    done = replay([first, 301, second])
    done.expect(outside=[seen(first, src=E), seen(second)], flows=[{"src_ip": A}, {"src_ip": S}])


@one_wire("ICMP errors of either direction find their flow")
def _(replay):
    question, answer = udp(A, 5000, S, 53, b"question"), udp(S, 53, A, 5000, b"answer")
    from_router = icmp_error("192.0.2.1", A, 3, 1, question)
    from_host = icmp_error(A, S, 3, 3, answer)
    done = replay([question, answer, from_router, from_host])
    assert not done.drops and len(done.flows) == 1
    assert bytes(done.out["inside"][1].payload) == bytes(icmp_error("192.0.2.1", A, 3, 1, question).payload)
    assert done.out["outside"][1].src == E and bytes(seen(answer, dst=E, hops=0)) in bytes(done.out["outside"][1])


@one_wire("wrong IPv4 header checksums are let through")
def _(replay):
    question = udp(A, 5000, S, 53, b"question")
    question.chksum = 0
    done = replay([question])
    assert not done.drops and done.out["outside"][0].src == E


@one_wire("link types: raw IP, loopback, Linux cooked, PPP, C-HDLC, PPPoE")
def _(replay):
    hello = tcp(A, 40000, S, 443, "PA", 1001, 5001, HELLO)
    ipv4, ip_bytes = b"\x08\x00", bytes(hello)
    heads = {101: b"", 12: b"", 14: b"", 228: b"", 0: b"\2\0\0\0", 108: b"\0\0\0\2", 113: bytes(14) + ipv4, 276: ipv4 + bytes(18),
             9: b"\xff\x03\x00\x21", 50: b"\x21", 104: b"\x0f\x00" + ipv4, 51: b"\x11\0\0\1\0\0\0\x21"}
    for link, head in heads.items():
        replay([head + ip_bytes], link=link).expect(outside=[seen(hello, src=E)], flows=[NAMED])
    replay([bytes(tcp(A6, 40000, S6, 443, "PA", 1001, 5001, HELLO))], link=229).expect(
        outside=[seen(tcp(A6, 40000, S6, 443, "PA", 1001, 5001, HELLO), src=E6)], flows=[NAMED])


@one_wire("what a short snap length has cut off is filled up")
def _(replay):
    whole = [Ether() / tcp(A, 40000, S, 443), Ether() / tcp(A, 40000, S, 443, "PA", 1001, 1, b"x" * 1000)]
    cut = [bytes(frame)[:60] for frame in whole]
    done = replay([], file=pcap(cut, originals=[len(bytes(frame)) for frame in whole]))
    done.expect(outside=done.out["outside"], flows=[{"pkts_toserver": 2, "bytes_toserver": sum(len(bytes(f)) for f in whole)}])
    assert [len(bytes(p)) for p in done.out["outside"]] == [len(bytes(f)) - 14 for f in whole]


@one_wire("a tunnel's packet in pieces, and pieces inside a tunnel")
def _(replay):
    hello = tcp(A, 40000, S, 443, "PA", 1001, 5001, HELLO)
    outer = fixed(IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=1, dport=4789) / VXLAN(vni=7) / Ether() / hello)
    replay(fragment(outer, 200)).expect(outside=[seen(hello, src=E)], flows=[NAMED])
    inner = [fixed(IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=1, dport=4789) / VXLAN(vni=7) / Ether() / part)
             for part in fragment(udp(A, 5000, S, 53, b"x" * 600), 200)]
    done = replay(inner[::-1])
    assert not done.drops and len(done.flows) == 1 and done.flows[0]["src_ip"] == A and done.flows[0]["pkts_toserver"] == 1


@one_wire("fragments whose rest is missing end under their name")
def _(replay):
    parts = fragment(udp(A, 5000, S, 53, b"x" * 600), 200)
    replay(parts[:-1]).expect(drops={"fragment_timeout": len(parts) - 1})
    replay([parts[0], 3, *parts[1:]]).expect(drops={"fragment_timeout": len(parts)})


@one_wire("frames from before segmentation leave as they came")
def _(replay):
    large = tcp(A, 40000, S, 443, "PA", 1001, 5001, bytes(60000))
    replay([large]).expect(outside=[seen(large, src=E)], flows=[{"pkts_toserver": 1}])
    without_length = large.copy()
    without_length.len = 0
    done = replay([without_length])
    assert not done.drops and bytes(done.out["outside"][0].payload) == bytes(seen(large, src=E).payload)


@one_wire("time never runs back")
def _(replay):
    first, second = udp(A, 5000, S, 53, b"1"), udp(A, 5000, S, 53, b"2")
    done = replay([first, -3600, second])
    done.expect(outside=[seen(p, src=E) for p in (first, second)], flows=[{"pkts_toserver": 2}])
    assert done.flows[0]["start"] <= done.flows[0]["end"]


@one_wire("a capture that breaks off: what came before counts, the place is named")
def _(replay):
    question = udp(A, 5000, S, 53, b"q")
    whole = pcap([question, question])
    done = replay([], file=whole[:-1])
    done.expect(outside=[seen(question, src=E)], flows=[{"pkts_toserver": 1}], status=1)
    assert f"in.pcap: offset {24 + 16 + 14 + len(bytes(question))}: a record of" in done.errors, done.errors


@one_wire("what is no capture, and link types that nobody reads")
def _(replay):
    done = replay([], file=b"GIF89a, certainly no capture")
    assert done.status == 1 and "offset 0: no capture" in done.errors, done.errors
    done = replay([bytes(64)], link=127)
    assert done.status == 1 and "link type 127" in done.errors, done.errors
    replay([], file=pcap([])).expect()

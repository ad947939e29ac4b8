"""P16: a capture made on the spot, through `sallyport replay`, the generator's replay and tcpdump, in turn."""

import json
import pathlib
import resource
import struct
import subprocess
import tempfile

from figures import Figure, Limit, judged

FLOWS = 4000
POLICY = """
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.1"]
"""
SYN, SYN_ACK, ACK, PUSH_ACK = 0x02, 0x12, 0x10, 0x18
HANDSHAKE = ((True, 1000, 0, SYN), (False, 5000, 1001, SYN_ACK), (True, 1001, 5001, ACK))
PAYLOAD = bytes(600)


def segment(flow, from_client, sequence, acknowledgment, flags, payload):
    """Ethernet, IPv4 with its checksum, TCP without: nobody here looks at that one."""
    client = 0x0A010000 + flow // 60 + 1, 20000 + flow % 60
    server = 0xC6336407, 443
    (source, source_port), (destination, destination_port) = (client, server) if from_client else (server, client)
    length = 40 + len(payload)
    words = 0x4500 + length + 0x4000 + 0x4006 + sum(address >> 16 for address in (source, destination))
    words += sum(address & 0xFFFF for address in (source, destination))
    words = (words & 0xFFFF) + (words >> 16)
    checksum = ~(words + (words >> 16)) & 0xFFFF
    return (b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0"
            + struct.pack(">BBHHHBBHII", 0x45, 0, length, 0, 0x4000, 64, 6, checksum, source, destination)
            + struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, acknowledgment, 0x50, flags, 65535, 0, 0) + payload)


def data(flow, number):
    """Client and server send in turn, each as many as the other before."""
    rounds, by_server = divmod(number, 2)
    client = 1001 + (rounds + by_server) * len(PAYLOAD)
    server = 5001 + rounds * len(PAYLOAD)
    own, other = (server, client) if by_server else (client, server)
    return segment(flow, not by_server, own, other, PUSH_ACK, PAYLOAD)


def write_capture(path, packets):
    """TCP connections side by side: handshakes, then data of both sides in turn."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number in range(packets):
            flow, step = number % FLOWS, number // FLOWS
            frame = segment(flow, *HANDSHAKE[step], b"") if step < 3 else data(flow, step - 3)
            file.write(struct.pack("<IIII", 1_700_000_000 + number // 100_000, number % 100_000 * 10, len(frame), len(frame)))
            file.write(frame)


def processor_time(command):
    """User and system time of one process, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stderr.strip()[-300:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


class Captures:
    def __init__(self, build, quick):
        self.build = build
        self.packets = 60_000 if quick else 412_000
        self.turns = 3 if quick else 11

    def p16(self):
        with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as folder:
            capture, policy = pathlib.Path(folder) / "made.pcap", pathlib.Path(folder) / "policy.toml"
            write_capture(capture, self.packets)
            policy.write_text(POLICY, encoding="utf-8")
            ratios = {"replay": [], "generator": []}
            for _ in range(self.turns):
                theirs, _ = processor_time(["tcpdump", "-r", capture, "-w", "/dev/null"])
                ours, _ = processor_time([self.build / "sallyport", "replay", "--policy", policy, "--in", capture])
                ratios["replay"].append(theirs / ours)
                ratios["generator"].append(theirs / self.generator(capture))
        what = f"packets a second of processor time, {self.packets:,} TCP packets of {FLOWS:,} flows, by `tcpdump -r X -w /dev/null`"
        yield judged("P16", f"`sallyport replay`: {what}", Figure.of(ratios["replay"]), Limit(at_least=0.5),
                     "sallyport replay --policy P --in X")
        yield judged("P16", "`sallyport-pktgen replay` flat out into `net_null`: the same", Figure.of(ratios["generator"]),
                     Limit(at_least=0.5), "sallyport-pktgen replay --rate max --in X")

    def generator(self, capture):
        """Time of one loop: what starting takes is in both runs."""
        few, many = 2, 12
        times = {}
        for loops in (few, many):
            command = [self.build / "sallyport-pktgen", "replay", "--device", "net_null0,no-rx=1", "--in", capture, "--rate", "max",
                       "--loops", loops, "--json"]
            times[loops], said = processor_time(command)
            if json.loads(said)["sent"] != loops * self.packets:
                raise RuntimeError(f"the generator has sent {json.loads(said)['sent']} packets")
        return (times[many] - times[few]) / (many - few)

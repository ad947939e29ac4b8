"""What goes in, and what has to be said of it: small captures with the verdicts that their flows must get."""

import random
import struct

from packets import ACK, PSH, SYN, Connection, client_hello, echo, frame, in_records, udp, with_checksum

POLICY = """
[[egress_network]]
namespace = "linkerd-egress"
name = "outside"
traffic_policy = "Deny"

[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "outside", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org", "*.example.com"]

[[udp_route]]
namespace = "linkerd-egress"
name = "udp"
parent_refs = [ { name = "outside", namespace = "linkerd-egress", port = 7000 } ]

[[icmp_route]]
namespace = "linkerd-egress"
name = "ping"
parent_refs = [ { name = "outside", namespace = "linkerd-egress" } ]

[[tcp_route]]
namespace = "linkerd-egress"
name = "database"
parent_refs = [ { name = "outside", namespace = "linkerd-egress", port = 5432 } ]

[snat]
addresses = ["203.0.113.1", "2001:db8:113::1"]
"""
CLIENT, SERVER = "10.1.2.3", "198.51.100.7"
CLIENT6, SERVER6 = "fd00:1::3", "2001:db8:51::7"
GOOD, BAD = client_hello("httpbin.org"), client_hello("denied.example")

ALLOWED = ("allow", "route")
NOT_ALLOWED = ("deny", "name_not_allowed")


class Scenario:
    """`verdicts`: (action, reason) of every flow, in any order. `hidden`: bytes that must not leave the gateway."""

    def __init__(self, name, frames, verdicts, hidden=b""):
        self.name, self.frames, self.verdicts, self.hidden = name, frames, verdicts, hidden


def tls(hello, pieces=None, port=40000, client=CLIENT, server=SERVER):
    return Connection(client, port, server).open().send(hello, pieces).answer().close().frames


def scenarios():
    yield Scenario("a hello in one segment", tls(GOOD), [ALLOWED])
    yield Scenario("a hello in one segment, denied", tls(BAD), [NOT_ALLOWED], b"denied.example")
    yield Scenario("the same over IPv6", tls(GOOD, client=CLIENT6, server=SERVER6), [ALLOWED])
    yield Scenario("denied over IPv6", tls(BAD, client=CLIENT6, server=SERVER6), [NOT_ALLOWED], b"denied.example")
    yield from in_pieces()
    yield from in_records_of_many_sizes()
    yield from wrong_hellos()
    yield from other_protocols()
    yield from never_a_flow()


def in_pieces():
    for hello, verdict, hidden in [(GOOD, ALLOWED, b""), (BAD, NOT_ALLOWED, b"denied.example")]:
        word = verdict[0]
        cuts = range(1, len(hello))
        split = [tls(hello, [(0, cut), (cut, len(hello))], 20000 + cut) for cut in cuts]
        yield Scenario(f"cut at every place, {word}", flat(split), [verdict] * len(cuts), hidden)
        turned = [tls(hello, [(cut, len(hello)), (0, cut)], 20000 + cut) for cut in cuts]
        yield Scenario(f"cut at every place, the second part first, {word}", flat(turned), [verdict] * len(cuts), hidden)
        bytewise = [(i, i + 1) for i in range(len(hello))]
        yield Scenario(f"byte by byte, {word}", tls(hello, bytewise), [verdict], hidden)
        yield Scenario(f"byte by byte, backwards, {word}", tls(hello, bytewise[::-1]), [verdict], hidden)
        doubled = [piece for start in range(0, len(hello), 100) for piece in [(start, min(start + 150, len(hello)))] * 2]
        yield Scenario(f"overlapping and doubled, the same bytes, {word}", tls(hello, doubled), [verdict], hidden)


def in_records_of_many_sizes():
    sizes = [1, 2, 3, 4, 5, 7, 16, 100, 200]
    good = [tls(in_records(GOOD, size), port=20000 + size) for size in sizes]
    bad = [tls(in_records(BAD, size), port=20000 + size) for size in sizes]
    yield Scenario("in records of many sizes", flat(good), [ALLOWED] * len(sizes))
    yield Scenario("in records of many sizes, denied", flat(bad), [NOT_ALLOWED] * len(sizes))


def wrong_hellos():
    half = len(GOOD) // 2
    other = bytearray(GOOD)
    other[half - 10] ^= 0xFF
    conflict = Connection(CLIENT, 40000, SERVER).open()
    conflict.segment(PSH | ACK, GOOD[:half])
    conflict.segment(PSH | ACK, bytes(other[half - 20:half]), sequence=conflict.sequence + half - 20)
    conflict.segment(PSH | ACK, GOOD[half:], sequence=conflict.sequence + half)
    yield Scenario("overlapping with other bytes", conflict.frames, [("deny", "hello_conflict")], GOOD[half:half + 30])

    empty = in_records(GOOD, 100)
    yield Scenario("an empty record", tls(empty[:105] + b"\x16\x03\x01\x00\x00" + empty[105:]), [("deny", "hello_malformed")])
    unfinished = Connection(CLIENT, 40000, SERVER).open().send(BAD[:half]).frames
    yield Scenario("half a hello, then silence", [*unfinished, 20.0, *tls(GOOD, port=40001)],
                   [("deny", "hello_timeout"), ALLOWED], b"denied.example")
    large = b"\x16\x03\x01\x40\x00\x01\x00\x7f\xff" + bytes(16379)
    too_large = Connection(CLIENT, 40000, SERVER).open()
    too_large.send(large, [(i, min(i + 1400, len(large))) for i in range(0, len(large), 1400)])
    yield Scenario("a hello without end", too_large.frames, [("deny", "hello_too_large")], bytes(1000))
    yield Scenario("a hello without a name", tls(client_hello(None)), [("deny", "no_name")])
    yield Scenario("no TLS at all", tls(b"GET / HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"), [("deny", "no_name")], b"httpbin.org")
    yield Scenario("the server speaks first", Connection(CLIENT, 40000, SERVER).open().answer(b"SSH-2.0-peer\r\n").frames,
                   [("deny", "no_name")])
    names = {"HTTPBIN.ORG": ALLOWED, "www.example.com": ALLOWED, "a.b.example.com": ALLOWED, "example.com": NOT_ALLOWED,
             "httpbin.org.evil.org": NOT_ALLOWED, "fooexample.com": NOT_ALLOWED, "xhttpbin.org": NOT_ALLOWED}
    frames = [tls(client_hello(name), port=30000 + i) for i, name in enumerate(names)]
    yield Scenario("names that are near", flat(frames), list(names.values()))


def other_protocols():
    talk = [udp(CLIENT, 5000, SERVER, 7000, b"question"), udp(SERVER, 7000, CLIENT, 5000, b"answer")]
    talk6 = [udp(CLIENT6, 5000, SERVER6, 7000, b"question"), udp(SERVER6, 7000, CLIENT6, 5000, b"answer")]
    yield Scenario("UDP", talk + talk6, [ALLOWED] * 2)
    yield Scenario("UDP on another port", [udp(CLIENT, 5000, SERVER, 7001, b"datagram")], [("deny", "network_default")])
    pings = [echo(CLIENT, SERVER, 7, 1), echo(SERVER, CLIENT, 7, 1, True)]
    pings6 = [echo(CLIENT6, SERVER6, 7, 1), echo(SERVER6, CLIENT6, 7, 1, True)]
    yield Scenario("ping", pings + pings6, [ALLOWED] * 2)
    database = Connection(CLIENT, 40000, SERVER, 5432).open().send(b"startup").answer().close().frames
    yield Scenario("TCP without a name", database, [ALLOWED])
    yield Scenario("TCP on another port", Connection(CLIENT, 40000, SERVER, 25).open().frames, [("deny", "network_default")])

    payload = bytes(range(256)) * 8
    body = with_checksum(CLIENT, SERVER, 17, struct.pack("!HHHH", 5000, 7000, 8 + len(payload), 0) + payload, 6)
    parts = [frame(CLIENT, SERVER, 17, body[i:i + 1024], fragment=(i // 8) | (0x2000 if i + 1024 < len(body) else 0))
             for i in range(0, len(body), 1024)]
    yield Scenario("UDP in fragments", parts, [ALLOWED])
    yield Scenario("UDP in fragments, backwards", parts[::-1], [ALLOWED])


def never_a_flow():
    martians = [udp("127.0.0.1", 1, SERVER, 7000, b"x"), udp(CLIENT, 1, "224.0.0.1", 7000, b"x"), udp(CLIENT, 1, CLIENT, 1, b"x"),
                udp("0.1.2.3", 1, SERVER, 7000, b"x"), udp("fe80::1", 1, SERVER6, 7000, b"x"), udp("::1", 1, SERVER6, 7000, b"x")]
    yield Scenario("martians", martians, [])


def everything():
    """All frames of all scenarios, as one capture."""
    return [one for scenario in scenarios() for one in scenario.frames if isinstance(one, bytes)]


def damaged(seed, count=20000):
    """Frames of the scenarios with bytes changed, cut off and doubled: nobody knows the right answer, but there is one."""
    steady = random.Random(seed)
    source = everything()
    frames = []
    for _ in range(count):
        one = bytearray(steady.choice(source))
        for _ in range(steady.choice([0, 1, 1, 2, 8])):
            one[steady.randrange(len(one))] = steady.choice([0, 1, 0x7F, 0x80, 0xFF, steady.randrange(256)])
        if steady.random() < 0.1:
            one = one[:steady.randrange(1, len(one) + 1)]
        frames += [bytes(one)] * (2 if steady.random() < 0.05 else 1)
    return frames


def syn_flood(count=20000):
    return [Connection(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 1024 + i % 60000, SERVER, 5432).segment(SYN).frames[0]
            for i in range(count)]


def flat(lists):
    return [one for some in lists for one in some]

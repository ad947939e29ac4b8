"""Datagrams in pieces (nat.md 18; RFC 791, 5722, 8200)."""

import itertools

from scapy.layers.inet import UDP, fragment
from scapy.layers.inet6 import IPv6ExtHdrFragment, IPv6, fragment6
from scapy.layers.l2 import Dot1Q, Ether
from cases_nat import CONFIG
from crafted import echo, fixed, named, seen, tcp, udp
from packets import client_hello
from talk import Talk
from wires import A, A6, ANYTHING, B, B6, E, E6, S, S6, SNAT, both_families, case

WORDS = bytes(range(256)) * 10


def cut(packet, size):
    """The packet in fragments that carry at most `size` bytes."""
    if IPv6 not in packet:
        return [fixed(part) for part in fragment(packet, fragsize=size)]
    with_header = packet.copy()
    with_header.payload = IPv6ExtHdrFragment(nh=packet.nh, id=0x1234) / packet.payload
    with_header.nh = 44
    return [fixed(part) for part in fragment6(with_header, size + 40 + 8 + 8)]


class Joined:
    """Fragments that together, in order, are this packet, whatever their identification."""

    def __init__(self, whole):
        self.whole, self.parts = bytes(whole.payload), b""
        self.src, self.dst = whole.src, whole.dst

    def part(self, last):
        def check(packet):
            v6 = IPv6 in packet
            header = packet[IPv6ExtHdrFragment] if v6 else packet
            offset, more = (header.offset, header.m) if v6 else (header.frag, "MF" in header.flags)
            body = bytes(header.payload)
            good = 8 * offset == len(self.parts) and bool(more) != last
            self.parts += body
            return good and (packet.src, packet.dst) == (self.src, self.dst) and self.whole.startswith(self.parts) and (
                not last or self.parts == self.whole)
        return named(check, f"the fragment at {len(self.parts)} ..")

    def of(self, count):
        return [self.part(i == count - 1) for i in range(count)]


@case("N70 in every order, IPv4 and IPv6")
def _(t):
    for order in itertools.permutations(range(3)):
        port = 5000 + sum(place * 10 ** i for i, place in enumerate(order))
        for a, s, e in ((A, S, E), (A6, S6, E6)):
            question = udp(a, port, s, 53, WORDS)
            parts = cut(question, 1000)
            assert len(parts) == 3
            for place in order[:-1]:
                t.inside(parts[place])
            t.inside(parts[order[-1]], outside=Joined(seen(question, src=e)).of(3))


@case("N70 answers in pieces")
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))
    answer = udp(S, 53, E, 5000, WORDS)
    parts = cut(answer, 1000)
    for part in parts[:-1]:
        t.outside(part)
    t.outside(parts[-1], inside=Joined(seen(answer, dst=A)).of(3))
    t.flow(pkts_toserver=1)


@case("N70 pings in pieces")
def _(t):
    ping = echo(A, S, 77, payload=WORDS)
    parts = cut(ping, 1000)
    for part in parts[:-1]:
        t.inside(part)
    t.inside(parts[-1], outside=Joined(seen(ping, src=E)).of(3))


@case("N72 pieces that overlap end the datagram, later ones included")
def _(t):
    for a, s in ((A, S), (A6, S6)):
        first, second, third = cut(udp(a, 5000, s, 53, WORDS), 1000)
        overlapping = second.copy()
        if IPv6 in second:
            overlapping[IPv6ExtHdrFragment].offset -= 1
        else:
            overlapping.frag -= 1
            del overlapping.chksum
            overlapping = fixed(overlapping)
        t.inside(first)
        t.inside(overlapping, drop="fragment_overlap")
        t.drop(fragment_overlap=1)
        t.inside(third, drop="fragment_overlap")


@case("N73 and RFC 3128: a transport header in two pieces")
def _(t):
    first, second = cut(udp(A, 5000, S, 53, b"x" * 8), 8)[:2]
    assert len(bytes(first[UDP])) == 8
    tiny = first.copy()
    tiny.remove_payload()
    tiny = tiny / bytes(first.payload)[:4]
    del tiny.len
    del tiny.chksum
    t.inside(fixed(tiny), drop="fragment_bad")
    overwriting = second.copy()
    overwriting.proto = 6
    del overwriting.chksum
    t.inside(fixed(overwriting), drop="fragment_tiny")


@case("N74 pieces that cannot be")
def _(t):
    first = cut(udp(A, 5000, S, 53, WORDS), 1000)[0]
    past_the_end = first.copy()
    past_the_end.frag = 8100
    del past_the_end.chksum
    t.inside(fixed(past_the_end), drop="fragment_bad")
    uneven = first.copy()
    uneven.remove_payload()
    uneven = uneven / bytes(first.payload)[:999]
    del uneven.len
    del uneven.chksum
    t.inside(fixed(uneven), drop="fragment_bad")


@case("the rest does not come in time")
def _(t):
    parts = cut(udp(A, 5000, S, 53, WORDS), 1000)
    t.inside(parts[0])
    t.inside(parts[1])
    t.wait(2.5)
    t.drop(fragment_timeout=2)
    t.inside(parts[2])
    t.drop(fragment_timeout=1)


@case("N74 an IPv6 packet in one piece (RFC 6946)")
def _(t):
    question = udp(A6, 5000, S6, 53, b"q")
    atomic = question.copy()
    atomic.payload = IPv6ExtHdrFragment(nh=17, id=7) / question.payload
    atomic.nh = 44
    del atomic.plen
    t.inside(fixed(atomic), outside=lambda p: p[UDP].sport == 5000 and p.src == E6)

@case("N70 answers in pieces, IPv6, backwards")
def _(t):
    t.inside(question := udp(A6, 5000, S6, 53, b"q"), outside=seen(question, src=E6))
    answer = udp(S6, 53, E6, 5000, WORDS)
    parts = cut(answer, 1000)
    for part in parts[:0:-1]:
        t.outside(part)
    t.outside(parts[0], inside=Joined(seen(answer, dst=A6)).of(3))


@case("N70 a piece that comes twice is taken once")
def _(t):
    question = udp(A, 5000, S, 53, WORDS)
    parts = cut(question, 1000)
    t.inside(parts[0])
    t.inside(parts[0], drop="fragment_overlap")
    t.inside(parts[1])
    t.inside(parts[2], outside=Joined(seen(question, src=E)).of(3))


@case("N71 pieces that are never completed leave whole packets alone, and make room in time",
      config=CONFIG + "[nat]\nfragments_max = 8\n")
def _(t):
    for number in range(20):
        orphan = cut(udp(A, 5000, S, 53, WORDS), 1000)[0]
        orphan.id = number
        del orphan.chksum
        if number < 8:
            t.inside(fixed(orphan))
        else:
            t.inside(fixed(orphan), drop="fragments_full")
        t.inside(question := udp(A, 6000 + number, S, 53, b"whole"), outside=seen(question, src=E))
    t.wait(3)
    t.drop(fragment_timeout=8)
    question = udp(A, 5000, S, 53, WORDS)
    parts = cut(question, 1000)
    t.inside(parts[0])
    t.inside(parts[1])
    t.inside(parts[2], outside=Joined(seen(question, src=E)).of(3))


def orphan(source, number):
    """The first piece of a datagram whose rest never comes."""
    first = cut(udp(source, 5000, S, 53, WORDS, id=number), 1000)[0]
    return fixed(first)


@case("N71 one sender's pieces leave room for another's", config=CONFIG + "[nat]\nfragments_max = 256\n")
def _(t):
    for number in range(300):  # each costs its datagram and its piece, of a quarter
        t.inside(orphan(A, number), drop="fragments_full" if number >= 32 else None)
    question = udp(B, 5000, S, 53, WORDS)
    parts = cut(question, 1000)
    t.inside(parts[0])
    t.inside(parts[1])
    t.inside(parts[2], outside=Joined(seen(question, src=E)).of(3))
    t.inside(orphan(A, 1000), drop="fragments_full")
    t.wait(3)
    t.drop(fragment_timeout=32)
    t.inside(orphan(A, 1001))
    t.drop(fragment_timeout=1)


@case("N71 where many senders have taken all room, what has waited longest gives way",
      config=CONFIG + "[nat]\nfragments_max = 64\n")
def _(t):
    for number in range(64):
        t.inside(orphan(f"10.1.9.{number + 1}", number))
    question = udp(A, 5000, S, 53, WORDS)
    parts = cut(question, 1000)
    t.inside(parts[2], drop="fragments_full")
    t.inside(parts[0], drop="fragments_full")
    t.inside(parts[1], outside=Joined(seen(question, src=E)).of(3))
    t.drop(fragments_full=1)
    t.wait(3)
    t.drop(fragment_timeout=61)


FORGED = bytes(range(255, -1, -1)) * 10


@both_families("T11 a piece from inside finishes nothing that came from outside", config=CONFIG + "[nat]\nsource_check = false\n")
def _(t, a, b, s, s2, e):
    t.inside(question := udp(a, 5000, s, 53, b"q"), outside=seen(question, src=e))
    answer = udp(s, 53, e, 5000, WORDS)
    parts = cut(answer, 1000)
    t.inside(cut(udp(s, 53, e, 5000, FORGED), 1000)[2])
    for part in parts[:-1]:
        t.outside(part)
    t.outside(parts[-1], inside=Joined(seen(answer, dst=a)).of(3))
    t.wait(3)
    t.drop(fragment_timeout=1)


@both_families("T11 a piece from outside neither begins nor spoils what comes from inside")
def _(t, a, b, s, s2, e):
    question = udp(a, 5000, s, 53, WORDS)
    parts = cut(question, 1000)
    t.outside(cut(udp(a, 5000, s, 53, FORGED), 1000)[0])
    t.inside(parts[1])
    t.outside(parts[2])
    t.inside(parts[2])
    t.inside(parts[0], outside=Joined(seen(question, src=e)).of(3))
    t.wait(3)
    t.drop(fragment_timeout=2)


@case("T11 pieces of two VLANs are not of one datagram")
def _(t):
    def tagged(packet, vlan):
        return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1Q(vlan=vlan) / packet
    question = udp(A, 5000, S, 53, WORDS)
    first, second, third = cut(question, 1000)
    forged = cut(udp(A, 5000, S, 53, FORGED), 1000)[2]
    t.inside(tagged(forged, 20))
    t.inside(tagged(first, 10))
    t.inside(tagged(second, 10))
    joined = Joined(seen(question, src=E)).of(3)
    t.inside(tagged(third, 10), outside=[lambda p, check=check: p.vlan == 10 and check(p.payload) for check in joined])
    t.wait(3)
    t.drop(fragment_timeout=1)


@case("N12 pieces whose sender nobody names do not wait", config=CONFIG)
def _(t):
    t.inside(cut(udp(S, 53, E, 5000, WORDS), 1000)[2], drop="source_check")
    t.inside(cut(udp("127.0.0.1", 5000, S, 53, WORDS), 1000)[0], drop="martian_source")
    t.inside(cut(udp(A, 5000, "127.0.0.1", 53, WORDS), 1000)[1], drop="martian_destination")
    t.outside(cut(udp(E, 53, S, 5000, WORDS), 1000)[1], drop="martian_own_address")
    t.outside(cut(udp(S, 53, E, 5000, WORDS), 1000)[0])
    t.inside(cut(udp(A, 5000, S, 53, WORDS), 1000)[0])
    t.drop(fragment_timeout=2)


NAMES = SNAT + """
[[egress_network]]
namespace = "linkerd-egress"
name = "everything"
traffic_policy = "Deny"
networks = [ { cidr = "0.0.0.0/0" } ]
[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "everything", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org"]
[[udp_route]]
namespace = "linkerd-egress"
name = "datagrams"
parent_refs = [ { name = "everything", namespace = "linkerd-egress", port = 7000 } ]
"""


@case("N71 what waits for a verdict takes no buffer that others' datagrams are put together in", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    hello = client_hello("httpbin.org") + bytes(2000)
    count = 140
    for place in range(count):  # all but its first byte, in segments that each come in two pieces
        segment = tcp(A, 40000, S, 443, "PA", talk.mine + 1 + 8 * place, talk.theirs, hello[1 + 8 * place:9 + 8 * place], id=place)
        for part in cut(segment, 24):
            t.inside(part)
    datagram = udp(B, 5000, S, 7000, WORDS)
    parts = cut(datagram, 1000)
    for part in parts[:-1]:
        t.inside(part)
    t.inside(parts[-1], outside=Joined(seen(datagram, src=E)).of(3))
    t.wait(11, inside=ANYTHING, outside=ANYTHING)
    t.drop(hello_denied=2 * count)
    t.inside(later := udp(B, 5001, S, 7000, b"q"), outside=seen(later, src=E))


@case("N71 a hello in segments that come in pieces is decided and goes on as it came", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    hello, half = client_hello("httpbin.org"), 100
    segments = [tcp(A, 40000, S, 443, "PA", talk.mine + begin, talk.theirs, hello[begin:end], id=begin + 1)
                for begin, end in ((0, half), (half, len(hello)))]
    for part in cut(segments[0], 64):
        t.inside(part)
    last = cut(segments[1], 64)
    for part in last[:-1]:
        t.inside(part)
    t.inside(last[-1], outside=[check for segment in segments
                                for check in Joined(talk.as_seen(segment)).of(len(cut(segment, 64)))])


@case("N76 (RFC 6864): datagrams of two hosts with one identification leave with two")
def _(t):
    used = []

    def parts_of(whole):
        joined = Joined(whole)
        checks = joined.of(3)

        def noting(check):
            def note(packet):
                used.append(packet.id)
                return check(packet)
            return named(note, "a fragment")
        return [noting(check) for check in checks]

    def distinct(packet):
        used.append(packet.id)
        return len(set(used)) == 3
    for host, port in ((A, 5000), ("10.1.2.4", 6000)):
        question = udp(host, port, S, 53, WORDS, id=0x4242)
        parts = cut(question, 1000)
        t.inside(parts[0])
        t.inside(parts[1])
        t.inside(parts[2], outside=parts_of(seen(question, src=E)))
    large = echo("10.1.2.5", S, 7, payload=b"x" * 2000, id=0x4242)
    t.inside(large, outside=[named(distinct, "a fragment with a third identification")] * 2)


@case("N76 (RFC 8200 section 4.5): the same over IPv6")
def _(t):
    used = set()
    for host, port in ((A6, 5000), (B6, 6000), (A6, 5000)):
        question = udp(host, port, S6, 53, WORDS)
        parts = cut(question, 1000)
        ids = []

        def noting(check, ids=ids):
            return named(lambda p: ids.append(p[IPv6ExtHdrFragment].id) or check(p) and len(set(ids)) == 1, "a fragment")

        def another(check, ids=ids):
            return named(lambda p: check(p) and ids[0] not in used and not used.add(ids[0]), "a fragment of a new number")
        checks = [noting(check) for check in Joined(seen(question, src=E6)).of(3)]
        t.inside(parts[0])
        t.inside(parts[1])
        t.inside(parts[2], outside=[*checks[:2], another(checks[2])])
    t.inside(question := udp(A6, 5000, S6, 53, b"q"), outside=seen(question, src=E6))
    parts = cut(udp(S6, 53, E6, 5000, WORDS), 1000)  # a server's are its own
    for part in parts[:-1]:
        t.outside(part)
    t.outside(parts[-1], inside=[named(lambda p: p[IPv6ExtHdrFragment].id == 0x1234, "a fragment")] * 3)

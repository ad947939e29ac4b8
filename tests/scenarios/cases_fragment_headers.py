"""What the headers of a datagram's pieces say (nat.md 18; RFC 3168, 6946, 7112, 8200)."""

from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN
from scapy.packet import Raw
from cases_fragments import WORDS, Joined, cut
from cases_nat import CONFIG
from crafted import fixed, named, seen, tcp, udp
from wires import A6, E6, S6, both_families, case


def pieces6(header, transport, size):
    """An IPv6 packet whose fragmentable part begins with that extension header, in fragments of `size` bytes and the rest."""
    whole = fixed(IPv6(src=A6, dst=S6) / IPv6ExtHdrFragment(id=9) / header / transport)
    kind, body = whole[IPv6ExtHdrFragment].nh, bytes(whole[IPv6ExtHdrFragment].payload)
    return [fixed(IPv6(src=A6, dst=S6) / IPv6ExtHdrFragment(nh=kind, id=9, m=more, offset=at // 8) / Raw(part))
            for at, more, part in ((0, 1, body[:size]), (size, 0, body[size:]))]


def options():
    """Eight bytes of them."""
    return [PadN(optdata=b"\0" * 4)]


def changed(part, **fields):
    """The fragment with these fields of its IP header, in the names of IPv4."""
    again = part.copy()
    for name, value in fields.items():
        setattr(again, {"tos": "tc", "ttl": "hlim"}[name] if IPv6 in again else name, value)
    if IPv6 not in again:
        del again.chksum
    return fixed(again)


def marked(packet, codepoint):
    """The same packet, of that ECN codepoint."""
    return changed(packet, tos=codepoint)


def in_one_piece(packet):
    """The same as an atomic fragment, with the identification of cut()."""
    return fixed(IPv6(src=packet.src, dst=packet.dst) / IPv6ExtHdrFragment(nh=17, id=0x1234) / packet.payload)


@both_families("N73 the first piece has all of TCP's options (RFC 7112)")
def _(t, a, b, s, s2, e):
    offers = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]
    segment = tcp(a, 40000, s, 443, options=offers, payload=b"x" * 24)
    for size in (16, 24):
        t.inside(cut(segment, size)[0], drop="fragment_tiny")
    parts = cut(tcp(a, 40001, s, 443, options=offers, payload=b"x" * 24), 40)
    t.inside(parts[0])
    t.inside(parts[1], outside=[named(lambda p: p.src == e, "a fragment")] * 2)


@case("N73 the first piece of IPv6 has all headers (RFC 7112)")
def _(t):
    segment = tcp(A6, 40000, S6, 443, "S", options=[("MSS", 1460)])[TCP]
    for size in (8, 16, 24):  # none of TCP, 8 bytes, 16 bytes
        t.inside(pieces6(IPv6ExtHdrDestOpt(options=options()), segment, size)[0], drop="fragment_tiny")
    long = IPv6ExtHdrDestOpt(options=options() + [PadN(optdata=b"\0" * 6)])
    t.inside(pieces6(long, segment, 8)[0], drop="fragment_tiny")
    first, second = pieces6(IPv6ExtHdrDestOpt(options=options()), tcp(A6, 40000, S6, 443, payload=b"x" * 20)[TCP], 32)
    t.inside(second)
    t.inside(first, outside=[named(lambda p: p.src == E6, "a fragment")] * 2)


@both_families("pieces of which one is marked congested are so all (RFC 3168 section 5.3)")
def _(t, a, b, s, s2, e):
    question = udp(a, 5000, s, 53, WORDS)
    answer = udp(s, 53, e, 5000, WORDS)

    def ecn(codepoint):
        return named(lambda p: (p.tc if IPv6 in p else p.tos) == codepoint, f"a fragment of ECN {codepoint}")
    for codepoints, whole in (((2, 3, 2), 3), ((1, 1, 3), 3), ((3, 2, 1), 3), ((3, 3, 3), 3), ((2, 2, 2), 2), ((1, 1, 1), 1),
                              ((0, 0, 0), 0), ((2, 0, 2), 2)):  # the last is of no sender's; the first piece says
        parts = [marked(part, codepoint) for part, codepoint in zip(cut(question, 1000), codepoints)]
        t.inside(parts[1])
        t.inside(parts[2])
        t.inside(parts[0], outside=[ecn(whole)] * 3)
        parts = [marked(part, codepoint) for part, codepoint in zip(cut(answer, 1000), codepoints)]
        t.outside(parts[0])
        t.outside(parts[1])
        t.outside(parts[2], inside=[ecn(whole)] * 3)
    parts = [marked(part, codepoint) for part, codepoint in zip(cut(question, 1000), (0, 3, 0))]
    t.inside(parts[0])
    t.inside(parts[1])
    t.inside(parts[2], drop="fragment_bad")
    t.drop(fragment_bad=2)
    for part in cut(question, 1000)[:2]:  # what comes then is another datagram
        t.inside(part)
    t.inside(cut(question, 1000)[2], outside=Joined(seen(question, src=e)).of(3))


@both_families("pieces go on with the fewest hops that one has left")
def _(t, a, b, s, s2, e):
    question = udp(a, 5000, s, 53, WORDS)
    parts = [changed(part, ttl=hops) for part, hops in zip(cut(question, 1000), (64, 9, 64))]
    t.inside(parts[0])
    t.inside(parts[1])
    t.inside(parts[2], outside=[named(lambda p: (p.hlim if IPv6 in p else p.ttl) == 8, "a fragment with 8 hops left")] * 3)
    parts = [changed(part, ttl=hops) for part, hops in zip(cut(question, 1000), (64, 64, 1))]
    t.inside(parts[0])
    t.inside(parts[1])
    t.inside(parts[2], inside=named(lambda p: p.dst == a, "time exceeded"), drop="ttl_exceeded")
    t.drop(ttl_exceeded=2)


@case("N74 hop-by-hop options behind the fragment header (RFC 8200 section 4.1)")
def _(t):
    first, second = pieces6(IPv6ExtHdrHopByHop(options=options()), udp(A6, 5000, S6, 53, b"x" * 64)[UDP], 40)
    t.inside(second)
    t.inside(first, drop="ip6_bad_extension")
    t.wait(3)
    t.drop(fragment_timeout=1)


@case("N74 an IPv6 packet in one piece is none of another datagram (RFC 6946)")
def _(t):
    question = udp(A6, 5000, S6, 53, WORDS)
    parts = cut(question, 1000)
    small = in_one_piece(udp(A6, 5001, S6, 53, b"q"))
    t.inside(parts[1])
    for _ in range(2):
        t.inside(small, outside=lambda p: p[UDP].sport == 5001 and p.src == E6)
    t.inside(parts[0])
    t.inside(parts[2], outside=Joined(seen(question, src=E6)).of(3))


@case("N74 an IPv6 packet in one piece waits for nothing, and nothing gives way to it",
      config=CONFIG + "[nat]\nfragments_max = 8\n")
def _(t):
    for number in range(8):
        first = cut(udp(A6, 5000, S6, 53, WORDS), 1000)[0]
        first[IPv6ExtHdrFragment].id = number
        t.inside(fixed(first))
    t.inside(in_one_piece(udp(A6, 5001, S6, 53, b"q")), outside=lambda p: p[UDP].sport == 5001 and p.src == E6)
    t.wait(3)
    t.drop(fragment_timeout=8)

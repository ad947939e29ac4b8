"""Errors of others and of our own (nat.md 9, 14 to 17, 19; RFC 5508)."""

import struct

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw
from cases_fragments import Joined
from cases_nat import CONFIG
from crafted import checksum, echo, fixed, icmp_error, ip, named, says, seen, tcp, udp
from wires import A, A6, E, S, S6, both_families, case

ROUTER, ROUTER6 = "192.0.2.1", "2001:db8:2::1"


def opened(t, packet, egress):
    """The packet opens a flow; answers how it was seen outside, before its next hop."""
    t.inside(packet, outside=seen(packet, src=egress))
    return seen(packet, src=egress)


def kinds(address):
    """(type, code, second word) of unreachable, time exceeded, too big in the address's family."""
    return [(1, 3, 0), (3, 0, 0), (2, 0, 1280)] if ":" in address else [(3, 3, 0), (11, 0, 0), (3, 4, 1280)]


@both_families("N51 and N57: errors from outside quote what the host sent")
def _(t, a, b, s, s2, e):
    router = ROUTER6 if ":" in a else ROUTER
    for packet in (tcp(a, 40000, s, 443), udp(a, 5000, s, 53, b"question"), echo(a, s, 77)):
        quoted = opened(t, packet, e)
        for kind, code, word in kinds(a):
            t.outside(icmp_error(router, e, kind, code, quoted, word),
                      inside=seen_error(icmp_error(router, a, kind, code, seen(packet), word)))


def seen_error(packet):
    """One hop further, the rest as it is."""
    again = packet.copy()
    if IPv6 in again:
        again.hlim -= 1
        return again
    again.ttl -= 1
    del again.chksum
    return fixed(again)


@case("N51 an error that quotes eight bytes of transport, and more options than needed")
def _(t):
    for packet in (tcp(A, 40000, S, 443), udp(A, 5000, S, 53, b"question")):
        quoted = opened(t, packet, E)
        t.outside(icmp_error(ROUTER, E, 11, 0, bytes(quoted)[:28]),
                  inside=seen_error(icmp_error(ROUTER, A, 11, 0, bytes(seen(packet))[:28])))


@both_families("N52 an error from inside leaves under the egress address")
def _(t, a, b, s, s2, e):
    opened(t, udp(a, 5000, s, 53, b"question"), e)
    answer = udp(s, 53, e, 5000, b"answer")
    t.outside(answer, inside=seen(answer, dst=a))
    kind, code, _word = kinds(a)[0]
    t.inside(icmp_error(a, s, kind, code, seen(answer, dst=a)),
             outside=seen_error(icmp_error(e, s, kind, code, seen(answer))))


@both_families("N53 an error about nothing is dropped")
def _(t, a, b, s, s2, e):
    kind, code, _word = kinds(a)[0]
    t.outside(icmp_error(s, e, kind, code, udp(e, 5000, s, 53, b"question")), drop="icmp_error_no_flow")
    t.inside(icmp_error(a, s, kind, code, udp(s, 53, a, 5000, b"answer")), drop="icmp_error_no_flow")


@case("N54 a wrong ICMP checksum, a wrong quoted header checksum, a quotation that is none")
def _(t):
    quoted = opened(t, udp(A, 5000, S, 53, b"question"), E)
    broken = bytearray(bytes(icmp_error(ROUTER, E, 3, 3, quoted)))
    broken[22] ^= 0xFF
    t.outside(IP(bytes(broken)), drop="icmp_bad_checksum")
    inner = bytearray(bytes(quoted))
    inner[10] ^= 0xFF
    t.outside(icmp_error(ROUTER, E, 3, 3, bytes(inner)), drop="icmp_error_bad")
    t.outside(icmp_error(ROUTER, E, 3, 3, bytes(quoted)[:20]), drop="icmp_error_bad")
    t.outside(icmp_error(ROUTER, E, 3, 3, b""), drop="icmp_error_bad")


@both_families("N29 and N53 an error from inside goes to whom it quotes, from who may send it", config=CONFIG)
def _(t, a, b, s, s2, e):
    opened(t, udp(a, 5000, s, 53, b"question"), e)
    answer = udp(s, 53, e, 5000, b"answer")
    t.outside(answer, inside=seen(answer, dst=a))
    kind, code, _word = kinds(a)[0]
    delivered = seen(answer, dst=a)
    for elsewhere in (s2, b, e):
        t.inside(icmp_error(a, elsewhere, kind, code, delivered), drop="icmp_error_no_flow")
    stranger = "2001:db8:bad::1" if ":" in a else "172.16.0.1"
    t.inside(icmp_error(stranger, s, kind, code, delivered), drop="source_check")


@case("N25 errors neither end nor refresh a mapping")
def _(t):
    quoted = opened(t, udp(A, 5000, S, 53, b"question"), E)
    for _ in range(2):
        t.wait(100)
        t.outside(icmp_error(ROUTER, E, 3, 3, quoted), inside=[seen_error(icmp_error(ROUTER, A, 3, 3, seen(udp(A, 5000, S, 53, b"question"))))])
    t.outside(answer := udp(S, 53, E, 5000, b"answer"), inside=seen(answer, dst=A))
    t.wait(101)
    t.outside(udp(S, 53, E, 5000, b"too late"), drop="no_mapping")


@case("N55 too big and not to be cut: the host is told, with its own view of it")
def _(t):
    large = echo(A, S, 77, payload=b"x" * 1600, flags="DF")
    t.inside(large, inside=says(3, 4, A, large, 1500), drop="too_big")
    large6 = echo(A6, S6, 77, payload=b"x" * 1600)
    t.inside(large6, inside=says(2, 0, A6, large6, 1500), drop="too_big")


@case("N56 too big and to be cut: fragments that give the packet again")
def _(t):
    large = echo(A, S, 77, payload=bytes(range(256)) * 12)
    whole = seen(large, src=E)
    parts = []

    def part(packet):
        parts.append(packet)
        joined = b"".join(bytes(p.payload) for p in parts)
        offset = 8 * packet.frag + len(bytes(packet.payload))
        last = "MF" not in packet.flags
        return (packet.src == E and len(bytes(packet)) <= 1500 and packet.ttl == 63 and offset == len(joined)
                and bytes(whole.payload).startswith(joined) and last == (offset == len(bytes(whole.payload)))
                and len({p.id for p in parts}) == 1)
    t.inside(large, outside=[named(part, "the next fragment")] * 3)


@both_families("N58 the last hop is here, on the way out")
def _(t, a, b, s, s2, e):
    late = udp(a, 5000, s, 33434, b"traceroute", ttl=1)
    t.inside(late, inside=says(*((3, 0) if ":" in a else (11, 0)), a, late), drop="ttl_exceeded")


@both_families("N58 the last hop is here, on the way back")
def _(t, a, b, s, s2, e):
    opened(t, udp(a, 5000, s, 53, b"question"), e)
    late = udp(s, 53, e, 5000, b"answer", ttl=1)
    t.outside(late, outside=says(*((3, 0) if ":" in a else (11, 0)), s, late), drop="ttl_exceeded")


def from_us(source, error):
    """That error of the gateway's own, from this address of its own."""
    return named(lambda packet: packet.src == source and error(packet), f"{error.__doc__}, from {source}")


@both_families("N58 who looks for the hops on the way sees our address on the side that he is on", config=CONFIG)
def _(t, a, b, s, s2, e):
    expired = (3, 0) if ":" in a else (11, 0)
    inside, outside = ("fd00::1", "2001:db8:113::fe") if ":" in a else ("10.0.0.1", "203.0.113.254")
    for late in (udp(a, 5000, s, 33434, b"traceroute", ttl=1), tcp(a, 5000, s, 80, ttl=1), echo(a, s, 7, ttl=1)):
        t.inside(late, inside=from_us(inside, says(*expired, a, late)), drop="ttl_exceeded")
    late = udp(s, 33434, e, 5000, b"answer", ttl=1)
    t.outside(late, outside=from_us(outside, says(*expired, s, late)), drop="ttl_exceeded")


NARROW_INSIDE = CONFIG.replace('device = "net_null0"', 'device = "net_null0"\nmtu = 1300')
WIDE_INSIDE = CONFIG.replace('device = "net_null0"', 'device = "net_null0"\nmtu = 9000')


@both_families("N55 and N57: what the wire it came by carries, and the next one does not", config=WIDE_INSIDE)
def _(t, a, b, s, s2, e):
    too_big = (2, 0) if ":" in a else (3, 4)
    own = "fd00::1" if ":" in a else "10.0.0.1"
    t.inside(syn := tcp(a, 40000, s, 80, "S", 1000), outside=seen(syn, src=e))
    t.outside(answer := tcp(s, 80, e, 40000, "SA", 5000, 1001), inside=seen(answer, dst=a))
    flags = {} if ":" in a else {"flags": "DF"}
    head = 60 if ":" in a else 40
    t.inside(largest := tcp(a, 40000, s, 80, "A", 1001, 5001, b"x" * (1500 - head)), outside=seen(largest, src=e))
    large = fixed(ip(a, s, **flags) / TCP(sport=40000, dport=80, flags="A", seq=1001, ack=5001, window=65000) / Raw(b"x" * (1501 - head)))
    t.inside(large, inside=from_us(own, says(*too_big, a, large, 1500)), drop="too_big")
    large = udp(a, 5000, s, 443, b"x" * 1500, **flags)
    t.inside(large, inside=from_us(own, says(*too_big, a, large, 1500)), drop="too_big")
    t.inside(unsegmented := tcp(a, 40000, s, 80, "A", 1001, 5001, b"x" * 30_000), outside=seen(unsegmented, src=e))


@both_families("N55 from outside: the inside wire carries less", config=NARROW_INSIDE)
def _(t, a, b, s, s2, e):
    too_big = (2, 0) if ":" in a else (3, 4)
    own = "2001:db8:113::fe" if ":" in a else "203.0.113.254"
    flags = {} if ":" in a else {"flags": "DF"}
    opened(t, udp(a, 5000, s, 53, b"question"), e)
    large = udp(s, 53, e, 5000, b"x" * 1400, **flags)
    t.outside(large, outside=from_us(own, says(*too_big, s, large, 1300)), drop="too_big")
    t.outside(unsegmented := udp(s, 53, e, 5000, b"x" * 2800, **flags), inside=seen(unsegmented, dst=a))


@case("N56 a datagram that may be cut, on its way to a wire that carries less", config=NARROW_INSIDE)
def _(t):
    opened(t, udp(A, 5000, S, 53, b"question"), E)
    large = udp(S, 53, E, 5000, bytes(range(256)) * 5)
    t.outside(large, inside=Joined(seen(large, dst=A)).of(2))


@both_families("N60 a reply that nobody asked for")
def _(t, a, b, s, s2, e):
    t.inside(echo(a, s, 77, reply=True), drop="icmp_lone_reply")
    t.outside(echo(s, e, 77, reply=True), drop="no_mapping")
    t.outside(echo(s, e, 77), drop="no_mapping")


@case("N60 other ICMP queries are not translated")
def _(t):
    timestamp = struct.pack("!BBHHHIII", 13, 0, 0, 1, 1, 0, 0, 0)
    timestamp = timestamp[:2] + struct.pack("!H", checksum(timestamp)) + timestamp[4:]
    t.inside(fixed(ip(A, S, proto=1) / timestamp), drop="icmp_unsupported")

@both_families("N54 (5508 REQ-3c): a wrong checksum in the quotation is translated all the same")
def _(t, a, b, s, s2, e):
    packet = udp(a, 5000, s, 53, b"question")
    opened(t, packet, e)
    kind, code, word = kinds(a)[0]
    wrong = seen(packet)
    wrong[UDP].chksum ^= 0x0100
    wrong_outside = seen(packet, src=e)
    wrong_outside[UDP].chksum = checksum_off(packet, wrong, wrong_outside)
    router = ROUTER6 if ":" in a else ROUTER
    t.outside(icmp_error(router, e, kind, code, wrong_outside, word),
              inside=seen_error(icmp_error(router, a, kind, code, wrong, word)))


def checksum_off(packet, wrong, outside):
    """Off by as much as `wrong` is, in one's complement."""
    difference = (wrong[UDP].chksum - packet[UDP].chksum) % 0xFFFF
    return (outside[UDP].chksum + difference) % 0xFFFF


@both_families("N54 (5508 REQ-3d): RFC 4884 extensions behind the quotation are kept")
def _(t, a, b, s, s2, e):
    packet = udp(a, 5000, s, 33434, b"x" * 200)
    opened(t, packet, e)
    v6 = ":" in a
    router = ROUTER6 if v6 else ROUTER
    extension = bytes.fromhex("20009dee0008010100190a40")  # an MPLS label stack entry (RFC 4950)
    kind, word = (3, 16 << 24) if v6 else (11, 32 << 16)
    t.outside(icmp_error(router, e, kind, 0, bytes(seen(packet, src=e))[:128] + extension, word),
              inside=seen_error(icmp_error(router, a, kind, 0, bytes(seen(packet))[:128] + extension, word)))


@case("N51 quotations with IP options, of first fragments, and of later ones")
def _(t):
    packet = udp(A, 5000, S, 53, b"question")
    opened(t, packet, E)
    for fields in ({"options": [b"\x94\x04\0\0"]}, {"flags": "MF", "id": 77}):
        inner = fixed(ip(A, S, ttl=63, **fields) / packet[UDP])
        outer = fixed(ip(E, S, ttl=63, **fields) / seen(packet, src=E)[UDP])
        t.outside(icmp_error(ROUTER, E, 11, 1, outer), inside=seen_error(icmp_error(ROUTER, A, 11, 1, inner)))
    later = fixed(ip(E, S, ttl=63, frag=100) / (b"x" * 40))
    t.outside(icmp_error(ROUTER, E, 11, 1, later), drop="icmp_error_bad")


@both_families("N51 every kind of error passes with its code and its word")
def _(t, a, b, s, s2, e):
    packet = tcp(a, 40000, s, 443)
    opened(t, packet, e)
    errors = ([(1, code, 0) for code in range(7)] + [(2, 0, 1280), (3, 0, 0), (3, 1, 0), (4, 0, 40), (4, 1, 6), (4, 2, 0)]
              if ":" in a else [(3, code, 0) for code in range(16)] + [(4, 0, 0), (11, 0, 0), (11, 1, 0), (12, 0, 9 << 24)])
    for kind, code, word in errors:
        t.outside(icmp_error(s, e, kind, code, seen(packet, src=e), word),
                  inside=seen_error(icmp_error(s, a, kind, code, seen(packet), word)))


@both_families("N23 an error that answers a datagram refreshes nothing")
def _(t, a, b, s, s2, e):
    opened(t, udp(a, 5000, s, 53, b"question"), e)
    kind, code, _word = kinds(a)[0]
    for _ in range(2):
        t.wait(140)
        answer = udp(s, 53, e, 5000, b"answer")
        t.outside(answer, inside=(delivered := seen(answer, dst=a)))
        t.inside(icmp_error(a, s, kind, code, delivered), outside=seen_error(icmp_error(e, s, kind, code, seen(answer))))
    t.wait(21)
    t.outside(udp(s, 53, e, 5000, b"too late"), drop="no_mapping")


@case("N59 no error about an error, nor to nobody")
def _(t):
    quoted = opened(t, udp(A, 5000, S, 53, b"question"), E)
    t.outside(icmp_error(ROUTER, E, 3, 3, quoted, ttl=1), drop="ttl_exceeded")

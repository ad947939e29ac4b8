"""Packets that end here, each under its own reason (policy.md 5, nat.md 20, 21, 29)."""

import struct

from cases_nat import CONFIG
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw
from crafted import fixed, ip, seen, tcp, udp
from wires import A, A6, ALLOW, E, E6, S, S6, SNAT, case

LINK = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
MARTIANS = ["0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"]
MARTIANS6 = ["::", "::1", "fe80::1", "febf::1", "ff02::1", "::ffff:10.1.2.3"]


def changed(packet, **fields):
    """With header fields set after lengths and checksums were made; IPv4's header checksum right again."""
    again = packet.copy()
    for key, value in fields.items():
        setattr(again, key, value)
    if IP in again and "chksum" not in fields:
        del again.chksum
        value = IP(bytes(again)[:20]).chksum
        again.chksum = value
    return again


@case("martian sources and destinations, from either side")
def _(t):
    for martians, good, egress in ((MARTIANS, S, E), (MARTIANS6, S6, "2001:db8:113::1")):
        for martian in martians:
            t.inside(udp(martian, 5000, good, 53, b"x"), drop="martian_source")
            t.outside(udp(martian, 5000, egress, 53, b"x"), drop="martian_source")
            t.inside(udp(A if ":" not in good else A6, 5000, martian, 53, b"x"), drop="martian_destination")


@case("the neighbours of martians are none")
def _(t):
    for destination in ("1.0.0.1", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.1", "223.255.255.254"):
        t.inside(question := udp(A, 5000, destination, 53, b"x"), outside=seen(question, src=E))
    for destination in ("::2", "fec0::1", "::fffe:0:1", "64:ff9b::1"):
        t.inside(question := udp(A6, 5000, destination, 53, b"x"), outside=seen(question, src="2001:db8:113::1"))


@case("a source equal to its destination")
def _(t):
    t.inside(tcp(A, 80, A, 80), drop="martian_land")
    t.inside(udp(A6, 80, A6, 81, b"x"), drop="martian_land")


@case("IPv4 headers that cannot be")
def _(t):
    good = udp(A, 5000, S, 53, b"question")
    t.inside(changed(good, version=5), drop="ip_bad_version")
    t.inside(changed(good, ihl=4), drop="ip_bad_header_length")
    t.inside(changed(good, ihl=15), drop="ip_bad_header_length")
    t.inside(changed(good, len=19), drop="ip_bad_total_length")
    t.inside(changed(good, len=len(good) + 1), drop="ip_bad_total_length")
    t.inside(changed(good, chksum=good.chksum ^ 1), drop="ip_bad_checksum")
    t.inside(changed(good, ttl=0), drop="ip_ttl_zero")


@case("N85 IPv4 options are carried along, source routes are not")
def _(t):
    router_alert = fixed(IP(src=A, dst=S, options=[b"\x94\x04\0\0"]) / UDP(sport=5000, dport=53) / b"q")
    t.inside(router_alert, outside=seen(router_alert, src=E))
    for option in (b"\x83\x07\x04" + bytes([198, 51, 100, 8]) + b"\0", b"\x89\x07\x04" + bytes([198, 51, 100, 8]) + b"\0"):
        t.inside(fixed(IP(src=A, dst=S, options=[option]) / UDP(sport=5000, dport=53) / b"q"), drop="ip_source_route")


@case("IPv6 headers that cannot be")
def _(t):
    good = udp(A6, 5000, S6, 53, b"question")
    t.inside(changed(good, version=4), drop="ip_bad_version")
    t.inside(changed(good, plen=len(good)), drop="ip_bad_total_length")
    t.inside(changed(good, hlim=0), drop="ip_ttl_zero")
    routed = fixed(ip(A6, S6) / IPv6ExtHdrRouting(addresses=["2001:db8::1"], type=0) / UDP(sport=5000, dport=53) / b"q")
    t.inside(routed, drop="ip6_routing_type_0")
    nine = ip(A6, S6)
    for _ in range(9):
        nine = nine / IPv6ExtHdrDestOpt()
    t.inside(fixed(nine / UDP(sport=5000, dport=53) / b"q"), drop="ip6_bad_extension")


@case("IPv6 extension headers are walked and kept")
def _(t):
    question = fixed(ip(A6, S6) / IPv6ExtHdrDestOpt() / UDP(sport=5000, dport=53) / b"q")
    t.inside(question, outside=seen(question, src="2001:db8:113::1"))


@case("frames and transport headers that are cut off")
def _(t):
    good = tcp(A, 40000, S, 443)
    t.inside(bytes(LINK / good)[:13], drop="frame_truncated")
    t.inside(bytes(LINK / good)[:33], drop="frame_truncated")
    t.inside(LINK / changed(IP(bytes(good)[:30]), len=30), drop="l4_truncated")
    short_udp = udp(A, 5000, S, 53, b"question")
    short_udp[UDP].len = 7
    t.inside(short_udp, drop="l4_bad_length")
    long_udp = udp(A, 5000, S, 53, b"question")
    long_udp[UDP].len = 100
    t.inside(long_udp, drop="l4_bad_length")
    long_tcp = tcp(A, 40000, S, 443)
    long_tcp[TCP].dataofs = 15
    t.inside(long_tcp, drop="l4_bad_length")


@case("flags that no stack sends")
def _(t):
    for flags in ("", "SF", "SR", "F", "SFRPAU"):
        t.inside(tcp(A, 40000, S, 443, flags), drop="tcp_bad_flags")


@case("N77 UDP over IPv6 without a checksum")
def _(t):
    t.inside(fixed(ip(A6, S6) / UDP(sport=5000, dport=53, chksum=0) / b"q"), drop="udp6_zero_checksum")


@case("what is no IP, where no kernel stands behind the ports")
def _(t):
    t.inside(Ether(type=0x88CC) / Raw(b"lldp" * 12), drop="not_ip")


@case("trailing bytes stay here")
def _(t):
    question = udp(A, 5000, S, 53, b"q")
    t.inside(LINK / question / Raw(b"\0" * 17), outside=seen(question, src=E))


@case("any VLAN is carried along without a configuration")
def _(t):
    question = udp(A, 5000, S, 53, b"q")
    for tags in (Dot1Q(vlan=7), Dot1Q(vlan=7, type=0x8100) / Dot1Q(vlan=9)):
        t.inside(LINK / tags / question, outside=lambda p: bytes(p).endswith(bytes(seen(question, src=E))) and p[Dot1Q].vlan == 7)


@case("a VLAN that the port does not carry", config=CONFIG)
def _(t):
    t.inside(LINK / Dot1Q(vlan=7) / udp(A, 5000, S, 53, b"q"), drop="wrong_vlan")
    t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))


@case("N12 (RFC 2827): an inside source that nobody names", config=CONFIG)
def _(t):
    t.inside(udp("172.16.0.1", 5000, S, 53, b"q"), drop="source_check")
    t.inside(udp("2001:db8:bad::1", 5000, S6, 53, b"q"), drop="source_check")


NAMED = ALLOW + SNAT + '[[namespace]]\nname = "prod"\naddresses = ["172.16.0.0/16"]\n'


@case("a source that a namespace names passes the source check", policy=NAMED, config=CONFIG)
def _(t):
    t.inside(question := udp("172.16.0.1", 5000, S, 53, b"q"), outside=seen(question, src=E))


@case("every end has a name and the sums hold")
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))
    t.inside(udp("127.0.0.1", 5000, S, 53, b"q"), drop="martian_source")
    t.outside(udp(S, 53, E, 5001, b"a"), drop="no_mapping")
    t.inside(LINK / Raw(struct.pack("!H", 7)), drop="not_ip")
    t.flow(src_ip=A)

@case("IPv6 headers before the transport: hop-by-hop, destination, AH, a routing header that is done with")
def _(t):
    authentication = bytes([17, 4, 0, 0]) + bytes(range(20))
    for chain, first in ((IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt(), 0), (IPv6ExtHdrRouting(type=2, segleft=0, addresses=["2001:db8::1"]), 43)):
        question = fixed(ip(A6, S6, nh=first) / chain / UDP(sport=5000, dport=53) / b"q")
        t.inside(question, outside=seen(question, src="2001:db8:113::1"))
    plain = udp(A6, 5001, S6, 53, b"q")
    translated = seen(plain, src="2001:db8:113::1")
    t.inside(fixed(ip(A6, S6, nh=51) / Raw(authentication + bytes(plain[UDP]))),
             outside=fixed(ip("2001:db8:113::1", S6, nh=51, hlim=63) / Raw(authentication + bytes(translated[UDP]))))


@case("IPv6 headers: eight pass, hop-by-hop comes first or not at all")
def _(t):
    eight = ip(A6, S6)
    for _ in range(8):
        eight = eight / IPv6ExtHdrDestOpt()
    question = fixed(eight / UDP(sport=5000, dport=53) / b"q")
    t.inside(question, outside=seen(question, src="2001:db8:113::1"))
    late = fixed(ip(A6, S6) / IPv6ExtHdrDestOpt() / IPv6ExtHdrHopByHop() / UDP(sport=5000, dport=53) / b"q")
    t.inside(late, drop="ip6_bad_extension")
    cut_off = fixed(ip(A6, S6, nh=60) / Raw(bytes([17, 200]) + b"x" * 30))
    t.inside(cut_off, drop="ip6_bad_extension")


@case("an atomic fragment that holds nothing but a routing header leaves as one, and is counted")
def _(t):
    lone = fixed(IPv6(src=A6, dst=S6) / IPv6ExtHdrFragment(nh=43, id=7) / IPv6ExtHdrRouting(type=253, segleft=0, nh=99))
    t.inside(lone, outside=lambda p: p.src == E6 and p.nh == 43 and bytes(p)[-8] == 99)

"""Protocols without ports, SCTP, and those with a checksum like UDP's (nat.md 20, 21, 24)."""

import struct

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6ExtHdrDestOpt
from scapy.layers.sctp import SCTP, SCTPChunkInit
from scapy.packet import Raw
from cases_fragments import Joined, cut
from cases_icmp import ROUTER, ROUTER6, seen_error
from cases_nat import CONFIG
from crafted import checksum, fixed, has_right_checksums, icmp_error, ip, named, raw_address, says, seen
from wires import A, A6, ALLOW, B, E, S, S6, SNAT, both_families, case

GRE, ESP, DCCP, UDP_LITE = 47, 50, 33, 136


def other(source, destination, protocol, payload=b"\0\0\x99\x99" + b"x" * 36, **fields):
    """A packet of a protocol of which only the number is known."""
    fields["nh" if ":" in source else "proto"] = protocol
    return fixed(ip(source, destination, **fields) / Raw(payload))


def sums_like_udp(source, destination, protocol, payload=b"x" * 32):
    """DCCP and UDP-Lite: a checksum over the pseudo header and all of it, where UDP has its."""
    body = struct.pack("!HHHH", 5000, 5001, 8 + len(payload), 0) + payload
    pseudo = raw_address(source) + raw_address(destination) + (
        struct.pack("!II", len(body), protocol) if ":" in source else struct.pack("!HH", protocol, len(body)))
    value = checksum(pseudo + body)
    return other(source, destination, protocol, body[:6] + struct.pack("!H", value) + body[8:])


@both_families("N79 GRE, ESP and others: one inside host towards a server, by address alone")
def _(t, a, b, s, s2, e):
    for protocol in (GRE, ESP, 99):
        t.inside(first := other(a, s, protocol), outside=seen(first, src=e))
        t.outside(answer := other(s, e, protocol), inside=seen(answer, dst=a))
        second = other(b, s, protocol)
        t.inside(second, inside=says(*((1, 3) if ":" in a else (3, 1)), b, second), drop="nat_protocol_taken")
        t.inside(elsewhere := other(b, s2, protocol), outside=seen(elsewhere, src=e))
        t.outside(answer := other(s2, e, protocol), inside=seen(answer, dst=b))
        t.outside(other("2001:db8:51::9" if ":" in a else "198.51.100.9", e, protocol), drop="no_mapping")
    for proto in ("GRE", "ESP", "99"):
        t.flow(src_ip=a, dest_ip=s, proto=proto, nat_ip=e, pkts_toserver=1, pkts_toclient=1)
        t.flow(src_ip=b, dest_ip=s, proto=proto, action="deny", reason="nat_ports_exhausted")
        t.flow(src_ip=b, dest_ip=s2, proto=proto, nat_ip=e)


@case("N79 when the first host's flow is over, another one may")
def _(t):
    t.inside(first := other(A, S, GRE), outside=seen(first, src=E))
    t.wait(301)
    t.outside(other(S, E, GRE), drop="no_mapping")
    t.inside(second := other(B, S, GRE), outside=seen(second, src=E))


@case("a second egress address serves a second host", policy=ALLOW + SNAT + """
[[egress]]
name = "b"
sources = ["10.1.2.4/32"]
egress_ip = "203.0.113.2"
""")
def _(t):
    t.inside(first := other(A, S, ESP), outside=seen(first, src=E))
    t.inside(second := other(B, S, ESP), outside=seen(second, src="203.0.113.2"))


NO_OTHERS = """
[[namespace]]
name = "prod"
[[workload]]
namespace = "prod"
name = "a"
addresses = ["10.1.2.3/32"]
[[network_policy]]
namespace = "prod"
name = "ports"
pod_selector = {}
  [[network_policy.egress]]
  ports = [ { protocol = "TCP" }, { protocol = "UDP" }, { protocol = "SCTP" }, { protocol = "ICMP" } ]
""" + ALLOW + SNAT


@case("a network policy with ports lets no other protocol pass", policy=NO_OTHERS)
def _(t):
    packet = other(A, S, GRE)
    t.inside(packet, inside=says(3, 13, A, packet), drop="policy_denied")
    t.flow(proto="GRE", action="deny", reason="network_policy")


@both_families("N51 errors about protocols without ports")
def _(t, a, b, s, s2, e):
    packet = other(a, s, ESP)
    t.inside(packet, outside=seen(packet, src=e))
    kind, code, word = (2, 0, 1280) if ":" in a else (3, 4, 1280)
    router = ROUTER6 if ":" in a else ROUTER
    t.outside(icmp_error(router, e, kind, code, seen(packet, src=e), word),
              inside=seen_error(icmp_error(router, a, kind, code, seen(packet), word)))
    t.outside(icmp_error(router, e, kind, code, other(e, s, GRE), word), drop="icmp_error_no_flow")


@both_families("N51 errors about packets shorter than the eight bytes that are quoted")
def _(t, a, b, s, s2, e):
    for size in (4, 3, 0):
        packet = other(a, s, GRE, b"\0\0\x08\0"[:size])
        t.inside(packet, outside=seen(packet, src=e))
        kind, code = (1, 4) if ":" in a else (3, 2)
        router = ROUTER6 if ":" in a else ROUTER
        t.outside(icmp_error(router, e, kind, code, seen(packet, src=e)),
                  inside=seen_error(icmp_error(router, a, kind, code, seen(packet))))


@both_families("N70 ESP in fragments")
def _(t, a, b, s, s2, e):
    packet = other(a, s, ESP, bytes(range(256)) * 10)
    parts = cut(packet, 1000)
    for part in parts[:-1]:
        t.inside(part)
    t.inside(parts[-1], outside=Joined(seen(packet, src=e)).of(3))


@both_families("DCCP and UDP-Lite: the checksum knows the address")
def _(t, a, b, s, s2, e):
    for protocol in (DCCP, UDP_LITE):
        as_seen = sums_like_udp(e, s, protocol)
        setattr(as_seen, "hlim" if ":" in a else "ttl", 63)
        t.inside(sums_like_udp(a, s, protocol), outside=fixed_header(as_seen))
        answer = sums_like_udp(s, a, protocol)
        setattr(answer, "hlim" if ":" in a else "ttl", 63)
        t.outside(sums_like_udp(s, e, protocol), inside=fixed_header(answer))


@both_families("N77 UDP-Lite: a checksum that comes out as zero is sent as 0xffff")
def _(t, a, b, s, s2, e):
    def body_of(packet):
        return bytes(packet.payload)
    missing = body_of(sums_like_udp(e, s, UDP_LITE, b"\0\0"))[6:8]  # to a sum of 0xffff
    body = body_of(sums_like_udp(e, s, UDP_LITE, missing))
    assert body[6:8] == b"\0\0"
    as_seen = other(e, s, UDP_LITE, body[:6] + b"\xff\xff" + body[8:])
    setattr(as_seen, "hlim" if ":" in a else "ttl", 63)
    t.inside(sums_like_udp(a, s, UDP_LITE, missing), outside=fixed_header(as_seen))


def fixed_header(packet):
    if IP in packet:
        del packet.chksum
    return fixed(packet)


def init(source, sport, destination, dport, payload=b""):
    return fixed(ip(source, destination) / SCTP(sport=sport, dport=dport) / SCTPChunkInit() / Raw(payload))


@both_families("N79 SCTP: ports like TCP's, its CRC made anew where they change")
def _(t, a, b, s, s2, e):
    t.inside(first := init(a, 40000, s, 5000), outside=seen(first, src=e))
    ports = []

    def another(packet):
        ports.append(packet[SCTP].sport)
        return packet.src == e and packet[SCTP].sport != 40000 and has_right_checksums(packet)
    t.inside(init(b, 40000, s, 5000), outside=named(another, "SCTP from another port"))
    t.outside(answer := init(s, 5000, e, 40000), inside=seen(answer, dst=a))
    t.inside(same := init(b, 40000, s2, 5000), outside=seen(same, src=e))
    t.flow(proto="SCTP", src_ip=a, nat_port=40000, pkts_toclient=1)
    t.flow(proto="SCTP", src_ip=b, dest_ip=s)
    t.flow(proto="SCTP", src_ip=b, dest_ip=s2, nat_port=40000)


@case("N78 a wrong SCTP checksum stays wrong where its port changes", config=CONFIG + '[nat]\nport_range = "50000-50003"\n')
def _(t):
    good = init(A, 40000, S, 5000)
    broken = good.copy()
    broken[SCTP].chksum ^= 0x01000000

    def still_wrong(packet):
        right = fixed(packet.__class__(bytes(packet)))
        del right[SCTP].chksum
        return packet[SCTP].sport in range(50000, 50004) and packet[SCTP].chksum ^ fixed(right)[SCTP].chksum == 0x01000000
    t.inside(broken, outside=named(still_wrong, "SCTP from the range, its checksum off by the same bit"))


@case("IPv6 headers of whose meaning nothing is known")
def _(t):
    for header in (135, 139, 140, 253, 254):
        t.inside(other(A6, S6, header), drop="ip6_bad_extension")
        t.inside(fixed(ip(A6, S6) / IPv6ExtHdrDestOpt(nh=header) / Raw(b"x" * 40)), drop="ip6_bad_extension")
    t.inside(other(A6, S6, 59), drop="unsupported_protocol")
    t.inside(other(A6, S6, 1), drop="unsupported_protocol")
    t.inside(other(A, S, 58), drop="unsupported_protocol")

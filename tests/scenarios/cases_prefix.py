"""One IPv6 prefix mapped to another, NPTv6 (nat.md 22; RFC 6296)."""

from scapy.layers.inet import TCP, UDP
from cases_icmp import ROUTER6, seen_error
from crafted import echo, icmp_error, says, seen, tcp, udp
from wires import ALLOW, S6, SNAT, case

S26 = "2001:db8:51::8"


def mapping(inside, outside):
    return ALLOW + SNAT + f'\n[[egress]]\nname = "prefix"\nsources = ["{inside}"]\negress_ip = "{outside}"\n'


SUBNETS = mapping("fd01:203:405::/48", "2001:db8:1::/48")
HOST, HOST_OUTSIDE = "fd01:203:405:1::1234", "2001:db8:1:d550::1234"  # RFC 6296 section 3.6


@case("N90 RFC 6296's own example, both ways; no transport checksum changes", policy=SUBNETS)
def _(t):
    question, answer = udp(HOST, 5000, S6, 53, b"question"), udp(S6, 53, HOST_OUTSIDE, 5000, b"answer")
    assert seen(question, src=HOST_OUTSIDE)[UDP].chksum == question[UDP].chksum
    t.inside(question, outside=seen(question, src=HOST_OUTSIDE))
    t.outside(answer, inside=seen(answer, dst=HOST))
    t.inside(syn := tcp(HOST, 40000, S6, 443), outside=seen(syn, src=HOST_OUTSIDE))
    assert seen(syn, src=HOST_OUTSIDE)[TCP].chksum == syn[TCP].chksum
    t.inside(ping := echo(HOST, S6, 7), outside=seen(ping, src=HOST_OUTSIDE))
    t.outside(pong := echo(S6, HOST_OUTSIDE, 7, reply=True), inside=seen(pong, dst=HOST))
    t.flow(proto="UDP", nat_ip=HOST_OUTSIDE, nat_port=5000, egress="prefix")
    t.flow(proto="TCP", nat_ip=HOST_OUTSIDE, nat_port=40000)
    t.flow(proto="IPv6-ICMP", nat_ip=HOST_OUTSIDE, nat_port=7)


@case("each host has its own address, and so keeps every port", policy=SUBNETS)
def _(t):
    for host, outside in ((HOST, HOST_OUTSIDE), ("fd01:203:405:1::1235", "2001:db8:1:d550::1235"),
                          ("fd01:203:405:2::1234", "2001:db8:1:d551::1234")):
        for port in (22, 5000):
            t.inside(question := udp(host, port, S6, 53, b"q"), outside=seen(question, src=outside))


@case("errors are mapped as well", policy=SUBNETS)
def _(t):
    packet = udp(HOST, 5000, S6, 53, b"question")
    t.inside(packet, outside=(quoted := seen(packet, src=HOST_OUTSIDE)))
    t.outside(icmp_error(ROUTER6, HOST_OUTSIDE, 2, 0, quoted, 1280),
              inside=seen_error(icmp_error(ROUTER6, HOST, 2, 0, seen(packet), 1280)))


@case("N91 a subnet of 0xffff has no counterpart", policy=SUBNETS)
def _(t):
    packet = udp("fd01:203:405:ffff::1234", 5000, S6, 53, b"q")
    t.inside(packet, inside=says(1, 3, "fd01:203:405:ffff::1234", packet), drop="no_egress_address")
    t.flow(action="deny", reason="no_egress_address")


@case("the answer of another server is none", policy=SUBNETS)
def _(t):
    t.inside(question := udp(HOST, 5000, S6, 53, b"q"), outside=seen(question, src=HOST_OUTSIDE))
    t.outside(udp(S26, 53, HOST_OUTSIDE, 5000, b"hostile"), drop="no_mapping")
    t.outside(udp(S6, 53, "2001:db8:1:d550::9999", 5000, b"hostile"), drop="no_mapping")


NETWORKS = mapping("fd01:203:405:1::/64", "2001:db8:1:2::/64")


@case("N91 behind longer prefixes the interface identifier takes the difference", policy=NETWORKS)
def _(t):
    for host in ("fd01:203:405:1::1234", "fd01:203:405:1:ffff::1", "fd01:203:405:1:ffff:ffff:0:1"):
        question = udp(host, 5000, S6, 53, b"q")

        def mapped(packet, last=host.split(":")[-1], value=question[UDP].chksum):
            return packet.src.startswith("2001:db8:1:2:") and packet.src.split(":")[-1] == last and packet[UDP].chksum == value
        t.inside(question, outside=mapped)
    for host in ("fd01:203:405:1::", "fd01:203:405:1:ffff:ffff:ffff:ffff"):
        packet = udp(host, 5000, S6, 53, b"q")
        t.inside(packet, inside=says(1, 3, host, packet), drop="no_egress_address")

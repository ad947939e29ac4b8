"""Ports by source: blocks and their records, and how many one may have (nat.md 6, 7; RFC 6888 REQ-4, REQ-14)."""

from scapy.layers.inet import ICMP, TCP, UDP
from cases_mapping import EI, nat
from cases_nat import leaves
from crafted import echo, has_right_checksums, named, says, seen, tcp, udp
from talk import Talk
from wires import A, B, E, S, S2, case

C = "10.1.2.5"


def blocks(**keys):
    return nat(port_block=8, port_range='"40000-40031"', **keys)


@case("N12 all of a host's ports lie in its block, two hosts' blocks apart", config=blocks())
def _(t):
    t.inside(first := udp(A, 40003, S, 53, b"q"), outside=seen(first, src=E))
    t.inside(second := udp(B, 40010, S, 53, b"q"), outside=seen(second, src=E))
    t.block(A, 40000, 40007)
    t.block(B, 40008, 40015)
    for port in (5000, 40009, 40020):
        t.inside(udp(A, port, S, 53, b"q"), outside=leaves(E, range(40000, 40008)))
        t.inside(tcp(B, port + 1, S, 443), outside=leaves(E, range(40008, 40016), TCP))
    in_block = named(lambda p: p[ICMP].id in range(40000, 40008) and has_right_checksums(p), "an identifier of A's block")
    t.inside(echo(A, S, 7), outside=in_block)
    t.inside(udp(A, 500, S, 500, b"isakmp"), outside=leaves(E, range(40000, 40008)))
    t.block(B, 40008, 40015, "released")
    t.block(A, 40000, 40007, "released")


@case("N12 a full block: the next one is given; the block goes back with its last flow", config=blocks())
def _(t):
    t.inside(first := udp(A, 40000, S, 53, b"q"), outside=seen(first, src=E))
    t.block(A, 40000, 40007)
    for port in range(5000, 5007):
        t.inside(udp(A, port, S, 53, b"q"), outside=leaves(E, range(40000, 40008)))
    t.inside(ninth := udp(A, 40031, S, 53, b"q"), outside=seen(ninth, src=E))
    t.block(A, 40024, 40031)
    t.wait(200)
    t.inside(ninth, outside=seen(ninth, src=E))
    t.wait(101)
    t.block(A, 40000, 40007, "released")
    t.wait(200)
    t.block(A, 40024, 40031, "released")


@case("N12 no block is left: refused, and those who have one go on", config=blocks())
def _(t):
    for i, host in enumerate((A, B, C, "10.1.2.6")):
        t.inside(one := udp(host, 40000 + 8 * i, S, 53, b"q"), outside=seen(one, src=E))
        t.block(host, 40000 + 8 * i, 40007 + 8 * i)
    t.inside(late := udp("10.1.2.9", 40000, S, 53, b"q"), inside=says(3, 1, "10.1.2.9", late), drop="nat_ports_exhausted")
    t.inside(late := tcp("10.1.2.9", 40000, S2, 443), inside=says(3, 1, "10.1.2.9", late), drop="nat_ports_exhausted")
    t.inside(tcp(A, 40000, S2, 443), outside=seen(tcp(A, 40000, S2, 443), src=E))
    for host in (A, B, C, "10.1.2.6"):
        t.flow(src_ip=host, proto="UDP", action="allow")
    for i, host in ((1, B), (2, C), (3, "10.1.2.6"), (0, A)):  # A's connection is the youngest flow
        t.block(host, 40000 + 8 * i, 40007 + 8 * i, "released")
    t.flow(src_ip=A, proto="TCP")
    t.flow(src_ip="10.1.2.9", dest_ip=S, action="deny", reason="nat_ports_exhausted")
    t.flow(src_ip="10.1.2.9", dest_ip=S2, action="deny", reason="nat_ports_exhausted")


@case("N11 blocks of 8, at most 16 ports: the 17th is refused, the others are not", config=blocks(ports_per_source_max=16))
def _(t):
    used = set()

    def new(packet):
        used.add(packet[UDP].sport)
        return packet[UDP].sport in range(40000, 40032)
    for i in range(16):
        t.inside(udp(A, 5000 + i, S, 53, b"q"), outside=new)
    late = udp(A, 5016, S, 53, b"q")
    t.inside(late, inside=says(3, 1, A, late), drop="source_ports_exhausted")
    t.inside(late, inside=says(3, 1, A, late), drop="flow_denied")
    t.inside(another := udp(A, 5017, S, 53, b"q"), inside=says(3, 1, A, another), drop="source_ports_exhausted")
    t.inside(udp(B, 5000, S, 53, b"q"), outside=lambda p: p[UDP].sport not in used and p[UDP].sport in range(40000, 40032))
    t.any_blocks()


@case("TCP shares the ports of its block between servers", config=blocks(ports_per_source_max=8))
def _(t):
    for server in (S, S2):
        for i in range(8):
            t.inside(tcp(A, 40000 + i, server, 443), outside=seen(tcp(A, 40000 + i, server, 443), src=E))
    late = tcp(A, 40008, S, 443)
    t.inside(late, inside=says(3, 1, A, late), drop="source_ports_exhausted")
    t.inside(tcp(A, 40008, S2, 80), outside=leaves(E, range(40000, 40008), TCP))
    t.any_blocks()


@case("N11 at most four ports without blocks, each counted once", config=nat(ports_per_source_max=4))
def _(t):
    for i in range(4):
        t.inside(one := udp(A, 5000 + i, S, 53, b"q"), outside=seen(one, src=E))
    t.inside(again := udp(A, 5000, S2, 53, b"q"), outside=seen(again, src=E))
    t.inside(same := tcp(A, 5001, S, 443), outside=seen(same, src=E))
    t.inside(tcp(A, 7777, S, 443), outside=leaves(E, range(5000, 5004), TCP))
    late = udp(A, 5004, S, 53, b"q")
    t.inside(late, inside=says(3, 1, A, late), drop="source_ports_exhausted")
    t.inside(another := udp(B, 5004, S, 53, b"q"), outside=seen(another, src=E))
    t.wait(301)
    t.inside(late, outside=seen(late, src=E))


@case("N15 a block is kept while its ports rest", config=blocks(filtering=EI))
def _(t):
    t.inside(one := udp(A, 40000, S, 53, b"q"), outside=seen(one, src=E))
    t.block(A, 40000, 40007)
    t.wait(301)
    t.inside(udp(B, 40000, S, 53, b"q"), outside=leaves(E, range(40008, 40032)))
    t.wait(121)
    t.any_blocks()


@case("a connection that ends makes room for the next one of its source", config=nat(ports_per_source_max=1))
def _(t):
    Talk(t, A, 40000, S, 443, E).open().close()
    late = tcp(A, 40001, S, 443)
    t.inside(late, inside=says(3, 1, A, late), drop="source_ports_exhausted")
    t.wait(301)
    t.inside(late, outside=seen(late, src=E))

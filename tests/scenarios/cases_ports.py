"""Which ports there are, and whose they are again (nat.md 4 to 7; RFC 4787 REQ-3 and REQ-4, RFC 6888 REQ-8)."""

from cases_mapping import EI, ED, nat
from cases_nat import leaves
from crafted import echo, says, seen, tcp, udp
from scapy.layers.inet import UDP
from talk import Talk
from wires import A, B, E, S, S2, case

OPEN = nat(filtering=EI, tcp_mapping=EI)


@case("N5 a range on both sides of 1024 keeps them apart", config=nat(port_range='"512-2000"'))
def _(t):
    t.inside(first := udp(A, 600, S, 53, b"q"), outside=seen(first, src=E))
    t.inside(udp(A, 50, S, 53, b"q"), outside=leaves(E, range(512, 1024)))
    for i in range(1, 60):
        t.inside(udp(f"10.1.3.{i}", 600, S, 53, b"q"), outside=leaves(E, range(512, 1024)))
        t.inside(udp(f"10.1.3.{i}", 50000, S, 53, b"q"), outside=leaves(E, range(1024, 2001)))


@case("N5 all low ports in use: others are none of theirs", config=nat(port_range='"1020-1027"'))
def _(t):
    for i in range(4):
        t.inside(one := udp(A, 1020 + i, S, 53, b"q"), outside=seen(one, src=E))
    t.inside(late := udp(B, 500, S, 53, b"q"), inside=says(3, 1, B, late), drop="nat_ports_exhausted")
    t.inside(udp(B, 5000, S, 53, b"q"), outside=leaves(E, range(1024, 1028)))


@case("N6 parity is kept as long as one port of it is free", config=nat(port_range='"40000-40999"'))
def _(t):
    for i in range(1000):
        if i != 500 and i % 10 != 1:
            t.inside(one := udp(f"10.2.{i // 250}.{i % 250 + 1}", 40000 + i, S, 53, b"q"), outside=seen(one, src=E))
    t.inside(udp(A, 6000, S, 53, b"q"), outside=leaves(E, [40500]))
    t.inside(udp(B, 6000, S, 53, b"q"), outside=leaves(E, range(40001, 41000, 10)))


@case("N6 parity, endpoint-dependent", config=nat(port_range='"40000-40003"', udp_mapping=ED))
def _(t):
    t.inside(first := udp(A, 40000, S, 53, b"q"), outside=seen(first, src=E))
    t.inside(udp(B, 6000, S, 53, b"q"), outside=leaves(E, [40002]))
    t.inside(udp(B, 6002, S2, 53, b"q"), outside=leaves(E, [40000, 40002]))
    t.inside(udp("10.1.2.5", 6000, S, 53, b"q"), outside=leaves(E, [40001, 40003]))


@case("N6 parity in a host's first block rather than none in its latest", config=nat(port_block=8, port_range='"40000-40015"'))
def _(t):
    kept = (*range(40001, 40008, 2), *range(40008, 40016, 2))
    for port in (*range(40000, 40008), *range(40008, 40016, 2)):
        t.inside(one := udp(A, port, S, 53, b"q"), outside=seen(one, src=E))
    t.wait(200)
    for port in kept:
        t.inside(one := udp(A, port, S, 53, b"q"), outside=seen(one, src=E))
    t.wait(101)
    t.inside(udp(A, 6000, S, 53, b"q"), outside=leaves(E, range(40000, 40008, 2)))
    t.any_blocks()


@case("N11 a low port that is refused refuses no others", config=nat(ports_per_source_max=2))
def _(t):
    for i in range(2):
        t.inside(one := tcp(A, 40000 + i, S, 443), outside=seen(one, src=E))
    t.inside(low := tcp(A, 500, S2, 443), inside=says(3, 1, A, low), drop="source_ports_exhausted")
    t.inside(shared := tcp(A, 40001, S2, 443), outside=seen(shared, src=E))


@case("N15 its own endpoint gets a resting port again", config=nat(filtering=EI))
def _(t):
    t.inside(first := udp(B, 5000, S, 53, b"q"), outside=seen(first, src=E))
    ports = set()

    def same(packet):
        ports.add(packet[UDP].sport)
        return len(ports) == 1 and packet[UDP].sport != 5000
    t.inside(udp(A, 5000, S, 53, b"q"), outside=same)
    t.wait(301)
    t.inside(udp(A, 5000, S2, 53, b"q"), outside=same)
    t.wait(200)
    t.inside(udp(A, 5000, S2, 53, b"q"), outside=same)
    t.wait(301)
    t.inside(ping := echo(A, S, 7), outside=seen(ping, src=E))
    t.wait(61)
    t.inside(ping, outside=seen(ping, src=E))


@case("N37 the next connection of an endpoint-independent mapping has its port", config=OPEN)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open().close()
    talk.mine += 100_000
    talk.theirs += 100_000
    talk.open().send(b"the next one")


@case("N15 whoever opens and resets one connection has one port", config=OPEN + 'port_range = "40000-40001"\n')
def _(t):
    for i in range(20):
        t.inside(syn := tcp(A, 40000, S, 443, "S", 1000 + i * 1000), outside=seen(syn, src=E))
        t.inside(rst := tcp(A, 40000, S, 443, "R", 1001 + i * 1000), outside=seen(rst, src=E))
    t.inside(syn := tcp(B, 40001, S, 443), outside=seen(syn, src=E))


@case("N15 of a host that comes back its block is no one's else", config=OPEN + 'port_range = "40000-40015"\nport_block = 8\n')
def _(t):
    t.inside(one := udp(A, 40000, S, 53, b"q"), outside=seen(one, src=E))
    t.block(A, 40000, 40007)
    t.wait(350)
    t.inside(one, outside=seen(one, src=E))
    t.wait(299)
    t.outside(answer := udp(S, 53, E, 40000, b"a"), inside=seen(answer, dst=A))
    t.wait(119)
    t.inside(udp(B, 40000, S, 53, b"q"), outside=leaves(E, range(40008, 40016)))
    t.block(B, 40008, 40015)
    t.wait(3)
    t.block(A, 40000, 40007, "released")
    t.wait(500)
    t.block(B, 40008, 40015, "released")


@case("N15 there is room for all that rest", config='[limits]\nflows = 1024\n' + nat(filtering=EI))
def _(t):
    for minute in range(4):
        for i in range(850):
            t.inside(ping := echo(f"10.1.{minute + 2}.{i % 250 + 1}", S, 1000 * minute + i), outside=seen(ping, src=E))
        t.wait(60.5)
    t.inside(ping := echo(A, S, 7777), outside=seen(ping, src=E))

"""How ports are mapped and who may answer through them (nat.md 1, 2, 5, 8, 11), as [nat] says."""

from talk import Talk
from crafted import says, seen, tcp, udp
from cases_nat import CONFIG, FEW_PORTS, leaves
from scapy.layers.inet import TCP
from wires import A, ALLOW, B, E, S, S2, SNAT, case

DENY = """
[[egress_network]]
namespace = "linkerd-egress"
name = "one server"
traffic_policy = "Allow"
networks = [ { cidr = "198.51.100.7/32" } ]
""" + SNAT


def nat(**keys):
    return CONFIG + "[nat]\n" + "".join(f'{key} = {value}\n' for key, value in keys.items())


EI, AD = '"endpoint_independent"', '"address_dependent"'
ED = '"endpoint_dependent"'


@case("N1 TCP mapped endpoint-independently keeps one outside port towards all servers", config=nat(tcp_mapping=EI))
def _(t):
    t.inside(first := tcp(A, 40000, S, 443), outside=seen(first, src=E))
    ports = set()

    def same(packet):
        ports.add(packet[TCP].sport)
        return len(ports) == 1 and packet[TCP].sport != 40000
    t.inside(tcp(B, 40000, S, 443), outside=same)
    t.inside(tcp(B, 40000, S2, 443), outside=same)
    t.inside(tcp(B, 40000, S2, 80), outside=same)


@case("N1 UDP mapped endpoint-dependently shares a port between servers", config=nat(udp_mapping=ED))
def _(t):
    t.inside(first := udp(A, 5000, S, 53, b"question"), outside=seen(first, src=E))
    t.inside(second := udp(B, 5000, S2, 53, b"question"), outside=seen(second, src=E))
    t.inside(udp(B, 5000, S, 53, b"question"), outside=leaves(E, range(1024, 65536, 2)))
    t.outside(answer := udp(S2, 53, E, 5000, b"for B"), inside=seen(answer, dst=B))


@case("N20 endpoint-independent filtering: anybody answers through a mapping", config=nat(filtering=EI))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    t.outside(other := udp(S2, 9999, E, 5000, b"from another"), inside=seen(other, dst=A))
    t.inside(back := udp(A, 5000, S2, 9999, b"to another"), outside=seen(back, src=E))
    t.outside(udp(S2, 9999, E, 5001, b"no mapping"), drop="no_mapping")
    t.outside(tcp(S2, 9999, E, 5000), drop="no_mapping")  # N18: a mapping is of one protocol
    t.flow(src_port=5000, dest_ip=S)
    t.flow(src_port=5000, dest_ip=S2, dest_port=9999, pkts_toserver=1, pkts_toclient=1)


@case("N20 address-dependent filtering: the server answers from any port, others do not", config=nat(filtering=AD))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    t.outside(other := udp(S, 9999, E, 5000, b"another port"), inside=seen(other, dst=A))
    t.outside(udp(S2, 53, E, 5000, b"from another"), drop="no_mapping")


@case("endpoint-independent filtering asks the policy, as if the client had begun", policy=DENY, config=nat(filtering=EI))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    t.outside(udp(S2, 9999, E, 5000, b"from another"), drop="policy_denied")


@case("TCP from outside through an endpoint-independent mapping", config=nat(filtering=EI, tcp_mapping=EI))
def _(t):
    t.inside(first := tcp(A, 40000, S, 443), outside=seen(first, src=E))
    t.outside(syn := tcp(S2, 1234, E, 40000, "S", 7000), inside=seen(syn, dst=A))
    t.inside(answer := tcp(A, 40000, S2, 1234, "SA", 100, 7001), outside=seen(answer, src=E))
    t.outside(data := tcp(S2, 1234, E, 40000, "PA", 7001, 101, b"hello"), inside=seen(data, dst=A))
    t.outside(tcp(S2, 1235, E, 40000, "A", 7000, 1), drop="no_mapping")


@case("N15 a freed port rests for 120 s where others may answer through it", config=nat(filtering=EI))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    t.wait(301)
    t.outside(udp(S, 53, E, 5000, b"too late"), drop="no_mapping")
    t.inside(udp(B, 5000, S, 53, b"question"), outside=leaves(E, range(1024, 65536, 2)))
    t.wait(121)
    t.inside(third := udp("10.1.2.5", 5000, S, 53, b"question"), outside=seen(third, src=E))


@case("N15 it is free at once where only the server may answer")
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    t.wait(301)
    t.inside(second := udp(B, 5000, S, 53, b"question"), outside=seen(second, src=E))


@case("N21 answers keep a mapping alive with udp_inbound_refresh", config=nat(udp_inbound_refresh="true"))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    for _ in range(3):
        t.wait(200)
        t.outside(answer := udp(S, 53, E, 5000, b"answer"), inside=seen(answer, dst=A))


@case("N22 rejected packets from outside refresh nothing", config=nat(udp_inbound_refresh="true"))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    for _ in range(4):
        t.wait(74)
        t.outside(udp(S2, 53, E, 5000, b"hostile"), drop="no_mapping")
    t.wait(5)
    t.outside(udp(S, 53, E, 5000, b"too late"), drop="no_mapping")


@case("N32 a SYN from outside is answered after six seconds, once", config=nat(unsolicited='"icmp"'))
def _(t):
    t.outside(syn := tcp(S, 443, E, 40000))
    t.outside(syn, drop="no_mapping")  # sent again
    t.wait(5.9)
    t.wait(1, outside=says(3, 3, S, syn))
    t.drop(no_mapping=1)
    t.outside(tcp(S, 443, E, 40000, "A", 1, 1), drop="no_mapping")
    t.outside(udp(S, 443, E, 40000, b"no SYN"), drop="no_mapping")


@case("N31 it is not answered when the client opens meanwhile", config=nat(unsolicited='"icmp"'))
def _(t):
    t.outside(tcp(S, 443, E, 40000, "S", 5000))
    t.wait(1)
    t.inside(syn := tcp(A, 40000, S, 443, "S", 1000), outside=seen(syn, src=E))
    t.outside(again := tcp(S, 443, E, 40000, "S", 5000), inside=seen(again, dst=A))
    t.inside(both := tcp(A, 40000, S, 443, "SA", 1000, 5001), outside=seen(both, src=E))
    t.wait(6)
    t.drop(no_mapping=1)


@case("TCP in simultaneous open goes on", config=nat(unsolicited='"icmp"'))
def _(t):
    Talk(t, A, 40000, S, 443, E).open()


@case("N22 (4787 REQ-6): who finds a mapping open does not hold it open", config=nat(filtering=EI))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    for wait in (200, 99):
        t.wait(wait)
        t.outside(other := udp(S2, 9000 + wait, E, 5000, b"from another"), inside=seen(other, dst=A))
    t.wait(2)
    t.outside(udp(S2, 9999, E, 5000, b"too late"), drop="no_mapping")
    t.outside(udp(S2, 9200, E, 5000, b"too late"), drop="no_mapping")


@case("N22 an answer to him holds it", config=nat(filtering=EI))
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    t.wait(200)
    t.outside(other := udp(S2, 9000, E, 5000, b"from another"), inside=seen(other, dst=A))
    t.inside(answer := udp(A, 5000, S2, 9000, b"to him"), outside=seen(answer, src=E))
    t.wait(299)
    t.outside(third := udp("198.51.100.9", 9000, E, 5000, b"from a third"), inside=seen(third, dst=A))


@case("N22 TCP (4787 REQ-6): nor does he by SYNs", config=nat(filtering=EI, tcp_mapping=EI))
def _(t):
    t.inside(first := tcp(A, 40000, S, 443), outside=seen(first, src=E))
    for i in range(3):
        t.wait(75)
        t.outside(other := tcp(S2, 7000 + i, E, 40000), inside=seen(other, dst=A))
        t.outside(again := tcp(S2, 7000, E, 40000), inside=seen(again, dst=A))
    t.wait(16)
    t.outside(tcp(S2, 7777, E, 40000), drop="no_mapping")
    t.wait(75)  # of the first one's own flow nothing is left either
    t.outside(tcp(S2, 7000, E, 40000), drop="no_mapping")


@case("N22 TCP: nor by whatever else he says, nor do resets that answer him", config=nat(filtering=EI, tcp_mapping=EI))
def _(t):
    t.inside(first := tcp(A, 40000, S, 443), outside=seen(first, src=E))
    t.wait(200)
    t.outside(syn := tcp(S2, 7000, E, 40000, "S", 100), inside=seen(syn, dst=A))
    for flags in ("A", "PA", "FA", "SA"):
        t.outside(tcp(S2, 7000, E, 40000, flags, 101, 1), drop="no_mapping")
    t.wait(30)
    t.inside(refused := tcp(A, 40000, S2, 7000, "RA", 0, 101), outside=seen(refused, src=E))
    t.outside(tcp(S2, 7000, E, 40000, "A", 101, 1), drop="no_mapping")
    t.wait(20)
    t.outside(tcp(S2, 7001, E, 40000, "S", 100), drop="no_mapping")
    t.wait(191)
    t.outside(tcp(S2, 7000, E, 40000, "S", 100), drop="no_mapping")


@case("N22 TCP: an answer to him does", config=nat(filtering=EI, tcp_mapping=EI))
def _(t):
    t.inside(first := tcp(A, 40000, S, 443), outside=seen(first, src=E))
    t.wait(200)
    t.outside(syn := tcp(S2, 7000, E, 40000, "S", 7000), inside=seen(syn, dst=A))
    t.inside(answer := tcp(A, 40000, S2, 7000, "SA", 100, 7001), outside=seen(answer, src=E))
    t.outside(ack := tcp(S2, 7000, E, 40000, "A", 7001, 101), inside=seen(ack, dst=A))
    t.wait(100)
    t.outside(third := tcp("198.51.100.9", 7000, E, 40000), inside=seen(third, dst=A))
    t.outside(data := tcp(S2, 7000, E, 40000, "PA", 7001, 101, b"hello"), inside=seen(data, dst=A))


@case("7857 section 3: a port that nobody uses rather than one that serves another server", config=FEW_PORTS)
def _(t):
    for host, port in ((A, 40000), (B, 40001), ("10.1.2.5", 40002)):
        t.inside(syn := tcp(host, port, S, 443), outside=seen(syn, src=E))
    t.inside(tcp("10.1.2.6", 50000, S2, 443), outside=leaves(E, [40003], TCP))
    t.inside(tcp("10.1.2.6", 50001, S2, 443), outside=leaves(E, [40000, 40001, 40002], TCP))

"""Under which address and port (nat.md 1 to 7, 20, 23; the N numbers are those of the translator's cases)."""

from talk import Talk
from scapy.layers.inet import TCP, UDP
from crafted import checksum, echo, fixed, has_right_checksums, ip, named, raw_address, says, seen, tcp, udp
from wires import A, ALLOW, B, E, S, S2, SNAT, both_families, case

POOL = """
[[egress_pool]]
name = "pool"
ranges = ["203.0.113.16/30", "203.0.113.40"]
exclude = ["203.0.113.17"]
[[egress]]
name = "web"
sources = ["10.1.0.0/16"]
egress_pool = "pool"
"""
POOL_ADDRESSES = {"203.0.113.16", "203.0.113.18", "203.0.113.19", "203.0.113.40"}

CONFIG = """
[[port]]
name = "inside"
role = "inside"
device = "net_null0"
addresses = ["10.0.0.1/8", "fd00::1/16"]
[[port]]
name = "outside"
role = "outside"
device = "net_null1"
addresses = ["203.0.113.254/24", "2001:db8:113::fe/64"]
"""
FEW_PORTS = CONFIG + '[nat]\nport_range = "40000-40003"\n'


def leaves(source, sports, layer=UDP):
    """A translated packet of one of these ports, whichever was free."""
    def check(packet):
        return layer in packet and packet.src == source and packet[layer].sport in sports and has_right_checksums(packet)
    return named(check, f"{layer.__name__} from {source} and a port of {sports}")


@both_families("UDP out and back")
def _(t, a, b, s, s2, e):
    question, answer = udp(a, 5000, s, 53, b"question"), udp(s, 53, e, 5000, b"answer!")
    t.inside(question, outside=seen(question, src=e))
    t.outside(answer, inside=seen(answer, dst=a))
    t.flow(proto="UDP", nat_ip=e, nat_port=5000, pkts_toserver=1, pkts_toclient=1)


@both_families("N50 ping out and back")
def _(t, a, b, s, s2, e):
    t.inside(ping := echo(a, s, 77), outside=seen(ping, src=e))
    t.outside(pong := echo(s, e, 77, reply=True), inside=seen(pong, dst=a))
    t.flow(nat_ip=e, src_port=77, nat_port=77, dest_port=0)


@both_families("N50 pings of two hosts with one identifier keep apart")
def _(t, a, b, s, s2, e):
    t.inside(ping := echo(a, s, 77), outside=seen(ping, src=e))
    def other(packet):
        return packet.src == e and packet.payload.id != 77 and has_right_checksums(packet)
    t.inside(echo(b, s, 77), outside=named(other, "a ping with another identifier"))
    t.outside(pong := echo(s, e, 77, reply=True), inside=seen(pong, dst=a))


@both_families("N1 and N4: one inside port keeps its outside port, towards all servers")
def _(t, a, b, s, s2, e):
    for server in (s, s2, s):
        t.inside(question := udp(a, 5000, server, 53, b"question"), outside=seen(question, src=e))


@both_families("N2 one outside port serves two hosts towards two servers")
def _(t, a, b, s, s2, e):
    Talk(t, a, 40000, s, 443, e).open()
    Talk(t, b, 40000, s2, 443, e).open()


@case("N3 and N7: towards one server every flow has its own port, and the first keeps its")
def _(t):
    Talk(t, A, 40000, S, 443, E).open()
    for i in range(1, 60):
        t.inside(tcp(f"10.1.3.{i}", 40000, S, 443), outside=leaves(E, range(1024, 65536), TCP))
    t.outside(answer := tcp(S, 443, E, 40000, "PA", 5001, 1001, b"for A"), inside=seen(answer, dst=A))




@case("N5 ports below 1024 stay below, others above")
def _(t):
    t.inside(first := udp(A, 500, S, 500, b"isakmp"), outside=seen(first, src=E))
    t.inside(udp(B, 500, S, 500, b"isakmp"), outside=leaves(E, range(1, 1024)))
    t.inside(second := udp(A, 1024, S, 500, b"isakmp"), outside=seen(second, src=E))
    t.inside(udp(B, 1024, S, 500, b"isakmp"), outside=leaves(E, range(1024, 65536)))


@case("N6 parity is kept where the port is not")
def _(t):
    for port in (6000, 6001):
        t.inside(first := udp(A, port, S, 5004, b"rtp"), outside=seen(first, src=E))
        t.inside(udp(B, port, S, 5004, b"rtp"), outside=leaves(E, range(1024 + port % 2, 65536, 2)))


@case("case 120, N8 and N10: TCP, UDP and ping of one host under one address of the pool", policy=ALLOW + SNAT + POOL)
def _(t):
    for i in range(3, 40):
        host, used = f"10.1.2.{i}", set()

        def one_address(packet, used=used):
            used.add(packet.src)
            return len(used) == 1 and used <= POOL_ADDRESSES and has_right_checksums(packet)
        for packet in (tcp(host, 40000, S, 443), udp(host, 5000, S, 53, b"q"), echo(host, S, i)):
            t.inside(packet, outside=named(one_address, "the same pool address for all of a host's packets"))


@case("cases 109 and 110: who leaves by which egress, from the first packet on", policy=ALLOW + SNAT + POOL.replace("10.1.0.0/16", "10.1.2.3/32"))
def _(t):
    t.inside(udp(A, 5000, S, 53, b"q"), outside=named(lambda p: p.src in POOL_ADDRESSES, "a pool address"))
    t.inside(other := udp(B, 5000, S, 53, b"q"), outside=seen(other, src=E))
    t.flow(src_ip=A, egress="web")
    t.flow(src_ip=B, egress=None, nat_ip=E)


@case("case 118 and N14, exhausted: the new flow is refused, nothing leaves untranslated, the others live", config=FEW_PORTS)
def _(t):
    talks = [Talk(t, f"10.1.2.{i}", 40000 + i, S, 443, E).open() for i in range(4)]
    t.inside(syn := tcp("10.1.2.9", 50000, S, 443), inside=says(3, 1, "10.1.2.9", syn), drop="nat_ports_exhausted")
    t.inside(elsewhere := tcp("10.1.2.9", 40000, S2, 443), outside=seen(elsewhere, src=E))
    talks[2].send(b"still here")
    talks[3].receive(b"me too")
    for i in range(4):
        t.flow(src_ip=f"10.1.2.{i}", action="allow")
    t.flow(src_ip="10.1.2.9", dest_ip=S, action="deny", reason="nat_ports_exhausted")
    t.flow(src_ip="10.1.2.9", dest_ip=S2, action="allow")


@case("case 119: the configured range is kept to", config=FEW_PORTS)
def _(t):
    t.inside(udp(A, 5000, S, 53, b"q"), outside=leaves(E, range(40000, 40004)))


@case("N16 destinations that are never translated", policy=ALLOW + SNAT.replace("[snat]", '[snat]\nexcept = ["198.51.100.8/32"]'))
def _(t):
    t.inside(question := udp(A, 5000, S2, 53, b"q"), outside=seen(question))
    t.outside(answer := udp(S2, 53, A, 5000, b"a"), inside=seen(answer))
    t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))
    t.flow(dest_ip=S2, nat_ip=None)
    t.flow(dest_ip=S, nat_ip=E)


@case("case 113: no address of the family, no packet", policy=ALLOW + '[snat]\naddresses = ["203.0.113.1"]\n')
def _(t):
    syn = tcp("fd00:1::3", 40000, "2001:db8:51::7", 443)
    t.inside(syn, inside=says(1, 3, "fd00:1::3", syn), drop="no_egress_address")
    t.flow(action="deny", reason="no_egress_address")


@case("ip pools: only sources of a pool with nat_outgoing are translated",
      policy=ALLOW + SNAT + '[[ip_pool]]\ncidr = "10.1.2.3/32"\nnat_outgoing = true\n')
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))
    t.inside(question := udp(B, 5000, S, 53, b"q"), outside=seen(question))


@both_families("N18 and N20: a mapping lets in only whom it was made towards, by its protocol")
def _(t, a, b, s, s2, e):
    t.inside(question := udp(a, 5000, s, 53, b"q"), outside=seen(question, src=e))
    t.outside(udp(s2, 53, e, 5000, b"hostile"), drop="no_mapping")
    t.outside(udp(s, 54, e, 5000, b"hostile"), drop="no_mapping")
    t.outside(tcp(s, 53, e, 5000), drop="no_mapping")
    t.outside(answer := udp(s, 53, e, 5000, b"a"), inside=seen(answer, dst=a))


@case("case 128: from outside without a flow, and from inside to an egress address without one")
def _(t):
    t.outside(tcp(S, 443, E, 40000), drop="no_mapping")
    t.outside(tcp(S, 443, A, 40000), drop="no_mapping")
    t.outside(udp(E, 53, A, 40000, b"x"), drop="martian_own_address")
    t.inside(tcp(A, 40000, E, 443), drop="hairpin_refused")


@case("N77 a datagram without checksum stays so")
def _(t):
    question = fixed(ip(A, S) / UDP(sport=5000, dport=53, chksum=0) / b"question")
    expected = seen(udp(A, 5000, S, 53, b"question"), src=E)
    expected[UDP].chksum = 0
    t.inside(question, outside=expected)


@case("N77 a checksum that comes out as zero is sent as 0xffff")
def _(t):
    pseudo, header = raw_address(E) + raw_address(S) + bytes.fromhex("0011000a"), bytes.fromhex("13880035000a0000")
    payload = checksum(pseudo + header).to_bytes(2, "big")  # what is missing to a sum of 0xffff
    question = udp(A, 5000, S, 53, payload)
    expected = seen(question, src=E)
    assert expected[UDP].chksum == 0xFFFF
    t.inside(question, outside=expected)


@both_families("N78 a wrong transport checksum stays as wrong")
def _(t, a, b, s, s2, e):
    for packet, layer in ((tcp(a, 40000, s, 443), TCP), (udp(a, 5000, s, 53, b"q"), UDP)):
        def as_wrong(out, packet=packet, layer=layer):
            right = seen(packet, src=e)
            return out.src == e and (out[layer].chksum - right[layer].chksum) % 0xFFFF == 0x0100
        broken = packet.copy()
        broken[layer].chksum = (packet[layer].chksum + 0x0100) % 0xFFFF
        t.inside(broken, outside=named(as_wrong, "the same packet, translated, its checksum off by 0x0100"))


@both_families("N30 options and flags are left alone, the segment size is clamped")
def _(t, a, b, s, s2, e):
    fits = 1460 if ":" not in a else 1440
    options = [("MSS", fits), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]
    t.inside(syn := tcp(a, 40000, s, 443, "SEC", options=options), outside=seen(syn, src=e))
    options[0] = ("MSS", 8960)
    syn = tcp(a, 40001, s, 443, options=options)
    clamped = syn.copy()
    clamped[TCP].options = [("MSS", fits), *options[1:]]
    t.inside(syn, outside=seen(clamped, src=e))


@both_families("N33 a repeated SYN and SYN-ACK are translated alike")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e)
    talk.say("S")
    talk.say("S")
    talk.mine += 1
    talk.answer("SA")
    talk.answer("SA")
    t.flow(pkts_toserver=2, pkts_toclient=2)


@both_families("N31 both sides open at once")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e)
    talk.say("S")
    t.outside(syn := tcp(s, 443, e, 40000, seq=5000), inside=seen(syn, dst=a))
    talk.mine += 1
    talk.theirs += 1
    t.inside(both := tcp(a, 40000, s, 443, "SA", 1000, 5001), outside=seen(both, src=e))
    t.outside(both := tcp(s, 443, e, 40000, "SA", 5000, 1001), inside=seen(both, dst=a))
    talk.send(b"hello")
    talk.receive(b"hello")


@case("N38 a segment in mid-stream starts no flow, unless the configuration says so")
def _(t):
    t.inside(tcp(A, 40000, S, 443, "A", 1, 1, b"data"), drop="no_flow_midstream")


@case("N38 picked up where [nat] tcp_midstream = allow", config=CONFIG + '[nat]\ntcp_midstream = "allow"\n')
def _(t):
    t.inside(data := tcp(A, 40000, S, 443, "PA", 1000, 5000, b"data"), outside=seen(data, src=E))
    t.outside(answer := tcp(S, 443, E, 40000, "PA", 5000, 1004, b"more"), inside=seen(answer, dst=A))


@case("N37 there a lone reset begins no flow", config=CONFIG + '[nat]\ntcp_midstream = "allow"\n')
def _(t):
    for flags in ("R", "RA"):
        t.inside(tcp(A, 40000, S, 443, flags, 5, 5), drop="no_flow_midstream")
    t.outside(tcp(S, 443, E, 40000, "S", 1), drop="no_mapping")
    t.inside(end := tcp(A, 40001, S, 443, "FA", 1000, 5000), outside=seen(end, src=E))
    t.outside(ack := tcp(S, 443, E, 40001, "A", 5000, 1001), inside=seen(ack, dst=A))


@both_families("N36 a reset outside the window changes nothing, one inside ends the flow")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.answer("RA", offset=1_000_000, drop="tcp_rst_invalid")
    talk.send(b"still here")
    talk.answer("RA")
    t.flow(end="rst")


@both_families("N37 a SYN on a closed connection opens the next one")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open().close()
    talk.mine += 100_000
    talk.theirs += 100_000
    talk.open().send(b"the next one")
    t.flow(end="replaced", action="allow")
    t.flow(pkts_toserver=3)

"""What the translator does to a connection's segments (nat.md 10 to 13, 24; RFC 5382, 5961, 7857)."""

from scapy.layers.inet import TCP
from cases_nat import CONFIG
from crafted import seen, tcp, udp
from talk import Talk
from wires import A, E, S, both_families, case

LARGE = CONFIG.replace('device = "net_null0"', 'device = "net_null0"\nmtu = 9000').replace(
    'device = "net_null1"', 'device = "net_null1"\nmtu = 9000')


@both_families("N12 segments out of order, twice and with a gap between them pass")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.say("PA", b"third", offset=10)
    talk.say("PA", b"first")
    talk.say("PA", b"first")
    talk.answer("PA", b"far", offset=50_000)
    talk.answer("A", offset=-1)  # a keep-alive
    talk.answer("PA", b"near")


@both_families("N36 a reset passes where the receiver would take it, from either side")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.say("RA", offset=70_000, drop="tcp_rst_invalid")
    talk.say("RA", offset=-1, drop="tcp_rst_invalid")
    talk.answer("R", offset=-1, drop="tcp_rst_invalid")
    talk.answer("R", offset=65_000, drop="tcp_rst_invalid")  # the first byte behind the window
    talk.send(b"still here")
    talk.receive(b"me too")
    talk.answer("R", offset=64_990)
    t.flow(end="rst")


@both_families("N36 a refused SYN: only an answer that acknowledges it is one")
def _(t, a, b, s, s2, e):
    t.inside(syn := tcp(a, 40000, s, 443, "S", 1000), outside=seen(syn, src=e))
    t.outside(tcp(s, 443, e, 40000, "RA", 0, 999), drop="tcp_rst_invalid")
    t.outside(tcp(s, 443, e, 40000, "R", 0), drop="tcp_rst_invalid")
    t.outside(refused := tcp(s, 443, e, 40000, "RA", 0, 1001), inside=seen(refused, dst=a))
    t.flow(end="rst")


@both_families("N30 both sides close at once")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.say("FA")
    talk.answer("FA")
    talk.mine += 1
    talk.theirs += 1
    talk.say("A")
    talk.answer("A")
    t.flow(end="fin", pkts_toserver=4, pkts_toclient=3)


@both_families("half a close from the server: the client goes on sending")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.answer("FA")
    talk.theirs += 1
    t.wait(2000)
    talk.send(b"the rest")
    t.wait(5000)
    talk.say("FA")
    talk.mine += 1
    talk.answer("A")
    t.flow(end="fin")


@both_families("N37 a SYN of the server alone reopens nothing")
def _(t, a, b, s, s2, e):
    Talk(t, a, 40000, s, 443, e).open().close()
    t.outside(late := tcp(s, 443, e, 40000, "S", 900_000), inside=seen(late, dst=a))
    t.wait(241)
    t.outside(tcp(s, 443, e, 40000, "S", 900_000), drop="no_mapping")
    t.flow(end="fin", pkts_toclient=3)


@both_families("N37 after a reset a SYN opens the next connection")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.answer("RA")
    talk.mine += 100_000
    talk.theirs += 100_000
    talk.open().send(b"the next one")
    t.flow(end="replaced")
    t.flow(pkts_toserver=3)


@both_families("N39 the server's segment size is clamped as well, wherever the option lies")
def _(t, a, b, s, s2, e):
    fits = 1460 if ":" not in a else 1440
    talk = Talk(t, a, 40000, s, 443, e)
    talk.say("S")
    talk.mine += 1
    for options in ([("MSS", 8960)], [("NOP", None), ("MSS", 8960), ("NOP", None), ("NOP", None), ("NOP", None)],
                    [("WScale", 7), ("MSS", 8960), ("NOP", None)]):
        both = tcp(s, 443, e, 40000, "SA", 5000, 1001, options=options)
        clamped = both.copy()
        clamped[TCP].options = [(kind, fits if kind == "MSS" else value) for kind, value in options]
        t.outside(both, inside=seen(clamped, dst=a))
    small = tcp(s, 443, e, 40000, "SA", 5000, 1001, options=[("MSS", 536)])
    t.outside(small, inside=seen(small, dst=a))


@case("N39 no segment size is clamped where mss_clamp = off", config=CONFIG + '[nat]\nmss_clamp = "off"\n')
def _(t):
    t.inside(syn := tcp(A, 40000, S, 443, options=[("MSS", 8960)]), outside=seen(syn, src=E))


@both_families("N41 no gateway for FTP: addresses in payload stay as they are")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 21, e).open()
    talk.receive(b"220 ready\r\n")
    talk.send(b"PORT 10,1,2,3,156,64\r\n" if ":" not in a else b"EPRT |2|fd00:1::3|40000|\r\n")
    t.outside(tcp(s, 20, e, 40000), drop="no_mapping")


@both_families("N84 jumbo frames", config=LARGE)
def _(t, a, b, s, s2, e):
    t.inside(question := udp(a, 5000, s, 53, bytes(range(256)) * 34), outside=seen(question, src=e))
    t.outside(answer := udp(s, 53, e, 5000, bytes(range(255)) * 34), inside=seen(answer, dst=a))


@both_families("the fields that are nobody's business stay: traffic class, flow label, identification")
def _(t, a, b, s, s2, e):
    fields = {"tc": 0xB9, "fl": 0x12345} if ":" in a else {"tos": 0xB9, "id": 0xBEEF}
    syn = tcp(a, 40000, s, 443, "SEC", **fields)
    t.inside(syn, outside=seen(syn, src=e))


@both_families("N31 a simultaneous open ends in an established connection, whoever speaks first in it")
def _(t, a, b, s, s2, e):
    for port, last in ((40000, "SA"), (40001, "A")):
        t.inside(syn := tcp(a, port, s, 443, "S", 1000), outside=seen(syn, src=e))
        t.outside(syn := tcp(s, 443, e, port, "S", 5000), inside=seen(syn, dst=a))
        t.inside(answer := tcp(a, port, s, 443, "SA", 1000, 5001), outside=seen(answer, src=e))
        t.outside(answer := tcp(s, 443, e, port, last, 5000 + (last == "A"), 1001), inside=seen(answer, dst=a))
        if last == "A":  # nobody has answered the client's own SYN: the client's next word does it
            t.inside(word := tcp(a, port, s, 443, "A", 1001, 5001), outside=seen(word, src=e))
        t.wait(7000)
        t.outside(late := tcp(s, 443, e, port, "PA", 5001, 1001, b"an hour later"), inside=seen(late, dst=a))
        t.flow(state="established", pkts_toserver=2 + (last == "A"), pkts_toclient=3)


@both_families("N34 SYNs of both sides alone keep nothing alive, nor does an answer that comes twice")
def _(t, a, b, s, s2, e):
    for port, client in ((40000, ""), (40001, "SA")):
        t.inside(syn := tcp(a, port, s, 443, "S", 1000), outside=seen(syn, src=e))
        for _ in range(2):
            flags, ack = ("S", 0) if client else ("SA", 1001)
            t.outside(syn := tcp(s, 443, e, port, flags, 5000, ack), inside=seen(syn, dst=a))
        if client:
            t.inside(answer := tcp(a, port, s, 443, client, 1000, 5001), outside=seen(answer, src=e))
            t.outside(syn := tcp(s, 443, e, port, "S", 5000), inside=seen(syn, dst=a))
        t.wait(241)
        t.outside(tcp(s, 443, e, port, "PA", 5001, 1001, b"too late"), drop="no_mapping")
        t.flow(end="timeout")

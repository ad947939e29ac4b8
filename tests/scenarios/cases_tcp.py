"""What the translator does to a connection's segments (nat.md 10 to 13, 24; RFC 5382, 5961, 7857)."""

from scapy.layers.inet import TCP
from cases_nat import CONFIG
from crafted import seen, tcp, udp
from talk import Talk
from wires import A, B, E, S, both_families, case

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


def spoken(t, a, s, e):
    """A connection in which both sides have spoken and acknowledged."""
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.send(b"x" * 100)
    talk.receive(b"y" * 100)
    talk.say("A")
    return talk


@both_families("N36 a blind segment in front of it makes no reset valid: a SYN, an ACK far ahead")
def _(t, a, b, s, s2, e):
    for flags in ("S", "A"):
        talk = spoken(t, a, s, e)
        talk.answer(flags, offset=0x30000000)
        talk.answer("R", offset=0x30000000 + len(flags.replace("A", "")), drop="tcp_rst_invalid")
        t.wait(300)  # a reset connection would be over
        talk.receive(b"still here")
        talk.say("R")


@both_families("N36 a blind FIN closes nothing, nor does a half-closed connection end by it")
def _(t, a, b, s, s2, e):
    talk = spoken(t, a, s, e)
    talk.say("FA")
    talk.mine += 1
    talk.answer("A")
    talk.answer("FA", offset=0x30000000)
    t.wait(300)
    talk.receive(b"still here")


@both_families("N36 an acknowledgment of what was never said does not make the client's reset invalid")
def _(t, a, b, s, s2, e):
    talk = spoken(t, a, s, e)
    ahead = tcp(s, 443, e, 40000, "A", talk.theirs, talk.mine + 0x30000000)
    t.outside(ahead, inside=seen(ahead, dst=a))
    talk.send(b"z" * 1000)
    talk.say("R", offset=-1000)  # in the window that the server has opened


@case("N36 a window is scaled only if both sides offer to (RFC 7323 section 2.2)")
def _(t):
    talk = Talk(t, A, 40000, S, 443, E)
    syn = tcp(A, 40000, S, 443, "S", 1000, options=[("WScale", 7)])
    t.inside(syn, outside=seen(syn, src=E))
    talk.mine += 1
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    talk.answer("R", offset=1_000_000, drop="tcp_rst_invalid")


def scaled(t, mine, theirs):
    """A connection whose sides offer to scale their windows by so many bits, and say 502 when they do."""
    talk = Talk(t, A, 40000, S, 443, E)
    t.inside(syn := tcp(A, 40000, S, 443, "S", 1000, options=[("WScale", mine)]), outside=seen(syn, src=E))
    talk.mine += 1
    t.outside(both := tcp(S, 443, E, 40000, "SA", 5000, 1001, options=[("WScale", theirs)]), inside=seen(both, dst=A))
    talk.theirs += 1
    t.inside(last := tcp(A, 40000, S, 443, "A", 1001, 5001, window=502), outside=seen(last, src=E))
    return talk


@case("N36 the window of a SYN itself is not scaled (RFC 7323 section 2.2)")
def _(t):
    talk = scaled(t, 7, 14)
    talk.say("R", offset=1_000_000, drop="tcp_rst_invalid")
    talk.send(b"still here")
    talk.say("R", offset=64_000)


@case("N36 a blind SYN-ACK takes the scale of the windows from nobody, nor does a SYN")
def _(t):
    for flags in ("SA", "S"):
        talk = scaled(t, 7, 7)
        blind = tcp(S, 443, E, 40000, flags, 0x50000000, 0x30000000 if "A" in flags else 0)
        t.outside(blind, inside=seen(blind, dst=A))
        talk.answer("R", offset=60_000)
        t.wait(300)
        talk.answer("PA", drop="no_mapping")


@both_families("N37 both sides have forgotten the connection: the next one's resets count by its own numbers")
def _(t, a, b, s, s2, e):
    for who in ("server", "client"):
        talk = Talk(t, a, 40000, s, 443, e)
        talk.mine, talk.theirs = 0x50000000, 0x60000000
        talk.open()
        talk.send(b"x" * 100)
        talk.receive(b"y" * 100)
        talk.say("A")
        t.wait(100)
        talk.mine, talk.theirs = 0x20000000, 0x30000000
        talk.open()
        talk.send(b"x" * 100)
        talk.receive(b"y" * 100)
        talk.say("A")
        if who == "server":
            talk.receive(b"z" * 1000)  # in flight
            talk.answer("R", offset=-1000)
        else:
            talk.send(b"z" * 1000)
            talk.say("R", offset=-1000)


@both_families("N37 a server that has forgotten the connection refuses its next SYN")
def _(t, a, b, s, s2, e):
    talk = spoken(t, a, s, e)
    talk.mine = 0x20000000
    talk.say("S")
    talk.mine += 1
    talk.theirs = 0
    talk.answer("RA")
    t.wait(300)
    talk.answer("PA", drop="no_mapping")


@case("N36 a connection that was met in the middle takes no reset from anywhere", config=CONFIG + '[nat]\ntcp_midstream = "allow"\n')
def _(t):
    talk = Talk(t, A, 40000, S, 443, E)
    talk.send(b"x" * 100)
    talk.receive(b"y" * 100)
    talk.say("A")
    talk.answer("A")
    talk.answer("R", offset=0x60000000, drop="tcp_rst_invalid")
    talk.answer("R")


OPEN = CONFIG + '[nat]\nfiltering = "endpoint_independent"\ntcp_mapping = "endpoint_independent"\n'


def answered_from_outside(t, a, s, s2, e):
    """A SYN through the mapping of another connection, and the client's SYN-ACK."""
    first = tcp(a, 40000, s, 443)
    t.inside(first, outside=seen(first, src=e))
    syn = tcp(s2, 1234, e, 40000, "S", 7000)
    t.outside(syn, inside=seen(syn, dst=a))
    answer = tcp(a, 40000, s2, 1234, "SA", 100, 7001)
    t.inside(answer, outside=seen(answer, src=e))


@both_families("N22 a connection from outside is established by its handshake, before the client says anything", config=OPEN)
def _(t, a, b, s, s2, e):
    answered_from_outside(t, a, s, s2, e)
    acknowledged = tcp(s2, 1234, e, 40000, "A", 7001, 101)
    t.outside(acknowledged, inside=seen(acknowledged, dst=a))
    t.wait(1000)
    data = tcp(a, 40000, s2, 1234, "PA", 101, 7001, b"x")
    t.inside(data, outside=seen(data, src=e))


@both_families("N22 but not by an ACK that answers nothing", config=OPEN)
def _(t, a, b, s, s2, e):
    answered_from_outside(t, a, s, s2, e)
    blind = tcp(s2, 1234, e, 40000, "A", 7001, 555)
    t.outside(blind, inside=seen(blind, dst=a))
    t.wait(1000)
    data = tcp(a, 40000, s2, 1234, "PA", 101, 7001, b"x")
    t.inside(data, drop="no_flow_midstream")


@case("N80 a hairpin connection is established at both ends by its handshake", config=OPEN)
def _(t):
    mapped = tcp(B, 6000, S, 443)
    t.inside(mapped, outside=seen(mapped, src=E))
    syn = tcp(A, 5000, E, 6000, "S", 1000)
    t.inside(syn, inside=seen(syn, src=E, dst=B))
    answer = tcp(B, 6000, E, 5000, "SA", 7000, 1001)
    t.inside(answer, inside=seen(answer, src=E, dst=A))
    last = tcp(A, 5000, E, 6000, "A", 1001, 7001)
    t.inside(last, inside=seen(last, src=E, dst=B))
    t.wait(1000)
    data = tcp(A, 5000, E, 6000, "PA", 1001, 7001, b"hello")
    t.inside(data, inside=seen(data, src=E, dst=B))

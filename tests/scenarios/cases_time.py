"""How long things live (nat.md 8; RFC 4787, 5382, 5508, 7857)."""

from talk import Talk
from crafted import echo, seen, tcp, udp
from wires import A, B, E, S, both_families, case


@both_families("N24 a UDP mapping lives five minutes")
def _(t, a, b, s, s2, e):
    t.inside(question := udp(a, 5000, s, 53, b"q"), outside=seen(question, src=e))
    t.wait(299)
    t.outside(answer := udp(s, 53, e, 5000, b"in time"), inside=seen(answer, dst=a))
    t.wait(2)
    t.outside(udp(s, 53, e, 5000, b"too late"), drop="no_mapping")
    t.flow(end="timeout", pkts_toserver=1, pkts_toclient=1)


@case("N21 what goes out keeps a mapping, what comes in does not")
def _(t):
    for _ in range(20):
        t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))
        t.wait(299)
    for _ in range(2):
        t.inside(question := udp(B, 6000, S, 53, b"q"), outside=seen(question, src=E))
    t.wait(200)
    t.outside(answer := udp(S, 53, E, 6000, b"a"), inside=seen(answer, dst=B))
    t.wait(101)
    t.outside(udp(S, 53, E, 6000, b"a"), drop="no_mapping")
    t.flow(src_ip=A, pkts_toserver=20, end="timeout")
    t.flow(src_ip=B, pkts_toserver=2, end="timeout")


@case("N22 what is turned away from outside keeps nothing alive")
def _(t):
    t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))
    for _ in range(4):
        t.wait(60)
        t.outside(udp("198.51.100.66", 53, E, 5000, b"hostile"), drop="no_mapping")
    t.wait(61)
    t.outside(udp(S, 53, E, 5000, b"too late"), drop="no_mapping")


@both_families("5508 REQ-2: a ping is remembered for a minute")
def _(t, a, b, s, s2, e):
    t.inside(ping := echo(a, s, 7), outside=seen(ping, src=e))
    t.wait(59)
    t.outside(pong := echo(s, e, 7, reply=True), inside=seen(pong, dst=a))
    t.wait(62)
    t.outside(echo(s, e, 7, reply=True), drop="no_mapping")
    t.flow(end="timeout")


@case("N34 an unanswered SYN is forgotten after four minutes")
def _(t):
    t.inside(syn := tcp(A, 40000, S, 443), outside=seen(syn, src=E))
    t.wait(239)
    t.outside(answer := tcp(S, 443, E, 40000, "SA", 5000, 1001), inside=seen(answer, dst=A))
    t.inside(syn := tcp(A, 40001, S, 443), outside=seen(syn, src=E))
    t.wait(241)
    t.outside(tcp(S, 443, E, 40001, "SA", 5000, 1001), drop="no_mapping")


@case("5382 REQ-5: an established connection lives two hours and four minutes")
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    t.wait(7439)
    talk.receive(b"in time")
    t.wait(7439)
    talk.send(b"in time")
    t.wait(7441)
    talk.receive(b"too late", drop="no_mapping")
    t.flow(end="timeout", state="closed")


@case("5382 REQ-5: a closed connection lives four minutes")
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open().close()
    t.wait(239)
    talk.answer("A")
    t.wait(241)
    talk.answer("A", drop="no_mapping")
    t.flow(end="fin", state="closed")


@case("N35 a reset connection lives four minutes and is revived by data")
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.answer("RA")
    t.wait(239)
    talk.send(b"alive")
    t.wait(241)
    talk.receive(b"established again")
    talk.answer("RA")
    t.wait(241)
    talk.receive(b"too late", drop="no_mapping")
    t.flow(end="rst")


@case("half a close keeps the connection for the other half")
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.say("FA")
    talk.mine += 1
    t.wait(1000)
    talk.receive(b"the rest")
    t.flow(state="established")


@case("a port is free again when its flow is over")
def _(t):
    t.inside(first := tcp(A, 40000, S, 443), outside=seen(first, src=E))
    t.wait(241)
    t.inside(second := tcp(B, 40000, S, 443), outside=seen(second, src=E))
    t.flow(src_ip=A, end="timeout")
    t.flow(src_ip=B)


@case("timeouts come in order, also over a gap of days")
def _(t):
    t.inside(ping := echo(A, S, 7), outside=seen(ping, src=E))
    t.inside(question := udp(A, 5000, S, 53, b"q"), outside=seen(question, src=E))
    talk = Talk(t, A, 40000, S, 443, E).open()
    t.wait(60 * 24 * 3600)
    talk.receive(b"too late", drop="no_mapping")
    t.flow(proto="ICMP", end="timeout")
    t.flow(proto="UDP", end="timeout")
    t.flow(proto="TCP", end="timeout")

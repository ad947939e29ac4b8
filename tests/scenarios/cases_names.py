"""What a flow must show before it is decided, seen from both wires: what leaves, when, and who is told."""

from packets import client_hello, in_records
from cases_policy import DENY, route
from scapy.layers.l2 import Dot1Q, Ether
from talk import Talk
from crafted import named, reset, seen, tcp
from wires import A, E, S, SNAT, both_families, case

NAMES = DENY + SNAT + route("tls_route", "names", 443, 'hostnames = ["httpbin.org", "*.example.com"]')
GOOD, BAD, NAMELESS = client_hello("httpbin.org"), client_hello("denied.example"), client_hello(None)
DENIED = {"action": "deny", "reason": "name_not_allowed", "network": "linkerd-egress/everything"}


def pieces(data, *cuts):
    return [(start, data[start:end]) for start, end in zip((0, *cuts), (*cuts, len(data)))]


@both_families("case 65: an allowed name goes on as it came", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.send(GOOD)
    talk.receive(b"server hello")
    talk.close()
    t.flow(action="allow", reason="route", rule="linkerd-egress/names", app_proto="tls", sni="httpbin.org", end="fin")


@both_families("cases 62, 65, 69 and 97: a denied hello is reset on both sides and reaches nobody", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.send(BAD, inside=talk.reset_to_client(len(BAD)), outside=talk.reset_to_server(), drop="hello_denied")
    talk.say("PA", b"application data", inside=talk.reset_to_client(16), drop="flow_denied")
    talk.answer("A", drop="flow_denied")
    t.flow(app_proto="tls", sni="denied.example", end="denied", **DENIED)


@case("deny_action = drop: a denied hello ends in silence", policy=NAMES + '[defaults]\ndeny_action = "drop"\n')
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(BAD, drop="hello_denied")
    talk.say("PA", b"application data", drop="flow_denied")
    t.flow(**DENIED)


@both_families("case 84: a hello in three segments waits and then leaves as it came", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    waiting = []
    for at, piece in pieces(GOOD, 100, 250)[:-1]:
        waiting.append(talk.as_seen(talk.say("PA", piece, offset=at, outside=[])))
    at, piece = pieces(GOOD, 100, 250)[-1]
    last = tcp(a, 40000, s, 443, "PA", talk.mine + at, talk.theirs, piece)
    t.inside(last, outside=[*waiting, talk.as_seen(last)])
    talk.mine += len(GOOD)
    talk.receive(b"server hello")
    t.flow(sni="httpbin.org", action="allow", pkts_toserver=5)


@both_families("case 84: the same out of order", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    first, second, third = pieces(GOOD, 100, 250)
    waiting = [talk.as_seen(talk.say("PA", piece, offset=at, outside=[])) for at, piece in (third, second)]
    at, piece = first
    last = tcp(a, 40000, s, 443, "PA", talk.mine + at, talk.theirs, piece)
    t.inside(last, outside=[*waiting, talk.as_seen(last)])
    t.flow(sni="httpbin.org", action="allow")


@case("case 84: a denied hello in pieces: none of them leaves", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    first, second, third = pieces(BAD, 100, 250)
    for at, piece in (second, first):
        talk.say("PA", piece, offset=at, outside=[])
    at, piece = third
    talk.say("PA", piece, offset=at, drop="hello_denied", inside=talk.reset_to_client(len(BAD)), outside=talk.reset_to_server())
    t.drop(hello_denied=2)
    t.flow(**DENIED)


@case("case 84: bytes sent twice are held once", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    first, second = pieces(GOOD, 100)
    waiting = talk.as_seen(talk.say("PA", first[1], outside=[]))
    talk.say("PA", first[1], outside=[], drop="hello_duplicate")
    last = tcp(A, 40000, S, 443, "PA", talk.mine + second[0], talk.theirs, second[1])
    t.inside(last, outside=[waiting, talk.as_seen(last)])
    t.flow(sni="httpbin.org", action="allow")


@case("case 84: an overlap with other bytes is denied", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.say("PA", GOOD[:150], outside=[])
    talk.say("PA", b"\0" * 50 + GOOD[150:], offset=100, drop="hello_denied", inside=talk.reset_to_client(len(GOOD)),
             outside=talk.reset_to_server())
    t.drop(hello_denied=1)
    t.flow(action="deny", reason="hello_conflict")


@case("case 85: a hello over several records", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(in_records(GOOD, 40))
    t.flow(sni="httpbin.org", action="allow")


@case("case 85: a record without content", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    broken = in_records(GOOD, 40)[:45] + b"\x16\x03\x01\0\0"
    talk.send(broken, drop="hello_denied", inside=talk.reset_to_client(len(broken)), outside=talk.reset_to_server())
    t.flow(action="deny", reason="hello_malformed")


@case("case 87: a hello over hello_bytes", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    announced = b"\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03" + bytes(1000)
    talk.send(announced, drop="hello_denied", inside=talk.reset_to_client(len(announced)), outside=talk.reset_to_server())
    t.flow(action="deny", reason="hello_too_large")


@both_families("case 81: half a hello is denied at hello_timeout, from its first byte", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    t.wait(5)
    talk.say("PA", BAD[:50], outside=[])
    t.wait(9.5)
    talk.say("PA", BAD[50:60], offset=50, outside=[])
    t.wait(2, inside=reset(s, 443, a, 40000, talk.theirs, talk.mine + 50), outside=talk.reset_to_server())
    talk.say("PA", BAD[60:], offset=60, inside=talk.reset_to_client(len(BAD)), drop="flow_denied")
    t.drop(hello_denied=2)
    t.flow(action="deny", reason="hello_timeout")


@case("case 90: a hello without a name", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(NAMELESS, drop="hello_denied", inside=talk.reset_to_client(len(NAMELESS)), outside=talk.reset_to_server())
    t.flow(action="deny", reason="no_name", app_proto="tls")


@case("case 82: the server speaks first: no name was shown", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    banner = b"SSH-2.0-OpenSSH_9.2\r\n"
    talk.receive(banner, drop="hello_denied", inside=reset(S, 443, A, 40000, talk.theirs, talk.mine),
                 outside=reset(E, 40000, S, 443, talk.mine, talk.theirs + len(banner)))
    t.flow(action="deny", reason="no_name")


@case("case 94: a whole hello in the SYN decides there", policy=NAMES)
def _(t):
    syn = tcp(A, 40000, S, 443, "S", 1000, payload=GOOD)
    t.inside(syn, outside=seen(syn, src=E))
    denied = tcp(A, 40001, S, 443, "S", 1000, payload=BAD)
    t.inside(denied, inside=reset(S, 443, A, 40001, 0, 1001 + len(BAD)), drop="hello_denied")
    t.flow(sni="httpbin.org", action="allow")
    t.flow(sni="denied.example", **DENIED)


@both_families("case 94: an unfinished hello is cut off the SYN", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e)
    t.inside(tcp(a, 40000, s, 443, "S", 1000, payload=GOOD[:99]), outside=talk.as_seen(tcp(a, 40000, s, 443, "S", 1000)))
    talk.mine += 1
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    talk.send(GOOD)
    t.flow(sni="httpbin.org", action="allow")


@case("case 94: the server may refuse a SYN that was cut", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E)
    t.inside(tcp(A, 40000, S, 443, "S", 1000, payload=GOOD[:99]), outside=talk.as_seen(tcp(A, 40000, S, 443, "S", 1000)))
    refusal = tcp(S, 443, E, 40000, "RA", 0, 1001)
    t.outside(refusal, inside=seen(refusal, dst=A))


@case("case 98: the client ends before it has shown a name", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.say("PA", GOOD[:50], outside=[])
    reset_segment = tcp(A, 40000, S, 443, "RA", talk.mine + 50, talk.theirs)
    t.inside(reset_segment, outside=seen(reset_segment, src=E))
    t.drop(hello_abandoned=1)


@case("case 95: another hello after the server's answer changes nothing that was decided", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(GOOD)
    talk.receive(b"server hello")
    talk.send(GOOD)
    t.flow(sni="httpbin.org", action="allow")


@case("a name is seen though nobody asks for it")
def _(t):
    talk = Talk(t, A, 40000, S, 8443, E).open()
    talk.send(BAD[:77])
    talk.send(BAD[77:])
    t.flow(sni="denied.example", app_proto="tls", action="allow", reason="network_default")


@case("case 69: a VLAN-tagged client is reset in its VLAN", policy=NAMES)
def _(t):
    tagged = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1Q(vlan=7)
    talk = Talk(t, A, 40000, S, 443, E)

    def in_vlan(check):
        return named(lambda p: p[Dot1Q].vlan == 7 and (check(p.payload) if callable(check) else bytes(check) == bytes(p.payload)),
                     "in VLAN 7: " + (check.__doc__ if callable(check) else check.summary()))
    syn = tcp(A, 40000, S, 443, "S", 1000)
    t.inside(tagged / syn, outside=in_vlan(talk.as_seen(syn)))
    talk.mine += 1
    answer = tcp(S, 443, E, 40000, "SA", 5000, 1001)
    t.outside(tagged / answer, inside=in_vlan(seen(answer, dst=A)))
    talk.theirs += 1
    hello = tcp(A, 40000, S, 443, "PA", 1001, 5001, BAD)
    t.inside(tagged / hello, inside=in_vlan(talk.reset_to_client(len(BAD))), outside=in_vlan(talk.reset_to_server()),
             drop="hello_denied")
    t.flow(**DENIED)

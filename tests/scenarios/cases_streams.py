"""Where the client's stream begins: what was judged has to be what the server reads. Packets that the gateway sees and the
server does not (they die at the next hop) move nothing; the server's SYN-ACK alone says where its first byte is."""

import struct

from cases_names import BAD, DENIED, GOOD, NAMES
from cases_policy import DENY, route
from cases_requests import page
from crafted import seen, tcp
from talk import Talk
from wires import A, E, S, SNAT, both_families, case

REQUESTS = DENY + SNAT + route("http_route", "web", 80, 'hostnames = ["httpbin.org"]')
EARLY = GOOD + b"\x17\x03\x03" + struct.pack("!H", 16000)  # and what comes next is early data
POST = b"POST / HTTP/1.1\r\nHost: httpbin.org\r\nContent-Length: 100000\r\n\r\n"
GET = b"GET /secret HTTP/1.1\r\nHost: denied.example\r\n\r\n"


def refused(talk, payload):
    talk.send(payload, inside=talk.reset_to_client(len(payload)), outside=talk.reset_to_server(), drop="hello_denied")


def lost(t, talk, *segment, **expect):
    """From the client, and no further than one hop behind the gateway."""
    sent = tcp(talk.client, talk.port, talk.server, talk.server_port, *segment, ttl=2)
    t.inside(sent, **(expect or {"outside": talk.as_seen(sent)}))


def opened_by_the_first_of_two_syns(t, talk, front):
    """The second SYN stands so far in front that what it would carry ends where the server's stream begins."""
    talk.say("S")
    lost(t, talk, "S", 1000 - len(front))
    lost(t, talk, "PA", 1001 - len(front), 1, front, drop="hello_unordered")
    talk.mine += 1
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    t.flow(end="replaced")


@both_families("T4: an allowed hello in front of the first byte, of a second SYN that the server does not see", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e)
    opened_by_the_first_of_two_syns(t, talk, EARLY)
    refused(talk, BAD)
    t.flow(sni="denied.example", **DENIED)


@both_families("T4: the same in an open connection, after a reset that the server does not see", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    lost(t, talk, "RA", 1001, 5001)
    lost(t, talk, "S", 1001 - len(EARLY) - 1)
    lost(t, talk, "PA", 1001 - len(EARLY), 5001, EARLY, drop="hello_unordered")
    talk.answer("A")  # to the SYN, RFC 5961 section 4
    talk.say("PA", BAD, outside=[], drop="hello_unordered")
    t.flow(end="replaced")
    t.flow(action="deny", reason="no_name")


@both_families("T4: the same, while the server still repeats its SYN-ACK", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e)
    talk.say("S")
    talk.mine += 1
    talk.answer("SA")
    lost(t, talk, "RA", 1001, 5001)
    cut = tcp(a, 40000, s, 443, "S", 1000 - len(EARLY), ttl=2)
    lost(t, talk, "S", 1000 - len(EARLY), 0, EARLY, outside=talk.as_seen(cut))
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    refused(talk, BAD)
    t.flow(end="replaced")
    t.flow(sni="denied.example", **DENIED)


@case("T4: a reset and an allowed hello behind it leave an allowed connection as it is", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(GOOD)
    lost(t, talk, "RA", talk.mine, talk.theirs)
    lost(t, talk, "S", talk.mine - 1 - len(EARLY))
    lost(t, talk, "PA", talk.mine - len(EARLY), talk.theirs, EARLY, drop="hello_unordered")
    talk.say("PA", BAD, outside=[], drop="hello_unordered")
    t.flow(end="replaced", action="allow")
    t.flow(action="deny", reason="no_name")


@both_families("T4: the head of an allowed request in front of the first byte, whose body would be a denied one", policy=REQUESTS)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 80, e)
    opened_by_the_first_of_two_syns(t, talk, POST)
    talk.send(GET, inside=page(talk, len(GET)), outside=talk.reset_to_server(), drop="hello_denied")
    t.flow(action="deny", reason="name_not_allowed", hostname="denied.example")


@case("case 94: Fast Open, and the server takes the SYN of another connection for this one", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E)
    talk.say("S", GOOD)
    other = tcp(S, 443, E, 40000, "SA", 5000, 90_001)
    t.outside(other, inside=seen(other, dst=A))
    t.inside(tcp(A, 40000, S, 443, "PA", 90_001, 5001, BAD), drop="hello_unordered")
    talk.mine += 1 + len(GOOD)
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    talk.receive(b"server hello")
    talk.send(b"\x16\x03\x03\0\x04\x10\0\0\0")  # TLS 1.2: the key exchange
    t.flow(action="allow", sni="httpbin.org")


@case("T4: a server that speaks before its SYN-ACK speaks of another connection", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E)
    talk.say("S")
    talk.answer("PA", b"220 mail ESMTP\r\n", drop="hello_unordered")
    talk.mine += 1
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    talk.send(GOOD)
    t.flow(action="allow", sni="httpbin.org")


@case("a SYN that comes twice, and its SYN-ACK as well", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E)
    talk.say("S")
    talk.say("S")
    talk.mine += 1
    talk.answer("SA")
    talk.mine -= 1
    talk.say("S")
    talk.mine += 1
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    talk.say("S", offset=-1, drop="hello_duplicate")
    talk.send(GOOD)
    t.flow(action="allow", sni="httpbin.org")


@both_families("a client that lost its connection opens the next on the same port", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.send(GOOD)
    talk.receive(b"server hello")
    next_syn = tcp(a, 40000, s, 443, "S", 700_000)
    t.inside(next_syn, outside=talk.as_seen(next_syn))
    talk.answer("A")  # RFC 5961 section 4: the server has not forgotten the old one
    over = tcp(a, 40000, s, 443, "R", talk.mine)
    t.inside(over, outside=talk.as_seen(over))
    talk.mine, talk.theirs = 700_000, 900_000
    talk.open().send(GOOD)
    t.flow(end="replaced", action="allow", reason="route")
    t.flow(end="replaced", reason="no_name")
    t.flow(action="allow", reason="route", pkts_toserver=3)


@case("T4: the server has the hello and is silent beyond hello_timeout: what follows waits for its answer", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(GOOD)
    talk.answer("A")
    t.wait(11)
    talk.say("PA", BAD, outside=[], drop="hello_unordered")
    talk.receive(b"server hello")
    talk.send(b"\x16\x03\x03\0\x04\x10\0\0\0")
    t.flow(action="allow", sni="httpbin.org")

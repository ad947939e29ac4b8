"""Payload where none is looked for: urgent bytes, resets, keep-alives, quotes of ICMP errors, what stands behind a request
for a tunnel. Of a flow that is not decided, none of it reaches the server."""

from cases_names import BAD, GOOD, NAMES
from cases_quic import crypto_of
from crafted import fixed, icmp_error, ip, seen, tcp
from hellos import initial
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import IPv6ExtHdrRouting
from scapy.packet import Raw
from talk import Talk
from wires import A, A6, ANYTHING, E, S, S6, both_families, case

CONFLICT = {"action": "deny", "reason": "hello_conflict"}


def urgent(segment, pointer):
    again = segment.copy()
    again[TCP].flags, again[TCP].urgptr = "PAU", pointer
    del again[TCP].chksum
    return fixed(again)


@case("T4: an urgent byte in a hello, which the server takes out of the stream", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    hello = urgent(tcp(A, 40000, S, 443, "PA", talk.mine, talk.theirs, GOOD), 87)
    t.inside(hello, inside=talk.reset_to_client(len(GOOD)), outside=talk.reset_to_server(), drop="hello_denied")
    t.flow(**CONFLICT)


@case("T4: a pointer to an urgent byte ahead of the hello", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    pointer = urgent(tcp(A, 40000, S, 443, "A", talk.mine, talk.theirs), 87)
    t.inside(pointer, inside=talk.reset_to_client(0), outside=talk.reset_to_server(), drop="hello_denied")
    t.flow(**CONFLICT)


@case("T4: a hello inside a reset: the reset goes on without it", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    bare = tcp(A, 40000, S, 443, "RA", talk.mine, talk.theirs)
    talk.say("RA", BAD, outside=seen(bare, src=E))


@case("T4: a hello in front of the stream, as a keep-alive has its byte", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.say("PA", BAD, offset=-len(BAD), drop="hello_duplicate")
    talk.say("A", b"\0", offset=-1)
    talk.send(GOOD)


@both_families("T13: an error about a packet that the server never sent quotes what the client likes", policy=NAMES)
def _(t, a, b, s, s2, e):
    Talk(t, a, 40000, s, 443, e).open()
    kind, code = (1, 4) if ":" in a else (3, 3)
    t.inside(icmp_error(a, s, kind, code, tcp(s, 443, a, 40000, "PA", 5001, 1001, BAD)), drop="icmp_error_no_flow")


@case("T10: a hello behind a request for a tunnel, in one segment", policy=NAMES)
def _(t):
    requests = [b"CONNECT httpbin.org:443 HTTP/1.1\r\nHost: httpbin.org:443\r\n\r\n", b"\x04\x01\x01\xbb\0\0\0\x01\0httpbin.org\0"]
    for port, request in enumerate(requests, 40000):
        for behind in (BAD, b"CONNECT denied.example:443 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: denied.example\r\n\r\n"):
            talk = Talk(t, A, port + 10 * len(behind), S, 443, E).open()
            both = request + behind
            talk.send(both, inside=talk.reset_to_client(len(both)), outside=talk.reset_to_server(), drop="hello_denied")
            t.flow(action="deny", reason="no_name")


@case("case 83: bytes of the client's own in MySQL's request for TLS", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.receive(b"\x4a\0\0\0\x0a8.0.36\0" + bytes(65))
    asked = b"\x20\0\0\x01" + b"\x85\xae\xff\x19" + b"\0\0\0\x01" + b"\x21" + b"denied.example".ljust(23, b"\0")
    talk.send(asked, inside=talk.reset_to_client(len(asked)), outside=talk.reset_to_server(), drop="hello_denied")
    for port, (at, byte) in enumerate(((13, b"\x01"), (31, b"a"), (33, b"\x01"), (35, b"\x80")), 41000):
        talk = Talk(t, A, port, S, 443, E).open()
        talk.receive(b"\x4a\0\0\0\x0a8.0.36\0" + bytes(65))
        asked = b"\x20\0\0\x01" + b"\x85\xae\xff\x19" + b"\0\0\0\x01" + b"\x21" + bytes(23)
        asked = asked[:at] + byte + asked[at + 1:]
        talk.send(asked, inside=talk.reset_to_client(len(asked)), outside=talk.reset_to_server(), drop="hello_denied")


@case("T9: after an allowed Initial, one of a version that is not read here", policy=NAMES)
def _(t):
    good = initial(crypto_of("httpbin.org"))
    first = fixed(ip(A, S) / UDP(sport=40000, dport=443) / Raw(good))
    t.inside(first, outside=seen(first, src=E))
    for version in (b"\xff\0\0\x1b", b"Q050", b"\x1a\x2a\x3a\x4a"):
        other = bytes([good[0]]) + version + bytes(good[5:])
        t.inside(fixed(ip(A, S) / UDP(sport=40000, dport=443) / Raw(other)), drop="hello_denied")


@case("T11: an IPv6 routing header that leads on to another destination")
def _(t):
    for kind in (2, 3, 4, 253):
        routed = fixed(ip(A6, S6) / IPv6ExtHdrRouting(addresses=["2001:db8:dead::1"], type=kind, segleft=1) /
                       UDP(sport=5000, dport=53) / Raw(b"q"))
        t.inside(routed, drop="ip6_bad_extension")

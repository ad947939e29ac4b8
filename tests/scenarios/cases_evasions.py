"""Ways to talk around a name over TCP, one by one (corner cases F and G): none passes, and what is honest does."""

import random

import hellos
from cases_names import BAD, DENIED, GOOD, NAMES, pieces
from cases_quic import ALL_BUT_ONE
from crafted import fixed, seen, tcp, unfixed
from hellos import ECH, GREASE, hello, key_share, post_quantum, record, server_name
from packets import in_records
from scapy.layers.inet import TCP
from talk import Talk
from wires import A, ANYTHING, E, S, both_families, case

POST_QUANTUM_GOOD, POST_QUANTUM_BAD = record(post_quantum("httpbin.org")), record(post_quantum("denied.example"))
MALFORMED = {"action": "deny", "reason": "hello_malformed"}
CONFLICT = {"action": "deny", "reason": "hello_conflict"}
NO_NAME = {"action": "deny", "reason": "no_name"}


def denied(t, payload, port=40000, **record_says):
    talk = Talk(t, A, port, S, 443, E).open()
    talk.send(payload, inside=talk.reset_to_client(len(payload)), outside=talk.reset_to_server(), drop="hello_denied")
    t.flow(**record_says)


def allowed(t, payload, port=40000, **record_says):
    Talk(t, A, port, S, 443, E).open().send(payload)
    t.flow(action="allow", **record_says)


# ---- F: TLS --------------------------------------------------------------------------------------------------------

@case("case 84: of a post-quantum hello in three segments, every order, nothing leaves", policy=NAMES)
def _(t):
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    for port, order in enumerate(orders, 40000):
        talk = Talk(t, A, port, S, 443, E).open()
        parts = pieces(POST_QUANTUM_BAD, 600, 1200)
        for place, part in enumerate(order):
            start, data = parts[part]
            if place < 2:
                talk.say("PA", data, offset=start, outside=[])
            else:
                talk.say("PA", data, offset=start, drop="hello_denied",
                         inside=talk.reset_to_client(start + len(data)), outside=talk.reset_to_server())
        t.drop(hello_denied=2)
        t.flow(**DENIED)


@case("case 84: other bytes in place of an allowed hello that the server has not acknowledged", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.say("PA", GOOD)
    talk.say("PA", GOOD)
    talk.say("PA", BAD, drop="hello_denied", inside=talk.reset_to_client(len(BAD)), outside=ANYTHING)
    t.flow(**CONFLICT)


@case("case 85: one byte of the message a record", policy=NAMES)
def _(t):
    small = hello([server_name("denied.example")])
    denied(t, in_records(small, 1), **DENIED)
    allowed(t, in_records(hello([server_name("httpbin.org")]), 1), port=40001, sni="httpbin.org")


@both_families("case 86: a post-quantum hello over two segments", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    first, second = pieces(POST_QUANTUM_GOOD, 1300)
    waiting = talk.as_seen(talk.say("PA", first[1], outside=[]))
    last = tcp(a, 40000, s, 443, "PA", talk.mine + second[0], talk.theirs, second[1])
    t.inside(last, outside=[waiting, talk.as_seen(last)])
    t.flow(action="allow", sni="httpbin.org")


@case("case 86: a hello of 11 kB", policy=NAMES)
def _(t):
    large = record(post_quantum("denied.example", size=10_500))
    talk = Talk(t, A, 40000, S, 443, E).open()
    parts = pieces(large, *range(1400, len(large), 1400))
    for start, part in parts[:-1]:
        talk.say("PA", part, offset=start, outside=[])
    start, part = parts[-1]
    talk.say("PA", part, offset=start, drop="hello_denied", inside=talk.reset_to_client(len(large)), outside=talk.reset_to_server())
    t.drop(hello_denied=len(parts) - 1)
    t.flow(**DENIED)


@case("case 88: the name first, and last behind much else", policy=NAMES)
def _(t):
    denied(t, record(post_quantum("denied.example", size=700, last=False)), **DENIED)
    denied(t, record(post_quantum("denied.example", size=700)), port=40001, **DENIED)


@case("case 89: GREASE, and extensions in any order", policy=NAMES)
def _(t):
    parts = [GREASE, (0xDADA, b"\0"), key_share(), server_name("denied.example"), (0x3A3A, b""), (43, b"\x02\x03\x04")]
    for port in range(40000, 40008):
        random.Random(port).shuffle(parts)
        denied(t, hello(parts), port=port, **DENIED)


@case("case 91: two names, and names that are none", policy=NAMES)
def _(t):
    good, bad = server_name("httpbin.org"), server_name("denied.example")
    two_entries = (0, hellos.vector(2, good[1][2:] + bad[1][2:]))
    broken = [[good, bad], [good, good], [two_entries], [server_name("httpbin.org", 1)], [(0, good[1] + b"\0")], [(0, b"\0\x01\0")],
              [(0, b"")], [server_name("")]]
    for port, extensions in enumerate(broken, 40000):
        denied(t, hello(extensions), port=port, **MALFORMED)


@case("case 58: names that are no DNS names", policy=NAMES)
def _(t):
    names = [b"httpbin.org\0.evil.example", b"httpbin.org ", b" httpbin.org", b"httpbin..org", b".httpbin.org", b"httpbin.org..",
             b"\xffhttpbin.org", b"198.51.100.7", b"2001:db8::1", b"a" * 64 + b".example.com", b"a." * 130 + b"example.com"]
    for port, name in enumerate(names, 40000):
        denied(t, hello([server_name(name)]), port=port, **NO_NAME)
    allowed(t, hello([server_name("HTTPBIN.org.")]), port=41000, reason="route")


@case("case 92: record versions 3.0 to 3.4 are one", policy=NAMES)
def _(t):
    for minor in range(5):
        denied(t, record(hellos.message([server_name("denied.example")]), 0x300 + minor), port=40000 + minor, **DENIED)


@case("case 92: a record of a version that no TLS has, which some servers read, where one name is denied", policy=ALL_BUT_ONE)
def _(t):
    message = hellos.message([server_name("denied.example")])
    for port, version in enumerate((0x0002, 0x0201, 0x0401, 0x0FFF), 40000):
        denied(t, record(message, version), port=port, **MALFORMED)
        talk = Talk(t, A, port + 1000, S, 443, E).open()
        talk.say("PA", record(message, version)[:4], outside=[])
        talk.say("PA", record(message, version)[4:], offset=4, drop="hello_denied", inside=talk.reset_to_client(len(message) + 5),
                 outside=talk.reset_to_server())
        t.drop(hello_denied=1)
        t.flow(**MALFORMED)
    for port, version in enumerate((0x0305, 0x037F, 0x0201, 0x0FFF), 42000):
        denied(t, record(b"\x01\x5a", version, 21) + record(message), port=port, **MALFORMED)
    for port, version in enumerate((0x1000, 0x3A01), 43000):
        allowed(t, record(message, version), port=port)  # to nobody a hello


@case("case 93: SSLv2, another handshake message, lengths that lie", policy=NAMES)
def _(t):
    message = hellos.message([server_name("httpbin.org")])
    denied(t, b"\x80\x2e\x01\x03\x03\x00\x15\x00\x00\x00\x10" + bytes(37), **NO_NAME)
    denied(t, record(b"\x02" + message[1:]), port=40001, **MALFORMED)
    denied(t, record(b"\x01\x01\x00\x00" + message[4:]), port=40002, action="deny", reason="hello_too_large")
    denied(t, record(message[:-1]) + record(message[-1:] + b"\0"), port=40003, **MALFORMED)
    denied(t, record(message + hellos.message([server_name("denied.example")])), port=40004, **MALFORMED)


@case("case 93: another record in front of a hello, which some servers skip, where one name is denied", policy=ALL_BUT_ONE)
def _(t):
    warning, empty = record(b"\x01\x5a", kind=21), record(b"", kind=23)
    for port, front in enumerate([warning, warning * 4, record(b"\x01", 0x303, kind=20), empty, record(b"\1\0\0", kind=24)], 40000):
        denied(t, front + BAD, port=port, app_proto="tls", **MALFORMED)
    talk = Talk(t, A, 41000, S, 443, E).open()
    talk.say("PA", warning[:3], outside=[])
    talk.say("PA", warning[3:], offset=3, inside=talk.reset_to_client(len(warning)), outside=talk.reset_to_server(),
             drop="hello_denied")
    t.drop(hello_denied=1)
    t.flow(**MALFORMED)
    allowed(t, b"\x15\x0d\x0a what is no TLS", port=42000, reason="network_default")
    allowed(t, b"\x17\x03\x03\xff\xff" + bytes(20), port=42001, reason="network_default")


@both_families("case 94: a hello on the third ACK", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e)
    talk.say("S")
    talk.mine += 1
    talk.answer("SA")
    talk.theirs += 1
    talk.send(BAD, inside=talk.reset_to_client(len(BAD)), outside=talk.reset_to_server(), drop="hello_denied")
    t.flow(**DENIED)


@case("case 94: Fast Open with an allowed hello, then another one in its place", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E)
    talk.say("S", GOOD)
    talk.mine += 1
    talk.answer("SA")  # without the data
    talk.theirs += 1
    talk.say("PA", BAD, drop="hello_denied", inside=talk.reset_to_client(len(BAD)), outside=ANYTHING)
    t.flow(**CONFLICT)


RETRY = record(hellos.server_hello(hellos.RETRY_RANDOM), 0x303)


@both_families("case 95: the hello after a HelloRetryRequest names another server", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.send(GOOD)
    talk.receive(RETRY)
    talk.send(record(b"\x01", 0x303, kind=20))
    other = hello([server_name("www.example.com")])  # allowed as well
    talk.send(other, drop="hello_denied", inside=talk.reset_to_client(len(other)), outside=talk.reset_to_server())
    t.flow(**CONFLICT)


@case("case 95: the hello after a HelloRetryRequest names the same server", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(GOOD)
    talk.receive(RETRY)
    talk.send(record(b"\x01", 0x303, kind=20) + GOOD)
    talk.receive(b"server hello")
    talk.send(b"finished")
    t.flow(action="allow", sni="httpbin.org")


@both_families("case 95: a server whose first bytes come in pieces, and ask for nothing", policy=NAMES)
def _(t, a, b, s, s2, e):
    answer, talks = record(hellos.server_hello(), 0x303), []
    for port, cut in enumerate((1, 5, 6, 12, 42), 40000):
        talk = Talk(t, a, port, s, 443, e).open()
        talk.send(GOOD)
        talk.receive(answer[:cut])
        talk.receive(answer[cut:])
        talk.send(record(b"\x10\0\0\0", 0x303))  # the key exchange of TLS 1.2
        t.flow(action="allow", sni="httpbin.org")
        talks.append(talk)
    t.wait(11)
    for talk in talks:
        talk.send(b"still there")


@case("case 95: a HelloRetryRequest in pieces, then another name", policy=NAMES)
def _(t):
    for port, cut in enumerate((1, 5, 6, 12, 42), 40000):
        talk = Talk(t, A, port, S, 443, E).open()
        talk.send(GOOD)
        talk.receive(RETRY[:cut])
        talk.receive(RETRY[cut:])
        talk.receive(record(b"\x01", 0x303, kind=20))
        other = hello([server_name("www.example.com")])
        talk.send(other, drop="hello_denied", inside=talk.reset_to_client(len(other)), outside=talk.reset_to_server())
        t.flow(**CONFLICT)


@case("case 95: two hellos at once", policy=NAMES)
def _(t):
    denied(t, GOOD + BAD, **CONFLICT)


@case("case 98: a FIN behind half a hello waits with it", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.say("PA", BAD[:99], outside=[])
    talk.say("FA", offset=99, outside=[])
    t.wait(11, inside=ANYTHING, outside=talk.reset_to_server())
    talk.answer("A", drop="flow_denied")
    t.drop(hello_denied=2)
    t.flow(action="deny", reason="hello_timeout")


@case("case 98: a reset of the server lets go of what waits", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.say("PA", GOOD[:99], outside=[])
    talk.answer("RA")
    t.drop(hello_abandoned=1)


@case("case 98: keep-alives of both sides pass while a hello waits", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    waiting = talk.as_seen(talk.say("PA", GOOD[:99], outside=[]))
    talk.say("A", b"\0", offset=-1)
    talk.answer("A", b"\0", offset=-1)
    talk.say("A")
    last = tcp(A, 40000, S, 443, "PA", talk.mine + 99, talk.theirs, GOOD[99:])
    t.inside(last, outside=[waiting, talk.as_seen(last)])
    t.flow(action="allow")


@case("case 98: a keep-alive with any byte behind a hello that the server has and has not answered", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(GOOD)
    talk.answer("A")
    for byte in (b"\xda", GOOD[-1:]):
        talk.say("A", byte, offset=-1)
        talk.answer("A")
    talk.receive(b"\x16\x03\x03\0\x04\x02\0\0\0")
    talk.send(b"\x14\x03\x03\0\x01\x01")
    t.flow(action="allow", sni="httpbin.org")
    talk = Talk(t, A, 40001, S, 443, E).open()
    talk.send(GOOD)  # and the server does not have it
    talk.say("A", b"\xda", offset=-1, inside=talk.reset_to_client(), drop="hello_denied", outside=ANYTHING)
    t.flow(**CONFLICT)


@case("case 98: a server without a window while a hello waits", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    waiting = talk.as_seen(talk.say("PA", GOOD[:99], outside=[]))
    closed = tcp(S, 443, E, 40000, "A", talk.theirs, talk.mine)
    closed[TCP].window = 0
    closed = fixed(unfixed(closed))
    t.outside(closed, inside=seen(closed, dst=A, dport=40000))
    last = tcp(A, 40000, S, 443, "PA", talk.mine + 99, talk.theirs, GOOD[99:])
    t.inside(last, outside=[waiting, talk.as_seen(last)])
    t.flow(action="allow")


# ---- G: ECH ---------------------------------------------------------------------------------------------------------

ECH_DENIED = NAMES.replace('"*.example.com"', '"*.example.com", "cloudflare-ech.com"') + '[defaults]\nech = "deny"\n'


@case("case 104: ECH under a public name, where it is refused", policy=ECH_DENIED)
def _(t):
    denied(t, hello([server_name("cloudflare-ech.com"), ECH]), action="deny", reason="ech_refused", ech=True)
    allowed(t, hello([server_name("httpbin.org"), ECH]), port=40001, sni="httpbin.org", ech=True)  # GREASE


@case("case 104: ECH is judged by its outer name", policy=NAMES)
def _(t):
    denied(t, hello([ECH, server_name("cloudflare-ech.com")]), ech=True, **DENIED)
    allowed(t, hello([ECH, server_name("httpbin.org")]), port=40001, ech=True)

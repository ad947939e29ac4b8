"""Ways to talk around a name over QUIC, one by one (corner cases 95 and 99 to 103): none passes, and what is honest does."""

import random

import hellos
from cases_names import DENIED, NAMES
from cases_policy import route
from crafted import seen, udp
from hellos import initial, post_quantum
from wires import A, ALLOW, ANYTHING, E, S, SNAT, case

MALFORMED = {"action": "deny", "reason": "hello_malformed"}
CONFLICT = {"action": "deny", "reason": "hello_conflict"}
NO_NAME = {"action": "deny", "reason": "no_name"}


def datagram(payload, port=40000):
    return udp(A, port, S, 443, payload)


def crypto_of(name, start=0, end=None, size=32):
    whole = post_quantum(name, size)
    return hellos.crypto(start, whole[start:end])


def quic(t, name, port=40000, leaves=True, **more):
    packet = datagram(initial(crypto_of(name), **more), port)
    if leaves:
        t.inside(packet, outside=ANYTHING)
    else:
        t.inside(packet, inside=ANYTHING, drop="hello_denied")


@case("case 99: QUIC version 1, 2 and draft 29 have the verdict of TCP", policy=NAMES)
def _(t):
    for port, version in enumerate((hellos.V1, hellos.V2, hellos.DRAFT_29), 40000):
        quic(t, "httpbin.org", port, version=version)
        quic(t, "denied.example", port + 100, leaves=False, version=version)
        t.flow(action="allow", sni="httpbin.org", app_proto="quic")
        t.flow(app_proto="quic", sni="denied.example", **DENIED)


@case("case 100: CRYPTO frames in pieces, out of order, over two datagrams", policy=NAMES)
def _(t):
    frames = [crypto_of("denied.example", at, at + 50, 1216) for at in range(0, 1500, 50)]
    random.Random(1).shuffle(frames)
    t.inside(datagram(initial(b"\x01".join(frames[:12]))), outside=[])
    t.inside(datagram(initial(b"\0".join(frames[12:22]), number=1)), outside=[])
    t.inside(datagram(initial(b"".join(frames[22:]), number=2)), inside=ANYTHING, drop="hello_denied")
    t.drop(hello_denied=2)
    t.flow(sni="denied.example", **DENIED)


@case("case 100: two CRYPTO frames that disagree", policy=NAMES)
def _(t):
    frames = crypto_of("httpbin.org", 0, 90) + crypto_of("denied.example", 80)
    t.inside(datagram(initial(frames)), inside=ANYTHING, drop="hello_denied")
    t.flow(**CONFLICT)


@case("case 101: 0-RTT in front of the Initial, unknown versions, Initials in small datagrams", policy=NAMES)
def _(t):
    early = hellos.long_header(1, size=60)
    t.inside(datagram(early + initial(crypto_of("denied.example"), size=1240)), inside=ANYTHING, drop="hello_denied")
    t.flow(sni="denied.example", **DENIED)
    whole = initial(crypto_of("httpbin.org"))
    t.inside(datagram(whole[:1] + b"\x1a\x2a\x3a\x4a" + whole[5:], 40001), inside=ANYTHING, drop="hello_denied")
    t.inside(datagram(initial(crypto_of("httpbin.org"), size=400), 40002), inside=ANYTHING, drop="hello_denied")
    t.flow(**NO_NAME)
    t.flow(**MALFORMED)


@case("RFC 9287: the fixed bit is the client's to clear", policy=NAMES)
def _(t):
    quic(t, "httpbin.org", fixed_bit=False)
    accept(t)
    t.inside(datagram(initial(b"\x02\0\0\0\0", fixed_bit=False, number=1)), outside=ANYTHING)
    handshake = hellos.long_header(2)
    t.inside(datagram(bytes([handshake[0] & 0xBF]) + handshake[1:]), outside=ANYTHING)
    t.flow(action="allow", sni="httpbin.org")
    quic(t, "denied.example", 40001, leaves=False, fixed_bit=False)
    t.flow(sni="denied.example", **DENIED)


@case("T9: the server refuses a connection, and another is begun from the same socket", policy=NAMES)
def _(t):
    refusal = udp(S, 443, E, 40000, initial(b"\x1c\x02\0\0", side=b"server"))
    quic(t, "httpbin.org")
    t.inside(datagram(initial(crypto_of("www.example.com"), dcid=b"another!")), drop="hello_unordered")  # not before
    t.outside(refusal, inside=ANYTHING)
    quic(t, "www.example.com", dcid=b"another!")
    t.inside(datagram(initial(crypto_of("httpbin.org"))), drop="hello_unordered")
    accept(t, dcid=b"another!")
    t.inside(datagram(b"\x40" + bytes(60)), outside=ANYTHING)
    t.flow(action="allow", sni="www.example.com")
    quic(t, "httpbin.org", 40001)
    t.outside(udp(S, 443, E, 40001, initial(b"\x1c\x02\0\0", side=b"server")), inside=ANYTHING)
    t.wait(11)
    t.inside(datagram(initial(crypto_of("httpbin.org")), 40001), drop="hello_duplicate")
    quic(t, "denied.example", 40001, dcid=b"another!", leaves=False)
    t.flow(sni="denied.example", **DENIED)


@case("case 102: a short header without a flow", policy=NAMES)
def _(t):
    t.inside(datagram(b"\x40" + bytes(60)), inside=ANYTHING, drop="hello_denied")
    t.flow(**NO_NAME)


ALL_BUT_ONE = ALLOW + SNAT + route("tls_route", "no", 443, 'hostnames = ["denied.example"]\naction = "deny"')


@case("case 103: something else first, then a connection to a denied name", policy=ALL_BUT_ONE)
def _(t):
    t.inside(datagram(b"hello"), outside=ANYTHING)
    quic(t, "httpbin.org")
    accept(t)
    quic(t, "denied.example", dcid=b"another!", leaves=False)
    t.flow(action="deny", reason="route", sni="denied.example")


# Two hellos of one length, whose names lie behind their first 700 bytes.
LONG_GOOD, LONG_BAD = (post_quantum(name, 800) for name in ("a.example.com", "denied.exampl"))


def say(t, *frames, port=40000, **expect):
    more = {key: expect.pop(key) for key in ("dcid", "number", "number_bytes", "size", "version") if key in expect}
    packet = datagram(initial(b"".join(frames), **more), port)
    t.inside(packet, **(expect or {"outside": ANYTHING}))
    return packet


def refused(t, *frames, **more):
    say(t, *frames, inside=ANYTHING, drop="hello_denied", **more)
    t.flow(**CONFLICT)


def accept(t, dcid=b"8 bytes!", port=40000, message=hellos.server_hello(), offset=0):
    """The server's answer to the hello of that connection."""
    answer = initial(hellos.crypto(offset, message), dcid=dcid, side=b"server")
    t.outside(udp(S, 443, E, port, answer), inside=ANYTHING)


@case("case 95: two hellos in one CRYPTO stream", policy=NAMES)
def _(t):
    good = post_quantum("httpbin.org", 32)
    behind = hellos.crypto(len(good), post_quantum("denied.example", 32))
    refused(t, hellos.crypto(0, good), behind)
    refused(t, behind, hellos.crypto(0, good), port=40001)
    refused(t, hellos.crypto(0, good), hellos.crypto(len(good), post_quantum("httpbin.org", 32)[:1]), port=40002)
    say(t, hellos.crypto(0, good), port=40003)
    refused(t, behind, port=40003, number=1)
    say(t, behind, port=40004, outside=[])
    t.inside(datagram(initial(hellos.crypto(0, good), number=1), 40004), inside=ANYTHING, drop="hello_denied")
    t.drop(hello_denied=1)
    t.flow(**CONFLICT)


@case("case 95: the hello that a QUIC server asked for names another server", policy=NAMES)
def _(t):
    good, other = post_quantum("httpbin.org", 32), post_quantum("www.example.com", 32)  # allowed as well
    say(t, hellos.crypto(0, good))
    accept(t, message=hellos.server_hello(hellos.RETRY_RANDOM))
    refused(t, hellos.crypto(len(good), other), number=1)


@case("case 95: the hello that a QUIC server asked for names the same server", policy=NAMES)
def _(t):
    good, retry = post_quantum("httpbin.org", 32), hellos.server_hello(hellos.RETRY_RANDOM)
    say(t, hellos.crypto(0, good))
    accept(t, message=retry)
    half = say(t, hellos.crypto(len(good), good[:100]), number=1, outside=[])
    rest = datagram(initial(hellos.crypto(len(good) + 100, good[100:]), number=2))
    t.inside(rest, outside=[seen(half, src=E), seen(rest, src=E)])
    accept(t, message=hellos.server_hello(), offset=len(retry))
    t.inside(datagram(b"\x40" + bytes(60)), outside=ANYTHING)
    t.flow(action="allow", sni="httpbin.org")


@case("case 100: the end of an allowed hello in other words, which its server may not have yet", policy=NAMES)
def _(t):
    for port, more in enumerate(({}, {"size": 0}), 40000):  # also in a datagram of less than 1200 bytes
        first = say(t, hellos.crypto(0, LONG_GOOD[:700]), port=port, outside=[])
        last = datagram(initial(hellos.crypto(700, LONG_GOOD[700:]), number=1), port)
        t.inside(last, outside=[seen(first, src=E), seen(last, src=E)])
        t.outside(udp(S, 443, E, port, hellos.long_header(2, dcid=b"")), inside=ANYTHING)  # who knows of which connection
        refused(t, hellos.crypto(700, LONG_BAD[700:]), port=port, number=2, **more)


@case("case 100: the end of a hello in a small datagram, and the same in one that counts", policy=NAMES)
def _(t):
    say(t, hellos.crypto(0, LONG_GOOD[:700]), outside=[])
    t.inside(datagram(initial(hellos.crypto(700, LONG_BAD[700:]), number=1, size=0)), inside=ANYTHING, drop="hello_denied")
    t.drop(hello_denied=1)
    t.flow(**DENIED)
    first = say(t, hellos.crypto(0, LONG_GOOD[:700]), port=40001, outside=[])
    small = datagram(initial(hellos.crypto(700, LONG_GOOD[700:]), number=1, size=0), 40001)
    t.inside(small, outside=[seen(first, src=E), seen(small, src=E)])
    refused(t, hellos.crypto(700, LONG_BAD[700:]), port=40001, number=2)


@case("case 100: an allowed hello whose server is silent for longer than hello_timeout", policy=NAMES)
def _(t):
    quic(t, "httpbin.org")
    t.wait(11)
    quic_again = datagram(initial(crypto_of("httpbin.org"), number=1))
    t.inside(quic_again, drop="hello_duplicate")
    say(t, crypto_of("denied.example"), dcid=b"another!", drop="hello_duplicate")
    t.flow(action="allow", sni="httpbin.org")


@case("case 99: a flow that its server never answered is over soon, and the next connection is judged", policy=NAMES)
def _(t):
    for name, leaves in (("www.example.com", True), ("denied.example", False)):
        quic(t, "httpbin.org", port := 40000 + leaves)
        for _ in range(2):  # what is dropped does not keep it alive
            t.wait(11)
            say(t, crypto_of(name), port=port, dcid=b"another!", drop="hello_duplicate")
        t.wait(11)
        quic(t, name, port, leaves=leaves, dcid=b"a third!")
        t.flow(action="allow", sni="httpbin.org", end="timeout")
    t.flow(action="allow", sni="www.example.com")
    t.flow(sni="denied.example", **DENIED)


@case("case 101: the Initial after a Retry is judged like the first", policy=NAMES)
def _(t):
    retry = bytes([0xF0]) + b"\0\0\0\1" + hellos.vector(1, b"") + hellos.vector(1, b"retried!") + b"token" + bytes(16)
    for port, name in enumerate(("httpbin.org", "denied.example"), 40000):
        quic(t, "httpbin.org", port)
        t.outside(udp(S, 443, E, port, retry), inside=ANYTHING)
        quic(t, name, port, leaves=name == "httpbin.org", dcid=b"retried!", token=b"token")
    t.flow(action="allow", sni="httpbin.org")
    t.flow(sni="denied.example", **DENIED)


@case("case 103: another connection of a flow waits until the first is answered", policy=NAMES)
def _(t):
    quic(t, "httpbin.org")
    say(t, crypto_of("www.example.com"), dcid=b"another!", drop="hello_unordered")
    accept(t, dcid=b"another!")  # an answer to what was never asked
    say(t, crypto_of("www.example.com"), dcid=b"another!", drop="hello_unordered")
    accept(t)
    say(t, crypto_of("www.example.com"), dcid=b"another!")
    t.flow(action="allow", sni="www.example.com")


@case("case 103: two connections in one datagram", policy=NAMES)
def _(t):
    both = initial(crypto_of("httpbin.org")) + initial(crypto_of("denied.example"), dcid=b"another!")
    t.inside(datagram(both), inside=ANYTHING, drop="hello_denied")
    quic(t, "httpbin.org", 40001)
    t.inside(datagram(both, 40001), inside=ANYTHING, drop="hello_denied")
    t.flow(**CONFLICT)
    t.flow(**CONFLICT)


@case("case 103: another hello in place of an allowed one", policy=NAMES)
def _(t):
    quic(t, "httpbin.org")
    quic(t, "denied.example", leaves=False)
    t.flow(**CONFLICT)


ONE_RTT = b"\x40" + bytes(60)


@case("case 101: 0-RTT that comes behind the server's answer belongs to its connection", policy=NAMES)
def _(t):
    quic(t, "httpbin.org")
    accept(t)
    t.inside(datagram(hellos.long_header(1)), outside=ANYTHING)
    t.inside(datagram(ONE_RTT), outside=ANYTHING)
    t.inside(datagram(hellos.long_header(1, size=300)), outside=ANYTHING)
    t.inside(datagram(hellos.long_header(1, dcid=b"another!")), drop="hello_unordered")
    t.wait(11)
    t.inside(datagram(ONE_RTT), outside=ANYTHING)
    t.flow(action="allow", sni="httpbin.org")


@case("case 103: the same connection again, which its server may have forgotten", policy=NAMES)
def _(t):
    quic(t, "httpbin.org")
    accept(t)
    quic(t, "httpbin.org")  # its client has not heard the answer yet
    t.inside(datagram(ONE_RTT), outside=ANYTHING)
    t.wait(2)
    say(t, crypto_of("denied.example"), drop="hello_duplicate")
    t.inside(datagram(ONE_RTT), outside=ANYTHING)
    t.flow(action="allow", sni="httpbin.org")


@case("case 101: an unknown version between the pieces of a hello, and behind one without an answer", policy=NAMES)
def _(t):
    whole = initial(crypto_of("denied.example"), dcid=b"another!")
    foreign = whole[:1] + b"\xff\0\0\x1c" + whole[5:]
    first = say(t, hellos.crypto(0, LONG_GOOD[:700]), outside=[])
    t.inside(datagram(foreign), drop="hello_denied")
    last = datagram(initial(hellos.crypto(700, LONG_GOOD[700:]), number=1))
    t.inside(last, outside=[seen(first, src=E), seen(last, src=E)])
    t.wait(11)
    t.inside(datagram(foreign), drop="hello_denied")
    t.flow(action="allow", sni="a.example.com")


PING = b"\x01" + bytes(30)


@case("case 100: a packet number that is not the whole one: the hello that the server opens", policy=NAMES)
def _(t):
    ping = initial(PING, number=200, number_bytes=1, size=0)
    bad = initial(crypto_of("denied.example"), number=272, number_bytes=1, size=0)  # 0x10 on the wire
    good = initial(crypto_of("httpbin.org"), number=300, number_bytes=2, size=1000)
    t.inside(datagram(ping + bad + good), inside=ANYTHING, drop="hello_denied")
    t.flow(**CONFLICT)
    say(t, PING, port=40001, number=200, number_bytes=1, outside=[])
    t.inside(datagram(initial(crypto_of("denied.example"), number=272, number_bytes=1), 40001), inside=ANYTHING, drop="hello_denied")
    t.drop(hello_denied=1)
    t.flow(sni="denied.example", **DENIED)


@case("case 100: a packet number that only the server knows to complete", policy=NAMES)
def _(t):
    first = say(t, PING, hellos.crypto(0, LONG_GOOD[:700]), number=200, number_bytes=1, outside=[])
    lost = say(t, PING, number=5000, number_bytes=2, size=0, outside=[])  # the server never gets it
    say(t, hellos.crypto(700, LONG_BAD[700:]), number=272, number_bytes=1, drop="hello_denied")
    last = datagram(initial(hellos.crypto(700, LONG_GOOD[700:]), number=5001, number_bytes=2))
    t.inside(last, outside=[seen(packet, src=E) for packet in (first, lost, last)])
    say(t, hellos.crypto(700, LONG_BAD[700:]), number=272, number_bytes=1, drop="hello_denied")
    say(t, hellos.crypto(700, LONG_BAD[700:]), dcid=b"chosen!!", number=5136, number_bytes=1, drop="hello_denied")
    accept(t)
    t.inside(datagram(ONE_RTT), outside=ANYTHING)
    t.flow(action="allow", sni="a.example.com")


@case("case 100: the packet numbers of an honest client, in one byte", policy=NAMES)
def _(t):
    numbers = (100, 180, 210, 300)
    halves = [hellos.crypto(0, LONG_GOOD[:700]), PING, PING, hellos.crypto(700, LONG_GOOD[700:])]
    said = [datagram(initial(frames, number=number, number_bytes=1)) for frames, number in zip(halves, numbers)]
    for packet in (said[0], said[2], said[1]):
        t.inside(packet, outside=[])
    t.inside(said[3], outside=[seen(packet, src=E) for packet in (said[0], said[2], said[1], said[3])])
    t.flow(action="allow", sni="a.example.com")


@case("case 101: Initials in one datagram: as many as a client sends, and as many as fit", policy=NAMES)
def _(t):
    junk = [initial(PING, dcid=bytes([n]), size=0)[:-1] for n in range(10)]
    t.inside(datagram(b"\0".join(junk) + b"\0" + initial(crypto_of("httpbin.org"), size=800)), inside=ANYTHING, drop="hello_denied")
    t.flow(**MALFORMED)
    whole = post_quantum("httpbin.org", 32)
    pieces = [initial(hellos.crypto(at, whole[at:at + 50]), number=at, size=0) for at in range(0, 150, 50)]
    last = initial(hellos.crypto(150, whole[150:]), number=150, size=1000)
    t.inside(datagram(b"".join(pieces) + last, 40001), outside=ANYTHING)
    t.flow(action="allow", sni="httpbin.org")


@case("case 101: 0-RTT of more than is held, while one of two Initials is late", policy=NAMES)
def _(t):
    first = say(t, hellos.crypto(0, LONG_GOOD[:700]), outside=[])
    early = datagram(hellos.long_header(1, size=1252))
    for _ in range(25):
        t.inside(early, outside=[])
    for _ in range(5):
        t.inside(early, drop="held_full")
    last = datagram(initial(hellos.crypto(700, LONG_GOOD[700:]), number=1))
    t.inside(last, outside=[seen(packet, src=E) for packet in (first, *[early] * 25, last)])
    t.inside(early, outside=ANYTHING)
    t.flow(action="allow", sni="a.example.com")

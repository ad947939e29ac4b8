"""Requests of HTTP/2 in the clear and of gRPC, stream by stream (corner cases 60, 61, 64, 70, 80)."""

import struct

from cases_policy import DENY, route
from cases_requests import GET, MALFORMED, NOT_ALLOWED, get, reset_for
from crafted import has_right_checksums, named, seen, tcp
from scapy.layers.inet import TCP
from talk import Talk
from wires import A, ALLOW, ANYTHING, E, S, SNAT, both_families, case

DATA, HEADERS, SETTINGS, PUSH_PROMISE, PING, GOAWAY, CONTINUATION = 0, 1, 4, 5, 6, 7, 9
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32
CALLS = DENY + SNAT + route("grpc_route", "calls", 80, """hostnames = ["httpbin.org"]
[[grpc_route.rules]]
matches = [ { method = { service = "shop.Cart", method = "Add" } } ]
""")


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def literal(name, value, indexed=False):
    """RFC 7541 section 6.2, with a name of its own; short ones."""
    return (b"\x40" if indexed else b"\0") + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def block(fields, indexed=False):
    return b"".join(literal(name, value, indexed) for name, value in fields)


def request(path, method="GET", host="httpbin.org", more=()):
    return [(":method", method), (":scheme", "http"), (":path", path), (":authority", host), *more]


def headers(stream, fields, flags=END_STREAM | END_HEADERS):
    return frame(HEADERS, flags, stream, block(fields))


def call(stream, path):
    fields = request(path, "POST", more=[("content-type", "application/grpc"), ("te", "trailers")])
    return headers(stream, fields, END_HEADERS) + frame(DATA, END_STREAM, stream, bytes(5))


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
STATUS_403 = b"\x08\x03403\x0f\x10\x0atext/plain\x0f\x0d\x0220"
STATUS_7 = b"\x88\x0f\x10\x10application/grpc\0\x0bgrpc-status\x017\0\x0cgrpc-message\x13traffic not allowed"


def answer(stream, grpc=False, first=True):
    last = frame(GOAWAY, 0, 0, struct.pack("!II", stream, 0))
    told = (frame(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_7) if grpc
            else frame(HEADERS, END_HEADERS, stream, STATUS_403) + frame(DATA, END_STREAM, stream, b"traffic not allowed\n"))
    return (frame(SETTINGS, 0, 0) if first else b"") + told + last


def frames_of(talk, consumed, said):
    seq, ack = talk.theirs, talk.mine + consumed

    def check(packet):
        return (TCP in packet and (packet.src, packet.dst) == (talk.server, talk.client) and has_right_checksums(packet)
                and packet[TCP].flags == "FPA" and (packet[TCP].seq, packet[TCP].ack) == (seq, ack)
                and bytes(packet[TCP].payload) == said)
    return named(check, f"frames that end with {said[-30:]!r}")


def refused(talk, what, said):
    talk.send(what, inside=frames_of(talk, len(what), said), outside=talk.reset_to_server(), drop="hello_denied")


@both_families("cases 64 and 60: HTTP/2, /get is allowed; /ip on the same connection is answered by 403", policy=GET)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 80, e).open()
    talk.send(PREFACE + headers(1, request("/get")))
    talk.receive(frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0))
    talk.send(headers(3, request("/get", "POST"), END_HEADERS) + frame(DATA, END_STREAM, 3, get("/ip")))
    refused(talk, headers(5, request("/ip")), answer(5, first=False))
    talk.say("A", drop="flow_denied")
    t.flow(app_proto="http2", http_method="GET", url="/ip", **NOT_ALLOWED)


@case("case 60: HTTP/2, the first request is denied before the server has said anything", policy=GET)
def _(t):
    refused(Talk(t, A, 40000, S, 80, E).open(), PREFACE + headers(1, request("/ip")), answer(1))
    t.flow(**NOT_ALLOWED)


@both_families("case 61: a call of gRPC that is allowed, and one that ends with status 7 and the same message", policy=CALLS)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 80, e).open()
    talk.send(PREFACE + call(1, "/shop.Cart/Add"))
    talk.receive(frame(SETTINGS, 0, 0))
    refused(talk, call(3, "/shop.Cart/Empty"), answer(3, grpc=True, first=False))
    t.flow(app_proto="http2", url="/shop.Cart/Empty", **NOT_ALLOWED)


@case("case 70: a port of gRPC takes no other requests", policy=CALLS)
def _(t):
    refused(Talk(t, A, 40000, S, 80, E).open(), PREFACE + headers(1, request("/shop.Cart/Add")), answer(1))
    t.flow(**{"action": "deny"})


@case("T10: header blocks in pieces, padded, with priority, from the dynamic table", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    fields = block(request("/get"), indexed=True)
    talk.send(PREFACE + frame(HEADERS, END_STREAM | PADDED | PRIORITY, 1, b"\x03" + bytes(5) + fields[:9] + bytes(3))
              + frame(CONTINUATION, 0, 1, fields[9:20]) + frame(CONTINUATION, END_HEADERS, 1, fields[20:]))
    refused(talk, frame(HEADERS, END_STREAM | END_HEADERS, 3, b"\xc1\xc0" + block([(":path", "/ip")]) + b"\xbe"), answer(3))
    t.flow(url="/ip", **NOT_ALLOWED)


HIDDEN = {
    "two paths": headers(1, [*request("/get"), (":path", "/ip")]),
    "a path behind the fields": headers(1, [(":method", "GET"), (":scheme", "http"), (":authority", "httpbin.org"), ("x", "y"),
                                            (":path", "/get")]),
    "a host beside another authority": headers(1, request("/get", more=[("host", "evil.org")])),
    "a line break in a value": headers(1, request("/get", more=[("x", "a\r\nGET /ip HTTP/1.1")])),
    "a coding": headers(1, request("/get", more=[("transfer-encoding", "chunked")])),
    "two lengths": headers(1, request("/get", more=[("content-length", "1"), ("content-length", "2")])),
    "upper case": headers(1, request("/get", more=[("X", "y")])),
    "a protocol on no CONNECT": headers(1, request("/get", more=[(":protocol", "websocket")])),
    "a request in trailers": headers(1, request("/get", "POST"), END_HEADERS) + headers(1, request("/ip")),
    "a block that another frame interrupts": frame(HEADERS, END_STREAM, 1, b"") + frame(DATA, 0, 1, b""),
    "a promise": frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4)),
    "an entry that is in no table": frame(HEADERS, 5, 1, b"\xfe"),
    "a table larger than offered": frame(HEADERS, 5, 1, b"\x3f\xe1\x3f" + block(request("/get"))),
    "continuations without end": frame(HEADERS, 1, 1) + frame(CONTINUATION, 0, 1) * 40,
}
for shape, what in HIDDEN.items():
    @case(f"case 80 and T10: HTTP/2, {shape}", policy=GET)
    def _(t, what=what):
        reset_for(Talk(t, A, 40000, S, 80, E).open(), PREFACE + what)
        t.flow(**MALFORMED)


@case("RFC 8441: CONNECT to a protocol on a stream of HTTP/2 is a request for its path", policy=GET)
def _(t):
    def connect(path):
        return headers(3, [(":method", "CONNECT"), (":protocol", "websocket"), *request(path)[1:]], END_HEADERS)
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(PREFACE + headers(1, request("/get")))
    talk.receive(frame(SETTINGS, 0, 0, b"\0\x08\0\0\0\x01"))
    talk.send(connect("/get") + frame(DATA, 0, 3, b"\x81\x85aaaahello"))
    t.flow(action="allow", reason="route")
    talk = Talk(t, A, 40001, S, 80, E).open()
    what = PREFACE + connect("/ip")
    refused(talk, what, answer(3))
    t.flow(action="deny", reason="name_not_allowed")


@case("T10: HTTP/2, a body before any request", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(PREFACE)
    talk.receive(frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0))
    talk.send(frame(SETTINGS, 1, 0) + frame(8, 0, 0, b"\0\1\0\0"))
    reset_for(talk, frame(DATA, 0, 1, b"of the client's own"))
    t.flow(**MALFORMED)


@case("T10: HTTP/2, other frames before any request wait for one", policy=GET)
def _(t):
    for port, ahead in enumerate((frame(PING, 0, 0, bytes(8)), frame(GOAWAY, 0, 0, bytes(8) + b"of the client's own"),
                                  frame(0xfa, 0, 0, b"of the client's own"), frame(SETTINGS, 0, 0, b"client" * 40)), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(PREFACE)
        waiting = talk.as_seen(talk.say("PA", ahead, outside=[]))
        asks = tcp(A, port, S, 80, "PA", talk.mine + len(ahead), talk.theirs, headers(1, request("/get")))
        t.inside(asks, outside=[waiting, talk.as_seen(asks)])
        t.flow(action="allow", reason="route")


HEAD = PREFACE + headers(1, request("/get", "POST"), END_HEADERS)
BODY = b"a body\r\n" + get("/ip")
SMUGGLED = {
    "in the first segment": [HEAD + frame(DATA, END_STREAM, 1, BODY)],
    "in a segment of its own": [HEAD, frame(DATA, END_STREAM, 1, BODY)],
    "cut in the middle of the method": [HEAD + frame(DATA, END_STREAM, 1, BODY)[:-len(get("/ip")) + 2], get("/ip")[2:]],
    "in a frame of an unknown kind": [HEAD, frame(0xfa, 0, 1, BODY)],
}
IS_RESET = named(lambda packet: TCP in packet and "R" in str(packet[TCP].flags), "a reset")


def at_client(talk, payload):
    """What the server says next, and the client gets."""
    segment = tcp(talk.server, talk.server_port, talk.egress, talk.port, "PA", talk.theirs, talk.mine, payload)
    return segment, seen(segment, dst=talk.client, dport=talk.port)


def waits_at_line(t, talk, segments):
    """What stands in front of the line goes on, with it nothing. Answers what waits, as the server is to see it."""
    line = b"".join(segments).index(b"\nGET")
    for segment in segments[:-1]:
        talk.send(segment)
        line -= len(segment)
    front = tcp(A, talk.port, S, 80, "PA", talk.mine, talk.theirs, segments[-1][:max(line, 0)])
    return talk.as_seen(talk.say("PA", segments[-1], outside=[talk.as_seen(front)] if line > 0 else []))


for place, segments in SMUGGLED.items():
    @case(f"T10: a body before the server has shown HTTP/2, a request of HTTP/1 {place}: it waits for that", policy=GET)
    def _(t, segments=segments):
        talk = Talk(t, A, 40000, S, 80, E).open()
        held = waits_at_line(t, talk, segments)
        talk.say("PA", segments[-1], outside=ANYTHING, drop="hello_duplicate")  # the front again, in case it was lost
        behind = talk.as_seen(talk.say("PA", frame(PING, 0, 0, bytes(8)), offset=len(segments[-1]), outside=[]))
        answered, told = at_client(talk, frame(SETTINGS, 0, 0))
        t.outside(answered, inside=told, outside=[held, behind])
        talk.mine += len(segments[-1]) + 17
        talk.theirs += 9
        talk.send(headers(3, request("/get")))
        t.flow(action="allow", reason="route")

    @case(f"T10: the preface to a server of HTTP/1 that reads on, a request to it {place}", policy=GET)
    def _(t, segments=segments):
        talk = Talk(t, A, 40000, S, 80, E).open()
        waits_at_line(t, talk, segments)
        t.drop(hello_denied=1)  # what waited
        talk.answer("PA", b"HTTP/1.1 400 Bad Request\r\n\r\n", inside=IS_RESET, outside=IS_RESET, drop="hello_denied")
        t.flow(**MALFORMED)


@both_families("T10: a line of HTTP/1 waits for no longer than a hello", policy=GET)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 80, e).open()
    talk.send(HEAD)
    talk.say("PA", frame(DATA, END_STREAM, 1, BODY), outside=ANYTHING)
    t.drop(hello_denied=1)
    t.wait(11, inside=IS_RESET, outside=IS_RESET)
    talk.answer("A", drop="flow_denied")
    t.flow(action="deny", reason="hello_timeout")


@case("T10: what waits for HTTP/2 is decided when that is shown", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    held = waits_at_line(t, talk, [HEAD, frame(DATA, END_STREAM, 1, BODY)])
    talk.say("PA", headers(3, request("/ip")), offset=len(BODY) + 9, outside=[])
    answered, told = at_client(talk, frame(SETTINGS, 0, 0))
    is_end = named(lambda packet: TCP in packet and str(packet[TCP].flags) == "FPA", "frames that end it")
    t.drop(hello_denied=1)
    t.outside(answered, inside=[told, is_end], outside=[held, IS_RESET])
    t.flow(url="/ip", **NOT_ALLOWED)


@case("T10: other bytes in the place of what waits for HTTP/2", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    waits_at_line(t, talk, [HEAD, frame(DATA, END_STREAM, 1, BODY)])
    t.drop(hello_denied=1)
    talk.say("PA", b"x" * 40, offset=20, inside=IS_RESET, outside=IS_RESET, drop="hello_denied")
    t.flow(action="deny", reason="hello_conflict")


@case("T10: a line of HTTP/1 in two segments of a body, and one of the past between them", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    body = frame(DATA, END_STREAM, 1, BODY)
    cut = body.index(b"GET") + 2
    talk.send(HEAD)
    talk.send(body[:cut])
    talk.say("PA", body[:12], offset=-cut)
    held = talk.as_seen(talk.say("PA", body[cut:], outside=[]))
    answered, told = at_client(talk, frame(SETTINGS, 0, 0))
    t.outside(answered, inside=told, outside=held)


@case("T10: the end of a body and what follows it in one segment, before the server has shown HTTP/2", policy=GET)
def _(t):
    for port, line in enumerate((b"", b"\n" + get("/ip")), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        body = frame(DATA, END_STREAM, 1, b"x" * 40 + line)
        talk.send(HEAD + body[:30])
        rest = body[30:] + headers(3, request("/get"))
        if not line:
            talk.send(rest)
            continue
        front = talk.as_seen(tcp(A, port, S, 80, "PA", talk.mine, talk.theirs, rest[:rest.index(line)]))
        held = talk.as_seen(talk.say("PA", rest, outside=front))
        answered, told = at_client(talk, frame(SETTINGS, 0, 0))
        t.outside(answered, inside=told, outside=held)


@case("T4: a body before the server has shown HTTP/2 is not said again with other bytes", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(HEAD)
    talk.send(frame(DATA, 0, 1, b"x" * 40) + frame(DATA, END_STREAM, 1, bytes(100))[:50])
    talk.say("PA", b"\n" + get("/ip"), offset=-50, inside=IS_RESET, outside=IS_RESET, drop="hello_denied")
    t.flow(action="deny", reason="hello_conflict")


@case("T10: the server's first frame is read in order", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    held = waits_at_line(t, talk, [HEAD, frame(DATA, END_STREAM, 1, BODY)])
    first = frame(SETTINGS, 0, 0, struct.pack("!HI", 3, 100))
    talk.answer("PA", first[4:], offset=4, drop="hello_unordered")
    answered, told = at_client(talk, first)
    t.outside(answered, inside=told, outside=held)


@both_families("case 82: a server of HTTP/2 speaks first, then its client", policy=GET)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 80, e).open()
    talk.receive(frame(SETTINGS, 0, 0, struct.pack("!HI", 3, 100)) + frame(8, 0, 0, b"\0\1\0\0"))
    talk.send(HEAD + frame(DATA, END_STREAM, 1, BODY))  # what it speaks is known
    talk.receive(frame(SETTINGS, 1, 0))
    refused(talk, headers(3, request("/ip")), answer(3, first=False))
    t.flow(url="/ip", **NOT_ALLOWED)


@case("case 82: a server of HTTP/2 speaks first, and its client does not speak HTTP/2, or not to be allowed", policy=GET)
def _(t):
    for port, (what, verdict) in enumerate([(get("/get"), None), (b"\x16\x03\x01\0\x05hello", {"action": "deny", "reason": "no_name"}),
                                            (PREFACE + headers(1, request("/ip")), NOT_ALLOWED)], 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.receive(frame(SETTINGS, 0, 0))
        if verdict:
            talk.send(what, inside=ANYTHING, outside=talk.reset_to_server(), drop="hello_denied")
        else:
            talk.send(what)
        t.flow(**(verdict or {"action": "allow", "reason": "route"}))


@case("case 82: a server that speaks first, and not HTTP/2", policy=GET)
def _(t):
    for port, what in enumerate((b"SSH-2.0-peer\r\n", frame(SETTINGS, 1, 0), frame(PING, 0, 0, bytes(8)), frame(SETTINGS, 0, 1),
                                 frame(SETTINGS, 0, 0)[:8]), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.answer("PA", what, inside=IS_RESET, outside=IS_RESET, drop="hello_denied")
        t.flow(action="deny", reason="no_name")


@case("T10: HTTP/2 in a SYN, and the server answers", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E)
    said = PREFACE + headers(1, request("/get"))
    talk.say("S", said)
    talk.mine += 1 + len(said)
    talk.answer("SA")
    talk.theirs += 1
    talk.say("A")
    talk.receive(frame(SETTINGS, 0, 0))
    refused(talk, headers(3, request("/ip")), answer(3, first=False))
    t.flow(url="/ip", **NOT_ALLOWED)


TABLE_OF_64_KIB = b"\x3f\xe1\xff\x03"  # RFC 7541 section 6.3


@case("T10: a client uses the larger header table that its server has offered", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(PREFACE)
    offer = frame(SETTINGS, 0, 0, struct.pack("!HIHI", 3, 100, 1, 65536)) + frame(SETTINGS, 1, 0)
    for byte in offer:
        talk.receive(bytes([byte]))
    many = [(f"x-{i}", "y" * 100) for i in range(40)]  # more than 4096 bytes of a table
    talk.send(frame(SETTINGS, 1, 0) + frame(HEADERS, END_STREAM | END_HEADERS, 1,
                                            TABLE_OF_64_KIB + block(request("/get") + many, indexed=True)))
    oldest = b"\xff" + bytes([62 + 40 + 3 - 127]) if 62 + 40 + 3 >= 127 else bytes([0x80 | (62 + 40 + 3)])  # :method
    again = oldest + bytes([0x80 | (62 + 40 + 2)]) + block([(":path", "/ip")]) + bytes([0x80 | (62 + 40)])
    refused(talk, frame(HEADERS, END_STREAM | END_HEADERS, 3, again), answer(3, first=False))
    t.flow(url="/ip", **NOT_ALLOWED)


@case("T10: a header table larger than its server has offered, and one that the client has offered", policy=GET)
def _(t):
    larger = frame(HEADERS, END_STREAM | END_HEADERS, 1, TABLE_OF_64_KIB + block(request("/get")))
    for port, offer in ((40000, frame(SETTINGS, 0, 0, struct.pack("!HI", 1, 8192))),
                        (40001, frame(SETTINGS, 1, 0) + frame(PING, 0, 0, b"\0\1\0\1\0\0\0\0"))):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(PREFACE + frame(SETTINGS, 0, 0, struct.pack("!HI", 1, 65536)))
        talk.receive(frame(SETTINGS, 0, 0) + offer)
        reset_for(talk, larger)
        t.flow(**MALFORMED)


@case("T10: the body of HTTP/2 goes on out of order once the server has answered in HTTP/2, not before", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(HEAD + frame(DATA, END_STREAM, 1, BODY)[:9])
    talk.say("PA", BODY[4:], offset=4, drop="hello_unordered")
    talk.receive(frame(SETTINGS, 0, 0))
    talk.say("PA", BODY[4:], offset=4)
    talk.send(BODY[:4])
    t.flow(action="allow", reason="route")


@case("T10: HTTP/2 behind a request of HTTP/1.1, unasked", policy=GET)
def _(t):
    reset_for(Talk(t, A, 40000, S, 80, E).open(), get("/get") + PREFACE + headers(1, request("/get")))
    t.flow(**MALFORMED)


@case("T10: upgraded to HTTP/2, streams are followed", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(get("/get", more="Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"))
    talk.receive(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + frame(SETTINGS, 0, 0))
    talk.send(PREFACE + headers(3, request("/get")))
    refused(talk, headers(5, request("/ip")), answer(5, first=False))
    t.flow(**NOT_ALLOWED)


@case("T10: a server that takes the preface for something else is not answered further", policy=ALLOW + SNAT + route(
    "http_route", "no-admin", 80, 'action = "deny"\n[[http_route.rules]]\nmatches = [ { path = { value = "/admin" } } ]\n'))
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(PREFACE + headers(1, request("/")))
    is_reset = named(lambda packet: TCP in packet and "R" in str(packet[TCP].flags), "a reset")
    talk.answer("PA", b"HTTP/1.1 400 Bad Request\r\n\r\n", inside=is_reset, outside=is_reset, drop="hello_denied")
    t.flow(**MALFORMED)

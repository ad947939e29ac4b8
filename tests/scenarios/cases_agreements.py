"""Another protocol in place of HTTP/1, by Upgrade or CONNECT: only where the server agrees, and what begins as a request
there is asked about all the same (corner cases 80 and 107)."""

from cases_policy import DENY, route
from cases_requests import GET, MALFORMED, NOT_ALLOWED, get, page, refused, reset_for
from crafted import tcp
from talk import Talk
from wires import A, E, S, SNAT, case


@case("another protocol: the server agrees in pieces, out of order, and behind an interim answer", policy=GET)
def _(t):
    upgrade = get("/get", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    agrees = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    for port, answer in enumerate([[agrees[:10], agrees[10:]], [hints, agrees], [hints + agrees], [hints + agrees[:9], agrees[9:]]], 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(upgrade)
        for part in answer:
            talk.receive(part)
        talk.send(b"\x81\x85aaaahello")
        t.flow(action="allow", reason="route")
    talk = Talk(t, A, 41000, S, 80, E).open()
    talk.send(upgrade)
    talk.answer("PA", agrees[10:], offset=10, drop="hello_unordered")
    talk.receive(agrees)
    talk.send(b"\x81\x85aaaahello")
    t.flow(action="allow", reason="route")


@case("another protocol: half of an agreement, and an interim answer alone, are none", policy=GET)
def _(t):
    upgrade = get("/get", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    for port, answer in enumerate([b"HTTP/1.1 101 Switching", b"HTTP/1.1 103 Early Hints\r\n\r\n"], 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(upgrade)
        talk.receive(answer)
        reset_for(talk, get("/ip"))
        t.flow(**MALFORMED)


AGREES = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


@case("another protocol only where the server agrees", policy=GET)
def _(t):
    upgrade = get("/get", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(get("/get"))
    talk.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    talk.send(upgrade)
    talk.receive(AGREES)
    talk.send(b"\x81\x85\x01\x02\x03\x04a frame")
    talk.send(get("/ip"))  # the frames go on: nobody reads them
    t.flow(action="allow", reason="route")
    talk = Talk(t, A, 40001, S, 80, E).open()
    talk.send(upgrade)
    talk.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    refused(talk, get("/ip"))
    t.flow(**NOT_ALLOWED)
    reset_for(Talk(t, A, 40002, S, 80, E).open(), upgrade + get("/ip"))
    t.flow(**MALFORMED)


@case("case 80: the status of an allowed page says 101, and the server goes on to read requests", policy=GET)
def _(t):
    upgrade = get("/get/status/101", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    for port, rest in enumerate((get("/ip"), b"\r\n\n" + get("/ip"), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + get("/ip")), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(upgrade)
        talk.receive(AGREES)
        (refused if port != 40002 else reset_for)(talk, rest)
        t.flow(**(NOT_ALLOWED if port != 40002 else MALFORMED))


@case("case 80: the page of an earlier request brings what would agree to another protocol", policy=GET)
def _(t):
    upgrade = get("/get", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    for port, framing in enumerate((b"Content-Length: 1000", b"Transfer-Encoding: chunked"), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(get("/get"))
        talk.receive(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        talk.send(upgrade)
        talk.receive(AGREES)
        (refused if port == 40001 else reset_for)(talk, get("/ip"))
        t.flow(**(NOT_ALLOWED if port == 40001 else MALFORMED))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@case("another protocol on a connection that has had pages in chunks", policy=GET)
def _(t):
    upgrade = get("/get", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    body = b"5;x=y\r\nhello\r\n1C\r\n0\r\n\r\nHTTP/1.1 404 No\r\nX: y\r\n\r\n0\r\nExpires: never\r\n\r\n"
    for port, parts in enumerate(([CHUNKED + body], [CHUNKED, body], [CHUNKED + body[:7], body[7:30], body[30:-3], body[-3:-1], body[-1:]]), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        for _ in range(2):
            talk.send(get("/get"))
            for part in parts:
                talk.receive(part)
        talk.send(upgrade)
        talk.receive(AGREES)
        talk.send(b"\x81\x85aaaahello")
        t.flow(action="allow", reason="route")


@case("case 80: chunks that do not end, or that readers take differently, bring what would agree to another protocol", policy=GET)
def _(t):
    upgrade = get("/get", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    bodies = (b"", b"5", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n0\r\n", b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"0\r\n\n", b"0\n\n")
    for port, body in enumerate(bodies, 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(get("/get"))
        talk.receive(CHUNKED + body)
        talk.send(upgrade)
        talk.receive(AGREES)
        refused(talk, get("/ip"))
        t.flow(**NOT_ALLOWED)


@case("case 80: a request of another registered method where another protocol was agreed on", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(get("/get", more="Connection: Upgrade\r\nUpgrade: websocket\r\n"))
    talk.receive(AGREES)
    refused(talk, b"PROPFIND /ip HTTP/1.1\r\nHost: httpbin.org\r\n\r\n")
    t.flow(**NOT_ALLOWED)


@case("case 80: blanks in front of a request where another protocol was agreed on", policy=GET)
def _(t):
    for port, lead in enumerate((b" ", b"\t", b"\0", b" \r\n\v"), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(get("/get", more="Connection: Upgrade\r\nUpgrade: tcp\r\n"))
        talk.receive(AGREES)
        talk.send(lead)
        refused(talk, lead + get("/ip"))
        t.flow(**NOT_ALLOWED)


H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
AGREES_TO_H2C = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
CHUNKS = (b"2\r\nhi\r\n", b"2\r\nho\r\n0\r\n\r\n")


def asking(method, fields=""):
    return f"{method} /get HTTP/1.1\r\nHost: httpbin.org\r\n{fields}{H2C}\r\n".encode()


BODIES = ((asking("POST", "Content-Length: 4\r\n"), (b"hi", b"ho")), (asking("POST", "Transfer-Encoding: chunked\r\n"), CHUNKS),
          (asking("QUERY", "Content-Length: 4\r\n") + b"hiho", ()), (asking("HEAD"), ()), (asking("GET"), ()))
HTTPBIN = DENY + SNAT + route("http_route", "names", 80, 'hostnames = ["httpbin.org"]')


@case("Upgrade: h2c in a request with a body: a server takes it", policy=HTTPBIN)
def _(t):
    for port, (head, body) in enumerate(BODIES, 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        for part in (head, *body):
            talk.send(part)
        talk.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
        talk.receive(AGREES_TO_H2C + SETTINGS)
        talk.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS)
        t.flow(action="allow", reason="route")


@case("Upgrade: h2c in a request with a body: a server answers in HTTP/1.1, and the next request is asked about", policy=HTTPBIN)
def _(t):
    for port, (head, body) in enumerate(BODIES, 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        for part in (head, *body):
            talk.send(part)
        talk.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"" if head.startswith(b"HEAD") else b"hi"))
        talk.send(get("/get"))
        refused(talk, get("/get", host="denied.example"))
        t.flow(**NOT_ALLOWED)


@case("case 80: another protocol is agreed on behind the whole request alone, and nothing is said before the answer", policy=HTTPBIN)
def _(t):
    for port, (head, body) in enumerate(BODIES[:2], 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(head)
        talk.receive(AGREES_TO_H2C + SETTINGS)
        for part in body:
            talk.send(part)
        reset_for(talk, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS)
        t.flow(**MALFORMED)
    for port, (head, body) in enumerate(BODIES, 41000):
        talk = Talk(t, A, port, S, 80, E).open()
        for part in (head, *body):
            talk.send(part)
        reset_for(talk, get("/get"))
        t.flow(**MALFORMED)


@case("case 80: a page whose status says 101, and that names no protocol", policy=GET)
def _(t):
    upgrade = get("/get/status/101", more="Connection: Upgrade\r\nUpgrade: websocket\r\n")
    for port, page_of_101 in enumerate((b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"HTTP/1.1 101 Switching\r\nUpgrade: \r\n\r\n",
                                        b"HTTP/1.1 101 Switching\r\nX: Upgrade: websocket\r\n\r\n"), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(upgrade)
        talk.receive(page_of_101)
        talk.send(b"PROPFIND /get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n")
        refused(talk, get("/ip"))
        t.flow(**NOT_ALLOWED)


@case("case 107: a server that takes CONNECT for a request like others, and goes on to read them", policy=GET + route(
    "http_route", "connects", 80, 'hostnames = ["httpbin.org"]\n[[http_route.rules]]\nmatches = [ { method = "CONNECT" } ]\n'))
def _(t):
    for port, method in enumerate((b"PROPFIND", b"propfind", b"X-1"), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(b"CONNECT httpbin.org:80 HTTP/1.1\r\nHost: httpbin.org:80\r\n\r\n")
        talk.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        talk.say("PA", method[:3], outside=[])
        t.drop(hello_denied=1)
        rest = method[3:] + b" /ip HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"
        known = method != b"propfind"  # no request has that one
        told = page(talk, 3 + len(rest)) if known else talk.reset_to_client(3 + len(rest))
        talk.say("PA", rest, offset=3, inside=told, outside=talk.reset_to_server(), drop="hello_denied")
        t.flow(**(NOT_ALLOWED if known else MALFORMED))
    long = b"PROPFIND /ip" + b"a" * 1100 + b" HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"
    for port, first in enumerate((long, *(lead + b"ET /ip HTTP/1.1\r\n\r\n" for lead in (b"\tG", b"\vG", b"\0G", b" G"))), 42000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(b"CONNECT httpbin.org:80 HTTP/1.1\r\nHost: httpbin.org:80\r\n\r\n")
        talk.receive(b"HTTP/1.1 200 OK\r\n\r\n")
        (refused if first is long else reset_for)(talk, first)
        t.flow(**(NOT_ALLOWED if first is long else MALFORMED))
    for port, first in enumerate((b"GET /ip\r\n", b"get /ip\r\n", b"X-1 /ip\r\n", b"X http://denied.example/\n"), 43000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(b"CONNECT httpbin.org:80 HTTP/1.1\r\nHost: httpbin.org:80\r\n\r\n")
        talk.receive(b"HTTP/1.1 200 OK\r\n\r\n")
        reset_for(talk, first)  # HTTP/0.9 has no version
        t.flow(**MALFORMED)
    for port, first in enumerate((b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", b"\x16\x03\x01\x02", b"{}", b"NICK me\r\n"), 41000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(b"CONNECT httpbin.org:80 HTTP/1.1\r\nHost: httpbin.org:80\r\n\r\n")
        talk.receive(b"HTTP/1.1 200 OK\r\n\r\n")
        talk.send(first)
        t.flow(action="allow", reason="route")


@case("another protocol that begins as a method does waits until it is none", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(get("/get", more="Connection: Upgrade\r\nUpgrade: tcp\r\n"))
    talk.receive(AGREES)
    talk.send(b"\r\n")
    waiting = talk.as_seen(talk.say("PA", b"GE", outside=[]))
    t.inside(last := tcp(A, 40000, S, 80, "PA", talk.mine + 2, talk.theirs, b"NTLY"), outside=[waiting, talk.as_seen(last)])
    t.flow(action="allow", reason="route")


@case("case 107: requests in the clear inside of a tunnel are asked about as well", policy=DENY + SNAT + route(
    "http_route", "proxy", 80, 'hostnames = ["httpbin.org"]'))
def _(t):
    for port, name, said in ((40000, "httpbin.org", {"action": "allow", "reason": "route"}), (40001, "denied.example", NOT_ALLOWED)):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.send(b"CONNECT httpbin.org:80 HTTP/1.1\r\nHost: httpbin.org:80\r\n\r\n")
        talk.receive(b"HTTP/1.1 200 ok\r\n\r\n")
        (refused(talk, get("/", host=name)) if said is NOT_ALLOWED else talk.send(get("/", host=name)))
        t.flow(hostname=name, **said)

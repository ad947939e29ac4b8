"""Requests of plaintext HTTP, one by one: what is allowed goes on as it came, of what is denied the server sees nothing, and
the client is told by a page (corner cases D and E)."""

from cases_nat import CONFIG
from cases_policy import DENY, route
from crafted import has_right_checksums, named, seen, tcp
from scapy.layers.inet import TCP
from scapy.layers.l2 import Dot1Q, Ether
from talk import Talk
from wires import A, ALLOW, E, S, SNAT, both_families, case

MATCHES = """hostnames = ["httpbin.org"]
[[http_route.rules]]
matches = [ {} ]
"""


def matching(matches):
    return DENY + SNAT + route("http_route", "requests", 80, MATCHES.format(matches))


GET = matching('{ path = { value = "/get" } }')
PAGE = (b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 20\r\nConnection: close\r\n\r\n"
        b"traffic not allowed\n")
NOT_ALLOWED = {"action": "deny", "reason": "name_not_allowed"}
MALFORMED = {"action": "deny", "reason": "hello_malformed"}


def get(target, host="httpbin.org", more=""):
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode()


def post(target, fields, body):
    return f"POST {target} HTTP/1.1\r\nHost: httpbin.org\r\n{fields}\r\n\r\n".encode() + body


def page(talk, consumed):
    """403, and the end of the stream behind it, as if the server had said so."""
    seq, ack = talk.theirs, talk.mine + consumed

    def check(packet):
        return (TCP in packet and (packet.src, packet.dst) == (talk.server, talk.client) and has_right_checksums(packet)
                and (packet[TCP].sport, packet[TCP].dport, packet[TCP].flags) == (talk.server_port, talk.port, "FPA")
                and (packet[TCP].seq, packet[TCP].ack) == (seq, ack)
                and bytes(packet[TCP].payload) == PAGE)
    return named(check, "the page of 403")


def refused(talk, request):
    talk.send(request, inside=page(talk, len(request)), outside=talk.reset_to_server(), drop="hello_denied")


def reset_for(talk, request):
    talk.send(request, inside=talk.reset_to_client(len(request)), outside=talk.reset_to_server(), drop="hello_denied")


def verdicts(t, allowed, denied, reason="name_not_allowed"):
    """A connection for each request."""
    for port, request in enumerate(allowed, 40000):
        Talk(t, A, port, S, 80, E).open().send(request)
        t.flow(action="allow", reason="route")
    for port, request in enumerate(denied, 50000):
        refused(Talk(t, A, port, S, 80, E).open(), request)
        t.flow(action="deny", reason=reason)


@both_families("cases 64 and 60: /get is allowed; /ip on the same connection is answered by 403 traffic not allowed", policy=GET)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 80, e).open()
    talk.send(get("/get"))
    talk.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    refused(talk, get("/ip"))
    # More of the client is nobody's; the request again brings the page again.
    again = tcp(a, 40000, s, 80, "PA", talk.mine - len(get("/ip")), talk.theirs, get("/ip"))
    talk.mine -= len(get("/ip"))
    t.inside(again, inside=page(talk, len(get("/ip"))), drop="flow_denied")
    talk.say("A", drop="flow_denied")
    talk.answer("A", drop="flow_denied")
    t.flow(app_proto="http", hostname="httpbin.org", http_method="GET", url="/ip", end="denied", **NOT_ALLOWED)


@case("a request of a method that is younger than others is one as well", policy=matching('{ method = "QUERY" }'))
def _(t):
    query = "{} / HTTP/1.1\r\nHost: httpbin.org\r\nContent-Length: 2\r\n\r\nhi"
    verdicts(t, [query.format("QUERY").encode()], [query.format(method).encode() for method in ("POST", "PURGE", "QUERY-")])
    for port, method in enumerate(("query", "Query", "A" * 33), 55000):
        reset_for(Talk(t, A, port, S, 80, E).open(), query.format(method).encode())
        t.flow(**MALFORMED)


@case("clients that leave the port out of the Host, or out of the target", policy=matching('{ path = { value = "/get" } }, { method = "CONNECT" }'))
def _(t):
    def head(line, host="httpbin.org"):
        return f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    verdicts(t, [head("CONNECT httpbin.org:443"), head("GET http://httpbin.org:80/get"), head("GET http://httpbin.org/get", "httpbin.org:80")],
             [head("CONNECT denied.example:443", "denied.example"), head("GET http://httpbin.org:80/ip")])
    for port, request in enumerate((head("CONNECT httpbin.org:443", "httpbin.org:80"), head("CONNECT denied.example:443"),
                                    head("GET http://denied.example:80/get"), head("GET http://httpbin.org/get", "denied.example:80")), 55000):
        reset_for(Talk(t, A, port, S, 80, E).open(), request)
        t.flow(**MALFORMED)


@case("NUL in front of a request, which some servers skip, where one name is denied", policy=ALLOW + SNAT + route(
    "http_route", "no", 80, 'hostnames = ["denied.example"]\naction = "deny"'))
def _(t):
    for port, lead in enumerate((b"\0", b"\0\0\0", b"\0 \r\n"), 40000):
        reset_for(Talk(t, A, port, S, 80, E).open(), lead + get("/", host="denied.example"))
        t.flow(**MALFORMED)
        talk = Talk(t, A, port + 1000, S, 80, E).open()
        talk.say("PA", lead + b"GE", outside=[])
        t.drop(hello_denied=1)
        consumed = len(lead) + 6
        talk.say("PA", b"T / ", offset=len(lead) + 2, inside=talk.reset_to_client(consumed), outside=talk.reset_to_server(), drop="hello_denied")
        t.flow(**MALFORMED)
    for port, first in enumerate((b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x29\0\3\0\0user", b"\0\0\0GETTING"), 42000):
        Talk(t, A, port, S, 80, E).open().send(first)
        t.flow(action="allow")


@case("case 60: http_deny = reset", policy=GET + '[defaults]\nhttp_deny = "reset"\n')
def _(t):
    reset_for(Talk(t, A, 40000, S, 80, E).open(), get("/ip"))
    t.flow(**NOT_ALLOWED)


@case("case 69: a VLAN-tagged client is told in its VLAN", policy=GET)
def _(t):
    tagged = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1Q(vlan=7)
    talk = Talk(t, A, 40000, S, 80, E)

    def in_vlan(check):
        return named(lambda p: p[Dot1Q].vlan == 7 and (check(p.payload) if callable(check) else bytes(check) == bytes(p.payload)),
                     "in VLAN 7: " + (check.__doc__ if callable(check) else check.summary()))
    syn = tcp(A, 40000, S, 80, "S", 1000)
    t.inside(tagged / syn, outside=in_vlan(talk.as_seen(syn)))
    talk.mine += 1
    answer = tcp(S, 80, E, 40000, "SA", 5000, 1001)
    t.outside(tagged / answer, inside=in_vlan(seen(answer, dst=A)))
    talk.theirs += 1
    request = tcp(A, 40000, S, 80, "PA", 1001, 5001, get("/ip"))
    t.inside(tagged / request, inside=in_vlan(page(talk, len(get("/ip")))), outside=in_vlan(talk.reset_to_server()),
             drop="hello_denied")
    t.flow(**NOT_ALLOWED)


@both_families("case 68: GET and POST, a body with a length and one in chunks, a name of two labels",
               policy=DENY + SNAT + route("http_route", "linkerd", 80, 'hostnames = ["linkerd.io"]'))
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 80, e).open()
    for request in (get("/", "linkerd.io"), post("/", "Content-Length: 5", b"hello").replace(b"httpbin.org", b"linkerd.io"),
                    post("/", "Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n").replace(b"httpbin.org", b"linkerd.io")):
        talk.send(request)
        talk.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    talk.close()
    t.flow(action="allow", reason="route", http_method="POST", hostname="linkerd.io", end="fin")
    other = Talk(t, a, 40001, s, 80, e).open()
    refused(other, get("/", "example.com"))
    t.flow(hostname="example.com", **NOT_ALLOWED)


@case("case 76: a prefix ends where a segment ends", policy=matching('{ path = { value = "/v2" } }'))
def _(t):
    verdicts(t, [get("/v2"), get("/v2/x"), get("/v2?a=b"), get("/v2/")], [get("/v2example"), get("/v"), get("/V2")])


@case("case 77: a regular expression matches the whole path", policy=matching(
    '{ path = { type = "RegularExpression", value = "/files/[a-z]+" } }'))
def _(t):
    verdicts(t, [get("/files/abc")], [get("/files/abc/d"), get("/x/files/abc"), get("/files/ABC"), get("/files/")])


@case("case 77: a regular expression matches the whole header", policy=matching(
    '{ headers = [ { name = "version", type = "RegularExpression", value = "v[0-9]" } ] }'))
def _(t):
    verdicts(t, [get("/", more="Version: v1\r\n")], [get("/", more="Version: v10\r\n"), get("/", more="Version: xv1\r\n"), get("/")])


@case("case 78: any one of repeated header values", policy=matching('{ headers = [ { name = "version", value = "two" } ] }'))
def _(t):
    verdicts(t, [get("/", more="version: one\r\nVERSION:  two \r\n")], [get("/", more="version: one\r\nversion: three\r\n")])


@case("case 79: the closest match decides: exact, longest prefix, method, headers, query", policy=DENY + SNAT
      + route("http_route", "near", 80, 'action = "deny"\n' + MATCHES.format(
          '{ path = { type = "Exact", value = "/a/b" } }, { path = { value = "/a/c" }, method = "PUT" },'
          '{ path = { value = "/q" }, query_params = [ { name = "kind", value = "private" } ] }'))
      + route("http_route", "far", 80, MATCHES.format('{ path = { value = "/a" } }, { path = { value = "/a/c" } },'
                                                     '{ path = { value = "/q" } }')))
def _(t):
    verdicts(t, [get("/a"), get("/a/b/c"), get("/a/c"), get("/q?kind=public"), get("/q")],
             [get("/a/b"), get("/a/c").replace(b"GET", b"PUT"), get("/q?kind=private"), get("/q?x=1&kind=pri%76ate")], reason="route")


@case("cases 80 and 76: a denied path written otherwise", policy=ALLOW + SNAT + route(
    "http_route", "no-admin", 80, 'action = "deny"\n[[http_route.rules]]\nmatches = [ { path = { value = "/admin" } } ]\n'))
def _(t):
    verdicts_under_allow = [get("/"), get("/administrator"), get("/x/admin"), get("/Admin")]
    for port, request in enumerate(verdicts_under_allow, 40000):
        Talk(t, A, port, S, 80, E).open().send(request)
        t.flow(action="allow", reason="network_default")
    paths = ["/admin", "/admin/", "/%61dmin", "//admin", "/./admin", "/x/../admin", "/admin;v=1", "/x/..%2fadmin", "/x/..\\admin",
             "/x/%252e%252e/admin", "http://httpbin.org/admin"]
    for port, path in enumerate(paths, 50000):
        refused(Talk(t, A, port, S, 80, E).open(), get(path))
        t.flow(action="deny", reason="route")


@case("case 80: a second request behind the first in one segment, and behind bodies of either kind", policy=GET)
def _(t):
    firsts = [get("/get"), post("/get", "Content-Length: 5", b"hello"),
              post("/get", "Transfer-Encoding: chunked", b"5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n")]
    for port, first in enumerate(firsts, 40000):
        refused(Talk(t, A, port, S, 80, E).open(), first + get("/ip"))
        t.flow(url="/ip", **NOT_ALLOWED)


HOST = "Host: httpbin.org\r\n"
SMUGGLED = {
    "two lengths": post("/get", "Content-Length: 5\r\nContent-Length: 6", b"hello"),
    "two lengths in one field": post("/get", "Content-Length: 5, 5", b"hello"),
    "a length beside chunks": post("/get", "Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "a coding that is none": post("/get", "Transfer-Encoding: xchunked", b""),
    "a coding behind chunked": post("/get", "Transfer-Encoding: chunked, identity", b""),
    "chunked twice": post("/get", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "a chunk of 0x5": post("/get", "Transfer-Encoding: chunked", b"0x5\r\nhello\r\n"),
    "a chunk of -1": post("/get", "Transfer-Encoding: chunked", b"-1\r\nhello\r\n"),
    "a chunk longer than numbers": post("/get", "Transfer-Encoding: chunked", b"fffffffffffffffff\r\nhello\r\n"),
    "a chunk's length behind LF": post("/get", "Transfer-Encoding: chunked", b"5\nhello\r\n"),
    "a chunk without its end": post("/get", "Transfer-Encoding: chunked", b"5\r\nhelloGET"),
    "a length of +5": post("/get", "Content-Length: +5", b"hello"),
    "a blank before the colon": post("/get", "Content-Length : 5", b"hello"),
    "two Hosts": get("/get", more="Host: evil.org\r\n"),
    "no Host": b"GET /get HTTP/1.1\r\n\r\n",
    "a target of another host": get("http://evil.org/get"),
    "a target with a user": get("http://httpbin.org@evil.org/get"),
    "a folded field": get("/get", more=" folded: x\r\n"),
    "a bare LF": b"GET /get HTTP/1.1\nHost: httpbin.org\n\n",
    "a bare LF between fields": b"GET /get HTTP/1.1\r\nHost: httpbin.org\nX: y\r\n\r\n",
    "a bare CR": get("/get", more="X: a\rb\r\n"),
    "a NUL": get("/get", more="X: a\0b\r\n"),
    "a broken escape": get("/get/%zz"),
    "a fragment": get("/get#ip"),
    "two blanks": get(" /get"),
    "a tab for a blank": b"GET\t/get\tHTTP/1.1\r\nHost: httpbin.org\r\n\r\n",
    "HTTP/0.9": b"GET /get\r\n",
    "HTTP/1.2": b"GET /get HTTP/1.2\r\nHost: httpbin.org\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /get HTTP/1.0\r\nHost: httpbin.org\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a blank in front": b" GET /get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n",
    "LF in front": b"\nGET /get HTTP/1.1\r\nHost: httpbin.org\r\n\r\n",
}
for shape, request in SMUGGLED.items():
    @case(f"case 80 and T10: {shape}", policy=GET)
    def _(t, request=request):
        reset_for(Talk(t, A, 40000, S, 80, E).open(), request)
        t.flow(**MALFORMED)


@case("case 80 and T10: under Allow as well", policy=ALLOW + SNAT + route(
    "http_route", "no-admin", 80, 'action = "deny"\n[[http_route.rules]]\nmatches = [ { path = { value = "/admin" } } ]\n'))
def _(t):
    for port, request in enumerate([SMUGGLED["a tab for a blank"], SMUGGLED["LF in front"], SMUGGLED["two Hosts"],
                                    b"A" * 40 + b" /admin HTTP/1.1\r\n\r\n", b"EHLO x\r\n"], 40000):
        reset_for(Talk(t, A, port, S, 80, E).open(), request)
        t.flow(**MALFORMED)
    Talk(t, A, 50000, S, 80, E).open().send(b"SSH-2.0-client\r\n")  # no request: no name is shown
    t.flow(action="allow", reason="network_default")


@case("T10: empty lines in front of a request are nothing", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(b"\r\n\r\n" + get("/get") + b"\r\n" + get("/get"))
    refused(talk, b"\r\n" + get("/ip"))
    t.flow(**NOT_ALLOWED)
    reset_for(Talk(t, A, 40001, S, 80, E).open(), b"\r\n" * 5 + get("/get"))
    t.flow(**MALFORMED)


@case("T4: a retransmission with other bytes, before the server has acknowledged the allowed ones", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.say("PA", get("/get/a"))
    talk.say("PA", get("/get/a"))
    talk.say("PA", get("/get/a")[:10])
    talk.say("PA", get("/get/a")[7:30], offset=7)
    other = get("/ip///")
    talk.say("PA", other, inside=talk.reset_to_client(len(other)), outside=ANY_RESET, drop="hello_denied")
    t.flow(action="deny", reason="hello_conflict")


ANY_RESET = named(lambda packet: TCP in packet and packet[TCP].flags == "RA", "a reset")


@case("T4: what no window reaches does not count as a body that has gone by", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(post("/get", "Content-Length: 5000000000", b""))
    for step in (1 << 30) + 5, (1 << 31) - 5, -(1 << 30):
        talk.say("PA", b"x", offset=step, drop="hello_unordered") if step > 0 else talk.say("PA", b"x", offset=step)
    talk.say("PA", b"body")


@case("case 81: a second request that is not finished in time", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(get("/get"))
    talk.say("PA", b"GET /g", outside=[])
    t.wait(11, inside=talk.reset_to_client(6), outside=talk.reset_to_server())
    t.drop(hello_denied=1)
    talk.say("A", drop="flow_denied", inside=talk.reset_to_client())
    t.flow(action="deny", reason="hello_timeout")


@case("case 83: mail on a port of HTTP shows no request", policy=GET)
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    reset_for(talk, b"EHLO pod\r\n")
    t.flow(**MALFORMED)


@case("cases 83 and 82: PostgreSQL's request for TLS, and a server that speaks first, on a port of HTTP", policy=GET)
def _(t):
    reset_for(Talk(t, A, 40000, S, 80, E).open(), b"\0\0\0\x08\x04\xd2\x16\x2f")
    t.flow(action="deny", reason="no_name")
    talk = Talk(t, A, 40001, S, 80, E).open()
    talk.receive(b"+OK ready\r\n")
    reset_for(talk, b"QUIT\r\n")
    t.flow(action="deny", reason="no_name")


@case("case 106: the Host is what counts, and it stands alone", policy=GET)
def _(t):
    refused(Talk(t, A, 40000, S, 80, E).open(), get("/get", "evil.org"))
    t.flow(hostname="evil.org", **NOT_ALLOWED)


@case("case 107: CONNECT is a request for its target", policy=DENY + SNAT + route("http_route", "proxy", 80, 'hostnames = ["httpbin.org"]'))
def _(t):
    talk = Talk(t, A, 40000, S, 80, E).open()
    talk.send(b"CONNECT httpbin.org:443 HTTP/1.1\r\nHost: httpbin.org:443\r\n\r\n")
    talk.receive(b"HTTP/1.1 200 ok\r\n\r\n")
    talk.send(b"\x16\x03\x01 whatever is in the tunnel")
    t.flow(action="allow", reason="route", hostname="httpbin.org:443")
    refused(Talk(t, A, 40001, S, 80, E).open(), b"CONNECT denied.example:443 HTTP/1.1\r\nHost: denied.example:443\r\n\r\n")
    t.flow(hostname="denied.example:443", **NOT_ALLOWED)


@case("a request in pieces waits and then leaves as it came; out of order too", policy=GET)
def _(t):
    request = get("/get")
    for port, order in enumerate([(0, 1, 2), (2, 1, 0), (1, 2, 0)], 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        cuts = [(0, 10), (10, 30), (30, len(request))]
        waiting = [talk.as_seen(talk.say("PA", request[slice(*cuts[i])], offset=cuts[i][0], outside=[])) for i in order[:2]]
        begin, end = cuts[order[2]]
        last = tcp(A, port, S, 80, "PA", talk.mine + begin, talk.theirs, request[begin:end])
        t.inside(last, outside=[*waiting, talk.as_seen(last)])
        talk.mine += len(request)
        talk.send(get("/get/again"))


@case("a connection picked up in its middle: nobody knows where in its requests it is", policy=ALLOW + SNAT + route(
    "http_route", "no-admin", 80, 'action = "deny"\n[[http_route.rules]]\nmatches = [ { path = { value = "/admin" } } ]\n'),
    config=CONFIG + '[nat]\ntcp_midstream = "allow"\n')
def _(t):
    talk = Talk(t, A, 40000, S, 80, E)
    talk.send(get("/"), inside=talk.reset_to_client(len(get("/"))), drop="hello_denied")
    t.flow(**MALFORMED)

"""What some servers read otherwise than others: paths that go up, blanks that are none, fields that resemble others, words
that become methods, a stream put together from other numbers than TCP's. None of it gets where the policy does not allow it."""

from cases_names import NAMES
from cases_policy import route
from cases_requests import GET, MALFORMED, get, matching, post, refused, reset_for, verdicts
from cases_upgrades import say
from crafted import seen, tcp
from talk import Talk
from wires import A, ALLOW, ANYTHING, E, S, SNAT, case

PUBLIC = matching('{ path = { value = "/public" } }')
NO_ADMIN = ALLOW + SNAT + route("http_route", "no-admin", 80, 'action = "deny"\n[[http_route.rules]]\n'
                                'matches = [ { path = { value = "/admin" } } ]\n')
NO_EVIL = ALLOW + SNAT + route("http_route", "no-evil", 80, 'action = "deny"\nhostnames = ["evil.org"]\n')

# Each is /admin to some server, under some steps of strict and lenient.
UNCLEAR = ["/public/%3f/..%2f..%2fadmin", "/public/%23/..%2f..%2fadmin", "/public/%23/..;/..;/admin", "/public/..;/admin/%252e%252e/public",
           "/public/..%5cadmin/..;x/public"]


@case("case 80: a path that goes up, as some servers read it and neither strict nor lenient readers do", policy=PUBLIC)
def _(t):
    for port, path in enumerate(UNCLEAR, 45000):
        refused(Talk(t, A, port, S, 80, E).open(), get(path))
        t.flow(action="deny")
    clear = ["/public/a%2fb", "/public/a;v=1/b", "/public/%25", "/public/..a/b%20c", "/public/a/../b", "/public/x?q=../..%2f;"]
    verdicts(t, [get(path) for path in clear], [])


@case("case 80: the same, to what a deny route names", policy=NO_ADMIN)
def _(t):
    for port, path in enumerate(["/x/%3f/..%2f..%2fadmin", "/x/%23/..;/..;/admin"], 40000):
        refused(Talk(t, A, port, S, 80, E).open(), get(path))
        t.flow(action="deny", reason="hello_malformed")


@case("case 80: where no route asks for paths, none is unclear", policy=matching('{ method = "GET" }'))
def _(t):
    verdicts(t, [get(path) for path in UNCLEAR], [])


@case("case 80: a server that resolves nothing", policy=PUBLIC)
def _(t):
    verdicts(t, [get("/public/../public/x"), get("/public/./x")], [get("/admin/../public/x"), get("/./public/x")])


@case("case 80: a server that resolves nothing, and a deny route", policy=NO_ADMIN)
def _(t):
    refused(Talk(t, A, 40000, S, 80, E).open(), get("/admin/../x"))
    t.flow(action="deny", reason="route")


HOST = b"Host: httpbin.org\r\n\r\n"
ODD = {
    "a tab behind the target": b"GET /get\t HTTP/1.1\r\n" + HOST,
    "a blank of Latin-1 behind the target": b"GET /get\xa0 HTTP/1.1\r\n" + HOST,
    "a next line of Latin-1 in the query": b"GET /get?a\x85 HTTP/1.1\r\n" + HOST,
    "Content_Length": post("/get", "Content_Length: 5", b"hello"),
    "Content_Length beside the other": post("/get", "Content_Length: 5\r\nContent-Length: 4", b"hell"),
    "Transfer_Encoding beside a length": post("/get", "content-length: 5\r\ntransfer_encoding: chunked", b"hello"),
    "a port of the Host that is none": get("/get", "httpbin.org:x"),
    "two ports of the Host": get("/get", "httpbin.org:80:80"),
    "a user in the Host": get("/get", "x@httpbin.org"),
    "a bracket in the Host": get("/get", "[httpbin.org"),
    "a control in front": b"\x01" + get("/get"),
    "what begins TLS in front": b"\x16" + get("/get"),
    "controls and blanks in front": b"\x7f\x02 \r\n\x03" + get("/get"),
    "a blank of Latin-1 behind the method": b"GET\xa0/get\xa0HTTP/1.1\r\n" + HOST,
    "a separator behind the method": b"GET\x1c/get HTTP/1.1\r\n" + HOST,
    "a mark in the method": b"G@T /get HTTP/1.1\r\n" + HOST,
}
for shape, request in ODD.items():
    @case(f"T10: {shape}", policy=GET)
    def _(t, request=request):
        reset_for(Talk(t, A, 40000, S, 80, E).open(), request)
        t.flow(**MALFORMED)


@case("T10: the same under Allow, where what is no request is another protocol", policy=NO_EVIL)
def _(t):
    evil = [request.replace(b"httpbin.org", b"evil.org") for request in ODD.values()]
    for port, request in enumerate(evil, 40000):
        reset_for(Talk(t, A, port, S, 80, E).open(), request)
        t.flow(**MALFORMED)
    others = [b"\x05\x01\x00", b"\x10\x1a\0\4MQTT\4\2\0\x3c\0\x0eclient", b"\0\0\0\x23\0\x12\0\3\0\0\0\1\0\7console",
              b"8=FIX.4.2\x019=5\x01", b"<?xml version='1.0'?><stream>", b"*1\r\n$4\r\nPING\r\n", b"GIOP\1\2", b"\x80\x0b" + bytes(22),
              b"SSH-2.0-client\r\n"]
    for port, data in enumerate(others, 50000):
        Talk(t, A, port, S, 80, E).open().send(data)
        t.flow(action="allow", reason="network_default")


@case("T10: controls that come alone wait for what they are in front of", policy=NO_EVIL)
def _(t):
    for port, front in enumerate((b"\x01", b"\0\x02", b"G@", b"$$$"), 40000):
        talk = Talk(t, A, port, S, 80, E).open()
        talk.say("PA", front, outside=[], drop="hello_denied")
        rest = b"GET / HTTP/1.1\r\nHost: evil.org\r\n\r\n"
        talk.say("PA", rest, offset=len(front), inside=ANYTHING, outside=talk.reset_to_server(), drop="hello_denied")
        t.flow(**MALFORMED)


@case("requests as clients send them: broken escapes behind the path, https through a proxy, UTF-8, an empty port", policy=GET)
def _(t):
    verdicts(t, [get("/get?q=100%"), get("/get?q=%u00e4&%"), get("https://httpbin.org/get"), get("/get/\u00e0".encode().decode("latin-1")),
                 get("/get", "httpbin.org:")], [get("https://denied.example/get", "denied.example"), get("https://httpbin.org/ip")])


@case("a header that CGI takes for the one that is asked for", policy=ALLOW + SNAT + route(
    "http_route", "no-admin", 80, 'action = "deny"\n[[http_route.rules]]\nmatches = [ { headers = [ { name = "X-Admin", value = "1" } ] } ]\n'))
def _(t):
    Talk(t, A, 40000, S, 80, E).open().send(get("/", more="XAdmin: 1\r\n"))
    t.flow(action="allow", reason="network_default")
    for port, name in enumerate(("x-admin", "X_Admin"), 50000):
        refused(Talk(t, A, port, S, 80, E).open(), get("/", more=f"{name}: 1\r\n"))
        t.flow(action="deny", reason="route")


@case("T5: a SYN that offers a multipath connection goes on without, where names are read", policy=NAMES)
def _(t):
    for port, options, left in ((40000, [(30, b"\1\1")], [(1, None)] * 4),
                                (40001, [(1, None), (30, b"\1\1"), ("MSS", 1400), (1, None)],
                                 [(1, None)] * 5 + [("MSS", 1400), (1, None)])):
        syn = tcp(A, port, S, 443, "S", 1000, 0, options=options)
        t.inside(syn, outside=seen(tcp(A, port, S, 443, "S", 1000, 0, options=left), src=E))


@case("T5: elsewhere it goes on as it came", policy=ALLOW + SNAT)
def _(t):
    syn = tcp(A, 40000, S, 443, "S", 1000, 0, options=[(30, b"\1\1")])
    t.inside(syn, outside=seen(syn, src=E))


REFUSED_TUNNEL = [b">CONNECT httpbin.org:443 HTTP/1.1\r\nHost: httpbin.org:443\r\n\r\n", b"<HTTP/1.1 407 who\r\nContent-Length: 0\r\n\r\n"]


@case("T5: a tunnel to an address is not judged by the name of one that was refused", policy=NAMES)
def _(t):
    for port, target in enumerate((b"192.0.2.66:22", b"user@denied.example:22"), 40000):
        talk = Talk(t, A, port, S, 443, E).open()
        say(talk, [*REFUSED_TUNNEL, b">CONNECT " + target + b" HTTP/1.1\r\n\r\n", b"<HTTP/1.1 200 ok\r\n\r\n"])
        talk.send(b"SSH-2.0-evil\r\n", inside=ANYTHING, outside=ANYTHING, drop="hello_denied")
        t.flow(action="deny", reason="no_name")


@case("T5: a request for a tunnel with a body, in which another one may stand", policy=NAMES)
def _(t):
    for port, field in enumerate((b"Content-Length: 5", b"Transfer-Encoding: chunked", b"content_length: 5"), 40000):
        talk = Talk(t, A, port, S, 443, E).open()
        reset_for(talk, b"CONNECT httpbin.org:443 HTTP/1.1\r\n" + field + b"\r\n\r\n")
        t.flow(**MALFORMED)
    talk = Talk(t, A, 50000, S, 443, E).open()
    talk.send(b"CONNECT httpbin.org:443 HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    t.flow(action="deny", reason="no_name")  # for want of an answer



"""What stands before TLS: upgrades that are recognised, and what is tried in their name (corner cases 82, 83, 107)."""

import hellos
from cases_names import BAD, DENIED, GOOD, NAMELESS, NAMES
from cases_nat import CONFIG
from crafted import named, tcp
from scapy.layers.inet import TCP
from talk import Talk
from wires import A, E, S, both_families, case

NO_NAME = {"action": "deny", "reason": "no_name"}
MYSQL_GREETING = b"\x4a\0\0\0\x0a8.0.36\0" + bytes(67)
MYSQL_REQUEST = b"\x20\0\0\x01\x05\xae\x0f\0" + bytes(28)
LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"

IS_RESET = named(lambda packet: TCP in packet and "R" in str(packet[TCP].flags), "a reset")

# What is said in turn: "<" by the server, ">" by the client.
UPGRADES = {
    "SMTP": ["<220 mail ESMTP\r\n", ">EHLO pod\r\n", "<250-mail\r\n250 STARTTLS\r\n", ">STARTTLS\r\n", "<220 go\r\n"],
    "FTP": ["<220 ftp\r\n", ">AUTH TLS\r\n", "<234 ok\r\n"],
    "IMAP": ["<* OK ready\r\n", ">a CAPABILITY\r\n", "<* CAPABILITY STARTTLS\r\na OK\r\n", ">b STARTTLS\r\n", "<b OK\r\n"],
    "POP3": ["<+OK ready\r\n", ">STLS\r\n", "<+OK\r\n"],
    "XMPP": ["><stream:stream to='example.com'>", "<<stream:stream><stream:features><starttls/></stream:features>",
             "><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
    "LDAP": [b">" + LDAP_REQUEST, b"<\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"],
    "PostgreSQL": [b">\0\0\0\x08\x04\xd2\x16\x2f", b"<S"],
    "MySQL": [b"<" + MYSQL_GREETING, b">" + MYSQL_REQUEST],
    "MariaDB": [b"<" + MYSQL_GREETING, b">" + MYSQL_REQUEST[:-4] + b"\x3f\0\0\0"],  # capabilities of its own
    "SOCKS 4": [b">\x04\x01\x01\xbb\x01\x02\x03\x04\0", b"<\0\x5a\0\0\0\0\0\0"],
    "SOCKS 5": [b">\x05\x01\0", b"<\x05\0", b">\x05\x01\0\x03\x0bhttpbin.org\x01\xbb", b"<\x05\0\0\x01\0\0\0\0\0\0"],
    "HTTP CONNECT": [">CONNECT httpbin.org:443 HTTP/1.1\r\nHost: httpbin.org:443\r\n\r\n", "<HTTP/1.1 200 ok\r\n\r\n"],
}


def say(talk, lines):
    for line in lines:
        line = line.encode() if isinstance(line, str) else line
        (talk.send if line[:1] == b">" else talk.receive)(line[1:])


def refused(talk, payload):
    talk.send(payload, inside=talk.reset_to_client(len(payload)), outside=talk.reset_to_server(), drop="hello_denied")


def of(lines):
    @both_families(f"case 83: {lines}, then a hello to an allowed name", policy=NAMES)
    def _(t, a, b, s, s2, e):
        talk = Talk(t, a, 40000, s, 443, e).open()
        say(talk, UPGRADES[lines])
        talk.send(GOOD)
        talk.receive(b"server hello")
        t.flow(action="allow", reason="route", sni="httpbin.org", app_proto="tls")

    @both_families(f"case 83: {lines}, then a hello to a denied name", policy=NAMES)
    def _(t, a, b, s, s2, e):
        talk = Talk(t, a, 40000, s, 443, e).open()
        say(talk, UPGRADES[lines])
        refused(talk, BAD)
        t.flow(sni="denied.example", **DENIED)

    if lines not in ("SOCKS 5", "HTTP CONNECT"):  # whose name was shown
        @case(f"case 83: {lines}, then no TLS", policy=NAMES)
        def _(t):
            talk = Talk(t, A, 40000, S, 443, E).open()
            say(talk, UPGRADES[lines])
            refused(talk, b"application data\r\n")
            t.flow(**NO_NAME)


for upgrade in UPGRADES:
    of(upgrade)

REFUSED = {
    "mail without TLS": (UPGRADES["SMTP"][:3], b"MAIL FROM:<a@example.com>\r\n"),
    "mail behind a bare line feed": (UPGRADES["SMTP"][:1], b"EHLO pod\nMAIL FROM:<a@example.com>\r\n"),
    "mail behind STARTTLS in one segment": (UPGRADES["SMTP"][:3], b"STARTTLS\r\nMAIL FROM:<a@example.com>\r\n"),
    "a hello before STARTTLS is answered": (UPGRADES["SMTP"][:4], GOOD),
    "a hello where STARTTLS is offered and not asked for": (UPGRADES["SMTP"][:3], GOOD),
    "a hello after STARTTLS was refused": ([*UPGRADES["SMTP"][:4], "<454 not now\r\n"], GOOD),
    "a hello after STARTTLS was refused, and OK to another command with its tag": (
        [*UPGRADES["IMAP"][:2], ">a STARTTLS\r\n", "<a OK\r\n", "<a BAD\r\n"], GOOD),
    "a hello to a mail server that has greeted": (UPGRADES["IMAP"][:1], GOOD),
    "a login without TLS": (UPGRADES["IMAP"][:1], b"a LOGIN me key\r\n"),
    "a literal": (UPGRADES["IMAP"][:1], b"a ID {900}\r\n"),
    "an LDAP bind": ([], b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"),
    "a PostgreSQL start without TLS": ([b">\0\0\0\x08\x04\xd2\x16\x2f", b"<N"], b"\0\0\0\x10\0\3\0\0user\0a\0\0"),
    "a request to a proxy": ([], b"GET http://httpbin.org/ HTTP/1.1\r\nHost: httpbin.org\r\n\r\n"),
    "a request after a refused tunnel": ([UPGRADES["HTTP CONNECT"][0], "<HTTP/1.1 403 no\r\n\r\n"], b"GET / HTTP/1.1\r\n\r\n"),
}
for what, (before, payload) in REFUSED.items():
    @case(f"case 82: {what} shows no name", policy=NAMES)
    def _(t, before=before, payload=payload):
        talk = Talk(t, A, 40000, S, 443, E).open()
        say(talk, before)
        refused(talk, payload)
        t.flow(**NO_NAME)


@case("case 107: tunnels to denied names", policy=NAMES)
def _(t):
    requests = [(b"CONNECT denied.example:443 HTTP/1.1\r\n\r\n", "http"), (b"\x04\x01\x01\xbb\0\0\0\x01\0denied.example\0", "socks")]
    requests += [(request + GOOD, protocol) for request, protocol in requests]  # in one segment or in two
    for port, (request, protocol) in enumerate(requests, 40000):
        talk = Talk(t, A, port, S, 443, E).open()
        refused(talk, request)
        t.flow(hostname="denied.example", app_proto=protocol, **DENIED)


@case("case 107: a hello before the proxy has answered, in the request's segment or in the next", policy=NAMES)
def _(t):
    request = UPGRADES["HTTP CONNECT"][0].encode()[1:]
    refused(Talk(t, A, 40000, S, 443, E).open(), request + GOOD)
    second = Talk(t, A, 40001, S, 443, E).open()
    second.send(request)
    refused(second, GOOD)
    for _ in range(2):
        t.flow(hostname="httpbin.org", app_proto="http", **NO_NAME)


@case("case 107: a tunnel to an allowed name, and nothing inside that shows another", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    say(talk, UPGRADES["HTTP CONNECT"])
    talk.send(b"SSH-2.0-client\r\n")
    t.flow(action="allow", reason="route", hostname="httpbin.org", app_proto="http")


@case("case 107: a tunnel to an address, where the hello inside decides", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    say(talk, [">CONNECT 198.51.100.9:443 HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 ok\r\n\r\n"])
    refused(talk, hellos.hello([]))
    t.flow(**NO_NAME)


@case("case 107: a Host that is not the target", policy=NAMES)
def _(t):
    refused(Talk(t, A, 40000, S, 443, E).open(), b"CONNECT httpbin.org:443 HTTP/1.1\r\nHost: denied.example\r\n\r\n")
    t.flow(action="deny", reason="hello_malformed")


# ---- Bounds: what asks for TLS is short, and no channel ------------------------------------------------------------

TIMED_OUT = {"action": "deny", "reason": "hello_timeout"}
HEADER = b"<stream:stream to='example.com'>"


@both_families("case 81: a dialogue without TLS ends at hello_timeout, from its first byte", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    t.wait(20)  # nobody has said anything
    say(talk, UPGRADES["SMTP"][:3])
    t.wait(6)
    say(talk, [">NOOP\r\n", "<250 ok\r\n"])
    t.wait(6)
    talk.say("PA", b"NOOP\r\n", inside=talk.reset_to_client(6), drop="flow_denied")
    t.flow(**TIMED_OUT)


@case("case 81: a server that goes on greeting, for longer than five minutes", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    for _ in range(6):
        talk.receive(b"220-more\r\n")
        t.wait(49)
    t.wait(7)
    talk.answer("PA", b"220-more\r\n", drop="flow_denied")
    t.flow(**TIMED_OUT)


def slowly(t, talk, lines, seconds):
    """As say(), by a server that acknowledges at once and answers late."""
    for line in lines:
        line = line.encode() if isinstance(line, str) else line
        if line[:1] == b">":
            talk.send(line[1:])
            talk.answer("A")
            t.wait(seconds)
        else:
            talk.receive(line[1:])


for slow in UPGRADES:
    if slow not in ("MySQL", "MariaDB"):  # whose server has nothing to answer
        @both_families(f"case 83: {slow} with a server that takes 25 s for each answer", policy=NAMES)
        def _(t, a, b, s, s2, e, slow=slow):
            talk = Talk(t, a, 40000, s, 443, e).open()
            t.wait(25)
            slowly(t, talk, UPGRADES[slow], 25)
            talk.send(GOOD)
            t.flow(action="allow", reason="route", sni="httpbin.org", app_proto="tls")

        @case(f"case 81: {slow} with a slow server, and a client that says its hello byte by byte", policy=NAMES)
        def _(t, slow=slow):
            talk = Talk(t, A, 40000, S, 443, E).open()
            slowly(t, talk, UPGRADES[slow], 25)
            for byte in GOOD[:6]:
                talk.say("PA", bytes([byte]), outside=[])
                talk.mine += 1
                t.wait(1.5)
            talk.mine -= 6
            t.drop(hello_denied=6)
            t.wait(2, inside=IS_RESET, outside=IS_RESET)
            talk.answer("A", drop="flow_denied")
            t.flow(**TIMED_OUT)


@case("case 81: a client that says each command byte by byte has no more time for it", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    say(talk, UPGRADES["SMTP"][:1])
    for _ in range(2):
        talk.say("PA", b"NO", outside=[])
        t.wait(4)
        first = tcp(A, 40000, S, 443, "PA", talk.mine, talk.theirs, b"NO")
        last = tcp(A, 40000, S, 443, "PA", talk.mine + 2, talk.theirs, b"OP\r\n")
        t.inside(last, outside=[talk.as_seen(first), talk.as_seen(last)])
        talk.mine += 6
        talk.receive(b"250 ok\r\n")
    talk.say("PA", b"NO", outside=[])
    t.drop(hello_denied=1)
    t.wait(3, inside=IS_RESET, outside=IS_RESET)
    talk.answer("A", drop="flow_denied")
    t.flow(**TIMED_OUT)


@case("case 81: a client that says half a command while the server has to answer", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    say(talk, [*UPGRADES["SMTP"][:1], ">EHLO pod\r\n"])
    t.wait(5)
    talk.say("PA", b"NO", outside=[])
    t.drop(hello_denied=1)
    t.wait(11, inside=IS_RESET, outside=IS_RESET)
    talk.answer("A", drop="flow_denied")
    t.flow(**TIMED_OUT)


@case("case 81: a server that never acknowledges what was asked, and one that never answers", policy=NAMES)
def _(t):
    silent = Talk(t, A, 40000, S, 443, E).open()
    silent.send(HEADER)
    polite = Talk(t, A, 40001, S, 443, E).open()
    polite.send(HEADER)
    polite.answer("A")
    t.wait(11)
    silent.answer("PA", b"<stream:stream>", drop="flow_denied")
    polite.answer("A")
    t.wait(290)
    polite.answer("PA", b"<stream:stream>", drop="no_mapping")
    t.flow(**TIMED_OUT)
    t.flow(**TIMED_OUT)


@case("case 81: a HelloRetryRequest, and no second hello", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(GOOD)
    talk.receive(hellos.record(hellos.server_hello(hellos.RETRY_RANDOM), 0x303))
    t.wait(11)
    talk.say("PA", GOOD, inside=talk.reset_to_client(len(GOOD)), drop="flow_denied")
    t.flow(**TIMED_OUT)


@case("case 87: more commands than any client needs", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    say(talk, UPGRADES["SMTP"][:1] + [">NOOP\r\n", "<250 ok\r\n"] * 24)
    refused(talk, b"NOOP\r\n")
    t.flow(**NO_NAME)


@case("case 87: more bytes of commands than a hello may have", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    for _ in range(6):  # of 2000 bytes; the server answers every one
        say(talk, [b">" + HEADER[:-1] + b" a='" + b"x" * (2000 - len(HEADER) - 5) + b"'>", "<<stream:stream>"])
    long = HEADER[:-1] + b" a='" + b"x" * (2000 - len(HEADER) - 5) + b"'>"
    refused(talk, long)
    t.flow(**NO_NAME)


@case("case 82: two headers of a stream before the server's", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(b"<?xml version='1.0'?>" + HEADER)
    refused(talk, HEADER)
    t.flow(**NO_NAME)


@case("case 82: a command that carries something", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    say(talk, UPGRADES["SMTP"][:3])
    refused(talk, b"NOOP c2VjcmV0\r\n")
    t.flow(**NO_NAME)


@case("T4: a reset that the server does not see, in a dialogue, and a hello over what was said", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    greeting = b"EHLO " + b"x" * 300 + b"\r\n"
    say(talk, ["<220 mail ESMTP\r\n", b">" + greeting, "<250 ok\r\n", b">" + greeting, "<250 ok\r\n"])
    talk.say("RA")
    talk.say("PA", GOOD, offset=-2 * len(greeting))  # the server has that part of the stream
    refused(talk, b"MAIL FROM:<a@example.com>\r\n")
    t.flow(**NO_NAME)


FEW_STREAMS = CONFIG + '[limits]\nheld_bytes = "1M"\n'  # 42 streams, of which three quarters may wait


@case("T1: dialogues that fell silent hold nothing from the hellos of others", policy=NAMES, config=FEW_STREAMS)
def _(t):
    for port in range(20000, 20032):
        talk = Talk(t, f"10.1.2.{10 + port % 4}", port, S, 443, E).open()
        talk.send(HEADER)
        if port % 2 == 0:
            talk.answer("A")  # whose server may still answer
    Talk(t, A, 20032, S, 443, E).open().say("PA", HEADER, drop="held_full")
    t.wait(11)
    talk = Talk(t, A, 40000, S, 443, E).open()
    waiting = talk.as_seen(talk.say("PA", GOOD[:100], outside=[]))
    last = tcp(A, 40000, S, 443, "PA", talk.mine + 100, talk.theirs, GOOD[100:])
    t.inside(last, outside=[waiting, talk.as_seen(last)])


ASKED_FIRST = {
    "POP3, the mechanisms": [b"<+OK ready\r\n", b">AUTH\r\n", b"<+OK\r\nPLAIN\r\n.\r\n", b">CAPA\r\n", b"<+OK\r\nSTLS\r\n.\r\n", b">STLS\r\n",
                             b"<+OK\r\n"],
    "POP3, the mechanisms in vain": [b"<+OK ready\r\n", b">AUTH\r\n", b"<-ERR what\r\n", b">STLS\r\n", b"<+OK\r\n"],
    "FTP, UTF-8": [b"<220 ftp\r\n", b">OPTS UTF8 ON\r\n", b"<200 ok\r\n", b">AUTH TLS\r\n", b"<234 ok\r\n"],
}
for what, lines in ASKED_FIRST.items():
    @case(f"case 82: what clients ask before they ask for TLS: {what}", policy=NAMES)
    def _(t, lines=lines):
        talk = Talk(t, A, 40000, S, 443, E).open()
        say(talk, lines)
        talk.send(GOOD)
        t.flow(action="allow", reason="route", sni="httpbin.org")
        talk = Talk(t, A, 40001, S, 443, E).open()
        say(talk, lines)
        refused(talk, BAD)
        t.flow(action="deny", reason="name_not_allowed")
RETRY = hellos.record(hellos.server_hello(hellos.RETRY_RANDOM), 0x303)
CHANGED = hellos.record(b"\x01", 0x303, kind=20)
BINDING = NAMES + '[dns]\ntrusted_servers = ["1.1.1.1"]\n[defaults]\nserver_name_binding = "deny"\n'


def through_retry(what, policy, first, second=None):
    @case(f"case 95: a HelloRetryRequest inside of a tunnel, {what}", policy=policy)
    def _(t):
        for port, upgrade in enumerate(("SOCKS 5", "HTTP CONNECT"), 40000):
            talk = Talk(t, A, port, S, 443, E).open()
            say(talk, UPGRADES[upgrade])
            talk.send(first)
            talk.receive(RETRY)
            if second:
                refused(talk, CHANGED + second)
                t.flow(action="deny", reason="hello_conflict")
                continue
            talk.send(CHANGED + first)
            talk.receive(b"server hello")
            talk.send(b"finished")
            t.flow(action="allow", sni="httpbin.org")


through_retry("and names are bound to addresses", BINDING, GOOD)
through_retry("and hellos without a name", NAMES, NAMELESS)
through_retry("and another name", NAMES, GOOD, BAD)


LDAP_RESPONSE = UPGRADES["LDAP"][-1][1:]
PROCEED = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'>"


@case("case 95: a hello before the last byte in the clear, which would be taken for its answer", policy=NAMES)
def _(t):
    for port, before in enumerate(([b"<" + MYSQL_GREETING[:10], b">" + MYSQL_REQUEST],
                                   [b">" + LDAP_REQUEST, b"<" + LDAP_RESPONSE[:10]],
                                   [*UPGRADES["XMPP"][:-1], b"<" + PROCEED]), 40000):
        talk = Talk(t, A, port, S, 443, E).open()
        say(talk, before[:-1])
        if before[-1][:1] == b">":
            refused(talk, before[-1][1:])
        else:
            say(talk, before[-1:])
            refused(talk, GOOD)
        t.flow(**NO_NAME)


@case("case 83: the last answer in the clear byte by byte, then a HelloRetryRequest", policy=NAMES)
def _(t):
    conversations = {"MySQL": UPGRADES["MySQL"], "LDAP": UPGRADES["LDAP"],
                     "XMPP": [*UPGRADES["XMPP"][:-1], b"<" + PROCEED + b"</proceed>"]}
    for port, lines in enumerate(conversations.values(), 40000):
        talk = Talk(t, A, port, S, 443, E).open()
        for line in lines:
            line = line.encode() if isinstance(line, str) else line
            say(talk, [b"<" + line[at:at + 1] for at in range(1, len(line))] if line[:1] == b"<" else [line])
        talk.send(GOOD)
        talk.receive(RETRY)
        refused(talk, CHANGED + BAD)
        t.flow(action="deny", reason="hello_conflict")

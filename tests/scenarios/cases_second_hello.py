"""Around a HelloRetryRequest (RFC 8446 section 4.1.4) and early data: which bytes of the client's are its second hello, and what
is said again (corner cases 95 and 98)."""

import hellos
from cases_evasions import CONFLICT, RETRY
from cases_names import BAD, GOOD, NAMES, pieces
from hellos import hello, record, server_name
from talk import Talk
from wires import A, ANYTHING, E, S, both_families, case

FIRST = hello([server_name("httpbin.org"), (42, b"")])  # with early data
CHANGED = record(b"\x01", 0x303, kind=20)


def early(size):
    return record(bytes(size), 0x303, kind=23)


def second_is(talk, payload, allowed=True):
    """The second hello of a connection."""
    if allowed:
        talk.send(payload)
    else:
        talk.send(payload, drop="hello_denied", inside=talk.reset_to_client(len(payload)), outside=talk.reset_to_server())
        talk.t.flow(**CONFLICT)


@case("case 95: a HelloRetryRequest within a record of early data, whose rest looks like a hello", policy=NAMES)
def _(t):
    for port, sent in enumerate((3, 5, 21, 6), 40000):  # of the record, when the request comes
        talk = Talk(t, A, port, S, 443, E).open()
        whole = record(bytes(16) + GOOD, 0x303, kind=23)
        talk.send(FIRST + whole[:sent])
        talk.receive(RETRY)
        talk.send(whole[sent:])
        second_is(talk, BAD, allowed=False)


@both_families("case 95: a HelloRetryRequest within a record of early data, the rest of which comes in pieces", policy=NAMES)
def _(t, a, b, s, s2, e):
    for port, sent in enumerate((1, 4, 1000), 40000):
        talk = Talk(t, a, port, s, 443, e).open()
        whole = early(4000)
        talk.send(FIRST + whole[:sent])
        talk.receive(RETRY)
        talk.send(whole[sent:2400])
        talk.send(whole[2400:])
        second_is(talk, CHANGED + GOOD)
        talk.receive(b"server hello")
        talk.send(b"finished")
        t.flow(action="allow", sni="httpbin.org")


@case("case 95: early data that was lost behind the gateway comes again behind a HelloRetryRequest", policy=NAMES)
def _(t):
    for port, name in ((40000, GOOD), (40001, BAD)):
        talk = Talk(t, A, port, S, 443, E).open()
        talk.send(FIRST)
        behind_hello = talk.mine
        talk.send(early(500))
        behind_data = talk.mine
        talk.mine = behind_hello
        talk.receive(RETRY)  # which acknowledges the hello alone
        if name == GOOD:
            talk.say("PA", early(500))
            talk.mine = behind_data
            second_is(talk, CHANGED + name)
            t.flow(action="allow", sni="httpbin.org")
        else:
            other = CHANGED + name  # in place of the early data
            talk.send(other, drop="hello_denied", inside=talk.reset_to_client(len(other)), outside=ANYTHING)
            t.flow(**CONFLICT)


@case("case 95: early data as large as a record behind a HelloRetryRequest", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(FIRST)
    talk.receive(RETRY)
    whole = early(16384 + 17)
    for at in range(0, len(whole), 1400):
        talk.send(whole[at:at + 1400])
        if at % 2800:
            talk.answer("A")
    second_is(talk, CHANGED + GOOD)
    t.flow(action="allow", sni="httpbin.org")


@case("case 95: early data of which the server acknowledges nothing behind its HelloRetryRequest", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(FIRST)
    talk.receive(RETRY)
    whole = early(12 * 1024)
    for at in range(0, 11200, 1400):
        talk.send(whole[at:at + 1400])
    rest = whole[11200:]
    talk.say("PA", rest, drop="held_full")
    talk.answer("A")
    talk.send(rest)
    second_is(talk, CHANGED + GOOD)
    t.flow(action="allow", sni="httpbin.org")


@case("case 95: a HelloRetryRequest that comes late, within a record of early data", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(FIRST + early(400)[:200])
    talk.answer("A")
    t.wait(11)
    talk.receive(RETRY)
    second_is(talk, GOOD, allowed=False)


@case("case 95: early data behind hello_bytes, said again as a second hello", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    first = hello([server_name("httpbin.org"), (42, b""), (21, bytes(11500))])
    for at, piece in pieces(first, *range(1400, len(first), 1400))[:-1]:
        talk.send(piece, outside=[])
    talk.send(pieces(first, *range(1400, len(first), 1400))[-1][1], outside=ANYTHING)
    behind = early(300)
    talk.say("PA", early(12 * 1024 - len(first)), drop="held_full")
    talk.answer("A")
    talk.send(early(12 * 1024 - len(first)))
    talk.say("PA", behind)  # lost behind the gateway
    other = CHANGED + BAD
    talk.say("PA", other, drop="hello_denied", inside=talk.reset_to_client(len(other)), outside=ANYTHING)
    t.flow(**CONFLICT)


@case("case 95: what stands behind a hello and hello_bytes is kept by nobody", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    first = hello([server_name("httpbin.org"), (42, b""), (21, bytes(11400))])
    parts = pieces(first, *range(1400, len(first), 1400))
    for at, piece in parts[:-1]:
        talk.send(piece, outside=[])
    last = parts[-1][1] + early(800)
    talk.send(last, inside=ANYTHING, drop="hello_denied", outside=ANYTHING)
    t.drop(hello_denied=len(parts) - 1)
    t.flow(action="deny", reason="hello_too_large")


@case("case 95: a server that answers after hello_timeout, in segments that overtake one another", policy=NAMES)
def _(t):
    answer = record(hellos.server_hello(), 0x303) + record(bytes(500), 0x303, kind=23)
    for port, whole, first in ((40000, answer, 300), (40001, answer, len(answer)), (40002, RETRY + CHANGED, len(RETRY))):
        talk = Talk(t, A, port, S, 443, E).open()
        talk.send(GOOD)
        talk.answer("A")
        t.wait(11)
        behind = min(first, 300)
        talk.answer("PA", whole[behind:], offset=behind)
        talk.answer("PA", whole[:first])
        talk.theirs += len(whole)
        if whole == answer:
            talk.send(CHANGED)
            talk.send(record(b"\x10\0\0\0", 0x303))
        else:
            second_is(talk, CHANGED + GOOD)
            talk.receive(answer)
            talk.send(b"finished")
        t.flow(action="allow", sni="httpbin.org")


@case("case 95: the same of a HelloRetryRequest, then another name", policy=NAMES)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.send(GOOD)
    talk.answer("A")
    t.wait(11)
    talk.answer("PA", CHANGED, offset=len(RETRY))
    talk.receive(RETRY)
    talk.theirs += len(CHANGED)
    other = CHANGED + BAD
    talk.send(other, drop="hello_denied", inside=talk.reset_to_client(len(other)), outside=ANYTHING)
    t.flow(**CONFLICT)

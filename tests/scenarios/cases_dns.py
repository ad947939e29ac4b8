"""Names learned from DNS: what a `domains` peer and server_name_binding make of answers, right and forged ones."""

import struct

from crafted import reset, seen, tcp, udp
from packets import client_hello
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRROPT
from talk import Talk
from wires import A, ALLOW, B, E, S, S2, SNAT, both_families, case

R, R6 = "192.0.2.53", "2001:db8:53::53"  # the trusted resolver
NAME = "db.example.com"
TRUST = f"""
[dns]
trusted_servers = ["{R}", "{R6}"]
"""
DATABASE = ALLOW + SNAT + TRUST + """
[[namespace]]
name = "shop"
addresses = ["10.1.0.0/16", "fd00:1::/64"]
[[network_policy]]
namespace = "shop"
name = "names"
pod_selector = {}
  [[network_policy.egress]]
  ports = [ { protocol = "UDP", port = 53 }, { port = 53 } ]
  [[network_policy.egress]]
  to = [ { domains = ["db.example.com", "*.rds.example.com"] } ]
  ports = [ { port = 5432 } ]
"""
BINDING = ALLOW + SNAT + TRUST + '[defaults]\nserver_name_binding = "deny"\n'


def query(name=NAME, ident=7, kind="A"):
    return bytes(DNS(id=ident, rd=1, qd=DNSQR(qname=name, qtype=kind), ar=DNSRROPT(rclass=1232)))


def answer(*records, name=NAME, ident=7, kind="A", **flags):
    chain = None
    for record in records:
        chain = chain / record if chain else record
    return bytes(DNS(id=ident, qr=1, rd=1, ra=1, qd=DNSQR(qname=name, qtype=kind), ancount=len(records), an=chain,
                     ar=DNSRROPT(rclass=1232), **flags))


def is_at(address, name=NAME, ttl=60):
    return DNSRR(rrname=name, type="AAAA" if ":" in address else "A", ttl=ttl, rdata=address)


def is_alias(name, target, ttl=60):
    return DNSRR(rrname=name, type="CNAME", ttl=ttl, rdata=target)


class Asking:
    """A client that asks over UDP, and connects to what it was told; a new port each time."""

    def __init__(self, t, client=A, egress=E, resolver=R):
        self.t, self.client, self.egress, self.resolver, self.port = t, client, egress, resolver, 40000

    def ask(self, question, *answers, sender=None, dport=None, drop=None):
        self.port += 1
        self.t.inside(out := udp(self.client, self.port, self.resolver, 53, question), outside=seen(out, src=self.egress))
        self.hear(*answers, sender=sender, dport=dport, drop=drop)

    def hear(self, *answers, sender=None, dport=None, drop=None):
        """Answers to the last question; they pass, whatever is learned of them."""
        for said in answers:
            back = udp(sender or self.resolver, 53, self.egress, dport or self.port, said)
            self.t.outside(back, inside=None if drop else seen(back, dst=self.client, dport=self.port), drop=drop)

    def connect(self, server=S, allowed=True, dport=5432):
        self.port += 1
        syn = tcp(self.client, self.port, server, dport, seq=77)
        if allowed:
            self.t.inside(syn, outside=seen(syn, src=self.egress))
        else:
            self.t.inside(syn, inside=reset(server, dport, self.client, self.port, 0, 78), drop="policy_denied")

    def refused(self, server=S):
        self.connect(server, allowed=False)


@both_families("case 108: a name's address is reached once DNS has said so, A and AAAA with EDNS", policy=DATABASE)
def _(t, a, b, s, s2, e):
    kind = "AAAA" if ":" in a else "A"
    client = Asking(t, a, e, R6 if ":" in a else R)
    client.refused(s)
    client.ask(query(kind=kind), answer(is_at(s), kind=kind))
    client.connect(s)
    client.refused(s2)
    t.flow(app_proto="dns", action="allow", dest_port=53)
    t.flow(action="deny", reason="network_policy", rule="shop/names", dest_ip=s)
    t.flow(action="allow", dest_ip=s, dest_port=5432)
    t.flow(action="deny", reason="network_policy", dest_ip=s2)


@case("case 108: what one client asked holds for the others", policy=DATABASE)
def _(t):
    Asking(t).ask(query(), answer(is_at(S)))
    Asking(t, B).connect()


@case("case 108: a wildcard takes names below it", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query("rds.example.com"), answer(is_at(S, "rds.example.com"), name="rds.example.com"))
    client.refused()
    client.ask(query("a.b.rds.example.com"), answer(is_at(S, "a.b.rds.example.com"), name="a.b.rds.example.com"))
    client.connect()


@case("case 108: a CNAME chain inside one answer, in any order", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S, "b.cdn.net"), is_alias("a.cdn.net", "b.cdn.net"), is_alias(NAME, "a.cdn.net")))
    client.connect()


@case("case 108: a CNAME chain over two answers is none", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_alias(NAME, "a.cdn.net")))
    client.ask(query("a.cdn.net", 8), answer(is_at(S, "a.cdn.net"), name="a.cdn.net", ident=8))
    client.refused()


@case("case 108: addresses of other names in an answer are not taken", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query("www.example.com"), answer(is_at(S2, "www.example.com"), is_at(S), name="www.example.com"))
    client.refused()


@case("case 108: TTL 0 lives for a second", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S, ttl=0)))
    client.connect()
    t.wait(1.1)
    client.refused()


@case("case 108: after the TTL new connections are denied, established ones stay", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S, ttl=5)))
    talk = Talk(t, A, 50000, S, 5432, E).open()
    t.wait(4)
    client.connect()
    t.wait(1.5)
    client.refused()
    talk.send(b"still here")
    talk.receive(b"so am I")
    client.ask(query(), answer(is_at(S, ttl=5)))
    client.connect()


@case("case 108: the smallest TTL of the chain counts", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_alias(NAME, "a.cdn.net", 2), is_at(S, "a.cdn.net", 600)))
    t.wait(3)
    client.refused()


@case("case 108: extra_ttl is added", policy=DATABASE.replace("[dns]", '[dns]\nextra_ttl = "10s"'))
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S, ttl=5)))
    t.wait(14)
    client.connect()
    t.wait(2)
    client.refused()


@case("case 108: a hundred addresses and more of one name", policy=DATABASE)
def _(t):
    addresses = [f"198.51.100.{i}" for i in range(100, 228)]
    client = Asking(t)
    client.ask(query(), answer(*map(is_at, addresses)))
    for address in addresses:
        client.connect(address)
    client.refused()


@case("case 108: names_max keeps what is there", policy=DATABASE.replace("[dns]", "[dns]\nnames_max = 2"))
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at("198.51.100.101"), is_at("198.51.100.102"), is_at("198.51.100.103")))
    client.connect("198.51.100.101")
    client.connect("198.51.100.102")
    client.refused("198.51.100.103")


def halves(data):
    return data[:len(data) // 2], data[len(data) // 2:]


@case("case 108: a truncated answer says nothing, the one over TCP does", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S), tc=1))
    client.refused()
    talk = Talk(t, A, 50000, R, 53, E).open()
    talk.send(framed(query()))
    talk.receive(framed(answer(is_at(S))))
    client.connect()


@case("case 108: over TCP in pieces, pipelined and out of order", policy=DATABASE)
def _(t):
    client = Asking(t)
    talk = Talk(t, A, 50000, R, 53, E).open()
    for byte in framed(query("www.example.com", 1)) + framed(query(ident=2)):
        talk.send(bytes([byte]))
    said = framed(answer(is_at(S), ident=2)) + framed(answer(is_at(S2, "www.example.com"), name="www.example.com", ident=1))
    talk.answer("PA", said[10:50], offset=10)
    talk.answer("PA", said[10:50], offset=10)
    talk.answer("PA", said[50:], offset=50)
    client.refused()
    talk.answer("PA", said[:30])
    client.connect()
    client.refused(S2)


@case("case 108: over TCP, whoever leaves many messages unfinished is in nobody's way but its own", policy=DATABASE)
def _(t):
    client = Asking(t)
    talks = [Talk(t, A, 50000 + number, R, 53, E).open() for number in range(40)]
    for talk in talks:
        talk.send(framed(query())[:5])
    other = Talk(t, B, 60000, R, 53, E).open()
    for part in halves(framed(query("a.rds.example.com", 3))):
        other.send(part)
    for part in halves(framed(answer(is_at(S2, "a.rds.example.com"), name="a.rds.example.com", ident=3))):
        other.receive(part)
    client.connect(S2)
    talks[0].send(framed(query())[5:])
    talks[0].receive(framed(answer(is_at(S))))
    client.refused(S)
    talks[-1].send(framed(query())[5:])
    talks[-1].receive(framed(answer(is_at(S))))
    client.connect(S)


@case("case 108: over TCP an answer that nobody asked for is not learned", policy=DATABASE)
def _(t):
    talk = Talk(t, A, 50000, R, 53, E).open()
    talk.send(framed(query("www.example.com")))
    talk.receive(framed(answer(is_at(S))))
    Asking(t).refused()


@case("case 108: spoofed: another server's answer", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S)), sender="192.0.2.66", drop="no_mapping")
    client.refused()


@case("case 108: spoofed: a server that is not trusted", policy=DATABASE)
def _(t):
    client = Asking(t, resolver="192.0.2.66")
    client.ask(query(), answer(is_at(S)))
    client.refused()
    t.flow(app_proto="dns", dest_ip="192.0.2.66", action="allow")
    t.flow(action="deny", dest_ip=S)


@case("case 108: spoofed: another port, another id, another question, no question", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S)), dport=40999, drop="no_mapping")
    client.hear(answer(is_at(S), ident=8), answer(is_at(S), kind="AAAA"), bytes(DNS(id=7, qr=1, qd=None, an=is_at(S))))
    client.refused()
    client.ask(query("www.example.com"), answer(is_at(S)))
    client.refused()


@case("case 108: spoofed: a second answer after the right one, and one that comes too late", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query(), answer(is_at(S)), answer(is_at(S2)))
    client.connect()
    client.refused(S2)
    client.ask(query())
    asked = client.port
    t.wait(10.5)
    client.port = asked
    client.hear(answer(is_at(S2)))
    client.refused(S2)


@case("case 108: a denied query's answer is not waited for", policy=DATABASE.replace('{ protocol = "UDP", port = 53 }, ', ""))
def _(t):
    t.inside(udp(A, 40001, R, 53, query()), inside=lambda packet: True, drop="policy_denied")
    t.outside(udp(R, 53, E, 40001, answer(is_at(S))), drop="no_mapping")
    Asking(t).refused()


@case("case 108: compression pointers that loop", policy=DATABASE)
def _(t):
    head = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0)
    asked = query()[12:12 + len(NAME) + 2 + 4]
    owner = len(head) + len(asked)
    address = b"\0\1\0\1\0\0\0\x3c\0\4" + bytes([198, 51, 100, 7])
    loops = [struct.pack("!H", 0xC000 | owner), struct.pack("!H", 0xC000 | (owner + 2)), b"\1x" + struct.pack("!H", 0xC000 | owner),
             b"\xff\xff"]
    client = Asking(t)
    for name in loops:
        client.ask(query(), head + asked + name + address)
    client.refused()


@case("case 108: case mixing (0x20) is told back, and does not matter to the policy", policy=DATABASE)
def _(t):
    client = Asking(t)
    client.ask(query("dB.eXaMpLe.CoM"), answer(is_at(S, "dB.eXaMpLe.CoM")))
    client.refused()
    client.ask(query("dB.eXaMpLe.CoM"), answer(is_at(S, "dB.eXaMpLe.CoM"), name="dB.eXaMpLe.CoM"))
    client.connect()


@both_families("case 105: the right name at an address that it is not bound to", policy=BINDING)
def _(t, a, b, s, s2, e):
    kind = "AAAA" if ":" in a else "A"
    client = Asking(t, a, e, R6 if ":" in a else R)
    client.ask(query("httpbin.org", kind=kind), answer(is_at(s, "httpbin.org"), name="httpbin.org", kind=kind))
    hello = client_hello("httpbin.org")
    right = Talk(t, a, 50000, s, 443, e).open()
    right.send(hello)
    right.receive(b"server hello")
    wrong = Talk(t, a, 50001, s2, 443, e).open()
    wrong.send(hello, inside=wrong.reset_to_client(len(hello)), outside=wrong.reset_to_server(), drop="hello_denied")
    t.flow(app_proto="dns")
    t.flow(sni="httpbin.org", dest_ip=s, action="allow")
    t.flow(sni="httpbin.org", dest_ip=s2, action="deny", reason="name_not_bound", layer="egress_network")


@case("case 105: the same in pieces: none of them leaves", policy=BINDING)
def _(t):
    hello = client_hello("httpbin.org")
    talk = Talk(t, A, 50000, S, 443, E).open()
    talk.say("PA", hello[:100], outside=[])
    talk.say("PA", hello[100:], offset=100, drop="hello_denied", inside=talk.reset_to_client(len(hello)),
             outside=talk.reset_to_server())
    t.drop(hello_denied=1)
    t.flow(sni="httpbin.org", action="deny", reason="name_not_bound")


@case("case 105: a Host at an address that it is not bound to", policy=BINDING)
def _(t):
    client = Asking(t)
    client.ask(query("www.example.com"), answer(is_at(S, "www.example.com"), name="www.example.com"))
    request = b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
    Talk(t, A, 50000, S, 80, E).open().send(request)
    talk = Talk(t, A, 50001, S2, 80, E).open()
    talk.send(request, inside=lambda packet: True, outside=talk.reset_to_server(), drop="hello_denied")


@case("case 105: server_name_binding = audit lets it pass and says so", policy=BINDING.replace("deny", "audit"))
def _(t):
    talk = Talk(t, A, 50000, S, 443, E).open()
    talk.send(client_hello("httpbin.org"))
    t.flow(sni="httpbin.org", action="allow", audited=True)


@case("case 105: what shows no name is not asked for one", policy=BINDING)
def _(t):
    talk = Talk(t, A, 50000, S, 22, E).open()
    talk.receive(b"SSH-2.0-server\r\n")
    talk.send(b"SSH-2.0-client\r\n")
    t.inside(datagram := udp(A, 5000, S, 7000, b"datagram"), outside=seen(datagram, src=E))


def framed(message):
    return struct.pack("!H", len(message)) + message

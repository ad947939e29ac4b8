"""May it, and what a sender is told when it may not."""

from talk import Talk
from crafted import echo, reset, says, seen, tcp, udp
from wires import A, ALLOW, B, E, S, S2, SNAT, both_families, case

DENY = ALLOW.replace('"Allow"', '"Deny"')
ROUTE = """
[[{kind}]]
namespace = "linkerd-egress"
name = "{name}"
parent_refs = [ {{ name = "everything", namespace = "linkerd-egress"{port} }} ]
{more}
"""


def route(kind, name, port=None, more=""):
    return ROUTE.format(kind=kind, name=name, port=f", port = {port}" if port else "", more=more)


@both_families("an Allow network lets everything through")
def _(t, a, b, s, s2, e):
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.send(b"GET / HTTP/1.1\r\n\r\n")
    talk.receive(b"HTTP/1.1 200 OK\r\n\r\n")
    talk.close()
    t.flow(action="allow", reason="network_default", layer="egress_network", network="linkerd-egress/everything", state="closed",
           end="fin", pkts_toserver=5, pkts_toclient=3, proto="TCP", nat_ip=e, nat_port=40000)


@both_families("case 63: a denied SYN is answered by a reset", policy=DENY + SNAT)
def _(t, a, b, s, s2, e):
    t.inside(tcp(a, 40000, s, 443, seq=77), inside=reset(s, 443, a, 40000, 0, 78), drop="policy_denied")
    t.flow(action="deny", reason="network_default", network="linkerd-egress/everything", pkts_toserver=1, pkts_toclient=0, end="denied")


@case("case 63: a denied datagram is answered by administratively prohibited, IPv4", policy=DENY + SNAT)
def _(t):
    question = udp(A, 5000, S, 53, b"question")
    t.inside(question, inside=says(3, 13, A, question), drop="policy_denied")
    t.inside(question, inside=says(3, 13, A, question), drop="flow_denied")
    t.flow(action="deny", reason="network_default", proto="UDP")


@case("case 63: a denied datagram is answered by administratively prohibited, IPv6", policy=DENY + SNAT)
def _(t):
    question = udp("fd00:1::3", 5000, "2001:db8:51::7", 53, b"question")
    t.inside(question, inside=says(1, 1, "fd00:1::3", question), drop="policy_denied")
    t.flow(action="deny", reason="network_default", proto="UDP")


@case("deny_action = drop is silence", policy=DENY + SNAT + '[defaults]\ndeny_action = "drop"\n')
def _(t):
    t.inside(tcp(A, 40000, S, 443), drop="policy_denied")
    t.inside(udp(A, 5000, S, 53, b"question"), drop="policy_denied")
    t.flow(action="deny", proto="TCP")
    t.flow(action="deny", proto="UDP")


@case("a denied ping is answered, an error or a reset never", policy=DENY + SNAT)
def _(t):
    ping = echo(A, S, 7)
    t.inside(ping, inside=says(3, 13, A, ping), drop="policy_denied")
    t.inside(tcp(A, 40001, S, 443, "R"), drop="no_flow_midstream")
    t.flow(action="deny", proto="ICMP")


@case("case 145: an empty policy denies everything", policy="")
def _(t):
    t.inside(tcp(A, 40000, S, 443, seq=1), inside=reset(S, 443, A, 40000, 0, 2), drop="policy_denied")
    t.flow(action="deny", reason="uncaptured")


@case("case 19: uncaptured = allow", policy=SNAT + '[defaults]\nuncaptured = "allow"\n')
def _(t):
    question = udp(A, 5000, S, 53, b"question")
    t.inside(question, outside=seen(question, src=E))
    t.flow(action="allow", reason="uncaptured")


TWO_SCOPES = """
[[namespace]]
name = "prod"
addresses = ["10.1.2.3/32"]
[[egress_network]]
namespace = "prod"
name = "local"
traffic_policy = "Deny"
networks = [ { cidr = "198.51.100.0/24", except = ["198.51.100.8/32"] } ]
""" + ALLOW + SNAT


@case("cases 2, 6 and 7: the local network first, its excepts and the rest by the global one", policy=TWO_SCOPES)
def _(t):
    t.inside(tcp(A, 40000, S, 443, seq=1), inside=reset(S, 443, A, 40000, 0, 2), drop="policy_denied")
    for source, destination, port in [(A, S2, 40001), (A, "192.0.2.1", 40002), (B, S, 40003)]:
        syn = tcp(source, port, destination, 443)
        t.inside(syn, outside=seen(syn, src=E))
    t.flow(dest_ip=S, src_ip=A, action="deny", network="prod/local", namespace="prod")
    t.flow(dest_ip=S2, action="allow", network="linkerd-egress/everything", namespace="prod")
    t.flow(dest_ip="192.0.2.1", action="allow", network="linkerd-egress/everything")
    t.flow(src_ip=B, action="allow", network="linkerd-egress/everything")


@case("a tcp_route opens its port alone", policy=DENY + SNAT + route("tcp_route", "database", 5432))
def _(t):
    syn = tcp(A, 40000, S, 5432)
    t.inside(syn, outside=seen(syn, src=E))
    t.inside(tcp(A, 40001, S, 5433, seq=1), inside=reset(S, 5433, A, 40001, 0, 2), drop="policy_denied")
    question = udp(A, 5000, S, 5432, b"no TCP")
    t.inside(question, inside=says(3, 13, A, question), drop="policy_denied")
    t.flow(dest_port=5432, proto="TCP", action="allow", reason="route", rule="linkerd-egress/database")
    t.flow(dest_port=5433, action="deny", reason="network_default")
    t.flow(proto="UDP", action="deny", reason="network_default")


@case("a route may deny under an Allow network", policy=ALLOW + SNAT + route("udp_route", "dns", 53, 'action = "deny"'))
def _(t):
    question = udp(A, 5000, S, 53, b"question")
    t.inside(question, inside=says(3, 13, A, question), drop="policy_denied")
    other = udp(A, 5000, S, 54, b"question")
    t.inside(other, outside=seen(other, src=E))
    t.flow(dest_port=53, action="deny", reason="route", rule="linkerd-egress/dns")
    t.flow(dest_port=54, action="allow", reason="network_default")


@case("an audited route decides nothing and is told", policy=ALLOW + SNAT + route("udp_route", "dns", 53, 'action = "audit"'))
def _(t):
    question = udp(A, 5000, S, 53, b"question")
    t.inside(question, outside=seen(question, src=E))
    t.flow(action="allow", reason="network_default", audited=True)


@case("an icmp_route lets pings through and nothing else", policy=DENY + SNAT + route("icmp_route", "ping"))
def _(t):
    ping = echo(A, S, 7)
    t.inside(ping, outside=seen(ping, src=E))
    t.inside(tcp(A, 40000, S, 443, seq=1), inside=reset(S, 443, A, 40000, 0, 2), drop="policy_denied")
    t.flow(proto="ICMP", action="allow", reason="route", rule="linkerd-egress/ping")
    t.flow(proto="TCP", action="deny")


ISOLATED = """
[[namespace]]
name = "prod"
[[workload]]
namespace = "prod"
name = "web"
addresses = ["10.1.2.3/32"]
[[network_policy]]
namespace = "prod"
name = "only-https"
pod_selector = {}
  [[network_policy.egress]]
  to = [ { ip_block = { cidr = "198.51.100.0/24" } } ]
  ports = [ { port = 443 } ]
""" + ALLOW + SNAT


@case("cases 33, 35 and 42: a network policy isolates the workloads it selects", policy=ISOLATED)
def _(t):
    good = tcp(A, 40000, S, 443)
    t.inside(good, outside=seen(good, src=E))
    t.inside(tcp(A, 40001, S, 80, seq=1), inside=reset(S, 80, A, 40001, 0, 2), drop="policy_denied")
    ping = echo(A, S, 7)
    t.inside(ping, inside=says(3, 13, A, ping), drop="policy_denied")
    other = tcp(B, 40002, S, 80)
    t.inside(other, outside=seen(other, src=E))
    t.flow(dest_port=443, action="allow", namespace="prod", workload="web")
    t.flow(src_ip=A, dest_port=80, action="deny", reason="network_policy", layer="network_policy")
    t.flow(proto="ICMP", action="deny", reason="network_policy")
    t.flow(src_ip=B, action="allow")


@case("case 39: answers to what is allowed come back, though no rule would allow them", policy=ISOLATED)
def _(t):
    talk = Talk(t, A, 40000, S, 443, E).open()
    talk.receive(b"an answer")
    talk.send(b"and on")
    talk.receive(b"another")
    t.outside(tcp(S, 443, E, 40001), drop="no_mapping")
    t.flow(src_ip=A, dest_port=443, action="allow")

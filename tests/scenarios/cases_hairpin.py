"""From inside to one of our egress addresses (nat.md 23; RFC 4787 REQ-9, RFC 5382 REQ-8, RFC 5508 REQ-7)."""

from cases_fragments import Joined, cut, WORDS
from cases_icmp import seen_error
from cases_mapping import DENY, EI, nat
from cases_policy import route
from cases_treatment import MARKED, classed
from crafted import echo, icmp_error, says, seen, tcp, udp
from wires import A, ALLOW, B, E, S, SNAT, both_families, case

OPEN = nat(filtering=EI, tcp_mapping=EI)


def mapped(t, host, port, server, egress):
    """The host has a mapping at its own port."""
    t.inside(question := udp(host, port, server, 53, b"question"), outside=seen(question, src=egress))


@both_families("N80 UDP hairpin: each side sees the other's outside address", config=OPEN)
def _(t, a, b, s, s2, e):
    mapped(t, a, 5000, s, e)
    mapped(t, b, 6000, s, e)
    for _ in range(3):
        t.inside(hello := udp(a, 5000, e, 6000, b"hello"), inside=seen(hello, src=e, dst=b))
        t.inside(answer := udp(b, 6000, e, 5000, b"answer"), inside=seen(answer, src=e, dst=a))
    t.flow(src_ip=a, dest_ip=s)
    t.flow(src_ip=b, dest_ip=s)
    t.flow(src_ip=a, dest_ip=e, dest_port=6000, nat_ip=e, nat_port=5000, pkts_toserver=3, pkts_toclient=3)
    t.flow(src_ip=b, dest_ip=e, dest_port=5000, nat_ip=e, nat_port=6000, pkts_toserver=3, pkts_toclient=3)


@both_families("N80 under the default filtering both sides have to send first: a hole is punched")
def _(t, a, b, s, s2, e):
    mapped(t, a, 5000, s, e)
    mapped(t, b, 6000, s, e)
    t.inside(udp(a, 5000, e, 6000, b"hello"), drop="hairpin_refused")
    t.inside(answer := udp(b, 6000, e, 5000, b"answer"), inside=seen(answer, src=e, dst=a))
    t.inside(hello := udp(a, 5000, e, 6000, b"hello"), inside=seen(hello, src=e, dst=b))


@both_families("N80 TCP hairpin", config=OPEN)
def _(t, a, b, s, s2, e):
    t.inside(syn := tcp(b, 6000, s, 443), outside=seen(syn, src=e))
    t.inside(syn := tcp(a, 5000, e, 6000, "S", 1000), inside=seen(syn, src=e, dst=b))
    t.inside(both := tcp(b, 6000, e, 5000, "SA", 7000, 1001), inside=seen(both, src=e, dst=a))
    t.inside(ack := tcp(a, 5000, e, 6000, "A", 1001, 7001), inside=seen(ack, src=e, dst=b))
    t.inside(data := tcp(a, 5000, e, 6000, "PA", 1001, 7001, b"hello"), inside=seen(data, src=e, dst=b))
    t.inside(data := tcp(b, 6000, e, 5000, "PA", 7001, 1006, b"answer"), inside=seen(data, src=e, dst=a))
    t.inside(end := tcp(a, 5000, e, 6000, "FA", 1006, 7007), inside=seen(end, src=e, dst=b))
    t.flow(src_ip=b, dest_ip=s)
    t.flow(src_ip=a, dest_ip=e, nat_ip=e)
    t.flow(src_ip=b, dest_ip=e, nat_ip=e)


@case("both open at once through a hairpin, with the default mapping")
def _(t):
    t.inside(tcp(A, 5000, E, 6000, "S", 1000), drop="hairpin_refused")
    t.inside(syn := tcp(B, 6000, E, 5000, "S", 7000), inside=seen(syn, src=E, dst=A))
    t.inside(both := tcp(A, 5000, E, 6000, "SA", 1000, 7001), inside=seen(both, src=E, dst=B))
    t.inside(both := tcp(B, 6000, E, 5000, "SA", 7000, 1001), inside=seen(both, src=E, dst=A))
    t.inside(data := tcp(A, 5000, E, 6000, "PA", 1001, 7001, b"hello"), inside=seen(data, src=E, dst=B))


@case("a hairpin to nobody, and pings, are refused and leave no flow")
def _(t):
    mapped(t, A, 5000, S, E)
    t.inside(udp(A, 5000, E, 6000, b"hello"), drop="hairpin_refused")
    t.inside(echo(A, E, 7), drop="hairpin_refused")
    t.flow(src_ip=A, dest_ip=S)


@case("a hairpin to oneself goes round once", config=OPEN)
def _(t):
    mapped(t, A, 5000, S, E)
    t.inside(hello := udp(A, 5000, E, 5000, b"hello"), inside=seen(hello, src=E, dst=A))


@case("a hairpin asks the policy about the destination on the wire", policy=DENY, config=OPEN)
def _(t):
    mapped(t, A, 5000, S, E)
    mapped(t, B, 6000, S, E)
    t.inside(hello := udp(A, 5000, E, 6000, b"hello"), inside=says(3, 13, A, hello), drop="policy_denied")


ONE_WAY = """
[[namespace]]
name = "prod"
[[workload]]
namespace = "prod"
name = "b"
addresses = ["10.1.2.4/32"]
[[network_policy]]
namespace = "prod"
name = "only-the-server"
pod_selector = {}
  [[network_policy.egress]]
  to = [ { ip_block = { cidr = "198.51.100.7/32" } } ]
""" + ALLOW + SNAT


@case("what its receiver might not open towards the sender is not delivered", policy=ONE_WAY, config=OPEN)
def _(t):
    mapped(t, A, 5000, S, E)
    mapped(t, B, 6000, S, E)
    t.inside(udp(A, 5000, E, 6000, b"hello"), drop="policy_denied")


PRIVATE = "10.255.0.1"  # an egress address inside cluster.networks: there is another translator behind


@case("N80 hairpin to an egress address that is one of the cluster's networks", config=OPEN,
      policy=ALLOW + f'[snat]\naddresses = ["{PRIVATE}"]\n')
def _(t):
    mapped(t, A, 5000, S, PRIVATE)
    mapped(t, B, 6000, S, PRIVATE)
    t.inside(hello := udp(A, 5000, PRIVATE, 6000, b"hello"), inside=seen(hello, src=PRIVATE, dst=B))
    t.inside(answer := udp(B, 6000, PRIVATE, 5000, b"answer"), inside=seen(answer, src=PRIVATE, dst=A))
    t.inside(other := udp(A, 5000, "10.255.0.2", 6000, b"to the cluster"), outside=seen(other))


@both_families("a hairpin is marked, and has the bandwidth, as its sender's egress says", config=OPEN,
               policy=MARKED + 'bandwidth = { rate = "80K", burst = "2400" }\n')
def _(t, a, b, s, s2, e):
    mapped(t, b, 6000, s, e)
    hello = udp(a, 5000, e, 6000, b"h" * (100 - (28 if ":" not in a else 48)))
    for _ in range(3):
        t.inside(hello, inside=classed(seen(hello, src=e, dst=b), 46 << 2))
    t.inside(hello, drop="bandwidth_exceeded")
    t.wait(0.01)
    t.inside(hello, inside=classed(seen(hello, src=e, dst=b), 46 << 2))


@case("a hairpin offers no multipath connection where names are read", config=OPEN,
      policy=ALLOW + SNAT + route("tls_route", "names", 6443, 'hostnames = ["httpbin.org"]'))
def _(t):
    t.inside(syn := tcp(B, 6443, S, 443), outside=seen(syn, src=E))
    syn = tcp(A, 5000, E, 6443, options=[(30, b"\1\1")])
    t.inside(syn, inside=seen(tcp(A, 5000, E, 6443, options=[(1, None)] * 4), src=E, dst=B))


@both_families("a hairpin is one hop", config=OPEN)
def _(t, a, b, s, s2, e):
    mapped(t, a, 5000, s, e)
    mapped(t, b, 6000, s, e)
    late = udp(a, 5000, e, 6000, b"traceroute", ttl=1)
    t.inside(late, inside=says(*((3, 0) if ":" in a else (11, 0)), a, late), drop="ttl_exceeded")
    t.inside(last := udp(a, 5000, e, 6000, b"traceroute", ttl=2), inside=seen(last, src=e, dst=b))


@both_families("N81 hairpin ICMP errors: both quotations are translated back", config=OPEN)
def _(t, a, b, s, s2, e):
    mapped(t, a, 5000, s, e)
    mapped(t, b, 6000, s, e)
    hello = udp(a, 5000, e, 6000, b"hello")
    t.inside(hello, inside=(delivered := seen(hello, src=e, dst=b)))
    kind, code = (1, 4) if ":" in a else (3, 3)
    t.inside(icmp_error(b, e, kind, code, delivered), inside=seen_error(icmp_error(e, a, kind, code, seen(hello))))
    answer = udp(b, 6000, e, 5000, b"answer")
    t.inside(answer, inside=(delivered := seen(answer, src=e, dst=a)))
    t.inside(icmp_error(a, e, kind, code, delivered), inside=seen_error(icmp_error(e, b, kind, code, seen(answer))))


@both_families("N80 a hairpin in fragments", config=OPEN)
def _(t, a, b, s, s2, e):
    mapped(t, a, 5000, s, e)
    mapped(t, b, 6000, s, e)
    large = udp(a, 5000, e, 6000, WORDS)
    parts = cut(large, 1000)
    for part in parts[:-1]:
        t.inside(part)
    t.inside(parts[-1], inside=Joined(seen(large, src=e, dst=b)).of(3))


@case("a refused connection through a hairpin is reset on both sides", config=OPEN)
def _(t):
    mapped(t, A, 5000, S, E)
    t.inside(syn := tcp(B, 6000, S, 443), outside=seen(syn, src=E))
    t.inside(syn := tcp(A, 5000, E, 6000, "S", 1000), inside=seen(syn, src=E, dst=B))
    t.inside(refused := tcp(B, 6000, E, 5000, "RA", 0, 1001), inside=seen(refused, src=E, dst=A))
    t.flow(src_ip=A, dest_ip=E, end="rst")
    t.flow(src_ip=B, dest_ip=E, end="rst")
    t.flow(src_ip=A, dest_ip=S)
    t.flow(src_ip=B, dest_ip=S)

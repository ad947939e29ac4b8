"""The cluster's overlay on the inside port (nat.md 25): VXLAN, Geneve, GRE, IP in IP. Pods' packets come in it and are policed
and translated, answers go back into it. RFC 7348, 8926, 2784, 2890, 2003, 4213, 2473, 6040."""

import struct

from cases_fragments import cut
from cases_requests import GET, get
from crafted import checksum, echo, fixed, icmp_error, ip, named, seen, tcp, udp
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw
from wires import A, A6, ALLOW, ANYTHING, B, E, E6, S, S6, SNAT, case

US, NODE, NODE2, STRANGER = "10.0.0.1", "10.0.0.7", "10.0.0.8", "10.0.0.99"
US6, NODE6 = "fd00::1", "fd00::7"
POD_MAC, OUR_MAC = "02:00:00:00:0a:03", "02:00:00:00:0a:fe"

CONFIG = """
[[port]]
name = "inside"
role = "inside"
device = "net_null0"
addresses = ["10.0.0.1/8", "fd00::1/16"]
[[port]]
name = "outside"
role = "outside"
device = "net_null1"
addresses = ["203.0.113.254/24", "2001:db8:113::fe/64"]
"""


def tunnel(kind, local=US, more=""):
    return f'[[tunnel]]\ntype = "{kind}"\nport_name = "inside"\nlocal = "{local}"\n{more}\n'


REMOTES = 'remotes = ["10.0.0.0/29", "10.0.0.8"]\n'
REMOTES6 = 'remotes = ["fd00::/64"]\n'


class Overlay:
    """One kind of tunnel: what goes around an inner packet, and how to look into one."""

    def __init__(self, name, config, local, node, protocol, ethernet, overhead):
        self.name, self.config, self.local, self.node = name, CONFIG + config, local, node
        self.protocol, self.ethernet, self.overhead = protocol, ethernet, overhead

    def header(self, vni):
        raise NotImplementedError

    def inner_frame(self, packet, source=POD_MAC, destination=OUR_MAC):
        return bytes(Ether(src=source, dst=destination) / packet) if self.ethernet else bytes(packet)

    def wrap(self, packet, node=None, vni=4096, sport=50000, **outer):
        """As the node sends it."""
        body = self.header(vni, packet) + self.inner_frame(packet)
        return self.outer(body, node or self.node, self.local, sport, packet, **outer)

    def outer(self, body, source, destination, sport, packet, **fields):
        if self.protocol == 17:
            return fixed(ip(source, destination, **fields) / UDP(sport=sport, dport=self.port) / Raw(body))
        number = self.protocol or (4 if isinstance(packet, IP) else 41)
        return fixed(ip(source, destination, **{"nh" if ":" in source else "proto": number}, **fields) / Raw(body))

    def wrapped(self, packet, node=None, vni=4096, pod=POD_MAC, ours=OUR_MAC, tos=0):
        """What has to leave for the node with this inside: the outer packet right to the bit, its source port any high one."""
        node = node or self.node

        def check(out):
            sport = out[UDP].sport if self.protocol == 17 and UDP in out else 0
            body = self.header(vni, packet) + self.inner_frame(packet, source=ours, destination=pod)
            fields = {"tc": tos} if ":" in node else {"tos": tos, "id": 0, "flags": "DF"}
            wanted = bytes(self.outer(body, self.local, node, sport, packet, **fields))
            if self.protocol == 17 and ":" not in node:  # RFC 7348: without a checksum
                wanted = wanted[:26] + b"\0\0" + wanted[28:]
            return bytes(out) == wanted and (self.protocol != 17 or sport >= 0xC000)
        return named(check, f"{self.name} to {node} with {packet.summary()} [{bytes(packet).hex()[:200]}]")


class Vxlan(Overlay):
    port = 4789

    def header(self, vni, packet=None):
        return bytes(VXLAN(flags="Instance", vni=vni))


class Geneve(Overlay):
    port = 6081

    def header(self, vni, packet=None):
        return struct.pack("!BBHI", 0, 0, 0x6558, vni << 8)


class Gre(Overlay):
    def header(self, vni, packet=None):
        kind = 0x6558 if self.ethernet else 0x0800 if isinstance(packet, IP) else 0x86DD
        return struct.pack("!HHI", 0x2000, kind, vni) if self.keyed else struct.pack("!HH", 0, kind)

    keyed = False


class KeyedGre(Gre):
    keyed = True


class IpInIp(Overlay):
    def header(self, vni, packet=None):
        return b""


VXLAN_CONFIG = tunnel("vxlan", more=REMOTES + "vni = [4096, 4097]")
OVERLAYS = [
    Vxlan("VXLAN", VXLAN_CONFIG, US, NODE, 17, True, 50),
    Vxlan("VXLAN over IPv6", tunnel("vxlan", US6, REMOTES6 + "vni = [4096]"), US6, NODE6, 17, True, 70),
    Geneve("Geneve", tunnel("geneve", more=REMOTES + "vni = [4096]"), US, NODE, 17, True, 50),
    Gre("GRE", tunnel("gre", more=REMOTES), US, NODE, 47, False, 24),
    Gre("GRE with Ethernet", tunnel("gre", more=REMOTES), US, NODE, 47, True, 38),
    KeyedGre("GRE with a key", tunnel("gre", more=REMOTES + "vni = [4096]"), US, NODE, 47, False, 28),
    Gre("GRE over IPv6", tunnel("gre", US6, REMOTES6), US6, NODE6, 47, False, 44),
    IpInIp("IP in IP", tunnel("ipip", more=REMOTES), US, NODE, 0, False, 20),
    IpInIp("IP in IPv6", tunnel("ipip", US6, REMOTES6), US6, NODE6, 0, False, 40),
]
VX = OVERLAYS[0]
DENY = ALLOW.replace('"Allow"', '"Deny"') + SNAT


def each_overlay(name, policy=ALLOW + SNAT):
    """The same through each kind of tunnel, for pods of either family."""
    def register(function):
        for o in OVERLAYS:
            for pod, server, egress in ((A, S, E), (A6, S6, E6)):
                family = 6 if ":" in pod else 4
                case(f"tunnel {o.name}: {name}, IPv{family} pods", policy, o.config)(
                    lambda t, o=o, pod=pod, server=server, egress=egress: function(t, o, pod, server, egress))
        return function
    return register


@each_overlay("out of it, translated, and back into it")
def _(t, o, pod, server, egress):
    question, answer = udp(pod, 5000, server, 53, b"question"), udp(server, 53, egress, 5000, b"answer")
    for _ in range(2):
        t.inside(o.wrap(question), outside=seen(question, src=egress))
        t.outside(answer, inside=o.wrapped(seen(answer, dst=pod)))
    t.inside(o.wrap(ping := echo(pod, server, 77)), outside=seen(ping, src=egress))
    t.outside(pong := echo(server, egress, 77, reply=True), inside=o.wrapped(seen(pong, dst=pod)))
    t.flow(src_ip=pod, nat_ip=egress, dest_port=53, pkts_toserver=2, pkts_toclient=2, bytes_toserver=2 * len(question) + 28)
    t.flow(src_ip=pod, nat_ip=egress, dest_port=0)


@each_overlay("a denied flow is answered in it", policy=DENY)
def _(t, o, pod, server, egress):
    syn = tcp(pod, 40000, server, 443, seq=1000)
    t.inside(o.wrap(syn), inside=answered_in(o, lambda p: TCP in p and p[TCP].flags == "RA" and p[TCP].ack == 1001), drop="policy_denied")
    t.inside(o.wrap(udp(pod, 5000, server, 53, b"q")), inside=answered_in(o, lambda p: is_error(p, (3, 13), (1, 1))), drop="policy_denied")
    t.inside(o.wrap(syn), inside=answered_in(o, lambda p: TCP in p and p[TCP].flags == "RA"), drop="flow_denied")


@each_overlay("the inner MTU counts: too big, and the segment size")
def _(t, o, pod, server, egress):
    mtu, headers = 1500 - o.overhead, 60 if ":" in pod else 40
    syn = tcp(pod, 40000, server, 443, options=[("MSS", 9000)])
    t.inside(o.wrap(syn), outside=seen(tcp(pod, 40000, server, 443, options=[("MSS", mtu - headers)]), src=egress))
    both = tcp(server, 443, egress, 40000, "SA", 5000, 1001, options=[("MSS", 9000)])
    smaller = tcp(server, 443, egress, 40000, "SA", 5000, 1001, options=[("MSS", mtu - headers)])
    t.outside(both, inside=o.wrapped(seen(smaller, dst=pod)))
    largest = tcp(server, 443, egress, 40000, "A", 5001, 1001, b"x" * (mtu - headers))
    t.outside(largest, inside=o.wrapped(seen(largest, dst=pod)))


def is_error(packet, v4, v6):
    kind, code = v6 if IPv6 in packet else v4
    body = bytes(packet.payload)
    return packet.payload.name.startswith("ICMP") and tuple(body[:2]) == (kind, code)


def answered_in(o, good):
    """A packet of the gateway's own in the overlay."""
    def check(out):
        body = bytes(out.payload)[8:] if o.protocol == 17 else bytes(out.payload)
        body = body[len(o.header(4096, IP()) if not o.ethernet else o.header(4096)):]
        if o.ethernet:
            frame = Ether(body)
            return (frame.src, frame.dst) == (OUR_MAC, POD_MAC) and out.dst == o.node and good(frame.payload)
        return out.dst == o.node and good((IPv6 if body[0] >> 4 == 6 else IP)(body))
    return named(check, f"an answer of the gateway in {o.name}")


@case("tunnel: answers that are too large are told, or cut", config=VX.config)
def _(t):
    t.inside(VX.wrap(question := echo(A, S, 77)), outside=seen(question, src=E))
    told = named(lambda p: is_error(p, (3, 4), (2, 0)) and p.dst == S and struct.unpack("!H", bytes(p.payload)[6:8])[0] == 1450,
                 "fragmentation needed, 1450, to the server")
    t.outside(echo(S, E, 77, reply=True, payload=b"x" * 1440, flags="DF"), outside=told, drop="too_big")

    def piece(out):
        inner = Ether(bytes(out[UDP].payload)[8:]).payload
        return inner.len <= 1450 and inner.dst == A and out.len <= 1500 and "DF" in out.flags
    t.outside(echo(S, E, 77, reply=True, payload=b"x" * 1440), inside=[named(piece, "a piece in the tunnel")] * 2)


@case("tunnel: inner fragments are put together and go on", config=VX.config)
def _(t):
    question = udp(A, 5000, S, 53, b"question" * 180, id=7)
    first, second = cut(question, 800)
    t.inside(VX.wrap(second))
    t.inside(VX.wrap(first), outside=[named(lambda p: p.src == E and p.frag == 0, "the first piece"),
                                      named(lambda p: p.src == E and p.frag != 0, "the second")])


@case("tunnel: inner fragments of another network, of another node or outside of it finish nothing", config=VX.config)
def _(t):
    question, forged = (udp(A, 5000, S, 53, words * 180, id=7) for words in (b"question", b"forgery!"))
    first, second = cut(question, 800)
    other = cut(forged, 800)[1]
    t.inside(VX.wrap(other, vni=4097))
    t.inside(VX.wrap(other, node=NODE2))
    t.inside(other)
    t.inside(VX.wrap(first))
    t.inside(VX.wrap(second), outside=[named(lambda p: p.src == E and p.frag == 0, "the first piece"),
                                       named(lambda p: p.frag != 0 and b"forgery!" not in bytes(p), "the second")])
    t.wait(3)
    t.drop(fragment_timeout=3)


@case("tunnel: on a VLAN port, a request whose head comes in pieces", policy=GET,
      config=VX.config.replace('role = "inside"', 'role = "inside"\nvlan = 100', 1))
def _(t):
    def in_vlan(packet):
        return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1Q(vlan=100) / VX.wrap(packet)

    def segment(flags, seq, payload=b""):
        return tcp(A, 40000, S, 80, flags, seq, 5001 if "A" in flags else 0, payload)
    syn, head = segment("S", 1000), get("/get")
    first, second = segment("PA", 1001, head[:20]), segment("PA", 1021, head[20:])
    t.inside(in_vlan(syn), outside=seen(syn, src=E))
    t.outside(tcp(S, 80, E, 40000, "SA", 5000, 1001), inside=ANYTHING)
    t.inside(in_vlan(first))
    t.inside(in_vlan(second), outside=[seen(first, src=E), seen(second, src=E)])


@case("tunnel: an ICMP error from outside goes into it", config=VX.config)
def _(t):
    question = udp(A, 5000, S, 53, b"question")
    t.inside(VX.wrap(question), outside=seen(question, src=E))
    router = "198.51.100.254"
    error = icmp_error(router, E, 3, 1, seen(question, src=E))
    expected = icmp_error(router, A, 3, 1, seen(question), ttl=63)
    t.outside(error, inside=VX.wrapped(expected))


@case("tunnel: the pod moves to another node, and its answers with it", config=VX.config)
def _(t):
    question, answer = udp(A, 5000, S, 53, b"q"), udp(S, 53, E, 5000, b"a")
    t.inside(VX.wrap(question), outside=seen(question, src=E))
    t.inside(VX.wrap(question, node=NODE2), outside=seen(question, src=E))
    t.outside(answer, inside=VX.wrapped(seen(answer, dst=A), node=NODE2))


@case("tunnel: a flow of one network is not another's", config=VX.config)
def _(t):
    question, answer = udp(A, 5000, S, 53, b"q"), udp(S, 53, E, 5000, b"a")
    t.inside(VX.wrap(question), outside=seen(question, src=E))
    t.inside(VX.wrap(question, vni=4097), drop="tunnel_conflict")
    t.inside(question, drop="tunnel_conflict")
    t.outside(answer, inside=VX.wrapped(seen(answer, dst=A)))
    t.inside(other := udp(B, 5000, S, 53, b"q"), outside=named(lambda p: p.src == E and p[UDP].sport != 5000, "another port"))
    t.inside(VX.wrap(other), drop="tunnel_conflict")


@case("tunnel: what is not for it ends under its reason", config=VX.config)
def _(t):
    question = udp(A, 5000, S, 53, b"q")
    t.inside(VX.wrap(question, vni=5), drop="tunnel_unknown_network")
    t.inside(VX.wrap(question, node=STRANGER), drop="tunnel_unknown_remote")
    t.inside(udp(NODE, 50000, US, 4789, b"\x08\0\0"), drop="tunnel_malformed")
    t.inside(udp(NODE, 50000, US, 4789, b"\0" * 60), drop="tunnel_malformed")
    t.inside(udp(NODE, 50000, US, 4789, VX.header(4096) + b"\0" * 10), drop="tunnel_malformed")
    t.inside(udp(NODE, 50000, US, 4789, VX.header(4096) + b"\0" * 14), drop="not_ip")
    t.inside(udp(NODE, 50000, US, 4789, VX.header(4096) + VX.inner_frame(question)[:30]), drop="frame_truncated")
    broken = VX.wrap(question)
    broken[UDP].chksum ^= 0x0100
    t.inside(broken, drop="tunnel_bad_checksum")
    bare = VX.wrap(question)
    bare[UDP].chksum = 0
    t.inside(bare, outside=seen(question, src=E))
    tagged = Ether(src=POD_MAC, dst=OUR_MAC, type=0x8100) / Raw(struct.pack("!HH", 5, 0x0800) + bytes(question))
    t.inside(udp(NODE, 50000, US, 4789, VX.header(4096) + bytes(tagged)), drop="wrong_vlan")


@case("tunnel: fragments of the outer packet are not put together for it", config=VX.config)
def _(t):
    whole = VX.wrap(udp(A, 5000, S, 53, b"q" * 1000), id=9)
    first, second = cut(whole, 600)
    t.inside(first)
    t.inside(second)
    t.drop(tunnel_fragmented=2)


@case("tunnel Geneve: options are skipped, critical ones and control packets refused", config=OVERLAYS[2].config)
def _(t):
    o, question = OVERLAYS[2], udp(A, 5000, S, 53, b"q")

    def geneve(flags, options=b"", version=0):
        head = struct.pack("!BBHI", version << 6 | len(options) // 4, flags, 0x6558, 4096 << 8)
        return udp(NODE, 50000, US, 6081, head + options + o.inner_frame(question))
    option = struct.pack("!HBB", 0x0102, 0x01, 1) + b"data"
    t.inside(geneve(0, option), outside=seen(question, src=E))
    t.inside(geneve(0x40, option), drop="tunnel_malformed")
    t.inside(geneve(0x80), drop="tunnel_malformed")
    t.inside(geneve(0, version=1), drop="tunnel_malformed")
    bare = udp(NODE, 50000, US, 6081, struct.pack("!BBHI", 0, 0, 0x0800, 4096 << 8) + bytes(question))
    t.inside(bare, outside=seen(question, src=E))


@case("tunnel GRE: checksum and sequence number are read, source routes and other versions refused", config=OVERLAYS[3].config)
def _(t):
    question = udp(A, 5000, S, 53, b"q")

    def gre(flags, more=b"", kind=0x0800):
        return fixed(ip(NODE, US, proto=47) / Raw(struct.pack("!HH", flags, kind) + more + bytes(question)))
    t.inside(gre(0x1000, b"\0\0\0\1"), outside=seen(question, src=E))
    value = checksum(struct.pack("!HHHH", 0x8000, 0x0800, 0, 0) + bytes(question))
    t.inside(gre(0x8000, struct.pack("!HH", value, 0)), outside=seen(question, src=E))
    t.inside(gre(0x8000, struct.pack("!HH", value ^ 1, 0)), drop="tunnel_bad_checksum")
    t.inside(gre(0x4000, b"\0\0\0\0"), drop="tunnel_malformed")
    t.inside(gre(0x0001), drop="tunnel_malformed")
    t.inside(gre(0x2000, struct.pack("!I", 4096)), drop="tunnel_unknown_network")
    t.inside(gre(0, kind=0x880B), drop="not_ip")


@case("tunnel: congestion that the underlay marks is told inside (RFC 6040), DSCP and ECN go out with an answer", config=VX.config)
def _(t):
    capable, not_capable = udp(A, 5000, S, 53, b"q", tos=2), udp(A, 5000, S, 53, b"q")
    t.inside(VX.wrap(capable, tos=3), outside=seen(udp(A, 5000, S, 53, b"q", tos=3), src=E))
    t.inside(VX.wrap(capable, tos=1), outside=seen(udp(A, 5000, S, 53, b"q", tos=1), src=E))
    t.inside(VX.wrap(not_capable, tos=3), drop="tunnel_congested")
    t.inside(VX.wrap(not_capable, tos=2), outside=seen(not_capable, src=E))
    answer = udp(S, 53, E, 5000, b"a", tos=0xB9)
    t.outside(answer, inside=VX.wrapped(seen(answer, dst=A), tos=0xB9))


@case("tunnel: what is for the gateway itself is not handed on", config=VX.config)
def _(t):
    asked = Ether(src=POD_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=POD_MAC, psrc=A, pdst="10.0.0.1")
    t.inside(udp(NODE, 50000, US, 4789, VX.header(4096) + bytes(asked)), drop="tunnel_to_gateway")


@case("tunnel: time exceeded and source check are those of an inside packet", config=VX.config)
def _(t):
    late = udp(A, 5000, S, 33434, b"q", ttl=1)
    t.inside(VX.wrap(late), inside=answered_in(VX, lambda p: is_error(p, (11, 0), (3, 0))), drop="ttl_exceeded")
    t.inside(VX.wrap(udp("172.20.0.1", 5000, S, 53, b"q")), drop="source_check")

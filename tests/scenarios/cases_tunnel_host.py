"""The gateway's own addresses inside a tunnel (nat.md 25): what asks for them by ARP and neighbour discovery is answered, so that
the kernel of a node needs no static neighbour, and so is ping. RFC 826, 4861, 792, 4443."""

from cases_fragments import cut
from cases_tunnels import NODE, OVERLAYS, POD_MAC, US, VX
from crafted import echo, fixed, seen, tcp, udp
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from wires import A, A6, E, S, case

GATE, GATE6 = "10.244.0.1", "fd00:244::1"
CONFIG = VX.config.replace('local = "10.0.0.1"', f'local = "10.0.0.1"\naddresses = ["{GATE}", "{GATE6}"]')
PORT_MAC = "00:00:00:00:00:00"  # replay's ports have none
EVERYBODY = "ff:ff:ff:ff:ff:ff"


def asked(frame):
    """A whole inner frame, as the node sends it."""
    return udp(NODE, 50000, US, 4789, VX.header(4096) + bytes(frame))


def who_has(target, **fields):
    return asked(Ether(src=POD_MAC, dst=EVERYBODY) / ARP(hwsrc=POD_MAC, psrc=A, pdst=target, **fields))


def solicitation(target, source=A6, hlim=255):
    to = "ff02::1:ff00:" + target.rsplit(":", 1)[1]
    return fixed(IPv6(src=source, dst=to, hlim=hlim) / ICMPv6ND_NS(tgt=target)
                 / (ICMPv6NDOptSrcLLAddr(lladdr=POD_MAC) if source != "::" else b""))


def solicited(packet):
    return asked(Ether(src=POD_MAC, dst="33:33:ff:00:00:01") / packet)


def advertisement(to, solicited_flag):
    return fixed(IPv6(src=GATE6, dst=to, hlim=255) / ICMPv6ND_NA(R=1, S=solicited_flag, O=1, tgt=GATE6)
                 / ICMPv6NDOptDstLLAddr(lladdr=PORT_MAC))


@case("tunnel host: ARP for its address is answered", config=CONFIG)
def _(t):
    answer = ARP(op=2, hwsrc=PORT_MAC, psrc=GATE, hwdst=POD_MAC, pdst=A)
    t.inside(who_has(GATE), inside=VX.wrapped(answer, ours=PORT_MAC), drop="tunnel_to_gateway")
    # Of an address that somebody wants to take (RFC 5227): the answer says that it is taken.
    probe = asked(Ether(src=POD_MAC, dst=EVERYBODY) / ARP(hwsrc=POD_MAC, psrc="0.0.0.0", pdst=GATE))
    t.inside(probe, inside=VX.wrapped(ARP(op=2, hwsrc=PORT_MAC, psrc=GATE, hwdst=POD_MAC, pdst="0.0.0.0"), ours=PORT_MAC),
             drop="tunnel_to_gateway")


@case("tunnel host: other ARP is not", config=CONFIG)
def _(t):
    right = bytes(Ether(src=POD_MAC, dst=EVERYBODY) / ARP(hwsrc=POD_MAC, psrc=A, pdst=GATE))
    of_another_protocol = right[:16] + b"\x86\xdd" + right[18:]
    for packet in (who_has("10.244.0.2"), who_has(GATE, op=2), who_has(GATE, hwtype=6), asked(of_another_protocol),
                   asked(right[:-1])):
        t.inside(packet, drop="tunnel_to_gateway")


@case("tunnel host: a solicitation of its address is answered", config=CONFIG)
def _(t):
    t.inside(solicited(solicitation(GATE6)), inside=VX.wrapped(advertisement(A6, 1), ours=PORT_MAC), drop="tunnel_to_gateway")
    t.inside(solicited(solicitation(GATE6, source="::")),
             inside=VX.wrapped(advertisement("ff02::1", 0), pod="33:33:00:00:00:01", ours=PORT_MAC), drop="tunnel_to_gateway")


@case("tunnel host: other neighbour discovery is not", config=CONFIG)
def _(t):
    for packet in (solicitation("fd00:244::2"), solicitation(GATE6, hlim=254), advertisement(A6, 1)):
        t.inside(solicited(packet), drop="tunnel_to_gateway")


@case("tunnel host: it answers ping, and takes nothing else", config=CONFIG)
def _(t):
    for client, gate in ((A, GATE), (A6, GATE6)):
        t.inside(VX.wrap(echo(client, gate, 77)), inside=VX.wrapped(echo(gate, client, 77, reply=True, ttl=64)),
                 drop="tunnel_to_gateway")
        t.inside(VX.wrap(udp(client, 5000, gate, 53, b"q")), drop="tunnel_to_gateway")
        t.inside(VX.wrap(tcp(client, 40000, gate, 443)), drop="tunnel_to_gateway")
    pieces = cut(echo(A, GATE, 78, payload=b"x" * 2000), 1000)
    for piece in pieces:
        t.inside(VX.wrap(piece))
    t.drop(tunnel_to_gateway=len(pieces))


@case("tunnel host: ping without Ethernet", config=OVERLAYS[3].config.replace('local = "10.0.0.1"',
                                                                             f'local = "10.0.0.1"\naddresses = ["{GATE}"]'))
def _(t):
    gre = OVERLAYS[3]
    t.inside(gre.wrap(echo(A, GATE, 77)), inside=gre.wrapped(echo(GATE, A, 77, reply=True, ttl=64)), drop="tunnel_to_gateway")


@case("tunnel host: what passes through is not for it", config=CONFIG)
def _(t):
    t.inside(VX.wrap(question := udp(A, 5000, S, 53, b"q")), outside=seen(question, src=E))

"""What the headers of a datagram's pieces say (nat.md 18; RFC 3168, 6946, 7112, 8200)."""

from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN
from scapy.packet import Raw
from crafted import fixed, udp
from wires import A6, S6, case


def pieces6(header, transport, size):
    """An IPv6 packet whose fragmentable part begins with that extension header, in fragments of `size` bytes and the rest."""
    whole = fixed(IPv6(src=A6, dst=S6) / IPv6ExtHdrFragment(id=9) / header / transport)
    kind, body = whole[IPv6ExtHdrFragment].nh, bytes(whole[IPv6ExtHdrFragment].payload)
    return [fixed(IPv6(src=A6, dst=S6) / IPv6ExtHdrFragment(nh=kind, id=9, m=more, offset=at // 8) / Raw(part))
            for at, more, part in ((0, 1, body[:size]), (size, 0, body[size:]))]


def options():
    """Eight bytes of them."""
    return [PadN(optdata=b"\0" * 4)]


@case("N74 hop-by-hop options behind the fragment header (RFC 8200 section 4.1)")
def _(t):
    first, second = pieces6(IPv6ExtHdrHopByHop(options=options()), udp(A6, 5000, S6, 53, b"x" * 64)[UDP], 40)
    t.inside(second)
    t.inside(first, drop="ip6_bad_extension")
    t.wait(3)
    t.drop(fragment_timeout=1)

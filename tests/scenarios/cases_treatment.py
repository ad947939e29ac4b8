"""How an egress's packets leave: bandwidth, DSCP (policy.md section 4; cases 134 and 135)."""

from crafted import echo, seen, tcp, udp
from scapy.layers.inet import IP
from wires import ALLOW, SNAT, both_families

EGRESS = """
[[egress]]
name = "web"
sources = ["10.1.2.3/32", "fd00:1::3/128"]
egress_ips = ["203.0.113.1", "2001:db8:113::1"]
"""
MARKED = ALLOW + SNAT + EGRESS + "dscp = 46\n"
LIMITED = ALLOW + SNAT + EGRESS + 'bandwidth = { rate = "80K", burst = "24K" }\n'


def classed(packet, value):
    """The packet with another TOS or traffic class, its header checksum right."""
    changed = packet.copy()
    if IP not in changed:
        changed.tc = value
        return changed
    changed.tos = value
    del changed[IP].chksum
    return changed.__class__(bytes(changed))


@both_families("case 135 without a DSCP nothing is changed")
def _(t, a, b, s, s2, e):
    t.inside(marked := classed(udp(a, 5000, s, 53, b"q"), 0xB9), outside=seen(marked, src=e))


@both_families("case 135 DSCP: ECN stays, and so do answers and other egresses", policy=MARKED)
def _(t, a, b, s, s2, e):
    for before in (0x00, 0x02, 0x28 | 1, 0xFF):
        for question in (udp(a, 5000, s, 53, b"q"), tcp(a, 40000 + before, s, 443), echo(a, s, 77)):
            sent = classed(question, before)
            t.inside(sent, outside=classed(seen(sent, src=e), 46 << 2 | before & 3))
    t.outside(answer := classed(udp(s, 53, e, 5000, b"a"), 0x28), inside=seen(answer, dst=a))
    t.inside(other := classed(udp(b, 6000, s, 53, b"q"), 0x28), outside=seen(other, src=e))


@both_families("case 134 bandwidth: the burst, then the rate, each direction its own", policy=LIMITED)
def _(t, a, b, s, s2, e):
    size = 1000 - (28 if ":" not in a else 48)  # 8000 bits of IP, a tenth of a second
    question, answer = udp(a, 5000, s, 53, b"q" * size), udp(s, 53, e, 5000, b"a" * size)
    for _ in range(3):
        t.inside(question, outside=seen(question, src=e))
    t.inside(question, drop="bandwidth_exceeded")
    for _ in range(3):
        t.outside(answer, inside=seen(answer, dst=a))
    t.outside(answer, drop="bandwidth_exceeded")
    for _ in range(5):
        t.wait(0.1)
        t.inside(question, outside=seen(question, src=e))
        t.inside(question, drop="bandwidth_exceeded")
    t.inside(other := udp(b, 6000, s, 53, b"q" * size), outside=seen(other, src=e))
    t.wait(0.3)
    t.inside(question, outside=seen(question, src=e))

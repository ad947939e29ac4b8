"""QinQ (nat.md 26; IEEE 802.1ad): the provider's tag in front of the network's own, on packets that pass, on answers, on pieces,
and on all that the gateway says itself."""

from cases_fragments import Joined, cut
from cases_names import BAD, DENIED, NAMES
from cases_nat import CONFIG
from cases_policy import DENY
from cases_requests import GET, get, refused
from crafted import echo, icmp_error, named, says, seen, udp
from scapy.layers.inet import ICMP
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Packet
from talk import Talk
from wires import A, E, S, SNAT, both_families, case

LINK = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
SERVICE, CUSTOMER = 100, 7


class Tagged:
    """A scenario all of whose packets have both tags, going in and coming out."""

    def __init__(self, t):
        self.t = t
        self.flow = t.flow

    def inside(self, packet, inside=None, outside=None, drop=None):
        self.t.inside(self.frame(packet), inside=in_tags(inside), outside=in_tags(outside), drop=drop)

    def outside(self, packet, inside=None, outside=None, drop=None):
        self.t.outside(self.frame(packet), inside=in_tags(inside), outside=in_tags(outside), drop=drop)

    @staticmethod
    def frame(packet):
        return LINK / Dot1AD(vlan=SERVICE, prio=3) / Dot1Q(vlan=CUSTOMER) / packet


def in_tags(expected):
    if expected is None or isinstance(expected, list):
        return [in_tags(one) for one in expected or []]

    def check(packet):
        tagged = isinstance(packet, Dot1AD) and packet.vlan == SERVICE and packet[Dot1Q].vlan == CUSTOMER
        if not tagged:
            return False
        inner = packet[Dot1Q].payload
        return bytes(expected) == bytes(inner) if isinstance(expected, Packet) else expected(inner)
    return named(check, "in both tags: " + (expected.summary() if isinstance(expected, Packet) else expected.__doc__))


@both_families("QinQ: both tags are there on the way out and back")
def _(t, a, b, s, s2, e):
    t = Tagged(t)
    t.inside(question := udp(a, 5000, s, 53, b"question"), outside=seen(question, src=e))
    t.outside(answer := udp(s, 53, e, 5000, b"answer"), inside=seen(answer, dst=a))
    t.inside(ping := echo(a, s, 77), outside=seen(ping, src=e))
    t.outside(pong := echo(s, e, 77, reply=True), inside=seen(pong, dst=a))
    talk = Talk(t, a, 40000, s, 443, e).open()
    talk.send(b"hello")
    talk.receive(b"hello")
    talk.close()


@both_families("QinQ: fragments are put together in their tags and cut in them again")
def _(t, a, b, s, s2, e):
    t = Tagged(t)
    question = udp(a, 5000, s, 53, bytes(range(256)) * 8)
    first, second, third = cut(question, 1000)
    t.inside(third)
    t.inside(first)
    t.inside(second, outside=Joined(seen(question, src=e)).of(3))


@both_families("QinQ: ICMP errors of the gateway")
def _(t, a, b, s, s2, e):
    v6 = ":" in a
    late = udp(a, 5000, s, 33434, b"late", ttl=1)
    Tagged(t).inside(late, inside=says(3 if v6 else 11, 0, a, late), drop="ttl_exceeded")


@both_families("QinQ: administratively prohibited", policy=DENY + SNAT)
def _(t, a, b, s, s2, e):
    code = (1, 1) if ":" in a else (3, 13)
    t = Tagged(t)
    t.inside(question := udp(a, 5000, s, 53, b"question"), inside=says(*code, a, question), drop="policy_denied")
    refused_ping = echo(a, s, 77)
    t.inside(refused_ping, inside=says(*code, a, refused_ping), drop="policy_denied")


@case("QinQ: an error of somebody else reaches the client in its tags")
def _(t):
    t = Tagged(t)
    t.inside(question := udp(A, 5000, S, 53, b"question"), outside=seen(question, src=E))
    sent = seen(question, src=E)
    t.outside(icmp_error("192.0.2.1", E, 3, 3, sent),
              inside=named(lambda p: p.dst == A and ICMP in p and p[ICMP].type == 3, "port unreachable for the client"))


@both_families("QinQ: a reset by name goes both ways in its tags", policy=NAMES)
def _(t, a, b, s, s2, e):
    talk = Talk(Tagged(t), a, 40000, s, 443, e).open()
    talk.send(BAD, inside=talk.reset_to_client(len(BAD)), outside=talk.reset_to_server(), drop="hello_denied")
    t.flow(**DENIED)


@both_families("QinQ: the page of 403", policy=GET)
def _(t, a, b, s, s2, e):
    refused(Talk(Tagged(t), a, 40000, s, 80, e).open(), get("/ip"))


TAGGED_PORTS = CONFIG.replace('role = "inside"', f'role = "inside"\nvlan = {CUSTOMER}\nservice_vlan = {SERVICE}').replace(
    'role = "outside"', f'role = "outside"\nvlan = {CUSTOMER}\nservice_vlan = {SERVICE}')


@case("QinQ: a port carries its two tags and no others", config=TAGGED_PORTS)
def _(t):
    question = udp(A, 5000, S, 53, b"question")
    for tags in (None, Dot1Q(vlan=CUSTOMER), Dot1AD(vlan=SERVICE), Dot1AD(vlan=SERVICE) / Dot1Q(vlan=CUSTOMER + 1),
                 Dot1AD(vlan=SERVICE + 1) / Dot1Q(vlan=CUSTOMER), Dot1AD(vlan=CUSTOMER) / Dot1Q(vlan=SERVICE),
                 Dot1AD(vlan=SERVICE) / Dot1Q(vlan=CUSTOMER) / Dot1Q(vlan=CUSTOMER)):
        t.inside(LINK / tags / question if tags else LINK / question, drop="wrong_vlan")
    t.inside(Tagged.frame(question), outside=in_tags(seen(question, src=E)))
    t.outside(Tagged.frame(answer := udp(S, 53, E, 5000, b"answer")), inside=in_tags(seen(answer, dst=A)))

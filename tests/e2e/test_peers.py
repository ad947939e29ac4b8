"""Programs of Debian that know nothing of a gateway agree with it, over both families: ping, tracepath, nc, an SCTP stack and
the STUN client. The narrow link of 1400 bytes is behind the next hop, at the gateway's outside port, or at its inside port.
"""

import json
import pathlib
import re
import socket
import time

import cases
import namespaces
from cases import EGRESS, GatewayCase
from servers import IPERF_PORT, PEERS, PYTHON
from world import GATEWAY_INSIDE, NEXT_HOP, SECOND_SERVER, SERVER, SERVER_WIRE

MTU = 1400
FITS = (MTU - 28, MTU - 48)  # bytes of an echo request's payload that fill the link
NARROW = f"mtu = {MTU}"
NC_PORT = 7010
SCTP_STACK = pathlib.Path("/usr/lib/usrsctp")
STUN_PORT = 3478


class Peers(GatewayCase):
    def setUp(self):
        self.client = cases.world.pods["web"]
        for host in (self.client, cases.world.server):  # what earlier tests found out of paths
            for family in ("-4", "-6"):
                host.ip(family, "route", "flush", "cache")

    def serve(self, command):
        """Until the test is over."""
        server = cases.world.server.start(command, stdout=cases.servers.log, stderr=cases.servers.log)
        self.addCleanup(namespaces.stop, server)
        return server

    def ping(self, address, payload, cut="dont", count=1):
        """What ping says of requests with so much payload, which must not be cut ("do"), or may be anywhere ("dont")."""
        done = self.client.run(["ping", "-n", "-c", count, "-i", "0.1", "-W", "1", "-s", payload, "-M", cut, address], check=False)
        return done.stdout + done.stderr

    def assert_pings_of_any_size(self):
        """Whole, in two pieces and in many."""
        for address, fits in zip(SERVER, FITS):
            self.learn_path(address)
            for payload in (fits, fits + 1, 1452, 1453, 1472, 1473, 4000, 8000):
                self.assertIn(" 0% packet loss", self.ping(address, payload), (address, payload))

    def learn_path(self, address):
        """Over IPv6 both ends cut, and learn where from a packet that is lost."""
        if ":" in address:
            self.ping(address, 1450, count=3)

    def assert_datagrams_of_8_kilobytes(self):
        for address, source in zip(SERVER, EGRESS["web"]):
            self.learn_path(address)
            answer = self.ask_udp("web", address, text="x" * 8000).split(" ")
            self.assertEqual((answer[0], len(answer[-1])), (source, 8000))


def narrow(case, host, device):
    """Until the class is over."""
    host.ip("link", "set", device, "mtu", MTU)
    case.addClassCleanup(host.ip, "link", "set", device, "mtu", 1500)


class NarrowWayOut:
    tellers = ()  # who says that it gets narrow

    def test_pings_up_to_the_mtu_and_no_further(self):
        for address, teller, fits in zip(SERVER, self.tellers, FITS):
            self.assertIn(" 0% packet loss", self.ping(address, fits, "do"))
            said = self.ping(address, fits + 1, "do", count=2)
            self.assertRegex(said, rf"From {teller} .*(DF set \(mtu = {MTU}\)|too big: mtu={MTU})")
            self.assertRegex(said, rf"local error: message too long, mtu[=:] ?{MTU}")  # the second one: it has learnt

    def test_pings_in_pieces(self):
        self.assert_pings_of_any_size()

    def test_datagrams_in_pieces(self):
        self.assert_datagrams_of_8_kilobytes()

    def test_tracepath_finds_the_mtu_and_shows_the_gateway(self):
        for address, gateway, next_hop in zip(SERVER, GATEWAY_INSIDE, NEXT_HOP):
            said = self.client.run(["tracepath", "-n", "-m", "5", address]).stdout
            hops = dict(re.findall(r"^ *(\d+): +(\S+) ", said, re.MULTILINE))
            self.assertEqual((hops["1"], hops["2"], hops["3"]), (gateway, next_hop, address), said)
            self.assertIn(f"Resume: pmtu {MTU} hops 3 back 3", said)


class PeersNarrowBackbone(NarrowWayOut, Peers):
    tellers = NEXT_HOP
    workers = 2

    @classmethod
    def setUpClass(cls):
        narrow(cls, cases.world.internet, "backbone")
        narrow(cls, cases.world.server, "eth0")
        super().setUpClass()


class PeersNarrowOutside(NarrowWayOut, Peers):
    tellers = GATEWAY_INSIDE
    port_more = ("", NARROW)

    @classmethod
    def setUpClass(cls):
        narrow(cls, cases.world.internet, "customer")
        super().setUpClass()


class PeersNarrowInside(Peers):
    """The servers know nothing of it: their answers are cut, or they are told."""

    port_more = (NARROW, "")

    @classmethod
    def setUpClass(cls):
        narrow(cls, cases.world.pods["web"], "eth0")
        super().setUpClass()

    def test_pings_in_pieces(self):
        self.assert_pings_of_any_size()

    def test_datagrams_in_pieces(self):
        self.assert_datagrams_of_8_kilobytes()

    def test_the_server_learns_what_its_answers_may_measure(self):
        for address, source in zip(SERVER, EGRESS["web"]):
            answer = self.ask_udp("web", address, text="x" * 1400)  # may not be cut on the way back; asked again until it fits
            self.assertEqual(len(answer.split(" ")[-1]), 1400)
            self.assertIn(f"mtu {MTU}", cases.world.server.run(["ip", "route", "get", source]).stdout)


class PeersOfTransports(Peers):
    def test_half_closed_connections(self):
        """nc ends its side before the server says a word, and hears all of the answer."""
        server = self.serve([PYTHON, PEERS / "answer_at_end.py", NC_PORT, 20_000])
        cases.servers.wait_listening(NC_PORT)
        answer = "9 bytes\n" + "".join(f"{number}\n" for number in range(20_000))
        for address in SERVER:
            said = self.client.run(["sh", "-c", f"echo question | timeout 20 nc -N {address} {NC_PORT}"]).stdout
            self.assertEqual(said, answer)
        self.assertIsNone(server.poll())

    def test_sctp(self):
        """iperf3 where the kernel speaks SCTP; else a stack of its own, FreeBSD's."""
        (self.iperf_sctp if kernel_has_sctp() else self.lines_over_sctp)()

    def iperf_sctp(self):
        for address in SERVER:
            done = self.client.run(["iperf3", "--json", "--sctp", "--client", address, "--port", IPERF_PORT, "--bytes", "5M"],
                                   check=False)
            self.assertGreater(json.loads(done.stdout)["end"]["sum_received"]["bytes"], 4_000_000, done.stdout[-500:])

    def lines_over_sctp(self):
        # A host of several addresses answers from the one that its wire has, so this is who is asked.
        self.serve([SCTP_STACK / "echo_server"])
        clients = []
        for family, address in zip((4, 6), SERVER_WIRE):
            script = f"(sleep 1; seq -w 1000 1999; sleep 1) | timeout 15 stdbuf -oL {SCTP_STACK}/client {address} 7 2> /dev/null"
            clients.append((self.start("web", ["sh", "-c", script], f"sctp-{family}"), cases.world.folder / f"sctp-{family}"))
        for client, output in clients:
            client.wait(20)
            said = output.read_text(errors="replace").splitlines()
            self.assertEqual([line for line in said if line.isdigit()], [str(number) for number in range(1000, 2000)])
            self.assertTrue(any("SCTP_SHUTDOWN_COMP" in line for line in said), said[-5:])
        flows = {(flow["proto"], flow["dest_ip"], flow["dest_port"], flow["nat"]["src_ip"]) for flow in self.gateway.show("flows")}
        for address, source in zip(SERVER_WIRE, EGRESS["web"]):
            self.assertIn(("SCTP", address, 7, source), flows)


def kernel_has_sctp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
        return True
    except OSError:
        return False


class Stun:
    """What the STUN client finds out (RFC 3489 section 10.1) is what [nat] says. Its own port is not among those that are given
    out, so that it sees whether a mapping is the same for all servers."""

    found = ""

    def test_what_it_finds(self):
        self.serve(["stund", "-h", SERVER[0], "-a", SECOND_SERVER[0]])
        self.wait_bound(STUN_PORT)
        self.ask_udp("web", SERVER[0])  # so that neighbours are known: the client waits for a second in all
        found = []
        while len(found) < 3 and f"Primary: {self.found}, random port" not in "".join(found):
            found.append(self.client.run(["stun", SERVER[0], "-p", "20000"], check=False).stdout)
        self.assertIn(f"Primary: {self.found}, random port", found[-1])

    def wait_bound(self, port, seconds=10):
        end = time.monotonic() + seconds
        while cases.world.server.run(["ss", "-Hlun", f"sport = :{port}"]).stdout.count("\n") < 2:
            self.assertLess(time.monotonic(), end, "no STUN server")
            time.sleep(0.02)


def nat(line):
    return f'[nat]\nport_range = "30000-59999"\n{line}\n'


class StunByDefault(Stun, Peers):
    more = nat("")
    found = "Independent Mapping, Port Dependent Filter"


class StunAddressDependent(Stun, Peers):
    more = nat('filtering = "address_dependent"')
    found = "Independent Mapping, Address Dependent Filter"


class StunEndpointIndependent(Stun, Peers):
    more = nat('filtering = "endpoint_independent"')
    found = "Independent Mapping, Independent Filter"


class StunDependentMapping(Stun, Peers):
    more = nat('udp_mapping = "endpoint_dependent"')
    found = "Dependent Mapping"

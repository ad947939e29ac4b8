"""The Linkerd example policy with real clients: TLS to httpbin.org on 443 and nothing else."""

import cases
from cases import GatewayCase
from servers import PEERS, PYTHON
from world import SERVER


class LinkerdExample:
    """Allowed and denied, told apart by nothing but the name in the ClientHello."""

    def setUp(self):
        self.policy_address = ("203.0.113.1", "2001:db8:113::1")

    def test_allowed_name(self):
        for address, source in zip(SERVER, self.policy_address):
            done = self.curl("guest", "httpbin.org", address)
            self.assertEqual((done.returncode, done.stdout), (0, f"httpbin.org, seen from {source}\n"), done.stderr)

    def test_allowed_name_is_recorded_when_its_flow_ends(self):
        self.curl("web", "httpbin.org", SERVER[0])
        flow = self.gateway.wait_flow(tls__sni="httpbin.org", src_ip="10.1.2.3", verdict__action="allow")
        self.assertEqual(flow["verdict"]["rule"], "linkerd-egress/tls-egress")
        self.assertEqual(flow["verdict"]["reason"], "route")
        self.assertEqual(flow["nat"]["src_ip"], "203.0.113.1")

    def test_denied_name_is_reset_and_the_server_never_saw_its_hello(self):
        answered_before = len(cases.servers.access_log())  # to others, for whom the name was allowed
        for address in SERVER:
            record = self.record_server("tcp port 443")
            done = self.curl("batch", "denied.example", address)
            segments = record.stop()
            self.assertEqual(done.returncode, 35, done.stderr)
            self.assertIn("reset by peer", done.stderr)
            self.assertTrue(segments, "the handshake passes: the gateway has to read the hello")
            self.assertEqual(sum(len(segment.payload) for segment in segments), 0, segments)
        self.assertNotIn("denied.example", [request["name"] for request in cases.servers.access_log()[answered_before:]])
        flow = self.gateway.wait_flow(tls__sni="denied.example", dest_ip=SERVER[0])
        self.assertEqual((flow["verdict"]["action"], flow["verdict"]["reason"]), ("deny", "name_not_allowed"))

    def test_hello_in_small_segments(self):
        """As many as an initial window carries: there are no ACKs before the verdict."""
        for name, expected in [("httpbin.org", "done"), ("denied.example", "ConnectionResetError")]:
            record = self.record_server("tcp port 443")
            done = cases.world.pods["web"].run([PYTHON, PEERS / "slow_hello.py", SERVER[0], 443, name,
                                                cases.servers.authorities, 70])
            seen = b"".join(segment.payload for segment in record.stop())
            self.assertEqual(done.stdout.strip(), expected, done.stderr)
            self.assertEqual(name.encode() in seen, expected == "done")

    def test_hello_without_a_name(self):
        done = cases.world.pods["web"].run(["openssl", "s_client", "-noservername", "-connect", f"{SERVER[0]}:443"],
                                           check=False)
        self.assertIn("CONNECTED", done.stdout)
        self.assertNotIn("BEGIN CERTIFICATE", done.stdout)
        self.gateway.wait_flow(verdict__reason="no_name", src_ip="10.1.2.3")

    def test_payload_that_is_not_tls(self):
        record = self.record_server("tcp port 443")
        done = self.curl("web", "httpbin.org", SERVER[0], scheme="http", port=443)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(sum(len(segment.payload) for segment in record.stop()), 0)

    def test_other_port_is_refused_at_once(self):
        done = self.curl("web", "httpbin.org", SERVER[0], scheme="http")
        self.assertEqual(done.returncode, 7, done.stderr)  # could not connect, and not 28: timed out
        flow = self.gateway.wait_flow(dest_port=80, src_ip="10.1.2.3")
        self.assertEqual((flow["verdict"]["action"], flow["verdict"]["reason"]), ("deny", "network_default"))


class LinkerdAfPacket(LinkerdExample, GatewayCase):
    policy = cases.linkerd_policy()


class LinkerdAfPacketTwoWorkers(LinkerdAfPacket):
    workers = 2

    def test_says_who_brings_packets_to_their_workers(self):
        for port in self.gateway.show("ports")["ports"]:
            self.assertEqual((port["steering"], port["steering_refused"]), ("rings", "the kernel spreads its frames"))
            self.assertIn(f"port {port['name']}: packets change workers by ring: the kernel", self.gateway.log())


class LinkerdAfXdp(LinkerdAfPacket):
    driver = "net_af_xdp"


class LinkerdAfXdpTwoWorkers(LinkerdAfXdp):
    workers = 2

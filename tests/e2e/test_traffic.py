"""What an open policy lets pass: addresses, protocols, sizes, the gateway as a router."""

import json
import re

import cases
from cases import EGRESS, OPEN_POLICY, GatewayCase
from servers import IPERF_PORT
from world import GATEWAY_INSIDE, GATEWAY_OUTSIDE, PODS, SECOND_SERVER, SERVER


class Traffic:
    def test_every_workload_leaves_under_its_address_from_the_first_packet_on(self):
        record = self.record_outside("tcp port 7000")
        for pod, expected in EGRESS.items():
            for address, source in zip(SECOND_SERVER, expected):
                self.assert_answered(self.connections(pod, address, 3), 3, source)
        sources = {segment.source for segment in record.stop()}
        self.assertEqual(sources, {address for pair in EGRESS.values() for address in pair})

    def test_udp_echo(self):
        for address, source in zip(SERVER, EGRESS["web"]):
            answer = self.ask_udp("web", address, text="over udp").split(" ", 2)
            self.assertEqual((answer[0], answer[-1]), (source, "over udp"))

    def test_ping_through_and_to_the_gateway(self):
        for target in (*SERVER, *GATEWAY_INSIDE):
            done = cases.world.pods["web"].run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", target], check=False)
            self.assertIn(" 0% packet loss", done.stdout, target)
            self.assertNotIn("DUP", done.stdout, target)

    def test_traceroute_shows_the_gateway(self):
        for target, gateway in zip(SERVER, GATEWAY_INSIDE):
            for _ in range(3):  # its probes leave at once, and a busy machine may lose some
                done = cases.world.pods["web"].run(["traceroute", "-n", "-q", "1", "-w", "3", "-m", "5", "-I", target])
                hops = re.findall(r"^ *\d+ +(\S+)", done.stdout, re.MULTILINE)
                if "*" not in hops:
                    break
            self.assertEqual((hops[0], hops[-1], len(hops)), (gateway, target, 3), done.stdout)

    def test_download_arrives_whole(self):
        for address in SERVER:
            done = self.curl("web", "httpbin.org", address, "--output", "/dev/null", "--write-out", "%{size_download}",
                             path="/big")
            self.assertEqual((done.returncode, done.stdout), (0, "20000000"), done.stderr)

    def test_iperf_both_ways(self):
        for address in SERVER:
            for direction in ([], ["--reverse"]):
                done = cases.world.pods["batch"].run(
                    ["iperf3", "--json", "--client", address, "--port", IPERF_PORT, "--bytes", "20M", *direction], check=False)
                report = json.loads(done.stdout)
                self.assertNotIn("error", report)
                # iperf3 stops when all is handed to the kernel; the last of it is not counted.
                self.assertGreater(report["end"]["sum_received"]["bytes"], 15_000_000)

    def test_path_mtu_is_found_behind_the_gateway(self):
        cases.world.backbone_mtu(1300)
        try:
            for address in SERVER:
                done = cases.world.pods["guest"].run(
                    ["iperf3", "--json", "--client", address, "--port", IPERF_PORT, "--bytes", "2M"], check=False)
                self.assertNotIn("error", json.loads(done.stdout))
                route = cases.world.pods["guest"].run(["ip", "route", "get", address]).stdout
                self.assertIn("mtu 1300", route)
        finally:
            cases.world.backbone_mtu(1500)
            for family in ("-4", "-6"):
                cases.world.pods["guest"].ip(family, "route", "flush", "cache")

    def test_unknown_port_of_the_server_answers_through_the_gateway(self):
        self.assertEqual(self.ask_udp("web", SERVER[0], port=9), "ECONNREFUSED")
        self.assertEqual(self.ask_udp("web", SERVER[1], port=9), "ECONNREFUSED")

    def test_flow_records_tell_who_and_where(self):
        self.connections("web", SERVER[0], 1)
        flow = self.gateway.wait_flow(src_ip=PODS["web"][0], dest_port=7000, dest_ip=SERVER[0])
        self.assertEqual(flow["source"], {"namespace": "prod", "workload": "web"})
        self.assertEqual((flow["nat"]["egress"], flow["nat"]["src_ip"]), ("egress-web", EGRESS["web"][0]))
        # The first record may be of another test's connection, of which a busy machine has put segments together.
        sent = [record["flow"]["pkts_toserver"] for record in self.gateway.flows() if record.get("dest_port") == 7000]
        self.assertGreaterEqual(max(sent), 3)


class TrafficAfPacket(Traffic, GatewayCase):
    pass


class TrafficAfXdp(Traffic, GatewayCase):
    driver = "net_af_xdp"


class TrafficTwoWorkers(Traffic, GatewayCase):
    """One queue a port: what belongs to the other worker is handed over."""

    workers = 2

    def test_a_thousand_connections_at_once(self):
        report = self.connections("web", SERVER[0], 1000, rounds=2, pause=1.0)
        self.assert_answered(report, 1000, EGRESS["web"][0])
        self.assertEqual(report["distinct"], 1000)
        flows = self.gateway.show("workers")
        self.assertEqual(len(flows["workers"]), 2, flows)

    def test_a_thousand_connections_at_once_ipv6(self):
        self.assert_answered(self.connections("batch", SERVER[1], 1000, rounds=2, pause=0.5), 1000, EGRESS["batch"][1])


class TrafficAfXdpTwoWorkers(TrafficTwoWorkers):
    driver = "net_af_xdp"


class Masquerade(GatewayCase):
    """Flows may leave under the gateway's own address, which goes on to be its own."""

    policy = OPEN_POLICY.replace('"203.0.113.1", "2001:db8:113::1"', ", ".join(f'"{address}"' for address in GATEWAY_OUTSIDE))

    def test_clients_and_the_gateway_share_the_address(self):
        for address, source in zip(SERVER, GATEWAY_OUTSIDE):
            self.assertEqual(self.curl("guest", "httpbin.org", address).stdout, f"httpbin.org, seen from {source}\n")
            self.assertEqual(self.ask_udp("guest", address).split(" ")[0], source)
            for host, target in [(cases.world.pods["guest"], address), (cases.world.internet, source)]:
                done = host.run(["ping", "-n", "-c", "2", "-i", "0.2", "-W", "2", target], check=False)
                self.assertIn(" 0% packet loss", done.stdout, target)


class Untranslated(GatewayCase):
    """A policy that names no address translates nothing."""

    policy = cases.linkerd_policy().split("[snat]")[0]

    def test_the_server_sees_the_client(self):
        routes = [("-4", "10.1.0.0/16", GATEWAY_OUTSIDE[0]), ("-6", "fd00:1::/64", GATEWAY_OUTSIDE[1])]
        for family, network, gateway in routes:
            cases.world.internet.ip(family, "route", "add", network, "via", gateway)
        try:
            for address, source in zip(SERVER, PODS["web"]):
                self.assertEqual(self.curl("web", "httpbin.org", address).stdout, f"httpbin.org, seen from {source}\n")
                self.assertEqual(self.curl("web", "denied.example", address).returncode, 35)
        finally:
            for family, network, gateway in routes:
                cases.world.internet.ip(family, "route", "delete", network, "via", gateway)


class Denied(GatewayCase):
    """How a sender learns that the answer is no."""

    policy = ""

    def test_tcp_is_refused(self):
        for address in SERVER:
            self.assertEqual(self.curl("web", "httpbin.org", address).returncode, 7)

    def test_udp_is_administratively_prohibited(self):
        self.assertEqual(self.ask_udp("web", SERVER[0]), "EHOSTUNREACH")
        self.assertEqual(self.ask_udp("web", SERVER[1]), "EACCES")

    def test_ping_is_administratively_prohibited(self):
        done = cases.world.pods["web"].run(["ping", "-n", "-c", "1", "-W", "2", SERVER[0]], check=False)
        self.assertIn("Packet filtered", done.stdout)

    def test_nothing_reaches_the_server(self):
        record = self.record_outside("host 198.51.100.7")
        self.curl("web", "httpbin.org", SERVER[0])
        self.ask_udp("batch", SERVER[0])
        self.assertEqual(record.stop(), [])


class DeniedInSilence(GatewayCase):
    policy = '[defaults]\ndeny_action = "drop"\n'

    def test_neither_reset_nor_icmp(self):
        done = self.curl("web", "httpbin.org", SERVER[0], "--max-time", "2")
        self.assertEqual(done.returncode, 28, done.stderr)
        self.assertEqual(self.ask_udp("web", SERVER[0]), "ETIMEDOUT")

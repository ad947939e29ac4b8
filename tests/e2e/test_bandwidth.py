"""Bandwidth and DSCP of an egress, measured by iperf3."""

import json

import cases
import namespaces
from cases import OPEN_POLICY, GatewayCase
from world import SERVER

RATE = 100_000_000
PORT = 5202


class Bandwidth(GatewayCase):
    """Rate 100 Mbit/s, burst 200 Mbit, with two workers; the burst is gone after the first seconds."""

    workers = 2
    policy = OPEN_POLICY.replace('name = "egress-batch"',
                                 'name = "egress-batch"\nbandwidth = { rate = "100M", burst = "200M" }\ndscp = 46')

    def iperf(self, *arguments):
        server = cases.servers.measuring_iperf(PORT)
        self.addCleanup(namespaces.stop, server)
        done = cases.world.pods["batch"].run(["iperf3", "--json", "--client", SERVER[0], "--port", PORT, *arguments], check=False,
                                             timeout=60)
        report = json.loads(done.stdout)
        self.assertNotIn("error", report)
        return report

    def measure(self, *arguments):
        """Bits of IPv4 packets that arrive a second when the burst is gone, of UDP datagrams of 1400 bytes; more are offered."""
        report = self.iperf("--udp", "--length", 1400, "--bitrate", "160M", "--time", 10, "--get-server-output", *arguments)
        receiver = report if "--reverse" in arguments else report["server_output_json"]
        seconds = [interval["sum"] for interval in receiver["intervals"][5:10]]
        return sum(each["bytes"] for each in seconds) / 1400 * 1428 * 8 / sum(each["seconds"] for each in seconds)

    def test_the_rate_is_kept_within_5_percent(self):
        for direction in ([], ["--reverse"]):
            with self.subTest(direction=direction):
                measured = []  # again where the machine was too busy to offer what is to be held back
                while len(measured) < 3 and (not measured or abs(measured[-1] - RATE) > 0.05 * RATE):
                    measured.append(self.measure(*direction))
                self.assertAlmostEqual(measured[-1], RATE, delta=0.05 * RATE, msg=measured)
        exceeded = self.gateway.show("reasons")["reasons"]["bandwidth_exceeded"]
        self.assertGreater(exceeded, 1000)
        dropped = {egress["name"]: egress["dropped_by_bandwidth"] for egress in self.gateway.show("egress")["egresses"]}
        self.assertIsNone(dropped["egress-web"])
        dropped = dropped["egress-batch"]
        self.assertGreater(min(dropped["pkts_toserver"], dropped["pkts_toclient"]), 0)
        self.assertGreaterEqual(dropped["pkts_toserver"] + dropped["pkts_toclient"], exceeded)
        self.assertGreater(dropped["bytes_toserver"], 1400 * dropped["pkts_toserver"] // 2)

    def test_tcp_keeps_to_it(self):
        received = self.iperf("--time", 8, "--omit", 5)["end"]["sum_received"]
        self.assertLess(received["bits_per_second"], 1.05 * RATE)
        self.assertGreater(received["bits_per_second"], 0.3 * RATE)

    def test_what_leaves_is_marked(self):
        record = cases.world.internet.start(["tcpdump", "-n", "-v", "-c", "1", "-i", "customer", "udp port 7000 and src 203.0.113.9"],
                                            stdout=-1, stderr=-1, text=True)
        answer = ""
        while record.poll() is None:
            answer = self.ask_udp("batch", SERVER[0])
        self.assertIn("203.0.113.9", answer)
        self.assertIn("tos 0xb8", record.communicate(timeout=10)[0])

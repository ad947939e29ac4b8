"""Starting, stopping, dying, and being asked."""

import time
import unittest

import cases
from cases import EGRESS, OPEN_POLICY, GatewayCase
from gateway import Gateway
from world import SERVER


class NoPolicyYet(GatewayCase):
    """Before the first valid policy nothing passes; with it, everything that it allows does, without a restart."""

    policy = "[[egress_network]]\nname = 5\n"

    def test_nothing_passes_until_a_valid_policy_comes(self):
        self.assertIn("policy.toml:2:", self.gateway.log())
        record = self.record_outside("net 198.51.100.0/24")
        done = self.curl("web", "httpbin.org", SERVER[0], "--max-time", "1")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.ask_udp("web", SERVER[0]) in ("ETIMEDOUT", "EHOSTUNREACH"), True)
        self.assertEqual(record.stop(), [])

        self.gateway.reload(OPEN_POLICY)
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)


class NoPolicyFile(GatewayCase):
    policy = None

    def test_starts_says_so_and_waits(self):
        self.assertIn("policy.toml", self.gateway.log())
        self.assertNotEqual(self.curl("web", "httpbin.org", SERVER[0], "--max-time", "1").returncode, 0)
        self.gateway.reload(OPEN_POLICY)
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)


class Killed(unittest.TestCase):
    def test_traffic_flows_within_five_seconds_of_a_restart(self):
        for driver in ("net_af_packet", "net_af_xdp"):
            gateway = Gateway(cases.world, cases.program, OPEN_POLICY, driver).start()
            try:
                client = GatewayCase("curl")
                self.assertEqual(client.curl("web", "httpbin.org", SERVER[0]).returncode, 0)
                gateway.kill()
                started = time.monotonic()
                gateway.start()
                while client.curl("web", "httpbin.org", SERVER[0], "--max-time", "1").returncode != 0:
                    self.assertLess(time.monotonic() - started, 5)
                    time.sleep(0.05)
                self.assertLess(time.monotonic() - started, 5)
            finally:
                self.assertEqual(gateway.stop(), 0)


class Asked(GatewayCase):
    def test_show_answers_in_json(self):
        report = self.connections("web", SERVER[0], 2)
        self.assert_answered(report, 2, EGRESS["web"][0])
        for topic in ("flows", "ports", "policy", "egress", "reasons", "workers"):
            with self.subTest(topic):
                self.assertTrue(self.gateway.show(topic))

    def test_the_log_says_what_memory_is_taken_for(self):
        self.assertRegex(self.gateway.log(), r"taking \d+ MiB of memory: 100000 flows \d+ MiB, held payload \d+ MiB, "
                                             r"packet buffers \d+ MiB on (huge|ordinary) pages, .* \d+ MiB")

    def test_living_flows_are_listed(self):
        self.start("web", ["ping", "-q", "-i", "0.2", "-w", "5", SERVER[0]], "ping")
        self.gateway.wait_listed("10.1.2.3", SERVER[0])

    def test_show_without_a_gateway_is_an_error_of_the_environment(self):
        done = self.gateway.host.run([self.gateway.program, "show", "flows", "--socket", "/nonexistent"], check=False)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)

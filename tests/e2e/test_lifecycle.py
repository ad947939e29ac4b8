"""Starting, stopping, dying, and being asked."""

import json
import time
import unittest

import cases
import namespaces
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


class Stopped(unittest.TestCase):
    def setUp(self):
        self.host = cases.world.gateway
        for name in ("lan0", "wan0"):  # gateways that were killed have left it on
            self.host.ip("link", "set", name, "promisc", "off")
            self.addCleanup(self.host.ip, "link", "set", name, "promisc", "off")

    def promiscuous(self):
        links = json.loads(self.host.ip("-json", "link", "show").stdout)
        return {link["ifname"] for link in links if link["ifname"] in ("lan0", "wan0") and "PROMISC" in link["flags"]}

    def test_a_stop_takes_promiscuous_mode_back_unless_it_was_on_before(self):
        for before in ("off", "on"):
            self.host.ip("link", "set", "wan0", "promisc", before)
            gateway = Gateway(cases.world, cases.program, OPEN_POLICY, "net_af_packet").start()
            try:
                self.assertEqual(self.promiscuous(), {"lan0", "wan0"})
            finally:
                self.assertEqual(gateway.stop(), 0)
            self.assertEqual(self.promiscuous(), {"wan0"} if before == "on" else set())


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


class Beside(GatewayCase):
    """A second gateway in the same network namespace, which comes, fails or goes: the first keeps its way out."""

    SECOND = """
[gateway]
name = "second"
policy = "/nowhere/policy.toml"
[[port]]
name = "in2"
role = "inside"
device = "net_af_packet,iface=second0"
addresses = ["10.9.0.1/24"]
[[port]]
name = "out2"
role = "outside"
device = "net_af_packet,iface=second1"
addresses = ["203.0.114.2/24", "2001:db8:114::2/64"]
gateway = ["203.0.114.254", "2001:db8:114::fe"]
[control]
socket = "{folder}/second.sock"
[limits]
flows = 1000
held_bytes = "1M"
[flow_log]
file = "{flows}"
"""

    def setUp(self):
        host = cases.world.gateway
        host.ip("link", "add", "second0", "type", "veth", "peer", "name", "second1")
        self.addCleanup(host.ip, "link", "delete", "second0")

    def ways_out(self):
        host = cases.world.gateway
        return [host.run(["ip", family, "route", "show", "default", "dev", "sp-outside"]).stdout for family in ("-4", "-6")]

    def run_second(self, flows, until):
        configuration = cases.world.folder / "second.toml"
        configuration.write_text(self.SECOND.format(folder=cases.world.folder, flows=flows), encoding="utf-8")
        with open(cases.world.folder / "second.log", "wb") as log:
            second = cases.world.gateway.start([cases.program, "run", "--config", configuration], stdout=log, stderr=log)
        self.addCleanup(namespaces.stop, second)
        end = time.monotonic() + 30
        while second.poll() is None and not until():
            self.assertLess(time.monotonic(), end, (cases.world.folder / "second.log").read_text())
            time.sleep(0.1)
        return second

    def assert_as_before(self, before):
        self.assertEqual(self.ways_out(), before)
        for address in SERVER:
            self.assertEqual(self.curl("web", "httpbin.org", address).returncode, 0)

    def test_the_first_keeps_its_way_out(self):
        before = self.ways_out()
        self.assertEqual([way.count("via") for way in before], [1, 1], before)
        failed = self.run_second("/dev/null/flows.jsonl", lambda: False)
        self.assertEqual(failed.returncode, 3)
        self.assert_as_before(before)

        def is_up():
            return "114.254" in cases.world.gateway.run(["ip", "route", "show", "default", "dev", "sp-out2"], check=False).stdout
        second = self.run_second(cases.world.folder / "second.jsonl", is_up)
        self.assertIsNone(second.poll())
        self.assert_as_before(before)
        self.assertEqual(namespaces.stop(second, seconds=30), 0)
        self.assert_as_before(before)

"""Reloads under traffic."""

import json

import cases
from cases import EGRESS, OPEN_POLICY, GatewayCase
from gateway import refused_lines
from servers import ECHO_PORT, IPERF_PORT, PEERS, PYTHON
from world import SERVER

BROKEN_POLICY = OPEN_POLICY + '\n[[egress_network]]\nnamespace = "a"\nname = "b"\ntraffic_policy = "Perhaps"\n'
BROKEN_LINE = BROKEN_POLICY.count("\n")
RELOADS = 200
TOPICS = ("flows", "ports", "policy", "egress", "reasons", "workers")


class ReloadUnderTraffic(GatewayCase):
    workers = 2

    def test_two_hundred_reloads_break_nothing(self):
        iperf = self.start("batch", ["iperf3", "--json", "--client", SERVER[0], "--port", IPERF_PORT, "--time", "600",
                                     "--bitrate", "20M"], "iperf.json")
        curls = [self.start("web", [PYTHON, PEERS / "curl_loop.py", SERVER[i % 2], cases.servers.authorities], f"curl-{i}")
                 for i in range(50)]
        lasting = self.start("guest", [PYTHON, PEERS / "many_connections.py", SERVER[0], ECHO_PORT, 20, 400, 0.05], "lasting")
        self.gateway.wait_listed(f"{SERVER[0]}:{ECHO_PORT}", f"{SERVER[0]}:{IPERF_PORT}")
        refused = []
        for turn in range(RELOADS):
            # Two valid ones, that differ: each is really compiled and published.
            good = OPEN_POLICY + f"# {turn}\n" + ('[[domain_set]]\nname = "ads"\nnames = ["ads.example"]\n' if turn % 4 else "")
            log = self.gateway.reload(BROKEN_POLICY if turn % 2 else good)
            if turn % 2:
                refused.append(refused_lines(log))
            else:
                self.assertEqual(refused_lines(log), [], log)
        for process in [*curls, iperf]:
            process.terminate()
        self.assertEqual(refused, [[BROKEN_LINE]] * (RELOADS // 2))

        for i, process in enumerate(curls):
            process.wait(20)
            report = json.loads((cases.world.folder / f"curl-{i}").read_text())
            self.assertGreater(report["good"], 0)
            self.assertEqual(report["errors"], [])
        lasting.wait(60)
        report = json.loads((cases.world.folder / "lasting").read_text())
        self.assert_answered(report, 20, EGRESS["guest"][0])
        iperf.wait(20)
        end = json.loads((cases.world.folder / "iperf.json").read_text())
        self.assertGreater(end["end"]["sum_sent"]["bytes"], 10_000_000)
        self.assertTrue(all(interval["sum"]["bytes"] > 0 for interval in end["intervals"][:-1]), "iperf3 stood still")


class AskedWhileReloading(GatewayCase):
    """All that the control plane does with workers that are busy. ThreadSanitizer watches this one."""

    workers = 2

    def test_answers_and_reloads_while_traffic_flows(self):
        self.start("batch", ["iperf3", "--json", "--client", SERVER[0], "--port", IPERF_PORT, "--time", "600", "--bitrate", "5M"],
                   "iperf.json")
        curls = [self.start("web", [PYTHON, PEERS / "curl_loop.py", SERVER[i % 2], cases.servers.authorities], f"curl-{i}")
                 for i in range(6)]
        self.start("guest", ["ping", "-q", "-i", "0.01", SERVER[0]], "ping")
        for turn in range(12):
            log = self.gateway.reload(BROKEN_POLICY if turn % 3 == 2 else OPEN_POLICY + f"# {turn}\n")
            self.assertEqual(refused_lines(log), [BROKEN_LINE] if turn % 3 == 2 else [], log)
            for topic in TOPICS:
                self.assertTrue(self.gateway.show(topic), topic)
        for process in curls:
            process.terminate()
        for i, process in enumerate(curls):
            process.wait(20)
            report = json.loads((cases.world.folder / f"curl-{i}").read_text())
            self.assertGreater(report["good"], 0)
            self.assertEqual(report["errors"], [])


class ReloadChangesWhatPasses(GatewayCase):
    def test_a_policy_that_is_wrong_in_one_line_is_refused_whole(self):
        """Case 96: nothing of it holds, and the old one does."""
        denies = BROKEN_POLICY.replace('"Allow"', '"Deny"')
        self.assertEqual(refused_lines(self.gateway.reload(denies)), [BROKEN_LINE])
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)
        self.assert_answered(self.connections("web", SERVER[0], 1), 1, EGRESS["web"][0])

    def test_established_flows_are_asked_again(self):
        lasting = self.start("web", [PYTHON, PEERS / "many_connections.py", SERVER[0], ECHO_PORT, 1, 100, 0.1], "removed")
        self.gateway.wait_listed(f"{SERVER[0]}:{ECHO_PORT}")
        self.gateway.reload("")
        lasting.wait(20)
        report = json.loads((cases.world.folder / "removed").read_text())
        self.assertEqual(report["error_count"], 1, report)
        flow = self.gateway.wait_flow(src_ip="10.1.2.3", verdict__action="deny")
        self.assertEqual(flow["verdict"]["reason"], "policy_removed")
        self.gateway.reload(OPEN_POLICY)
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)

    def test_a_changed_egress_holds_for_new_flows(self):
        self.gateway.reload(OPEN_POLICY.replace("203.0.113.8", "203.0.113.18"))
        self.assert_answered(self.connections("web", SERVER[0], 1), 1, "203.0.113.18")
        self.gateway.reload(OPEN_POLICY)
        self.assert_answered(self.connections("web", SERVER[0], 1), 1, "203.0.113.8")

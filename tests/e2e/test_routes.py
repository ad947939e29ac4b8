"""Pods behind a node: the gateway's inside network ends at the node, and their answers take a route of the port."""

import cases
from cases import OPEN_POLICY, GatewayCase
from world import PODS, SERVER

NODE = PODS["batch"]
POD = ("10.3.1.3", "fd00:3::1:3")
NAMED = OPEN_POLICY + """
[[workload]]
namespace = "prod"
name = "behind-the-node"
addresses = ["10.3.1.3/32", "fd00:3::1:3/128"]
"""
ROUTES = f'routes = [ {{ to = "10.3.0.0/16", via = "{NODE[0]}" }}, {{ to = "fd00:3::/64", via = "{NODE[1]}" }} ]'


class BehindANode:
    policy = NAMED

    @classmethod
    def setUpClass(cls):
        node = cases.world.pods["batch"]
        for own in POD:
            node.ip("address", "add", own, "dev", "lo")
            cls.addClassCleanup(node.ip, "address", "delete", own, "dev", "lo")
        super().setUpClass()

    def ask(self, family):
        return self.curl("batch", "httpbin.org", SERVER[family], "--interface", POD[family], "--max-time", "3")


class RoutesOfThePort(BehindANode, GatewayCase):
    port_more = (ROUTES, "")

    def test_answers_find_the_pod_also_after_a_restart(self):
        for family, egress in enumerate(cases.EGRESS["guest"]):
            self.assertEqual(self.ask(family).stdout, f"httpbin.org, seen from {egress}\n")
        self.gateway.stop()
        self.gateway.start()
        for family, egress in enumerate(cases.EGRESS["guest"]):
            self.assertEqual(self.ask(family).stdout, f"httpbin.org, seen from {egress}\n")


class NoRouteAtAll(BehindANode, GatewayCase):
    def test_answers_do_not_leave_by_the_outside_port(self):
        before = self.gateway.show("reasons")["reasons"]["no_route"]
        record = self.record_outside(f"dst host {POD[0]} or dst host {POD[1]}")
        for family in range(2):
            self.assertNotEqual(self.ask(family).returncode, 0)
        self.assertEqual(record.stop(), [])
        self.assertGreater(self.gateway.show("reasons")["reasons"]["no_route"], before)

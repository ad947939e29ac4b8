"""A gateway ends, and the next one goes on with its connections."""

import json
import time
import unittest

import cases
from cases import EGRESS, OPEN_POLICY, GatewayCase
from gateway import Gateway
from servers import ECHO_PORT, PEERS, PYTHON
from world import SERVER

TRANSFERS = 500


class Survival(GatewayCase):
    """Each client sends a line a second, has it back, and sees that the server still knows it by the same address and port."""

    def setUp(self):
        for family in (0, 1):
            self.assert_answered(self.connections("web", SERVER[family], 1), 1, EGRESS["web"][family])

    def transfers(self, end):
        """What came of them, when `end` happened to the gateway in their middle."""
        client = self.start("web", [PYTHON, PEERS / "many_connections.py", SERVER[0], ECHO_PORT, TRANSFERS, 8, 1], "transfers")
        time.sleep(4)
        end()
        self.gateway.start()
        client.wait(60)
        return json.loads((cases.world.folder / "transfers").read_text())

    def test_after_a_crash_nearly_all_go_on(self):
        report = self.transfers(self.gateway.kill)
        self.assertGreaterEqual(report["answered"], TRANSFERS * 99 // 100, report)
        self.assertEqual(report["sources"], [EGRESS["web"][0]])
        self.assertRegex(self.gateway.log(), r"\d+ flows of the last run go on, as they were \d+\.\d s ago")

    def test_after_a_restart_all_go_on(self):
        report = self.transfers(self.gateway.stop)
        self.assert_answered(report, TRANSFERS, EGRESS["web"][0])

    def test_a_policy_that_changed_meanwhile_is_asked(self):
        client = self.start("web", [PYTHON, PEERS / "many_connections.py", SERVER[0], ECHO_PORT, 10, 8, 1], "denied")
        time.sleep(2)
        self.addCleanup(self.gateway.reload, OPEN_POLICY)
        self.gateway.stop()
        self.gateway.write("policy.toml", OPEN_POLICY.replace('traffic_policy = "Allow"', 'traffic_policy = "Deny"'))
        self.gateway.start()
        client.wait(60)
        self.assertEqual(json.loads((cases.world.folder / "denied").read_text())["error_count"], 10)
        self.gateway.wait_flow(verdict__reason="policy_removed")

    def test_a_damaged_file_is_one_line_and_no_flow(self):
        self.gateway.stop()
        path = self.gateway.folder / "state" / "flows"
        path.write_bytes(path.read_bytes()[:-1])
        before = len(self.gateway.log())
        self.gateway.start()
        self.assertIn("no flow of the last run goes on", self.gateway.log()[before:])
        self.assertIn("cut short or damaged", self.gateway.log()[before:])
        self.assertEqual(self.gateway.show("flows"), [])


if __name__ == "__main__":
    unittest.main()

"""The gateway as a service: what its manager is told, and what DPDK's own tools may ask."""

import json
import os
import socket
import time
import unittest

import cases
from cases import OPEN_POLICY, GatewayCase
from gateway import Gateway
from world import SERVER


class ServiceManagerIsTold(unittest.TestCase):
    """sd_notify(3) over a real socket: ready, alive, reloading, ready again, stopping."""

    def test_messages_in_their_order(self):
        gateway = Gateway(cases.world, cases.program, OPEN_POLICY).start(WATCHDOG_USEC="1000000")
        try:
            time.sleep(1.5)
            gateway.reload(OPEN_POLICY + "# again\n")
            gateway.reload("surplus = 1\n")
        finally:
            self.assertEqual(gateway.stop(), 0)
        told = gateway.told
        alive = [message for message in told if "WATCHDOG" in message]
        self.assertGreaterEqual(len(alive), 2, told)
        rest = [message for message in told if "WATCHDOG" not in message]
        self.assertEqual([next(iter(message)) for message in rest],
                         ["READY", "RELOADING", "READY", "RELOADING", "READY", "STOPPING"], told)
        # Type=notify-reload wants to know when the reload began, by the monotonic clock.
        self.assertTrue(int(rest[1]["MONOTONIC_USEC"]) < int(rest[3]["MONOTONIC_USEC"]))
        self.assertIn("forwarding by policy generation 1", rest[0]["STATUS"])
        self.assertIn("the last reload was refused", rest[4]["STATUS"])

    def test_nobody_is_fed_where_nobody_watches(self):
        gateway = Gateway(cases.world, cases.program, OPEN_POLICY).start()
        time.sleep(1.2)
        self.assertEqual(gateway.stop(), 0)
        self.assertFalse([message for message in gateway.told if "WATCHDOG" in message])


class DpdkTelemetry(GatewayCase):
    """What dpdk-telemetry.py shows: the same numbers as `sallyport show`."""

    prefix = f"sallyport-e2e-{os.getpid()}"
    more = f'[dpdk]\neal_args = ["--file-prefix={prefix}"]\n'

    def ask(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
            asking.settimeout(10)
            asking.connect(f"/var/run/dpdk/{self.prefix}/dpdk_telemetry.v2")
            longest = json.loads(asking.recv(1024))["max_output_len"]
            asking.send(command.encode())
            return json.loads(asking.recv(longest))[command]

    def test_counters_are_those_of_show(self):
        self.assertTrue(self.ask_udp("web", SERVER[0]))
        commands = self.ask("/")
        for topic in ("reasons", "flows", "workers", "ports", "egress", "policy"):
            self.assertIn(f"/sallyport/{topic}", commands)
        shown = self.gateway.show("reasons")
        reasons = self.ask("/sallyport/reasons")
        self.assertEqual(set(shown["reasons"]) | {"received", "transmitted", "held", "originated"}, set(reasons))
        self.assertGreater(reasons["transmitted"], 0)
        self.assertGreaterEqual(self.ask("/sallyport/flows")["opened"], 1)
        self.assertEqual(set(self.ask("/sallyport/ports")), {"inside", "outside"})
        self.assertEqual(set(self.ask("/sallyport/workers")), {"0"})
        policy = self.ask("/sallyport/policy")
        self.assertEqual((policy["loaded"], policy["generation"], policy["hash"]),
                         (1, 1, self.gateway.show("policy")["hash"]))


SHADOW = """
[[egress_network]]
namespace = "linkerd-egress"
name = "next"
traffic_policy = "Deny"

[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "next", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org"]
"""


class ShadowPolicy(GatewayCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(cases.world, cases.program, OPEN_POLICY, gateway_more='shadow_policy = "shadow.toml"')
        cls.gateway.write("shadow.toml", SHADOW)
        cls.gateway.start()

    def test_it_is_asked_counted_and_not_obeyed(self):
        for name in ("httpbin.org", "denied.example"):
            self.assertEqual(self.curl("web", name, SERVER[0]).returncode, 0, name)
        denied = self.gateway.wait_flow(tls__sni="denied.example")
        self.assertEqual(denied["verdict"]["action"], "allow")
        self.assertEqual(denied["shadow"], {"action": "deny", "reason": "name_not_allowed", "layer": "egress_network",
                                            "network": "linkerd-egress/next"})
        self.assertNotIn("shadow", self.gateway.wait_flow(tls__sni="httpbin.org"))
        flows = self.gateway.show("policy")["shadow"]["flows"]
        self.assertGreaterEqual(flows["decided"], 2)
        self.assertGreaterEqual(flows["would_deny"], 1)
        self.assertEqual(self.gateway.show("reasons")["flows"]["shadow"], flows)

        # A broken one is told, stands in nobody's way, and the one before is still asked.
        self.gateway.write("shadow.toml", SHADOW + "surplus = 1\n")
        log = self.gateway.reload(OPEN_POLICY + '\n[[domain_set]]\nname = "more"\nnames = ["a.example"]\n')
        self.assertIn("shadow.toml:", log)
        said = self.gateway.host.run([self.gateway.program, "reload", "--socket", self.gateway.socket_path])
        self.assertIn("shadow policy", said.stderr)
        self.assertIn("refused, the one before is still asked", said.stderr)
        self.assertIn("no route uses the domain set", said.stderr)
        self.assertIn("means what is running", said.stdout)
        shown = self.gateway.show("policy")
        self.assertEqual((shown["generation"], shown["shadow"]["loaded"], shown["shadow"]["last_refused"]), (2, True, True))
        self.assertGreaterEqual(shown["shadow"]["flows"]["decided"], flows["decided"])

        # Another shadow alone is no new generation of the policy.
        self.gateway.write("shadow.toml", SHADOW.replace("httpbin.org", "denied.example"))
        self.gateway.reload()
        shown = self.gateway.show("policy")
        self.assertEqual((shown["generation"], shown["shadow"]["last_refused"]), (2, False))


class EgressUse(GatewayCase):
    def test_show_egress_says_who_uses_what(self):
        self.assert_answered(self.connections("web", SERVER[0], 5), 5, cases.EGRESS["web"][0])
        shown = self.gateway.show("egress")
        of_web = next(one for one in shown["in_use"] if one["address"] == cases.EGRESS["web"][0])
        self.assertGreaterEqual(of_web["ports_used"]["tcp"], 5)
        self.assertEqual(of_web["fullest_server"]["address"], SERVER[0])
        self.assertEqual(shown["top_sources"][0]["workload"], "web")
        self.assertFalse(shown["incomplete"])
        fullest = shown["fullest_server"]
        self.assertEqual((fullest["egress_address"], fullest["server"]), (cases.EGRESS["web"][0], SERVER[0]))
        self.assertGreaterEqual(fullest["ports_used"], 5)
        self.assertAlmostEqual(fullest["ratio"], fullest["ports_used"] / fullest["ports"])
        text = self.gateway.host.run([self.gateway.program, "show", "egress", "--socket", self.gateway.socket_path]).stdout
        self.assertIn("TOP SOURCE", text)
        self.assertIn("fullest server: " + cases.EGRESS["web"][0], text)

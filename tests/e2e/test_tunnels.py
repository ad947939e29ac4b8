"""The cluster's overlay: the kernel's VXLAN and Geneve devices at the pods' end, the gateway at the other."""

import json
import time
import unittest

import cases
from cases import OPEN_POLICY, GatewayCase
from namespaces import run
from servers import ECHO_PORT, PEERS, PYTHON
from world import GATEWAY_INSIDE, PODS, SECOND_SERVER, SERVER

OVERLAY = ("10.244.1.5", "fd00:244::5")
ROUTER = ("10.244.0.1", "fd00:244::1")  # the gateway, by its tunnel's addresses or a static neighbour
ROUTER_MAC = "02:00:00:00:24:01"
EGRESS = ("203.0.113.1", "2001:db8:113::1")


class Overlay:
    """Pods behind the host of "web": what goes to the second server leaves by the overlay, the rest as ever."""

    device = ""  # of `ip link add overlay0 type ..`
    static_neighbours = True

    @classmethod
    def setUpClass(cls):
        host = cases.world.pods["web"]
        made = run(["ip", "-n", host.name, "link", "add", "overlay0", "type", *cls.device.split()], check=False)
        if made.returncode != 0 and "Unknown device type" in made.stderr:
            raise unittest.SkipTest(f"this kernel has no {cls.device.split()[0]} device")
        if made.returncode != 0:
            raise RuntimeError(made.stderr)
        cls.addClassCleanup(host.ip, "link", "delete", "overlay0")
        host.ip("link", "set", "overlay0", "up")
        host.address("overlay0", f"{OVERLAY[0]}/16", f"{OVERLAY[1]}/64")
        for family, router, server, own in zip(("-4", "-6"), ROUTER, SECOND_SERVER, OVERLAY):
            if cls.static_neighbours:
                host.ip(family, "neighbour", "add", router, "lladdr", ROUTER_MAC, "dev", "overlay0", "nud", "permanent")
            host.ip(family, "route", "add", server, "via", router, "dev", "overlay0", "src", own)
        super().setUpClass()


class Traffic(Overlay):
    policy = OPEN_POLICY

    def test_ping(self):
        for server in SECOND_SERVER:
            done = cases.world.pods["web"].run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", server], check=False)
            self.assertIn(" 0% packet loss", done.stdout, server)
            self.assertNotIn("DUP", done.stdout, server)

    def test_the_server_sees_the_egress_address(self):
        for server, egress in zip(SECOND_SERVER, EGRESS):
            self.assertEqual(self.curl("web", "httpbin.org", server).stdout, f"httpbin.org, seen from {egress}\n")
            self.assertEqual(self.ask_udp("web", server).split(" ")[0], egress)
        self.gateway.wait_flow(src_ip=OVERLAY[0], dest_ip=SECOND_SERVER[0], dest_port=443)

    def test_a_download_arrives_whole(self):
        for server in SECOND_SERVER:
            done = self.curl("web", "httpbin.org", server, "--output", "/dev/null", "--write-out", "%{size_download}", path="/big")
            self.assertEqual((done.returncode, done.stdout), (0, "20000000"), done.stderr)

    def test_large_datagrams_pass_in_pieces(self):
        answer = self.ask_udp("web", SECOND_SERVER[0], text="x" * 4000)
        self.assertTrue(answer.endswith("x" * 4000), answer[:100])

    def test_what_does_not_come_through_it_goes_on_as_ever(self):
        self.assertEqual(self.ask_udp("web", SERVER[0]).split(" ")[0], cases.EGRESS["web"][0])

    def test_many_connections(self):
        self.assert_answered(self.connections("web", SECOND_SERVER[0], 200, rounds=2), 200, EGRESS[0])


class Names(Overlay):
    """Nothing but TLS to httpbin.org, and a refusal comes back through the overlay."""

    policy = cases.linkerd_policy()

    def test_curl_allowed_and_denied(self):
        for server in SECOND_SERVER:
            self.assertEqual(self.curl("web", "httpbin.org", server).returncode, 0)
            self.assertEqual(self.curl("web", "denied.example", server).returncode, 35)

    def test_a_port_that_nobody_may_use_is_refused(self):
        for server in SECOND_SERVER:
            self.assertEqual(self.curl("web", "httpbin.org", server, scheme="http").returncode, 7)
        self.assertEqual(self.ask_udp("web", SECOND_SERVER[0], port=ECHO_PORT), "EHOSTUNREACH")


def configured(kind):
    return f"""
[nat]
source_check = false

[[tunnel]]
type = "{kind}"
port_name = "inside"
local = "{GATEWAY_INSIDE[0]}"
remotes = ["{PODS['web'][0]}"]
vni = [4096]
"""


class Vxlan:
    device = f"vxlan id 4096 local {PODS['web'][0]} remote {GATEWAY_INSIDE[0]} dstport 4789 dev eth0"
    more = configured("vxlan")


class Geneve:
    device = f"geneve id 4096 remote {GATEWAY_INSIDE[0]} dstport 6081"
    more = configured("geneve")


class VxlanTraffic(Vxlan, Traffic, GatewayCase):
    pass


class VxlanTrafficTwoWorkers(Vxlan, Traffic, GatewayCase):
    workers = 2


class VxlanNextHop(Vxlan, Overlay, GatewayCase):
    """No static neighbour: the node's kernel asks the gateway, and goes on asking."""

    policy = OPEN_POLICY
    static_neighbours = False
    more = Vxlan.more + f'addresses = ["{ROUTER[0]}", "{ROUTER[1]}"]\n'

    def test_the_next_hop_is_found_and_answers(self):
        for router, server, egress in zip(ROUTER, SECOND_SERVER, EGRESS):
            self.assertEqual(self.curl("web", "httpbin.org", server).stdout, f"httpbin.org, seen from {egress}\n")
            done = cases.world.pods["web"].run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "2", router], check=False)
            self.assertIn(" 0% packet loss", done.stdout, router)
            neighbour = cases.world.pods["web"].ip("neighbour", "show", router, "dev", "overlay0").stdout
            self.assertRegex(neighbour, r"lladdr \S+ .*(REACHABLE|DELAY|STALE)")

    def test_its_connections_outlive_a_restart(self):
        self.assert_answered(self.connections("web", SECOND_SERVER[0], 1), 1, EGRESS[0])  # so that neighbours are known
        client = self.start("web", [PYTHON, PEERS / "many_connections.py", SECOND_SERVER[0], ECHO_PORT, 20, 5, 1], "overlaid")
        end = time.monotonic() + 20
        while sum(flow["flow"]["state"] == "established" for flow in self.gateway.show("flows")) < 20:
            self.assertLess(time.monotonic(), end, "not all are connected")
            time.sleep(0.1)
        self.gateway.stop()
        self.gateway.start()
        client.wait(60)
        self.assert_answered(json.loads((cases.world.folder / "overlaid").read_text()), 20, EGRESS[0])


class VxlanNames(Vxlan, Names, GatewayCase):
    pass


class GeneveTraffic(Geneve, Traffic, GatewayCase):
    pass


class GeneveNames(Geneve, Names, GatewayCase):
    pass

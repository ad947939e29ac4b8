"""Gateways that share the load by routing, with real FRR beside each and real routers around them:

    senders --- inside router (FRR) --- inside switch --- a, b --- outside switch --- outside router (BIRD), server

      senders       10.1.0.0/16: 10.1.0.11 and up, the router is .1
      inside        10.0.0.0/24      a .2, b .3, the router .254; the next hop that all offer is 10.255.0.1
      outside       203.0.113.0/24   a .2, b .3, the router .254
      egress        192.0.2.1 of a, 192.0.2.2 of b; the router learns whose they are

What is run is what examples/ha/ shows, as it stands: paths apart, and b's own addresses.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time

from gateway import Gateway
from namespaces import Host, wire
from pair import EXAMPLES, Box, Peer
from routers import Bird, Frr
from servers import PEERS, PYTHON

SERVER = "198.51.100.7"
ECHO_PORT = 7000
NEXT_HOP = "10.255.0.1"
SENDERS = [f"10.1.0.{11 + i}" for i in range(40)]

POLICY = """
[[namespace]]
name = "cluster"
addresses = ["10.1.0.0/16"]

[[egress_network]]
namespace = "linkerd-egress"
name = "everything"
traffic_policy = "Allow"
"""


class Node(Gateway):
    """A gateway, and FRR beside it."""

    def __init__(self, fleet, name, number, program, more=""):
        self.name = name
        self.fleet = fleet
        self.program = pathlib.Path(program).resolve()
        self.host = Host(f"fleet-{name}")
        self.folder = fleet.folder / name
        self.folder.mkdir()
        self.process = None
        self._log = self._manager = None
        self.egress = f"192.0.2.{number - 1}"
        for device, side in (("eth1", "in"), ("eth2", "out")):
            wire(self.host, device, fleet.switch, f"{name}-{side}")
            fleet.switch.ip("link", "set", f"{name}-{side}", "master", f"br-{side}")
        cores = sorted(os.sched_getaffinity(0))
        other = 5 - number
        configuration = Box.adapt((EXAMPLES / "sallyport-routed.toml").read_text(encoding="utf-8"), {
            '"10.0.0.2/24"': f'"10.0.0.{number}/24"', '"203.0.113.2/24"': f'"203.0.113.{number}/24"',
            '"10.0.0.3"': f'"10.0.0.{other}"', '"egress-1"': f'"egress-{name}"', '"1-4"': f'"{cores[number % len(cores)]}"',
            "/var/log/sallyport": str(self.folder)})
        self.write("sallyport.toml", configuration + '\n[limits]\nflows = 50_000\nheld_bytes = "16M"\n' + more)
        self.write("policy.toml", POLICY)
        (self.folder / "policy.d").mkdir()
        self.write("policy.d/addresses.toml", Box.adapt((EXAMPLES / "addresses.toml").read_text(encoding="utf-8"),
                                                        {'"192.0.2.1"': f'"{self.egress}"'}))
        self.router_id = f"10.0.0.{number}"
        self.frr = None

    def start_frr(self):
        configuration = Box.adapt((EXAMPLES / "frr.conf").read_text(encoding="utf-8"),
                                  {"bgp router-id 10.0.0.2": f"bgp router-id {self.router_id}"})
        self.frr = Frr(self.host, self.folder / "frr", configuration, ["bgpd", "bfdd"])

    def ha(self, word, *more):
        return self.host.run([self.program, "ha", word, "--socket", self.socket_path, *more], check=False)

    def status(self):
        return json.loads(self.ha("status", "--json").stdout)

    def signal(self, number):
        self.process.send_signal(number)

    def link(self, side, state):
        """Its wire to the inside ("in") or the outside switch."""
        self.fleet.switch.ip("link", "set", f"{self.name}-{side}", state)

    def tell_all(self):
        frr = "".join(f"{command}\n{self.frr.ask(command)}" for command in ("show ip route", "show bgp summary", "show bfd peers brief")) \
            if self.frr else ""
        return f"{self.name} says:\n{self.log()[-2500:]}\nits FRR:\n{frr}\n"


class Fleet:
    def __init__(self, program, more=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-fleet-"))
        self.folder.chmod(0o755)
        self.nodes, self.inner, self.outer = [], None, None
        self.switch = Host("fleet-switch")
        for bridge in ("br-in", "br-out"):
            self.switch.ip("link", "add", bridge, "type", "bridge", "forward_delay", 0, "mcast_snooping", 0)
            self.switch.ip("link", "set", bridge, "up")
        self.inside_router = self._host("inner", "br-in", "10.0.0.254/24")
        # By sender alone: one that leaves under several addresses surprises its servers.
        self.inside_router.sysctl({"net.ipv4.ip_forward": 1, "net.ipv4.fib_multipath_hash_policy": 3,
                                   "net.ipv4.fib_multipath_hash_fields": 1})
        self.outside_router = self._host("outer", "br-out", "203.0.113.254/24")
        self.outside_router.address("lo", f"{SERVER}/32")
        self.outside_router.start([PYTHON, PEERS / "echo_server.py", ECHO_PORT, SERVER])
        self.client = Host("fleet-client")
        wire(self.client, "eth0", self.inside_router, "eth1")
        self.inside_router.address("eth1", "10.1.0.1/16")
        self.client.address("eth0", *[f"{sender}/16" for sender in SENDERS])
        self.client.ip("route", "add", "default", "via", "10.1.0.1")
        self.nodes = [Node(self, "a", 2, program, more), Node(self, "b", 3, program, more)]

    def _host(self, name, bridge, *addresses):
        host = Host(f"fleet-{name}")
        wire(host, "eth0", self.switch, name)
        self.switch.ip("link", "set", name, "master", bridge)
        host.address("eth0", *addresses)
        return host

    def start(self):
        self.inner = Frr(self.inside_router, self.folder / "inner", (EXAMPLES / "inside-router.frr.conf").read_text(encoding="utf-8"),
                         ["bgpd", "bfdd", "staticd"])
        self.outer = Bird(self.outside_router, self.folder / "outer",
                          (EXAMPLES / "outside-router.bird.conf").read_text(encoding="utf-8"))
        for node in self.nodes:
            node.start()
            node.start_frr()
        self.wait_settled()

    def ways_in(self):
        """The nodes that the inside router spreads senders over."""
        routes = json.loads(self.inside_router.run(["ip", "-j", "route", "show", "default"]).stdout or "[]")
        hops = {hop["gateway"] for route in routes for hop in route.get("nexthops", [route]) if "gateway" in hop}
        return [node for node in self.nodes if node.router_id in hops]

    def ways_back(self):
        """The nodes whose egress address the outside router knows."""
        routes = json.loads(self.outside_router.run(["ip", "-j", "route"]).stdout)
        known = {(route["dst"], route.get("gateway")) for route in routes}
        return [node for node in self.nodes if (node.egress, node.router_id.replace("10.0.0.", "203.0.113.")) in known]

    def wait(self, what, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not {what} in {seconds} s\n{self.tell_all()}")
            time.sleep(0.1)

    def watched(self):
        """Do both routers have BFD with all nodes? Until then a death is found by BGP's hold time."""
        inside, outside = self.inner.ask("show bfd peers brief"), self.outer.ask("show bfd sessions")
        return len(re.findall(r" up\b", inside)) == len(re.findall(r" Up\b", outside)) == len(self.nodes)

    def wait_settled(self):
        self.wait("all nodes in service", lambda: self.ways_in() == self.nodes and self.ways_back() == self.nodes and self.watched(), 60)

    def leaves_by(self, sender):
        """The node that a sender goes by now; None: nobody answers."""
        answer = self.client.run([PYTHON, PEERS / "ask_udp.py", SERVER, ECHO_PORT, "who", sender]).stdout.split()
        return next((node for node in self.nodes if node.egress == answer[0]), None)

    def sender_of(self, node):
        return next(sender for sender in SENDERS if self.leaves_by(sender) is node)

    def tell_all(self):
        inner = "".join(f"{command}\n{self.inner.ask(command)}" for command in
                        ("show ip route", "show bgp summary", "show bfd peers brief")) if self.inner else ""
        outer = "".join(self.outer.ask(command) for command in ("show protocols", "show route")) if self.outer else ""
        return "".join(node.tell_all() for node in self.nodes) + f"inside router:\n{inner}\noutside router:\n{outer}\n"

    def close(self):
        for node in self.nodes:
            if node.process is not None:
                node.signal(signal.SIGCONT)
            node.stop()
            node.host.remove()
        for host in (self.client, self.inside_router, self.outside_router, self.switch):
            host.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


class Stream:
    """A stream of a thousand datagrams a second from a sender that goes by the node, while it runs."""

    def __init__(self, fleet, node):
        self.fleet = fleet
        self.peer = Peer(fleet.client, fleet.folder / "stream", PEERS / "udp_stream.py", SERVER, ECHO_PORT, fleet.sender_of(node))
        time.sleep(0.3)

    def stop(self):
        self.sent = self.peer.stop()
        if not self.sent["answered"]:
            raise AssertionError("no datagram was ever answered\n" + self.fleet.tell_all())
        return self

    def gap_ms(self, since):
        """The longest time without an answer that ended after `since`."""
        return round(max([1000 * (end - begin) for begin, end in self.sent["gaps"] if end > since], default=0))


def lose(fleet, node, happen):
    """`happen` to the node, until its senders go by others: the stream of one of them, and since when."""
    stream = Stream(fleet, node)
    since = time.monotonic()
    happen(node)
    fleet.wait("withdrawn", lambda: node not in fleet.ways_in(), 15)
    time.sleep(1)
    return stream.stop(), since

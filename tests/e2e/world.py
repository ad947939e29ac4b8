"""The little world of the demo and of the end-to-end tests:

    pods (web, batch, guest) --- switch --- gateway --- internet --- server

      inside   10.1.0.0/16, fd00:1::/64          gateway 10.1.0.1, fd00:1::1
      outside  203.0.113.0/24, 2001:db8:113::/64 gateway 203.0.113.2, next hop .254 (::fe)
      server   198.51.100.7, 198.51.100.8, 2001:db8:51::7, 2001:db8:51::8

The gateway's host has its two wires (lan0, wan0) and no address: these are the gateway's.
"""

import pathlib
import shutil
import tempfile

import namespaces
from namespaces import Host, wire

PODS = {
    "web": ("10.1.2.3", "fd00:1::2:3"),
    "batch": ("10.1.3.4", "fd00:1::3:4"),
    "guest": ("10.1.9.9", "fd00:1::9:9"),
}
GATEWAY_INSIDE = ("10.1.0.1", "fd00:1::1")
GATEWAY_OUTSIDE = ("203.0.113.2", "2001:db8:113::2")
NEXT_HOP = ("203.0.113.254", "2001:db8:113::fe")
SERVER = ("198.51.100.7", "2001:db8:51::7")
SECOND_SERVER = ("198.51.100.8", "2001:db8:51::8")
SERVER_WIRE = ("192.0.2.2", "2001:db8:2::2")  # of its device

# Who is who, for policies of tests; the addresses above.
WORKLOADS = """
[[namespace]]
name = "prod"
labels = { env = "prod" }

[[workload]]
namespace = "prod"
name = "web"
labels = { role = "web" }
addresses = ["10.1.2.3/32", "fd00:1::2:3/128"]

[[workload]]
namespace = "prod"
name = "batch"
labels = { role = "batch" }
addresses = ["10.1.3.4/32", "fd00:1::3:4/128"]
"""


class World:
    def __init__(self):
        namespaces.remove_leftovers()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-world-"))
        self.folder.chmod(0o755)
        self.switch = Host("switch")
        self.gateway = Host("gateway")
        self.internet = Host("internet")
        self.server = Host("server")
        self.pods = {name: Host(name) for name in PODS}
        self._inside()
        self._outside()

    def _inside(self):
        self.switch.ip("link", "add", "br0", "type", "bridge", "forward_delay", 0, "mcast_snooping", 0)
        self.switch.ip("link", "set", "br0", "up")
        for name, host in self.pods.items():
            wire(host, "eth0", self.switch, name)
            self.switch.ip("link", "set", name, "master", "br0")
            v4, v6 = PODS[name]
            host.address("eth0", f"{v4}/16", f"{v6}/64")
            host.ip("route", "add", "default", "via", GATEWAY_INSIDE[0])
            host.ip("-6", "route", "add", "default", "via", GATEWAY_INSIDE[1])
        wire(self.gateway, "lan0", self.switch, "uplink")
        self.switch.ip("link", "set", "uplink", "master", "br0")

    def _outside(self):
        wire(self.gateway, "wan0", self.internet, "customer")
        wire(self.internet, "backbone", self.server, "eth0")
        self.internet.sysctl({"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1})
        self.internet.address("customer", f"{NEXT_HOP[0]}/24", f"{NEXT_HOP[1]}/64")
        self.internet.address("backbone", "192.0.2.1/30", "2001:db8:2::1/64")
        self.server.address("eth0", f"{SERVER_WIRE[0]}/30", f"{SERVER_WIRE[1]}/64")
        self.server.ip("route", "add", "default", "via", "192.0.2.1")
        self.server.ip("-6", "route", "add", "default", "via", "2001:db8:2::1")
        for v4, v6 in (SERVER, SECOND_SERVER):
            self.server.address("lo", f"{v4}/32", f"{v6}/128")
            self.internet.ip("route", "add", f"{v4}/32", "via", SERVER_WIRE[0])
            self.internet.ip("-6", "route", "add", f"{v6}/128", "via", SERVER_WIRE[1])

    def backbone_mtu(self, mtu):
        """The wire behind the next hop: what path MTU discovery has to find out."""
        self.internet.ip("link", "set", "backbone", "mtu", mtu)

    def hosts(self):
        return [*self.pods.values(), self.server, self.internet, self.gateway, self.switch]

    def close(self):
        for host in self.hosts():
            host.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

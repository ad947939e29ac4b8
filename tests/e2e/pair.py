"""Two gateways that stand in for each other, with real keepalived beside each, and a world around them:

    client --- inside switch --- a, b --- outside switch --- server

      inside   10.1.0.0/16, fd00:1::/64   a .0.2, b .0.3; the next hop .0.1 is keepalived's
      outside  203.0.113.0/24             a .2, b .3; the server is the next hop, .254
      egress   203.0.113.8                whoever is active answers for it

What is run is what examples/ha/ shows, paths and addresses apart.
"""

import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time

import namespaces
from gateway import Gateway
from namespaces import Host, wire
from servers import PEERS, PYTHON

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "ha"
NEXT_HOP = "10.1.0.1"
CLIENT = "10.1.2.3"
SERVER = "198.51.100.7"
EGRESS = "203.0.113.8"
SERVER_WIRE = "203.0.113.254"
ECHO_PORT = 7000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000

POLICY = """
[[egress_network]]
namespace = "linkerd-egress"
name = "everything"
traffic_policy = "Allow"

[snat]
addresses = ["203.0.113.8"]
"""


class Box(Gateway):
    """A gateway, and keepalived beside it."""

    def __init__(self, pair, name, number, program):
        self.name = name
        self.pair = pair
        self.program = pathlib.Path(program).resolve()
        self.host = Host(f"pair-{name}")
        self.folder = pair.folder / name
        self.folder.mkdir()
        self.redis_socket = self.folder / "redis.sock"
        self.process = self.keepalived = None
        self._log = self._manager = None
        wire(self.host, "eth1", pair.switch, f"{name}-in")
        wire(self.host, "eth2", pair.switch, f"{name}-out")
        for side in ("in", "out"):
            pair.switch.ip("link", "set", f"{name}-{side}", "master", f"br-{side}")
        cores = sorted(os.sched_getaffinity(0))
        configuration = self.adapt((EXAMPLES / "sallyport.toml").read_text(encoding="utf-8"), {
            '"10.0.0.2/24", "fd00::2/64"': f'"10.1.0.{number}/16", "fd00:1::{number}/64"',
            '"203.0.113.2/24"': f'"203.0.113.{number}/24"', '"egress-1"': f'"egress-{name}"',
            '"1-4"': f'"{cores[number % len(cores)]}"', "/var/log/sallyport": str(self.folder),
            "/run/redis-sallyport/redis.sock": str(self.redis_socket)})
        self.write("sallyport.toml", configuration + '\n[limits]\nflows = 50_000\nheld_bytes = "16M"\n')
        self.write("policy.toml", POLICY)
        call = f"{self.program} ha"
        notify = self.adapt((EXAMPLES / "sallyport-notify").read_text(encoding="utf-8"), {
            '/usr/local/bin/sallyport ha "$word"': f'{call} "$word" --socket {self.socket_path}',
            "/run/sallyport-notify": str(self.folder / "notify-last"), "/run/redis-sallyport/redis.sock": str(self.redis_socket),
            'peer="192.168.77.3 6379"': f'peer="192.168.77.{5 - number} 6379"'})
        self.write("notify", notify)
        (self.folder / "notify").chmod(0o755)
        self.write("keepalived.conf", self.adapt(pair.keepalived((EXAMPLES / "keepalived.conf").read_text(encoding="utf-8")), {
            "/usr/local/bin/sallyport ha status": f"{call} status --socket {self.socket_path}",
            "/etc/keepalived/sallyport-notify": str(self.folder / "notify"), "10.0.0.1/24": f"{NEXT_HOP}/16",
            "fd00::1/64": "fd00:1::1/64", "priority 100": f"priority {102 - number}"}))

    @staticmethod
    def adapt(text, changes):
        for old, new in changes.items():
            if old not in text:
                raise RuntimeError(f"examples/ha: {old!r} does not stand there")
            text = text.replace(old, new)
        return text

    @property
    def station(self):
        """MAC of its outside port."""
        return self.host.run(["cat", "/sys/class/net/eth2/address"]).stdout.strip()

    def start_keepalived(self):
        log = open(self.folder / "keepalived.log", "ab")
        files = [f"--{kind}={self.folder / kind}" for kind in ("pid", "vrrp_pid", "checkers_pid")]
        self.keepalived = self.host.start(
            ["keepalived", "--dont-fork", "--log-console", "--log-detail", "--vrrp", "-f", self.folder / "keepalived.conf", *files],
            stdout=log, stderr=log)
        log.close()

    def stop_keepalived(self):
        namespaces.stop(self.keepalived)
        self.keepalived = None

    def ha(self, word, *more):
        return self.host.run([self.program, "ha", word, "--socket", self.socket_path, *more], check=False)

    def is_active(self):
        done = self.ha("status", "--json")
        return done.stdout.strip().startswith("{") and json.loads(done.stdout)["state"] == "active"

    def is_ready(self):
        """Could take over: healthy, on standby, and keepalived has seen it."""
        return self.ha("status").returncode == 0 and self.vrrp_state() in ("BACKUP", "MASTER")

    def vrrp_state(self):
        path = self.folder / "keepalived.log"
        states = re.findall(r"\((?:inside|outside)\) [Ee]ntering (\w+) STATE", path.read_text(errors="replace")) if path.exists() else []
        return states[-1] if states else None

    def link(self, side, state):
        """Its wire to the inside ("in") or the outside switch."""
        self.pair.switch.ip("link", "set", f"{self.name}-{side}", state)

    def signal(self, number):
        self.process.send_signal(number)

    def hold_worker(self):
        """Its worker stands still, and nothing else of it does: until let_worker_go()."""
        self.holder = Holder(self.process.pid)

    def let_worker_go(self):
        self.holder.let_go()

    def tell_all(self):
        path = self.folder / "keepalived.log"
        keepalived = path.read_text(errors="replace") if path.exists() else ""
        return f"{self.name} says:\n{self.log()[-2500:]}\nits keepalived:\n{keepalived[-2500:]}\n"


class Holder:
    """A debugger's grip on one thread of a process, the worker's: it stands still while everything around it goes on."""

    def __init__(self, process):
        worker = next(task for task in pathlib.Path(f"/proc/{process}/task").iterdir()
                      if "worker" in (task / "comm").read_text())
        self.thread = int(worker.name)
        self._trace(PTRACE_SEIZE)
        self._trace(PTRACE_INTERRUPT)

    def let_go(self):
        # Its end of the wait: only a thread that has been seen standing can be let go.
        os.waitpid(self.thread, WALL)
        self._trace(PTRACE_DETACH)

    def _trace(self, request):
        if _libc.ptrace(request, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of thread {self.thread}")


def by_ipv6(text):
    """keepalived.conf with VRRP itself over IPv6: its first address is a link-local one, and those of IPv4 are moved along."""
    return Box.adapt(text, {
        "        10.0.0.1/24                    # the senders' next hop\n": "        fe80::51/64\n",
        "        fd00::1/64                     #": "        10.0.0.1/24\n        fd00::1/64                     #",
        "        203.0.113.1/24                 #": "        fe80::52/64\n    }\n    virtual_ipaddress_excluded {\n        203.0.113.1/24                 #"})


class Pair:
    """`keepalived`: what becomes of the example's keepalived.conf."""

    def __init__(self, program, keepalived=lambda text: text):
        self.keepalived = keepalived
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-pair-"))
        self.folder.chmod(0o755)
        self.switch = Host("pair-switch")
        for bridge in ("br-in", "br-out"):
            self.switch.ip("link", "add", bridge, "type", "bridge", "forward_delay", 0, "mcast_snooping", 0)
            self.switch.ip("link", "set", bridge, "up")
        self.client = self._host("client", "br-in", f"{CLIENT}/16", "fd00:1::2:3/64")
        self.client.ip("route", "add", "default", "via", NEXT_HOP)
        self.server = self._host("server", "br-out", f"{SERVER_WIRE}/24")
        self.server.address("lo", f"{SERVER}/32")
        self.server.start([PYTHON, PEERS / "echo_server.py", ECHO_PORT, SERVER])
        self.boxes = self.make_boxes(program)

    def make_boxes(self, program):
        return [Box(self, "a", 2, program), Box(self, "b", 3, program)]

    def _host(self, name, bridge, *addresses):
        host = Host(f"pair-{name}")
        wire(host, "eth0", self.switch, name)
        self.switch.ip("link", "set", name, "master", bridge)
        host.address("eth0", *addresses)
        return host

    def start(self):
        for box in self.boxes:
            box.start()
            box.start_keepalived()
        self.wait_settled()

    def wait(self, what, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not {what} in {seconds} s\n" + "".join(box.tell_all() for box in self.boxes))
            time.sleep(0.1)

    def wait_settled(self):
        """One is active, the other could take over, and the client gets answers."""
        self.wait("one active and one ready", lambda: len(self.active()) == 1 and all(box.is_ready() for box in self.boxes))

    def hear_each_other(self, side, do):
        """Whether the boxes' wires to a switch reach one another; everybody else reaches both."""
        for box in self.boxes:
            self.switch.run(["bridge", "link", "set", "dev", f"{box.name}-{side}", "isolated", "off" if do else "on"])

    def active(self):
        return [box for box in self.boxes if box.is_active()]

    def roles(self):
        """The active one, the other one."""
        active = self.active()
        if len(active) != 1:
            raise AssertionError(f"{len(active)} are active\n" + "".join(box.tell_all() for box in self.boxes))
        return active[0], next(box for box in self.boxes if box is not active[0])

    def close(self):
        for box in self.boxes:
            if box.process is not None:
                box.signal(signal.SIGCONT)
            if box.keepalived is not None:
                box.stop_keepalived()
            box.stop()
            box.host.remove()
        for host in (self.client, self.server, self.switch):
            host.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


class Peer:
    """A script of peers/ that says "ready", and what it has seen when it is ended."""

    def __init__(self, host, output, *command, seconds=20):
        self.output = output
        with open(output, "wb") as file:
            self.process = host.start([PYTHON, *command], stdout=file)
        end = time.monotonic() + seconds
        while not output.read_text().startswith("ready"):
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not start")
            time.sleep(0.02)

    def stop(self):
        namespaces.stop(self.process)
        return json.loads(self.output.read_text().splitlines()[-1])


class Watch:
    """While it runs: a stream of datagrams through whoever is active, and who answers ARP for the egress address."""

    def __init__(self, pair):
        self.pair = pair
        self.stream = Peer(pair.client, pair.folder / "stream", PEERS / "udp_stream.py", SERVER, ECHO_PORT)
        self.arp = Peer(pair.server, pair.folder / "arp", PEERS / "arp_watch.py", "eth0", SERVER_WIRE, EGRESS)
        time.sleep(0.3)

    def stop(self):
        self.sent, self.asked = self.stream.stop(), self.arp.stop()
        if not self.sent["answered"]:
            raise AssertionError("no datagram was ever answered\n" + "".join(box.tell_all() for box in self.pair.boxes))
        return self

    def gap_ms(self, since):
        """The longest time without an answer that ended after `since`."""
        return round(max([1000 * (end - begin) for begin, end in self.sent["gaps"] if end > since], default=0))

    def answering_at_most(self, since):
        """Stations that answered one ARP question."""
        return max([len(stations) for when, _, stations in self.asked["changes"] if when > since], default=0)


class Connections:
    """Opened at once, a line a second on each; they go on in the background."""
    LIMIT = 10  # seconds for an answer: what comes later is no connection that goes on

    def __init__(self, world, count, rounds, senders=()):
        self.output = world.folder / f"connections-{time.monotonic_ns()}"
        self.seconds = rounds * (self.LIMIT + 1) + 20
        with open(self.output, "wb") as file:
            self.process = world.client.start(
                [PYTHON, PEERS / "many_connections.py", SERVER, ECHO_PORT, count, rounds, 1, self.LIMIT, *senders], stdout=file)

    def go_on(self, enough=False):
        """How many were answered to the end, under the same address and port. `enough`: the end is now."""
        if enough:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(self.seconds)
        self.said = json.loads(self.output.read_text())
        return self.said["answered"]


def _restart(box):
    box.start()


def _start_keepalived(box):
    box.start_keepalived()


# What may happen to a box, and what makes it whole again. (In words, what happens, what mends it.)
EVENTS_OF_ANY = {
    "kill -9": (lambda box: box.kill(), _restart),
    "kill -STOP": (lambda box: box.signal(signal.SIGSTOP), lambda box: box.signal(signal.SIGCONT)),
    "no link inside": (lambda box: box.link("in", "down"), lambda box: box.link("in", "up")),
    "no link outside": (lambda box: box.link("out", "down"), lambda box: box.link("out", "up")),
    "stopped by SIGTERM": (lambda box: box.stop(), _restart),
}
# To the active one of a pair.
EVENTS = {
    **EVENTS_OF_ANY,
    "its worker stands still": (lambda box: box.hold_worker(), lambda box: box.let_worker_go()),
    "handed over: keepalived stopped": (lambda box: box.stop_keepalived(), _start_keepalived),
    "handed over: ha drain": (lambda box: box.ha("drain"), lambda box: None),
}
# What nobody is to notice, as the boxes hear each other on the other network.
CUTS = {
    "not heard by the other inside": "in",
    "not heard by the other outside": "out",
}


def take_over(pair, happen):
    """`happen` to the active one, until the other one is active: who it was, the watch, and since when (monotonic seconds)."""
    watch = Watch(pair)
    active, other = pair.roles()  # now: it may have changed while the watch began
    since = time.monotonic()
    happen(active)
    pair.wait("taken over", other.is_active, 10)
    time.sleep(1)
    return active, watch.stop(), since


def cut(pair, side, seconds=3):
    """The boxes do not hear each other on one network for a while, and all else is well: who was active, the watch, since when."""
    watch = Watch(pair)
    active, _ = pair.roles()
    since = time.monotonic()
    pair.hear_each_other(side, False)
    try:
        time.sleep(seconds)
        still, _ = pair.roles()
    finally:
        pair.hear_each_other(side, True)
    if still is not active:
        raise AssertionError("the other one took over\n" + "".join(box.tell_all() for box in pair.boxes))
    time.sleep(1)
    return active, watch.stop(), since


def upgrade(pair):
    """Both boxes get another process, one after the other, and the turn comes back to where it was; the watch, and since when."""
    watch = Watch(pair)
    since = time.monotonic()
    first, second = pair.roles()
    for box, other in ((second, first), (first, second)):
        box.stop_keepalived()
        pair.wait("handed over", lambda other=other: pair.active() == [other], 10)
        box.stop()
        box.start()
        box.start_keepalived()
        pair.wait_settled()
    second.stop_keepalived()
    pair.wait("handed back", lambda: pair.active() == [first], 10)
    second.start_keepalived()
    pair.wait_settled()
    time.sleep(1)
    return first, watch.stop(), since

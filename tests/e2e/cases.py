"""What the end-to-end tests share: the world, the gateway of a test class, and what clients do."""

import json
import pathlib
import time
import unittest

import namespaces
from gateway import Gateway
from servers import ECHO_PORT, PEERS, PYTHON, Recorder
from world import WORKLOADS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Set by the runner: the world, its servers, the program under test.
world = None
servers = None
program = None

# Everything may pass, under addresses that tell who sent it.
OPEN_POLICY = WORKLOADS + """
[[egress_network]]
namespace = "linkerd-egress"
name = "everything"
traffic_policy = "Allow"

[[egress]]
name = "egress-web"
applied_to = { pod_selector = { match_labels = { role = "web" } }, namespace_selector = { match_labels = { env = "prod" } } }
egress_ips = ["203.0.113.8", "2001:db8:113::8"]

[[egress]]
name = "egress-batch"
sources = ["10.1.3.0/24", "fd00:1::3:0/112"]
egress_ips = ["203.0.113.9", "2001:db8:113::9"]

[snat]
addresses = ["203.0.113.1", "2001:db8:113::1"]
"""
EGRESS = {"web": ("203.0.113.8", "2001:db8:113::8"), "batch": ("203.0.113.9", "2001:db8:113::9"),
          "guest": ("203.0.113.1", "2001:db8:113::1")}


def linkerd_policy():
    return (ROOT / "examples" / "linkerd.toml").read_text(encoding="utf-8")


class GatewayCase(unittest.TestCase):
    """One gateway for the tests of a class; it has to end well."""

    driver = "net_af_packet"
    workers = 1
    policy = OPEN_POLICY
    more = ""
    port_more = ("", "")  # of [[port]], inside and outside

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(world, program, cls.policy, cls.driver, cls.workers, cls.more, port_more=cls.port_more)
        try:
            cls.gateway.start()
        except BaseException:
            cls.gateway.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        unaccounted = cls.unaccounted()
        status = cls.gateway.stop()
        log = cls.gateway.log()
        (cls.gateway.folder / "log").unlink()
        if status not in (0, None) or "Sanitizer" in log:
            raise AssertionError(f"the gateway ended with status {status}:\n{log[-6000:]}")
        if unaccounted:
            raise AssertionError(f"{unaccounted} packets were received and neither transmitted, held, nor dropped by a reason")

    @classmethod
    def unaccounted(cls):
        """Every packet ends under a name. Some may be on their way while the counters are read, so quiet is waited for."""
        for _ in range(20):
            sums = cls.gateway.show("reasons")
            difference = sums["received"] - sums["transmitted"] - sums["held"] - sum(sums["reasons"].values())
            if difference == 0:
                break
            time.sleep(0.1)
        return difference

    # -- what clients do

    def curl(self, pod, name, address, *more, path="/", scheme="https", port=None):
        """curl's answer, as run() gives it."""
        port = port or (443 if scheme == "https" else 80)
        shown = f"[{address}]" if ":" in address else address
        return world.pods[pod].run(
            ["curl", "--silent", "--show-error", "--max-time", "8", "--cacert", servers.authorities, "--resolve",
             f"{name}:{port}:{shown}", *more, f"{scheme}://{name}:{port}{path}"], check=False)

    def ask_udp(self, pod, address, port=ECHO_PORT, text="hello"):
        """What the echo server answers, or the name of the error that the socket gave."""
        return world.pods[pod].run([PYTHON, PEERS / "ask_udp.py", address, port, text]).stdout.strip()

    def connections(self, pod, address, count, rounds=1, pause=0.0, port=ECHO_PORT, timeout=60):
        done = world.pods[pod].run([PYTHON, PEERS / "many_connections.py", address, port, count, rounds, pause],
                                   timeout=timeout)
        return json.loads(done.stdout)

    def assert_answered(self, report, count, source):
        self.assertEqual((report["answered"], report["error_count"], report["sources"]), (count, 0, [source]), report)

    def start(self, pod, command, output):
        """A client that goes on in the background, at most until the test is over; what it prints is in the world's folder."""
        with open(world.folder / output, "wb") as file:
            process = world.pods[pod].start(command, stdout=file)
        self.addCleanup(namespaces.stop, process)
        return process

    # -- what the servers saw

    def record_server(self, expression=""):
        return Recorder(world.server, "eth0", world.folder, expression)

    def record_outside(self, expression=""):
        """What leaves the gateway."""
        return Recorder(world.internet, "customer", world.folder, expression)

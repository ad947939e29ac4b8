"""[workers] idle = "adaptive": what a gateway without traffic costs, and how soon it is there when there is some."""

import json
import os
import pathlib
import time

import cases
from cases import GatewayCase
from servers import ECHO_PORT, PEERS, PYTHON
from world import SERVER

PAUSES = 100
PAUSE = 0.02  # seconds: long after the worker has gone to sleep


class Adaptive(GatewayCase):
    busy_max = 0.05  # of a processor, each worker
    wakes = "wakes its worker"  # a port

    def busy(self, seconds=3):
        """The part of a processor that each worker takes."""
        tasks = [task for task in pathlib.Path(f"/proc/{self.gateway.process.pid}/task").iterdir()
                 if (task / "comm").read_text().startswith("rte-worker")]
        self.assertEqual(len(tasks), self.workers)

        def taken():
            return [int((task / "schedstat").read_text().split()[0]) for task in tasks]
        before, began = taken(), time.monotonic_ns()
        time.sleep(seconds)
        lasted = time.monotonic_ns() - began
        return [(after - earlier) / lasted for earlier, after in zip(before, taken(), strict=True)]

    def test_without_traffic_it_takes_next_to_nothing(self):
        self.assertLess(max(busy := self.busy()), self.busy_max, busy)
        self.print_figure("part of a processor", max(busy))

    def test_it_is_awake_when_a_packet_comes(self):
        done = cases.world.pods["web"].run([PYTHON, PEERS / "udp_pauses.py", SERVER[0], ECHO_PORT, PAUSES, PAUSE], timeout=60)
        took = json.loads(done.stdout)
        self.assertEqual(len(took), PAUSES)
        self.print_figure("microseconds there and back", took[PAUSES // 2])

    def test_it_says_that_its_ports_wake_it(self):
        self.assertEqual(self.gateway.log().count(self.wakes), 2)

    def test_the_control_socket_wakes_it(self):
        began = time.monotonic()
        for _ in range(20):
            self.gateway.show("flows")
        self.assertLess(time.monotonic() - began, 5)

    def print_figure(self, what, figure):
        if "SALLYPORT_FIGURES" in os.environ:
            print(f"{type(self).__name__}: {what}: {figure:.4g}", flush=True)


class AdaptiveCrew(Adaptive):
    """One queue for two workers: who has none is woken by who has."""

    workers = 2


class AdaptiveXdp(Adaptive):
    driver = "net_af_xdp"


class AdaptiveNoLink(Adaptive):
    """A port that is down leaves an error in its socket."""

    def setUp(self):
        cases.world.gateway.ip("link", "set", "wan0", "down")
        self.addCleanup(cases.world.gateway.ip, "link", "set", "wan0", "up")

    test_it_is_awake_when_a_packet_comes = None

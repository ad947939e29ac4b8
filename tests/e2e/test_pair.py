"""Two gateways and real keepalived: whatever happens to the active one, the other one takes over, and an egress address is
answered for by one of them."""

import time
import unittest

import cases
from pair import CUTS, EGRESS, EVENTS, Box, Connections, Pair, Watch, by_ipv6, cut, take_over, upgrade

# The goal is 1000, which a machine keeps that does nothing else (docs/HA.md has what was measured); this one runs tests.
GAP_MS = 5000


def patient(text):
    """keepalived.conf for a machine that runs tests: it may let keepalived itself wait for most of a second."""
    return Box.adapt(text, {"advert_int 0.2": "advert_int 0.5"})


class Takeover(unittest.TestCase):
    keepalived = staticmethod(patient)

    @classmethod
    def setUpClass(cls):
        cls.pair = Pair(cases.program, cls.keepalived)
        cls.addClassCleanup(cls.pair.close)
        cls.pair.start()

    def after(self, name):
        """Who it happened to, and what mends it."""
        happen, mend = EVENTS[name]
        box, watch, since = take_over(self.pair, happen)
        gap = watch.gap_ms(since)
        print(f"         {name}: {gap} ms without an answer", flush=True)
        said = f"{watch.asked}\n" + "".join(one.tell_all() for one in self.pair.boxes)
        self.assertLess(gap, GAP_MS, said)
        self.assertLessEqual(watch.answering_at_most(since), 1, said)
        # Under the same port, too: for the server it is the same flow.
        self.assertEqual([seen.split(":")[0] for seen in watch.sent["seen"]], [EGRESS], said)
        return box, lambda: mend(box)

    def test_killed(self):
        _, mend = self.after("kill -9")
        mend()
        self.pair.wait_settled()

    def test_stopped_and_back(self):
        stopped, mend = self.after("kill -STOP")
        watch = Watch(self.pair)
        since = time.monotonic()
        mend()
        time.sleep(2)
        watch.stop()
        said = "".join(one.tell_all() for one in self.pair.boxes)
        self.assertFalse(stopped.is_active(), said)
        self.assertLessEqual(watch.answering_at_most(since), 1, said)
        self.assertLess(watch.gap_ms(since), GAP_MS, said)
        self.pair.wait_settled()

    def test_no_link_outside(self):
        dark, mend = self.after("no link outside")
        self.assertIn('port "outside" has no link', dark.ha("status").stderr)
        mend()
        self.pair.wait_settled()

    def test_its_worker_stands_still(self):
        dead, mend = self.after("its worker stands still")
        mend()
        # By its own fence, or as keepalived's check found the worker standing: whichever comes first.
        self.pair.wait("no more active", lambda: not dead.is_active(), 10)
        self.pair.wait_settled()

    def test_the_boxes_do_not_hear_each_other_on_one_network(self):
        for name, side in CUTS.items():
            with self.subTest(name):
                _, watch, since = cut(self.pair, side)
                self.assertLessEqual(watch.answering_at_most(since), 1, watch.asked)
                self.assertLess(watch.gap_ms(since), 1000)
                self.pair.wait_settled()

    def test_drained(self):
        drained, _ = self.after("handed over: ha drain")
        self.pair.wait_settled()
        self.assertFalse(drained.is_active())

    def test_rolling_upgrade_loses_no_connection(self):
        connections = Connections(self.pair, 100, rounds=100)
        _, watch, since = upgrade(self.pair)
        self.assertLessEqual(watch.answering_at_most(since), 1, watch.asked)
        self.assertEqual(connections.go_on(enough=True), 100, connections.said)

    def test_told_to_stop(self):
        _, mend = self.after("stopped by SIGTERM")
        mend()
        self.pair.wait_settled()


class TakeoverByIpv6(Takeover):
    """VRRP itself over IPv6."""
    keepalived = staticmethod(lambda text: by_ipv6(patient(text)))

    def test_killed(self):
        super().test_killed()
        active, other = self.pair.roles()
        addresses = [box.host.run(["ip", "-6", "address", "show", "dev", "sp-inside"]).stdout for box in (active, other)]
        self.assertIn("fd00:1::1/64", addresses[0])
        self.assertNotIn("fd00:1::1/64", addresses[1])

    # What does not depend on the family is told by Takeover.
    test_stopped_and_back = test_its_worker_stands_still = test_told_to_stop = None
    test_drained = test_rolling_upgrade_loses_no_connection = None


if __name__ == "__main__":
    unittest.main()

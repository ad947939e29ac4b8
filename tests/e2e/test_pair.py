"""Two gateways and real keepalived: whatever happens to the active one, the other one takes over, and an egress address is
answered for by one of them."""

import time
import unittest

import cases
from pair import EGRESS, EVENTS, Pair, Watch, take_over

# The goal is 1000, which a machine keeps that does nothing else (docs/HA.md has what was measured); this one runs tests.
GAP_MS = 5000


class Takeover(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pair = Pair(cases.program)
        try:
            cls.pair.start()
        except BaseException:
            cls.pair.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.pair.close()

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

    def test_told_to_stop(self):
        _, mend = self.after("stopped by SIGTERM")
        mend()
        self.pair.wait_settled()


if __name__ == "__main__":
    unittest.main()

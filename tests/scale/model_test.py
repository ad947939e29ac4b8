"""Does the model agree with what can be said without it?"""

import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import fleet_model as model  # noqa: E402

KEYS = [(i * 2654435761) % model.HASH for i in range(40_000)]


class Membership(unittest.TestCase):
    def goes(self, spread, count, gone):
        now = spread(range(count))
        return model.change(now, now.without(gone), KEYS, gone)

    def test_resilient_loses_those_of_the_one_that_goes_and_no_other(self):
        for count in (2, 5, 16):
            of_all, of_others = self.goes(model.Resilient, count, count - 1)
            self.assertEqual(of_others, 0)
            self.assertAlmostEqual(of_all, 1 / count, delta=0.01)

    def test_resilient_gives_a_new_one_its_share_and_moves_no_more(self):
        for count in (1, 4, 15):
            now = model.Resilient(range(count))
            after = now.beside(count)
            self.assertAlmostEqual(model.change(now, after, KEYS)[0], 1 / (count + 1), delta=0.01)
            self.assertLess(model.fullest(after, KEYS), 1.1)
            self.assertTrue(all(b == count or a == b for a, b in zip(now.table, after.table)))

    def test_modulo_keeps_one_in_n(self):
        for count in (4, 8, 16):
            self.assertAlmostEqual(self.goes(model.Modulo, count, count - 1)[0], 1 - 1 / count, delta=0.02)

    def test_threshold_is_between_as_rfc_2992_says(self):
        for count in (8, 16, 32):
            self.assertAlmostEqual(self.goes(model.Threshold, count, count - 1)[0], 1 / 2, delta=0.03)  # at the edge
            self.assertAlmostEqual(self.goes(model.Threshold, count, count // 2)[0], 1 / 4 + 1 / (4 * count), delta=0.05)

    def test_every_spread_is_even_and_of_one_mind(self):
        for spread in model.SPREADS:
            now = spread(range(7))
            self.assertLess(model.fullest(now, KEYS), 1.1)
            self.assertEqual([now.member(key) for key in KEYS[:100]], [spread(range(7)).member(key) for key in KEYS[:100]])
            self.assertEqual({now.without(3).member(key) for key in KEYS}, set(range(7)) - {3})


class Addresses(unittest.TestCase):
    def test_shares_are_those_of_all(self):
        self.assertAlmostEqual(sum(model.zipf_share(rank, 50, 1.1) for rank in range(1, 51)), 1)
        self.assertAlmostEqual(model.zipf_share(1, 3, 1), 6 / 11)

    def test_what_is_said_to_be_enough_is_enough(self):
        for flows in (60_000, 1_000_000):
            addresses = model.addresses_for(flows, 1)
            self.assertLess(model.fullest_address(flows, addresses, seed=3), 1)
            self.assertGreater(model.fullest_address(flows, max(1, int(addresses * 0.7)), seed=3), 0.9)


class Sizing(unittest.TestCase):
    figures = {"ns_per_packet": 100, "ns_device": 0, "bytes_per_flow": 400}
    machine = {"workers": 10, "busy": 1.0, "flow_bytes": 4_000_000, "wire_bits": 1e11}

    def test_the_scarcest_decides_and_one_is_to_spare(self):
        packets_for = 8 * (105 + 20)
        self.assertEqual(model.sizing(1e7 * packets_for, 105, 1, self.figures, self.machine)["workers"], 1)
        by_packets = model.sizing(2e8 * packets_for, 105, 1, self.figures, {**self.machine, "wire_bits": 1e15})
        self.assertEqual((by_packets["by_packets"], by_packets["machines"]), (2, 3))
        self.assertEqual(model.sizing(1e6, 105, 30_000, self.figures, self.machine)["machines"], 4)
        self.assertEqual(model.sizing(5e11, 100_000, 1, self.figures, self.machine)["by_wires"], 5)


class Page(unittest.TestCase):
    def test_says_what_the_model_says(self):
        done = subprocess.run([sys.executable, HERE / "run", "--check"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()

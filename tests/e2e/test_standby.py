"""Whose turn it is, said by hand: what a gateway does and leaves while another one stands in for it."""

import json
import signal
import threading
import time
import unittest

import cases
import namespaces
from cases import EGRESS, GatewayCase
from pair import Peer
from servers import PEERS
from world import GATEWAY_INSIDE, GATEWAY_OUTSIDE, NEXT_HOP, SERVER


class StandsBy(GatewayCase):
    more = '[ha]\nstart = "standby"\nfence_after = "2s"\n[metrics]\nlisten = "127.0.0.1:9464"\n'

    def ha(self, word, *more):
        return self.gateway.host.run([self.gateway.program, "ha", word, "--socket", self.gateway.socket_path, *more], check=False)

    def status(self):
        return json.loads(self.ha("status", "--json").stdout)

    def setUp(self):
        self.assertEqual(self.ha("standby").returncode, 0)

    def neighbours(self, seconds=0.5):
        """What the next hop hears when it asks for the gateway's own address and for an egress address."""
        peer = Peer(cases.world.internet, cases.world.folder / "arp", PEERS / "arp_watch.py", "customer", NEXT_HOP[0],
                    GATEWAY_OUTSIDE[0], EGRESS["web"][0])
        time.sleep(seconds)
        return peer.stop()

    def answers_arp(self, address):
        return any(stations for _, asked, stations in self.neighbours()["changes"] if asked == address)

    def test_forwards_nothing_and_answers_for_its_own_addresses_alone(self):
        self.assertEqual(self.status()["state"], "standby")
        before = self.gateway.show("reasons")
        self.assertIn(self.ask_udp("web", SERVER[0]), ("ETIMEDOUT", "EHOSTUNREACH"))
        after = self.gateway.show("reasons")
        self.assertGreater(after["reasons"]["standby"], before["reasons"]["standby"])
        self.assertEqual(after["flows"]["opened"], before["flows"]["opened"])
        cases.world.pods["web"].run(["ping", "-c", "1", "-W", "2", GATEWAY_INSIDE[0]])
        self.assertTrue(self.answers_arp(GATEWAY_OUTSIDE[0]))
        self.assertFalse(self.answers_arp(EGRESS["web"][0]))
        self.assertIn("sallyport_active 0", self.gateway.host.run(["curl", "-s", "http://127.0.0.1:9464/metrics"]).stdout)

    def test_active_forwards_announces_and_repeats_it(self):
        told = threading.Timer(2, lambda: self.ha("active"))
        told.start()
        heard = self.neighbours(13.5)
        told.join()
        times = [when for when, address, _ in heard["announced"] if address == EGRESS["web"][0]]
        self.assertEqual([round(when - times[0]) for when in times], [0, 1, 5, 10], heard)
        self.assert_answered(self.connections("web", SERVER[0], 2), 2, EGRESS["web"][0])

    def test_standby_again_disowns(self):
        self.ha("active")
        self.assertTrue(self.answers_arp(EGRESS["web"][0]))
        self.assertEqual(self.ha("standby").returncode, 0)
        self.assertFalse(self.answers_arp(EGRESS["web"][0]))

    def egress_routes(self):
        """What the kernel would answer ARP for beside its own addresses."""
        return [line for line in self.gateway.host.ip("route", "show", "table", "local").stdout.splitlines()
                if EGRESS["web"][0] in line]

    def test_its_interfaces_outlive_it_and_begin_anew(self):
        self.ha("active")
        self.assertTrue(self.egress_routes())
        number = self.gateway.host.run(["cat", "/sys/class/net/sp-outside/ifindex"]).stdout
        self.gateway.kill()
        self.assertIn("NO-CARRIER", self.gateway.host.ip("link", "show", "sp-outside").stdout)
        self.assertFalse(self.answers_arp(EGRESS["web"][0]) or self.answers_arp(GATEWAY_OUTSIDE[0]))
        self.gateway.start()
        self.assertEqual(self.gateway.host.run(["cat", "/sys/class/net/sp-outside/ifindex"]).stdout, number)
        self.assertFalse(self.egress_routes() or self.answers_arp(EGRESS["web"][0]))
        self.assertTrue(self.answers_arp(GATEWAY_OUTSIDE[0]))

    def test_a_stopped_one_that_goes_on_announces_nothing(self):
        """Another one has the addresses by then: what was to be said again meanwhile is not said, whoever tells it to stand by."""
        for attempt in range(3):
            with self.subTest(attempt=attempt):
                self.assertEqual(self.ha("active").returncode, 0)
                self.gateway.process.send_signal(signal.SIGSTOP)
                time.sleep(1.5)  # after a second it would have been said again
                told = threading.Thread(target=self.ha, args=["standby"])
                told.start()
                time.sleep(0.3)
                threading.Timer(0.2, self.gateway.process.send_signal, [signal.SIGCONT]).start()
                heard = self.neighbours(1)
                told.join()
                self.assertEqual([one for one in heard["announced"] if one[1] == EGRESS["web"][0]], [])

    def link_news(self, state, seconds=3):
        """How long until the kernel tells of sp-inside that it cannot send, or can, once its wire is down, or up."""
        with open(cases.world.folder / "links", "wb+") as heard:
            monitor = self.gateway.host.start(["ip", "-o", "monitor", "link", "dev", "sp-inside"], stdout=heard)
            try:
                time.sleep(0.3)
                begin = time.monotonic()
                cases.world.switch.ip("link", "set", "uplink", state)
                wanted = b"state UP" if state == "up" else b"state D"  # DORMANT or DOWN
                while wanted not in (cases.world.folder / "links").read_bytes() and time.monotonic() < begin + seconds:
                    time.sleep(0.01)
                return time.monotonic() - begin
            finally:
                namespaces.stop(monitor)

    def test_a_dead_wire_is_told_at_once(self):
        # The kernel by itself tells of the second link that changes within a second when that second is over.
        self.addCleanup(cases.world.switch.ip, "link", "set", "uplink", "up")
        for attempt in range(3):
            with self.subTest(attempt=attempt):
                self.assertLess(self.link_news("down"), 0.8)
                self.assertLess(self.link_news("up"), 3)

    def test_a_stopped_one_is_found_stopped_and_steps_down(self):
        self.ha("active")
        self.gateway.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.gateway.process.send_signal, signal.SIGCONT)
        self.assertFalse(self.answers_arp(EGRESS["web"][0]))
        asked = time.monotonic()
        done = self.ha("status")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no answer within 2000 ms", done.stderr)
        self.assertLess(time.monotonic() - asked, 5)
        self.gateway.process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        done = self.ha("status")
        self.assertEqual((done.returncode, done.stdout.strip()), (1, "standby"))
        self.assertIn("it was stopped", done.stderr)
        self.assertFalse(self.answers_arp(EGRESS["web"][0]))
        self.assertEqual(self.ha("standby").returncode, 0)
        self.assertEqual(self.ha("status").returncode, 0)


if __name__ == "__main__":
    unittest.main()

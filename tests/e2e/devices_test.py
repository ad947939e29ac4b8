#!/usr/bin/python3
"""Every kind of device that needs no hardware: the gateway opens it, is ready, and lists it; over memif, packets pass.

devices_test.py SALLYPORT SALLYPORT-PKTGEN: as root, in network namespaces of their own.
"""

import json
import os
import struct
import subprocess
import sys
import time
import unittest

import cli
from cli import CONFIGURATION, Cli, sallyport

POLICY = """
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"

[snat]
addresses = ["203.0.113.1"]
"""
NAMES_POLICY = POLICY.replace('"Allow"', '"Deny"') + """
[[tls_route]]
namespace = "linkerd-egress"
name = "good"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["good.example", "*.good.example"]
"""
MEMIF = "net_memif{n},role={role},id={n},socket={folder}/{n}.sock,socket-abstract=no"
KINDS = {
    "net_null": "net_null{n}",
    "net_ring": "net_ring{n}",
    "net_tap": "net_tap{n},iface=wire{n}",
    "net_pcap": "net_pcap{n},rx_pcap={folder}/in.pcap,tx_pcap={folder}/out{n}.pcap",
    "net_memif": MEMIF.replace("{role}", "server"),
}
PKTGEN = os.path.abspath(sys.argv.pop(2))


@unittest.skipUnless(os.geteuid() == 0, "only root may open devices")
class Devices(Cli):
    def setUp(self):
        super().setUp()
        self.socket = self.folder / "c.sock"

    def run_on(self, device, policy=POLICY):
        """A running gateway whose two ports are devices of one kind."""
        self.write("policy.toml", policy)
        text = CONFIGURATION + f'[limits]\nflows = 4000\nheld_bytes = "1M"\n[control]\nsocket = "{self.socket}"\n'
        for n in (0, 1):
            text = text.replace(f"net_null{n}", device.format(n=n, folder=self.folder))
        log = self.folder / "log"
        with open(log, "wb") as output:
            gateway = subprocess.Popen(["unshare", "--net", cli.program, "run", "--config", self.write("sallyport.toml", text),
                                        "--state", self.folder / "state"], stderr=output, stdin=subprocess.DEVNULL)
        self.addCleanup(self.stop, gateway)
        end = time.monotonic() + 60
        while ": ready, " not in log.read_text():
            self.assertIsNone(gateway.poll(), log.read_text())
            self.assertLess(time.monotonic(), end, log.read_text())
            time.sleep(0.1)
        return gateway

    @staticmethod
    def stop(gateway):
        gateway.terminate()
        gateway.wait(timeout=60)

    def show(self, what):
        done = sallyport("show", what, "--json", "--socket", self.socket)
        self.assert_status(done, 0)
        return json.loads(done.stdout)

    def test_each_kind_is_opened_and_given_back(self):
        frame = bytes.fromhex("ffffffffffff0200000000020806000108000604000102000000000200000000000000000000") + bytes(22)
        (self.folder / "in.pcap").write_bytes(struct.pack("<IHHiIIIIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1, 0, 0, 60, 60) + frame)
        for driver, device in KINDS.items():
            with self.subTest(driver):
                gateway = self.run_on(device)
                self.assertEqual([port["driver"] for port in self.show("ports")["ports"]], [driver] * 2)
                self.stop(gateway)
                self.assertEqual(gateway.returncode, 0, (self.folder / "log").read_text())

    def test_packets_pass_from_memif_to_memif(self):
        self.run_on(KINDS["net_memif"])
        inside, outside = (MEMIF.format(n=n, role="client", folder=self.folder) for n in (0, 1))
        done = subprocess.run(
            [PKTGEN, "udp", "--device", inside, "--receive-device", outside, "--gateway", "10.0.0.1", "--answer", "203.0.113.254",
             "--from", "10.0.0.5", "--to", "198.51.100.7", "--flows", "10", "--seconds", "1", "--rate", "1000", "--json"],
            capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
        self.assert_status(done, 0)
        report = json.loads(done.stdout)
        # The first ones are too many to wait for the next hop's address.
        self.assertGreater(report["received"], 0.8 * report["sent"])
        self.assertEqual(self.show("reasons")["transmitted"], report["received"])

    def test_connections_pass_by_the_name_in_their_hello(self):
        """As many as name an allowed host are answered, the others reset, and none is forgotten while it is open."""
        self.run_on(KINDS["net_memif"], NAMES_POLICY)
        inside, outside = (MEMIF.format(n=n, role="client", folder=self.folder) for n in (0, 1))
        ends = [PKTGEN, "connect", "--device", inside, "--receive-device", outside, "--gateway", "10.0.0.1", "--answer",
                "203.0.113.254,10.0.0.0/24", "--to", "198.51.100.7", "--rate", "400", "--json"]
        names = self.write("names", "good.example\nwww.good.example\nbad.example\n")
        for hello in (["--from", "10.0.0.5"], ["--from", "10.0.0.6", "--post-quantum"]):
            done = subprocess.run([*ends, "--names", names, "--open", "200", "--seconds", "2", "--timeout", "10", *hello],
                                  capture_output=True, text=True, check=False, timeout=90, stdin=subprocess.DEVNULL)
            self.assert_status(done, 0)
            report = json.loads(done.stdout)
            # The first ones are too many to wait for the next hop's address, and nothing is sent twice.
            self.assertGreater(report["answered"], 20, report)
            self.assertEqual(report["attempted"], report["closed"] + report["reset"] + report["timed_out"], report)
            self.assertEqual((report["closed"], report["timed_out_at"]["fin"]), (report["answered"], 0), report)
            self.assertAlmostEqual(report["reset"] / (report["reset"] + report["answered"]), 1 / 3, delta=0.1, msg=report)


if __name__ == "__main__":
    cli.main()

#!/usr/bin/python3
"""sallyport setup on this machine's own interfaces, on a terminal, and over a tree that only looks like /sys.

setup_test.py SALLYPORT: as root with interfaces of its own, in a network namespace.
"""

import json
import os
import pathlib
import pty
import subprocess
import threading
import time
import unittest

import cli
from cli import Cli, sallyport

# /sys shows the interfaces of the namespace that it was mounted in.
NAMESPACE = ["unshare", "--net", "--mount", "sh", "-ec", """
mount -t sysfs sysfs /sys
ip link add lan0 type veth peer name lan1
ip link add wan0 type veth peer name wan1
ip link set lan0 up
ip link set lan1 up
ip address add 10.8.0.1/24 dev lan0
exec "$@"
""", "sh"]


class Setup(Cli):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "etc" / "sallyport.toml"

    def setup_words(self, *words):
        return ["setup", *words, "--output", self.output]

    @staticmethod
    def in_namespace(*words):
        return subprocess.run([*NAMESPACE, cli.program, *map(str, words)], capture_output=True, text=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL)

    def assert_valid(self):
        self.assert_status(sallyport("check", "--strict", "--config", self.output), 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root makes interfaces")
    def test_interfaces_of_the_kernel(self):
        done = self.in_namespace("setup", "--list", "--json")
        self.assert_status(done, 0)
        ports = {port["name"]: port for port in json.loads(done.stdout)["ports"]}
        self.assertEqual(ports["lan0"]["addresses"], ["10.8.0.1/24"])
        self.assertEqual((ports["lan0"]["state"], ports["wan0"]["state"]), ("has addresses", "free"))
        self.assertEqual((ports["lan0"]["link"], ports["wan0"]["link"]), (True, None))
        self.assertIn("LINK", self.in_namespace("setup", "--list").stdout)

        ends = self.setup_words("--inside", "lan0", "--outside", "wan0", "--outside-address", "203.0.113.2/24", "--gateway",
                                "203.0.113.254")
        done = self.in_namespace(*ends)
        self.assert_status(done, 0)
        self.assertIn("ip address flush dev lan0", done.stdout)
        self.assertIn('addresses = ["10.8.0.1/24"]', self.output.read_text(encoding="utf-8"))
        self.assert_valid()
        first = self.output.read_text(encoding="utf-8")
        done = self.in_namespace(*ends)
        self.assert_status(done, 1)
        self.assert_one_line(done.stderr)
        self.assert_status(self.in_namespace(*ends, "--force", "--gateway", "203.0.113.253"), 0)
        self.assertEqual(self.output.with_name("sallyport.toml.old").read_text(encoding="utf-8"), first)
        self.assert_valid()

    def test_mistakes_have_remedies(self):
        for status, hint, words in [
                (2, "--inside PORT is missing", []),
                (3, "there is no port nope0", ["--inside", "nope0", "--outside", "net_null1"]),
                (2, "--huge-pages", ["--huge-pages", "many"]),
                (1, "nothing is written", ["--inside", "net_null0", "--outside", "net_null1", "--outside-address", "203.0.113.300/24"]),
                (3, "--bind: there is no port 99:00.0", ["--bind", "99:00.0"])]:
            with self.subTest(hint):
                done = sallyport(*self.setup_words(*words))
                self.assert_status(done, status)
                self.assert_one_line(done.stderr)
                self.assertIn(hint, done.stderr)
                self.assertFalse(self.output.exists())

    def test_on_a_terminal_it_asks(self):
        main_end, terminal = pty.openpty()
        answers = b"net_null0\nnet_null1\n10.7.0.1/16\n\n\nn\n"
        process = subprocess.Popen([cli.program, *map(str, self.setup_words())], stdin=terminal, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        os.write(main_end, answers)
        out, asked = process.communicate(timeout=60)
        os.close(main_end)
        os.close(terminal)
        self.assertEqual(process.returncode, 0, out + asked)
        self.assertIn("Which port is inside", asked)
        self.assertIn("huge pages", asked)
        self.assertIn(f"written: {self.output}", out)
        text = self.output.read_text(encoding="utf-8")
        for line in ('device = "net_null0"', 'addresses = ["10.7.0.1/16"]', 'addresses = ["203.0.113.2/24"]'):
            self.assertIn(line, text)
        self.assertIn('addresses = ["10.7.0.0/16"]', self.output.with_name("policy.toml").read_text(encoding="utf-8"))
        self.assert_valid()

    def make_card(self, pci="0000:01:00.0"):
        """A network card with the driver ixgbe, behind an IOMMU, in a tree of the test's own."""
        sysfs = self.folder / "sys"
        device = sysfs / "bus/pci/devices" / pci
        device.mkdir(parents=True)
        group = sysfs / "kernel/iommu_groups/7"
        (group / "devices").mkdir(parents=True)
        (group / "devices" / pci).symlink_to(device)
        (device / "iommu_group").symlink_to(group)
        (device / "class").write_text("0x020000\n", encoding="utf-8")
        (device / "driver_override").write_text("(null)\n", encoding="utf-8")
        (sysfs / "bus/pci/drivers_probe").write_text("", encoding="utf-8")
        for driver in ("ixgbe", "vfio-pci"):
            (sysfs / "bus/pci/drivers" / driver).mkdir(parents=True)
            (sysfs / "bus/pci/drivers" / driver / "unbind").write_text("", encoding="utf-8")
        (device / "driver").symlink_to(sysfs / "bus/pci/drivers/ixgbe")
        pages = sysfs / "kernel/mm/hugepages/hugepages-2048kB"
        pages.mkdir(parents=True)
        (pages / "nr_hugepages").write_text("0\n", encoding="utf-8")
        return sysfs, device

    @staticmethod
    def bind_when_asked(sysfs, device):
        """The kernel's part: a device that a driver is looked for gets the one that driver_override names."""
        end = time.monotonic() + 30
        while not (sysfs / "bus/pci/drivers_probe").read_text(encoding="utf-8") and time.monotonic() < end:
            time.sleep(0.01)
        (device / "driver").unlink()
        (device / "driver").symlink_to(sysfs / "bus/pci/drivers" / (device / "driver_override").read_text(encoding="utf-8"))

    def test_a_card_is_bound_and_huge_pages_are_reserved(self):
        sysfs, device = self.make_card()
        words = self.setup_words("--sysfs", sysfs, "--etc", self.folder / "etc", "--inside", "01:00.0", "--outside", "net_null1",
                                 "--huge-pages", "64M", "--json")
        done = sallyport(*words)
        self.assert_status(done, 1)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(pathlib.Path(os.readlink(device / "driver")).name, "ixgbe")

        kernel = threading.Thread(target=self.bind_when_asked, args=(sysfs, device))
        kernel.start()
        done = sallyport(*words, "--yes")
        kernel.join()
        self.assert_status(done, 0)
        outcome = json.loads(done.stdout)
        self.assertEqual(outcome["bound"], ["0000:01:00.0"])
        self.assertIn(str(self.folder / "etc/tmpfiles.d/sallyport.conf"), outcome["written"])
        self.assertEqual((sysfs / "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages").read_text(encoding="utf-8"), "32")
        self.assertIn('device = "0000:01:00.0"', self.output.read_text(encoding="utf-8"))
        self.assert_valid()
        listed = json.loads(sallyport("setup", "--list", "--json", "--sysfs", sysfs).stdout)["ports"]
        self.assertEqual([(port["name"], port["state"]) for port in listed], [("0000:01:00.0", "ready for DPDK")])


if __name__ == "__main__":
    cli.main()

#!/usr/bin/python3
"""Mistakes at start: each is answered by one line that says what to do, and by the right status.

start_test.py SALLYPORT: as root also those that only devices show, in network namespaces of their own.
"""

import os
import subprocess
import unittest

import cli
from cli import CONFIGURATION, POLICY, Cli, sallyport


class Start(Cli):
    @staticmethod
    def in_namespace(*words, before=(), network=()):
        """With interfaces of its own: nothing here meets another gateway, or stays. `network`: what ip does there first."""
        alone = ["unshare", "--net"] if os.geteuid() == 0 else []
        if network:
            alone += ["sh", "-ec", "".join(f"ip {line}\n" for line in network) + 'exec "$@"', "sh"]
        return subprocess.run([*alone, *before, cli.program, *map(str, words)], capture_output=True, text=True, check=False,
                              timeout=60, stdin=subprocess.DEVNULL)

    def start(self, *changes, more="", words=(), limits='flows = 1000\nheld_bytes = "1M"', network=()):
        """What `run` says to a mistake; it must not come so far as to forward. The last line says what to do."""
        text = CONFIGURATION
        for old, new in changes:
            text = text.replace(old, new)
        text += f'[limits]\n{limits}\n[control]\nsocket = "{self.folder}/c.sock"\n' + more
        self.write("policy.toml", POLICY)
        done = self.in_namespace("run", "--config", self.write("sallyport.toml", text), "--state", self.folder / "state",
                                 *words, network=network)
        errors = [line for line in done.stderr.splitlines() if " error: " in line]
        self.assertEqual(len(errors), 1, done.stderr)
        return done, errors[0]

    def assert_told(self, start, status, *parts):
        done, error = start
        self.assert_status(done, status)
        for part in parts:
            self.assertIn(part, error)

    def test_mistakes_at_start_each_have_a_remedy(self):
        inside = '"net_null0"'
        mistakes = [
            (self.start((inside, '"0000:99:00.0"')), 3, "no PCI device 0000:99:00.0", "lspci"),
            (self.start((inside, '"net_af_packet,iface=nope0"')), 3, 'no interface "nope0"', "there are lo"),
            (self.start((inside, '"net_af_xdp"')), 3, "add iface=NAME"),
            (self.start((inside, '"0000:zz:00.0"')), 1, "mend the lines"),
            (self.start(more='[workers]\ncores = "1000"\n'), 3, "workers.cores", "may use"),
            (self.start(words=("--socket", "/proc/none/control.sock")), 3, "control socket", "--socket"),
            (self.start(words=("--socket", "/tmp/" + "x" * 120)), 3, "107 bytes", "shorter"),
        ]
        for mistake in mistakes:
            with self.subTest(mistake[2]):
                self.assert_told(*mistake)

    def test_a_configuration_that_is_not_there(self):
        done = sallyport("run", "--config", self.folder / "none.toml")
        self.assert_status(done, 3)
        self.assert_one_line(done.stderr)
        self.assertIn("--config", done.stderr)

    def test_show_of_something_that_is_no_socket(self):
        done = sallyport("show", "ports", "--socket", self.write("file", ""))
        self.assert_status(done, 3)
        self.assert_one_line(done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root may open devices")
    def test_mistakes_that_only_devices_show(self):
        inside = '"net_null0"'
        mistakes = [
            (self.start((inside, '"net_foo0"')), 3, "net_foo0", "docs/INSTALL.md"),
            (self.start((inside, '"net_pcap0,rx_pcap=none.pcap"')), 3, "none.pcap", "docs/INSTALL.md"),
            (self.start(more='[flow_log]\nfile = "/proc/none/flows"\n'), 3, "flow log", "[flow_log] file"),
            (self.start(more='[dpdk]\neal_args = ["--nonsense"]\n'), 3, "--nonsense", "mend [dpdk] eal_args"),
        ]
        for mistake in mistakes:
            with self.subTest(mistake[2]):
                self.assert_told(*mistake)

    @unittest.skipUnless(os.geteuid() == 0, "only root may make interfaces")
    def test_an_address_of_the_port_on_the_interface_itself(self):
        made = ["link add eth1 type veth peer name peer1", "address add 10.0.0.1/24 dev eth1"]
        start = self.start(('"net_null0"', '"net_af_packet,iface=eth1"'), network=made)
        self.assert_told(start, 3, "interface eth1 has the address 10.0.0.1 of its own", "ip address flush dev eth1")

    @unittest.skipUnless(os.geteuid() == 0, "only root may open devices")
    def test_limits_beyond_the_memory_are_refused_at_start(self):
        self.write("policy.toml", POLICY)
        text = CONFIGURATION + '[limits]\nflows = 200_000_000\nheld_bytes = "1T"\n'
        done = self.in_namespace("run", "--config", self.write("sallyport.toml", text), "--state", self.folder / "state",
                                 "--socket", self.folder / "c.sock")
        self.assert_status(done, 3)
        # One table alone may be more than the kernel promises, else their sum is more than there is.
        self.assertRegex(done.stderr.splitlines()[-1], r"limits: flows = .* lower them|lower \[limits\] flows or held_bytes")

    @unittest.skipUnless(os.geteuid() == 0, "only root may become another user")
    def test_without_permission(self):
        self.folder.chmod(0o777)
        self.write("policy.toml", POLICY)
        config = self.write("sallyport.toml", CONFIGURATION)
        done = self.in_namespace("run", "--config", config, "--state", self.folder / "state", "--socket",
                                 self.folder / "c.sock", before=["setpriv", "--reuid", "65534", "--regid", "65534",
                                                                 "--clear-groups"])
        self.assert_status(done, 3)
        self.assertIn("run as root, or with CAP_NET_ADMIN", done.stderr.splitlines()[-1])


if __name__ == "__main__":
    cli.main()

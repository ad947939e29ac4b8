#!/usr/bin/python3
"""Mistakes at start: each is answered by one line that says what to do, by the right status, and by a row of
docs/TROUBLESHOOTING.md.

start_test.py SALLYPORT OLDER_PROCESSOR: as root also those that only devices show, in network namespaces of their own.
"""

import dataclasses
import os
import pathlib
import re
import socket
import subprocess
import sys
import unittest

import cli
from cli import CONFIGURATION, POLICY, Cli, sallyport

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "TROUBLESHOOTING.md"
OLDER_PROCESSOR = os.path.abspath(sys.argv.pop(2))
INSIDE = '"net_null0"'
ETH1 = (INSIDE, '"net_af_packet,iface=eth1"')
VETH = "link add eth1 type veth peer name peer1"
# A tree of devices that has a network card with a driver of the kernel's.
BOUND = """mount -t tmpfs none /sys
mkdir -p /sys/bus/pci/devices/0000:99:00.0 /sys/bus/pci/drivers/ixgbe
ln -s ../../drivers/ixgbe /sys/bus/pci/devices/0000:99:00.0/driver
exec "$@"
"""
# The interface belongs to somebody already: whoever has this socket.
CLAIMED = r"""
import os, socket, sys
claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
claim.bind("\0sallyport/interface/eth1")
claim.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
"""
# What Docker gives, and the two that a gateway cannot do without; no more.
UNLOCKED = ("sh", "-ec", 'ulimit -l 64; exec setpriv --bounding-set=-all,+chown,+dac_override,+net_admin,+net_raw --inh-caps=-all "$@"',
            "sh")


@dataclasses.dataclass
class Mistake:
    row: str  # what the message says, and the page's row of it
    status: int
    remedy: str  # in the last line
    changes: tuple = ()  # of the configuration
    more: str = ""
    words: tuple = ()
    network: tuple = ()  # what ip does first, in a namespace of its own
    prepare: str = ""  # a method of Start
    before: tuple = ()
    root: bool = False
    limits: str = 'flows = 1000\nheld_bytes = "1M"'


NEEDS_NO_DEVICE = [
    Mistake("unknown key", 1, "mend the lines", more="surplus = 1\n"),
    Mistake("expected a PCI address", 1, "mend the lines", ((INSIDE, '"0000:zz:00.0"'),)),
    Mistake("stands at port[0].device already", 1, "mend the lines", (ETH1, ('"net_null1"', '"net_af_xdp,iface=eth1"'))),
    Mistake("no inside port", 1, "mend the lines", (('role = "inside"', 'role = "outside"'),)),
    Mistake("is in no network of the port's addresses", 1, "mend the lines", (('"203.0.113.254"', '"192.0.2.254"'),)),
    Mistake("is too small for IPv6", 1, "mend the lines", (('"10.0.0.1/24"', '"fd00::1/64"'), (INSIDE, INSIDE + "\nmtu = 1000"))),
    Mistake("whoever reaches this address could read", 1, "mend the lines", more='[metrics]\nlisten = "0.0.0.0:9464"\n'),
    Mistake("is not for a gateway", 1, "mend the lines", more='[dpdk]\neal_args = ["--help"]\n'),
    Mistake("no PCI device", 3, "lspci", ((INSIDE, '"0000:99:00.0"'),)),
    Mistake("no interface", 3, "there are lo", ((INSIDE, '"net_af_packet,iface=nope0"'),)),
    Mistake("stands on an interface of the kernel", 1, "mend the lines", ((INSIDE, '"net_af_xdp"'),)),
    Mistake("is not there or not allowed", 3, "this process may use", more='[workers]\ncores = "1000"\n'),
    Mistake("control socket", 3, "--socket", words=("--socket", "/proc/none/control.sock")),
    Mistake("the path is too long", 3, "name a shorter one", words=("--socket", "/tmp/" + "x" * 120)),
    Mistake("another gateway answers there", 3, "stop it", prepare="occupy_socket"),
    Mistake("not 32 hexadecimal digits", 3, "restore or remove it", prepare="break_pool_key"),
]
NEEDS_ROOT = [
    Mistake("carries this machine's default route", 3, "an interface of its own", (ETH1,), network=(
        VETH, "address add 192.0.2.1/24 dev eth1", "link set eth1 up", "link set peer1 up", "route add default via 192.0.2.2")),
    Mistake("has the address", 3, "ip address flush dev eth1", (ETH1,), network=(VETH, "address add 10.0.0.1/24 dev eth1")),
    Mistake("does not take an MTU of", 3, "lower the port's `mtu`", (ETH1, (ETH1[1], ETH1[1] + "\nmtu = 9000")), network=(
        "link add parent type veth peer name peer1", "link add eth1 link parent type macvlan")),
    Mistake("kernel twin", 3, "is another gateway running in this network namespace?", network=("link add sp-inside type veth peer name peer1",)),
    Mistake("/dev/net/tun", 3, "modprobe tun", before=("unshare", "--mount", "sh", "-ec", 'mount -t tmpfs none /dev/net; exec "$@"',
                                                       "sh")),
    Mistake("is bound to the kernel's driver ixgbe", 3, "sallyport setup --bind 0000:99:00.0", ((INSIDE, '"0000:99:00.0"'),),
            before=("unshare", "--mount", "sh", "-ec", BOUND, "sh")),
    Mistake("belongs to another gateway", 3, "stop that one", (ETH1,), network=(VETH,), before=("/usr/bin/python3", "-c", CLAIMED)),
    Mistake("may lock only", 3, "CAP_IPC_LOCK", (ETH1,), network=(VETH,), before=UNLOCKED),
    Mistake("AF_XDP wants CAP_SYS_ADMIN", 3, "take net_af_packet", ((INSIDE, '"net_af_xdp,iface=eth1"'),), network=(VETH,), before=(
        "setpriv", "--bounding-set=-all,+dac_override,+net_admin,+net_raw,+ipc_lock", "--inh-caps=-all")),
    Mistake("net_foo0", 3, "docs/INSTALL.md", ((INSIDE, '"net_foo0"'),)),
    Mistake("none.pcap", 3, "docs/INSTALL.md", ((INSIDE, '"net_pcap0,rx_pcap=none.pcap"'),)),
    Mistake("is another program listening there", 3, "name another address or port", more='[metrics]\nlisten = "127.1.2.3:9464"\n'),
    Mistake("[metrics] token_file", 3, "openssl rand", more='[metrics]\nlisten = "127.0.0.1:9464"\ntoken_file = "none"\n'),
    Mistake("flow log", 3, "[flow_log] file", more='[flow_log]\nfile = "/proc/none/flows"\n'),
    Mistake("DPDK does not start", 3, "mend [dpdk] eal_args", more='[dpdk]\neal_args = ["--nonsense"]\n'),
    Mistake("CAP_NET_ADMIN", 3, "run as root", prepare="open_folder", before=(
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")),
]
MISTAKES = [*NEEDS_NO_DEVICE, *(dataclasses.replace(one, root=True) for one in NEEDS_ROOT)]


class Start(Cli):
    @staticmethod
    def in_namespace(*words, before=(), network=()):
        """With interfaces of its own: nothing here meets another gateway, or stays."""
        alone = ["unshare", "--net"] if os.geteuid() == 0 else []
        if network:
            alone += ["sh", "-ec", "".join(f"ip {line}\n" for line in network) + 'exec "$@"', "sh"]
        return subprocess.run([*alone, *before, cli.program, *map(str, words)], capture_output=True, text=True, check=False,
                              timeout=60, stdin=subprocess.DEVNULL)

    def occupy_socket(self):
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(str(self.folder / "c.sock"))
        listening.listen()

    def break_pool_key(self):
        (self.folder / "state").mkdir(exist_ok=True)
        self.write("state/pool_key", "secret\n")

    def open_folder(self):
        self.folder.chmod(0o777)

    def start(self, mistake):
        """What `run` says to a mistake; it must not come so far as to forward. One error, and the last line says what to do."""
        text = CONFIGURATION
        for old, new in mistake.changes:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        text += f'[limits]\n{mistake.limits}\n[control]\nsocket = "{self.folder}/c.sock"\n' + mistake.more
        self.write("policy.toml", POLICY)
        if mistake.prepare:
            getattr(self, mistake.prepare)()
        done = self.in_namespace("run", "--config", self.write("sallyport.toml", text), "--state", self.folder / "state",
                                 *mistake.words, before=mistake.before, network=mistake.network)
        (self.folder / "c.sock").unlink(missing_ok=True)
        (self.folder / "state" / "pool_key").unlink(missing_ok=True)
        errors = [line for line in done.stderr.splitlines() if " error: " in line]
        self.assertEqual(len(errors), 1, done.stderr)
        return done, errors[0]

    def test_each_mistake_has_a_remedy(self):
        self.assertGreaterEqual(len(MISTAKES), 24)
        for mistake in MISTAKES:
            if mistake.root and os.geteuid() != 0:
                continue  # only root may open devices
            with self.subTest(mistake.row):
                done, error = self.start(mistake)
                self.assert_status(done, mistake.status)
                self.assertIn(mistake.row, done.stderr)
                self.assertIn(mistake.remedy, error)

    def test_each_mistake_has_a_row_and_each_row_a_mistake(self):
        rows = re.findall(r"(?m)^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8").split("\n## While it runs")[0])
        tried = [mistake.row for mistake in MISTAKES] + ["cannot be read", "limits: flows", "this processor has no"]
        self.assertEqual(sorted(rows), sorted(tried))

    def test_a_processor_that_is_too_old(self):
        """A program with the check of every other, and a need that no processor meets."""
        done = subprocess.run([OLDER_PROCESSOR], capture_output=True, text=True, check=False, timeout=60)
        self.assert_status(done, 3)
        self.assert_one_line(done.stderr)
        self.assertIn("this processor has no ", done.stderr)
        self.assertIn("make build CPU=native", done.stderr)
        self.assertEqual(done.stdout, "", "nothing of it has run")

    @unittest.skipUnless(os.geteuid() == 0, "only root may open devices")
    def test_no_huge_pages_is_a_warning_that_says_how_to_have_some(self):
        done, _ = self.start(next(mistake for mistake in MISTAKES if mistake.row == "net_foo0"))
        for line in done.stderr.splitlines():
            if "no huge pages for" in line:
                self.assertRegex(line, r" warning: .* `sallyport setup --huge-pages \d+M` reserves them$")
                return
        self.assertNotIn("HugePages_Free:        0", pathlib.Path("/proc/meminfo").read_text(encoding="utf-8"))

    def test_a_configuration_that_is_not_there(self):
        for name in ("none.toml", "."):
            done = sallyport("run", "--config", self.folder / name)
            self.assert_status(done, 3)
            self.assert_one_line(done.stderr)
            self.assertIn("--config", done.stderr)

    def test_show_of_something_that_is_no_socket(self):
        done = sallyport("show", "ports", "--socket", self.write("file", ""))
        self.assert_status(done, 3)
        self.assert_one_line(done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root may open devices")
    def test_limits_beyond_the_memory_are_refused_at_start(self):
        self.write("policy.toml", POLICY)
        text = CONFIGURATION + '[limits]\nflows = 200_000_000\nheld_bytes = "1T"\n'
        done = self.in_namespace("run", "--config", self.write("sallyport.toml", text), "--state", self.folder / "state",
                                 "--socket", self.folder / "c.sock")
        self.assert_status(done, 3)
        # One table alone may be more than the kernel promises, else their sum is more than there is.
        self.assertRegex(done.stderr.splitlines()[-1], r"limits: flows = .* lower them|lower \[limits\] flows or held_bytes")


if __name__ == "__main__":
    cli.main()

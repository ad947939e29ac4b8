"""What the tests of the commands share: a policy and a configuration to begin with, and how a command is run and judged."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

# Set by main(): the program under test.
program = None

POLICY = """
[[workload]]
namespace = "prod"
name = "web"
labels = { role = "web" }
addresses = ["10.1.2.0/24"]

[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Deny"

[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["httpbin.org"]

[[tcp_route]]
namespace = "linkerd-egress"
name = "plain"
parent_refs = [ { name = "all", namespace = "linkerd-egress", port = 80 } ]

[snat]
addresses = ["203.0.113.1"]

[[egress]]
name = "egress-web"
applied_to = { pod_selector = { match_labels = { role = "web" } } }
egress_ip = "203.0.113.8"
"""

CONFIGURATION = """
[gateway]
policy = "policy.toml"

[[port]]
name = "inside"
role = "inside"
device = "net_null0"
addresses = ["10.0.0.1/24"]

[[port]]
name = "outside"
role = "outside"
device = "net_null1"
addresses = ["203.0.113.2/24"]
gateway = ["203.0.113.254"]
"""


def sallyport(*arguments, **environment):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **environment))


class Cli(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def assert_status(self, done, status):
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)

    def assert_one_line(self, text):
        self.assertEqual(len(text.splitlines()), 1, text)

    def assert_wrong_usage(self, done, hint):
        self.assert_status(done, 2)
        self.assertEqual(done.stdout, "")
        self.assert_one_line(done.stderr)
        self.assertIn(hint, done.stderr)


def main():
    """The first word of the command line is the program; the rest is unittest's."""
    global program
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main(module="__main__")

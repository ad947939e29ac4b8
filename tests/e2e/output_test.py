#!/usr/bin/python3
"""Where output goes: what is written has arrived or the exit status says so, and "-" is the standard stream.

output_test.py SALLYPORT: needs no rights and no device.
"""

import pathlib
import subprocess

import cli
from cli import POLICY, Cli

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# A capture without a packet: magic, version 2.4, snap length, Ethernet.
EMPTY = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")


class Output(Cli):
    FLOW = ["--from", "10.1.2.3", "--to", "198.51.100.7", "--port", "80"]

    def test_a_full_disk_is_told(self):
        policy = self.write("policy.toml", POLICY)
        capture = self.folder / "empty.pcap"
        capture.write_bytes(EMPTY)
        yaml = ROOT / "examples" / "import" / "calico.yaml"
        for words in (["import", yaml], ["check", "--json", "--policy", policy], ["version"],
                      ["explain", "--json", "--policy", policy, *self.FLOW],
                      ["replay", "--policy", policy, "--in", capture], ["check", "--help"]):
            with self.subTest(words=words), open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([cli.program, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertEqual(done.stderr.splitlines()[-1], "sallyport: the output could not be written: No space left on "
                                                               "device: make room and try again")

    def test_a_minus_is_the_standard_stream(self):
        policy = self.write("policy.toml", POLICY)
        done = subprocess.run([cli.program, "replay", "--policy", policy, "--in", "-", "--out", "-"], input=EMPTY,
                              cwd=self.folder, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout[:4], bytes.fromhex("0a0d0d0a"), "pcapng, and nothing else")
        self.assertIn(b"packets", done.stderr)
        self.assertFalse((self.folder / "-").exists())
        twice = subprocess.run([cli.program, "replay", "--policy", policy, "--in", "-", "--out", "-", "--flows", "-"],
                               input=EMPTY, cwd=self.folder, capture_output=True, check=False)
        self.assertEqual(twice.returncode, 2, twice.stderr)


if __name__ == "__main__":
    cli.main()

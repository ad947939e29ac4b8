#!/usr/bin/python3
"""`sallyport explain --diff`: recorded flows, decided by two policies; and the pool key by which addresses are chosen.

diff_test.py SALLYPORT: needs no rights and no device.
"""

import json
import os
import subprocess

import cli
from cli import CONFIGURATION, POLICY, Cli, sallyport


class Diff(Cli):
    RECORD = {"event_type": "flow", "flow_id": 1, "src_ip": "10.1.2.3", "src_port": 41000, "dest_ip": "198.51.100.7",
              "dest_port": 443, "proto": "TCP", "app_proto": "tls", "tls": {"sni": "httpbin.org"},
              "verdict": {"action": "allow"}}

    def diff(self, records, *more, new=POLICY, raw=""):
        flows = self.write("flows.jsonl", "".join(json.dumps(dict(self.RECORD, **record)) + "\n" for record in records) + raw)
        return sallyport("explain", "--diff", self.write("old.toml", POLICY), self.write("new.toml", new), "--flows", flows,
                         *more)

    def test_the_same_policy_differs_in_nothing(self):
        done = self.diff([{}, {"dest_port": 80, "app_proto": "http", "tls": {}}])
        self.assert_status(done, 0)
        self.assertEqual(done.stderr, "")
        self.assertIn("2 flows: 0 with another verdict, 0 under another address, 2 as before", done.stdout)

    def test_differences_name_both_rules_and_their_places(self):
        new = POLICY.replace('["httpbin.org"]', '["other.example"]')
        done = self.diff([{}, {"tls": {"sni": "other.example"}}], new=new)
        self.assert_status(done, 1)
        self.assert_one_line(done.stderr)
        line = POLICY.splitlines().index("[[tls_route]]") + 1
        self.assertIn("line 1: 10.1.2.3:41000 -> 198.51.100.7:443 TCP httpbin.org\n", done.stdout)
        self.assertIn(f"  old: allow (route) by linkerd-egress/names, {self.folder}/old.toml:{line}; leaves as 203.0.113.8 "
                      "(egress egress-web)\n", done.stdout)
        self.assertIn("  new: deny (name_not_allowed) in linkerd-egress/all, ", done.stdout)
        self.assertIn("2 flows: 2 with another verdict", done.stdout)
        answer = json.loads(self.diff([{}, {"tls": {"sni": "other.example"}}], "--json", new=new).stdout)
        self.assertEqual([(d["old"]["verdict"]["action"], d["new"]["verdict"]["action"]) for d in answer["differences"]],
                         [("allow", "deny"), ("deny", "allow")])
        self.assertEqual(answer["summary"], {"flows": 2, "verdict": 2, "address": 0, "same": 0, "other_records": 0,
                                             "unreadable_lines": 0})

    def test_another_address(self):
        answer = json.loads(self.diff([{}], "--json", new=POLICY.replace("203.0.113.8", "203.0.113.9")).stdout)
        self.assertEqual(answer["differences"][0]["change"], "address")
        self.assertEqual(answer["differences"][0]["new"]["nat"], {"egress": "egress-web", "src_ip": "203.0.113.9"})

    def test_broken_lines_are_named_and_the_rest_is_read(self):
        done = self.diff([{}, {"src_ip": "nobody"}, {"event_type": "dns"}, {}], raw="x" * 100_000 + '\n\n{"event_type":"fl')
        self.assert_status(done, 1)
        self.assertRegex(done.stderr, r"flows\.jsonl:2: src_ip")
        self.assertRegex(done.stderr, r"flows\.jsonl:5: longer than")
        self.assertRegex(done.stderr, r"flows\.jsonl:7: no JSON")
        self.assertEqual(len(done.stderr.splitlines()), 4, done.stderr)
        self.assertIn("2 flows: 0 with another verdict", done.stdout)

    def test_from_standard_input(self):
        done = subprocess.run([cli.program, "explain", "--diff", self.write("p.toml", POLICY), self.write("q.toml", ""), "--flows",
                               "-"], input=json.dumps(self.RECORD) + "\n", capture_output=True, text=True, check=False)
        self.assert_status(done, 1)
        self.assertIn("new: deny (uncaptured)", done.stdout)

    def test_what_replay_writes_is_read(self):
        # Two hundred thousand flows in bounded memory, but for what AddressSanitizer keeps of what was freed.
        flows = self.write("flows.jsonl", (json.dumps(self.RECORD) + "\n") * 200_000)
        policy = self.write("policy.toml", POLICY)
        done = subprocess.run(["/usr/bin/time", "-f", "%M", cli.program, "explain", "--diff", policy, policy, "--flows", flows],
                              capture_output=True, text=True, check=False, timeout=600,
                              env=dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"))
        self.assert_status(done, 0)
        self.assertIn("200,000 flows", done.stdout)
        self.assertLess(int(done.stderr.splitlines()[-1]), 200_000)  # KiB; the file alone has 60,000

    def test_usage(self):
        policy = self.write("policy.toml", POLICY)
        self.assert_wrong_usage(sallyport("explain", "--diff", policy, "--flows", "f"), "--diff OLD NEW")
        self.assert_wrong_usage(sallyport("explain", "--diff", policy, policy), "--flows is missing")
        self.assert_wrong_usage(sallyport("explain", "--diff", policy, policy, "--flows", "f", "--port", "1"), "--port")
        self.assert_wrong_usage(sallyport("explain", "--policy", policy, "--flows", "f"), "only with --diff")
        done = sallyport("explain", "--diff", policy, policy, "--flows", self.folder / "none")
        self.assert_status(done, 3)
        self.assert_one_line(done.stderr)
        done = sallyport("explain", "--diff", policy, self.write("bad.toml", "surplus = 1\n"), "--flows", "-")
        self.assert_status(done, 1)
        self.assertIn("bad.toml:1:1: ", done.stderr)


class StateFolder(Cli):
    """Under which address? What explain says is what the gateway does that keeps its key in that folder."""

    KEY = "00112233445566778899aabbccddeeff"
    POOL = '[defaults]\nuncaptured = "allow"\n[snat]\naddresses = [' + ", ".join(f'"203.0.113.{i}"' for i in range(1, 250)) + "]\n"

    def explain(self, *more, status=0):
        done = sallyport("explain", "--json", "--policy", self.write("pool.toml", self.POOL), "--from", "10.0.0.77", "--to",
                         "198.51.100.7", "--port", "80", *more)
        self.assert_status(done, status)
        return done

    def address(self, *more):
        return json.loads(self.explain(*more).stdout)["nat"]["src_ip"]

    def test_its_pool_key_counts_where_the_configuration_names_none(self):
        config = self.write("sallyport.toml", CONFIGURATION)
        keyed = self.write("keyed.toml", CONFIGURATION + f'\n[nat]\npool_key = "{self.KEY}"\n')
        state = self.folder / "state"
        state.mkdir()
        (state / "pool_key").write_text(self.KEY + "\n", encoding="utf-8")
        expected = self.address("--config", keyed)
        self.assertNotEqual(self.address(), expected)
        self.assertEqual(self.address("--config", config, "--state", state), expected)
        self.assertEqual(self.address("--state", state), expected)
        self.assertIn("chosen by the source and pool_key", self.explain("--state", state).stdout)
        (state / "pool_key").write_text("0" * 32 + "\n", encoding="utf-8")
        self.assertEqual(self.address("--config", keyed, "--state", state), expected)

    def test_a_folder_without_one_is_an_error_and_stays_as_it_is(self):
        state = self.folder / "none"
        record = self.write("flows.jsonl", json.dumps(Diff.RECORD) + "\n")
        policy = self.write("policy.toml", self.POOL)
        for done in (self.explain("--state", state, status=3),
                     sallyport("explain", "--diff", policy, policy, "--flows", record, "--state", state)):
            self.assert_status(done, 3)
            self.assert_one_line(done.stderr)
            self.assertIn(f"{state}/pool_key: not there: name by --state", done.stderr)
        self.assertFalse(state.exists())


if __name__ == "__main__":
    cli.main()

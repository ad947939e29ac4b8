#!/usr/bin/python3
"""The commands as a user calls them: what they print where, and what they answer to the shell.

cli_test.py SALLYPORT: needs no rights and no device.
"""

import json
import os
import pathlib
import pty
import re
import subprocess
import unittest

import cli
from cli import CONFIGURATION, POLICY, Cli, sallyport

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"


class Usage(Cli):
    def test_help_is_on_stdout_and_done(self):
        for words in (["--help"], ["-h"], ["help"], ["help", "check"], *([command, "--help"] for command in (
                "run", "check", "explain", "import", "replay", "show", "reload", "version"))):
            with self.subTest(words=words):
                done = sallyport(*words)
                self.assert_status(done, 0)
                self.assertIn("Usage: sallyport", done.stdout)
                self.assertEqual(done.stderr, "")

    def test_version_names_what_it_stands_on(self):
        done = sallyport("--version")
        self.assert_status(done, 0)
        for part in ("sallyport", "DPDK", "Hyperscan", "OpenSSL", "SIMD"):
            self.assertRegex(done.stdout, rf"(?m)^{part} +\S")

    def test_wrong_usage_is_one_line_that_says_what_to_do(self):
        self.assert_wrong_usage(sallyport(), "--help")
        self.assert_wrong_usage(sallyport("explan"), 'did you mean "explain"?')
        self.assert_wrong_usage(sallyport("check", "--polcy", "x"), 'did you mean "--policy"?')
        self.assert_wrong_usage(sallyport("check", "stray"), "check --help")
        self.assert_wrong_usage(sallyport("explain", "--policy", "p", "--from", "10.0.0.300", "--to", "1.2.3.4"), "--from")
        self.assert_wrong_usage(sallyport("show", "flow"), 'did you mean "flows"?')
        self.assert_wrong_usage(sallyport("replay"), "--policy is missing")

    def test_who_follows_packets_wants_a_gateway(self):
        for command in (["top", "--once"], ["trace"], ["capture"]):
            done = sallyport(*command, "--socket", "/nowhere/control.sock")
            self.assert_status(done, 3)
            self.assertIn("no gateway to ask", done.stderr)


class Check(Cli):
    def test_every_example_is_valid(self):
        policies = [path for path in sorted(EXAMPLES.glob("*.toml")) if not path.name.startswith("sallyport")]
        self.assertGreater(len(policies), 4)
        for path in policies:
            with self.subTest(path.name):
                done = sallyport("check", "--policy", path)
                self.assert_status(done, 0)
                self.assertEqual(done.stderr, "")
        for path in sorted(EXAMPLES.glob("sallyport*.toml")):
            self.assert_status(sallyport("check", "--config", path), 0)

    def test_all_errors_are_named_with_their_place(self):
        policy = self.write("policy.toml", '[[egress_network]]\nnamespace = "a"\nname = 5\ntraffic_policy = "Perhaps"\n'
                                           'networks = [ { cidr = "10.0.0.0/33" } ]\nsurplus = 1\n')
        done = sallyport("check", "--policy", policy)
        self.assert_status(done, 1)
        places = [tuple(map(int, place)) for place in
                  re.findall(rf"(?m)^{re.escape(str(policy))}:(\d+):(\d+): egress_network\[0\]\.\S+: .", done.stdout)]
        self.assertEqual([line for line, _ in places], [3, 4, 5, 6])
        self.assertTrue(all(column > 0 for _, column in places))
        self.assert_one_line(done.stderr)

    def test_json_says_the_same(self):
        policy = self.write("policy.toml", '[[egress_network]]\nnamespace = "a"\nname = "b"\n')
        done = sallyport("check", "--policy", policy, "--json")
        self.assert_status(done, 1)
        answer = json.loads(done.stdout)
        self.assertFalse(answer["valid"])
        self.assertEqual(answer["files"], [str(policy)])
        first = answer["diagnostics"][0]
        self.assertEqual((first["severity"], first["file"], first["line"]), ("error", str(policy), 1))
        self.assertTrue(first["key_path"] and first["message"] and first["column"])
        self.assertEqual(json.loads(sallyport("check", "--policy", self.write("empty.toml", ""), "--json").stdout)["valid"],
                         True)

    def test_every_kind_of_mistake_is_told_with_its_place(self):
        mistakes = ROOT / "tests" / "unit" / "config" / "mistakes"
        expected = (mistakes / "expected.txt").read_text(encoding="utf-8").splitlines()
        done = subprocess.run([cli.program, "check", "--policy", "policy.toml"], cwd=mistakes, capture_output=True, text=True,
                              check=False, timeout=60)
        self.assert_status(done, 1)
        self.assertEqual(done.stdout.splitlines(), expected)
        self.assertIn(f"not valid: {len(expected)} errors, 0 warnings", done.stderr)
        done = subprocess.run([cli.program, "check", "--json", "--policy", "policy.toml"], cwd=mistakes, capture_output=True,
                              text=True, check=False, timeout=60)
        self.assert_status(done, 1)
        said = json.loads(done.stdout)
        self.assertFalse(said["valid"])
        self.assertEqual(["{file}:{line}:{column}: {key_path}: {message}".format(**one) for one in said["diagnostics"]], expected)
        self.assertEqual({one["severity"] for one in said["diagnostics"]}, {"error"})

    def test_what_only_compiling_finds_is_found(self):
        policy = self.write("policy.toml", POLICY.replace('["httpbin.org"]', '[{ regex = "a{1,100000}(" }]'))
        done = sallyport("check", "--policy", policy)
        self.assert_status(done, 1)
        self.assertRegex(done.stdout, rf"(?m)^{re.escape(str(policy))}:\d+:\d+: ")

    def test_strict_takes_warnings_for_errors(self):
        policy = self.write("policy.toml", '[[namespace]]\nname = "a"\naddresses = ["10.1.2.3/16"]\n')
        done = sallyport("check", "--policy", policy)
        self.assert_status(done, 0)
        self.assertRegex(done.stdout, r"policy\.toml:3:\d+: \S+: warning: ")
        self.assert_status(sallyport("check", "--policy", policy, "--strict"), 1)

    def test_the_configuration_names_the_policy(self):
        config = self.write("sallyport.toml", CONFIGURATION)
        self.write("policy.toml", "surplus = 1\n")
        done = sallyport("check", "--config", config)
        self.assert_status(done, 1)
        self.assertIn(f"{self.folder}/policy.toml:1:1: ", done.stdout)
        self.assert_status(sallyport("check", "--config", config, "--policy", self.write("good.toml", "")), 0)

    def test_senders_that_could_not_send_or_get_no_answer_are_told_of(self):
        config = self.write("sallyport.toml", CONFIGURATION)
        done = sallyport("check", "--config", config, "--policy", self.write("nobody.toml", ""))
        self.assert_status(done, 0)
        self.assertIn("only senders on 10.0.0.0/24 may send", done.stdout)
        behind = self.write("policy.toml", '[[namespace]]\nname = "a"\naddresses = ["10.3.0.0/16"]\n')
        done = sallyport("check", "--config", config)
        self.assertIn(f"{behind}:3:14: namespace[0].addresses[0]: warning: 10.3.0.0/16 is on no network of an inside port", done.stdout)
        inside = 'addresses = ["10.0.0.1/24"]'
        self.write("sallyport.toml", CONFIGURATION.replace(inside, inside + '\nroutes = [ { to = "10.0.0.0/8", via = "10.0.0.2" } ]'))
        self.assert_status(sallyport("check", "--strict", "--config", config), 0)

    def test_policy_d_is_part_of_the_document(self):
        policy = self.write("policy.toml", "")
        (self.folder / "policy.d").mkdir()
        self.write("policy.d/10-bad.toml", "\n\nsurplus = 1\n")
        done = sallyport("check", "--policy", policy)
        self.assert_status(done, 1)
        self.assertIn("policy.d/10-bad.toml:3:1: ", done.stdout)

    def test_a_file_that_is_not_there_has_no_line(self):
        done = sallyport("check", "--policy", self.folder / "none.toml")
        self.assert_status(done, 3)
        self.assertEqual(done.stdout, f"{self.folder}/none.toml: cannot be read: No such file or directory\n")

    def test_two_ports_on_one_interface(self):
        config = self.write("sallyport.toml", CONFIGURATION.replace("net_null0", "net_af_packet,iface=eth1").replace(
            "net_null1", "net_af_xdp,iface=eth1"))
        self.write("policy.toml", "")
        done = sallyport("check", "--config", config)
        self.assert_status(done, 1)
        self.assertIn(f'{config}:14:10: port[1].device: interface "eth1" stands at port[0].device already; ', done.stdout)

    def test_an_empty_policy_is_valid(self):
        self.assert_status(sallyport("check", "--policy", self.write("policy.toml", "")), 0)


class Import(Cli):
    """Every kind has unit tests; here is what a user of the command meets."""

    NETWORK = "apiVersion: policy.linkerd.io/v1alpha1\nkind: EgressNetwork\nmetadata: {name: a}\nspec: {trafficPolicy: Deny}\n"

    def test_what_is_kept_exactly_is_a_valid_policy_and_silent(self):
        done = sallyport("import", "--strict", self.write("in.yaml", self.NETWORK))
        self.assert_status(done, 0)
        self.assertEqual(done.stderr, "")
        self.assert_status(sallyport("check", "--strict", "--policy", self.write("policy.toml", done.stdout)), 0)

    def test_what_is_not_kept_is_reported_with_its_place(self):
        source = self.write("in.yaml", self.NETWORK + "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n")
        done = sallyport("import", source)
        self.assert_status(done, 0)
        self.assertRegex(done.stderr, rf"(?m)^{re.escape(str(source))}:6:1: Service/web: .+; ignored$")
        self.assertIn("[[egress_network]]", done.stdout)
        strict = sallyport("import", "--strict", source)
        self.assert_status(strict, 1)
        self.assertEqual(strict.stdout, done.stdout)

    def test_addresses_of_the_gateway(self):
        done = sallyport("import", self.write("in.yaml", self.NETWORK), "--snat", "203.0.113.1", "--snat", "2001:db8::1")
        self.assertIn('[snat]\naddresses = ["203.0.113.1", "2001:db8::1"]', done.stdout)
        self.assert_wrong_usage(sallyport("import", "x.yaml", "--snat", "203.0.113.1/24"), "--snat")

    def test_text_that_is_no_yaml(self):
        source = self.write("in.yaml", "a: [\n")
        done = sallyport("import", source)
        self.assert_status(done, 1)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, rf"(?m)^{re.escape(str(source))}:\d+:\d+: not YAML")

    def test_files_that_are_missing(self):
        self.assert_wrong_usage(sallyport("import"), "FILE is missing")
        done = sallyport("import", self.folder / "none.yaml")
        self.assert_status(done, 3)
        self.assert_one_line(done.stderr)

    def test_files_without_an_object_that_is_known(self):
        for text in ("", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n", "kind: List\nitems: []\n"):
            with self.subTest(text):
                source = self.write("in.yaml", text)
                done = sallyport("import", source)
                self.assert_status(done, 1)
                self.assertEqual(done.stdout, "")
                self.assertIn(f"{source}: holds no object of a kind that import reads", done.stderr)
                self.assertIn("no policy came of it", done.stderr.splitlines()[-1])

    def test_examples_make_the_same_policy_twice(self):
        files = sorted((EXAMPLES / "import").glob("*.yaml"))
        self.assertGreater(len(files), 4)
        first = sallyport("import", *files)
        self.assert_status(first, 0)
        self.assertEqual(first.stdout, sallyport("import", *files).stdout)


class Explain(Cli):
    def explain(self, *more, policy=POLICY, source="10.1.2.3", to="198.51.100.7"):
        path = self.write("policy.toml", policy)
        return sallyport("explain", "--policy", path, "--from", source, "--to", to, *more)

    def answer(self, *more, status, **where):
        done = self.explain("--json", *more, **where)
        self.assert_status(done, status)
        if status:
            self.assert_one_line(done.stderr)
        else:
            self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    def test_an_allowed_name(self):
        answer = self.answer("--port", "443", "--host", "HttpBin.org.", status=0)
        self.assertEqual(answer["verdict"], {"action": "allow", "reason": "route", "layer": "egress_network",
                                             "rule": "linkerd-egress/names", "network": "linkerd-egress/all"})
        self.assertEqual(answer["source"], {"namespace": "prod", "workload": "web"})
        self.assertEqual(answer["nat"], {"egress": "egress-web", "src_ip": "203.0.113.8"})
        for step in answer["steps"]:
            self.assertEqual(list(step), ["what", "result", "file", "line"])
        # The rule that won, with its place.
        line = POLICY.splitlines().index("[[tls_route]]") + 1
        self.assertTrue(any(step["file"].endswith("policy.toml") and line <= step["line"] <= line + 4
                            for step in answer["steps"]), answer["steps"])

    def test_a_denied_name(self):
        answer = self.answer("--port", "443", "--host", "evil.example", status=1)
        self.assertEqual(answer["verdict"]["action"], "deny")
        self.assertEqual(answer["verdict"]["reason"], "name_not_allowed")
        self.assertNotIn("nat", answer)

    def test_without_a_name_where_one_is_needed(self):
        answer = self.answer("--port", "443", status=0)
        self.assertEqual(answer["verdict"]["action"], "needs_name")
        self.assertNotIn("reason", answer["verdict"])
        self.assertTrue(any("httpbin.org" in step["result"] or "linkerd-egress/names" in step["result"]
                            for step in answer["steps"]), answer["steps"])

    def test_plaintext_http_shows_no_tls_name(self):
        answer = self.answer("--port", "443", "--http", "GET /", "--host", "httpbin.org", status=1)
        self.assertEqual(answer["verdict"]["reason"], "no_name")

    def test_quic_is_judged_by_its_name_too(self):
        self.assertEqual(self.answer("--proto", "udp", "--host", "httpbin.org", status=0)["verdict"]["reason"], "route")
        self.assertEqual(self.answer("--proto", "udp", "--host", "x.example", status=1)["verdict"]["reason"],
                         "name_not_allowed")

    def test_a_port_without_a_route(self):
        self.assertEqual(self.answer("--port", "22", status=1)["verdict"]["reason"], "network_default")

    def test_uncaptured(self):
        self.assertEqual(self.answer("--port", "22", policy="", status=1)["verdict"]["reason"], "uncaptured")

    def test_a_source_that_nobody_names_leaves_under_snat(self):
        answer = self.answer("--port", "80", source="10.9.9.9", status=0)
        self.assertNotIn("source", answer)
        self.assertEqual(answer["nat"], {"src_ip": "203.0.113.1"})

    def test_no_address_of_the_family(self):
        answer = self.answer("--port", "80", source="2001:db8:1::1", to="2001:db8::7", status=1)
        self.assertEqual(answer["verdict"]["reason"], "no_egress_address")

    def test_martians(self):
        for source, to, reason in (("10.1.2.3", "127.0.0.1", "martian_destination"), ("0.1.2.3", "8.8.8.8", "martian_source"),
                                   ("10.1.2.3", "10.1.2.3", "martian_land"), ("fd00::1", "ff02::1", "martian_destination"),
                                   ("::ffff:10.1.2.3", "2001:db8::1", "martian_source")):
            with self.subTest(source=source, to=to):
                answer = self.answer(source=source, to=to, status=1)
                self.assertEqual((answer["verdict"]["action"], answer["verdict"]["reason"]), ("deny", reason))

    def test_source_check_is_that_of_the_configuration(self):
        config = self.write("sallyport.toml", CONFIGURATION)
        self.assertEqual(self.answer("--config", config, "--port", "80", source="10.9.9.9", status=1)["verdict"]["reason"],
                         "source_check")
        self.answer("--config", config, "--port", "80", source="10.0.0.77", status=0)

    def test_text_names_rule_place_and_address(self):
        done = self.explain("--port", "443", "--host", "httpbin.org")
        self.assert_status(done, 0)
        for part in ("prod/web", "linkerd-egress/names", "203.0.113.8", "policy.toml:", "allow"):
            self.assertIn(part, done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_a_broken_policy_explains_nothing(self):
        done = self.explain(policy="surplus = 1\n")
        self.assert_status(done, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("policy.toml:1:1: ", done.stderr)

    def test_colour_on_a_terminal_only(self):
        path = self.write("policy.toml", POLICY)
        words = [cli.program, "explain", "--policy", str(path), "--from", "10.1.2.3", "--to", "1.2.3.4", "--port", "80"]
        self.assertIn("\x1b[", on_terminal(words, TERM="xterm"))
        self.assertNotIn("\x1b[", on_terminal(words, TERM="xterm", NO_COLOR="1"))


class ExitStatus(Cli):
    """0: done, or allowed. 1: the answer is no. 2: usage. 3: the environment will not do. One line says what to do."""

    FLOW = ["--from", "10.1.2.3", "--to", "198.51.100.7", "--port"]

    def setUp(self):
        super().setUp()
        self.write("good.toml", POLICY)
        self.write("bad.toml", "surplus = 1\n")
        self.write("policy.toml", POLICY)
        self.write("config.toml", CONFIGURATION)
        self.write("bad-config.toml", "surplus = 1\n")
        self.write("lost-policy.toml", CONFIGURATION.replace("policy.toml", "none.toml"))
        self.write("text", "no capture, no flow record\n")
        self.write("empty", "")
        self.write("in.yaml", Import.NETWORK)
        self.write("wrong.yaml", "a: [\n")
        # A capture without a packet: magic, version 2.4, snap length, Ethernet.
        (self.folder / "empty.pcap").write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))

    CASES = [
        (0, "check", "--policy", "good.toml"),
        (1, "check", "--policy", "bad.toml"),
        (3, "check", "--policy", "none.toml"),
        (3, "check", "--policy", "none.toml", "--json"),
        (3, "check", "--policy", "."),
        (0, "check", "--config", "config.toml"),
        (1, "check", "--config", "bad-config.toml"),
        (3, "check", "--config", "none.toml"),
        (3, "check", "--config", "lost-policy.toml"),
        (2, "check", "--policy"),
        (0, "explain", "--policy", "good.toml", *FLOW, "80"),
        (1, "explain", "--policy", "good.toml", *FLOW, "22"),
        (1, "explain", "--policy", "bad.toml", *FLOW, "80"),
        (3, "explain", "--policy", "none.toml", *FLOW, "80"),
        (3, "explain", "--config", "none.toml", *FLOW, "80"),
        (3, "explain", "--config", "lost-policy.toml", *FLOW, "80"),
        (2, "explain", "--policy", "good.toml", *FLOW, "http"),
        (0, "explain", "--diff", "good.toml", "good.toml", "--flows", "empty"),
        (1, "explain", "--diff", "good.toml", "good.toml", "--flows", "text"),
        (1, "explain", "--diff", "good.toml", "bad.toml", "--flows", "empty"),
        (3, "explain", "--diff", "good.toml", "none.toml", "--flows", "empty"),
        (3, "explain", "--diff", "none.toml", "good.toml", "--flows", "empty"),
        (3, "explain", "--diff", "good.toml", "good.toml", "--flows", "none"),
        (2, "explain", "--diff", "good.toml", "--flows", "empty"),
        (0, "replay", "--policy", "good.toml", "--in", "empty.pcap"),
        (1, "replay", "--policy", "bad.toml", "--in", "empty.pcap"),
        (1, "replay", "--policy", "good.toml", "--in", "text"),
        (3, "replay", "--policy", "none.toml", "--in", "empty.pcap"),
        (3, "replay", "--config", "none.toml", "--in", "empty.pcap"),
        (3, "replay", "--policy", "good.toml", "--in", "none.pcap"),
        (3, "replay", "--policy", "good.toml", "--in", "empty.pcap", "--flows", "none/flows"),
        (2, "replay", "--policy", "good.toml"),
        (0, "import", "in.yaml"),
        (1, "import", "wrong.yaml"),
        (1, "import", "empty"),
        (3, "import", "none.yaml"),
        (2, "import"),
        (1, "run", "--config", "bad-config.toml"),
        (3, "run", "--config", "none.toml"),
        (2, "run", "--config"),
        (3, "show", "ports", "--socket", "none.sock"),
        (2, "show", "port"),
        (3, "reload", "--socket", "none.sock"),
        (2, "reload", "now"),
        (0, "version"),
        (2, "version", "now"),
    ]

    def test_every_command_means_the_same_by_it(self):
        for status, *words in self.CASES:
            with self.subTest(words=words):
                done = subprocess.run([cli.program, *words], cwd=self.folder, capture_output=True, text=True, check=False,
                                      timeout=60, stdin=subprocess.DEVNULL)
                self.assert_status(done, status)
                if status == 0:
                    continue
                self.assertRegex(done.stderr.splitlines()[-1], r"sallyport: .|error: .")
                self.assertNotIn(":0:0:", done.stdout + done.stderr)
                if status == 2:
                    self.assert_one_line(done.stderr)


class Environment(Cli):
    def test_nobody_to_ask(self):
        for words in (["show", "flows"], ["show", "reasons", "--json"], ["reload"]):
            done = sallyport(*words, "--socket", self.folder / "none.sock")
            self.assert_status(done, 3)
            self.assert_one_line(done.stderr)
            self.assertEqual(done.stdout, "")

    def test_the_configuration_names_the_socket(self):
        socket = self.folder / "own.sock"
        config = self.write("sallyport.toml", CONFIGURATION + f'[control]\nsocket = "{socket}"\n')
        for words in (["show", "flows"], ["reload"]):
            done = sallyport(*words, "--config", config)
            self.assert_status(done, 3)
            self.assertIn(f"{socket}: no gateway to ask", done.stderr)
            self.assertIn("other.sock", sallyport(*words, "--config", config, "--socket", "other.sock").stderr)

    def test_run_with_a_broken_configuration(self):
        config = self.write("sallyport.toml", "[gateway]\nsurplus = 1\n")
        done = sallyport("run", "--config", config)
        self.assert_status(done, 1)
        self.assertIn(f"{config}:2:1: ", done.stderr)

    def test_the_shadow_policy_is_checked_too(self):
        config = self.write("sallyport.toml", CONFIGURATION.replace('"policy.toml"', '"policy.toml"\nshadow_policy = "next.toml"'))
        self.write("policy.toml", POLICY)
        self.write("next.toml", POLICY + "surplus = 1\n")
        done = sallyport("check", "--config", config)
        self.assert_status(done, 1)
        self.assertIn(f"{self.folder}/next.toml:{POLICY.count(chr(10)) + 1}:1: ", done.stdout)


def on_terminal(words, **environment):
    main, terminal = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(words, stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL, env=dict(clean, **environment)):
        os.close(terminal)
        output = b""
        try:
            while chunk := os.read(main, 4096):
                output += chunk
        except OSError:  # how Linux says that the other side is closed
            pass
    os.close(main)
    return output.decode()


if __name__ == "__main__":
    cli.main()

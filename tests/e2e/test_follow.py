"""trace, capture and top: what they show of a running gateway, and that they cost its traffic nothing."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import cases
import namespaces
from cases import GatewayCase, linkerd_policy
from servers import ECHO_PORT, IPERF_PORT
from world import PODS, SERVER, WORKLOADS

POLICY = linkerd_policy().split("[[namespace]]")[0] + WORKLOADS
DENYING_LINE = POLICY.splitlines().index("[[egress_network]]") + 1
ALLOWING_LINE = POLICY.splitlines().index("[[tls_route]]") + 1
TAPS_MAX = 4


class FollowCase(GatewayCase):
    policy = POLICY

    def command(self, *arguments):
        return [self.gateway.program, *arguments, "--socket", self.gateway.socket_path]

    def ask(self, *arguments, check=True):
        return cases.world.gateway.run(self.command(*arguments), check=check)

    def follow(self, *arguments, out=subprocess.PIPE):
        """One of the commands, running; it sees every packet from now on."""
        process = cases.world.gateway.start(self.command(*arguments), stdout=out, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        self.assertIn(b"Ctrl-C ends it", process.stderr.readline())
        return process

    @staticmethod
    def end(process):
        """As Ctrl-C does; its status, what it printed, what it said at the end."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        if process.stderr.closed:
            return None
        out, err = process.communicate(timeout=15)
        process.stderr.close()
        return process.returncode, (out or b"").decode(), err.decode()

    def traced(self, process):
        status, out, _ = self.end(process)
        self.assertEqual(status, 0)
        return [json.loads(line) for line in out.splitlines()]


class Trace(FollowCase):
    def test_a_denied_curl_shows_reason_rule_file_and_line(self):
        process = self.follow("trace", "host", PODS["web"][0])
        self.assertEqual(self.curl("web", "denied.example", SERVER[0]).returncode, 35)
        status, out, told = self.end(process)
        self.assertEqual(status, 0, told)
        for part in (f"TCP {PODS['web'][0]}:", f"> {SERVER[0]}:443 [S]", "is workload prod/web", "denied.example (tls)",
                     "deny (name_not_allowed) in linkerd-egress/all-egress-traffic", f"policy.toml:{DENYING_LINE}\n",
                     "hello_denied", "answer"):
            self.assertIn(part, out)
        self.assertRegex(told, r"\d+ packets, 0 lost")

    def test_an_allowed_connection_is_followed_both_ways(self):
        process = self.follow("trace", "--json", f"host {PODS['web'][0]} and tcp")
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)
        packets = self.traced(process)
        forwarded = [packet for packet in packets if packet["outcome"] == "forwarded"]
        self.assertEqual({packet["direction"] for packet in forwarded}, {"to_server", "to_client"})
        for packet in forwarded:
            received, sent = packet["received"], packet["sent"][-1]
            if packet["direction"] == "to_server":
                self.assertEqual((received["src_ip"], sent["src_ip"]), (PODS["web"][0], packet["record"]["nat"]["src_ip"]))
                self.assertEqual((received["port"], sent["port"]), ("inside", "outside"))
            else:
                self.assertEqual((received["dest_ip"], sent["dest_ip"]), (packet["record"]["nat"]["src_ip"], PODS["web"][0]))
        self.assertTrue(any(packet["flow"] == {"before": "none", "after": "waiting"} for packet in packets))
        decided = next(packet for packet in packets if packet["flow"] == {"before": "waiting", "after": "allowed"})
        self.assertEqual(decided["record"]["tls"]["sni"], "httpbin.org")
        self.assertEqual(decided["record"]["verdict"]["rule"], "linkerd-egress/tls-egress")
        self.assertRegex(decided["decided_at"]["file"], r"policy\.toml$")
        self.assertEqual(decided["decided_at"]["line"], ALLOWING_LINE)

    def test_others_are_not_told_of(self):
        process = self.follow("trace", "--json", "host", PODS["web"][0])
        self.ask_udp("batch", SERVER[0])
        self.curl("batch", "denied.example", SERVER[0])
        self.assertEqual(self.traced(process), [])

    def test_it_ends_by_itself(self):
        process = self.follow("trace", "--json", "--count", "2", "host", PODS["guest"][0])
        self.curl("guest", "denied.example", SERVER[0])
        out, _ = process.communicate(timeout=15)
        self.assertEqual((process.returncode, len(out.splitlines())), (0, 2))
        begin = time.monotonic()
        done = self.ask("trace", "--seconds", "1", "host", "192.0.2.77")
        self.assertEqual(done.stdout, "")
        self.assertLess(time.monotonic() - begin, 5)

    def test_a_wrong_filter_is_refused_with_its_mistake(self):
        done = self.ask("trace", "hst", "10.1.2.3", check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("syntax error", done.stderr)

    def test_those_who_are_killed_leave_nothing_behind(self):
        for _ in range(2):
            processes = [self.follow("trace") for _ in range(TAPS_MAX)]
            done = self.ask("trace", "--seconds", "1", check=False)
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn("as many follow packets already", done.stderr)
            for process in processes:
                process.kill()
                process.wait(5)
            time.sleep(0.5)


class WhyWasItDenied(FollowCase):
    def test_who_knows_the_clients_address_learns_rule_file_and_line_in_two_commands(self):
        """docs/TROUBLESHOOTING.md"""
        client = PODS["web"][0]
        self.assertEqual(self.curl("web", "denied.example", SERVER[0]).returncode, 35)
        lines = [line for line in self.ask("show", "flows").stdout.splitlines() if client in line]
        self.assertEqual(len(lines), 1, lines)
        for part in (f"{SERVER[0]}:443", "deny", "denied.example", "name_not_allowed"):
            self.assertIn(part, lines[0])
        done = cases.world.gateway.run(
            [self.gateway.program, "explain", "--config", self.gateway.folder / "sallyport.toml", "--from", client,
             "--to", SERVER[0], "--port", "443", "--host", "denied.example"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, rf"no route decides: traffic_policy of linkerd-egress/all-egress-traffic.*policy\.toml:{DENYING_LINE}\)")


class Capture(FollowCase):
    def read(self, path, *fields):
        """tshark's view, a list of values a frame."""
        done = namespaces.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=|",
                               *(word for field in fields for word in ("-e", field))], timeout=60)
        return [line.split("|") for line in done.stdout.splitlines()]

    def test_tshark_reads_frames_and_verdicts(self):
        path = cases.world.folder / "capture.pcapng"
        process = self.follow("capture", "--out", path, "host", PODS["web"][0])
        self.curl("web", "httpbin.org", SERVER[0])
        self.curl("web", "denied.example", SERVER[0])
        status, _, told = self.end(process)
        self.assertEqual(status, 0, told)
        frames = self.read(path, "frame.interface_name", "ip.src", "ip.dst", "frame.comment", "frame.len", "frame.cap_len")
        self.assertEqual({frame[0] for frame in frames}, {"inside", "outside"})
        translated = [frame for frame in frames if frame[0] == "outside" and frame[1] == "203.0.113.1"]
        self.assertTrue(translated)
        for frame in translated:  # the client's, or the reset that tells the server
            self.assertRegex(frame[3], "forwarded|ended: hello_denied")
        answers = [frame for frame in frames if frame[0] == "outside" and frame[2] == "203.0.113.1"]
        self.assertTrue(answers, "answers are found by the client's address")
        allowed = [frame for frame in frames if "allow (route) by linkerd-egress/tls-egress" in frame[3]]
        self.assertTrue(any(f"policy.toml:{ALLOWING_LINE}" in frame[3] and "httpbin.org (tls)" in frame[3] for frame in allowed))
        denied = [frame for frame in frames if "ended: hello_denied" in frame[3]]
        self.assertTrue(denied)
        self.assertTrue(all("deny (name_not_allowed) in linkerd-egress/all-egress-traffic" in frame[3] for frame in denied))
        self.assertTrue(all(frame[4] == frame[5] for frame in frames), "whole frames")

    def test_only_what_ended_with_its_reason(self):
        path = cases.world.folder / "dropped.pcapng"
        process = self.follow("capture", "--out", path, "--side", "dropped", "--snaplen", "64")
        self.curl("web", "httpbin.org", SERVER[0])
        self.assertEqual(self.ask_udp("batch", SERVER[0]), "EHOSTUNREACH")
        self.assertEqual(self.end(process)[0], 0)
        frames = [frame for frame in self.read(path, "frame.interface_name", "ip.src", "udp.dstport", "frame.comment",
                                               "frame.cap_len") if frame[1]]
        ours = [frame for frame in frames if frame[1] == PODS["batch"][0]]
        self.assertEqual([frame[:3] for frame in ours], [["inside", PODS["batch"][0], str(ECHO_PORT)]])
        self.assertIn("ended: policy_denied; deny (network_default)", ours[0][3])
        self.assertLessEqual(int(ours[0][4]), 64)
        self.assertFalse([frame for frame in frames if "forwarded" in frame[3]])

    def test_one_side_to_another_program(self):
        process = self.follow("capture", "--side", "outside", "--count", "3", "tcp")
        self.curl("web", "httpbin.org", SERVER[0])
        out, told = process.communicate(timeout=15)
        self.assertEqual(process.returncode, 0, told)
        self.assertIn(b"3 frames written", told)
        path = cases.world.folder / "piped.pcapng"
        path.write_bytes(out)
        self.assertEqual([frame[0] for frame in self.read(path, "frame.interface_name")], ["outside"] * 3)

    def test_a_file_that_cannot_be_made_is_told(self):
        done = self.ask("capture", "--out", "/nowhere/x.pcapng", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("/nowhere/x.pcapng: No such file", done.stderr)


class AtFullLoad(FollowCase):
    """Packets of others arrive as they do without anybody who looks on; the counters add up (tearDownClass)."""

    policy = cases.OPEN_POLICY
    workers = 2

    def test_nothing_is_lost_but_sightings(self):
        followers = [self.follow("capture", "--out", "/dev/null"), self.follow("trace", "host", PODS["web"][0]),
                     self.follow("capture", "--out", "/dev/null", "--side", "dropped")]
        reader = subprocess.Popen(["cat"], stdin=followers[1].stdout, stdout=subprocess.DEVNULL)  # ends with the trace
        before = self.gateway.show("reasons")
        done = cases.world.pods["batch"].run(
            ["iperf3", "--json", "--client", SERVER[0], "--port", IPERF_PORT, "--bytes", "50M"], check=False, timeout=60)
        report = json.loads(done.stdout)
        self.assertNotIn("error", report)
        self.assertGreater(report["end"]["sum_received"]["bytes"], 40_000_000)
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)
        self.assertEqual(self.unaccounted(), 0)
        after = self.gateway.show("reasons")
        self.assertGreater(after["received"] - before["received"], 30_000)
        for process in followers:
            process.send_signal(signal.SIGINT)
        told = [process.stderr.read().decode() for process in followers]
        self.assertEqual([process.wait(15) for process in followers], [0, 0, 0], told)
        reader.wait(10)
        seen = [sum(map(int, re.findall(r"(\d+) packets, (\d+) lost", text)[0])) for text in told]
        self.assertGreaterEqual(seen[0], 30_000, "each packet was seen, or counted as not")
        self.assertGreater(seen[1], 5)


class Top(FollowCase):
    def test_one_picture(self):
        self.curl("web", "httpbin.org", SERVER[0])
        self.curl("web", "denied.example", SERVER[0])
        out = self.ask("top", "--once").stdout
        self.assertNotIn("\x1b", out)
        for part in ("policy generation 1", "1 worker,", "live", "inside", "outside", "name_not_allowed", "hello_denied",
                     "linkerd-egress/tls-egress"):
            self.assertIn(part, out)
        self.assertRegex(out, r"packets  [\d.]+k?/s in")

    def test_on_a_terminal_it_goes_on_until_q(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(cases.world.gateway.inside(self.command("top")), stdin=theirs, stdout=theirs,
                                   stderr=subprocess.DEVNULL, env=dict(os.environ, TERM="xterm", NO_COLOR="1"))
        os.close(theirs)
        try:
            screen = self.read_terminal(ours, lambda text: text.count("\x1b[H") >= 3)
            self.assertTrue(screen.startswith("\x1b[?1049h\x1b[?25l"), screen[:40])
            self.assertIn("policy generation 1", screen)
            self.assertNotIn("\x1b[1m", screen, "NO_COLOR")
            os.write(ours, b"q")
            rest = self.read_terminal(ours, lambda text: text.endswith("\x1b[?1049l"))
            self.assertTrue(rest.endswith("\x1b[?25h\x1b[?1049l"))
            self.assertEqual(process.wait(5), 0)
        finally:
            process.kill()
            process.wait(5)
            os.close(ours)

    @staticmethod
    def read_terminal(terminal, enough, seconds=15):
        text = ""
        end = time.monotonic() + seconds
        while not enough(text) and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    text += os.read(terminal, 65536).decode()
                except OSError:
                    break
        return text

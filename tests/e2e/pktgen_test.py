#!/usr/bin/python3
"""The generator over a device that gives back what it is given (net_ring): needs no rights.

pktgen_test.py SALLYPORT-PKTGEN
"""

import json
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

PROGRAM = None
UDP = ["udp", "--device", "net_ring0", "--from", "10.1.0.1", "--to", "192.0.2.1"]

CONNECT = ["connect", "--device", "net_ring0", "--from", "10.1.0.1", "--to", "192.0.2.1"]


def pktgen(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120,
                          stdin=subprocess.DEVNULL)


def begun(*arguments):
    """One under way that minds signals already."""
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    status = pathlib.Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("SigCgt:"))
        if int(caught.split()[1], 16) >> (signal.SIGINT - 1) & 1:
            break
        time.sleep(0.05)
    return process


class Pktgen(unittest.TestCase):
    def report(self, *arguments):
        done = pktgen(*arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    def test_everything_comes_back_and_is_timed(self):
        report = self.report(*UDP, "--flows", "1000", "--seconds", "0.5")
        self.assertGreater(report["sent"], 1000)
        self.assertEqual((report["received"], report["lost"], report["missed"]), (report["sent"], 0, 0))
        latency = report["latency_us"]
        self.assertTrue(0 < latency["p50"] <= latency["p99"] <= latency["p99.9"] <= latency["max"], latency)

    def test_a_rate_is_kept(self):
        report = self.report(*UDP, "--seconds", "1", "--rate", "20000", "--size", "imix", "--order", "random")
        # A machine that others use, too, may keep it from sending, never make it send more.
        self.assertTrue(1000 < report["sent"] <= 20100, report["sent"])
        self.assertEqual(report["lost"], 0)

    def test_text_has_all_figures(self):
        done = pktgen(*UDP, "--seconds", "0.1")
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("sent", "received", "lost", "Mpps", "Gbit/s", "p50", "p99", "p99.9", "max", "cyclic"):
            self.assertIn(part, done.stdout)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PROGRAM, "udp", "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr, "sallyport-pktgen: the output could not be written: No space left on device: make room "
                                      "and try again\n")

    def test_a_capture_is_sent_at_its_own_pace(self):
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "two-seconds.pcap"
            capture.write_bytes(pcap([(i * 0.02, frame(i)) for i in range(101)]))
            report = self.report("replay", "--device", "net_ring0", "--in", capture)
            self.assertEqual((report["sent"], report["received"], report["lost"]), (101, 101, 0))
            self.assertGreater(report["seconds"], 1.9)
            fast = self.report("replay", "--device", "net_ring0", "--in", capture, "--speed", "10")
            self.assertTrue(0.19 < fast["seconds"] < 1.5, fast["seconds"])
            flat_out = self.report("replay", "--device", "net_ring0", "--in", capture, "--rate", "max", "--loops", "100")
            self.assertEqual((flat_out["sent"], flat_out["lost"]), (10100, 0))

    def test_what_is_no_capture_is_said(self):
        self.assertEqual(pktgen("replay", "--device", "net_ring0", "--in", "/nonexistent").returncode, 3)
        self.assertEqual(pktgen("replay", "--device", "net_ring0", "--in", __file__).returncode, 1)

    def test_devices_that_are_not_there_are_named(self):
        for device in ("nonsense", "net_af_packet,iface=nonesuch0", "0000:ff:1f.7"):
            done = pktgen("udp", "--device", device, "--from", "10.1.0.1", "--to", "192.0.2.1")
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_a_search_ends_with_a_rate_for_each_limit_and_a_plot(self):
        with tempfile.TemporaryDirectory() as folder:
            plot = pathlib.Path(folder) / "plot.svg"
            report = self.report("search", *UDP, "--rate", "5000", "--trial-seconds", "0.2", "--warm-up", "0.1", "--resolution",
                                 "20", "--loss", "0,50", "--plot", plot)
            self.assertEqual([result["loss_percent"] for result in report["results"]], [0, 50])
            self.assertLessEqual(report["results"][1]["trial"]["lost_percent"], 50)
            svg = xml.etree.ElementTree.parse(plot).getroot()
            self.assertEqual(svg.tag, "{http://www.w3.org/2000/svg}svg")

    def test_a_plot_that_cannot_be_written_is_told_before_the_search(self):
        begun = time.monotonic()
        done = pktgen("search", *UDP, "--rate", "5000", "--trial-seconds", "100", "--plot", "/nonexistent/plot.svg")
        self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
        self.assertIn("/nonexistent/plot.svg: No such file or directory: ", done.stderr)
        self.assertLess(time.monotonic() - begun, 60)

    def test_a_search_says_what_bounds_it(self):
        search = ["search", *UDP, "--trial-seconds", "0.5", "--warm-up", "0.1", "--resolution", "50", "--rate"]
        report = self.report(*search, "1000")
        self.assertEqual((report["interrupted"], report["results"][0]["bounded_by"]), (False, "rate"), report)
        done = pktgen(*search, "1000")
        self.assertIn(">=", done.stdout)
        self.assertIn("bounded by --rate", done.stdout)

    def test_an_interrupted_search_has_not_found_its_rate(self):
        with subprocess.Popen([PROGRAM, "search", *UDP, "--rate", "1000", "--trial-seconds", "100", "--warm-up", "0.1", "--json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as search:
            time.sleep(3)
            search.send_signal(signal.SIGINT)
            said, problem = search.communicate(timeout=60)
        self.assertEqual((search.returncode, problem),
                         (1, "sallyport-pktgen: interrupted before every limit had its rate\n"))
        report = json.loads(said)
        self.assertTrue(report["interrupted"])
        self.assertIsNone(report["results"][0]["trial"])

    def test_only_what_was_sent_counts_as_received(self):
        """What comes in are a hundred frames of somebody else's."""
        with tempfile.TemporaryDirectory() as folder:
            capture, others = (pathlib.Path(folder) / name for name in ("few.pcap", "others.pcap"))
            capture.write_bytes(pcap([(0, frame(i)) for i in range(100)]))
            others.write_bytes(pcap([(0, frame(i)) for i in range(1000, 1100)]))
            device = f"net_pcap0,rx_pcap={others},tx_pcap=/dev/null"
            for what in (["replay", "--in", capture, "--rate", "max"], [*UDP[:1], *UDP[3:], "--rate", "1000", "--seconds", "0.2"]):
                report = self.report(*what, "--device", device)
                self.assertEqual([report[name] for name in ("received", "lost", "foreign")], [0, report["sent"], 100], report)

    def test_duplicates_hide_no_loss(self):
        """Eight of ten come back, each of them twice."""
        with tempfile.TemporaryDirectory() as folder:
            capture, written = (pathlib.Path(folder) / name for name in ("few.pcap", "written.pcap"))
            frames = [(0, frame(i)) for i in range(10)]
            capture.write_bytes(pcap(frames))
            written.write_bytes(pcap(frames[:8] + frames[:8]))
            report = self.report("replay", "--device", f"net_pcap0,rx_pcap={written},tx_pcap=/dev/null", "--in", capture, "--rate",
                                 "max")
            self.assertEqual([report[name] for name in ("sent", "received", "lost", "repeated", "foreign")], [10, 8, 2, 8, 0])

    def test_what_ends_at_the_next_hop_is_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "arp.pcap"
            arp = bytes(12) + b"\x08\x06" + bytes(28)
            capture.write_bytes(pcap([(0, arp), (0, frame(0)), (0, arp), (0, frame(1))]))
            report = self.report("replay", "--device", "net_ring0", "--in", capture)
            self.assertEqual([report[name] for name in ("sent", "received", "lost", "skipped_control")], [2, 2, 0, 2])

    def test_a_device_that_takes_nothing_ends_with_the_seconds(self):
        with tempfile.TemporaryDirectory() as folder:
            device = f"net_memif0,role=server,id=0,socket={folder}/x.sock,socket-abstract=no"
            begun = time.monotonic()
            done = pktgen("udp", "--device", device, *UDP[3:], "--seconds", "0.5")
            self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
            self.assertIn("took no packet for 0.5 s", done.stderr)
            self.assertLess(time.monotonic() - begun, 60)

    def test_captures_without_frames_are_told(self):
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "made.pcap"
            whole = pcap([(0, frame(i)) for i in range(2)])
            for content, sent in ((pcap([]), 0), (pcap([(0, bytes(5))]), 0), (whole[:-1], 1),
                                  (whole + struct.pack("<IIII", 1000, 0, 4294967280, 4294967280), 2)):
                capture.write_bytes(content)
                for mode in (["replay"], ["search", "replay", "--trial-seconds", "0.1", "--warm-up", "0.1", "--rate", "1000"]):
                    done = pktgen(*mode, "--device", "net_ring0", "--in", capture, "--json")
                    self.assertEqual(done.returncode, 1, done)
                    self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                    if sent and mode == ["replay"]:
                        self.assertEqual(json.loads(done.stdout)["sent"], sent)
                    if not sent:
                        self.assertEqual(done.stdout, "")

    def test_a_rate_is_that_of_what_is_sent(self):
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "large.pcap"
            large = frame(0) + bytes(2000)
            capture.write_bytes(pcap([(0, one) for i in range(100) for one in (frame(i), large)]))
            report = self.report("replay", "--device", "net_ring0", "--in", capture, "--rate", "100")
            self.assertEqual((report["sent"], report["skipped"]), (100, 100))
            # A hundred take a second, not two.
            self.assertLess(report["seconds"], 1.9)

    def test_copies_that_are_alike_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "one.pcap"
            capture.write_bytes(pcap([(0, frame(0))]))
            done = pktgen("replay", "--device", "net_ring0", "--in", capture, "--copies", "3", "--shift", "10.9.0.0/16")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("all copies would be alike", done.stderr)

    def test_a_search_goes_over_captures_too(self):
        with tempfile.TemporaryDirectory() as folder:
            capture = pathlib.Path(folder) / "few.pcap"
            capture.write_bytes(pcap([(i * 0.02, frame(i)) for i in range(101)]))
            report = self.report("search", "replay", "--device", "net_ring0", "--in", capture, "--rate", "2000",
                                 "--trial-seconds", "0.2", "--copies", "5", "--shift", "10.0.0.0/8")
            self.assertGreater(report["trials"][0]["sent"], 10)

    def test_copies_are_sent_with_other_addresses(self):
        with tempfile.TemporaryDirectory() as folder:
            capture, copied = (pathlib.Path(folder) / name for name in ("one.pcap", "copied.pcap"))
            capture.write_bytes(pcap([(0, frame(0))]))
            report = self.report("replay", "--device", f"net_pcap0,rx_pcap={capture},tx_pcap={copied}", "--in", capture,
                                 "--copies", "3", "--shift", "10.1.0.0/24")
            self.assertEqual(report["sent"], 3)
            sent = copied.read_bytes()
            for address in ((10, 1, 0, 1), (10, 1, 1, 1), (10, 1, 2, 1)):
                self.assertIn(bytes(address) + bytes((192, 0, 2, 1)), sent)

    def test_connections_are_opened_answered_and_closed(self):
        report = self.report(*CONNECT, "--seconds", "0.5")
        self.assertGreater(report["attempted"], 100)
        self.assertEqual([report[name] for name in ("established", "answered", "closed")], [report["attempted"]] * 3)
        self.assertEqual((report["reset"], report["timed_out"], report["missed"]), (0, 0, 0))
        for latency in report["latency_us"].values():
            self.assertTrue(0 < latency["p50"] <= latency["p99"] <= latency["p99.9"] <= latency["max"], latency)

    def test_connections_stay_open_and_are_all_found_again(self):
        with tempfile.TemporaryDirectory() as folder:
            names = pathlib.Path(folder) / "names"
            names.write_text("# two\nhttpbin.org\nexample.com  # the other\n")
            report = self.report(*CONNECT, "--seconds", "1", "--rate", "2000", "--open", "500", "--names", names, "--post-quantum")
        self.assertTrue(50 < report["attempted"] <= 2020, report)
        self.assertEqual(report["open_most"], min(report["attempted"], 500))
        self.assertEqual(report["closed"], report["attempted"])

    def test_who_does_not_answer_is_given_up(self):
        report = self.report(*CONNECT, "--seconds", "0.3", "--rate", "1000", "--far-side", "elsewhere", "--timeout", "0.2")
        self.assertGreater(report["attempted"], 0)
        self.assertEqual(report["timed_out"], report["attempted"])
        self.assertEqual(report["timed_out_at"]["syn"], report["attempted"])

    def test_who_does_not_answer_holds_up_nobody(self):
        """All ports of one address would be taken after some 64 thousand."""
        report = self.report(*CONNECT, "--seconds", "2", "--rate", "100000", "--far-side", "elsewhere", "--timeout", "2")
        self.assertEqual((report["sources"], report["endpoints_exhausted"], report["rate_asked"]), (4, False, 100000))
        self.assertEqual(report["timed_out"], report["attempted"])
        few = self.report(*CONNECT, "--seconds", "2", "--rate", "100000", "--far-side", "elsewhere", "--timeout", "4",
                          "--sources", "1")
        # Only a machine that does not come to sending so many leaves some.
        self.assertEqual(few["endpoints_exhausted"], few["attempted"] == 64512, few)
        self.assertLess(few["attempted_a_second"], few["rate_asked"])

    def test_connect_settles_and_closes_when_it_is_interrupted(self):
        process = begun(*CONNECT, "--rate", "2000", "--open", "300", "--json")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors), (0, ""))
        report = json.loads(output)
        self.assertGreater(report["attempted"], 0)
        self.assertEqual((report["closed"], report["open"]), (report["attempted"], 0), report)

    def test_connect_ends_at_once_when_it_is_interrupted_twice(self):
        process = begun(*CONNECT, "--rate", "1000", "--far-side", "elsewhere", "--timeout", "600", "--json")
        for _ in range(2):
            time.sleep(0.5)
            self.assertIsNone(process.poll(), "it waits for answers")
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        report = json.loads(output)
        self.assertGreater(report["attempted"], 0)
        self.assertEqual((report["open"], report["closed"], report["timed_out"]), (report["attempted"], 0, 0), report)

    def test_frames_of_connect_are_counted(self):
        report = self.report(*CONNECT, "--seconds", "0.3", "--rate", "1000")
        self.assertEqual((report["sent"], report["received"]), (5 * report["attempted"], 3 * report["attempted"]), report)
        self.assertEqual((report["lost"], report["lost_percent"]), (0, 0))
        for name in ("sent_mpps", "received_mpps", "sent_gbps", "received_gbps"):
            self.assertGreater(report[name], 0)

    def test_ipv6_has_defaults_that_work(self):
        ends = ["--device", "net_ring0", "--from", "fd00::1", "--to", "2001:db8::1"]
        report = self.report("udp", *ends, "--seconds", "0.1")
        self.assertEqual((report["lost"], report["sent"] > 0), (0, True), report)
        searched = self.report("search", "udp", *ends, "--rate", "5000", "--trial-seconds", "0.1", "--warm-up", "0.1",
                               "--resolution", "50")
        self.assertGreater(searched["trials"][0]["sent"], 0)

    def test_text_of_connect_has_all_figures(self):
        done = pktgen(*CONNECT, "--seconds", "0.1", "--rate", "1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("attempted", "asked for", "established", "answered", "closed", "reset", "timed out", "at once", "sent", "received",
                     "lost", "Mpps", "Gbit/s", "p50", "p99.9", "max"):
            self.assertIn(part, done.stdout)

    def test_lists_that_are_none_are_said(self):
        with tempfile.TemporaryDirectory() as folder:
            names = pathlib.Path(folder) / "names"
            names.write_text("# nobody\n")
            self.assertEqual(pktgen(*CONNECT, "--names", names).returncode, 1)
            names.write_text("fine.example\nnot fine\n")
            done = pktgen(*CONNECT, "--names", names)
            self.assertEqual((done.returncode, "names:2:" in done.stderr), (1, True), done.stderr)
        self.assertEqual(pktgen(*CONNECT, "--names", "/nonexistent").returncode, 3)


def frame(number):
    """Ethernet, IPv4, UDP; checksums left zero, which nobody looks at here."""
    payload = struct.pack(">I", number) * 8
    ip = struct.pack(">BBHHHBBHBBBBBBBB", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, 10, 1, 0, 1, 192, 0, 2, 1)
    return bytes(12) + b"\x08\x00" + ip + struct.pack(">HHHH", 5000, 6000, 8 + len(payload), 0) + payload


def pcap(packets):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(struct.pack("<IIII", 1000 + int(time), round(time % 1 * 1e6), len(data), len(data)) + data
                           for time, data in packets)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()

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
        done = pktgen("search", *UDP, "--rate", "5000", "--trial-seconds", "0.1", "--plot", "/nonexistent/plot.svg")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("NDR", done.stdout)

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

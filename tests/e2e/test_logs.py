"""Where flow records go: a file that logrotate rotates, systemd-journald, rsyslog, an IPFIX collector; each as its users run it."""

import json
import pathlib
import re
import signal
import subprocess
import time

import cases
import namespaces
from cases import GatewayCase, linkerd_policy
from world import SERVER, WORKLOADS

JOURNALD = "/lib/systemd/systemd-journald"
SYSLOG_PORT = 5514
IPFIX_PORT = 4739

# A journal of its own: what it writes is gone with it. In no network of ours: there it finds no control groups.
START_JOURNALD = f"""
mkdir -p /run/systemd /run/log
mount -t tmpfs tmpfs /run/systemd && mount -t tmpfs tmpfs /run/log && mkdir -p /run/systemd/journal /run/log/journal
exec {JOURNALD}
"""

RSYSLOG = """
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="{port}")
template(name="parts" type="string" string="%app-name%|%msgid%|%syslogfacility-text%|%syslogseverity-text%|%timestamp:::date-rfc3339%|%msg%\\n")
*.* action(type="omfile" file="{folder}/syslog" template="parts")
"""


def wait(what, seconds=20):
    """Until it answers something true; that."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(0.1)
    return found


class Logged(GatewayCase):
    policy = linkerd_policy().split("[[namespace]]")[0] + WORKLOADS
    more = f"""journald = true
syslog = "udp:127.0.0.1:{SYSLOG_PORT}"
syslog_facility = "local2"
[ipfix]
collector = "udp:127.0.0.1:{IPFIX_PORT}"
observation_domain = 7
[metrics]
listen = "127.0.0.1:9464"
"""

    @classmethod
    def setUpClass(cls):
        cls.folder = cases.world.folder / "logs"
        cls.folder.mkdir(exist_ok=True)
        cls.listeners = []
        program = cases.program
        try:
            cls.start_listeners()
            cases.program = cls.beside_journald(program)
            super().setUpClass()
        except BaseException:
            cls.stop_listeners()
            raise
        finally:
            cases.program = program
        case = cls()
        for name in ("httpbin.org", "denied.example"):
            case.curl("web", name, SERVER[0])

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.stop_listeners()

    @classmethod
    def start_listener(cls, *command):
        with open(cls.folder / "said", "ab") as said:
            cls.listeners.append(cases.world.gateway.start(command, stdout=said, stderr=said))
        return cls.listeners[-1]

    @classmethod
    def start_listeners(cls):
        cls.journald = subprocess.Popen(["unshare", "--mount", "sh", "-e", "-c", START_JOURNALD], stdin=subprocess.DEVNULL)
        cls.listeners.append(cls.journald)
        cls.run_folder = pathlib.Path(f"/proc/{cls.journald.pid}/root/run")
        wait((cls.run_folder / "systemd" / "journal" / "socket").exists)
        (cls.folder / "rsyslog.conf").write_text(RSYSLOG.format(port=SYSLOG_PORT, folder=cls.folder))
        cls.start_listener("rsyslogd", "-n", "-i", cls.folder / "rsyslog.pid", "-f", cls.folder / "rsyslog.conf")
        (cls.folder / "ipfix").mkdir(exist_ok=True)
        cls.collector = cls.start_listener("nfcapd", "-b", "127.0.0.1", "-p", IPFIX_PORT, "-w", cls.folder / "ipfix")

    @classmethod
    def stop_listeners(cls):
        for process in reversed(cls.listeners):
            namespaces.stop(process)

    @classmethod
    def beside_journald(cls, program):
        """The program, where journald's socket is in its place, with the network's own /sys."""
        path = cls.folder / "sallyport"
        path.write_text(f"""#!/bin/sh
exec nsenter --mount=/proc/{cls.journald.pid}/ns/mnt -- unshare --mount sh -e -c 'mount -t sysfs sysfs /sys; exec "$0" "$@"' {program} "$@"
""")
        path.chmod(0o755)
        return path

    def lost(self):
        return {output["output"]: output["lost"] for output in self.gateway.show("reasons")["flow_log"]["outputs"]}

    def test_the_journal_is_searched_by_field(self):
        def found():
            done = subprocess.run(["journalctl", "--directory", self.run_folder / "log" / "journal", "--output=json",
                                   "--identifier=sallyport-flow", "SALLYPORT_VERDICT=deny", "SALLYPORT_SERVER_NAME=denied.example"],
                                  capture_output=True, text=True, check=False, timeout=20)
            return [json.loads(line) for line in done.stdout.splitlines()]
        entry = wait(found)[0]
        self.assertRegex(entry["MESSAGE"], r"^deny 10\.1\.2\.3:\d+ -> 198\.51\.100\.7:443 TCP denied\.example: name_not_allowed in ")
        self.assertEqual((entry["PRIORITY"], entry["SALLYPORT_WORKLOAD"], entry["_COMM"]), ("5", "web", "sallyport"))
        record = json.loads(entry["SALLYPORT_RECORD"])
        self.assertEqual((record["flow_id"], record["verdict"]["action"]), (int(entry["SALLYPORT_FLOW_ID"]), "deny"))

    def test_a_syslog_server_understands_it(self):
        def found():
            path = self.folder / "syslog"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            return [line for line in lines if "denied.example" in line]
        app, event, facility, severity, at, message = wait(found)[0].split("|", 5)
        self.assertEqual((app, event, facility, severity), ("sallyport", "flow", "local2", "notice"))
        record = json.loads(message)
        self.assertEqual(record["tls"]["sni"], "denied.example")
        self.assertEqual(at[:19], record["timestamp"][:19])

    def test_a_collector_reads_the_translations(self):
        flow = self.gateway.wait_flow(verdict__action="allow", tls__sni="httpbin.org")
        time.sleep(1)
        self.collector.send_signal(signal.SIGTERM)  # it writes what it has
        self.collector.wait(10)
        done = subprocess.run(["nfdump", "-R", self.folder / "ipfix", "-o", "json"], capture_output=True, text=True, check=True,
                              timeout=20)
        records = [record for record in json.loads(done.stdout) if record.get("src_port") == flow["src_port"]]
        self.assertEqual(sorted(record["nat_event"] for record in records), ["NAT44 session create", "NAT44 session delete"])
        for record in records:
            self.assertEqual((record["src4_addr"], record["dst4_addr"], record["dst_port"]), (flow["src_ip"], SERVER[0], 443))
            self.assertEqual((record["src4_xlt_ip"], int(record["src_xlt_port"])), (flow["nat"]["src_ip"], flow["nat"]["src_port"]))

    def test_none_of_it_is_lost(self):
        wait(lambda: sum(output["written"] for output in self.gateway.show("reasons")["flow_log"]["outputs"]) >= 8)
        self.assertEqual(self.lost(), {"file": 0, "journald": 0, "syslog": 0, "ipfix": 0})

    def test_when_journald_stands_it_costs_its_records_and_no_packet(self):
        before = self.gateway.show("reasons")
        self.journald.send_signal(signal.SIGSTOP)
        try:
            report = self.connections("batch", SERVER[0], 700)
            self.assertEqual((report["answered"], report["error_count"]), (0, 700))  # denied, each by a record
            lost = wait(lambda: self.lost()["journald"])
            after = self.gateway.show("reasons")
            self.assertGreater(lost, 0)
            self.assertEqual((after["flow_log"]["lost_in_rings"], self.lost()["file"]), (0, 0))
            self.assertEqual(after["flows"]["denied"] - before["flows"]["denied"], 700)
            metrics = cases.world.gateway.run(["curl", "--silent", "http://127.0.0.1:9464/metrics"]).stdout
            self.assertRegex(metrics, r'sallyport_flow_records_lost_total\{where="journald"\} [1-9]')
            text = cases.world.gateway.run([self.gateway.program, "show", "reasons", "--socket", self.gateway.socket_path]).stdout
            self.assertIn("records lost: journald", text)
        finally:
            self.journald.send_signal(signal.SIGCONT)


class Rotated(GatewayCase):
    """By the configuration that is installed; only the folder, and how the process is found, are this test's."""

    def rotate(self):
        path = self.gateway.folder / "logrotate.conf"
        text = (cases.ROOT / "tools" / "sallyport.logrotate").read_text(encoding="utf-8")
        for there, here in (("/var/log/sallyport/*.jsonl", f"{self.gateway.folder}/flows.jsonl"), ("root sallyport", "root root"),
                            (r"systemctl kill .*", f"kill -USR1 {self.gateway.process.pid}")):
            self.assertRegex(text, there.replace("*.j", r"\*\.j"))
            text = re.sub(there.replace("*.j", r"\*\.j"), here, text)
        path.write_text(text)
        path.chmod(0o644)
        done = subprocess.run(["logrotate", "--force", "--state", self.gateway.folder / "logrotate.state", path],
                              capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def lines(self):
        for path in sorted(self.gateway.folder.glob("flows.jsonl*")):
            opened = ["zcat", path] if path.suffix == ".gz" else ["cat", path]
            yield from subprocess.run(opened, capture_output=True, text=True, check=True, timeout=20).stdout.splitlines()

    def written(self):
        return self.gateway.show("reasons")["flow_log"]["outputs"][0]["written"]

    def test_no_record_is_lost(self):
        for _ in range(4):
            before = self.written()
            client = self.start("web", ["python3", cases.PEERS / "many_connections.py", SERVER[0], cases.ECHO_PORT, "200", "1"], "client")
            self.rotate()
            client.wait(60)
            wait(lambda before=before: self.written() > before)  # and more are on their way
            self.rotate()
        opened = self.gateway.show("reasons")["flows"]["opened"]
        self.assertGreaterEqual(opened, 800)
        wait(lambda: self.written() >= opened)
        records = [json.loads(line) for line in self.lines()]  # each line whole
        self.assertEqual(len(records), opened)
        self.assertEqual(len({record["flow_id"] for record in records}), opened)
        self.assertGreater(len(list(self.gateway.folder.glob("flows.jsonl*"))), 3)
        self.assertEqual(self.gateway.show("reasons")["flow_log"]["outputs"][0]["lost"], 0)

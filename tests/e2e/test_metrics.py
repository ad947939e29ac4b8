"""[metrics] listen: what Prometheus and its tools say to it, and what a browser shows."""

import json
import os
import pathlib
import re
import subprocess
import time
import urllib.parse

import cases
import namespaces
from cases import GatewayCase, linkerd_policy
from servers import IPERF_PORT
from world import SERVER, WORKLOADS

PORT = 9464
MONITORING = cases.ROOT / "examples" / "monitoring"


class Watched(GatewayCase):
    """A policy that denies names, and traffic that is allowed and denied."""

    policy = linkerd_policy().split("[[namespace]]")[0] + WORKLOADS
    more = f'[metrics]\nlisten = "127.0.0.1:{PORT}"\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls()
        for name in ("httpbin.org", "denied.example", "denied.example"):
            case.curl("web", name, SERVER[0])

    def get(self, path, *more):
        done = cases.world.gateway.run(["curl", "--silent", "--max-time", "10", *more, f"http://127.0.0.1:{PORT}{path}"], check=False)
        return done.stdout

    def status(self, path, *more):
        return self.get(path, "--output", "/dev/null", "--write-out", "%{http_code}", *more)

    def test_promtool_accepts_the_metrics(self):
        text = self.get("/metrics")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn('sallyport_flows_denied_total{reason="name_not_allowed"} 2\n', text)
        self.assertIn('sallyport_rule_flows_total{rule="linkerd-egress/tls-egress"}', text)

    def test_they_are_what_show_says(self):
        reasons = self.gateway.show("reasons")
        metrics = self.get("/metrics")
        self.assertIn(f'sallyport_ended_packets_total{{reason="hello_denied"}} {reasons["reasons"]["hello_denied"]}\n', metrics)
        self.assertIn(f'sallyport_flows_allowed_total {reasons["flows"]["allowed"]}\n', metrics)

    def test_the_page_tells_who_was_refused(self):
        page = self.get("/")
        for text in ("denied.example", "name_not_allowed", "linkerd-egress/", "prod/web", "policy generation 1"):
            self.assertIn(text, page)

    def test_its_form_explains(self):
        query = urllib.parse.urlencode({"from": "10.1.2.3", "to": SERVER[0], "port": 443, "proto": "tcp", "host": "denied.example"})
        answer = self.get("/explain?" + query)
        self.assertIn("deny", answer)
        self.assertIn("name_not_allowed", answer)
        self.assertIn("is no IPv4 or IPv6 address", self.get("/explain?from=%3Cb%3E"))

    def test_strangers_are_kept_out(self):
        self.assertEqual(self.status("/", "--header", "Host: evil.example"), "421")
        self.assertEqual(self.status("/", "--request", "POST"), "405")
        self.assertEqual(self.status("/../../etc/passwd", "--path-as-is"), "404")
        self.assertEqual(self.status("/metrics", "--header", "Host: localhost:9464"), "200")

    def check_against(self, policy):
        return self.gateway.host.run([self.gateway.program, "check", "--policy", policy, "--against", f"http://127.0.0.1:{PORT}"],
                                     check=False)

    def test_another_gateway_is_compared_by_its_policys_hash(self):
        same = self.check_against(self.gateway.folder / "policy.toml")
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assertIn("the same policy", same.stdout)
        other = self.check_against(cases.ROOT / "examples" / "calico.toml")
        self.assertEqual(other.returncode, 1)
        self.assertIn("another policy", other.stderr)

    def test_a_browser_shows_it(self):
        """With its style and its script: nothing is refused by the page's own Content-Security-Policy."""
        picture = cases.world.folder / "page.png"
        done = cases.world.gateway.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={cases.world.folder}/chromium-status",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--enable-logging=stderr",
             "--window-size=1280,1150", "--virtual-time-budget=4000", f"--screenshot={picture}", f"http://127.0.0.1:{PORT}/"],
            check=False, timeout=60)
        self.assertGreater(picture.stat().st_size, 10_000, done.stderr[-2000:])
        self.assertNotIn("Refused to", done.stderr)
        if "SALLYPORT_SCREENSHOT" in os.environ:
            pathlib.Path(os.environ["SALLYPORT_SCREENSHOT"]).write_bytes(picture.read_bytes())


class AtFullLoad(GatewayCase):
    """The page is asked while the workers have all that they can do."""

    policy = cases.OPEN_POLICY
    workers = 2
    more = f'[metrics]\nlisten = "127.0.0.1:{PORT}"\n'
    seconds_to_answer = 2

    def test_the_page_answers(self):
        sender = cases.world.pods["batch"].start(["iperf3", "--json", "--client", SERVER[0], "--port", IPERF_PORT, "--time", "5"],
                                                 stdout=subprocess.PIPE)
        self.addCleanup(namespaces.stop, sender)
        asked = 0
        received = []
        while sender.poll() is None:
            for path in ("/", "/metrics", f"/explain?from=10.1.2.3&to={SERVER[0]}&port=443&proto=tcp"):
                done = cases.world.gateway.run(["curl", "--silent", "--fail", "--max-time", self.seconds_to_answer,
                                                f"http://127.0.0.1:{PORT}{path}"], check=False)
                self.assertEqual(done.returncode, 0, f"{path}, asked {asked} times before")
                asked += 1
                received += [int(count) for count in re.findall(r"^sallyport_received_packets_total (\d+)$", done.stdout, re.MULTILINE)]
            time.sleep(0.2)
        report = json.loads(sender.stdout.read())
        self.assertNotIn("error", report)
        self.assertGreater(report["end"]["sum_received"]["bytes"], 40_000_000)
        self.assertGreater(asked, 9)
        self.assertGreater(received[-1] - received[0], 20_000, "packets went by between the first answer and the last")


class Scraped(GatewayCase):
    """A real Prometheus, with the alert rules and the dashboard's queries of the examples; the gateway wants a token."""

    token = "0123456789abcdef"
    more = f'[metrics]\nlisten = "0.0.0.0:{PORT}"\ntoken_file = "token"\n'

    @classmethod
    def setUpClass(cls):
        folder = cases.world.folder / "gateway"
        folder.mkdir(exist_ok=True)
        (folder / "token").write_text(cls.token + "\n")
        (folder / "token").chmod(0o600)
        super().setUpClass()
        cls.folder = cases.world.folder / "prometheus"
        cls.folder.mkdir(exist_ok=True)
        (cls.folder / "alerts.yml").write_text((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
        text = (MONITORING / "prometheus.yml").read_text(encoding="utf-8").replace("15s", "1s")
        text = text.replace("    # authorization:\n    #   credentials_file: /etc/prometheus/sallyport-token",
                            f"    authorization:\n      credentials_file: {folder}/token")
        (cls.folder / "prometheus.yml").write_text(text)
        with open(cls.folder / "log", "wb") as log:
            cls.prometheus = cases.world.gateway.start(
                ["prometheus", f"--config.file={cls.folder}/prometheus.yml", f"--storage.tsdb.path={cls.folder}/data",
                 "--web.listen-address=127.0.0.1:9090"], stdout=log, stderr=log)

    @classmethod
    def tearDownClass(cls):
        namespaces.stop(cls.prometheus)
        super().tearDownClass()

    def ask(self, path, **query):
        done = cases.world.gateway.run(["curl", "--silent", "--max-time", "10",
                                        f"http://127.0.0.1:9090/api/v1/{path}?{urllib.parse.urlencode(query)}"], check=False)
        return json.loads(done.stdout) if done.stdout.startswith("{") else {}

    def value(self, query):
        result = self.ask("query", query=query).get("data", {}).get("result", [])
        return float(result[0]["value"][1]) if result else None

    def wait_value(self, query, wanted, seconds=40):
        end = time.monotonic() + seconds
        while (found := self.value(query)) != wanted:
            self.assertLess(time.monotonic(), end, f"{query}: {found}\n" + (self.folder / "log").read_text()[-2000:])
            time.sleep(0.2)

    def test_without_the_token_nothing_is_told(self):
        for more in ([], ["--header", "Authorization: Bearer wrong"], ["--header", f"Authorization: Basic {self.token}"]):
            done = cases.world.gateway.run(["curl", "--silent", "--include", *more, f"http://127.0.0.1:{PORT}/metrics"])
            self.assertIn("401", done.stdout.splitlines()[0])
            self.assertNotIn("sallyport_", done.stdout)

    def test_it_is_scraped_and_its_queries_are_understood(self):
        self.wait_value("up", 1.0)
        self.wait_value("sallyport_policy_loaded", 1.0)
        dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(queries), 12)
        for query in queries:
            answer = self.ask("query", query=query.replace("$__rate_interval", "1m").replace("$instance", ".*"))
            self.assertEqual(answer.get("status"), "success", f"{query}: {answer}")
        rules = self.ask("rules")["data"]["groups"][0]["rules"]
        self.assertGreaterEqual(len(rules), 9)

    def test_a_refused_reload_is_an_alert(self):
        self.gateway.reload("surplus = 1\n")
        self.wait_value('ALERTS{alertname="SallyportReloadRefused"}', 1.0, seconds=90)
        self.gateway.reload(self.policy)

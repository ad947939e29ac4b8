"""What real clients say before they are allowed: TLS 1.2 and 1.3, HTTP/2, HTTP/3, STARTTLS, a browser; that a denied server
hears nothing of it; and what waiting for the verdict costs an allowed one."""

import base64
import hashlib
import json
import tempfile

import cases
from cases import GatewayCase
from servers import PEERS, PYTHON
from world import SECOND_SERVER, SERVER

WEB_PORT, MAIL_PORT = 8443, 2525

POLICY = cases.OPEN_POLICY.replace('traffic_policy = "Allow"', 'traffic_policy = "Deny"') + f"""
[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ {{ name = "everything", namespace = "linkerd-egress", port = {WEB_PORT} }},
                {{ name = "everything", namespace = "linkerd-egress", port = {MAIL_PORT} }} ]
hostnames = ["httpbin.org"]
"""

CADDY = """
{{
  admin off
  auto_https off
  storage file_system {folder}
}}
{sites}
"""
CADDY_SITE = """
https://{name}:{port} {{
  bind {addresses}
  tls {folder}/{name}.pem {folder}/{name}.key
  respond "{name} by {{http.request.proto}}"
}}
"""


class NamesOfClients(GatewayCase):
    policy = POLICY

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cases.servers.folder
        # By address: caddy answers datagrams from the one that it listens on.
        sites = "".join(CADDY_SITE.format(name=name, port=WEB_PORT, folder=folder, addresses=" ".join(SERVER))
                        for name in ("httpbin.org", "denied.example"))
        (folder / "Caddyfile").write_text(CADDY.format(folder=folder, sites=sites), encoding="utf-8")
        log = open(cases.world.folder / "names-servers.log", "ab")  # as long as the world
        host = cases.world.server
        cls.peers = [
            host.start(["env", f"HOME={folder}", "caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"],
                       stdout=log, stderr=log),
            host.start([PYTHON, PEERS / "starttls_server.py", MAIL_PORT, folder / "httpbin.org.pem", folder / "httpbin.org.key"],
                       stdout=log, stderr=log)]
        for port in (WEB_PORT, MAIL_PORT):
            cases.servers.wait_listening(port)

    @classmethod
    def tearDownClass(cls):
        for peer in cls.peers:
            cases.namespaces.stop(peer)
        super().tearDownClass()

    def run_in_pod(self, *command, given="", address=SERVER[0], timeout=30):
        """In the pod, where a hosts file knows the names at this address."""
        hosts = cases.world.folder / "hosts"
        hosts.write_text(f"{address} httpbin.org denied.example\n", encoding="utf-8")
        script = 'mount --bind "$0" /etc/hosts && printf "%s" "$INPUT" | "$@"'
        return cases.world.pods["web"].run(["env", f"INPUT={given}", "sh", "-c", script, hosts, *command], check=False,
                                           timeout=timeout)

    def assert_never_shown(self, name, record):
        shown = b"".join(segment.payload for segment in record.stop())
        self.assertNotIn(name.encode(), shown)
        return shown

    def verdict_of(self, **wanted):
        return self.gateway.wait_flow(**wanted)["verdict"]["action"]

    def test_curl_of_every_kind(self):
        kinds = [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0"), ("--tls-max 1.2", "HTTP/2.0"), ("--tlsv1.3", "HTTP/2.0")]
        for address in SERVER:
            for arguments, protocol in kinds:
                done = self.curl("web", "httpbin.org", address, *arguments.split(), port=WEB_PORT)
                self.assertEqual(done.stdout, f"httpbin.org by {protocol}", done.stderr)
                record = self.record_server(f"port {WEB_PORT}")
                self.assertEqual(self.curl("web", "denied.example", address, *arguments.split(), port=WEB_PORT).returncode, 35)
                self.assertEqual(self.assert_never_shown("denied.example", record), b"")

    def test_who_has_said_nothing_yet_is_shown_as_waiting(self):
        silent = f"import socket, time; s = socket.create_connection(('{SERVER[0]}', {WEB_PORT}), source_address=('', 15678)); time.sleep(9)"
        self.start("web", [PYTHON, "-c", silent], "silent")
        self.gateway.wait_listed("waits for its name")
        (flow,) = [flow for flow in self.gateway.show("flows") if flow["src_port"] == 15678]
        self.assertEqual(flow["verdict"]["action"], "waiting")
        self.assertNotIn("reason", flow["verdict"])
        self.assertEqual([flow for flow in self.gateway.flows() if flow["src_port"] == 15678], [])

    def test_wget(self):
        authorities = f"--ca-certificate={cases.servers.authorities}"
        done = self.run_in_pod("wget", "-q", "-O-", "--tries=1", authorities, f"https://httpbin.org:{WEB_PORT}/")
        self.assertEqual(done.stdout, "httpbin.org by HTTP/1.1", done.stderr)
        done = self.run_in_pod("wget", "-q", "-O-", "--tries=1", authorities, f"https://denied.example:{WEB_PORT}/")
        self.assertNotEqual(done.returncode, 0)

    def s_client(self, port, *more):
        return self.run_in_pod("openssl", "s_client", "-connect", f"{SERVER[0]}:{port}", "-CAfile", cases.servers.authorities, *more,
                               given="quit\n")

    def test_openssl_with_and_without_a_name(self):
        self.assertIn("Verify return code: 0", self.s_client(WEB_PORT, "-servername", "httpbin.org").stdout)
        for more in (["-servername", "denied.example"], ["-noservername"]):
            record = self.record_server(f"port {WEB_PORT}")
            done = self.s_client(WEB_PORT, *more)
            self.assertIn("no peer certificate available", done.stdout)
            self.assertEqual(self.assert_never_shown("denied.example", record), b"")

    def test_starttls(self):
        done = self.s_client(MAIL_PORT, "-starttls", "smtp", "-servername", "httpbin.org")
        self.assertIn("Verify return code: 0", done.stdout, done.stderr)
        record = self.record_server(f"port {MAIL_PORT}")
        done = self.s_client(MAIL_PORT, "-starttls", "smtp", "-servername", "denied.example")
        self.assertIn("no peer certificate available", done.stdout)
        self.assertIn(b"STARTTLS", self.assert_never_shown("denied.example", record))
        self.assertEqual(self.verdict_of(dest_port=MAIL_PORT, tls__sni="denied.example"), "deny")

    def test_http3(self):
        for address in SERVER:
            done = self.gtlsclient("httpbin.org", address)
            self.assertIn("[:status: 200]", done.stdout + done.stderr)
            record = self.record_server(f"udp port {WEB_PORT}")
            done = self.gtlsclient("denied.example", address)
            self.assertNotIn("[:status: 200]", done.stdout + done.stderr)
            self.assertEqual(self.assert_never_shown("denied.example", record), b"")
        self.assertEqual(self.verdict_of(dest_port=WEB_PORT, quic__sni="denied.example"), "deny")

    def gtlsclient(self, name, address):
        # By name: of an address it says "localhost", whatever --sni is.
        return self.run_in_pod("gtlsclient", "--no-quic-dump", "--exit-on-all-streams-close", "--timeout=4s", "--handshake-timeout=4s",
                               name, WEB_PORT, f"https://{name}:{WEB_PORT}/", address=address)

    def test_chromium_over_tcp(self):
        for address in SERVER:
            self.assertIn("httpbin.org by HTTP/2.0", self.chromium("httpbin.org", address, "--disable-quic"))
            record = self.record_server(f"port {WEB_PORT}")
            self.assertNotIn("denied.example by", self.chromium("denied.example", address, "--disable-quic"))
            self.assertEqual(self.assert_never_shown("denied.example", record), b"")
        self.assertEqual(self.verdict_of(dest_port=WEB_PORT, tls__sni="denied.example"), "deny")

    def test_chromium_over_quic(self):
        """Its Initials are scrambled, and its hello is post-quantum: two datagrams."""
        for address in SERVER:
            by_quic = f"--origin-to-force-quic-on=httpbin.org:{WEB_PORT},denied.example:{WEB_PORT}"
            self.assertIn("httpbin.org by HTTP/3.0", self.chromium("httpbin.org", address, by_quic))
            record = self.record_server(f"udp port {WEB_PORT}")
            self.assertNotIn("denied.example by", self.chromium("denied.example", address, by_quic))
            self.assertEqual(self.assert_never_shown("denied.example", record), b"")
        self.assertEqual(self.verdict_of(dest_port=WEB_PORT, quic__sni="denied.example"), "deny")

    def chromium(self, name, address, *more):
        """The page that it shows; nothing where there is none."""
        keys = ",".join(self.key_hash(site) for site in ("httpbin.org", "denied.example"))
        with tempfile.TemporaryDirectory(dir=cases.world.folder) as home:
            done = self.run_in_pod(
                "env", f"HOME={home}", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-background-networking", "--disable-component-update", "--no-first-run", f"--user-data-dir={home}/profile",
                f"--ignore-certificate-errors-spki-list={keys}", "--timeout=8000", *more, "--dump-dom",
                f"https://{name}:{WEB_PORT}/", address=address, timeout=90)
        return done.stdout

    @staticmethod
    def key_hash(name):
        """By which chromium trusts a certificate that nobody signed."""
        public = cases.namespaces.run(["openssl", "x509", "-in", str(cases.servers.folder / f"{name}.pem"), "-noout", "-pubkey"])
        body = "".join(public.stdout.splitlines()[1:-1])
        return base64.b64encode(hashlib.sha256(base64.b64decode(body)).digest()).decode()


class DelayOfHolding(GatewayCase):
    """One server, behind a network with a name rule and behind one without."""

    policy = cases.OPEN_POLICY.split("[[egress_network]]")[0] + f"""
[[egress_network]]
namespace = "linkerd-egress"
name = "by-name"
traffic_policy = "Deny"
networks = [ {{ cidr = "{SERVER[0]}/32" }} ]
[[egress_network]]
namespace = "linkerd-egress"
name = "open"
traffic_policy = "Allow"
networks = [ {{ cidr = "{SECOND_SERVER[0]}/32" }} ]
[[tls_route]]
namespace = "linkerd-egress"
name = "names"
parent_refs = [ {{ name = "by-name", namespace = "linkerd-egress", port = 443 }} ]
hostnames = ["httpbin.org"]
[snat]
addresses = ["203.0.113.1"]
"""

    def test_first_byte_with_and_without_a_name_rule(self):
        """Whatever else the machine does: not a round trip, and not a timer. Again where others had its processors."""
        self.assertTrue(any(self.holding_takes_no_time() for _ in range(4)))

    def holding_takes_no_time(self):
        done = cases.world.pods["web"].run(
            [PYTHON, PEERS / "first_byte.py", 443, "httpbin.org", 40, SECOND_SERVER[0], SERVER[0]], timeout=120)
        measured = json.loads(done.stdout)
        for segments in ("1", "2"):
            (open_median, open_tail), (held_median, held_tail) = measured[SECOND_SERVER[0]][segments], measured[SERVER[0]][segments]
            print(f"         first byte after a hello in {segments} segment(s), in us, median and 99th percentile: without a name "
                  f"rule {open_median} and {open_tail}, with one {held_median} and {held_tail}", flush=True)
            if held_median >= open_median * 1.5 + 2000:
                return False
        return True

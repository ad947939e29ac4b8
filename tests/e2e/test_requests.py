"""Requests of plaintext HTTP with real clients: what a path is allowed, what is answered by 403, and what the server's log knows
of it."""

import time

import cases
from cases import GatewayCase
from servers import HTTP2_PORT, PEERS, PYTHON
from world import SERVER

POLICY = cases.OPEN_POLICY.replace('traffic_policy = "Allow"', 'traffic_policy = "Deny"') + """
[[http_route]]
namespace = "linkerd-egress"
name = "get"
parent_refs = [ { name = "everything", namespace = "linkerd-egress", port = 80 } ]
hostnames = ["httpbin.org"]

  [[http_route.rules]]
  matches = [ { path = { value = "/get" } }, { path = { value = "/post" }, method = "POST" } ]
"""
HTTP2_POLICY = POLICY.replace("port = 80 ", f"port = {HTTP2_PORT} ")
GRPC_POLICY = cases.OPEN_POLICY.replace('traffic_policy = "Allow"', 'traffic_policy = "Deny"') + f"""
[[grpc_route]]
namespace = "linkerd-egress"
name = "cart"
parent_refs = [ {{ name = "everything", namespace = "linkerd-egress", port = {HTTP2_PORT} }} ]
hostnames = ["httpbin.org"]

  [[grpc_route.rules]]
  matches = [ {{ method = {{ service = "shop.Cart", method = "Add" }} }} ]
"""
NOT_ALLOWED = "traffic not allowed\n"


class Requests(GatewayCase):
    policy = POLICY

    def curl_http(self, paths, address, *more, name="httpbin.org"):
        """One curl for several paths, so one connection; each answer's status and number of connections behind its page."""
        urls = [f"http://{name}:80{path}" for path in paths[:-1]]
        return self.curl("web", name, address, "--http1.1", "--write-out", "%{http_code} %{num_connects}\n", *more, *urls,
                         path=paths[-1], scheme="http")

    def log_since(self, count, wanted=0):
        """What clients asked for; waits until so much is there: nginx writes a line when it is done with the request."""
        for _ in range(50):
            asked = [(entry["method"], entry["path"]) for entry in cases.servers.access_log()[count:]
                     if entry["address"] != "127.0.0.1"]
            if len(asked) >= wanted:
                break
            time.sleep(0.1)
        return asked

    def test_allowed_and_denied_path(self):
        for address in SERVER:
            before = len(cases.servers.access_log())
            done = self.curl_http(["/get"], address)
            self.assertRegex(done.stdout, "^plain, seen from .*\n200 1\n$", done.stderr)
            record = self.record_server("tcp port 80")
            done = self.curl_http(["/ip"], address)
            self.assertEqual(done.stdout, NOT_ALLOWED + "403 1\n", done.stderr)
            self.assertEqual(sum(len(segment.payload) for segment in record.stop()), 0)
            self.assertEqual(self.log_since(before), [("GET", "/get")])
        flow = self.gateway.wait_flow(http__url="/ip", dest_ip=SERVER[0])
        self.assertEqual((flow["verdict"]["action"], flow["verdict"]["reason"]), ("deny", "name_not_allowed"))

    def test_second_request_on_a_connection_that_is_kept(self):
        for address in SERVER:
            before = len(cases.servers.access_log())
            record = self.record_server("tcp port 80")
            done = self.curl_http(["/get/1", "/get/2", "/ip"], address)
            shown = b"".join(segment.payload for segment in record.stop())
            self.assertEqual([line for line in done.stdout.splitlines() if not line.startswith("plain")],
                             ["200 1", "200 0", NOT_ALLOWED.strip(), "403 0"], done.stderr)
            self.assertIn(b"/get/2", shown)
            self.assertNotIn(b"/ip", shown)
            self.assertEqual(self.log_since(before), [("GET", "/get/1"), ("GET", "/get/2")])

    def test_bodies_of_either_kind(self):
        body = cases.servers.folder / "body"
        body.write_bytes(b"GET /ip HTTP/1.1\r\n\r\n" * 100_000)
        for address in SERVER:
            for more in (["--header", "Expect:"], ["--header", "Expect:", "--header", "Transfer-Encoding: chunked"]):
                before = len(cases.servers.access_log())
                done = self.curl_http(["/post"], address, *more, "--data-binary", f"@{body}")
                self.assertRegex(done.stdout, "200 1\n$", done.stderr)
                self.assertEqual(self.log_since(before, 1), [("POST", "/post")])

    def test_upgrade_that_the_server_does_not_want(self):
        done = self.curl_http(["/get"], SERVER[0], "--http2")
        self.assertRegex(done.stdout, "200 1\n$", done.stderr)

    def test_other_hosts_and_no_http(self):
        done = self.curl_http(["/get"], SERVER[0], name="denied.example")
        self.assertEqual(done.stdout, NOT_ALLOWED + "403 1\n", done.stderr)
        record = self.record_server("tcp port 80")
        done = self.curl("web", "httpbin.org", SERVER[0], port=80)  # TLS
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(sum(len(segment.payload) for segment in record.stop()), 0)

    def test_wget_reads_the_page(self):
        done = cases.world.pods["web"].run(["wget", "-O-", "--content-on-error", "--tries=1", "--timeout=8",
                                            "--header=Host: httpbin.org", f"http://{SERVER[0]}/ip"], check=False)
        self.assertEqual((done.returncode, done.stdout), (8, NOT_ALLOWED), done.stderr)


class Http2(GatewayCase):
    policy = HTTP2_POLICY

    def curl_http2(self, path, address, *more):
        return self.curl("web", "httpbin.org", address, "--http2-prior-knowledge", "--write-out", "%{http_code}\n", *more, path=path,
                         scheme="http", port=HTTP2_PORT)

    def test_allowed_and_denied_path(self):
        for address in SERVER:
            before = len(cases.servers.access_log())
            done = self.curl_http2("/get", address)
            self.assertEqual(done.stdout, "by HTTP/2.0\n200\n", done.stderr)
            record = self.record_server(f"tcp port {HTTP2_PORT}")
            done = self.curl_http2("/ip", address)
            shown = b"".join(segment.payload for segment in record.stop())
            self.assertIn("403\n", done.stdout, done.stderr)
            self.assertNotIn(b"ip", shown)
            self.assertEqual([entry["path"] for entry in cases.servers.access_log()[before:]], ["/get"])
        self.assertEqual(self.gateway.wait_flow(http__url="/ip")["verdict"]["reason"], "name_not_allowed")

    def test_second_stream_of_a_connection(self):
        for address in SERVER:
            before = len(cases.servers.access_log())
            record = self.record_server(f"tcp port {HTTP2_PORT}")
            done = cases.world.pods["web"].run([PYTHON, PEERS / "http2_streams.py", address, HTTP2_PORT, "httpbin.org", "/get/1",
                                                "/get/2", "/ip", "/get/3"])
            shown = b"".join(segment.payload for segment in record.stop())
            self.assertEqual(done.stdout.split(), ["200", "200", "403", "closed"], done.stderr)
            self.assertIn(b"/get/2", shown)
            self.assertNotIn(b"/ip", shown)
            self.assertEqual([entry["path"] for entry in cases.servers.access_log()[before:]], ["/get/1", "/get/2"])

    def test_bodies(self):
        """What looks like a request of HTTP/1 is none behind the server's SETTINGS, and so behind a first window of 65,535 bytes."""
        body = cases.servers.folder / "body"
        body.write_bytes(b"x" * 66_000 + b"\r\nGET /ip HTTP/1.1\r\n\r\n" * 100_000)
        for address in SERVER:
            done = self.curl_http2("/post", address, "--data-binary", f"@{body}")
            self.assertRegex(done.stdout, "200\n$", done.stderr)


class Grpc(GatewayCase):
    policy = GRPC_POLICY

    def call(self, path):
        """The status of HTTP and of gRPC."""
        return self.curl("web", "httpbin.org", SERVER[0], "--http2-prior-knowledge", "--header", "content-type: application/grpc",
                         "--header", "te: trailers", "--data-binary", "12345", "--output", "/dev/null", "--write-out",
                         "%{http_code} %header{grpc-status} %header{grpc-message}", path=path, scheme="http", port=HTTP2_PORT)

    def test_calls(self):
        self.assertEqual(self.call("/shop.Cart/Add").stdout, "200  ")
        self.assertEqual(self.call("/shop.Cart/Empty").stdout, "200 7 traffic not allowed")
        self.assertEqual(self.gateway.wait_flow(http__url="/shop.Cart/Empty")["verdict"]["action"], "deny")

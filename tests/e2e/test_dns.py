"""Names learned from DNS: dnsmasq as the resolver, dig and curl as the clients."""

import time

import cases
import namespaces
from cases import GatewayCase
from world import SECOND_SERVER, SERVER, WORKLOADS

# Asks and connects; the resolver is trusted at the first server's address and not at the second's.
POLICY = WORKLOADS + f"""
[dns]
trusted_servers = ["{SERVER[0]}", "{SERVER[1]}"]

[[network_policy]]
namespace = "prod"
name = "names"
pod_selector = {{}}
  [[network_policy.egress]]
  ports = [ {{ protocol = "UDP", port = 53 }}, {{ port = 53 }} ]
  [[network_policy.egress]]
  to = [ {{ domains = ["httpbin.org", "*.example.com"] }} ]
  ports = [ {{ port = 443 }} ]

[[egress_network]]
namespace = "linkerd-egress"
name = "everything"
traffic_policy = "Allow"

[snat]
addresses = ["203.0.113.1", "2001:db8:113::1"]
"""
NAME_BINDING = '\n[defaults]\nserver_name_binding = "deny"\n'
REFUSED, RESET = 7, 35  # curl's exit status: no connection; reset in the handshake
LIFETIME = 2  # seconds, of short.example.com
MANY = [f"10.77.0.{i}" for i in range(1, 151)]


class Dns(GatewayCase):
    policy = POLICY

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        records = [f"--host-record=httpbin.org,{SERVER[0]},{SERVER[1]}",
                   f"--host-record=cdn.example.net,{SERVER[0]},{SERVER[1]}", "--cname=www.example.com,cdn.example.net",
                   f"--host-record=short.example.com,{SERVER[0]},{LIFETIME}",
                   *[f"--host-record=many.example.com,{address}" for address in MANY]]
        cls.resolver = cases.world.server.start(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--user=root", "--no-resolv", "--no-hosts",
             "--bind-interfaces", "--local-ttl=600", *[f"--listen-address={a}" for a in (*SERVER, *SECOND_SERVER)], *records],
            stdout=cases.servers.log, stderr=cases.servers.log)
        cases.servers.wait_listening(53)

    @classmethod
    def tearDownClass(cls):
        namespaces.stop(cls.resolver)
        super().tearDownClass()

    def setUp(self):
        # Bindings outlive a reload and not a restart.
        self.gateway.stop()
        self.gateway.start()

    def dig(self, pod, name, *more, server=SERVER[0]):
        done = cases.world.pods[pod].run(["dig", "+short", "+tries=1", "+time=5", f"@{server}", name, *more], check=False)
        return done.stdout.split()


class LearnedNames(Dns):
    def test_an_address_is_reached_once_its_name_was_asked(self):
        for version, kind in enumerate(["A", "AAAA"]):
            self.assertEqual(self.curl("web", "httpbin.org", SERVER[version]).returncode, REFUSED)
            self.assertEqual(self.dig("web", "httpbin.org", kind), [SERVER[version]])
            done = self.curl("web", "httpbin.org", SERVER[version])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.curl("web", "httpbin.org", SECOND_SERVER[version]).returncode, REFUSED)
            self.assertEqual(self.curl("web", "httpbin.org", SERVER[version], scheme="http").returncode, REFUSED)
        self.assertEqual(self.gateway.show("reasons")["dns"]["bindings"], 2)

    def test_over_tcp(self):
        self.assertEqual(self.dig("web", "httpbin.org", "A", "+tcp"), [SERVER[0]])
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)

    def test_what_one_pod_asked_holds_for_the_other(self):
        for asking, going in [("web", "batch"), ("batch", "web")]:
            self.gateway.stop()
            self.gateway.start()
            self.assertEqual(self.curl(going, "httpbin.org", SERVER[0]).returncode, REFUSED)
            self.dig(asking, "httpbin.org")
            self.assertEqual(self.curl(going, "httpbin.org", SERVER[0]).returncode, 0)

    def test_an_alias_is_the_name_that_was_asked(self):
        self.assertEqual(self.dig("web", "www.example.com"), ["cdn.example.net.", SERVER[0]])
        self.assertEqual(self.curl("web", "www.example.com", SERVER[0]).returncode, 0)

    def test_the_binding_ends_with_its_ttl(self):
        self.assertEqual(self.dig("web", "short.example.com"), [SERVER[0]])
        asked = time.monotonic()
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)
        time.sleep(max(0.0, asked + LIFETIME + 0.5 - time.monotonic()))
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, REFUSED)

    def test_truncated_over_udp_whole_over_tcp(self):
        self.assertEqual(len(self.dig("web", "many.example.com", "+ignore", "+bufsize=512")) < len(MANY), True)
        self.assertEqual(self.gateway.show("reasons")["dns"]["bindings"], 0)
        self.assertEqual(sorted(self.dig("web", "many.example.com")), sorted(MANY))
        self.assertEqual(self.gateway.show("reasons")["dns"]["bindings"], len(MANY))

    def test_a_resolver_that_is_not_trusted(self):
        self.assertEqual(self.dig("web", "httpbin.org", server=SECOND_SERVER[0]), [SERVER[0]])
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, REFUSED)

    def test_bindings_outlive_a_reload(self):
        self.dig("web", "httpbin.org")
        self.gateway.reload(POLICY.replace("[dns]", "[dns]\nnames_max = 500_000"))
        self.assertEqual(self.curl("web", "httpbin.org", SERVER[0]).returncode, 0)
        self.gateway.reload(POLICY)


class LearnedNamesTwoWorkers(LearnedNames):
    workers = 2


class BoundServerNames(Dns):
    policy = POLICY + NAME_BINDING

    def test_the_right_name_at_another_address(self):
        self.dig("guest", "httpbin.org")
        self.assertEqual(self.curl("guest", "httpbin.org", SERVER[0]).returncode, 0)
        record = self.record_server("tcp port 443")
        self.assertEqual(self.curl("guest", "httpbin.org", SECOND_SERVER[0]).returncode, RESET)
        self.assertEqual(sum(len(segment.payload) for segment in record.stop()), 0)
        flow = self.gateway.wait_flow(tls__sni="httpbin.org", dest_ip=SECOND_SERVER[0])
        self.assertEqual((flow["verdict"]["action"], flow["verdict"]["reason"]), ("deny", "name_not_bound"))

    def test_a_name_that_was_never_asked(self):
        self.assertEqual(self.curl("guest", "denied.example", SERVER[0]).returncode, RESET)
        self.gateway.wait_flow(tls__sni="denied.example", verdict__reason="name_not_bound")

    def test_what_shows_no_name_goes_on(self):
        self.assertEqual(self.ask_udp("guest", SERVER[0]).split(" ")[2:], ["hello"])


class BoundServerNamesTwoWorkers(BoundServerNames):
    workers = 2

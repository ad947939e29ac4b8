"""What other systems' documents show, brought over by `sallyport import`, and then behaving as those documents say."""

import subprocess

import cases
from cases import ROOT, GatewayCase
from servers import ECHO_PORT
from world import SECOND_SERVER, SERVER

OWN = ("203.0.113.1", "2001:db8:113::1")  # the gateway's, for sources that no egress selects


def imported(*names):
    """The policy that comes of files in examples/import/."""
    files = [ROOT / "examples" / "import" / f"{name}.yaml" for name in names]
    done = subprocess.run([cases.program, "import", *files, "--snat", OWN[0], "--snat", OWN[1]], capture_output=True, text=True,
                          timeout=60, check=True)
    return done.stdout


class Imported(GatewayCase):
    """Not a test by itself: `name` is the example."""

    name = None

    @classmethod
    def setUpClass(cls):
        cls.policy = imported(cls.name, "pods")
        super().setUpClass()

    def assert_reached(self, done, name, source):
        self.assertEqual((done.returncode, done.stdout), (0, f"{name}, seen from {source}\n"), done.stderr)

    def assert_refused(self, done):
        self.assertEqual(done.returncode, 7, done.stderr)  # could not connect, and not 28: timed out


class ImportedLinkerd(Imported):
    """A Deny EgressNetwork for all egress traffic, and a TLSRoute to httpbin.org."""

    name = "linkerd"

    def test_tls_to_the_name_passes(self):
        for address, source in zip(SERVER, OWN):
            self.assert_reached(self.curl("web", "httpbin.org", address), "httpbin.org", source)

    def test_other_names_are_closed(self):
        self.assertEqual(self.curl("web", "www.example.com", SERVER[0]).returncode, 35)
        flow = self.gateway.wait_flow(tls__sni="www.example.com")
        self.assertEqual((flow["verdict"]["action"], flow["verdict"]["network"]),
                         ("deny", "linkerd-egress/all-egress-traffic"))

    def test_plaintext_is_refused(self):
        self.assert_refused(self.curl("web", "httpbin.org", SERVER[0], scheme="http"))


class ImportedNetworkPolicy(Imported):
    """allow-specific-egress: frontend pods may reach one network but for a hole in it, on TCP 443 and some UDP ports."""

    name = "network-policy"

    def test_the_network_on_its_port(self):
        self.assert_reached(self.curl("guest", "www.example.com", SERVER[0]), "www.example.com", OWN[0])

    def test_the_hole_in_it(self):
        self.assert_refused(self.curl("guest", "www.example.com", SECOND_SERVER[0]))

    def test_other_ports_and_the_other_family(self):
        self.assert_refused(self.curl("guest", "www.example.com", SERVER[0], scheme="http"))
        self.assert_refused(self.curl("guest", "www.example.com", SERVER[1]))

    def test_a_range_of_ports_of_udp(self):
        self.assertIn("hello", self.ask_udp("guest", SERVER[0], ECHO_PORT))
        self.assertNotIn("hello", self.ask_udp("guest", SECOND_SERVER[0], ECHO_PORT))

    def test_pods_that_no_policy_selects_are_not_isolated(self):
        for address in (SERVER[0], SECOND_SERVER[0]):
            self.assert_reached(self.curl("web", "denied.example", address), "denied.example", OWN[0])


class ImportedIstio(Imported):
    """An egress gateway that passes TLS through for *.example.com."""

    name = "istio"

    def test_names_below(self):
        for name in ("www.example.com", "db.example.com"):
            self.assert_reached(self.curl("web", name, SERVER[0]), name, OWN[0])

    def test_other_names(self):
        for name in ("httpbin.org", "denied.example", "example.com"):  # the apex is none below
            self.assertEqual(self.curl("guest", name, SERVER[0]).returncode, 35)
            flow = self.gateway.wait_flow(tls__sni=name)
            self.assertEqual((flow["verdict"]["action"], flow["verdict"]["reason"]), ("deny", "name_not_allowed"))

    def test_what_the_gateway_has_no_server_for(self):
        self.assert_refused(self.curl("web", "www.example.com", SERVER[0], scheme="http"))


class ImportedAntrea(Imported):
    """egress-web: selected pods leave under an address of their own, from their first packet on."""

    name = "antrea"

    def test_each_under_its_address(self):
        for pod, source in (("web", "203.0.113.8"), ("batch", "203.0.113.17"), ("guest", OWN[0])):
            self.assert_reached(self.curl(pod, "denied.example", SERVER[0]), "denied.example", source)

    def test_the_other_family_is_not_its_matter(self):
        self.assert_reached(self.curl("web", "denied.example", SERVER[1]), "denied.example", OWN[1])


class ImportedCalico(Imported):
    """An IPPool with natOutgoing, and a policy that lets batch pods reach a NetworkSet by its label."""

    name = "calico"

    def test_the_set_is_reached_under_the_gateways_address(self):
        self.assert_reached(self.curl("batch", "db.example.com", SERVER[0]), "db.example.com", OWN[0])

    def test_what_is_not_in_the_set(self):
        self.assert_refused(self.curl("batch", "db.example.com", SECOND_SERVER[0]))
        self.assert_refused(self.curl("batch", "db.example.com", SERVER[0], scheme="http"))

    def test_others_of_the_pool_are_translated_and_not_isolated(self):
        self.assert_reached(self.curl("web", "db.example.com", SECOND_SERVER[0]), "db.example.com", OWN[0])


class ImportedCilium(Imported):
    """An egress gateway policy: selected pods leave under its address, but for excluded networks."""

    name = "cilium"

    def test_selected_and_others(self):
        for pod, source in (("web", "203.0.113.8"), ("batch", OWN[0])):
            self.assert_reached(self.curl(pod, "denied.example", SERVER[0]), "denied.example", source)

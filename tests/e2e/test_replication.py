"""Two gateways, real keepalived and a Redis beside each: connections go on at the other one, those too that a name has let
through and that nobody could pick up in their middle."""

import json
import time
import unittest

import cases
import namespaces
from namespaces import wire
from pair import EXAMPLES, SERVER, Box, Pair
from servers import PEERS, PYTHON

PLAIN, NAMED = 300, 200
ROUNDS = 9
NAME = "api.example.com"
TLS_PORT = 443
POLICY = """
[[egress_network]]
namespace = "linkerd-egress"
name = "named"
traffic_policy = "Deny"

[[tls_route]]
namespace = "linkerd-egress"
name = "api"
parent_refs = [ { name = "named", namespace = "linkerd-egress", port = 443 } ]
hostnames = ["api.example.com"]

[[tcp_route]]
namespace = "linkerd-egress"
name = "echo"
parent_refs = [ { name = "named", namespace = "linkerd-egress", port = 7000 } ]

[snat]
addresses = ["203.0.113.8"]
"""


class ReplicatedBox(Box):
    def __init__(self, pair, name, number, program):
        super().__init__(pair, name, number, program)
        self.write("policy.toml", POLICY)
        wire(self.host, "eth3", pair.switch, f"{name}-peer")
        pair.switch.ip("link", "set", f"{name}-peer", "master", "br-peer")
        self.host.address("eth3", f"192.168.77.{number}/24")
        self.write("redis.conf", self.adapt((EXAMPLES / "redis.conf").read_text(encoding="utf-8"), {
            "bind 192.168.77.2": f"bind 192.168.77.{number}", "/run/redis-sallyport/redis.sock": str(self.redis_socket),
            "dir /var/lib/redis": f"dir {self.folder}"}))
        self.redis = None
        self.start_redis()

    def start_redis(self):
        with open(self.folder / "redis.log", "ab") as log:
            self.redis = self.host.start(["redis-server", self.folder / "redis.conf"], stdout=log, stderr=log)

    def replication(self):
        done = self.ha("status", "--json")
        return json.loads(done.stdout)["replication"] if done.stdout.strip().startswith("{") else {}

    def flows(self):
        return json.loads(self.host.run([self.program, "show", "reasons", "--json", "--socket", self.socket_path]).stdout)["flows"]["live"]

    def tell_all(self):
        return super().tell_all() + f"replication: {self.replication()}\nits Redis:\n{(self.folder / 'redis.log').read_text()[-1500:]}\n"


class ReplicatedPair(Pair):
    def make_boxes(self, program):
        self.switch.ip("link", "add", "br-peer", "type", "bridge", "forward_delay", 0, "mcast_snooping", 0)
        self.switch.ip("link", "set", "br-peer", "up")
        return [ReplicatedBox(self, "a", 2, program), ReplicatedBox(self, "b", 3, program)]

    def start(self):
        self.certificate = self.folder / "api.pem"
        namespaces.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(self.folder / "key"),
                        "-out", str(self.certificate)])
        with open(self.certificate, "ab") as file:
            file.write((self.folder / "key").read_bytes())
        self.server.start([PYTHON, PEERS / "echo_server.py", TLS_PORT, "--tls", self.certificate])
        super().start()
        active, other = self.roles()
        self.wait("replicated", lambda: active.replication().get("connected") and other.replication().get("connected"))

    def connections(self):
        """Starts both kinds; what they will have said."""
        outputs = [self.folder / "plain", self.folder / "named"]
        commands = [["many_connections.py", SERVER, 7000, PLAIN, ROUNDS, 1, 20],
                    ["tls_connections.py", SERVER, TLS_PORT, NAME, self.certificate, NAMED, ROUNDS]]
        processes = []
        for output, (script, *words) in zip(outputs, commands):
            with open(output, "wb") as file:
                processes.append(self.client.start([PYTHON, PEERS / script, *words], stdout=file, stderr=file))
        self.wait("open", lambda: "opened" in outputs[1].read_text(), 20)

        def said():
            for process in processes:
                process.wait(60)
            return [json.loads(output.read_text().splitlines()[-1]) for output in outputs]
        return said


class Replication(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pair = ReplicatedPair(cases.program)
        cls.addClassCleanup(cls.pair.close)
        cls.pair.start()

    def said_of_boxes(self):
        return "".join(box.tell_all() for box in self.pair.boxes)

    def test_killed_and_connections_go_on(self):
        pair = self.pair
        said = pair.connections()
        active, other = pair.roles()
        time.sleep(1)
        pair.wait("heard of", lambda: other.replication()["flows_received"] >= PLAIN + NAMED, 10)
        self.assertGreaterEqual(other.flows(), PLAIN + NAMED)
        active.kill()
        pair.wait("taken over", other.is_active, 10)
        plain, named = said()
        print(f"         {plain['answered']} of {PLAIN} plain and {named['answered']} of {NAMED} named connections go on", flush=True)
        told = f"{plain}\n{named}\n" + self.said_of_boxes()
        self.assertGreaterEqual(plain["answered"] + named["answered"], (PLAIN + NAMED) * 99 // 100, told)
        self.assertGreaterEqual(named["answered"], NAMED * 99 // 100, told)
        # The other one's Redis is the master by now, and writes are taken.
        pair.wait("writing", lambda: other.replication()["role"] == "writing" and other.replication()["connected"]
                  and other.replication()["flows_sent"] >= PLAIN, 10)
        # And whoever is back hears of what there is.
        active.start()
        pair.wait_settled()
        pair.wait("heard of again", lambda: active.replication().get("flows_received", 0) > 0, 15)


if __name__ == "__main__":
    unittest.main()

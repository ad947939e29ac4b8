"""The goals that want a running gateway: P3's open flows and P10 over shared memory (memif), P12 over veth between network
namespaces. The generator stands at both ends, in one process, on a processor of its own."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import namespaces
from figures import Figure, Limit, Row, judged, left_out, not_measured

FLOWS = 32_000
FRAMES = ["--from", "10.1.2.1", "--to", "198.51.100.7", "--flows", str(FLOWS), "--sources", "250", "--order", "random"]
PEERS = ["--gateway", "10.1.0.1", "--answer", "10.1.0.0/16,203.0.113.254"]
MEMIF = "net_memif{n},role={role},id={n},socket={folder}/{n}.sock,socket-abstract=no"
CONFIGURATION = """
[gateway]
policy = "policy.toml"
[[port]]
name = "inside"
role = "inside"
device = "{inside}"
addresses = ["10.1.0.1/16"]
[[port]]
name = "outside"
role = "outside"
device = "{outside}"
addresses = ["203.0.113.2/24"]
gateway = ["203.0.113.254"]
[workers]
cores = "{core}"
[limits]
flows = {flows}
held_bytes = "16M"
[timeouts]
udp = "{udp}"
[control]
socket = "{folder}/control.sock"
"""
POLICY = """
[[egress_network]]
namespace = "linkerd-egress"
name = "all"
traffic_policy = "Allow"
[snat]
addresses = ["203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6"]
"""
MANY_FLOWS = 16_000_000
MANY_RATE = 150_000  # packets a second
MANY_SPARE = 20  # seconds more than a packet of each takes: settled() has some of them
MANY_SOURCES = 20_000  # each leaves by one address: so many of them fill all alike
MANY_LIVE = "1h"  # however long the machine takes to open them
POLICY_OF_MANY = POLICY.replace('"203.0.113.3", ', ", ".join(f'"203.0.113.{n}"' for n in range(7, 254)) + ", " +
                                ", ".join(f'"198.51.{98 + n // 256}.{n % 256}"' for n in range(1, 500)) + ', "203.0.113.3", ')
KERNEL_RULES = """
table ip nat {
  chain out { type nat hook postrouting priority srcnat; oifname "wan0" masquerade; }
}
"""


def processors():
    """One for the gateway and one for the generator."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise RuntimeError("wants two processors: one for the gateway and one for the generator")
    return allowed[1], allowed[0]


class Counts:
    """Packets that the gateway received, and those it lost, by its own reasons."""

    def __init__(self, received, reasons):
        self.received = received
        self.reasons = reasons

    def __sub__(self, earlier):
        return Counts(self.received - earlier.received,
                      {reason: count - earlier.reasons.get(reason, 0) for reason, count in self.reasons.items()})

    @property
    def lost(self):
        return sum(self.reasons.values())

    def lost_text(self):
        why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.reasons.items()) if count)
        return f"{self.lost:,} ({why})" if why else "0"


class Gateway:
    """A process of `sallyport run`. `prefix`: what to start it with, to stand in a namespace."""

    def __init__(self, program, folder, prefix, inside, outside, flows=100_000, policy=POLICY, udp="300s"):
        self.program = program
        self.folder = folder
        self.log_path = folder / "log"
        self.policy(policy)
        core, _ = processors()
        (folder / "sallyport.toml").write_text(
            CONFIGURATION.format(inside=inside, outside=outside, core=core, folder=folder, flows=flows,
                                 udp=udp), encoding="utf-8")
        with open(self.log_path, "wb") as output:
            self.process = subprocess.Popen(
                [*prefix, str(program), "run", "--config", str(folder / "sallyport.toml"), "--state", str(folder / "state")],
                stdin=subprocess.DEVNULL, stderr=output, stdout=output)
        self.wait_for(": ready, ", 0, 60)

    def policy(self, text):
        (self.folder / "policy.new").write_text(text, encoding="utf-8")
        (self.folder / "policy.new").rename(self.folder / "policy.toml")

    def log_from(self, offset):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            file.seek(offset)
            return file.read()

    def wait_for(self, words, offset, seconds):
        end = time.monotonic() + seconds
        while words not in (said := self.log_from(offset)):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the gateway does not say \"{words}\" but: {said.strip()[-300:]}")
            time.sleep(0.001)
        return said

    def show(self, what):
        done = subprocess.run([str(self.program), "show", what, "--json", "--socket", str(self.folder / "control.sock")],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True, timeout=20)
        return json.loads(done.stdout)

    def live_flows(self):
        return sum(worker["flows_live"] for worker in self.show("workers")["workers"])

    def counts(self):
        said = self.show("reasons")
        return Counts(said["received"], {reason: count for reason, count in said["reasons"].items() if reason != "to_gateway"})

    def reload(self, text):
        """Until it is taken."""
        offset = self.log_path.stat().st_size
        self.policy(text)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for(" reloaded in ", offset, 30)

    def stop(self):
        namespaces.stop(self.process, seconds=20)


def generator(program, prefix, arguments):
    """A generator under way, on a processor of its own; ahead of what else runs there, compiling policies above all: a meter that
    is kept from reading lets the queue to it fill up."""
    _, core = processors()
    command = [*prefix, "nice", "-n", "-15", "taskset", "-c", str(core), str(program), *arguments, "--json"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def report(process, seconds):
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        namespaces.stop(process, signal.SIGINT)
        raise
    if process.returncode != 0:
        raise RuntimeError(f"the generator ends with status {process.returncode}: {errors.strip()[-300:]}")
    return json.loads(output)


class Live:
    def __init__(self, build, quick):
        self.program = build / "sallyport"
        self.pktgen = build / "sallyport-pktgen"
        self.quick = quick
        self.reloads = 20 if quick else 1000
        self.turns = 2 if quick else 11
        self.seconds = 1 if quick else 5

    # -- P3

    def p3(self):
        what = "flows opened by the generator, one packet each, and alive together; sent again: lost"
        if self.quick:
            yield left_out("P3", what, "takes a minute or two and 10 GB")
            return
        if os.geteuid() != 0:
            yield not_measured("P3", what, "only root may open devices")
            return
        with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as name, contextlib.ExitStack() as stack:
            folder = pathlib.Path(name)
            inside, outside = (MEMIF.format(n=n, role="server", folder=folder) for n in (0, 1))
            gateway = Gateway(self.program, folder, ["unshare", "--net"], inside, outside, MANY_FLOWS + 100_000, POLICY_OF_MANY,
                              MANY_LIVE)
            stack.callback(gateway.stop)
            live = self.open_many(gateway)
            again = self.send_again(gateway)
        all_again = again.received >= MANY_FLOWS
        verdict = "hit" if live >= MANY_FLOWS and all_again and again.lost == 0 else "missed"
        yield Row("P3", what, f"{live:,} alive; of {again.received:,} packets of theirs the gateway lost {again.lost_text()}",
                  f">= {MANY_FLOWS:,}; 0", verdict, "tests/bench/run build --only P3")

    def many(self, folder, seconds):
        """A packet of each flow, one after the other, and again."""
        flows = ["--from", "10.1.2.1", "--to", "198.51.100.7", "--flows", str(MANY_FLOWS), "--sources", str(MANY_SOURCES)]
        command = ["udp", *self.devices(folder), *PEERS, *flows, "--rate", str(MANY_RATE), "--seconds", str(seconds)]
        return generator(self.pktgen, [], command)

    def send_again(self, gateway):
        """What the gateway received and lost while a packet of each flow passed, from when its next hop was known again."""
        process, before = self.under_way(gateway, lambda: self.many(gateway.folder, MANY_FLOWS // MANY_RATE + MANY_SPARE))
        report(process, 600)
        return gateway.counts() - before

    def open_many(self, gateway):
        """What a busy machine loses on the way to the gateway comes in the next round."""
        self.measured(gateway.folder, "--seconds", "1", "--rate", "1000")
        live = 0
        for _ in range(6):
            report(self.many(gateway.folder, MANY_FLOWS // MANY_RATE + 1), 600)
            live = gateway.live_flows()
            if live >= MANY_FLOWS:
                break
        return live

    # -- P10

    def p10(self):
        what = "packets lost in {} reloads one after the other, at half of the rate that passes, 32 k flows in random order"
        if os.geteuid() != 0:
            yield not_measured("P10", what.format(self.reloads), "only root may open devices")
            return
        with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as name, contextlib.ExitStack() as stack:
            folder = pathlib.Path(name)
            inside, outside = (MEMIF.format(n=n, role="server", folder=folder) for n in (0, 1))
            # In a namespace of its own: its routes and addresses are nobody else's.
            gateway = Gateway(self.program, folder, ["unshare", "--net"], inside, outside)
            stack.callback(gateway.stop)
            rate = self.passing_rate(folder) / 2
            quiet = self.lost_while(gateway, rate, lambda: time.sleep(self.seconds))
            times = []
            busy = self.lost_while(gateway, rate, lambda: times.extend(self.reload_often(gateway)))
        # On a machine that keeps the generator from its work packets are lost either way.
        held = busy.lost == 0
        no_more = busy.lost * quiet.received <= quiet.lost * busy.received
        verdict = "hit" if held else "at the edge" if no_more else "missed"
        yield Row("P10", what.format(f"{self.reloads:,}"),
                  f"{busy.lost_text()} of {busy.received:,} at {rate / 1e6:.2f} Mpps; without reloads {quiet.lost_text()} of "
                  f"{quiet.received:,}; a reload {Figure.of(times).text(1, 'ms')}", "0",
                  verdict, "tests/bench/run build --only P10")

    def ends(self, folder):
        return ["udp", *self.devices(folder), *PEERS, *FRAMES]

    def devices(self, folder):
        # The same MAC addresses in every run: the gateway knows its next hop already. Rings of 2^14, so that who compiles on the
        # generator's processor does not make it lose packets.
        inside, outside = (MEMIF.format(n=n, role="client", folder=folder) + f",rsize=14,mac=02:00:00:00:01:0{n}" for n in (0, 1))
        return ["--device", inside, "--receive-device", outside]

    def passing_rate(self, folder):
        """Packets a second that come through flat out; and all flows are known afterwards. Slowly first: a flood would outrun
        the answer to who the next hop is."""
        self.measured(folder, "--seconds", "1", "--rate", "1000")
        said = self.measured(folder, "--seconds", str(self.seconds + 1))
        if said["received"] == 0:
            raise RuntimeError(f"nothing passes: {said}")
        return said["received"] / said["seconds"]

    def measured(self, folder, *arguments):
        """Again where a busy machine kept the gateway from answering in time."""
        for turn in range(3):
            try:
                return report(generator(self.pktgen, [], [*self.ends(folder), *arguments]), 60)
            except RuntimeError:
                if turn == 2:
                    raise

    def lost_while(self, gateway, rate, act):
        """What the gateway received and lost meanwhile, the device behind it being full included. A generator that begins is a
        link that goes up, whose next hop has to be found: that is waited for."""
        process, before = self.under_way(gateway, lambda: self.at_rate(gateway.folder, rate))
        try:
            act()
            after = gateway.counts()
        finally:
            namespaces.stop(process, signal.SIGINT)
        return after - before

    def at_rate(self, folder, rate):
        return generator(self.pktgen, [], [*self.ends(folder), "--rate", f"{rate:.0f}"])

    def under_way(self, gateway, begin):
        """A generator that `begin` starts, and the counts from when it is settled. Again where a busy machine kept the gateway from
        answering in time; none is left behind."""
        for turn in range(3):
            process = begin()
            try:
                return process, self.settled(gateway, process)
            except BaseException as error:
                namespaces.stop(process, signal.SIGINT)
                if turn == 2 or not isinstance(error, RuntimeError):
                    raise

    def settled(self, gateway, process):
        """The counts after a second in which packets came and none was lost."""
        counts = gateway.counts()
        calm = 0
        for _ in range(75):
            time.sleep(0.2)
            earlier, counts = counts, gateway.counts()
            if process.poll() is not None:
                break
            passed = counts - earlier
            calm = calm + 1 if passed.received > 0 and passed.lost == 0 else 0
            if calm == 5:
                return counts
        raise RuntimeError("the gateway receives nothing, or loses packets all the time")

    def reload_often(self, gateway):
        """Two policies in turn, each really compiled and published; milliseconds by the gateway's own clock."""
        for turn in range(self.reloads):
            said = gateway.reload(POLICY if turn % 2 else POLICY + f'[[domain_set]]\nname = "ads"\nnames = ["ads{turn}.example"]\n')
            yield float(re.search(r" reloaded in (\d+) ms", said)[1])

    # -- P12

    def p12(self):
        what = "packets a second over veth, one core, {} k flows in random order, {}, by kernel nftables masquerade"
        if os.geteuid() != 0:
            yield not_measured("P12", what.format(FLOWS // 1000, "af_packet and af_xdp"), "wants root: namespaces")
            return
        namespaces.remove_leftovers()
        for driver in ("net_af_packet", "net_af_xdp"):
            with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as name, contextlib.ExitStack() as stack:
                kernel = Street(stack, "k")
                kernel.masquerade()
                ours = Street(stack, "o")
                gateway = Gateway(self.program, pathlib.Path(name), ours.gateway.inside([]), f"{driver},iface=lan0",
                                  f"{driver},iface=wan0")
                stack.callback(gateway.stop)
                pairs = self.race(ours, kernel)
            ratios = [ours["received"] / max(kernel["received"], 1) for ours, kernel in pairs]
            # Whoever took all that was sent could have taken more.
            bound = sum(ours["lost_percent"] < 1 for ours, _ in pairs) > len(pairs) // 2
            more = "; the generator sends no more" if bound else ""
            mpps = [f"{Figure.of([pair[side]['received_mpps'] for pair in pairs]).value:.3f}" for side in (0, 1)]
            yield judged("P12", what.format(FLOWS // 1000, driver), Figure.of(ratios), Limit(at_least=2.0),
                         "tests/bench/run build --only P12", more=f", {mpps[0]} by {mpps[1]} Mpps{more}")

    def race(self, ours, kernel):
        pairs = []
        for turn in range(self.turns + 1):
            order = (ours, kernel) if turn % 2 else (kernel, ours)
            said = {street: report(generator(self.pktgen, street.people.inside([]), [
                "udp", "--device", "net_af_packet,iface=lan1", "--receive-device", "net_af_packet,iface=wan1", *PEERS, *FRAMES,
                "--seconds", str(self.seconds)]), 60) for street in order}
            if turn != 0:  # the first one opened the flows
                pairs.append((said[ours], said[kernel]))
        return pairs


class Street:
    """A gateway's host between the two ends of the generator: lan1 - lan0 [gateway] wan0 - wan1."""

    def __init__(self, stack, name):
        self.people = namespaces.Host(f"{name}-ends")
        stack.callback(self.people.remove)
        self.gateway = namespaces.Host(f"{name}-gateway")
        stack.callback(self.gateway.remove)
        namespaces.wire(self.gateway, "lan0", self.people, "lan1")
        namespaces.wire(self.gateway, "wan0", self.people, "wan1")

    def masquerade(self):
        """The kernel as the gateway, on the processor that ours would have."""
        core, _ = processors()
        self.gateway.address("lan0", "10.1.0.1/16")
        self.gateway.address("wan0", "203.0.113.2/24")
        self.gateway.ip("route", "add", "default", "via", "203.0.113.254")
        self.gateway.sysctl({"net.ipv4.ip_forward": 1})
        self.gateway.run(["nft", KERNEL_RULES])
        for device in ("lan0", "wan0"):
            path = f"/sys/class/net/{device}/queues/rx-0/rps_cpus"
            self.gateway.run(["sh", "-c", f"echo {1 << core:x} > {path}"])

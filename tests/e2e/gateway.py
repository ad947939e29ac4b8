"""The gateway under test: its files, its process, and what it says."""

import json
import os
import pathlib
import re
import signal
import socket
import threading
import time

import namespaces
from world import GATEWAY_INSIDE, GATEWAY_OUTSIDE, NEXT_HOP

CONFIGURATION = """
[gateway]
name = "{name}"
policy = "policy.toml"
{gateway_more}

[[port]]
name = "inside"
role = "inside"
device = "{driver},iface=lan0"
addresses = ["{inside[0]}/16", "{inside[1]}/64"]
{port_more[0]}

[[port]]
name = "outside"
role = "outside"
device = "{driver},iface=wan0"
addresses = ["{outside[0]}/24", "{outside[1]}/64"]
gateway = ["{next_hop[0]}", "{next_hop[1]}"]
{port_more[1]}

[workers]
cores = "{cores}"

[limits]
flows = 100_000
held_bytes = "32M"

[flow_log]
file = "{folder}/flows.jsonl"
"""


class ServiceManager:
    """The end of sd_notify(3) that systemd holds: hears that the service is ready, and goes on listening."""

    def __init__(self, path):
        self.path = path
        self.ready = threading.Event()
        self.messages = []  # as they came, each a dictionary
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0.5)
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while self._open:
            try:
                message = self._socket.recv(4096).decode()
                self.messages.append(dict(line.split("=", 1) for line in message.splitlines()))
                if "READY" in self.messages[-1]:
                    self.ready.set()
            except socket.timeout:
                pass

    def close(self):
        self._open = False
        self._thread.join()
        self._socket.close()


class Gateway:
    """`driver`: net_af_packet or net_af_xdp. `policy`: text, or None for no file at all. `port_more`: of inside and outside."""

    def __init__(self, world, program, policy, driver="net_af_packet", workers=1, more="", gateway_more="",
                 port_more=("", "")):
        self.world = world
        self.program = pathlib.Path(program).resolve()
        self.host = world.gateway
        self.folder = world.folder / "gateway"
        self.folder.mkdir(exist_ok=True)
        # What another gateway of this world left: its log, and the flows that it would hand on.
        for old in [*self.folder.glob("flows.jsonl"), *self.folder.glob("state/flows")]:
            old.unlink()
        cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[:workers])
        self.write("sallyport.toml", CONFIGURATION.format(
            name="e2e", driver=driver, inside=GATEWAY_INSIDE, outside=GATEWAY_OUTSIDE, next_hop=NEXT_HOP, cores=cores,
            folder=self.folder, gateway_more=gateway_more, port_more=port_more) + more)
        (self.folder / "policy.toml").unlink(missing_ok=True)
        if policy is not None:
            self.write("policy.toml", policy)
        self.process = None
        self._log = None
        self._manager = None

    # -- files

    def write(self, name, text):
        """As careful people write a file that somebody else reads: whole, or not at all."""
        path = self.folder / name
        new = path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.rename(path)

    # -- process

    def start(self, seconds=60, **environment):
        self._manager = ServiceManager(self.folder / "notify.sock")
        self._log = open(self.folder / "log", "ab")  # closed in _forget()
        self.process = self.host.start(
            [self.program, "run", "--config", self.folder / "sallyport.toml", "--socket", self.socket_path,
             "--state", self.folder / "state"],
            stdout=self._log, stderr=self._log, env=dict(os.environ, NOTIFY_SOCKET=str(self._manager.path), **environment))
        self.told = self._manager.messages
        self.wait_ready(seconds)
        return self

    @property
    def socket_path(self):
        return self.folder / "control.sock"

    def wait_ready(self, seconds):
        """Until the gateway tells the service manager that it is ready."""
        end = time.monotonic() + seconds
        while not self._manager.ready.wait(0.1):
            if self.process.poll() is not None:
                raise RuntimeError(f"the gateway ended with status {self.process.returncode}:\n{self.log()[-3000:]}")
            if time.monotonic() > end:
                raise RuntimeError(f"the gateway was not ready in {seconds} s:\n{self.log()[-3000:]}")
        self._manager.ready.clear()

    def reload(self, policy=None, seconds=30):
        """Writes the policy, sends SIGHUP, waits until the gateway has taken or refused it; the log lines it wrote."""
        if policy is not None:
            self.write("policy.toml", policy)
        before = len(self.log())
        self.process.send_signal(signal.SIGHUP)
        self.wait_ready(seconds)
        return self.log()[before:]

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self._forget()

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process is None:
            return None
        status = namespaces.stop(self.process, seconds=20)
        self._forget()
        return status

    def _forget(self):
        self._manager.close()
        self._log.close()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # -- what it says

    def log(self):
        path = self.folder / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def show(self, topic):
        done = self.host.run([self.program, "show", topic, "--json", "--socket", self.socket_path])
        return [json.loads(line) for line in done.stdout.splitlines()] if topic == "flows" else json.loads(done.stdout)

    def wait_listed(self, *texts, seconds=20):
        """Until `show flows` has each text in the line of an established flow: a client takes its time to begin."""
        end = time.monotonic() + seconds
        while True:
            done = self.host.run([self.program, "show", "flows", "--socket", self.socket_path])
            lines = [line for line in done.stdout.splitlines() if " established " in line]
            if all(any(text in line for line in lines) for text in texts):
                return
            if time.monotonic() > end:
                raise AssertionError(f"no flow with {texts} listed in {seconds} s, but:\n{done.stdout}")
            time.sleep(0.1)

    def flows(self):
        """The flow log so far."""
        path = self.folder / "flows.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]

    def wait_flow(self, seconds=10, **wanted):
        """The first record with these values (nested names with two underscores: verdict__action="deny")."""
        end = time.monotonic() + seconds
        while True:
            for flow in self.flows():
                if all(look_up(flow, key) == value for key, value in wanted.items()):
                    return flow
            if time.monotonic() > end:
                raise AssertionError(f"no flow record with {wanted} in {seconds} s; there are: "
                                     + "\n".join(json.dumps(flow) for flow in self.flows()[-20:]))
            time.sleep(0.05)


def look_up(record, path):
    for key in path.split("__"):
        record = record.get(key) if isinstance(record, dict) else None
    return record


def refused_lines(log):
    """Line numbers of the policy that the log names where it tells of a refusal."""
    refusals = "\n".join(line for line in log.splitlines() if " refused " in line)
    return [int(number) for number in re.findall(r"policy\.toml:(\d+):\d+:", refusals)]

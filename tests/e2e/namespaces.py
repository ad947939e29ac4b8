"""Hosts on one machine: network namespaces, the wires between them, and the processes inside.

All names start with "sp<pid>-", so several runs do not meet, and a run clears away what a dead one has left. Every process
started here dies with this one, also if this one is killed.
"""

import atexit
import ctypes
import os
import re
import signal
import subprocess
import sys

_libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(command, check=True, timeout=30, **more):
    """Runs to the end; output as text. A failure says what the command said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False,
                          preexec_fn=_die_with_parent, **more)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done


def remove_leftovers():
    """Namespaces of runs that are no more."""
    for name in run(["ip", "netns", "list"]).stdout.split("\n"):
        if (match := re.match(r"(sp(\d+)-\S+)", name)) and not os.path.exists(f"/proc/{match[2]}"):
            run(["ip", "netns", "delete", match[1]], check=False)


class Host:
    """One namespace."""

    def __init__(self, name):
        self.short = name
        self.name = f"sp{os.getpid()}-{name}"
        run(["ip", "netns", "add", self.name])
        self._processes = []
        atexit.register(self.remove)
        self.ip("link", "set", "lo", "up")
        self.sysctl({"net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
                     "net.ipv6.conf.default.router_solicitations": 0, "net.ipv4.tcp_syn_retries": 3,
                     "net.ipv4.tcp_syncookies": 0})

    def ip(self, *arguments):
        return run(["ip", "-n", self.name, *[str(argument) for argument in arguments]])

    def sysctl(self, values):
        self.run(["sysctl", "-q", "-w", *[f"{key}={value}" for key, value in values.items()]])

    def inside(self, command):
        return ["ip", "netns", "exec", self.name, *[str(part) for part in command]]

    def run(self, command, check=True, timeout=30, **more):
        return run(self.inside(command), check, timeout, **more)

    def start(self, command, **more):
        process = subprocess.Popen(self.inside(command), stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent, **more)
        self._processes.append(process)
        return process

    def address(self, device, *addresses):
        for address in addresses:
            self.ip("address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    def remove(self):
        for process in self._processes:
            stop(process)
        self._processes.clear()
        if os.path.exists(f"/run/netns/{self.name}"):
            run(["ip", "netns", "delete", self.name], check=False)


def stop(process, by=signal.SIGTERM, seconds=5):
    """Ends a process of ours; its status."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return process.wait(seconds)


def wire(here, device, there, other_device, mtu=1500):
    """A veth pair between two hosts. Whole checksums and no merged segments: what crosses a real wire."""
    here.ip("link", "add", device, "mtu", mtu, "type", "veth", "peer", "name", other_device, "mtu", mtu, "netns", there.name)
    for host, name in ((here, device), (there, other_device)):
        host.run(["ethtool", "-K", name, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off"])
        host.ip("link", "set", name, "up")


def leave_on_signals():
    """So that exit handlers run."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))

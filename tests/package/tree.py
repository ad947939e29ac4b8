"""A Debian of its own in a folder: made by debootstrap, entered by chroot, with the unit started as systemd would."""

import pathlib
import re
import shlex
import shutil
import subprocess

import namespaces

# Made once for each run of a command, in a mount namespace that ends with it: nothing stays mounted.
ENTER = """
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
exec "$@"
"""
# What changes with every installation, whatever is installed.
NOT_OURS = re.compile(r"/(proc|sys|dev|tmp|root)(/|$)|/var/(lib/(dpkg|apt|systemd|logrotate)|cache)/|/var/log/(dpkg|alternatives|apt/)|/etc/ld\.so\.cache|"
                      r"/etc/(group|gshadow|passwd|shadow)-$")


class Unit:
    """The settings of a unit's [Service]; what may stand several times is a list in the end."""

    def __init__(self, text):
        self.settings = dict(re.findall(r"(?m)^(\w+)=(.*)$", text))

    def __getitem__(self, key):
        return self.settings[key]

    def words(self, key):
        return shlex.split(self.settings[key])

    def capabilities(self):
        return [word.removeprefix("CAP_").lower() for word in self.words("CapabilityBoundingSet")]


class Tree:
    def __init__(self, folder, mirror):
        self.folder = pathlib.Path(folder)
        if not (self.folder / "etc" / "debian_version").exists():
            done = subprocess.run(["debootstrap", "--variant=minbase", "--include=logrotate,procps", "bookworm", str(self.folder), mirror],
                                  stdin=subprocess.DEVNULL, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"debootstrap ended {done.returncode}: see {self.folder}/debootstrap/debootstrap.log")
        # What is installed starts nothing: there is no manager of services here.
        policy = self.folder / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
        shutil.copy("/etc/resolv.conf", self.folder / "etc/resolv.conf")

    def at(self, path):
        return self.folder / str(path).lstrip("/")

    def inside(self, *words):
        return ["unshare", "--mount", "chroot", str(self.folder), "sh", "-ec", ENTER, "sh", *map(str, words)]

    def run(self, *words, check=True, host=None, timeout=900):
        command = self.inside("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *words)
        return namespaces.run(host.inside(command) if host else command, check=check, timeout=timeout)

    def unit(self):
        return Unit(self.at("/lib/systemd/system/sallyport.service").read_text(encoding="utf-8"))

    def as_unit(self, unit, words):
        """The command line with what systemd would have made and taken away: folders, group, rights, mode of new files."""
        for key, parent in (("RuntimeDirectory", "/run"), ("StateDirectory", "/var/lib"), ("LogsDirectory", "/var/log")):
            self.run("install", "-d", "-m", unit[key + "Mode"], "-g", unit["Group"], f"{parent}/{unit[key]}")
        rights = ",".join(["-all", *("+" + name for name in unit.capabilities())])
        return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}", f"--regid={unit['Group']}", "--clear-groups",
                "--no-new-privs", "sh", "-ec", f'umask {unit["UMask"]}; exec "$@"', "sh", *words]

    def paths(self):
        """Every path that is there, and every line of the lists of users and groups."""
        found = set()
        for path in self.folder.rglob("*"):
            name = "/" + str(path.relative_to(self.folder))
            if not NOT_OURS.search(name):
                found.add(name)
        for name in ("passwd", "group"):
            found |= {f"{name}: {line}" for line in self.at(f"/etc/{name}").read_text(encoding="utf-8").splitlines()}
        return found

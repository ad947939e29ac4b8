"""A machine that only runs the gateway: what is linked has to come with the packages of group `run`. A Debian library does
not always depend on all that programs of its users are linked to."""

import re
import subprocess

import house

ALWAYS_THERE = {"libc6", "libgcc-s1"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def names_in(depends):
    return re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9.+-]+)", depends)


def with_dependencies(packages):
    """These and all that is installed with them."""
    lines = output("dpkg-query", "-W", "-f", "${Package}\t${Pre-Depends}, ${Depends}\n").splitlines()
    depends = {name: names_in(rest) for name, _, rest in (line.partition("\t") for line in lines)}
    found, new = set(), set(packages)
    while new:
        found |= new
        new = {name for package in new for name in depends.get(package, ())} - found
    return found


def owners(library):
    found = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True, check=False, timeout=60).stdout
    return {line.split(":")[0] for line in found.splitlines()}


def findings(program):
    listed = output(house.ROOT / "tools" / "install-dependencies", "--list", "run").replace("|", "\n").split()
    there = with_dependencies(listed) | ALWAYS_THERE
    needed = re.findall(r"\(NEEDED\)\s+Shared library: \[(.+?)\]", output("readelf", "-d", program))
    if not needed:
        return [f"{program}: no shared libraries are needed: is it the gateway?"]
    return [f"tools/packages.txt: no package of group run brings {library}, of {' or '.join(sorted(owners(library)))}: list it"
            for library in needed if not owners(library) & there]

"""The house: rooms, arrows, doors, lengths. What holds is written in house.toml."""

import pathlib
import re
import subprocess
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def listed():
    """What git knows, new files included; without git (an unpacked archive) all that is there but builds."""
    try:
        return subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                              capture_output=True, text=True, check=True).stdout.split("\n")
    except (FileNotFoundError, subprocess.CalledProcessError):
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        return [str(name) for name in names if not name.parts[0].startswith(("build", ".cache", ".git"))]


class Tree:
    """The files of the project and their lines."""

    def __init__(self):
        self.files = sorted(name for name in listed() if (ROOT / name).is_file())
        self.plan = tomllib.loads((HERE / "house.toml").read_text(encoding="utf-8"))
        self._lines = {}

    def lines(self, name):
        if name not in self._lines:
            self._lines[name] = (ROOT / name).read_text(encoding="utf-8", errors="replace").split("\n")
        return self._lines[name]

    def sources(self):
        return [name for name in self.files if name.endswith((".cpp", ".h"))]

    def scripts(self):
        """Files that start with #!, by what follows."""
        found = {"python": [], "shell": []}
        for name in self.files:
            if name.endswith(".py"):
                found["python"].append(name)
            elif "." not in pathlib.Path(name).name or name.endswith(".sh"):
                first = self.lines(name)[0]
                if first.startswith("#!") and "make" not in first:
                    found["python" if "python" in first else "shell"].append(name)
        return found

    def includes(self, name):
        """(line number, header)"""
        for number, line in enumerate(self.lines(name), 1):
            if match := INCLUDE.match(line):
                yield number, match[1]

    def all_included(self, name, seen=None):
        """The project's own headers that a file includes, directly or not."""
        seen = set() if seen is None else seen
        for _, header in self.includes(name):
            beside = str((pathlib.Path(name).parent / header))
            for own in (header, beside):
                if own not in seen and (ROOT / own).is_file():
                    seen.add(own)
                    self.all_included(own, seen)
        return seen


def arrows(tree):
    rooms = tree.plan["rooms"]
    findings = []
    for name in tree.sources():
        room = name.split("/")[0]
        if room not in rooms:
            findings.append(f"{name}:1: the room {room}/ is not in the plan: put the file into a room, or add the room to "
                            "tests/lint/house.toml and say why in docs/adr/")
            continue
        for number, header in tree.includes(name):
            other = header.split("/")[0]
            if "/" in header and other in rooms and other != room and other not in rooms[room]:
                findings.append(f"{name}:{number}: {room}/ must not include {other}/ ({header}): move what is shared into the "
                                f"lowest room that needs it; {room}/ may include {', '.join(rooms[room]) or 'no other room'}")
        findings += inner_arrows(tree, name)
    return findings


def inner_arrows(tree, name):
    for rule in tree.plan.get("inner", []):
        if not name.startswith(rule["from"]):
            continue
        for number, header in tree.includes(name):
            if header.startswith(rule["to"]) and not header.startswith((rule["from"], *rule["only"])):
                yield f"{name}:{number}: {rule['from']} must not include {header}: {rule['why']}"


def doors(tree):
    findings = []
    for door in tree.plan["door"]:
        pattern = re.compile(door["headers"])
        holders = []
        for name in tree.sources():
            if name.startswith("tests/"):
                continue
            for number, header in tree.includes(name):
                if not pattern.search(header):
                    continue
                if not holders or holders[-1][0] != name:
                    holders.append((name, number))
                if not name.startswith(tuple(door["within"])):
                    findings.append(f"{name}:{number}: {door['name']} comes in through {' or '.join(door['within'])} only: "
                                    "call what stands there")
        if len(holders) > door["files"]:
            for name, number in holders:
                findings.append(f"{name}:{number}: {door['name']} is included by {len(holders)} files, its door is "
                                f"{door['files']}: call the one that is the door")
    return findings


def forbidden(tree):
    findings = []
    for rule in tree.plan["forbidden"]:
        header_pattern = re.compile(rule.get("headers", r"(?!)"))
        text_pattern = re.compile(rule.get("text", r"(?!)"))
        for name in tree.sources():
            if not name.startswith(tuple(rule["within"])):
                continue
            for number, line in enumerate(tree.lines(name), 1):
                include = INCLUDE.match(line)
                found = header_pattern.search(include[1]) if include else text_pattern.search(line.split("//")[0])
                if found:
                    findings.append(f"{name}:{number}: {found[0]} has no place here: {rule['why']}")
    return findings


def lengths(tree):
    limit = tree.plan["length"]
    findings = []
    for name in tree.sources() + tree.scripts()["python"] + tree.scripts()["shell"]:
        count = len(tree.lines(name)) - 1
        if count > limit["fail"]:
            findings.append(f"{name}:{limit['fail']}: {count} lines, at most {limit['fail']}: split it by its ideas")
        elif count > limit["warn"]:
            print(f"         warning: {name}: {count} lines, about {limit['warn']} are wanted")
    return findings


def unfinished(tree):
    words = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
    places = re.compile("/work/(main|shared)|shared/(spec|design)/")
    findings = []
    for name in tree.files:
        if name.endswith((".pcap", ".pcapng", ".png")) or "/corpus/" in name or name == "tests/lint/house.py":
            continue
        for number, line in enumerate(tree.lines(name), 1):
            if match := words.search(line):
                findings.append(f"{name}:{number}: {match[0]}: finish it, or say in plain words what holds and why")
            if places.search(line):
                findings.append(f"{name}:{number}: names a path outside of the project: say it in the project's own documents")
    return findings

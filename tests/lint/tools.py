"""The linters that others wrote: clang-format, clang-tidy, shellcheck, Python's own compiler."""

import concurrent.futures
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import time

from house import ROOT


def first_of(*names):
    for name in names:
        if shutil.which(name):
            return name
    raise FileNotFoundError(f"none of {', '.join(names)} is installed: tools/install-dependencies test")


def clang_format(tree, jobs):
    program = first_of("clang-format-14", "clang-format")
    names = tree.sources()
    chunks = [names[i::jobs] for i in range(jobs) if names[i::jobs]]

    def look(chunk):
        return subprocess.run([program, "--dry-run", *chunk], cwd=ROOT, capture_output=True, text=True, check=False).stderr

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        output = "".join(pool.map(look, chunks))
    places = {}
    for name, line in re.findall(r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted", output, re.MULTILINE):
        places.setdefault(name, line)
    return [f"{name}:{line}: not as clang-format writes it: {program} -i {name}" for name, line in places.items()]


def shellcheck(tree):
    names = tree.scripts()["shell"]
    output = subprocess.run(["shellcheck", "--format=gcc", *names], cwd=ROOT, capture_output=True, text=True, check=False)
    return (output.stdout + output.stderr).splitlines()


def python(tree):
    findings = []
    for name in tree.scripts()["python"]:
        try:
            compile((ROOT / name).read_text(encoding="utf-8"), name, "exec")
        except SyntaxError as error:
            findings.append(f"{name}:{error.lineno}: {error.msg}: Debian 12's Python is 3.11")
    return findings


def clang_tidy(tree, build, jobs, seconds):
    """Files in the order of their last change, until the time is up. What was clean once is remembered in .cache/, under a
    hash of the file, of every header of ours behind it, and of .clang-tidy."""
    program = first_of("clang-tidy-14", "clang-tidy")
    database = build / "compile_commands.json"
    if not database.exists():
        return [f"{database}: there is none: make build"]
    commands = {entry["file"]: entry for entry in json.loads(database.read_text(encoding="utf-8"))}
    known = {str((build / file).resolve().relative_to(ROOT)) for file in commands}
    names = [name for name in tree.sources() if name in known and not name.startswith("tests/")]
    names.sort(key=last_change(names))

    cache = ROOT / ".cache" / "clang-tidy"
    cache.mkdir(parents=True, exist_ok=True)
    folder = tidy_database(build, cache)
    end = time.monotonic() + seconds
    left = []

    def look(name):
        mark = cache / hash_of(tree, name)
        if mark.exists():
            return []
        if time.monotonic() > end:
            left.append(name)
            return []
        ran = subprocess.run([program, "--quiet", "-p", str(folder), name], cwd=ROOT, capture_output=True, text=True,
                             check=False)
        findings = re.findall(r"^(\S+?:\d+:)\d+:? (?:warning|error): (.*)$", ran.stdout, re.MULTILINE)
        if ran.returncode != 0 and not findings:
            return [f"{name}:1: clang-tidy itself failed: {ran.stderr.strip()[-400:]}"]
        if not findings:
            mark.touch()
        return sorted({f"{relative(place)} {text}" for place, text in findings})

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        findings = [line for lines in pool.map(look, names) for line in lines]
    if left:
        print(f"         clang-tidy: {seconds} s are over; not looked at, {len(left)} of {len(names)}: {' '.join(left)}")
    return sorted(set(findings))


def last_change(names):
    """A sort key: what is not committed yet first, then by the last commit, the latest first."""
    log = subprocess.run(["git", "log", "--name-only", "--format=", "-n", "1000"], cwd=ROOT, capture_output=True, text=True,
                         check=False).stdout.split()
    changed = subprocess.run(["git", "diff", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True,
                             check=False).stdout.split()
    place = {name: number for number, name in reversed(list(enumerate(changed + log)))}
    return lambda name: place.get(name, len(place) + len(names))


def relative(place):
    name, rest = place.split(":", 1)
    path = pathlib.Path(name).resolve()
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{rest}"


def hash_of(tree, name):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for part in [name, *sorted(tree.all_included(name))]:
        digest.update("\n".join(tree.lines(part)).encode())
    return digest.hexdigest()[:32]


def tidy_database(build, cache):
    """The compile commands without what only g++ knows."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    for entry in entries:
        entry["command"] = re.sub(r" -(Wno-interference-size|Wno-stringop-overflow|Wno-restrict)\b", "", entry["command"])
    folder = cache / "database"
    folder.mkdir(exist_ok=True)
    pathlib.Path(folder / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder

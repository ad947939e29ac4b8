"""Documents that have to agree with the code: reasons, links, commands, examples."""

import pathlib
import re
import shlex
import subprocess

from house import ROOT

OPERATIONS = "docs/OPERATIONS.md"
NAT = "docs/NAT.md"
METRICS = "docs/METRICS.md"


def reasons(tree):
    """Every drop and verdict reason, and what is counted of DNS, has one row in docs/OPERATIONS.md, "| `name` | ...", and no row is without a reason."""
    drops = found_in(tree, "dataplane/drop.h", r"^\s*X\((\w+),")
    verdicts = enumerators(tree, "classifier/decision.h", "Reason")
    events = found_in(tree, "dataplane/dns_event.h", r"^\s*X\((\w+),")
    findings = []
    for heading, source, names in [("## Drop reasons", "dataplane/drop.h", drops),
                                   ("## Verdict reasons", "classifier/decision.h", verdicts),
                                   ("## DNS", "dataplane/dns_event.h", events)]:
        if not names:
            findings.append(f"{source}:1: no reasons were found in it: adapt tests/lint/documents.py")
        rows = table_rows(tree, OPERATIONS, heading)
        for name, number in names.items():
            if name not in rows:
                findings.append(f"{source}:{number}: {name} is not documented: give it a row under \"{heading}\" in {OPERATIONS}")
            elif len(rows[name][1]) < 20:
                findings.append(f"{OPERATIONS}:{rows[name][0]}: {name}: say what an operator does about it")
        for name, (number, _) in rows.items():
            if name not in names:
                findings.append(f"{OPERATIONS}:{number}: {name} is no reason in {source}: take the row out")
    return findings


def metrics(tree):
    """Every metric has one row in docs/METRICS.md, and no row, alert or panel names a metric that there is none of."""
    source = "src/monitor/metrics.cpp"
    known = set(re.findall(r'"(sallyport_\w+)"', "\n".join(tree.lines(source))))
    if len(known) < 30:
        return [f"{source}:1: hardly a metric was found in it: adapt tests/lint/documents.py"]
    rows = table_rows(tree, METRICS, "## The metrics")
    findings = [f"{source}:1: {name} is not documented: give it a row in {METRICS}" for name in sorted(known - rows.keys())]
    findings += [f"{METRICS}:{rows[name][0]}: {name} is no metric of {source}: take the row out" for name in rows.keys() - known]
    for page in ("examples/monitoring/alerts.yml", "examples/monitoring/dashboard.json"):
        for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
            for name in set(re.findall(r"\bsallyport_\w+", line)) - known:
                findings.append(f"{page}:{number}: {name} is no metric of {source}")
    return findings


def found_in(tree, name, pattern):
    found = {}
    for number, line in enumerate(tree.lines(name), 1):
        if match := re.match(pattern, line):
            found[match[1]] = number
    return found


def enumerators(tree, name, enum):
    found = {}
    inside = False
    for number, line in enumerate(tree.lines(name), 1):
        if re.match(rf"enum class {enum}\b", line):
            inside = True
        elif inside and line.startswith("}"):
            return found
        elif inside and (match := re.match(r"\s*(\w+)\s*,", line)):
            found[match[1]] = number
    return found


def table_rows(tree, name, heading):
    """First column in backticks -> (line number, text of the last column), of the tables under a heading."""
    rows = {}
    inside = False
    for number, line in enumerate(tree.lines(name), 1):
        if line.startswith("## "):
            inside = line.strip() == heading
        elif inside and (match := re.match(r"\|\s*`(\w+)`\s*\|(.*)\|\s*$", line)):
            rows[match[1]] = (number, match[2].split(" | ")[-1].strip())
    return rows


def documents(tree):
    return [name for name in tree.files if name.endswith(".md")]


def links(tree):
    findings = []
    for name in documents(tree):
        for number, line in enumerate(tree.lines(name), 1):
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", line):
                if "://" not in target and not (ROOT / name).parent.joinpath(target).exists():
                    findings.append(f"{name}:{number}: the link to {target} leads nowhere")
            for path in re.findall(r"`((?:config|classifier|dataplane|src|pktgen|tests|tools|docs|examples)/[\w./-]*)`", line):
                if not ROOT.joinpath(path).exists():
                    findings.append(f"{name}:{number}: there is no {path}: name what is there now")
    return findings


def shell_lines(tree):
    """(file, line number, command) of the blocks marked sh."""
    for name in documents(tree):
        inside = False
        for number, line in enumerate(tree.lines(name), 1):
            if line.startswith("```"):
                inside = line.strip() == "```sh"
            elif inside and line.strip() and not line.lstrip().startswith("#"):
                yield name, number, line.split(" # ")[0].strip()


def commands(tree, sallyport):
    if not sallyport.exists():
        return [f"{sallyport}: there is none: make build"]
    targets = set(re.findall(r"^([a-z][\w-]*):", "\n".join(tree.lines("Makefile")), re.MULTILINE))
    findings = []
    helped = {}
    for name, number, line in shell_lines(tree):
        for target in re.findall(r"(?:^|&& |; )make ((?:[a-z][\w-]* ?)+)", line):
            for word in target.split():
                if word not in targets:
                    findings.append(f"{name}:{number}: make {word}: the Makefile has no such target")
        for program, command in re.findall(r"^(?:build/)?(sallyport(?:-pktgen)?) ([a-z]+)\b", line):
            key = (program, command)
            if key not in helped:
                helped[key] = subprocess.run([str(sallyport.parent / program), command, "--help"], capture_output=True,
                                             text=True, timeout=20, check=False).returncode
            if helped[key] != 0:
                findings.append(f"{name}:{number}: {program} {command} --help ends {helped[key]}: show a command that exists")
    return findings


def examples(tree, sallyport):
    if not sallyport.exists():
        return [f"{sallyport}: there is none: make build"]
    names = [name for name in tree.files if re.fullmatch(r"examples/[^/]+\.toml", name)]
    findings = [] if names else ["examples/: there is none"]
    for name in names:
        option = "--config" if pathlib.Path(name).name.startswith("sallyport") else "--policy"
        ran = subprocess.run([str(sallyport), "check", "--strict", option, str(ROOT / name)], capture_output=True, text=True, timeout=60,
                             check=False)
        if ran.returncode != 0:
            findings.append(f"{name}:1: sallyport check ends {ran.returncode}: {(ran.stdout + ran.stderr).strip()}")
    return findings


# A file of examples/import/, what it holds, what comes of it, and what is said of that.
IMPORTED = re.compile(r"<!-- import: (\S+) -->\n+```yaml\n(.*?)```\n(?:[^`]*\n)?```toml\n(.*?)```"
                      r"(?:\n\nOn stderr:\n\n```text\n(.*?)```)?", re.DOTALL)
# A command that the reader can repeat in a clone, and what it prints.
SHOWN = re.compile(r"<!-- output -->\n+```sh\nbuild/(sallyport .*?)\n```\n+```\n(.*?)```", re.DOTALL)


def imports(tree, sallyport):
    """What a page shows of `sallyport import` is what it does: behind "<!-- import: FILE -->" the file, then its output."""
    if not sallyport.exists():
        return [f"{sallyport}: there is none: make build"]
    findings = []
    shown = 0
    for name in documents(tree):
        text = (ROOT / name).read_text(encoding="utf-8")
        if text.count("<!-- import: ") != len(IMPORTED.findall(text)):
            findings.append(f"{name}:1: behind \"<!-- import: FILE -->\" there stand a yaml and a toml block")
        for file, yaml, toml, said in IMPORTED.findall(text):
            shown += 1
            if (ROOT / file).read_text(encoding="utf-8") != yaml:
                findings.append(f"{name}:1: {file} is another now: show it as it is")
            ran = subprocess.run([str(sallyport), "import", file, "--snat", "203.0.113.1"], cwd=ROOT, capture_output=True, text=True,
                                 timeout=60, check=False)
            if ran.returncode != 0 or (toml, said) != (ran.stdout, ran.stderr):
                findings.append(f"{name}:1: import makes this of {file}: show it: {ran.stdout}{ran.stderr}")
    return findings if shown else ["docs/: no page shows what import makes"]


def named_tests(tree):
    """In the table of docs/NAT.md, "what a scenario's name begins with" and `a unit or end-to-end test`."""
    scenarios, tests = set(), set()
    for name in tree.files:
        if re.fullmatch(r"tests/scenarios/cases_\w+\.py", name):
            scenarios |= set(re.findall(r"^@(?:case|both_families|each_overlay)\(\"([^\"]+)\"", "\n".join(tree.lines(name)), re.MULTILINE))
        elif re.fullmatch(r"tests/unit/.*\.cpp", name):
            tests |= set(re.findall(r"^TEST(?:_[FP])?\(\w+, (\w+)\)", "\n".join(tree.lines(name)), re.MULTILINE))
        elif re.fullmatch(r"tests/e2e/test_\w+\.py", name):
            tests |= set(re.findall(r"^    def (test_\w+)\(", "\n".join(tree.lines(name)), re.MULTILINE))
    findings = []
    for number, line in enumerate(tree.lines(NAT), 1):
        if not line.startswith("| ") or line.count("|") != 4:
            continue
        shown_by = line.split("|")[3]
        for beginning in re.findall(r"\"([^\"]+)\"", shown_by):
            if not any(scenario.startswith(beginning) for scenario in scenarios):
                findings.append(f"{NAT}:{number}: no scenario's name begins with \"{beginning}\"")
        for test in re.findall(r"`(\w+)`", shown_by):
            if test not in tests:
                findings.append(f"{NAT}:{number}: there is no test {test}")
        if not line.startswith("| **") and not re.search(r"[\"`]", shown_by) and "shown by" not in line and "---" not in line:
            findings.append(f"{NAT}:{number}: shown by nothing")
    return findings


def outputs(tree, sallyport):
    """What a page shows as the output of a command is what it prints: behind "<!-- output -->" the command, then its output."""
    if not sallyport.exists():
        return [f"{sallyport}: there is none: make build"]
    findings = []
    shown = 0
    for name in documents(tree):
        text = (ROOT / name).read_text(encoding="utf-8")
        if text.count("<!-- output -->") != len(SHOWN.findall(text)):
            findings.append(f"{name}:1: behind \"<!-- output -->\" there stand a command, build/sallyport .., and its output")
        for command, output in SHOWN.findall(text):
            shown += 1
            ran = subprocess.run([str(sallyport), *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True, timeout=60,
                                 check=False)
            if ran.stdout + ran.stderr != output:
                findings.append(f"{name}:1: {command} prints this: show it: {ran.stdout}{ran.stderr}")
    return findings if shown else ["docs/: no page shows the output of a command"]

"""Every corner case of tests/lint/corner_cases.toml is cited by a test, and no test is switched off without a reason."""

import re
import tomllib

from house import ROOT

PLAN = "tests/lint/corner_cases.toml"
NUMBERS = r"(\d+(?: to \d+)?(?:(?:, | and |, and )\d+(?: to \d+)?)*)"


def expand(text, dash):
    """"1-3" or "1 to 3" -> 1, 2, 3."""
    first, _, last = text.partition(dash)
    return range(int(first), int(last or first) + 1)


def cited_in(line):
    """The numbers of the cases that a line of a test cites."""
    numbers = set()
    if match := re.search(r"\bTEST(?:_F|_P)?\(\s*\w+,\s*(\w+)", line):
        numbers |= {int(number) for number in re.findall(r"(?:Case|And)(\d+)", match[1])}
    for listed in re.findall(rf"(?://|#|\"|def ).*?\b[Cc]ases? {NUMBERS}", line):
        for part in re.split(r", and |, | and ", listed):
            numbers |= set(expand(part, " to "))
    return numbers


def is_test(name):
    return name.startswith("tests/") and name.endswith((".cpp", ".py")) and not name.startswith("tests/lint/")


def findings(tree):
    plan = tomllib.loads((ROOT / PLAN).read_text(encoding="utf-8"))
    wanted = {number for part in plan["cited"] for number in expand(part, "-")}
    excused = {int(number) for number in plan["not_cited"]}
    seen = set()
    found = []
    for name in filter(is_test, tree.files):
        for number, line in enumerate(tree.lines(name), 1):
            cited = cited_in(line)
            seen |= cited
            for case in sorted(cited):
                if case in excused or not 1 <= case <= plan["last"]:
                    found.append(f"{name}:{number}: there is no corner case {case}: cite the right one")
            if "DISABLED_" in line or re.search(r"GTEST_SKIP\(\)\s*;", line):
                found.append(f"{name}:{number}: a test is switched off: say why, GTEST_SKIP() << \"...\"")
    for case in sorted(wanted - seen):
        found.append(f"{PLAN}:1: no test cites corner case {case}: write one, and name it after its case")
    return found

"""Does lint find what is wrong? A small house with one fault of each kind, and what has to be said of it."""

import pathlib
import tempfile

import corner_cases
import documents
import house


def no_such_case(tree):
    """Without the cases that nobody cites: a small tree cites none."""
    return [finding for finding in corner_cases.findings(tree) if "no test cites" not in finding]


FAULTS = {
    "config/a.h": ('#include "classifier/b.h"\n', house.arrows, "config/ must not include classifier/"),
    "cellar/a.h": ("int a;\n", house.arrows, "the room cellar/ is not in the plan"),
    "pktgen/a.cpp": ('#include "dataplane/pipeline.h"\n', house.arrows, "the generator stands at the other end"),
    "classifier/a.cpp": ("#include <rte_ether.h>\n", house.doors, "DPDK comes in through dataplane/io/"),
    "config/b.cpp": ("#include <thread>\n", house.forbidden, "no threads, no locks"),
    "dataplane/stages/a.cpp": ("auto t = steady_clock::now();\n", house.forbidden, "_clock::now has no place here"),
    "src/long.cpp": ("\n" * 451, house.lengths, "451 lines, at most 450"),
    "src/later.cpp": ("// TO" "DO: more\n", house.unfinished, "finish it"),
    "docs/a.md": ("[b](b.md)\n", documents.links, "the link to b.md leads nowhere"),
    "tests/unit/a.cpp": ("TEST(A, Case43) {}\n", no_such_case, "there is no corner case 43"),
    "tests/unit/b.cpp": ("GTEST_SKIP();\n", no_such_case, "a test is switched off"),
    "docs/b.md": ("see `src/nowhere.h`\n", documents.links, "there is no src/nowhere.h"),
}


class SmallTree(house.Tree):
    def __init__(self, folder):  # not the project's files, but its plan
        self.plan = house.Tree().plan
        self.root = folder
        self.files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        self._lines = {name: (folder / name).read_text(encoding="utf-8").split("\n") for name in self.files}


def findings():
    """What lint does not find though it is there, and what it finds though it is not."""
    missed = []
    for name, (text, check, expected) in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            (pathlib.Path(folder) / "config").mkdir(exist_ok=True)
            (pathlib.Path(folder) / "config" / "good.h").write_text("#include <string>\nint good;\n", encoding="utf-8")
            said = list(check(SmallTree(pathlib.Path(folder))))
            if len(said) != 1 or expected not in said[0] or not said[0].startswith(f"{name}:"):
                missed.append(f"tests/lint/selftest.py:1: of {name} lint should say \"{expected}\", and it says {said}")
    return missed

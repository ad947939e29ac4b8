"""Results of single tests, collected over several programs: one JSON line each in the file that $SALLYPORT_RESULTS names."""

import json
import os


class Results:
    """Writes results as they come, prints one line each, and counts them."""

    def __init__(self, suite):
        self.suite = suite
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.path = os.environ.get("SALLYPORT_RESULTS")

    def add(self, name, result, seconds=0.0, detail=""):
        self.counts[result] += 1
        word = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}[result]
        print(f"{word:8} {self.suite}: {name}" + (f"  ({seconds:.1f} s)" if seconds >= 0.05 else ""), flush=True)
        if detail and result != "passed":
            print("\n".join("         " + line for line in detail.rstrip().splitlines()), flush=True)
        if self.path:
            with open(self.path, "a", encoding="utf-8") as file:
                row = {"suite": self.suite, "name": name, "result": result, "detail": detail[-4000:]}
                file.write(json.dumps(row) + "\n")

    def summary(self):
        return "{passed} passed, {failed} failed, {skipped} skipped".format(**self.counts)

    def finish(self):
        """The closing line, unless a program above counts for all; the exit status."""
        if not self.path:
            print(self.summary(), flush=True)
        return 1 if self.counts["failed"] else 0


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]

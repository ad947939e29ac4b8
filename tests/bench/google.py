"""Programs that are made with Google Benchmark: run, and read."""

import json
import os
import subprocess

from figures import Figure

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


class Program:
    """`rounds`: of each contest between ours and theirs."""

    def __init__(self, build, name, rounds, environment=None):
        self.path = build / "tests" / "bench" / name
        self.name = name
        self.environment = dict(os.environ, SALLYPORT_BENCH_ROUNDS=str(rounds), **(environment or {}))

    def command(self, pattern):
        return f"{self.name} --benchmark_filter={pattern}"

    def rows(self, pattern, timeout=1800):
        """Benchmark name without what Google Benchmark appends -> its row."""
        command = [str(self.path), f"--benchmark_filter={pattern}", "--benchmark_format=json"]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=timeout,
                              env=self.environment)
        if done.returncode != 0 or not done.stdout:
            raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()[-300:]}")
        rows = {}
        for row in json.loads(done.stdout)["benchmarks"]:
            if row.get("error_occurred"):
                raise RuntimeError(f"{row['name']}: {row.get('error_message')}")
            rows[row["name"].split("/iterations:")[0]] = row
        if not rows:
            raise RuntimeError(f"{' '.join(command)}: no such benchmark")
        return rows

    def row(self, name):
        """One benchmark, by its whole name."""
        return self.rows(f"^{name}(/iterations|$)")[name]


def quarters(row, name="ratio"):
    return Figure(row[name], (row[f"{name}_25%"], row[f"{name}_75%"]))


def seconds(row):
    """Processor time of one iteration."""
    return row["cpu_time"] * SECONDS[row["time_unit"]]


def own_nanoseconds(row):
    """Of one operation, in a contest."""
    return row["real_time"] * SECONDS[row["time_unit"]] * 1e9

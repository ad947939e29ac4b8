#!/usr/bin/python3
"""What the table of the goals says of its figures, what a run and a comparison end with, and that nothing is left running."""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
import captures  # noqa: E402
import live  # noqa: E402
import table  # noqa: E402
from figures import Figure, Limit, Row, judged, left_out, not_measured, worst  # noqa: E402


def program(name):
    """A program of this folder as a module."""
    loader = importlib.machinery.SourceFileLoader(f"bench_{name}", str(HERE / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    # No byte code beside the sources.
    with mock.patch.object(sys, "dont_write_bytecode", True):
        loader.exec_module(module)
    return module


RUN = program("run")


class Figures(unittest.TestCase):
    def test_a_figure_is_its_median_with_quarter_points(self):
        figure = Figure.of([5, 1, 4, 2, 3])
        self.assertEqual((figure.value, figure.quarters), (3, (2, 4)))
        self.assertIsNone(Figure.of([1, 2]).quarters)

    def test_all_of_it_has_to_hold(self):
        limit = Limit(at_most=3)
        self.assertEqual(limit.verdict(Figure(2.5, (2, 3))), "hit")
        self.assertEqual(limit.verdict(Figure(2.5, (2, 3.1))), "at the edge")
        self.assertEqual(limit.verdict(Figure(3.1, (2.9, 4))), "at the edge")
        self.assertEqual(limit.verdict(Figure(4, (3.1, 5))), "missed")
        self.assertEqual(Limit(at_least=2).verdict(Figure(1.9)), "missed")
        self.assertEqual(worst(["hit", "missed", "at the edge"]), "missed")

    def test_it_is_told_in_the_unit_of_the_goal(self):
        row = judged("P8", "what", Figure(1.5e-6, (1e-6, 2e-6)), Limit(at_most=1.9e-6), "command", 1e6, "us")
        self.assertEqual((row.figure, row.wanted, row.verdict), ("1.50 (1.00 .. 2.00) us", "<= 1.90 us", "at the edge"))


class Table(unittest.TestCase):
    ROWS = [Row("P1", "first", "1.0", "<= 2", "hit", "program"), Row("P1", "more", "1.0", "", "", ""), not_measured("P3", "x", "why")]

    def test_only_what_stands_between_the_markers_is_replaced(self):
        document = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
        new = table.replaced(document, "Where.", self.ROWS)
        self.assertTrue(new.startswith(f"before\n{table.BEGIN}\n**P1, P3**: Where.\n"))
        self.assertTrue(new.endswith(f"{table.END}\nafter\n"))
        self.assertNotIn("old", new)
        self.assertEqual(table.replaced(new, "Where.", self.ROWS), new)
        for broken in ("", table.BEGIN, document + document, f"{table.END}{table.BEGIN}"):
            with self.assertRaises(ValueError):
                table.replaced(broken, "Where.", self.ROWS)

    def test_rows_of_other_goals_stay_with_what_is_said_of_their_run(self):
        document = f"{table.BEGIN}\n{table.END}\n"
        first = table.replaced(document, "Monday.", self.ROWS)
        second = table.replaced(first, "Tuesday.", [Row("P3", "x", "2.0", "<= 3", "hit", "other"), Row("P2", "y", "1", "", "", "")])
        self.assertIn("**P1**: Monday.\n\n**P3, P2**: Tuesday.\n", second)
        self.assertEqual([row.goal for row in table.rows_of(second)], ["P1", "P1", "P2", "P3"])
        self.assertEqual(table.rows_of(second)[:2], self.ROWS[:2])
        self.assertNotIn("not measured", second)

    def test_what_was_not_measured_replaces_nothing_that_was(self):
        stands = [Row("P3", "speed", "0.5", "", "hit", ""), Row("P3", "alive", "16", "", "hit", ""), Row("P10", "lost", "0", "", "hit", "")]
        document = table.replaced(f"{table.BEGIN}\n{table.END}\n", "Monday.", stands)
        comes = [Row("P3", "speed", "0.6", "", "hit", ""), not_measured("P3", "alive", "no root"), not_measured("P10", "", "it broke")]
        new = table.replaced(document, "Tuesday.", comes)
        self.assertEqual(table.rows_of(new), [comes[0], stands[1], stands[2]])
        self.assertIn("**P3, P10**: Monday.\n\n**P3**: Tuesday.\n", new)

    def test_what_never_was_measured_says_so(self):
        new = table.replaced(f"{table.BEGIN}\n{table.END}\n", "Monday.", [not_measured("P10", "lost", "no root")])
        self.assertIn("| P10 | lost | not measured: no root |", new)

    def test_the_document_has_its_markers(self):
        document = (HERE.parent.parent / "docs" / "PERFORMANCE.md").read_text(encoding="utf-8")
        self.assertIn("P3", table.replaced(document, "Where.", self.ROWS))

    def test_every_row_has_six_cells_and_a_goal_is_named_once(self):
        lines = table.markdown(self.ROWS).splitlines()
        self.assertEqual({line.count("|") for line in lines}, {7})
        self.assertEqual(sum("P1" in line for line in lines), 1)
        self.assertIn("not measured: why", lines[-1])

    def test_the_machine_is_named(self):
        self.assertRegex(table.machine((1.0, 0, 0)), r"^\d{4}-\d\d-\d\d, .+, \d+ processors, \d+ GiB, Linux .+, load 1\.0 when")


class Source:
    """In place of all that measures: one goal has a row, one has a row and fails then, one has to leave something out."""

    def p1(self):
        yield Row("P1", "first", "1.0", "<= 2", "hit", "")

    def p2(self):
        yield Row("P2", "one", "1.0", "<= 2", "hit", "")
        raise RuntimeError("it broke\nfor this and that")

    def p3(self):
        yield left_out("P3", "long", "takes minutes")

    def p4(self):
        raise KeyError


class Run(unittest.TestCase):
    def status_of(self, *arguments):
        """Of the whole program with a document of its own, and the document's rows afterwards."""
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
            document = pathlib.Path(name) / "PERFORMANCE.md"
            document.write_text(table.replaced(f"{table.BEGIN}\n{table.END}\n", "Monday.", [Row("P2", "two", "7.0", "", "hit", "")]),
                                encoding="utf-8")
            benchmark = pathlib.Path(name) / "tests" / "bench" / "bench_pipeline"
            benchmark.parent.mkdir(parents=True)
            benchmark.touch()
            for kind in ("InProcess", "Live", "Captures"):
                stack.enter_context(mock.patch.object(RUN, kind, lambda *_, kind=kind: Source() if kind == "Live" else None))
            stack.enter_context(mock.patch.object(RUN, "DOCUMENT", document))
            stack.enter_context(mock.patch.object(sys, "argv", ["run", name, *arguments]))
            for stream in ("stdout", "stderr"):
                stack.enter_context(mock.patch.object(sys, stream, io.StringIO()))
            return RUN.main(), table.rows_of(document.read_text(encoding="utf-8"))

    def test_a_run_in_which_something_was_not_measured_ends_with_1(self):
        status, rows = self.status_of()
        self.assertEqual(status, 1)
        self.assertEqual([(row.goal, row.what, row.figure) for row in rows if row.goal in ("P1", "P2")],
                         [("P1", "first", "1.0"), ("P2", "one", "1.0"), ("P2", "two", "7.0")])
        self.assertIn(("P4", "not measured: KeyError"), [(row.goal, row.figure) for row in rows])

    def test_a_run_with_all_that_was_asked_for_ends_with_0(self):
        status, rows = self.status_of("--only", "p1", "--write")
        self.assertEqual((status, [row.goal for row in rows]), (0, ["P1", "P2"]))
        status, rows = self.status_of("--only", "P1,P3", "--quick")
        self.assertEqual((status, [row.goal for row in rows]), (0, ["P2"]), "a glance leaves out what takes long")

    def test_goals_that_are_none_are_named(self):
        self.assertEqual(RUN.read_goals("p16, P1"), ["P1", "P16"])
        for wrong in ("P15", "foo", "P1,", "", "P17"):
            with self.assertRaisesRegex(argparse.ArgumentTypeError, "there are P1, P2"):
                RUN.read_goals(wrong)

    def test_what_does_not_go_together_is_usage(self):
        for arguments in (["--against", "x", "--only", "P1"], ["--against", "x", "--write"], ["--only", "P15"]):
            with self.assertRaises(SystemExit) as ended:
                self.status_of(*arguments)
            self.assertEqual(ended.exception.code, 2)


BENCHMARK = """#!/usr/bin/python3
import json
row = {"run_type": "iteration", "cpu_time": 1.0, "real_time": 1.0, "time_unit": "ns"}
print(json.dumps({"benchmarks": [dict(row, name="fine"), dict(row, name="other", **%r)]}))
"""


class Compare(unittest.TestCase):
    def compared(self, rows):
        """Two builds, by what one benchmark of theirs says besides."""
        with tempfile.TemporaryDirectory() as name:
            for build, more in zip("ab", rows):
                path = pathlib.Path(name) / build / "tests" / "bench" / "bench_one"
                path.parent.mkdir(parents=True)
                path.write_text(BENCHMARK % more, encoding="utf-8")
                path.chmod(0o755)
            return subprocess.run([HERE / "compare", f"{name}/a", f"{name}/b", "--pairs", "1"], capture_output=True, text=True,
                                  check=False, timeout=60)

    def test_a_benchmark_that_fails_is_named(self):
        wrong = {"error_occurred": True, "error_message": "it is full"}
        for rows, said in ((({}, wrong), "failed in B: it is full"), ((wrong, {}), "failed in A: it is full")):
            done = self.compared(rows)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stdout, f"(?m)^other +{said}$")
            self.assertRegex(done.stdout, r"(?m)^fine +1\.000")
        self.assertEqual(self.compared(({}, {})).returncode, 0)


class Generators(unittest.TestCase):
    """In place of one that is not settled, or does not end."""

    def setUp(self):
        self.process = subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.process.kill)
        self.live = live.Live(HERE, quick=False)

    def test_one_that_does_not_settle_is_stopped(self):
        started = []
        begin = mock.patch.object(self.live, "many", lambda *_: started.append(1) or self.process)
        never = mock.patch.object(self.live, "settled", mock.Mock(side_effect=RuntimeError("packets are lost all the time")))
        with begin, never, self.assertRaises(RuntimeError):
            self.live.send_again(mock.Mock(folder=HERE))
        self.assertIsNotNone(self.process.poll())
        self.assertEqual(len(started), 3, "it is tried again")

    def test_one_that_does_not_end_in_time_is_stopped(self):
        with self.assertRaises(subprocess.TimeoutExpired):
            live.report(self.process, 0.1)
        self.assertIsNotNone(self.process.poll())


class Captures(unittest.TestCase):
    def test_sequence_numbers_go_on_where_the_other_side_acknowledges(self):
        sent = {True: 1001, False: 5001}
        for number in range(10):
            frame = captures.data(7, number)
            from_client = number % 2 == 0
            sequence, acknowledgment = (int.from_bytes(frame[at:at + 4], "big") for at in (38, 42))
            self.assertEqual((sequence, acknowledgment), (sent[from_client], sent[not from_client]))
            sent[from_client] += len(captures.PAYLOAD)

    def test_headers_have_their_checksum(self):
        header = captures.data(123, 0)[14:34]
        total = sum(int.from_bytes(header[at:at + 2], "big") for at in range(0, 20, 2))
        self.assertEqual((total & 0xFFFF) + (total >> 16), 0xFFFF)


if __name__ == "__main__":
    unittest.main()

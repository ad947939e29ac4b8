#!/usr/bin/python3
"""What the table of the goals says of its figures."""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import captures  # noqa: E402
import table  # noqa: E402
from figures import Figure, Limit, Row, judged, not_measured, worst  # noqa: E402


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

"""What is measured, and whether a goal holds: a median with its quarter points, judged as a whole.

A figure is a hit when all of it is within the limit, missed when all of it is beyond, and at the edge else: a noisy machine
decides nothing.
"""

import dataclasses
import statistics


@dataclasses.dataclass
class Figure:
    """`quarters`: None where there is one value."""

    value: float
    quarters: tuple | None = None

    @staticmethod
    def of(values):
        ordered = sorted(values)
        if len(ordered) < 3:
            return Figure(statistics.median(ordered))
        return Figure(statistics.median(ordered), (ordered[(len(ordered) - 1) // 4], ordered[(len(ordered) - 1) * 3 // 4]))

    def text(self, scale=1.0, unit=""):
        shown = number(self.value * scale)
        if self.quarters:
            shown += f" ({number(self.quarters[0] * scale)} .. {number(self.quarters[1] * scale)})"
        return f"{shown} {unit}".rstrip()


def number(value):
    """Three digits that say something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


@dataclasses.dataclass
class Limit:
    at_most: float | None = None
    at_least: float | None = None

    def holds(self, value):
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)

    def verdict(self, figure):
        held = [self.holds(value) for value in (figure.value, *(figure.quarters or ()))]
        return "hit" if all(held) else "at the edge" if any(held) else "missed"

    def text(self, scale=1.0, unit=""):
        sign, value = ("<=", self.at_most) if self.at_most is not None else (">=", self.at_least)
        return f"{sign} {number(value * scale)} {unit}".rstrip()


def worst(verdicts):
    return max(verdicts, key=["hit", "at the edge", "missed"].index)


@dataclasses.dataclass
class Row:
    """One line of the table."""

    goal: str
    what: str
    figure: str
    wanted: str
    verdict: str
    command: str


def judged(goal, what, figure, limit, command, scale=1.0, unit="", more=""):
    """A row of one figure with one limit."""
    return Row(goal, what, figure.text(scale, unit) + more, limit.text(scale, unit), limit.verdict(figure), command)


def not_measured(goal, what, why):
    """It should have been."""
    return Row(goal, what, f"not measured: {why}", "", "", "")


def left_out(goal, what, why):
    """By --quick, which is asked for: no failure."""
    return Row(goal, what, f"left out: {why}", "", "", "")


def is_missing(row):
    return row.figure.startswith("not measured: ")

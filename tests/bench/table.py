"""docs/PERFORMANCE.md's table of the goals: what stands between its markers is written here and nowhere else."""

import json
import os
import pathlib
import platform
import re
import subprocess
import time

from figures import Row, is_missing

BEGIN = "<!-- goals: written by make bench -->"
END = "<!-- goals: end -->"


def machine(load_before):
    """One paragraph: where, when, what."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"model name\s*:\s*(.*)", line):
            model = match[1]
            break
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(encoding="utf-8"))[1]) // 1024**2
    load = f"{load_before[0]:.1f} when it began, {os.getloadavg()[0]:.1f} when it ended"
    return (f"{time.strftime('%Y-%m-%d')}, {model}, {os.cpu_count()} processors, {memory} GiB, Linux {platform.release()}, "
            f"load {load}.")


def build_line(build, root):
    """The commit and how it was built."""
    commit = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True,
                            check=False).stdout.strip() or "no commit"
    options = build / "meson-info" / "intro-buildoptions.json"
    if not options.exists():
        return f"Built from {commit}."
    values = {option["name"]: option["value"] for option in json.loads(options.read_text(encoding="utf-8"))}
    return f"Built from {commit}: {values['buildtype']}, {values['cpu']}."


def markdown(rows):
    lines = ["| goal | what | figure | wanted | | command |", "|---|---|---|---|---|---|"]
    before = None
    for row in rows:
        goal = row.goal if row.goal != before else ""
        before = row.goal
        command = f"`{row.command}`" if row.command else ""
        lines.append(f"| {goal} | {row.what} | {row.figure} | {row.wanted} | {row.verdict} | {command} |")
    return "\n".join(lines)


def rows_of(text):
    """What markdown() made of rows."""
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 6 and cells[0] != "goal" and not set(cells[0]) >= {"-"}:
            cells[0] = cells[0] or rows[-1].goal
            rows.append(Row(*cells[:5], cells[5].strip("`")))
    return rows


def goals_of(rows):
    return list(dict.fromkeys(row.goal for row in rows))


def merged(old, new):
    """Of one goal: what was measured now, and what stands there already of the rest. That something was not measured is said
    where nothing stands there."""
    measured = [row for row in new if not is_missing(row)]
    if len(measured) == len(new):
        return new
    told = {row.what for row in measured}
    kept = [row for row in old if not is_missing(row) and row.what not in told]
    return measured + (kept or [row for row in new if is_missing(row)])


def replaced(document, paragraph, rows):
    """The document with these rows in place of those of the same goals, but a row that was not measured in place of none that
    was; each run says of which goals it speaks, above the table. A ValueError where it has no markers."""
    if document.count(BEGIN) != 1 or document.count(END) != 1 or document.index(BEGIN) > document.index(END):
        raise ValueError(f"the document needs one \"{BEGIN}\" before one \"{END}\"")
    head, rest = document.split(BEGIN)
    before, tail = rest.split(END)
    old = rows_of(before)
    every = []
    for goal in sorted(goals_of(old + rows), key=lambda goal: int(goal[1:])):
        stands, comes = ([row for row in some if row.goal == goal] for some in (old, rows))
        every += merged(stands, comes) if comes else stands
    runs = []
    for match in re.finditer(r"^\*\*(P[0-9P, ]*)\*\*: (.*)$", before, re.MULTILINE):
        goals = [goal for goal in match[1].split(", ") if any(row.goal == goal and row not in rows for row in every)]
        if goals:
            runs.append((goals, match[2]))
    new = [goal for goal in goals_of(rows) if any(row.goal == goal and row in rows for row in every)]
    if new:
        runs.append((new, paragraph))
    said = "\n\n".join(f"**{', '.join(goals)}**: {words}" for goals, words in runs)
    return f"{head}{BEGIN}\n{said}\n\n{markdown(every)}\n{END}{tail}"


def terminal(rows):
    width = max(len(row.what) for row in rows)
    figures = max(len(row.figure) for row in rows)
    return "\n".join(f"{row.goal:4} {row.what:{width}}  {row.figure:{figures}}  {row.wanted:22} {row.verdict}" for row in rows)

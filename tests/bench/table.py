"""docs/PERFORMANCE.md's table of the goals: what stands between its markers is written here and nowhere else."""

import json
import os
import pathlib
import platform
import re
import subprocess
import time

from figures import Row

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


def replaced(document, paragraph, rows):
    """The document with these rows in place of those of the same goals; each run says of which goals it speaks, above the table. A
    ValueError where it has no markers."""
    if document.count(BEGIN) != 1 or document.count(END) != 1 or document.index(BEGIN) > document.index(END):
        raise ValueError(f"the document needs one \"{BEGIN}\" before one \"{END}\"")
    head, rest = document.split(BEGIN)
    before, tail = rest.split(END)
    new = goals_of(rows)
    kept = [row for row in rows_of(before) if row.goal not in new]
    runs = []
    for match in re.finditer(r"^\*\*(P[0-9P, ]*)\*\*: (.*)$", before, re.MULTILINE):
        goals = [goal for goal in match[1].split(", ") if goal in goals_of(kept)]
        if goals:
            runs.append((goals, match[2]))
    runs.append((new, paragraph))
    said = "\n\n".join(f"**{', '.join(goals)}**: {words}" for goals, words in runs)
    every = sorted(kept + rows, key=lambda row: int(row.goal[1:]))
    return f"{head}{BEGIN}\n{said}\n\n{markdown(every)}\n{END}{tail}"


def terminal(rows):
    width = max(len(row.what) for row in rows)
    figures = max(len(row.figure) for row in rows)
    return "\n".join(f"{row.goal:4} {row.what:{width}}  {row.figure:{figures}}  {row.wanted:22} {row.verdict}" for row in rows)

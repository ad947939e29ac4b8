"""What the programs say of themselves by --help, as values: what manual pages and completion are made of, and held to."""

import dataclasses
import re
import subprocess


@dataclasses.dataclass
class Option:
    name: str  # "--config"
    value: str  # "FILE"; empty: a flag
    text: str


@dataclasses.dataclass
class Command:
    program: str
    name: str  # empty: the program itself
    usage: str
    summary: str
    options: list
    notes: str  # what stands behind the options

    @property
    def page(self):
        return f"{self.program}-{self.name}" if self.name else self.program

    def words_of(self, option):
        """The words that an option takes, by the usage, `[--proto tcp|udp]`, or by its value, `PPS|max`; none: it takes anything."""
        found = re.search(rf"{option.name} ([a-z][a-z0-9]*(?:\|[a-z0-9]+)+)", self.usage)
        words = found[1] if found else option.value if "|" in option.value else ""
        return [word for word in words.split("|") if word.islower()]

    def topics(self):
        """Words that stand right behind the command: `show flows|ports`."""
        found = re.match(rf"{self.program} {self.name} ([a-z]+(?:\|[a-z]+)+)", self.usage)
        return found[1].split("|") if found else []


def ask(program, *words):
    return subprocess.run([str(program), *words, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout


def column_of_texts(lines):
    """Where the texts of the options begin: that of most options whose text stands beside them."""
    columns = [found.end() for line in lines if (found := re.match(r"  -\S(?:.*?\S)?\s{2,}(?=\S)", line))]
    return max(set(columns), key=columns.count) if columns else 0


def read_options(lines):
    options = []
    column = column_of_texts(lines)
    for line in lines:
        if line.startswith("  -"):
            words, text = line[:column], line[column:]
            name = re.search(r"--[a-z][\w-]*", words)[0]
            value = words[words.index(name) + len(name):].strip(" ]")
            options.append(Option(name, value, text.strip()))
        elif options and line.startswith(" " * column) and line.strip():
            options[-1].text += " " + line.strip()
    return options


def read(program, name, text):
    """--help of one command, taken apart: usage, summary, options under headings, notes."""
    blocks = re.split(r"\n{2,}", text.strip("\n"))
    usage = "\n".join(line[len("Usage: "):] for line in blocks[0].splitlines())
    is_list = [block.splitlines()[0].endswith(":") or block.startswith("  -") for block in blocks]
    summary = blocks[1] if len(blocks) > 1 and not is_list[1] and not blocks[1].startswith("  -") else ""
    lists = [block for block, one in zip(blocks, is_list) if one]
    notes = [block for block, one in zip(blocks[1:], is_list[1:]) if not one and block is not summary]
    options = [option for block in lists for option in read_options(block.splitlines())]
    return Command(program, name, usage, " ".join(summary.split()), options, "\n\n".join(notes))


def listed_in(general):
    """The commands that a program's own --help lists, and what it says of each."""
    return dict(re.findall(r"(?m)^  ([a-z]+) +(\S.*)$", general))


def commands(build, program):
    """The commands of one program, in the order of its help."""
    path = build / program
    found = []
    for name, summary in listed_in(ask(path)).items():
        command = read(program, name, ask(path, name))
        command.summary = command.summary or summary
        found.append(command)
    return found

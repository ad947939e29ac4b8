#!/usr/bin/python3
"""What `make install` leaves: programs that run, a unit that systemd takes, a configuration that is valid and stays.

install_test.py BUILD_FOLDER: needs no rights; into a folder of its own.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PREFIX = "/usr/local"
BUILD = None


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.destination = pathlib.Path(folder.name) / "root"
        done = cls.install()
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    @classmethod
    def install(cls):
        return run(ROOT / "tools" / "install-files", BUILD, cls.destination, PREFIX)

    def at(self, path):
        return self.destination / path.lstrip("/")

    def test_the_programs_run(self):
        for program in ("sallyport", "sallyport-pktgen"):
            done = run(self.at(f"{PREFIX}/bin/{program}"), "--help")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"Usage: {program}", done.stdout)

    def test_the_configuration_is_valid(self):
        done = run(self.at(f"{PREFIX}/bin/sallyport"), "check", "--config", self.at("/etc/sallyport/sallyport.toml"))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(self.at("/etc/sallyport/policy.d").is_dir())

    def test_the_documents_are_there_and_lead_to_one_another(self):
        folder = self.at(f"{PREFIX}/share/doc/sallyport")
        pages = [folder / "README.md", *folder.glob("docs/*.md"), *folder.glob("examples/*.md")]
        self.assertGreater(len(pages), 10)
        self.assertFalse((folder / "docs" / "man").exists(), "parts of manual pages are no documents")
        for page in pages:
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
                if not link.startswith("../tests/"):  # the source alone has it
                    self.assertTrue((page.parent / link).exists(), f"{page}: {link}")

    def test_what_the_operator_wrote_stays(self):
        policy = self.at("/etc/sallyport/policy.toml")
        written = policy.read_text(encoding="utf-8") + "# mine\n"
        policy.write_text(written, encoding="utf-8")
        done = self.install()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"kept {policy}", done.stdout)
        self.assertEqual(policy.read_text(encoding="utf-8"), written)

    def commands(self):
        """(program, command, the options that its help begins a line with), for both programs."""
        for program in ("sallyport", "sallyport-pktgen"):
            path = self.at(f"{PREFIX}/bin/{program}")
            for command in re.findall(r"(?m)^  ([a-z]+) ", run(path, "--help").stdout):
                options = re.findall(r"(?m)^  (?:-\w \[ )?(--[\w-]+)", run(path, command, "--help").stdout)
                self.assertIn("--help", options, command)
                yield program, command, options

    def test_each_command_and_option_is_in_the_manual_and_in_the_completion(self):
        completion = self.at(f"{PREFIX}/share/bash-completion/completions/sallyport").read_text(encoding="utf-8")
        seen = 0
        for program, command, options in self.commands():
            section = 1 if program == "sallyport-pktgen" else 8
            folder = self.at(f"{PREFIX}/share/man/man{section}")
            page = (folder / f"{program}-{command}.{section}").read_text(encoding="utf-8").replace("\\-", "-")
            self.assertIn(f"{program}-{command}", (folder / f"{program}.{section}").read_text(encoding="utf-8").replace("\\-", "-"))
            offered = re.search(rf"(?m)^    {command}\)\n(.*?);;$", completion.split(f"_{program.replace('-', '_')}() {{")[1], re.DOTALL)
            for option in options:
                seen += 1
                self.assertIn(f"\\fB{option}\\fR", page, f"{program} {command}")
                self.assertRegex(offered[1], rf"[ ']{option}[ ']", f"{program} {command}")
        self.assertGreater(seen, 60)

    def test_the_manual_pages_are_well_formed(self):
        pages = sorted(self.at(f"{PREFIX}/share/man").glob("man?/*"))
        self.assertLess({"sallyport.8", "sallyport-run.8", "sallyport-pktgen.1", "sallyport.toml.5", "sallyport-policy.5"},
                        {page.name for page in pages})
        for page in pages:
            done = run("mandoc", "-Tlint", "-W", "warning", page)
            complaints = [line for line in done.stdout.splitlines() if "skipping paragraph macro" not in line]  # lowdown's way
            self.assertEqual(complaints, [], page)
            self.assertRegex(page.read_text(encoding="utf-8"), rf"\.SH NAME\n{page.name[:-2]} - \S", page)

    def complete(self, *words):
        script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_${1//-/_}"; printf "%s\n" "${COMPREPLY[@]}"'
        done = run("bash", "-uc", script, "bash", self.at(f"{PREFIX}/share/bash-completion/completions/sallyport"), *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_bash_completes(self):
        start = str(self.at("/etc/sallyport/sallyport"))
        self.assertEqual(self.complete("sallyport", "ch"), ["check"])
        self.assertEqual(self.complete("sallyport", "show", "rea"), ["reasons"])
        self.assertEqual(self.complete("sallyport", "explain", "--proto", "s"), ["sctp"])
        self.assertEqual(self.complete("sallyport", "run", "--st"), ["--state"])
        self.assertEqual(self.complete("sallyport", "check", "--config", start), [start + ".toml"])
        self.assertEqual(self.complete("sallyport", "check", "--config", "=", start), [start + ".toml"])
        self.assertEqual(self.complete("sallyport", "import", start), [start + ".toml"])
        self.assertEqual(self.complete("sallyport", "explain", "--to", "1"), [])
        self.assertEqual(self.complete("sallyport-pktgen", "udp", "--order", ""), ["cyclic", "random"])

    def test_the_package_is_built_with_what_the_build_needs(self):
        """debian/control and tools/packages.txt say the same; the tests' libraries and the compiler apart."""
        listed = re.findall(r"(?m)^(\S+)\s+build$", (ROOT / "tools" / "packages.txt").read_text(encoding="utf-8"))
        not_packaged = {"g++", "libgtest-dev", "libgmock-dev", "libbenchmark-dev"}
        control = (ROOT / "debian" / "control").read_text(encoding="utf-8")
        field = re.search(r"(?ms)^Build-Depends:(.*?)^\S", control)[1]
        wanted = {name.strip().replace(" | ", "|") for name in field.split(",")}
        self.assertEqual({name for name in wanted if not name.startswith(("debhelper", "dh-", "python3"))}, {*listed} - not_packaged)

    def test_logs_are_rotated_by_the_signal_that_opens_them_anew(self):
        text = self.at("/etc/logrotate.d/sallyport").read_text(encoding="utf-8")
        self.assertIn("--signal=USR1", text)
        written = re.search(r'file = "(.*)/[^/]*\.jsonl"', self.at("/etc/sallyport/sallyport.toml").read_text(encoding="utf-8"))
        self.assertIn(f"{written[1]}/*.jsonl {{", text)

    def test_the_group_of_the_unit_is_made(self):
        group = re.search(r"(?m)^Group=(\w+)$", self.at("/lib/systemd/system/sallyport.service").read_text(encoding="utf-8"))[1]
        self.assertRegex(self.at("/usr/lib/sysusers.d/sallyport.conf").read_text(encoding="utf-8"), rf"(?m)^g {group} -$")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze on this machine")
    def test_systemd_takes_the_unit(self):
        unit = self.at("/lib/systemd/system/sallyport.service")
        text = unit.read_text(encoding="utf-8")
        self.assertIn(f"ExecStart={PREFIX}/bin/sallyport run --config /etc/sallyport/sallyport.toml\n", text)
        self.assertNotIn("@PREFIX@", text)
        for name in ("sallyport.service", "sallyport-vfio@.service"):
            # It looks for the program where the unit says, so say where the program is.
            text = unit.with_name(name).read_text(encoding="utf-8")
            moved = self.destination / name
            moved.write_text(text.replace(f"{PREFIX}/bin/", f"{self.destination}{PREFIX}/bin/"), encoding="utf-8")
            done = run("systemd-analyze", "verify", "--man=no", moved)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()

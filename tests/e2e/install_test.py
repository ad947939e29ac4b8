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

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze on this machine")
    def test_systemd_takes_the_unit(self):
        unit = self.at("/lib/systemd/system/sallyport.service")
        text = unit.read_text(encoding="utf-8")
        self.assertIn(f"ExecStart={PREFIX}/bin/sallyport run --config /etc/sallyport/sallyport.toml\n", text)
        self.assertNotIn("@", text)
        # It looks for the program where the unit says, so say where the program is.
        moved = self.destination / "sallyport.service"
        moved.write_text(text.replace(f"{PREFIX}/bin/", f"{self.destination}{PREFIX}/bin/"), encoding="utf-8")
        done = run("systemd-analyze", "verify", "--man=no", moved)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()

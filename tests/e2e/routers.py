"""Routing daemons in a host of their own, by their own command lines: no systemd, and nothing outside of one folder."""

import pathlib
import shutil
import time

import namespaces

FRR = pathlib.Path("/usr/lib/frr")


class Frr:
    """FRR with the daemons named, and the configuration that a machine would have at /etc/frr/frr.conf."""

    def __init__(self, host, folder, configuration, daemons):
        self.host = host
        self.folder = folder
        self.folder.mkdir()
        for name, text in (("frr.conf", configuration), ("vtysh.conf", ""), ("empty.conf", "")):
            (folder / name).write_text(text, encoding="utf-8")
        shutil.chown(folder, "frr", "frr")
        self.processes = {name: self._start(name) for name in ("zebra", *daemons)}
        self._wait_for_all()
        self.vtysh("-b")

    def _start(self, name):
        more = {"bfdd": ["--bfdctl", self.folder / "bfdd.sock"]}.get(name, [])
        with open(self.folder / f"{name}.out", "wb") as output:
            return self.host.start(
                [FRR / name, "-f", self.folder / "empty.conf", "-z", self.folder / "zserv.api", "-i", self.folder / f"{name}.pid",
                 "--vty_socket", self.folder, "--log", f"file:{self.folder / name}.log", *more], stdout=output, stderr=output)

    def _wait_for_all(self, seconds=20):
        """Until each answers, and zebra knows them: what bgpd asks of a bfdd that zebra does not know yet is lost."""
        end = time.monotonic() + seconds
        while not (all((self.folder / f"{name}.vty").exists() for name in self.processes) and self._known_to_zebra()):
            if time.monotonic() > end:
                raise RuntimeError("FRR did not start:\n" + self.log())
            time.sleep(0.05)

    def _known_to_zebra(self):
        clients = self.ask("show zebra client summary")
        return all(f"\n{name.removesuffix('d')} " in clients for name in self.processes if name != "zebra")

    def vtysh(self, *arguments):
        return self.host.run(["vtysh", "--vty_socket", self.folder, "--config_dir", self.folder, *arguments]).stdout

    def ask(self, command):
        return self.vtysh("-c", command)

    def log(self):
        return "".join(f"{path.name}:\n{path.read_text(errors='replace')[-1500:]}" for path in sorted(self.folder.glob("*.[ol][uo][tg]")))

    def stop(self):
        for process in self.processes.values():
            namespaces.stop(process)


class Bird:
    def __init__(self, host, folder, configuration):
        self.host = host
        self.folder = folder
        self.folder.mkdir()
        (folder / "bird.conf").write_text(configuration, encoding="utf-8")
        with open(folder / "bird.out", "wb") as output:
            self.process = host.start(["bird", "-f", "-c", folder / "bird.conf", "-s", folder / "bird.ctl", "-P", folder / "bird.pid"],
                                      stdout=output, stderr=output)

    def ask(self, command):
        return self.host.run(["birdc", "-r", "-s", self.folder / "bird.ctl", command], check=False).stdout

    def log(self):
        return (self.folder / "bird.out").read_text(errors="replace")[-1500:]

    def stop(self):
        namespaces.stop(self.process)

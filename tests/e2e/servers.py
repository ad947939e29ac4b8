"""The servers of the world: nginx with a certificate for each name, echo servers, iperf3, and a recorder of the wire."""

import json
import pathlib
import signal
import socket
import struct
import time

import namespaces
from world import SECOND_SERVER, SERVER

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
PYTHON = "/usr/bin/python3"
NAMES = ["httpbin.org", "www.example.com", "denied.example", "db.example.com"]
ECHO_PORT = 7000
HTTP2_PORT = 8082  # in the clear
IPERF_PORT = 5201

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 4096; }}
http {{
  log_format seen escape=json '{{"address":"$remote_addr","port":$remote_port,"name":"$ssl_server_name","status":$status,'
    '"method":"$request_method","path":"$request_uri"}}';
  access_log {folder}/access.log seen;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  default_type text/plain;
  client_max_body_size 100m;
  server {{
    listen 80; listen [::]:80;
    location / {{ return 200 "plain, seen from $remote_addr\\n"; }}
    location /post {{ proxy_pass http://127.0.0.1:80/; }}  # reads the whole body first
  }}
  server {{
    listen {http2_port} http2; listen [::]:{http2_port} http2;
    location / {{ return 200 "by $server_protocol\\n"; }}
    location /post {{ proxy_pass http://127.0.0.1:80/; }}
  }}
  {names}
}}
"""
NGINX_NAME = """
  server {{
    listen 443 ssl; listen [::]:443 ssl;
    server_name {name};
    ssl_certificate {folder}/{name}.pem; ssl_certificate_key {folder}/{name}.key;
    location / {{ return 200 "{name}, seen from $remote_addr\\n"; }}
    location /big {{ alias {folder}/big; }}
  }}
"""


class Servers:
    def __init__(self, world):
        self.host = world.server
        self.folder = world.folder / "server"
        self.folder.mkdir()
        self.authorities = self.folder / "authorities.pem"
        with open(self.folder / "big", "wb") as big:
            big.truncate(20_000_000)
        self._certificates()
        (self.folder / "nginx.conf").write_text(NGINX.format(
            folder=self.folder, http2_port=HTTP2_PORT, names="".join(NGINX_NAME.format(folder=self.folder, name=name) for name in NAMES)))
        self.log = open(self.folder / "processes.log", "ab")  # as long as the world
        self._start(["nginx", "-e", self.folder / "error.log", "-p", self.folder, "-c", self.folder / "nginx.conf"])
        self._start([PYTHON, PEERS / "echo_server.py", ECHO_PORT, *SERVER, *SECOND_SERVER])
        for address in SERVER:  # answers to datagrams leave under the address that was asked
            self._start(["iperf3", "--server", "--bind", address, "--port", IPERF_PORT])
        for port in (80, 443, HTTP2_PORT, ECHO_PORT, IPERF_PORT):
            self.wait_listening(port)

    def _start(self, command):
        return self.host.start(command, stdout=self.log, stderr=self.log)

    def measuring_iperf(self, port):
        """A server for one run, whose report the client can ask for: what iperf3 keeps of a run of datagrams stalls the next."""
        process = self._start(["iperf3", "--server", "--one-off", "--json", "--bind", SERVER[0], "--port", port])
        self.wait_listening(port)
        return process

    def _certificates(self):
        everything = b""
        for name in NAMES:
            certificate = self.folder / f"{name}.pem"
            namespaces.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                            "-keyout", str(certificate.with_suffix(".key")), "-out", str(certificate)])
            everything += certificate.read_bytes()
        self.authorities.write_bytes(everything)

    def wait_listening(self, port, seconds=10):
        end = time.monotonic() + seconds
        while f":{port} " not in self.host.run(["ss", "-Hltn"]).stdout:
            if time.monotonic() > end:
                raise RuntimeError(f"no server on port {port}: {(self.folder / 'processes.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def access_log(self):
        """What nginx says of the requests it answered."""
        path = self.folder / "access.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Recorder:
    """Everything that reaches a host over a device, by tcpdump: the ground truth of what a server was shown."""

    def __init__(self, host, device, folder, expression=""):
        self.path = folder / f"record-{host.short}-{time.monotonic_ns()}.pcap"
        self.process = host.start(["tcpdump", "--immediate-mode", "-U", "-Z", "root", "-n", "-s", "0", "-Q", "in", "-i", device,
                                   "-w", self.path, *expression.split()], stderr=open(folder / "tcpdump.log", "ab"))
        end = time.monotonic() + 10
        while not self.path.exists() or self.path.stat().st_size < 24:
            if time.monotonic() > end:
                raise RuntimeError("tcpdump did not start: " + (folder / "tcpdump.log").read_text()[-500:])
            time.sleep(0.02)

    def stop(self):
        """The packets, as Segments."""
        time.sleep(0.1)
        namespaces.stop(self.process, signal.SIGINT)
        return list(read_capture(self.path))


class Segment:
    """One TCP or UDP packet of a capture."""

    def __init__(self, source, destination, protocol, body):
        self.source, self.destination = source, destination
        self.source_port, self.destination_port = struct.unpack("!HH", body[:4])
        header = (body[12] >> 4) * 4 if protocol == socket.IPPROTO_TCP else 8
        self.payload = body[header:]

    def __repr__(self):
        return f"{self.source}:{self.source_port} > {self.destination}:{self.destination_port} {len(self.payload)} bytes"


def read_capture(path):
    """TCP and UDP over IPv4 and IPv6 of a pcap file as tcpdump writes it here (little endian, Ethernet)."""
    data = path.read_bytes()
    position = 24
    while position + 16 <= len(data):
        captured = struct.unpack_from("<I", data, position + 8)[0]
        frame = data[position + 16:position + 16 + captured]
        position += 16 + captured
        ethertype = frame[12:14]
        packet = frame[14:]
        if ethertype == b"\x08\x00":
            end = struct.unpack_from("!H", packet, 2)[0]
            protocol, start, addresses, family = packet[9], (packet[0] & 15) * 4, packet[12:20], socket.AF_INET
        elif ethertype == b"\x86\xdd":
            end = 40 + struct.unpack_from("!H", packet, 4)[0]
            protocol, start, addresses, family = packet[6], 40, packet[8:40], socket.AF_INET6
        else:
            continue
        if protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
            half = len(addresses) // 2
            yield Segment(socket.inet_ntop(family, addresses[:half]), socket.inet_ntop(family, addresses[half:]), protocol,
                          packet[start:end])


def server_address(family, second=False):
    return (SECOND_SERVER if second else SERVER)[0 if family == 4 else 1]

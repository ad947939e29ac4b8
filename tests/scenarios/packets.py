"""Frames made by hand: Ethernet, IPv4 and IPv6, TCP, UDP, ICMP, and a ClientHello as OpenSSL writes it."""

import ipaddress
import random
import ssl
import struct

SYN, RST, PSH, ACK, FIN = 2, 4, 8, 16, 1
MAC_CLIENT, MAC_GATEWAY = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(source, destination, protocol, body, *, fragment=0, identification=1, ttl=64):
    """An Ethernet frame. `fragment`: the 16 bits of flags and offset (IPv4)."""
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if a.version == 4:
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), identification, fragment, ttl, protocol, 0, a.packed,
                             b.packed)
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        return MAC_GATEWAY + MAC_CLIENT + b"\x08\x00" + header + body
    header = struct.pack("!IHBB", 6 << 28, len(body), protocol, ttl) + a.packed + b.packed
    return MAC_GATEWAY + MAC_CLIENT + b"\x86\xdd" + header + body


def with_checksum(source, destination, protocol, body, place):
    pseudo = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    value = checksum(pseudo + struct.pack("!IBBBB", len(body), 0, 0, 0, protocol) + body)
    if protocol == 17 and value == 0:
        value = 0xFFFF
    return body[:place] + struct.pack("!H", value) + body[place + 2:]


def udp(source, source_port, destination, destination_port, payload):
    body = struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    return frame(source, destination, 17, with_checksum(source, destination, 17, body, 6))


def echo(source, destination, identifier, sequence, reply=False):
    """An ICMP echo of either family."""
    v6 = ":" in source
    kind = (129 if reply else 128) if v6 else (0 if reply else 8)
    body = struct.pack("!BBHHH", kind, 0, 0, identifier, sequence) + b"abcdefgh"
    if v6:
        return frame(source, destination, 58, with_checksum(source, destination, 58, body, 2))
    return frame(source, destination, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


class Connection:
    """A TCP connection as a capture at the client's side shows it; `frames` grows with each step."""

    def __init__(self, client, port, server, server_port=443):
        self.client, self.port, self.server, self.server_port = client, port, server, server_port
        self.sequence, self.answered = 1000, 5000
        self.frames = []

    def segment(self, flags, payload=b"", *, sequence=None, from_server=False):
        a, b = (self.client, self.port), (self.server, self.server_port)
        mine, other = self.sequence if sequence is None else sequence, self.answered
        if from_server:
            a, b, mine, other = b, a, self.answered if sequence is None else sequence, self.sequence
        body = struct.pack("!HHIIBBHHH", a[1], b[1], mine & 0xFFFFFFFF, other if flags & ACK else 0, 0x50, flags, 65000, 0, 0)
        self.frames.append(frame(a[0], b[0], 6, with_checksum(a[0], b[0], 6, body + payload, 16)))
        return self

    def open(self):
        self.segment(SYN)
        self.sequence += 1
        self.segment(SYN | ACK, from_server=True)
        self.answered += 1
        return self.segment(ACK)

    def send(self, payload, pieces=None):
        """In one segment, or in pieces [(start, end), ..] in this order."""
        for start, end in pieces or [(0, len(payload))]:
            self.segment(PSH | ACK, payload[start:end], sequence=self.sequence + start)
        self.sequence += len(payload)
        return self

    def answer(self, payload=b"server hello"):
        self.segment(PSH | ACK, payload, from_server=True)
        self.answered += len(payload)
        return self.segment(ACK)

    def close(self):
        self.segment(FIN | ACK)
        self.sequence += 1
        self.segment(FIN | ACK, from_server=True)
        self.answered += 1
        return self.segment(ACK)


def client_hello(name):
    """The TLS records of OpenSSL's own ClientHello for this name; None: without a name. Its random bytes are fixed."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = bytearray(outgoing.read())
    steady = random.Random(1)
    hello[11:43] = steady.randbytes(32)
    hello[44:76] = steady.randbytes(32)
    key = hello.rindex(b"\x00\x1d\x00\x20") + 4  # the x25519 key share
    hello[key:key + 32] = steady.randbytes(32)
    return bytes(hello)


def in_records(hello, size):
    """The same handshake message in records of at most `size` bytes."""
    message = hello[5:]
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(message[i:i + size])) + message[i:i + size]
                    for i in range(0, len(message), size))


def write_capture(path, frames, gap=0.001):
    """A pcap file; a float among the frames is a pause in seconds."""
    now = 1_700_000_000.0
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for one in frames:
            if isinstance(one, float):
                now += one
                continue
            file.write(struct.pack("<IIII", int(now), int(now % 1 * 1_000_000), len(one), len(one)) + one)
            now += gap

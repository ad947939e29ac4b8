"""arp_watch.py DEVICE OUR_ADDRESS ASKED_ADDRESS..: asks for each address by broadcast every 50 ms until SIGTERM.
Says "ready"; in the end prints one JSON object: for each address, when (monotonic seconds) which stations answered a question,
where that were other stations than those that had answered the question before; and what was announced unasked."""

import json
import select
import signal
import socket
import struct
import sys
import time

ETHERTYPE_ARP = 0x0806
PERIOD = 0.05


class Watch:
    def __init__(self, device, own):
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP))
        self.raw.bind((device, ETHERTYPE_ARP))
        self.mac = self.raw.getsockname()[4]
        self.own = socket.inet_aton(own)
        self.answers = {}  # of the present question: address -> stations
        self.changes = []  # (time, address, stations)
        self.announced = []  # (time, address, station)
        self.last = {}

    def ask(self, now, addresses):
        for address in addresses:
            stations = sorted(self.answers.pop(address, ()))
            if stations != self.last.get(address):
                self.changes.append((now, address, stations))
                self.last[address] = stations
            self.raw.send(b"\xff" * 6 + self.mac + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, 0x0800, 6, 4, 1) + self.mac + self.own
                          + b"\0" * 6 + socket.inet_aton(address))

    def hear(self, now):
        frame = self.raw.recv(2048)
        if len(frame) < 42 or frame[6:12] == self.mac:
            return
        operation, station = struct.unpack("!H", frame[20:22])[0], frame[22:28].hex(":")
        sender, target = socket.inet_ntoa(frame[28:32]), socket.inet_ntoa(frame[38:42])
        if sender == target:
            self.announced.append((now, sender, station))
        elif operation == 2:
            self.answers.setdefault(sender, set()).add(station)


def main():
    device, own, *addresses = sys.argv[1:]
    watch = Watch(device, own)
    next_ask = time.monotonic()
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("ready", flush=True)
    while not ended:
        ready, _, _ = select.select([watch.raw], [], [], max(0.0, next_ask - time.monotonic()))
        now = time.monotonic()
        if watch.raw in ready:
            watch.hear(now)
        if now >= next_ask:
            watch.ask(now, addresses)
            next_ask = now + PERIOD
    print(json.dumps({"changes": watch.changes, "announced": watch.announced}))


main()

"""udp_stream.py ADDRESS PORT [OWN]: a datagram every millisecond, each echoed by the server, until SIGTERM.
Says "ready"; in the end prints one JSON object: how many were sent and answered, who the server says we are, and the gaps:
from when to when (monotonic seconds) no answer came for 20 ms and more, the time before the first one included."""

import json
import select
import signal
import socket
import sys
import time

PERIOD = 0.001
NO_GAP = 0.020


def main():
    connection = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
    if len(sys.argv) > 3:
        connection.bind((sys.argv[3], 0))
    connection.connect((sys.argv[1], int(sys.argv[2])))
    connection.setblocking(False)
    sent = answered = 0
    gaps, seen = [], set()
    last_answer = next_send = time.monotonic()  # or the begin
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("ready", flush=True)
    while not ended:
        ready, _, _ = select.select([connection], [], [], max(0.0, next_send - time.monotonic()))
        now = time.monotonic()
        if connection in ready:
            try:
                source, port = connection.recv(2048).decode().split()[:2]
                if now - last_answer >= NO_GAP:
                    gaps.append((last_answer, now))
                last_answer = now
                answered += 1
                seen.add(f"{source}:{port}")
            except OSError:
                pass
        if now >= next_send:
            try:
                connection.send(b"%d" % sent)
                sent += 1
            except OSError:  # a neighbour that is not there yet
                pass
            next_send = max(next_send + PERIOD, now - 0.1)
    if now - last_answer >= NO_GAP:
        gaps.append((last_answer, now))
    print(json.dumps({"sent": sent, "answered": answered, "seen": sorted(seen), "gaps": gaps}))


main()

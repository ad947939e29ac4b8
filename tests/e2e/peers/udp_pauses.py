#!/usr/bin/python3
"""udp_pauses.py ADDRESS PORT COUNT PAUSE: asks an echo server COUNT times with PAUSE seconds of silence before each, and prints
how long the answers took: JSON, microseconds, ascending."""

import json
import socket
import sys
import time

address, port, count, pause = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
took = []
with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.settimeout(2)
    sender.connect((address, port))
    for number in range(count):
        time.sleep(pause)
        began = time.monotonic_ns()
        sender.send(str(number).encode())
        sender.recv(64)
        took.append((time.monotonic_ns() - began) / 1000)
print(json.dumps(sorted(took)))

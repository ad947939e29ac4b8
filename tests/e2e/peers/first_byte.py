"""first_byte.py PORT NAME ROUNDS ADDRESS...: how long a server's first byte takes after the last of a ClientHello was sent, in
microseconds: {address: {segments of the hello: [median, 99th percentile]}}. The addresses take turns, so that what disturbs
one disturbs all."""

import collections
import json
import socket
import ssl
import statistics
import sys
import time

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
port, name, rounds, addresses = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]


def client_hello():
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def first_byte_us(address, segments):
    hello = client_hello()
    size = -(-len(hello) // segments)
    with socket.create_connection((address, port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(hello), size):
            connection.sendall(hello[start:start + size])
        sent = time.perf_counter()
        if not connection.recv(1):
            raise OSError("closed")
        return (time.perf_counter() - sent) * 1e6


taken = collections.defaultdict(lambda: collections.defaultdict(list))
for _ in range(rounds):
    for segments in (1, 2):
        for address in addresses:
            taken[address][segments].append(first_byte_us(address, segments))
print(json.dumps({address: {segments: [round(statistics.median(times)), round(statistics.quantiles(times, n=100)[98])]
                            for segments, times in by_segments.items()} for address, by_segments in taken.items()}))

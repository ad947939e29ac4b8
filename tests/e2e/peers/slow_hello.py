"""slow_hello.py ADDRESS PORT NAME AUTHORITIES SIZE: a TLS handshake whose ClientHello leaves in segments of SIZE bytes.
Prints "done" or what went wrong."""

import socket
import ssl
import sys
import time

address, port, name, authorities, size = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
context = ssl.create_default_context(cafile=authorities)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
try:
    with socket.create_connection((address, port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(20):
            try:
                tls.do_handshake()
                print("done")
                break
            except ssl.SSLWantReadError:
                hello = outgoing.read()
                for start in range(0, len(hello), size):
                    connection.sendall(hello[start:start + size])
                    time.sleep(0.002)
                if not (answer := connection.recv(65536)):
                    print("closed")
                    break
                incoming.write(answer)
except OSError as error:
    print(type(error).__name__)

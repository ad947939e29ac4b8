"""ask_udp.py ADDRESS PORT TEXT [OWN]: sends a datagram, up to three times, prints the answer or the name of the socket's error."""

import errno
import socket
import sys

address, port, text = sys.argv[1], int(sys.argv[2]), sys.argv[3]
client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
answer = "ETIMEDOUT"
try:
    if len(sys.argv) > 4:
        client.bind((sys.argv[4], 0))
    client.connect((address, port))
    for _ in range(3):
        client.send(text.encode())
        try:
            answer = client.recv(65535).decode()
            break
        except socket.timeout:
            pass
except OSError as error:
    answer = errno.errorcode[error.errno]
print(answer)

"""answer_at_end.py PORT LINES: a server that reads until the client has ended its side, and only then answers: how many bytes
it was, and LINES numbers, a line each."""

import socket
import socketserver
import sys


class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        asked = self.rfile.read()
        self.wfile.write(f"{len(asked)} bytes\n".encode() + b"".join(b"%d\n" % number for number in range(int(sys.argv[2]))))


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6  # and IPv4, mapped
    allow_reuse_address = True
    daemon_threads = True


Server(("::", int(sys.argv[1])), Answer).serve_forever()

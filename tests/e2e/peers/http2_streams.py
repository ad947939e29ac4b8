#!/usr/bin/python3
"""http2_streams.py ADDRESS PORT HOST PATH..: asks for the paths on one connection of HTTP/2, each in a stream of its own when the one
before is answered, and prints the status of each; "closed" where the connection ends instead. Debian 12's curl cannot: it fails
with status 16 on the second request of such a connection, whoever the server is."""

import socket
import struct
import sys

HEADERS, SETTINGS = 1, 4
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def status_of(block):
    """Of an indexed 200 (RFC 7541 appendix A), or of a literal whose name is :status."""
    return "200" if block[0] == 0x88 else block[2:5].decode() if block[:2] == b"\x08\x03" else block[:5].hex()


def answer(file, connection, stream):
    status = "closed"
    while len(head := file.read(9)) == 9:
        length, kind, flags, number = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
        payload = file.read(length)
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(frame(SETTINGS, ACK, 0))
        if kind == HEADERS and number == stream:
            status = status_of(payload)
        if number == stream and kind in (0, HEADERS) and flags & END_STREAM:
            break
    return status


address, port, host, *paths = sys.argv[1:]
with socket.create_connection((address, int(port)), timeout=8) as connection, connection.makefile("rb") as file:
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
    for stream, path in enumerate(paths):
        fields = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", host)]
        try:
            connection.sendall(frame(HEADERS, END_STREAM | END_HEADERS, 2 * stream + 1, b"".join(literal(*field) for field in fields)))
            print(answer(file, connection, 2 * stream + 1))
        except ConnectionError:
            print("closed")

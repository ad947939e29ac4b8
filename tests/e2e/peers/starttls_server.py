"""A mail server as far as STARTTLS, on all addresses: starttls_server.py PORT CERTIFICATE KEY. Says "hello" over TLS."""

import socket
import ssl
import sys
import threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])


def serve(connection):
    with connection:
        connection.sendall(b"220 mail.example.com ESMTP\r\n")
        lines = connection.makefile("rb")
        for line in lines:
            if line.upper().startswith(b"STARTTLS"):
                connection.sendall(b"220 go ahead\r\n")
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.sendall(b"250 hello\r\n")
                    secure.recv(100)
                return
            connection.sendall(b"250-mail.example.com\r\n250 STARTTLS\r\n" if line.upper().startswith(b"EHLO") else b"250 ok\r\n")


def guarded(connection):
    try:
        serve(connection)
    except OSError as error:
        print(error, flush=True)


listener = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    threading.Thread(target=guarded, args=(listener.accept()[0],), daemon=True).start()

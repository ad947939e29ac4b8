"""echo_server.py PORT [--tls CERTIFICATE] ADDRESS..: answers every line (TCP) and every datagram (UDP) with "ADDRESS PORT what was sent",
datagrams at each of the addresses; with a certificate and its key in one file, lines over TLS alone."""

import asyncio
import resource
import ssl
import sys


async def answer_lines(reader, writer):
    address, port = writer.get_extra_info("peername")[:2]
    try:
        while line := await reader.readline():
            writer.write(f"{address} {port} ".encode() + line)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(f"{address[0]} {address[1]} ".encode() + data, address)


async def main():
    port = int(sys.argv[1])
    if sys.argv[2:3] == ["--tls"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[3])
        await asyncio.start_server(answer_lines, ["0.0.0.0"], port, backlog=4096, ssl=context)
        await asyncio.Event().wait()
    loop = asyncio.get_running_loop()
    await asyncio.start_server(answer_lines, ["0.0.0.0", "::"], port, backlog=4096)
    for address in sys.argv[2:]:  # a socket each: the answer has to leave from where the question arrived
        await loop.create_datagram_endpoint(Datagrams, local_addr=(address, port))
    await asyncio.Event().wait()


resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
asyncio.run(main())

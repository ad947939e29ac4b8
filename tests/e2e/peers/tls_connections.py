"""tls_connections.py ADDRESS PORT NAME AUTHORITY COUNT ROUNDS: as many_connections.py, each a TLS connection to NAME that says a
line a second. Prints "opened" and how many, when they are; at the end one JSON object."""

import asyncio
import json
import resource
import ssl
import sys

LIMIT = 20  # seconds for an answer


async def open_one(address, port, name, context, turns):
    async with turns:
        return await asyncio.open_connection(address, port, ssl=context, server_hostname=name)


async def ask(index, connection, rounds):
    reader, writer = connection
    ports = set()
    for turn in range(rounds):
        token = f"{index}-{turn}"
        writer.write(f"{token}\n".encode())
        await writer.drain()
        _, port, echoed = (await asyncio.wait_for(reader.readline(), LIMIT)).decode().split()
        ports.add(port)
        if echoed != token or len(ports) != 1:
            raise ValueError(f"sent {token}, got {echoed} for ports {ports}")
        await asyncio.sleep(1)


async def main():
    address, port, name, authority, count, rounds = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], *map(int, sys.argv[5:7])
    context = ssl.create_default_context(cafile=authority)
    turns = asyncio.Semaphore(50)
    opened = await asyncio.gather(*[open_one(address, port, name, context, turns) for _ in range(count)], return_exceptions=True)
    connections = [one for one in opened if not isinstance(one, BaseException)]
    print("opened", len(connections), flush=True)
    answers = await asyncio.gather(*[ask(i, one, rounds) for i, one in enumerate(connections)], return_exceptions=True)
    errors = [repr(one) for one in [*opened, *answers] if isinstance(one, BaseException)]
    print(json.dumps({"answered": answers.count(None), "errors": errors[:5], "error_count": len(errors)}))
    for _, writer in connections:
        writer.transport.abort()


resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
asyncio.run(main())

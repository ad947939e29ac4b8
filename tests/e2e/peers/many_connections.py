"""many_connections.py ADDRESS PORT COUNT ROUNDS [PAUSE [LIMIT]]: opens COUNT connections at once and keeps all of them open,
then sends a line of its own over each, ROUNDS times, PAUSE seconds apart; no answer within LIMIT seconds is an error. Prints one
JSON object: how many were answered right, who the server says we are, and the first errors."""

import asyncio
import json
import resource
import sys


async def open_one(address, port):
    return await asyncio.open_connection(address, port)


async def ask(index, connection, rounds, pause, limit):
    reader, writer = connection
    seen = None
    for turn in range(rounds):
        token = f"{index}-{turn}"
        writer.write(f"{token}\n".encode())
        await writer.drain()
        source, source_port, echoed = (await asyncio.wait_for(reader.readline(), limit)).decode().split()
        if echoed != token:
            raise ValueError(f"sent {token}, got {echoed}")
        if seen not in (None, (source, int(source_port))):
            raise ValueError(f"was {seen}, is {source}:{source_port}")
        seen = (source, int(source_port))
        await asyncio.sleep(pause if turn + 1 < rounds else 0)
    return seen


async def main():
    address, port, count, rounds = sys.argv[1], *map(int, sys.argv[2:5])
    pause = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    limit = float(sys.argv[6]) if len(sys.argv) > 6 else None
    opened = await asyncio.gather(*[open_one(address, port) for _ in range(count)], return_exceptions=True)
    connections = [one for one in opened if not isinstance(one, BaseException)]
    answers = await asyncio.gather(*[ask(i, one, rounds, pause, limit) for i, one in enumerate(connections)], return_exceptions=True)
    good = [answer for answer in answers if isinstance(answer, tuple)]
    errors = [repr(one) for one in [*opened, *answers] if isinstance(one, BaseException)]
    print(json.dumps({"answered": len(good), "sources": sorted({source for source, _ in good}),
                      "distinct": len(set(good)), "errors": errors[:5], "error_count": len(errors)}))
    for _, writer in connections:
        writer.close()


resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
asyncio.run(main())

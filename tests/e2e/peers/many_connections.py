"""many_connections.py ADDRESS PORT COUNT ROUNDS [PAUSE [LIMIT [OWN..]]]: opens COUNT connections at once, from each OWN address
in turn, and keeps all of them open, then sends a line of its own over each, ROUNDS times, PAUSE seconds apart; no answer within
LIMIT seconds is an error. SIGTERM: the line after this one is the last. Prints one JSON object: how many were answered right, who the server says we are and how often, and
the first errors."""

import asyncio
import collections
import json
import resource
import signal
import sys


async def open_one(address, port, own):
    return await asyncio.open_connection(address, port, local_addr=(own, 0) if own else None)


ended = []  # told to come to an end


async def ask(index, connection, rounds, pause, limit):
    reader, writer = connection
    seen = None
    for turn in range(rounds):
        if ended:
            break
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
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.append, True)
    address, port, count, rounds = sys.argv[1], *map(int, sys.argv[2:5])
    pause = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    limit = float(sys.argv[6]) if len(sys.argv) > 6 else None
    own = sys.argv[7:] or [None]
    opened = await asyncio.gather(*[open_one(address, port, own[i % len(own)]) for i in range(count)], return_exceptions=True)
    connections = [one for one in opened if not isinstance(one, BaseException)]
    answers = await asyncio.gather(*[ask(i, one, rounds, pause, limit) for i, one in enumerate(connections)], return_exceptions=True)
    good = [answer for answer in answers if isinstance(answer, tuple)]
    errors = [repr(one) for one in [*opened, *answers] if isinstance(one, BaseException)]
    print(json.dumps({"answered": len(good), "sources": sorted({source for source, _ in good}),
                      "by_source": collections.Counter(source for source, _ in good),
                      "distinct": len(set(good)), "errors": errors[:5], "error_count": len(errors)}))
    for _, writer in connections:
        writer.close()


resource.setrlimit(resource.RLIMIT_NOFILE, (16384, 16384))
asyncio.run(main())

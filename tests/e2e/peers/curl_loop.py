"""curl_loop.py ADDRESS AUTHORITIES: one curl after the other until SIGTERM. Prints how many were good, and the first errors."""

import json
import signal
import subprocess
import sys
import time

address, authorities = sys.argv[1:3]
shown = f"[{address}]" if ":" in address else address
command = ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", authorities, "--resolve",
           f"httpbin.org:443:{shown}", "https://httpbin.org/"]
going = True


def leave(*_):
    global going
    going = False


signal.signal(signal.SIGTERM, leave)
report = {"good": 0, "errors": []}
end = time.monotonic() + 600
while going and time.monotonic() < end:
    done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    if done.returncode == 0:
        report["good"] += 1
    elif len(report["errors"]) < 5:
        report["errors"].append(f"{done.returncode}: {done.stderr.strip()}")
    time.sleep(0.1)
print(json.dumps(report))

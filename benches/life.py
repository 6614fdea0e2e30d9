#!/usr/bin/env python3
"""Eight hours of a busy daemon in eight minutes: memory and open files have to stay flat.

    cargo build --release
    python3 benches/life.py [--minutes 8] [--renkei target/release/renkei]

Four timers fire every second; each run exports a list and pushes it to the sandbox: as many runs as a timer of every
fifteen seconds makes in eight hours. After a quarter of the time the daemon has warmed up; from then on the medians of
memory (resident) and open files of the second and of the last quarter are compared. Ends with 1 where they differ by
more than 2 %. Talks to this machine alone.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time


# As deploy/renkei.service has it.
AS_DEPLOYED = dict(os.environ, MALLOC_ARENA_MAX="1")


def settings(url):
    lines = ["integrations:"]
    for n in range(4):
        account = url.replace("/acme/", f"/acme{n}/")
        lines.append(
            f'  - {{ name: push{n}, url: "{account}", allow_http: true, headers: {{ X-RS-apitoken: t, Content-Type: "multipart/form-data;" }},'
            f" params: {{ masterId: 0, duplicateKey: 1 }}, limits: {{ requests_per_minute: 1000 }}, report: 0 }}"
        )
    lines.append("menus:")
    lines += [f"  - {{ name: m{n}, source: {{ csv: {{ path: list.csv }} }}, key: [code], integrations: [push{n}] }}" for n in range(4)]
    lines.append("timers:")
    lines += [f'  - {{ name: t{n}, menu: m{n}, integration: push{n}, switch: on, schedule: {{ cron: "* * * * * *" }} }}' for n in range(4)]
    return "\n".join(lines) + "\n"


def look(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        rss = int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))
    return rss / 1024, len(os.listdir(f"/proc/{pid}/fd"))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--minutes", type=float, default=8)
    arguments.add_argument("--renkei", default="target/release/renkei")
    chosen = arguments.parse_args()
    renkei = os.path.abspath(chosen.renkei)
    with tempfile.TemporaryDirectory() as folder:
        sandbox = subprocess.Popen(
            [renkei, "sandbox", "--listen", "127.0.0.1:0", "--token", "t", "--requests-per-minute", "1000"],
            cwd=folder, stdout=subprocess.PIPE, text=True,
        )
        daemon = None
        try:
            url = None
            while url is None:
                found = re.search(r"http://127\.0\.0\.1:\d+/\S*csvimport", sandbox.stdout.readline())
                url = found.group(0) if found else None
            os.makedirs(os.path.join(folder, "data"), mode=0o700)
            rows = "code,name\n" + "".join(f"{n:05},名前\n" for n in range(300))
            for name, body in [("settings.yaml", settings(url)), ("list.csv", rows), ("config.yaml", "data_dir: ./data\nlanes: per-account\n")]:
                with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                    out.write(body)
            os.utime(os.path.join(folder, "list.csv"), (time.time() - 3600,) * 2)
            subprocess.run([renkei, "--config", "config.yaml", "apply", "settings.yaml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            daemon = subprocess.Popen([renkei, "--config", "config.yaml", "serve"], cwd=folder, stdout=subprocess.DEVNULL, env=AS_DEPLOYED)
            end = time.time() + chosen.minutes * 60
            samples = []
            while time.time() < end:
                time.sleep(2)
                samples.append(look(daemon.pid))
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(60) == 0
            today = subprocess.run([renkei, "--config", "config.yaml", "today", "--json"], cwd=folder, stdout=subprocess.PIPE, text=True).stdout
        finally:
            if daemon is not None and daemon.poll() is None:
                daemon.kill()
            sandbox.terminate()
            sandbox.wait(30)
    quarter = len(samples) // 4
    medians = [[statistics.median(one) for one in zip(*part)] for part in (samples[quarter : 2 * quarter], samples[-quarter:])]
    (memory, files), (memory_end, files_end) = medians
    result = {
        "bench": "life", "minutes": chosen.minutes, "memory_mib": [round(memory, 1), round(memory_end, 1)],
        "open_files": [files, files_end], "tally": json.loads(today).get("line"),
    }
    print(json.dumps(result, ensure_ascii=False))
    flat = abs(memory_end - memory) <= memory * 0.02 and abs(files_end - files) <= files * 0.02
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())

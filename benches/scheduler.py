#!/usr/bin/env python3
"""The engine's figures, with APScheduler (PyPI) beside them where it does the same.

    cargo build --release
    pip install APScheduler
    python3 benches/scheduler.py [--renkei target/release/renkei] [--only planning,lateness,cycle,history,idle,slots]

planning, lateness, cycle and history run in `cargo bench --bench engine`, over real SQLite files with synchronous=FULL;
APScheduler keeps its jobs in memory. idle and slots run the real binary, the latter against its sandbox: five minutes.
Everything talks to this machine alone, ends by itself, and is removed. The table goes into benches/README.md.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone


# As deploy/renkei.service has it.
AS_DEPLOYED = dict(os.environ, MALLOC_ARENA_MAX="1")


def quantiles(times):
    times = sorted(times)
    at = lambda share: round(times[round((len(times) - 1) * share)], 1)
    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)}


def apscheduler(jobs, spread):
    """Jobs in memory, each noting when it runs: spread over so many seconds, or all in one."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    late = []
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(10)}, job_defaults={"misfire_grace_time": None}, timezone=timezone.utc
    )
    first = (datetime.now(timezone.utc) + timedelta(seconds=8)).replace(microsecond=0)

    def note(slot):
        late.append((time.time() - slot) * 1000)

    for n in range(jobs):
        slot = first + timedelta(seconds=n % spread if spread else 0)
        scheduler.add_job(note, "date", run_date=slot, args=[slot.timestamp()])
    scheduler.start()
    deadline = first.timestamp() + spread + 60
    while len(late) < jobs and time.time() < deadline:
        time.sleep(0.2)
    scheduler.shutdown(wait=False)
    return quantiles(late) | {"jobs": jobs, "lost": jobs - len(late)}


def engine(names):
    command = ["cargo", "bench", "--bench", "engine", "--", *names]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def settings(url, menus, schedule, rows):
    lines = [
        "integrations:",
        f'  - {{ name: push, url: "{url}", allow_http: true, headers: {{ X-RS-apitoken: t, Content-Type: "multipart/form-data;" }},',
        "      params: { masterId: 0, duplicateKey: 1 }, limits: { file_lines: 11 } }",
        "menus:",
    ]
    lines += [f"  - {{ name: m{n}, source: {{ csv: {{ path: list.csv }} }}, key: [code], integrations: [push] }}" for n in range(menus)]
    lines.append("timers:")
    lines += [f"  - {{ name: t{n}, menu: m{n}, integration: push, switch: on, schedule: {schedule} }}" for n in range(menus)]
    header = "code,name\n"
    return "\n".join(lines) + "\n", header + "".join(f"{n:05},x\n" for n in range(rows))


def house(folder, renkei, *files):
    (text, rows) = files
    os.makedirs(os.path.join(folder, "data"), mode=0o700)
    for name, body in [("settings.yaml", text), ("list.csv", rows), ("config.yaml", "data_dir: ./data\n")]:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(body)
    os.utime(os.path.join(folder, "list.csv"), (time.time() - 3600,) * 2)
    subprocess.run([renkei, "--config", "config.yaml", "apply", "settings.yaml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def cpu_and_memory(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        rss = int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))
    return ticks / os.sysconf("SC_CLK_TCK"), rss / 1024


def idle(renkei, seconds=60):
    """A daemon with a thousand timers that all wait for another hour."""
    hour = (datetime.now().hour + 12) % 24
    with tempfile.TemporaryDirectory() as folder:
        house(folder, renkei, *settings("http://127.0.0.1:9/acme/api/v1/csvimport", 1000, f'{{ daily: "{hour:02}:30" }}', 5))
        daemon = subprocess.Popen([renkei, "--config", "config.yaml", "serve"], cwd=folder, stdout=subprocess.DEVNULL, env=AS_DEPLOYED)
        try:
            time.sleep(70)  # past the first look at the ledger
            before, _ = cpu_and_memory(daemon.pid)
            time.sleep(seconds)
            after, memory = cpu_and_memory(daemon.pid)
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
    return {"bench": "idle", "timers": 1000, "memory_mib": round(memory, 1), "core_percent": round((after - before) / seconds * 100, 2)}


def slots(renkei):
    """A hundred files of one run through an account of twenty requests a minute."""
    with tempfile.TemporaryDirectory() as folder:
        sandbox = subprocess.Popen([renkei, "sandbox", "--listen", "127.0.0.1:0", "--token", "t"], cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            url = None
            while url is None:
                found = re.search(r"http://127\.0\.0\.1:\d+/\S*csvimport", sandbox.stdout.readline())
                url = found.group(0) if found else None
            house(folder, renkei, *settings(url, 1, '{ daily: "06:00" }', 1000))
            command = [renkei, "--config", "config.yaml", "run", "start", "m0", "--wait", "--json"]
            run = json.loads(subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True, text=True).stdout)
        finally:
            sandbox.terminate()
            sandbox.wait(30)
    took = datetime.fromisoformat(run["finished_at"]) - datetime.fromisoformat(run["started_at"])
    assert len(run["batches"]) == 100 and run["state"] == "accepted", run["state"]
    # Twenty at once, then twenty each sixty seconds after: 240 s at the very least.
    return {"bench": "slots", "files": 100, "seconds": round(took.total_seconds(), 1), "used_percent": round(240 / took.total_seconds() * 100, 1)}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--renkei", default="target/release/renkei")
    arguments.add_argument("--only", default="planning,lateness,cycle,history,idle,slots")
    chosen = arguments.parse_args()
    renkei, only = os.path.abspath(chosen.renkei), chosen.only.split(",")
    results = engine([name for name in only if name not in ("idle", "slots")]) if set(only) - {"idle", "slots"} else []
    if "planning" in only:
        for jobs in (1_000, 10_000):
            results.append({"bench": "planning", "peer": "APScheduler"} | apscheduler(jobs, 0))
    if "lateness" in only:
        results.append({"bench": "lateness", "peer": "APScheduler"} | apscheduler(1_000, 60))
    if "idle" in only:
        results.append(idle(renkei))
    if "slots" in only:
        results.append(slots(renkei))
    for result in results:
        print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())

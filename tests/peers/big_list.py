#!/usr/bin/env python3
"""120,000 employees through `renkei serve` by a timer, held against Python's csv and glibc's iconv, byte for byte.

Usage: tests/peers/big_list.py [RENKEI]     (default: target/release/renkei)

Prints the files, whether their bytes agree, and the daemon's peak memory (VmHWM); ends with 1 where one is wrong.
"""
import csv, datetime, hashlib, io, json, os, pathlib, signal, subprocess, sys, tempfile, time

ROWS = 120_000
MOST_KIB = 64 * 1024
HEADER = ["社員コード", "社員名", "フリガナ", "部門コード", "備考"]
# What Shift_JIS has twice or not at all is folded as documented; iconv folds the single letters itself, so the oracle
# is given が for か + combining mark.
NOTES = ["", "①〜−", 'said "yes", then left', "two\nlines", "a,b", "ﾊﾝｶｸ", "か\u3099", "髙島屋 﨑"]


def rows():
    for n in range(ROWS):
        yield [f"{n:07}", ["髙橋", "山﨑", "佐藤", "鈴木"][n % 4] + " 一郎", "ﾀﾛｳ", f"{n % 97:04}", NOTES[n % len(NOTES)]]


def main():
    renkei = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/renkei")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        out = pathlib.Path("out")
        sandbox = subprocess.Popen([renkei, "sandbox", "--listen", "127.0.0.1:0", "--token", "t", "--out", "out"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            url = next(line.split()[1] for line in sandbox.stdout if line.strip().startswith("url:"))
            return carry(renkei, url, out)
        finally:
            sandbox.send_signal(signal.SIGINT)
            sandbox.wait()


def carry(renkei, url, out):
    with open("list.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows())
    os.utime("list.csv", (time.time() - 600,) * 2)
    slot = (datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))) + datetime.timedelta(seconds=4))
    settings = {
        "integrations": [{"name": "push", "url": url, "allow_http": True,
                          "headers": {"X-RS-apitoken": "t", "Content-Type": "multipart/form-data;"},
                          "params": {"masterId": 0, "duplicateKey": 1}}],
        "menus": [{"name": "list", "source": {"csv": {"path": "list.csv"}}, "key": ["社員コード"],
                   "integrations": ["push"]}],
        "timers": [{"name": "once", "menu": "list", "integration": "push", "switch": "on",
                    "schedule": {"once": slot.strftime("%Y-%m-%dT%H:%M:%S")}}],
    }
    pathlib.Path("settings.yaml").write_text(json.dumps(settings, ensure_ascii=False))
    daemon = subprocess.Popen([renkei, "serve", "--apply", "settings.yaml"], stdout=subprocess.DEVNULL)
    try:
        run = wait(renkei)
        peak = int(next(line.split()[1] for line in open(f"/proc/{daemon.pid}/status") if line.startswith("VmHWM")))
    finally:
        daemon.terminate()
        daemon.wait()
    print(f"run {run['id']}: {run['state']}, {run['records']} records, peak memory of the daemon {peak / 1024:.1f} MiB")
    good = run["state"] == "accepted" and peak < MOST_KIB
    files = sorted(out.glob("*.csv"))
    assert len(files) == len(run["batches"]), "every batch arrived once"
    wanted, at = [[row[:4] + [row[4].replace("か\u3099", "が")]] for row in rows()], 0
    for file, batch in zip(files, run["batches"]):
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(HEADER)
        writer.writerows(row for [row] in wanted[at:at + batch["records"]])
        at += batch["records"]
        oracle = subprocess.run(["iconv", "-f", "UTF-8", "-t", "CP932"], input=text.getvalue().encode(),
                                capture_output=True, check=True).stdout
        sent = file.read_bytes()
        same = sent == oracle and hashlib.sha256(sent).hexdigest() == batch["sha256"]
        lines = sent.count(b"\n")
        good &= same and len(sent) <= 5_000_000 and lines <= 50_000
        print(f"  {file.name}: {batch['records']} records, {lines} lines, {len(sent)} bytes: {'same' if same else 'DIFFERENT'}")
    return 0 if good and at == ROWS else 1


def wait(renkei):
    for _ in range(600):
        listed = subprocess.run([renkei, "run", "list", "--json"], capture_output=True, text=True)
        runs = json.loads(listed.stdout or "[]")
        if runs and runs[0]["finished_at"]:
            return runs[0]
        time.sleep(0.2)
    raise SystemExit("the run did not end within two minutes")


if __name__ == "__main__":
    sys.exit(main())

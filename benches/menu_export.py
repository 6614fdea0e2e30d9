#!/usr/bin/env python3
"""`renkei menu export` of a long list, against what people would write in its place.

    cargo build --release
    python3 benches/menu_export.py [--rows 1000000] [--repeats 5] [--renkei target/release/renkei] [--folder DIR]

From a records source and from a CSV file; against `sqlite3 -csv … | iconv -t CP932` on a plain table and against a
Python script with the csv module on the same table and on the same file. All in one run, by turns, so that a busy
machine is unfair to all alike; the table has the medians. What renkei writes must be, byte for byte, what Python
writes. Needs python3, sqlite3, iconv and GNU time; writes about a gigabyte into the folder and removes it.
"""

import argparse
import csv
import hashlib
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

HEADERS = ["社員コード", "社員名", "フリガナ", "部門コード", "部門名", "役職", "メールアドレス", "入社日", "備考"]
# Letters on which Python's cp932 and Windows agree; it writes others (髙, 﨑) by their second place.
FAMILY = ["佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "山本", "中村", "小林", "加藤"]
GIVEN = ["太郎", "花子", "一郎", "美咲", "健太", "陽子", "大輔", "由美"]
KANA = ["サトウ", "スズキ", "タカハシ", "タナカ", "ワタナベ", "イトウ", "ヤマモト", "ナカムラ", "コバヤシ", "カトウ"]
DEPARTMENTS = ["営業推進本部", "総務部", "経理部 第一課", "情報システム部", "人事部"]
POSTS = ["主任", "課長", "部長代理", "", "係長"]

SETTINGS = """
menus:
  - name: bench-records
    source: {{ records: {{}} }}
    key: [社員コード]
  - name: bench-csv
    source: {{ csv: {{ path: "{csv}" }} }}
    key: [社員コード]
"""

PYTHON_TABLE = """
import csv, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("SELECT * FROM employees")
with open(sys.argv[2], "w", encoding="cp932", newline="") as out:
    writer = csv.writer(out)
    writer.writerow([column[0] for column in rows.description])
    writer.writerows(rows)
"""

PYTHON_CSV = """
import csv, sys
with open(sys.argv[1], encoding="utf-8", newline="") as rows, open(sys.argv[2], "w", encoding="cp932", newline="") as out:
    csv.writer(out).writerows(csv.reader(rows))
"""


def rows(count):
    """Always the same rows, about 120 bytes each; one in fifty wants quotes."""
    for n in range(count):
        memo = '東京都千代田区, "本社"\n3階' if n % 50 == 0 else "通勤手当あり"
        yield (
            f"{1_000_000 + n}",
            f"{FAMILY[n % 10]} {GIVEN[n // 7 % 8]}",
            f"{KANA[n % 10]} タロウ",
            f"D{n % 1000:04}",
            DEPARTMENTS[n // 3 % 5],
            POSTS[n // 11 % 5],
            f"employee{n}@example.co.jp",
            f"{1990 + n % 36}/{1 + n % 12:02}/{1 + n % 28:02}",
            memo,
        )


def prepare(folder, count):
    source = os.path.join(folder, "employees.csv")
    with open(source, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADERS)
        writer.writerows(rows(count))
    table = os.path.join(folder, "employees.db")
    with sqlite3.connect(table) as database:
        columns = ", ".join(f'"{header}" TEXT' for header in HEADERS)
        database.execute(f"CREATE TABLE employees ({columns})")
        marks = ", ".join("?" * len(HEADERS))
        database.executemany(f"INSERT INTO employees VALUES ({marks})", rows(count))
    return source, table


def measured(command, note):
    """Wall seconds, CPU seconds and peak memory in MiB of a command with all its children. The memory is told by GNU
    time: a child of this process would inherit its peak."""
    begun = time.monotonic()
    process = subprocess.Popen(["time", "-f", "%M", "-o", note, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    with open(note, encoding="ascii") as file:
        return wall, usage.ru_utime + usage.ru_stime, int(file.read()) / 1024


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--renkei", default="target/release/renkei")
    parser.add_argument("--folder", default=None)
    arguments = parser.parse_args()
    missing = [tool for tool in ["sqlite3", "iconv", "time"] if shutil.which(tool) is None]
    if missing:
        sys.exit(f"needs {', '.join(missing)}")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        compare(arguments, folder)


def compare(arguments, folder):
    source, table = prepare(folder, arguments.rows)
    renkei = [os.path.abspath(arguments.renkei), "--config", os.path.join(folder, "config.yaml")]
    with open(renkei[2], "w", encoding="utf-8") as out:
        out.write(f"database: sqlite://{folder}/renkei.db\ndata_dir: {folder}/data\n")
    settings = os.path.join(folder, "settings.yaml")
    with open(settings, "w", encoding="utf-8") as out:
        out.write(SETTINGS.format(csv=source))
    subprocess.run([*renkei, "apply", settings], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*renkei, "records", "import", "bench-records", source], check=True, stdout=subprocess.DEVNULL)

    def out(name):
        return os.path.join(folder, f"{name}.out")

    shell = f"sqlite3 -csv -header '{table}' 'SELECT * FROM employees' | iconv -f UTF-8 -t CP932 > '{out('shell')}'"
    contenders = {
        "renkei, records": [*renkei, "menu", "export", "bench-records", "--output", out("renkei-records")],
        "sqlite3 -csv \\| iconv -t CP932": ["sh", "-c", shell],
        "Python, SQLite table": [sys.executable, "-c", PYTHON_TABLE, table, out("python-table")],
        "renkei, CSV": [*renkei, "menu", "export", "bench-csv", "--output", out("renkei-csv")],
        "Python, CSV": [sys.executable, "-c", PYTHON_CSV, source, out("python-csv")],
    }
    figures = {name: [] for name in contenders}
    for _ in range(arguments.repeats):
        for name, command in contenders.items():
            figures[name].append(measured(command, out("time")))
    wanted = digest(out("python-csv"))
    for name in ["renkei-records", "renkei-csv", "python-table"]:
        if digest(out(name)) != wanted:
            sys.exit(f"{name} differs from what Python writes")

    medians = {name: [statistics.median(column) for column in zip(*runs)] for name, runs in figures.items()}
    print(f"{arguments.rows:,} rows × {len(HEADERS)} columns, {os.path.getsize(source) / 1e6:.0f} MB of UTF-8, "
          f"medians of {arguments.repeats}\n")
    print("| | wall | CPU | peak memory | wall, as a multiple of renkei's | CPU |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, (wall, cpu, memory) in medians.items():
        base = medians["renkei, CSV" if name.endswith("CSV") else "renkei, records"]
        print(f"| {name} | {wall:.2f} s | {cpu:.2f} s | {memory:.0f} MiB | {wall / base[0]:.1f} | {cpu / base[1]:.1f} |")


if __name__ == "__main__":
    main()

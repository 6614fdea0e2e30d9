#!/usr/bin/env python3
"""Plants each mutation of this folder in a copy of the house and asks the simulator whether it notices.

usage: tests/mutations/run.py [NAME…]

A mutation is a small patch against src/. The copy lies in target/mutations and shares target/ with the house, so that
only the house itself is built again. Each mutation must apply, build, and make the simulator fail; one that survives
makes this script fail. The unmutated copy is tried first and must pass. A mutation of src/domain is looked for in 100 lives
in memory and 3 over SQLite; one of src/store or src/engine, which the books in memory do not see, in 30 over SQLite.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HOUSE = pathlib.Path(__file__).resolve().parents[2]
COPY = HOUSE / "target" / "mutations"
MAIN = """#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod simulator;
mod support {
    pub(crate) const TOKYO: chrono_tz::Tz = chrono_tz::Asia::Tokyo;
}
"""


def copy_house():
    files = subprocess.run(
        ["git", "ls-files", "-z", "Cargo.*", "src", "benches", "migrations", "tests/it/simulator*", "tests/data", "examples",
         "config.example.yaml", "deploy", ".clippy.toml"],
        cwd=HOUSE, check=True, capture_output=True).stdout.decode().split("\0")
    for name in filter(None, files):
        source, target = HOUSE / name, COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # An unchanged file keeps its time, so that it is not built again.
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)
    main = COPY / "tests" / "it" / "main.rs"
    if not main.exists() or main.read_text() != MAIN:
        main.write_text(MAIN)


def simulate(test="simulator", seeds=100):
    """None when all went well, else the first line that says what went wrong."""
    env = dict(os.environ, CARGO_TARGET_DIR=str(HOUSE / "target"), RENKEI_SIM_SHRINK="0", RUST_BACKTRACE="0",
               RENKEI_SIM_SEEDS=str(seeds))
    built = subprocess.run(["cargo", "test", "--locked", "--test", "it", "--no-run"], cwd=COPY, env=env,
                           capture_output=True, text=True)
    if built.returncode:
        raise SystemExit("does not build:\n" + built.stderr[-2000:])
    try:
        run = subprocess.run(["cargo", "test", "--locked", "--test", "it", test, "--", "--nocapture"], cwd=COPY,
                             env=env, capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        return "it never came to an end"
    if run.returncode == 0:
        return None
    text = run.stderr + run.stdout
    found = re.search(r"RENKEI_SIM_SEED=\d+:.*", text) or re.search(r"panicked at [^\n]*\n.*", text)
    return found.group(0).replace("\n", " ") if found else text[-300:]


def main():
    patches = sorted(HOUSE.glob("tests/mutations/*.patch"))
    if sys.argv[1:]:
        patches = [patch for patch in patches if patch.stem in sys.argv[1:]]
    copy_house()
    found = simulate()
    if found:
        raise SystemExit(f"the house itself fails: {found}")
    survivors = []
    for patch in patches:
        began = time.monotonic()
        copy_house()
        applied = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "--silent", "-i", str(patch)], cwd=COPY)
        if applied.returncode:
            raise SystemExit(f"{patch.name} does not apply any more: write it anew")
        pure = "+++ b/src/domain/" in patch.read_text()
        found = simulate() if pure else simulate("the_real_database", 1_000)
        if found is None:
            survivors.append(patch.stem)
        print(f"{patch.stem}: {'SURVIVED' if found is None else found[:150]} [{time.monotonic() - began:.0f} s]", flush=True)
    copy_house()
    print(f"{len(patches) - len(survivors)} of {len(patches)} mutations were caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs libFuzzer on the readers of files, and sorts what it finds.

    readers.py --fuzzer .build-fuzz/debug/Fuzz --program .build/release/admm-mpi --seconds 60 [csv gzip …]

The inputs that reach something new gather in --corpus, and are where the next run begins; inputs that end in a finding
go to --findings. Crashes inside libhdf5, on files that this program did not make, are counted apart.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

import seeds
from commands import BACKTRACE, BREAKDOWN, HDF5, frames, is_inside_hdf5

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The program itself waits for 20 s before it takes libhdf5 to go round for ever.
SECONDS_OF_HDF5 = 40
TARGETS = ["csv", "gzip", "idx", "hdf5", "model", "toml", "decimal"]
# The most bytes of an input.
LENGTHS = {"decimal": 200, "toml": 4096, "csv": 4096, "gzip": 8192, "idx": 1024, "hdf5": 16384, "model": 16384}
SECONDS_AN_INPUT = 10


def seconds_an_input(target):
    return SECONDS_OF_HDF5 if target in HDF5 else SECONDS_AN_INPUT


MEGABYTES = 600


def environment(target, **more):
    return os.environ | seeds.ALONE | {"ADMM_FUZZ_TARGET": target, "HDF5_USE_FILE_LOCKING": "FALSE"} | more


def fuzz(options, target):
    """Runs libFuzzer for a while. Returns its last line of statistics."""
    corpus, found = options.corpus / target, options.findings / target
    for directory in [corpus, found]:
        directory.mkdir(parents=True, exist_ok=True)
    log = options.findings / f"{target}.log"
    arguments = [
        f"-fork={options.jobs}", "-ignore_crashes=1", "-ignore_ooms=1", "-ignore_timeouts=1",
        f"-max_total_time={options.seconds}", f"-timeout={seconds_an_input(target)}", f"-rss_limit_mb={MEGABYTES}",
        f"-max_len={LENGTHS[target]}", f"-artifact_prefix={found}/",
        f"-dict={options.corpus / f'{target}.dict'}", str(corpus)]
    regressions = ROOT / "Tests/FuzzTests/Corpus" / target
    if regressions.is_dir():
        arguments.append(str(regressions))
    # libFuzzer leaves signals alone that somebody else handles.
    with open(log, "wb") as output:
        subprocess.run(
            [options.fuzzer] + arguments, env=environment(target, SWIFT_BACKTRACE="enable=no"),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=options.seconds * 2 + 300)
    lines = [line for line in log.read_text(errors="replace").splitlines() if re.match(r"#\d+: cov:", line)]
    return lines[-1] if lines else "no statistics: see " + str(log)


def triage(options, target, artifact):
    """What an input does by itself: (what, whether it is libhdf5's own)."""
    arguments = [f"-handle_{name}=0" for name in ["segv", "abrt", "ill", "fpe", "bus"]]
    arguments += [f"-rss_limit_mb={MEGABYTES}", str(artifact)]
    try:
        run = subprocess.run(
            [options.fuzzer] + arguments, capture_output=True, stdin=subprocess.DEVNULL,
            env=environment(target, SWIFT_BACKTRACE=BACKTRACE), timeout=2 * seconds_an_input(target))
        errors = run.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return "takes too long", target in HDF5
    if run.returncode == 0:
        return None, False
    if BREAKDOWN in errors:
        return BREAKDOWN, True
    stack = " < ".join(f"{library}:{name}" for library, name in frames(errors)[:3])
    line = re.search(r"Fatal error[^\n]{0,200}|ERROR: libFuzzer[^\n]*|failed to allocate[^\n]*", errors)
    # One finding for all names and numbers in it.
    what = re.sub(r"[\"'].*?[\"']|\S*/\S+|\d+", "…", line[0][:160]) if line else f"status {run.returncode}"
    return f"{what} {stack}", target in HDF5 and is_inside_hdf5(errors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", default=TARGETS)
    parser.add_argument("--fuzzer", type=os.path.abspath, required=True)
    parser.add_argument("--program", type=os.path.abspath, required=True, help="trains the models to start from")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--corpus", type=pathlib.Path, default=ROOT / ".build-fuzz/corpus")
    parser.add_argument("--findings", type=pathlib.Path, default=ROOT / ".build-fuzz/findings")
    options = parser.parse_args()
    subprocess.run(
        [sys.executable, str(ROOT / "Fuzz/seeds.py"), str(options.corpus), "--program", options.program], check=True)

    total = 0
    for target in options.targets:
        print(f"{target}: {options.seconds} s", flush=True)
        begun = time.time()
        print("  " + fuzz(options, target))
        own = {}
        foreign = (options.findings / f"{target}.log").read_text(errors="replace").count(BREAKDOWN)
        for artifact in sorted((options.findings / target).iterdir(), key=lambda path: path.stat().st_size):
            if artifact.stat().st_mtime < begun - 1:
                continue
            what, is_foreign = triage(options, target, artifact)
            if is_foreign:
                foreign += 1
            elif what:
                own.setdefault(what, []).append(artifact)
        if target in HDF5:
            print(f"  libhdf5's own crashes: {foreign}")
        print(f"  findings: {len(own)}")
        for what, artifacts in own.items():
            print(f"    {len(artifacts)} × {what}\n      {artifacts[0]}")
        total += len(own)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()

"""Times one iteration of Algorithm 1 on made-up data of HIGGS's shape, 28-300-1, for several numbers of ranks.

    .venv/bin/python Benchmarks/iteration.py [--ranks 1 2] [--samples 400000] [--iterations 20]

`make bench` does this. For each number of ranks it prints the seconds an iteration, the useful GFLOP/s of a rank, what share that
is of the machine's matrix products alone (measured by the program at its start), and the parallel efficiency. The fingerprint of the
weights must be the same in every row.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

CONFIGURATION = """
[data]
train = "samples.h5"
[network]
hidden = [300]
loss = "hinge"
[training]
iterations = {iterations}
[taylor]
preset = "paper"
[output]
evaluate_every = 1000000
"""


def write_samples(path, count):
    random = np.random.default_rng(2016)
    with h5py.File(path, "w") as file:
        features = random.standard_normal((count, 28), dtype=np.float32)
        file["features"] = features
        file["labels"] = (features[:, 0] * features[:, 1] + features[:, 2] > 0).astype(np.int32)


def main():
    cores = len(os.sched_getaffinity(0))
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ranks", type=int, nargs="+", default=[n for n in (1, 2, 4, 8, 16, 32, 64) if n <= cores])
    arguments.add_argument("--samples", type=int, default=400_000)
    arguments.add_argument("--iterations", type=int, default=20)
    options = arguments.parse_args()
    program = Path(__file__).resolve().parent.parent / ".build/release/admm-mpi"

    with tempfile.TemporaryDirectory() as directory:
        write_samples(f"{directory}/samples.h5", options.samples)
        Path(directory, "bench.toml").write_text(CONFIGURATION.format(iterations=options.iterations))
        print(f"28-300-1, {options.samples:,} samples, {options.iterations} iterations")
        print("ranks  s/iteration  GFLOP/s a rank  of sgemm  efficiency  weights")
        base = None
        for ranks in options.ranks:
            command = [os.environ.get("MPIRUN", "mpirun"), "-n", str(ranks), program, "bench.toml", "--output", f"run-{ranks}"]
            job = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if job.returncode != 0:
                sys.exit(f"{job.stdout}{job.stderr}status {job.returncode}")
            run = json.loads(Path(directory, f"run-{ranks}/run.json").read_text())
            seconds, speed = run["seconds"]["per_iteration"], run["gflops_per_rank"]
            base = base or seconds * ranks
            print(
                f"{ranks:5}  {seconds:11.4f}  {speed:14.1f}  {speed / run['sgemm_gflops_per_rank']:8.0%}"
                f"  {base / (seconds * ranks):10.0%}  {run['weights_sha256'][:12]}",
                flush=True,
            )


if __name__ == "__main__":
    main()

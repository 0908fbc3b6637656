"""What the rivals of `bench.py` share: their start values, and how they are told to iterate.

A rival is a process that makes its start values, says what it is, and waits: `bench.py` sends it the number of iterations to time.
"""

import json
import os
import sys
import time

import numpy as np


# That this process may use: of more than two the first two, like the program's two ranks.
CORES = sorted(os.sched_getaffinity(0))[:2]


def arguments():
    """Widths and samples from a command line such as `28-300-1 1000000`."""
    return [int(width) for width in sys.argv[1].split("-")], int(sys.argv[2])


def start_values(widths, samples):
    """Standard normal features; ±1 targets of a random linear teacher; the paper's Gaussian start of every a_l and z_l.

    Returns a_0, y, [a_1 …], [z_1 …] in single precision, a sample a column. After 50,000 samples the numbers repeat: they don't
    matter for the time, and a million samples of new ones take longer than an iteration.
    """
    random = np.random.default_rng(2016)

    def normal(rows, columns):
        some = random.standard_normal((rows, min(columns, 50_000)), dtype=np.float32)
        return np.ascontiguousarray(np.tile(some, -(-columns // some.shape[1]))[:, :columns])

    a0 = normal(widths[0], samples)
    scores = normal(widths[-1], widths[0]) @ a0
    if widths[-1] == 1:
        y = np.where(scores > 0, 1, -1).astype(np.float32)
    else:
        y = np.where(scores == scores.max(axis=0), 1, -1).astype(np.float32)
    a = [normal(width, samples) for width in widths[1:-1]]
    z = [normal(width, samples) for width in widths[1:]]
    return a0, y, a, z


def serve(versions, sweep):
    """Says on standard output what runs here, then answers each line, a number of iterations, with their seconds."""
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            sweep()
            seconds.append(time.perf_counter() - start)
        print(json.dumps(seconds), flush=True)

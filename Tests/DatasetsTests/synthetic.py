"""Synthetic samples, made anew from their definition: python3 synthetic.py INPUT.json OUTPUT.json

Input: seed, stream (2 for training samples, 3 for test samples), features, scores, noise, and the samples' numbers.
Output: `features`, a row a sample; `scores` with noise and `clean` ones without, a row a sample.
"""

import json
import sys

import numpy as np

PAIRS, TRIALS = 16, 16384
MASK = np.uint64(0xFFFFFFFF)


def words(seed, stream, i, j):
    """Philox 4x32-10 (Salmon et al. 2011) at the counters (j, i, stream): four arrays of 32-bit words in 64 bits."""
    i, j = np.broadcast_arrays(np.asarray(i, np.uint64), np.asarray(j, np.uint64))
    half = np.uint64(32)
    x = [j & MASK, j >> half, i & MASK, np.full(j.shape, 0x73796E00 + stream, np.uint64)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
        x = [(b >> half) ^ x[1] ^ np.uint64(key[0]), b & MASK, (a >> half) ^ x[3] ^ np.uint64(key[1]), a & MASK]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return x


def normals(seed, stream, i, j):
    """Two normal deviates for each counter, by Box and Muller."""
    x = words(seed, stream, i, j)
    u, v = [((x[k] << np.uint64(32) | x[k + 1]) >> np.uint64(11)).astype(float) * 2.0**-53 for k in (0, 2)]
    radius = np.sqrt(-2 * np.log(1 - u))
    return radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)


def pairs(seed, stream, first, count, numbers):
    """A column for each of `count` deviates, a row for each sample: pairs from row `first` of the counters on."""
    rows = first + np.arange((count + 1) // 2)
    both = normals(seed, stream, rows[None, :], np.asarray(numbers)[:, None])
    return np.stack(both, axis=2).reshape(len(numbers), -1)[:, :count]


def samples(seed, stream, d, K, numbers):
    """Features in single precision, and noises."""
    x = pairs(seed, stream, 0, d, numbers).astype(np.float32).astype(float)
    return x, pairs(seed, stream, (d + 1) // 2, K, numbers)


def main():
    q = json.load(open(sys.argv[1]))
    seed, d, K, noise = q["seed"], q["features"], q["scores"], q["noise"]
    drawn = normals(seed, 0, np.arange(PAIRS)[:, None], np.arange(d + K)[None, :])[0]
    U, V = drawn[:, :d], drawn[:, d:]

    trials, e = samples(seed, 1, d, K, range(TRIALS))
    deviation = (np.abs(trials @ U.T) @ V).std(axis=0)

    def score(x):
        u = x @ U.T
        return 0.5 * (u @ V) / np.linalg.norm(U.T @ V, axis=0) + np.sqrt(0.75) * (np.abs(u) @ V) / deviation

    median = np.median(score(trials) + noise * e, axis=0)
    x, e = samples(seed, q["stream"], d, K, q["numbers"])
    clean = score(x) - median
    answer = {"features": x.tolist(), "scores": (clean + noise * e).tolist(), "clean": clean.tolist()}
    json.dump(answer, open(sys.argv[2], "w"))


main()

#!/usr/bin/env python3
"""Flips single bits of whole files, and looks whether the program takes one for sound and makes something else of it.

    damage.py --program .build/release/admm-mpi [--flips 500] [--seed 1]

Of each flip the program's answer must be a refusal (status 65, and a message that names the file) or the same result as
from the whole file. That holds for what has checksums: gzip files, models, and what `convert` and `predict` make. HDF5
files of others have none: there other numbers and breakdowns of libhdf5 are counted, not held against the program, but
statuses and messages are.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import multiprocessing
import os
import random
import sys

import commands
import seeds
from commands import BREAKDOWN, Case


def cases(all_seeds, runs):
    """What is damaged, by name: (a sound case, the file that is the result, whether there is a checksum)."""
    texts, packed = all_seeds["csv"][0], all_seeds["gzip"][0]
    text, model = texts["classes"], all_seeds["model"][0]["classes"]
    data = "\n".join(f"{i},{i * i % 7},{i % 5}" for i in range(40)).encode()
    bare = ["--label-column", "none", "--quiet"]
    convert = runs.run(Case("convert", ["convert", "a.csv", "out.h5", "--quiet"], {"a.csv": text}, "a.csv", []), 1)
    return {
        "a gzipped text": (Case("convert", ["convert", "a.csv.gz", "out.h5", "--quiet"],
                                {"a.csv.gz": seeds.compressed(texts["long"])}, "a.csv.gz", []), "out.h5", True),
        "a gzipped IDX file": (Case("convert", ["convert", "a-images-idx3-ubyte.gz", "out.h5"] + bare,
                                    {"a-images-idx3-ubyte.gz": packed["idx-uint8-3"]}, "a-images-idx3-ubyte.gz", []),
                               "out.h5", True),
        "a model": (Case("predict", ["predict", "model.h5", "a.csv", "--output", "out.csv"] + bare,
                         {"model.h5": model, "a.csv": data}, "model.h5", []), "out.csv", True),
        "converted samples": (Case("convert", ["convert", "a.h5", "out.h5", "--quiet"],
                                   {"a.h5": convert.left["out.h5"]}, "a.h5", []), "out.h5", True),
        "samples of h5py": (Case("convert", ["convert", "a.h5", "out.h5", "--quiet"],
                                 {"a.h5": all_seeds["hdf5"][0]["features-f8"]}, "a.h5", []), "out.h5", False),
    }


def flip(number):
    """What comes of one flip: "refused", "same", "other", or what is wrong."""
    name, flips, seed = task
    case, result, _ = known[name]
    data = bytearray(case.files[case.mutated])
    bit = random.Random(f"{seed}-{name}-{number}").randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    outcome = commands.runs.run(dataclasses.replace(case, files=case.files | {case.mutated: bytes(data)}), 1)
    place = f"bit {bit % 8} of byte {bit // 8}"
    if BREAKDOWN in outcome.errors:
        return "libhdf5 breaks down", place
    if outcome.status == 65:
        return ("refused" if case.mutated in outcome.errors else "refused without the file's name"), place
    if outcome.status != 0:
        return f"status {outcome.status}", place
    return ("same" if outcome.left.get(result) == wholes[name] else "other"), place


def begin(arguments, *what):
    global known, wholes, task
    if commands.runs is None:
        commands.begin(*arguments)
    known, wholes, task = what


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, type=os.path.abspath)
    parser.add_argument("--flips", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    all_seeds = seeds.all_seeds(options.program)
    arguments = (options.program, options.seed, 0, None, all_seeds)
    commands.begin(*arguments)
    known = cases(all_seeds, commands.runs)
    wholes = {name: commands.runs.run(case, 1).left.get(result) for name, (case, result, _) in known.items()}
    is_bad = False
    for name, (case, _, has_checksum) in known.items():
        assert wholes[name] is not None, f"{name}: the whole file gives no result"
        with concurrent.futures.ProcessPoolExecutor(
            options.jobs, mp_context=multiprocessing.get_context("spawn"), initializer=begin,
            initargs=(arguments, known, wholes, (name, options.flips, options.seed))) as pool:
            found = list(pool.map(flip, range(options.flips), chunksize=10))
        counts = collections.Counter(what for what, _ in found)
        print(f"{name}: {', '.join(f'{count} {what}' for what, count in counts.most_common())}", flush=True)
        allowed = {"refused", "same"} | (set() if has_checksum else {"other", "libhdf5 breaks down"})
        for what, place in found:
            if what not in allowed:
                is_bad = True
                print(f"  {place} of {case.mutated}: {what}")
    commands.runs.close()
    sys.exit(1 if is_bad else 0)


if __name__ == "__main__":
    main()

"""One set of defaults on many data sets: ten seeds each of method `accelerated`, unchanged, beside the linear model.

    python defaults.py [--higgs TRAIN.csv.gz TEST.csv.gz] [--seeds 10] [--only digits …]

HIGGS (28-300-1, logistic), Fashion-MNIST (784-256-10, softmax), scikit-learn's digits (64-64-10, softmax), and two regressions (10-64-1,
square): scikit-learn's diabetes, 442 patients whose progression is nearly linear in the features, and Friedman's first function
with noise, 2,000 samples. A quarter of each scikit-learn set is the test set, the same for all seeds. Prints a Markdown table; ends with status 1
if a run diverged or did not beat its linear model.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, load_digits, make_friedman1
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent


def main():
    options = arguments()
    rows, failures = [], 0
    with tempfile.TemporaryDirectory() as name:
        for case, (data, network) in cases(options, Path(name)).items():
            if options.only and case not in options.only:
                continue
            runs = [run(options, Path(name), data, network, seed) for seed in range(1, options.seeds + 1)]
            is_regression = "task" in data
            key = "test_rmse" if is_regression else "test_accuracy"
            scale, words = (1, "{:.3f}") if is_regression else (100, "{:.2f}")
            linear = scale * runs[0]["baselines"]["linear"][key]
            values = [scale * one["final"][key] for one in runs]
            beaten = sum(value < linear if is_regression else value > linear for value in values)
            diverged = sum(one["status"] == "diverged" for one in runs)
            undone = sum("undone" in note for one in runs for note in one["notes"])
            failures += diverged + len(runs) - beaten
            cells = [case, "RMSE" if is_regression else "accuracy %", words.format(linear)]
            cells += [words.format(statistics.mean(values)), words.format(statistics.stdev(values))]
            cells += [words.format(min(values)), words.format(max(values)), f"{beaten} of {len(runs)}", str(diverged), str(undone)]
            rows.append("| " + " | ".join(cells) + " |")
            print(rows[-1], file=sys.stderr, flush=True)
    print("| data | test | linear model | mean | deviation | least | most | beats it | diverged | steps undone |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    print("\n".join(rows))
    sys.exit(1 if failures else 0)


def cases(options, folder):
    found = {}
    if options.higgs:
        found["HIGGS sample"] = (files(*(Path(path).resolve() for path in options.higgs)), net([300], "logistic"))
    directory = Path(options.directory)
    if directory.exists():
        images = [next(directory.glob(f"{part}-images-idx3-ubyte*")) for part in ("train", "t10k")]
        found["Fashion-MNIST"] = (files(*images), net([256], "softmax"))
    digits = load_digits(return_X_y=True)
    found["digits"] = (split(folder, "digits", *digits, stratify=digits[1]), net([64], "softmax"))
    regression = 'task = "regression"\n'
    found["diabetes"] = (split(folder, "diabetes", *load_diabetes(return_X_y=True)) + regression, net([64], "square"))
    friedman = make_friedman1(2000, 10, noise=1.0, random_state=0)
    found["Friedman 1"] = (split(folder, "friedman", *friedman) + regression, net([64], "square"))
    return found


def split(folder, name, features, labels, stratify=None):
    parts = train_test_split(features, labels, test_size=0.25, random_state=0, stratify=stratify)
    paths = []
    for part, x, y in (("train", parts[0], parts[2]), ("test", parts[1], parts[3])):
        paths.append(folder / f"{name}-{part}.csv")
        np.savetxt(paths[-1], np.column_stack([y, x]), delimiter=",", fmt="%.9g")
    return files(*paths)


def files(train, test):
    return f'train = "{train}"\ntest = "{test}"\n'


def net(hidden, loss):
    return f'hidden = {hidden}\nloss = "{loss}"\n'


def run(options, folder, data, network, seed):
    """run.json of one training run, and the notes of its iterations."""
    configuration, output = folder / "case.toml", folder / "run"
    configuration.write_text(f"[data]\n{data}[network]\n{network}[training]\nmethod = \"accelerated\"\nkeep_best = false\n")
    command = [*options.mpirun.split(), "-n", "2", options.program, str(configuration), "--quiet", "--output", str(output)]
    command += ["--set", f"training.seed={seed}", "--set", "output.overwrite=true"]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL)
    lines = [json.loads(line) for line in (output / "iterations.jsonl").read_text().splitlines()]
    return json.loads((output / "run.json").read_text()) | {"notes": [note for line in lines for note in line.get("notes", [])]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--higgs", nargs=2, metavar="FILE", help="HIGGS: training and test CSV, label first")
    parser.add_argument("--directory", default="/usr/share/datasets/fashion-mnist", help="where Fashion-MNIST's IDX files are")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--program", default=str(HERE.parent / ".build" / "release" / "admm-mpi"))
    parser.add_argument("--mpirun", default=os.environ.get("MPIRUN", "mpirun"))
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Learning side by side: this program against PyTorch's best, on the same data and cores, in the same run.

    python learning.py --case higgs [--train TRAIN.csv --test TEST.csv] [--seeds 5] [--output FILE.json]
    python learning.py --case fashion-mnist
    python learning.py --case fashion-mnist --hidden 256 128 64 32
    python learning.py --case synthetic --samples 2000000

Seed by seed every method trains once, so that a slow minute of the machine falls on all. Ours run on `--ranks` ranks (2), each bound to a
core; PyTorch's (`learning_torch.py`, settings tuned there on a validation split) with as many threads, or with one where that is
faster. Seconds are those of training alone on either side. The table has the best and the last test accuracy (mean and standard deviation over
seeds), the AUC, and the median seconds to thresholds of test accuracy.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import learning_torch
import machine

HERE = Path(__file__).resolve().parent
METHODS = {
    "accelerated": {"training.method": "accelerated"},
    "accelerated, tuned": {"training.method": "accelerated"},
    "accelerated, momentum form": {"training.method": "accelerated", "accelerated.form": "momentum"},
    "consistent": {"training.method": "consistent"},
}
# What a validation split of a tenth says is better than the defaults, for `accelerated, tuned`.
TUNED = {"fashion-mnist": {"accelerated.momentum": 0.95, "accelerated.l2": 1.3e-3}}
THRESHOLDS = learning_torch.THRESHOLDS | {"synthetic": [0.80, 0.84, 0.85, 0.86, 0.865, 0.868]}


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        case = Case(options, Path(folder))
        load = machine.busy_cores()
        runs = []
        for seed in range(1, options.seeds + 1):
            for method in options.methods:
                runs.append(case.ours(method, seed))
            for method in options.rivals:
                runs.append(case.rival(method, seed))
            print(f"seed {seed} of {options.seeds} done", file=sys.stderr, flush=True)
    print(f"{options.case}, {'-'.join(map(str, options.hidden))} hidden, {options.seeds} seeds, {load:.2f} cores busy before, {machine.processor()}\n")
    print(table(runs, case.thresholds))
    if options.output:
        Path(options.output).write_text(json.dumps({"case": options.case, "hidden": options.hidden, "runs": runs}, indent=1) + "\n")


class Case:
    """One data set and net, as both sides take it."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.thresholds = options.thresholds or THRESHOLDS[options.case]
        self.environment = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        loss = '"logistic"' if options.case != "fashion-mnist" else '"softmax"'
        if options.case == "fashion-mnist":
            directory = Path(options.directory)
            files = [next(directory.glob(f"{part}-images-idx3-ubyte*")) for part in ("train", "t10k")]
            self.torch_data = ["--data", "fashion-mnist", "--directory", options.directory]
        elif options.case == "higgs":
            files = [Path(options.train).resolve(), Path(options.test).resolve()]
            for file in files:
                if not file.exists():
                    sys.exit(f"{file} is not there. Make it by scripts/higgs-sample HIGGS.csv.gz, or name other files by --train and --test")
            self.torch_data = ["--data", "higgs", "--train", str(files[0]), "--test", str(files[1])]
        else:
            files = self.synthetic()
        self.configuration = folder / "case.toml"
        self.configuration.write_text(
            f'[data]\ntrain = "{files[0]}"\ntest = "{files[1]}"\n'
            f"[network]\nhidden = {options.hidden}\nloss = {loss}\n[training]\niterations = {options.iterations}\n"
        )

    def synthetic(self):
        """The rows of learning_torch.py's own generator, for it as .npz, for ours as HDF5."""
        import h5py

        arrays = self.folder / "synthetic.npz"
        self.torch(["--data", "synthetic", "--samples", str(self.options.samples), "--save", str(arrays)])
        data = np.load(arrays)
        files = []
        for part in ("train", "test"):
            files.append(self.folder / f"{part}.h5")
            with h5py.File(files[-1], "w") as file:
                file["features"] = data[f"{part}_x"].astype(np.float32)
                file["labels"] = data[f"{part}_y"].astype(np.int64)
        self.torch_data = ["--data", str(arrays), "--settings-of", "higgs", "28-300-1"]
        return files

    def ours(self, method, seed):
        run = self.folder / "run"
        command = [*self.options.mpirun.split(), "-n", str(self.options.ranks), "--bind-to", "core", self.options.program]
        command += [str(self.configuration), "--quiet", "--output", str(run)]
        settings = METHODS[method] | {"training.seed": seed, "output.overwrite": "true", "training.keep_best": "false"}
        if method == "accelerated, tuned":
            settings |= TUNED.get(self.options.case, {})
        if method.startswith("taylor"):
            settings |= {"training.iterations": self.options.taylor_iterations, "output.evaluate_every": 5}
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        subprocess.run(command, check=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)
        series = [json.loads(line) for line in (run / "iterations.jsonl").read_text().splitlines()]
        final = json.loads((run / "run.json").read_text())["final"]
        points = [(entry["seconds"], entry["test_accuracy"]) for entry in series]
        return summary(method, seed, points, final.get("test_auc"))

    def rival(self, method, seed):
        name, _, epochs = method.partition("@")
        length = ["--epochs", epochs] if epochs else []
        best = None
        for threads in sorted({1, self.options.ranks}):
            result = self.folder / "rival.json"
            self.torch([*self.torch_data, "--hidden", *map(str, self.options.hidden), "--methods", name, *length, "--seeds", str(99 + seed)]
                       + ["--threads", str(threads), "--output", str(result)])
            run = json.loads(result.read_text())["results"][0]
            points = [(entry["seconds"], entry["test_accuracy"]) for entry in run["series"]]
            found = summary(f"PyTorch {name}" + (f", {epochs} epochs" if epochs else ""), seed, points, run["last_test_auc"])
            if best is None or found["seconds"] < best["seconds"]:
                best = found | {"threads": threads}
        return best

    def torch(self, options):
        subprocess.run(
            [sys.executable, str(HERE / "learning_torch.py"), *options], check=True, env=self.environment, stdout=subprocess.DEVNULL
        )


def summary(method, seed, points, auc):
    return {
        "method": method,
        "seed": seed,
        "best": max(accuracy for _, accuracy in points),
        "last": points[-1][1],
        "auc": auc,
        "seconds": points[-1][0],
        "points": points,
    }


def table(runs, thresholds):
    lines = [
        "| method | best | last | AUC | seconds | " + " | ".join(f"to {100 * t:g} %" for t in thresholds) + " |",
        "|---|" + "---:|" * (4 + len(thresholds)),
    ]
    for method in dict.fromkeys(run["method"] for run in runs):
        own = [run for run in runs if run["method"] == method]

        def spread(key):
            values = [100 * run[key] for run in own]
            return f"{statistics.mean(values):.2f} ± {statistics.stdev(values) if len(values) > 1 else 0:.2f}"

        cells = [spread("best"), spread("last")]
        cells.append("" if own[0]["auc"] is None else f"{statistics.mean(run['auc'] for run in own):.4f}")
        cells.append(f"{statistics.median(run['seconds'] for run in own):.2f}")
        for threshold in thresholds:
            times = sorted(next((s for s, accuracy in run["points"] if accuracy >= threshold), math.inf) for run in own)
            middle = times[len(times) // 2]
            cells.append("–" if math.isinf(middle) else f"{middle:.3f}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=["higgs", "fashion-mnist", "synthetic"], default="higgs")
    data = HERE.parent / "data"
    parser.add_argument("--train", default=data / "HIGGS-sample-train.csv", help="HIGGS: a CSV file, label first; by default what scripts/higgs-sample makes")
    parser.add_argument("--test", default=data / "HIGGS-sample-test.csv", help="the same")
    parser.add_argument("--directory", default="/usr/share/datasets/fashion-mnist", help="Fashion-MNIST: where its IDX files are")
    parser.add_argument("--samples", type=int, default=2_000_000, help="of the synthetic data")
    parser.add_argument("--hidden", type=int, nargs="+", help="hidden widths")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=30, help="of accelerated")
    parser.add_argument("--taylor-iterations", type=int, default=300)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--methods", nargs="*", default=[name for name in METHODS if name != "accelerated, tuned"], choices=list(METHODS))
    parser.add_argument("--rivals", nargs="*", default=["adam-256", "adam-2048", "sgd-256", "sgd-2048", "lbfgs-1e-3"],
                        help="of learning_torch.py's; adam-256@10 is that of 10 epochs")
    parser.add_argument("--thresholds", type=float, nargs="+")
    parser.add_argument("--program", default=str(HERE.parent / ".build" / "release" / "admm-mpi"))
    parser.add_argument("--mpirun", default=os.environ.get("MPIRUN", "mpirun"))
    parser.add_argument("--output", metavar="FILE")
    options = parser.parse_args()
    options.hidden = options.hidden or ([256] if options.case == "fashion-mnist" else [300])
    return options


if __name__ == "__main__":
    main()

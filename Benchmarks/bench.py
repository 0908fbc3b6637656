"""Times an iteration of Algorithm 1: the program on 1 and 2 ranks, PyTorch and NumPy, on the same cores, one after the other.

    .venv-bench/bin/python Benchmarks/bench.py [--shapes 28-300-1:1000000 …] [--rounds 5] [--write docs/results.md]
    .venv-bench/bin/python Benchmarks/bench.py --full configs/higgs-full-synthetic.toml [--write docs/results.md]

`make bench` is the first, `make bench-full` the second. A round times everything once; ratios are taken within a round, and of all the
median over rounds is reported, so that a machine whose speed drifts favours nobody. The speed of matrix products alone is measured in
the same rounds. All do the same iteration, which `check.py` has verified before anything is timed: normal features, the hinge, ReLU,
biases, the paper's penalties and step; what the numbers are does not matter for the time. docs/results.md gets the section between its
markers.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import machine
import peak
import report
import rival

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent / ".build/release/admm-mpi"
SHAPES = ["28-300-1:1000000", "648-100-50-1:120290", "784-512-256-10:60000"]
# How to start the rivals, by the name they have in the tables.
RIVALS = {
    "PyTorch": ["algorithm1_torch.py"],
    "PyTorch, plain": ["algorithm1_torch.py", "--plain"],
    "NumPy": ["algorithm1_numpy.py"],
}
# How many iterations of a rival are done in a round, and how many of them are timed. PyTorch compiles in the first, and NumPy's is
# slower than the others.
ITERATIONS = {"PyTorch": (6, 5), "PyTorch, plain": (1, 1), "NumPy": (2, 1)}
RANKS = (1, 2)

CONFIGURATION = """
[data]
synthetic = {samples}
synthetic_features = {widths[0]}
synthetic_classes = {classes}
[network]
hidden = {hidden}
loss = "hinge"
bias = true
[training]
iterations = {iterations}
[taylor]
preset = "paper"
warm_start = 0
[output]
evaluate_every = 1000000
"""


class Rival:
    """A process that ends in `rival.serve`, on as many cores as the program. One at a time: NumPy's whole matrices fill the memory."""

    def __init__(self, script, shape, samples):
        # These two slow a current NumPy down; where they are set, it is for the sake of old builds of OpenBLAS.
        environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        threads = str(len(rival.CORES))
        environment |= {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        self.process = subprocess.Popen(
            [sys.executable, HERE / script[0], shape, str(samples), *script[1:]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, rival.CORES),
        )  # fmt: skip
        self.versions = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args} ended with status {self.process.wait()}")
        return json.loads(line)

    def seconds(self, iterations):
        """The seconds of each of so many iterations."""
        print(iterations, file=self.process.stdin, flush=True)
        return self.read()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def run_program(ranks, configuration, directory):
    """run.json of the program on so many ranks, each bound to a core."""
    output = Path(directory, "run")
    command = [os.environ.get("MPIRUN", "mpirun"), "--bind-to", "core", "-n", str(ranks), PROGRAM, configuration]
    command += ["--output", output, "--set", "output.overwrite=true"]
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    job = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    if job.returncode != 0:
        sys.exit(f"{job.stdout}{job.stderr}status {job.returncode}")
    return json.loads(Path(output, "run.json").read_text())


def measure_shape(shape, samples, rounds, iterations, directory):
    """A list of rounds: seconds by name, run.json by number of ranks, the speed of products by kernel."""
    widths = [int(width) for width in shape.split("-")]
    configuration = Path(directory, "bench.toml")
    configuration.write_text(
        CONFIGURATION.format(
            samples=samples, widths=widths, hidden=widths[1:-1], classes=max(2, widths[-1]), iterations=iterations
        )
    )
    results, versions, kernels = [], {}, peak.candidates()
    for number in range(rounds):
        result = {"seconds": {}, "runs": {}, "peak": {}}
        for ranks in RANKS:
            run = run_program(ranks, configuration, directory)
            result["runs"][ranks] = run
            result["seconds"][report.ours(ranks)] = run["seconds"]["per_iteration"]
        if len({run["weights_sha256"] for run in result["runs"].values()}) > 1:
            sys.exit("1 and 2 ranks found different weights")

        in_force = peak.measure()
        found = [in_force] + [measured for kernel in kernels if (measured := peak.measure(kernel))]
        result["in force"] = in_force
        result["best"] = max(found, key=lambda measured: measured["gflops"])
        kernels = [result["best"]["kernel"]]  # the others have shown that they are slower

        for name, script in RIVALS.items():
            process = Rival(script, shape, samples)
            done, timed = ITERATIONS[name]
            result["seconds"][name] = statistics.median(process.seconds(done)[-timed:])
            versions[name] = process.versions
            process.stop()
        results.append(result)
        print(f"  round {number + 1}: " + ", ".join(f"{name} {s:.4f} s" for name, s in result["seconds"].items()), flush=True)
    return {"shape": shape, "widths": widths, "samples": samples, "rounds": results, "versions": versions}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=SHAPES, help="widths and samples, such as 28-300-1:1000000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=8, help="of the program, in each of its runs")
    parser.add_argument("--full", metavar="CONFIG", help="instead: run this configuration once on 2 ranks")
    parser.add_argument("--write", metavar="FILE", help="put the tables into this file, between their markers")
    options = parser.parse_args()

    load = machine.busy_cores()
    if load > 0.5:
        print(f"The machine is busy ({load:.1f} cores): the figures will be worse than it is, the rivals' most of all.", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        if options.full:
            speeds = [measured for kernel in [None, *peak.candidates()] if (measured := peak.measure(kernel))]
            name, text = "bench-full", report.full(run_program(2, options.full, directory), speeds, options.full, load)
        else:
            subprocess.run([sys.executable, HERE / "check.py"], check=True)
            results = []
            for shape in options.shapes:
                widths, samples = shape.split(":")
                print(f"{widths}, {int(samples):,} samples", flush=True)
                results.append(measure_shape(widths, int(samples), options.rounds, options.iterations, directory))
            name, text = "bench", report.bench(results, load)
    print(f"\n{text}")
    if options.write:
        report.replace_section(Path(options.write), name, text)


if __name__ == "__main__":
    main()

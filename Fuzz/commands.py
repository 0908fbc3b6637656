#!/usr/bin/env python3
"""Gives mutated files to the program's commands, and looks for what must not happen.

    commands.py --program .build/release/admm-mpi --runs 20000 [--seed 1] [--jobs 2]

Every run takes a sound file of some format, changes it, and starts describe, train, train --check, train
--print-config, convert, predict, evaluate or compare, alone or under mpirun on 2 ranks. What must hold of each,
whatever the bytes are:

  - it ends within its time, by no signal, with a status that the manual lists;
  - of files below a megabyte it takes no more than 500 MB;
  - it leaves no file behind but its output, none of it after a failure, and no input is changed;
  - a failure says so in one message, without the noise of libraries, and status 74 is for a disk that fails;
  - 2 ranks end as one does, with the same message, and make the same file.

Run number i of a seed is always the same. What is found is counted by kind, and the smallest input of each kind is
made smaller still and kept in --findings. Crashes inside libhdf5, on files that this program did not make, are counted
apart.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import multiprocessing
import multiprocessing.util
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import seeds
from mutations import Mutator, NUMBERS, TEXT

# What the manual lists.
STATUSES = {int(status) for status in re.findall(
    r"^\| (\d+) \| ", (seeds.ROOT / "docs/architecture.md").read_text(), re.MULTILINE)}
MEMORY_LIMIT = 500 << 20
# Where a run is ended at once, since the machine has others to do.
MEMORY_STOP = 3 << 30
# Seconds of a run; where HDF5 reads, the program itself waits for 20 before it takes the library to go round for ever.
TIME_LIMIT = 10
TIME_LIMIT_OF_HDF5 = 40
# What the program says when libhdf5 crashed, or did not end.
BREAKDOWN = "the HDF5 library breaks down"
NOISE = re.compile(r"HDF5-DIAG|MPI_ABORT was invoked|Fatal error|Process received signal")
# What Swift's runtime prints of a crash.
BACKTRACE = "enable=yes,color=no,interactive=no,threads=crashed,registers=none,images=none,limit=24"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("OMPI_", "PMIX_"))} | {
    "SWIFT_BACKTRACE": BACKTRACE, "HDF5_USE_FILE_LOCKING": "FALSE",
}
# The formats that libhdf5 reads.
HDF5 = ("hdf5", "model")
METHODS = ["taylor", "consistent", "accelerated", "sgd", "adam", "cg", "lbfgs"]


@dataclasses.dataclass
class Case:
    """A run to come."""
    command: str
    arguments: list
    # Name → bytes, of which `mutated` is what was changed.
    files: dict
    mutated: str
    # What the command may leave.
    outputs: list
    ranks: int = 1


@dataclasses.dataclass
class Finding:
    """What must not happen, and where."""
    kind: str
    case: Case
    number: int
    text: str
    is_foreign: bool = False

    @property
    def size(self):
        return len(self.case.files[self.case.mutated])


@dataclasses.dataclass
class Outcome:
    status: int
    errors: str
    seconds: float
    memory: int
    is_late: bool
    is_stopped: bool
    left: dict


class Runs:
    """Makes cases and runs them, in a directory of its own."""

    def __init__(self, program, seed, two_ranks, formats, all_seeds):
        self.program, self.seed, self.two_ranks, self.formats = program, seed, two_ranks, formats
        self.seeds = {target: files for target, (files, _) in all_seeds.items()}
        self.words = {target: words for target, (_, words) in all_seeds.items()}
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="admm-fuzz-", dir=place))

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    # MARK: Making cases

    def case(self, number):
        r = random.Random(f"{self.seed}-{number}")
        command = r.choices(
            ["describe", "check", "train", "convert", "predict", "evaluate", "print-config", "train-config", "compare"],
            [22, 12, 12, 12, 14, 10, 6, 10, 2])[0]
        case = getattr(self, "make_" + command.replace("-", "_"))(r)
        case.ranks = 2 if r.random() < self.two_ranks else 1
        return case

    def mutated(self, r, target, name):
        others = list(self.seeds[r.choice([target, target, "csv", "toml"])].values())
        data, mutator = self.seeds[target][name], Mutator(r, others, self.words[target])
        if r.random() < 0.03:
            return data
        if target == "gzip":
            return mutator.gzip(data, mutator.bytes if name.startswith("idx") else mutator.text)
        return mutator.text(data) if target in ("csv", "toml") else mutator.bytes(data)

    def data(self, r):
        """A mutated file of samples: (name, files, arguments that belong to it)."""
        target = r.choices(["csv", "gzip", "idx", "hdf5"], [40, 20, 15, 25])[0]
        name = r.choice(sorted(self.seeds[target]))
        data = self.mutated(r, target, name)
        if target == "csv":
            file = r.choice(["a.csv"] * 8 + ["a.txt", "a", "a.tsv", "a.h5", "a.gz"])
            return file, {file: data}, self.text_options(r)
        if target == "hdf5":
            return "a.h5", {"a.h5": data}, ["--label-column", "none"] if r.random() < 0.2 else []
        if target == "gzip" and not name.startswith("idx"):
            return "a.csv.gz", {"a.csv.gz": data}, self.text_options(r)
        end = ".gz" if target == "gzip" else ""
        images = f"a-images-idx3-ubyte{end}"
        if r.random() < 0.5:
            return images, {images: data}, ["--label-column", "none"]
        labels = seeds.idx_file(seeds.np.arange(6) % 2, "uint8")
        if r.random() < 0.7:
            return images, {images: data, "a-labels-idx1-ubyte": labels}, []
        whole = seeds.idx_file(seeds.np.arange(24).reshape(6, 2, 2), "uint8")
        files = {f"l-idx1-ubyte{end}": data, "b-images-idx3-ubyte": whole}
        return "b-images-idx3-ubyte", files, ["--labels", f"l-idx1-ubyte{end}"]

    def text_options(self, r):
        options = []
        if r.random() < 0.3:
            options += ["--label-column", r.choice(["1", "2", "4", "none", "y", "kind", "last", "-1", "0", "x1"])]
        if r.random() < 0.2:
            options.append(r.choice(["--header", "--no-header"]))
        if r.random() < 0.2:
            options += ["--delimiter", r.choice([";", "tab", "space", ",", "auto", "|"])]
        if r.random() < 0.2:
            options += r.choice([
                ["--task", "regression"], ["--classes", "0,1"], ["--positive-class", "1"],
                ["--format", r.choice(["csv", "idx", "hdf5"])]])
        return options

    def make_describe(self, r):
        name, files, options = self.data(r)
        return Case("describe", ["describe", name] + options, files, next(iter(files)), [])

    def make_convert(self, r):
        name, files, options = self.data(r)
        force = ["--force"] if r.random() < 0.3 else []
        if r.random() < 0.3:
            files["out.h5"] = b"mine"
        return Case("convert", ["convert", name, "out.h5"] + options + force, files, next(iter(files)), ["out.h5"])

    def with_model(self, r):
        """A model and data, of which one is mutated: (arguments, files, which)."""
        model = r.choice(sorted(self.seeds["model"]))
        if r.random() < 0.5:
            text = self.seeds["csv"][r.choice(["plain", "header", "classes"])]
            files = {"model.h5": self.mutated(r, "model", model), "a.csv": text}
            return ["model.h5", "a.csv"], files, "model.h5"
        name, files, options = self.data(r)
        files["model.h5"] = self.seeds["model"][model]
        return ["model.h5", name] + options, files, next(iter(files))

    def make_predict(self, r):
        arguments, files, mutated = self.with_model(r)
        output = r.choice(["out.csv", "out.csv", "out.h5"])
        force = ["--force"] if r.random() < 0.3 else []
        if r.random() < 0.3:
            files[output] = b"mine"
        return Case("predict", ["predict"] + arguments + ["--output", output] + force, files, mutated, [output])

    def make_evaluate(self, r):
        arguments, files, mutated = self.with_model(r)
        json = ["--json", "out.json"] if r.random() < 0.5 else []
        return Case("evaluate", ["evaluate"] + arguments + json, files, mutated, ["out.json"])

    def make_check(self, r):
        return self.training(r, ["--check"], [])

    def make_train(self, r):
        return self.training(r, ["--output", "run"], ["run"])

    def training(self, r, arguments, outputs):
        """A sound configuration of mutated data."""
        name, files, options = self.data(r)
        if name.startswith("b-"):
            options = ["--set", f"data.train_labels={options[1]}"]
        else:
            names = ["--label-column", "--task", "--positive-class", "--format", "--delimiter"]
            pairs = [(key[2:].replace("-", "_"), value) for key, value in zip(options, options[1:]) if key in names]
            options = [word for key, value in pairs for word in ("--set", f"data.{key}={value}")]
        text = f"""[data]
train = "{name}"
{f'test = "{name}"' if r.random() < 0.3 and not name.startswith('b-') else ''}
{'validation_fraction = 0.3' if r.random() < 0.3 else ''}
standardize = {r.choice(['true', 'true', 'false'])}
[network]
hidden = {r.choice(['[]', '[3]', '[4, 2]'])}
loss = "{r.choice(['hinge', 'square', 'logistic', 'softmax', 'huber'])}"
[training]
method = "{r.choice(METHODS)}"
iterations = 2
[stop]
time_limit = 5
"""
        files["config.toml"] = text.encode()
        if len(outputs) and r.random() < 0.2:
            arguments = arguments + ["--quiet"]
        command = "check" if "--check" in arguments else "train"
        return Case(command, ["config.toml"] + arguments + options, files, next(iter(files)), outputs)

    def make_print_config(self, r):
        text = self.mutated(r, "toml", r.choice(sorted(self.seeds["toml"])))
        check = r.choice(["--print-config", "--check"])
        files = {"config.toml": text, "x.csv": self.seeds["csv"]["header"], "train.csv": self.seeds["csv"]["header"]}
        return Case(f"configuration {check}", ["config.toml", check] + self.settings(r), files, "config.toml", [])

    def make_train_config(self, r):
        """A mutated configuration, kept small by what the command line says."""
        text = self.mutated(r, "toml", r.choice(sorted(self.seeds["toml"])))
        files = {"config.toml": text, "x.csv": self.seeds["csv"]["header"]}
        small = ["training.iterations=2", "network.hidden=[3]", "stop.time_limit=5", "training.threads_per_rank=1"]
        synthetic = ["data.synthetic=50", "data.synthetic_test=20", "data.synthetic_features=3"]
        small += ["data.train=x.csv"] if r.random() < 0.5 else synthetic
        arguments = ["config.toml", "--output", "run"] + self.settings(r)
        arguments += [word for setting in small for word in ("--set", setting)]
        return Case("configuration train", arguments, files, "config.toml", ["run"])

    def settings(self, r):
        """Now and then settings of the command line, sound and not."""
        if r.random() < 0.7:
            return []
        section, key, value, _ = r.choice(seeds.keys())
        value = r.choice([value, r.choice(NUMBERS), r.choice(TEXT), f"[{r.choice(NUMBERS)}]"]).replace("\0", "")
        return ["--set", f"{section}.{key}={value}"]

    def make_compare(self, r):
        text = "[data]\ntrain = \"a.csv\"\n[network]\nhidden = [3]\n[training]\niterations = 2\n"
        csv = self.mutated(r, "csv", r.choice(sorted(self.seeds["csv"])))
        files = {"a.csv": csv, "a.toml": text.encode(), "b.toml": (text + "method = \"lbfgs\"\n").encode()}
        mutated = "a.csv"
        if r.random() < 0.5:
            files["a.csv"] = self.seeds["csv"]["header"]
            files["a.toml"], mutated = self.mutated(r, "toml", r.choice(sorted(self.seeds["toml"]))), "a.toml"
        arguments = ["compare", "a.toml", "b.toml", "--seeds", "1,", "--time-limit", "5", "--output", "run"]
        for setting in ["training.iterations=2", "network.hidden=[3]", "training.threads_per_rank=1"]:
            arguments += ["--set", setting]
        return Case("compare", arguments, files, mutated, ["run"])

    # MARK: Running

    def run(self, case, ranks):
        """Starts the program in a fresh directory that holds the case's files."""
        place = self.directory / "case"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name, data in case.files.items():
            (place / name).write_bytes(data)
        environment = ENVIRONMENT | {"TMPDIR": str(self.directory)}
        environment |= seeds.ALONE
        command = [self.program] + case.arguments
        if ranks > 1:
            for key in ["OMPI_MCA_ess_singleton_isolated", "OMPI_MCA_btl", "OMPI_MCA_pml"]:
                environment.pop(key)
            command = ["mpirun", "-n", str(ranks)] + command
        start = time.monotonic()
        with open(self.directory / "errors", "wb") as errors, open(self.directory / "output", "wb") as output:
            process = subprocess.Popen(
                command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                start_new_session=True)
            limit = TIME_LIMIT_OF_HDF5 if self.format_of(case) in HDF5 else TIME_LIMIT
            status, usage, is_late, is_stopped = self.wait(process, start, limit * (2 if ranks > 1 else 1))
        outcome = Outcome(
            status, ends_of((self.directory / "errors").read_bytes()), time.monotonic() - start,
            usage.ru_maxrss << 10, is_late, is_stopped, {})
        for path in sorted(place.rglob("*")):
            if path.is_file() or path.is_symlink():
                outcome.left[str(path.relative_to(place))] = path.read_bytes()
        return outcome

    def wait(self, process, start, limit):
        is_late = is_stopped = False
        ended_at = None
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                # Ranks that outlive mpirun, and processes that the program has started.
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                return process.returncode, usage, is_late, is_stopped
            now = time.monotonic()
            is_over = now - start > limit
            if ended_at is None and (is_over or (now - start > 0.2 and resident(process.pid) > MEMORY_STOP)):
                is_late, is_stopped = is_over, not is_over
                # Swift's runtime prints where it is.
                signal_group(process.pid, signal.SIGABRT)
                ended_at = now
            elif ended_at is not None and now - ended_at > 15:
                signal_group(process.pid, signal.SIGKILL)
            time.sleep(0.002 if now - start < 0.5 else 0.02)

    # MARK: Judging

    def findings(self, case, number):
        """Runs a case and returns what must not happen."""
        outcome = self.run(case, 1)
        found = self.judge(case, outcome, number, 1)
        if case.ranks > 1:
            more = self.run(case, case.ranks)
            found += self.judge(case, more, number, case.ranks)
            if not found:
                found += self.compare(case, outcome, more, number)
        for one in found:
            one.is_foreign = one.is_foreign or BREAKDOWN in one.text
        return found, outcome

    def judge(self, case, outcome, number, ranks):
        found = []

        def add(kind, text="", is_foreign=False):
            name = f"{kind}: {case.command}, {self.format_of(case)}"
            found.append(Finding(name, case, number, text or outcome.errors[:6000], is_foreign))

        # mpirun adds 128 to a signal's number.
        crashed = outcome.status < 0 or outcome.status >= 128
        stack = stack_of(outcome.errors)
        is_hdf5 = self.format_of(case) in HDF5 and is_inside_hdf5(outcome.errors)
        if BREAKDOWN in outcome.errors:
            add("libhdf5 breaks down", is_foreign=True)
            return found
        if outcome.is_stopped:
            add("memory beyond 3 GiB" + stack, is_foreign=is_hdf5)
        elif outcome.is_late:
            add("no end" + stack, is_foreign=is_hdf5)
        elif crashed:
            add(f"signal {-outcome.status if outcome.status < 0 else outcome.status - 128}" + stack, is_foreign=is_hdf5)
        elif outcome.status not in STATUSES:
            add(f"status {outcome.status}")
        else:
            if outcome.status == 74 and "exists" not in outcome.errors and "is not empty" not in outcome.errors:
                add("status 74" + phrase_of(outcome.errors))
            if noise := NOISE.search(outcome.errors):
                add(f"noise \"{noise[0]}\"" + phrase_of(outcome.errors))
            messages = messages_of(outcome.errors)
            if (outcome.status != 0) != (len(messages) == 1):
                add(f"{len(messages)} messages for status {outcome.status}")
            if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", outcome.errors):
                add("control characters on standard error")
        is_small = max(map(len, case.files.values())) < 1 << 20
        if outcome.memory > MEMORY_LIMIT and is_small and not outcome.is_stopped:
            add(f"memory of {outcome.memory >> 20 >> 8 << 8} MiB or more" + stack)
        self.judge_files(case, outcome, add)
        return found

    def judge_files(self, case, outcome, add):
        for name, data in case.files.items():
            may_change = name in case.outputs and outcome.status == 0 and "--force" in case.arguments
            if outcome.left.get(name) != data and not may_change:
                add(f"{name} is changed" if name in outcome.left else f"{name} is gone")
        for name in outcome.left:
            top = name.split("/")[0]
            is_output = top in case.outputs and (outcome.status == 0 or top == "run")
            if name in case.files or (is_output and not re.search(r"\.part|\.tmp|partial|probe", name)):
                continue
            add(f"left behind: {re.sub(r'[0-9a-f]{6,}|[0-9]+', 'N', name)}, status {outcome.status}")

    def compare(self, case, one, more, number):
        def files(outcome):
            # Reports of runs tell times, and model.h5 the number of ranks.
            return {name: data for name, data in outcome.left.items() if name.endswith(".csv")}

        for what, a, b in [
            ("status", one.status, more.status), ("message", messages_of(one.errors), messages_of(more.errors)),
            ("output", files(one), files(more))]:
            if a != b:
                text = f"on 1 rank: {a!s:.1000}\non {case.ranks}: {b!s:.1000}"
                name = f"another {what} on {case.ranks} ranks: {case.command}, {self.format_of(case)}"
                return [Finding(name, case, number, text)]
        return []

    def format_of(self, case):
        if case.mutated.endswith(".h5"):
            return "model" if case.mutated == "model.h5" else "hdf5"
        return next((f for f in ["toml", "gz", "ubyte"] if case.mutated.endswith(f)), "text")


def ends_of(data):
    """The beginning and the end of what was printed."""
    text = data.decode(errors="replace")
    return text if len(text) < 20000 else text[:10000] + " […] " + text[-10000:]


def resident(pid):
    """Bytes of memory of a process and its children."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            total += int(pathlib.Path(f"/proc/{one}/statm").read_text().split()[1]) * 4096
            waiting += map(int, pathlib.Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except (OSError, IndexError, ValueError):
            pass
    return total


def signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def messages_of(errors):
    return [line for line in errors.splitlines() if line.startswith(("admm-mpi: error", "Error:"))]


FRAME = re.compile(r"^ *\d+ (?:\[[^]]*\] +)*0x[0-9a-f]+ (.*?)(?: \+ \d+)? in (\S+)", re.MULTILINE)


def frames(errors):
    """(library, function) of the innermost frames that Swift's runtime prints, the C library's left out."""
    found = [(os.path.basename(library), name[:60]) for name, library in FRAME.findall(errors)]
    return [frame for frame in found if not re.match(r"libc\.so|libpthread|ld-linux|linux-vdso", frame[0])]


def is_inside_hdf5(errors):
    """Whether libhdf5 crashed, or what it called."""
    inner = frames(errors)[:3]
    return any(library.startswith("libhdf5") for library, _ in inner)


def stack_of(errors):
    """The innermost frames, or the message of a trap, as part of a finding's name."""
    if match := re.search(r"(\S+\.swift:\d+): Fatal error[^\n]{0,100}", errors):
        return f" ({match[0]})"
    if match := re.search(r"Fatal error[^\n\d]{0,80}|[\w.]+:\d+: [^\n]* Assertion|terminate called[^\n]*", errors):
        return f" ({match[0]})"
    inner = [f"{library}:{name}" for library, name in frames(errors)[:2]]
    return f" ({' < '.join(inner)})" if inner else ""


def phrase_of(errors):
    """The message without its numbers and names, as part of a finding's name."""
    line = next((line for line in errors.splitlines() if line.startswith("admm-mpi: error")), "")
    words = re.sub(r"[\"'].*?[\"']|\S*[/.]\S*|[\d,]+", "…", line.removeprefix("admm-mpi: error"))
    return f" ({words[:70].strip()})" if words else ""


# MARK: Making smaller

def smaller(runs, finding, tries=80):
    """The same finding from less: pieces of the mutated file are left out while the finding stays."""
    best, case = finding, finding.case
    size = len(case.files[case.mutated]) // 2
    while size >= 1 and tries > 0:
        at = 0
        while at < len(best.case.files[case.mutated]) and tries > 0:
            data = best.case.files[case.mutated]
            files = dict(best.case.files) | {case.mutated: data[:at] + data[at + size:]}
            tries -= 1
            found, _ = runs.findings(dataclasses.replace(case, files=files), finding.number)
            again = next((one for one in found if one.kind == finding.kind), None)
            if again:
                best = again
            else:
                at += size
        size //= 2
    return best


# MARK: Many runs

runs = None


def begin(*arguments):
    """Makes the runs of a worker process."""
    global runs
    runs = Runs(*arguments)
    multiprocessing.util.Finalize(None, runs.close, exitpriority=10)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def work(number):
    case = runs.case(number)
    if runs.formats and runs.format_of(case) not in runs.formats:
        return number, [], None, case.command, 0
    found, outcome = runs.findings(case, number)
    if any(one.kind.startswith("no end") for one in found):
        # The machine may have been busy: once more.
        found, outcome = runs.findings(case, number)
    return number, found, outcome.status, case.command, outcome.seconds


def shrink(finding):
    return smaller(runs, finding)


def keep(directory, index, finding):
    place = directory / f"{index:03}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, data in finding.case.files.items():
        (place / name).write_bytes(data)
    launch = f"mpirun -n {finding.case.ranks} " if finding.case.ranks > 1 else ""
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in finding.case.arguments)
    text = f"{finding.kind}\nrun {finding.number}\n\n{launch}admm-mpi {words}\n\n{finding.text}\n"
    (place / "README").write_text(text)
    return place


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, type=os.path.abspath)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--two-ranks", type=float, default=0.05, help="the share of runs done again on 2 ranks")
    parser.add_argument("--findings", type=pathlib.Path, default=pathlib.Path("fuzz-findings"))
    parser.add_argument("--formats", nargs="*", help="of these formats alone: text, gz, ubyte, hdf5, model, toml")
    parser.add_argument("--no-shrinking", action="store_true")
    options = parser.parse_args()

    start = time.monotonic()
    all_seeds = seeds.all_seeds(options.program)
    kinds, foreign = {}, collections.Counter()
    counts, statuses = collections.Counter(), collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(
        options.jobs, mp_context=multiprocessing.get_context("spawn"), initializer=begin,
        initargs=(options.program, options.seed, options.two_ranks, options.formats, all_seeds)) as pool:
        numbers = range(options.first, options.first + options.runs)
        for done, (number, found, status, command, seconds) in enumerate(pool.map(work, numbers, chunksize=20), 1):
            if status is not None:
                statuses[command, status] += 1
            for finding in found:
                if finding.is_foreign:
                    foreign[finding.kind] += 1
                    continue
                counts[finding.kind] += 1
                if finding.kind not in kinds:
                    print(f"run {number}: {finding.kind}", flush=True)
                if finding.kind not in kinds or finding.size < kinds[finding.kind].size:
                    kinds[finding.kind] = finding
            if done % 1000 == 0:
                seconds = time.monotonic() - start
                own = sum(foreign.values())
                print(f"{done} runs in {seconds:.0f} s, {len(kinds)} findings, {own} of libhdf5's own", flush=True)
        if not options.no_shrinking:
            kinds = {kind: finding for kind, finding in zip(kinds, pool.map(shrink, kinds.values()))}

    seconds = time.monotonic() - start
    total = sum(statuses.values())
    print(f"\n{total} runs of seed {options.seed} in {seconds:.0f} s ({total / seconds:.0f} a second)")
    for command in sorted({command for command, _ in statuses}):
        row = ", ".join(f"{status}: {count}" for (c, status), count in sorted(statuses.items()) if c == command)
        print(f"  {command:24} {row}")
    print(f"libhdf5's own crashes on foreign files: {sum(foreign.values())}")
    for kind, count in foreign.most_common():
        print(f"  {count:5}  {kind}")
    print(f"findings: {len(kinds)} kinds in {sum(counts.values())} runs")
    for index, kind in enumerate(sorted(kinds, key=lambda kind: -counts[kind])):
        place = keep(options.findings, index, kinds[kind])
        print(f"  {counts[kind]:5}  {kind}\n         {place}")
    sys.exit(1 if kinds else 0)


if __name__ == "__main__":
    main()

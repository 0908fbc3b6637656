"""Trains a net by Adam, SGD with momentum or L-BFGS in PyTorch on a CPU, as well and as fast as we could write it: the learning rival.

    python learning_torch.py --data higgs --train HIGGS-train.csv.gz --test HIGGS-test.csv.gz [--methods adam-256 …] [--output FILE]
    python learning_torch.py --data fashion-mnist --hidden 256 128 64 32
    python learning_torch.py --data FILE.npz
    python learning_torch.py --data higgs … --tune [--methods …] [--rates …] [--decays …] [--decoupled …] [--epochs …]
    python learning_torch.py --check

Feed-forward nets with ReLU and biases on standardised features; the logistic loss for two classes, softmax and cross-entropy for more.
The methods:

- `adam-B`, `sgd-B`: batches of B samples, drawn anew every pass; the rate falls from its tuned value to 0 as half a cosine over a
  tuned number of passes; weight decay is L2 or, for Adam, decoupled (AdamW), whichever was better. SGD has Nesterov's momentum of 0.9.
- `lbfgs`, `lbfgs-1e-3`, `lbfgs-tuned`: `torch.optim.LBFGS` with the strong Wolfe line search on all samples, without L2, with
  1e-3 and with what was best; stopped after a tuned number of iterations.

`--tune` finds these settings on a tenth of the training set held out and puts them into learning_settings.json, from where the other runs,
on the whole training set, take them. The test set plays no part in it. A run ends with the accuracy of its last weights; the best of all
evaluations, which is given too, is chosen by the test set. Where seconds to a modest accuracy matter, fewer passes than the most accurate
number are faster: `--epochs 5 20` takes the rates that were tuned for these, or for the nearest number.

What makes it fast, each found by measuring:

- Gradients are written out. Autograd doubles the time of a step of 28-300-1.
- Products by oneDNN with bias and ReLU in them where these are faster than `mm` and its epilogue: on processors other than Intel's
  twice as fast. How each weight matrix lies in memory, and by what each of its three products is done, is measured at the start.
- The data lie in memory over a column of ones, which makes the first layer's biases weights; a batch is one `index_select`.
- One fused optimizer step for all weights.
- Of a net with one hidden layer and one output the hidden layer's gradient is (x dᵀ) h′ scaled by the output weights: the product
  of the output's error and those weights is never stored.
- `torch.compile` of the steps between the products does not help: what it saves, its calls cost.

Seconds are those of training alone: no evaluation, no reading, no measuring of products. Besides the wall clock's there are the process's
CPU seconds, which other work on the machine disturbs less.
"""

import argparse
import dataclasses
import functools
import gzip
import json
import math
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

import machine

torch.set_grad_enabled(False)

SETTINGS = Path(__file__).resolve().parent / "learning_settings.json"
METHODS = ["adam-256", "adam-2048", "sgd-256", "sgd-2048", "lbfgs", "lbfgs-1e-3", "lbfgs-tuned"]
HIDDEN = {"higgs": [300], "fashion-mnist": [256]}
THRESHOLDS = {
    "higgs": [0.64, 0.66, 0.68, 0.69, 0.70, 0.71],
    "fashion-mnist": [0.80, 0.84, 0.86, 0.87, 0.88, 0.89, 0.90],
}
# What `--tune` tries: all pairs of rate and decay at the first number of epochs, the best of them at the others.
GRIDS = {
    "adam": {
        "rate": [1e-3, 3e-3, 1e-2, 3e-2],
        "decay": [(False, 1e-4), (False, 3e-4), (False, 1e-3), (True, 0.03), (True, 0.1), (True, 0.3), (True, 1)],
        "epochs": [30, 10, 60],
    },
    "sgd": {
        "rate": [0.03, 0.1, 0.3, 1],
        "decay": [(False, 1e-4), (False, 3e-4), (False, 1e-3), (False, 3e-3)],
        "epochs": [30, 10, 60],
    },
}
DECAYS_OF_LBFGS = [3e-4, 1e-3, 3e-3]
TILE = 2048  # samples that L-BFGS's gradient, and evaluations, visit at a time


# Data.


@dataclasses.dataclass
class Data:
    """Standardised features over a last column of ones, and labels 0, 1, …; what is called test may be a validation set."""

    train_x: torch.Tensor
    train_y: torch.Tensor
    test_x: torch.Tensor
    test_y: torch.Tensor
    classes: int

    def targets(self, y):
        """A column of 0 and 1, or of classes of them."""
        if self.classes == 2:
            return y.float()[:, None]
        return torch.nn.functional.one_hot(y, self.classes).float()

    def widths(self, hidden):
        return [self.train_x.shape[1] - 1, *hidden, 1 if self.classes == 2 else self.classes]


def read_csv(path):
    """Features and labels of a file without header, a label first."""
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2)
    return rows[:, 1:], rows[:, 0].astype(np.int64)


def read_idx(path):
    """The array in an IDX file of bytes, compressed or not."""
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if content[:3] != b"\0\0\x08":
        sys.exit(f"{path} is not an IDX file of bytes")
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def read_images(directory):
    found = []
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        paths = sorted(Path(directory).glob(f"{name}-ubyte*"))
        if not paths:
            sys.exit(f"{directory} has no {name}-ubyte")
        found.append(read_idx(paths[0]))
    images = [x.reshape(len(x), -1).astype(np.float32) for x in found[::2]]
    return images[0], found[1].astype(np.int64), images[1], found[3].astype(np.int64)


def made_up(samples, features=28, hidden=20):
    """Normal features whose two classes a random net of one hidden layer tells apart; a tenth of the labels are wrong."""
    random = np.random.default_rng(2016)
    x = random.standard_normal((samples + samples // 5, features), dtype=np.float32)
    inner = np.maximum(x @ random.standard_normal((features, hidden), dtype=np.float32), 0)
    scores = inner @ random.standard_normal(hidden, dtype=np.float32)
    y = ((scores > np.median(scores)) ^ (random.random(len(x)) < 0.1)).astype(np.int64)
    return x[:samples], y[:samples], x[samples:], y[samples:]


def read_arrays(options):
    """train_x, train_y, test_x, test_y as NumPy arrays, as the files have them."""
    if options.data == "higgs":
        if not (options.train and options.test):
            sys.exit("HIGGS needs --train and --test")
        return *read_csv(options.train), *read_csv(options.test)
    if options.data == "fashion-mnist":
        return read_images(options.directory)
    if options.data == "synthetic":
        return made_up(options.samples)
    with np.load(options.data) as arrays:
        return [arrays[name] for name in ("train_x", "train_y", "test_x", "test_y")]


def prepared(train_x, train_y, test_x, test_y):
    """`Data` of arrays: features standardised by the training set's mean and deviation, constant ones 0."""
    mean = train_x.mean(axis=0, dtype=np.float64)
    deviation = train_x.std(axis=0, dtype=np.float64)
    deviation[deviation == 0] = 1

    def features(x):
        x = ((x - mean) / deviation).astype(np.float32)
        return torch.from_numpy(np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1))

    labels, numbers = np.unique(train_y, return_inverse=True)
    test_numbers = np.searchsorted(labels, test_y)
    return Data(features(train_x), torch.from_numpy(numbers), features(test_x), torch.from_numpy(test_numbers), len(labels))


def held_out(train_x, train_y, share=0.1):
    """A training set without a random share of it, and that share."""
    order = np.random.default_rng(0).permutation(len(train_x))
    some, rest = np.split(order, [round(share * len(order))])
    return train_x[rest], train_y[rest], train_x[some], train_y[some]


# Products. All of a net's are x wᵀ with or without a bias and ReLU, or xᵀ w.


def mm_layer(x, w, b, relu):
    z = x @ w.T if b is None else torch.addmm(b, x, w.T)
    return z.relu_() if relu else z


def onednn_layer(x, w, b, relu):
    return torch.ops.mkldnn._linear_pointwise(x, w, b, "relu" if relu else "none", [], "")


PRODUCTS = [mm_layer, onednn_layer]


def seconds_of(call, repetitions=20):
    """The shortest time of a call; infinity where a build of PyTorch lacks what it needs."""
    best = math.inf
    for _ in range(repetitions):
        start = time.perf_counter()
        try:
            call()
        except (AttributeError, RuntimeError):
            return math.inf
        best = min(best, time.perf_counter() - start)
    return best


@functools.cache
def fastest_products(inputs, outputs, batch, first, threads):
    """Whether w is best stored as its transpose, and the products for x wᵀ, for w's gradient, and for d w.

    first: it is the first layer, which has its biases in w and passes no gradient on. threads: makes results of other numbers
    of threads different ones.
    """
    x, d, b = torch.randn(batch, inputs), torch.randn(batch, outputs), None if first else torch.randn(outputs)
    found = []
    for transposed in (False, True):
        w = torch.randn(inputs, outputs).T if transposed else torch.randn(outputs, inputs)
        left, right = (x, d) if transposed else (d, x)
        roles = [
            lambda product: product(x, w, b, True),
            lambda product: product(left.T, right.T, None, False),
            lambda product: product(d, w.T, None, False),
        ]
        total, products = 0, []
        for role in roles[:2] if first else roles:
            times = [seconds_of(lambda: role(product)) for product in PRODUCTS]
            total += min(times)
            products.append(PRODUCTS[times.index(min(times))])
        found.append((total, transposed, products))
    return min(found, key=lambda candidate: candidate[0])[1:]


# Nets.


class Net:
    """Weights, a loss's gradient, and evaluation. parameters: what an optimizer changes in place, in the order of `gradient`'s.

    A layer's w is outputs × inputs, whichever way it is stored. The first has its biases in the last column.
    """

    def __init__(self, widths, batch, seed):
        generator = torch.Generator().manual_seed(seed)
        self.L = len(widths) - 1
        self.w, self.b, self.parameters, self.layer, self.weight_product, self.back, self.transposed = ([] for _ in range(7))
        for l in range(self.L):
            inputs, outputs, first = widths[l] + (l == 0), widths[l + 1], l == 0
            transposed, products = fastest_products(inputs, outputs, batch, first, torch.get_num_threads())
            # PyTorch's own start, also of biases: on HIGGS half a point better than that of He et al. (2015), which is larger.
            w = (torch.rand(outputs, inputs, generator=generator) * 2 - 1) / math.sqrt(widths[l])
            w = w.T.contiguous() if transposed else w.contiguous()
            self.parameters.append(w)
            self.w.append(w.T if transposed else w)
            self.b.append(None if first else (torch.rand(outputs, generator=generator) * 2 - 1) / math.sqrt(widths[l]))
            if not first:
                self.parameters.append(self.b[l])
            self.transposed.append(transposed)
            self.layer.append(products[0])
            self.weight_product.append(products[1])
            self.back.append(products[-1])
        self.one_output = self.L == 2 and widths[-1] == 1

    def outputs(self, x):
        for l in range(self.L):
            x = self.layer[l](x, self.w[l], self.b[l], l < self.L - 1)
        return x

    def weight_gradient(self, l, a, d):
        """dᵀ a, as w is stored"""
        left, right = (a, d) if self.transposed[l] else (d, a)
        return self.weight_product[l](left.T, right.T, None, False)

    def gradient(self, x, y, samples):
        """Of the loss, as a sum over x divided by `samples`; and z_L, from which the loss can be had."""
        a = [x]
        for l in range(self.L):
            a.append(self.layer[l](a[l], self.w[l], self.b[l], l < self.L - 1))
        z = a.pop()
        d = (torch.sigmoid(z) if z.shape[1] == 1 else torch.softmax(z, dim=1)).sub_(y).div_(samples)
        if self.one_output:
            w, h = self.w[1], a[1]
            found = [self.weight_gradient(1, h, d), d.sum(dim=0)]
            first = self.weight_gradient(0, x * d, h.sign_())  # h′ is the sign of h
            return [first.mul_(w if self.transposed[0] else w.T), *found], z
        found = []
        for l in reversed(range(self.L)):
            if l > 0:
                found.append(d.sum(dim=0))
            found.append(self.weight_gradient(l, a[l], d))
            if l > 0:
                d = self.back[l](d, self.w[l].T, None, False)
                torch.ops.aten.threshold_backward.grad_input(d, a[l], 0, grad_input=d)
        return found[::-1], z


def loss_sum(z, y):
    if z.shape[1] == 1:
        return float(torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum"))
    return float(torch.nn.functional.cross_entropy(z, y, reduction="sum"))


def area_under_curve(scores, labels):
    """Of the ROC: the share of pairs of both classes in the right order, equal scores counting a half."""
    values, inverse, counts = torch.unique(scores.double(), return_inverse=True, return_counts=True)
    rank = (counts.cumsum(0) - (counts - 1) / 2)[inverse]
    positives = int(labels.sum())
    pairs = positives * (len(labels) - positives)
    return float((rank[labels == 1].sum() - positives * (positives + 1) / 2) / pairs) if pairs else None


# Training.


class Recorder:
    """The clock, which stands still during evaluations, and what these found."""

    def __init__(self, net, data):
        self.net, self.data, self.series = net, data, []
        self.wall = self.cpu = 0.0
        # The training loss is that of some 10,000 samples, the same ones every time.
        self.some = (data.train_x[:10_000], data.targets(data.train_y[:10_000]))
        self.start()

    def start(self):
        self.since = time.perf_counter(), time.process_time()

    def stop(self):
        self.wall += time.perf_counter() - self.since[0]
        self.cpu += time.process_time() - self.since[1]

    def evaluate(self, passes):
        self.stop()
        test = torch.cat([self.net.outputs(x) for x in self.data.test_x.split(TILE)])
        training = torch.cat([self.net.outputs(x) for x in self.some[0].split(TILE)])
        binary = self.data.classes == 2
        predicted = (test[:, 0] > 0).long() if binary else test.argmax(dim=1)
        entry = {
            "seconds": self.wall,
            "cpu_seconds": self.cpu,
            "passes": passes,
            "test_accuracy": float((predicted == self.data.test_y).double().mean()),
            "train_loss": loss_sum(training, self.some[1]) / len(training),
        }
        if binary:
            entry["test_auc"] = area_under_curve(test[:, 0], self.data.test_y)
        self.series.append(entry)
        self.start()


def due(passes, last):
    """Whether to evaluate after so many passes, having done so after `last`: often at the beginning, then every pass."""
    between = 1 / 16 if last < 2 else 1 / 4 if last < 5 else 1 / 2 if last < 10 else 1
    return passes >= last + between - 1e-9


def train_in_batches(net, data, settings, generator, recorder, every_pass=True):
    """Adam or SGD. settings: family, batch, rate, decay, decoupled, epochs."""
    family, batch, epochs, decay = (settings[key] for key in ("family", "batch", "epochs", "decay"))
    parameters = net.parameters
    targets = data.targets(data.train_y)
    samples = len(targets)
    per_epoch = max(1, samples // batch)
    batch = min(batch, samples)
    steps = epochs * per_epoch
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    counts = [torch.zeros(()) for _ in parameters]
    adam = torch._fused_adamw_ if settings.get("decoupled") else torch._fused_adam_
    x, y = data.train_x.new_empty(batch, data.train_x.shape[1]), targets.new_empty(batch, targets.shape[1])
    step, last = 0, 0.0
    recorder.start()
    for _ in range(epochs):
        order = torch.randperm(samples, generator=generator)
        for chosen in order[: per_epoch * batch].split(batch):
            torch.index_select(data.train_x, 0, chosen, out=x)
            torch.index_select(targets, 0, chosen, out=y)
            gradient, _ = net.gradient(x, y, batch)
            rate = settings["rate"] * (1 + math.cos(math.pi * step / steps)) / 2
            step += 1
            if family == "adam":
                torch._foreach_add_(counts, 1)
                adam(
                    parameters, gradient, first, second, [], counts, lr=rate, beta1=0.9, beta2=0.999,
                    weight_decay=decay, eps=1e-8, amsgrad=False, maximize=False,
                )  # fmt: skip
            else:
                torch._fused_sgd_(
                    parameters, gradient, first, weight_decay=decay, momentum=0.9, lr=rate, dampening=0.0,
                    nesterov=True, maximize=False, is_first_step=False,
                )  # fmt: skip
            passes = step * batch / samples
            if every_pass and due(passes, last) and step < steps:
                recorder.evaluate(passes)
                last = passes
        if not torch.isfinite(parameters[-1]).all():  # the rate is too high
            break
    recorder.evaluate(step * batch / samples)


def train_on_all(net, data, settings, recorder, every_pass=True):
    """L-BFGS. settings: decay, history, iterations. A pass is an evaluation of loss and gradient."""
    parameters = net.parameters
    targets = data.targets(data.train_y)
    samples, decay = len(targets), settings["decay"]
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=1, max_eval=10**9, history_size=settings["history"], line_search_fn="strong_wolfe",
        tolerance_grad=0, tolerance_change=0,
    )  # fmt: skip
    visited = []  # the latest points with their losses and gradients
    passes = 0

    def closure():
        # Every call of `step` begins with the point at which the former one ended: that was computed already.
        nonlocal passes
        for point, loss, gradient in visited:
            if all(map(torch.equal, point, parameters)):
                break
        else:
            passes += 1
            loss, gradient = 0.0, None
            for x, y in zip(data.train_x.split(TILE), targets.split(TILE)):
                part, z = net.gradient(x, y, samples)
                loss += loss_sum(z, y) / samples
                gradient = part if gradient is None else torch._foreach_add(gradient, part)
            if decay:
                loss += decay / 2 * float(sum(torch.sum(p.double() ** 2) for p in parameters))
                torch._foreach_add_(gradient, parameters, alpha=decay)
            visited.insert(0, ([p.clone() for p in parameters], loss, gradient))
            del visited[4:]
        for p, g in zip(parameters, gradient):
            p.grad = g.clone()
        return torch.tensor(loss, dtype=torch.float64)

    recorder.start()
    for iteration in range(1, settings["iterations"] + 1):
        before = passes
        optimizer.step(closure)
        ended = passes == before and iteration > 1  # no point better than this one was found
        last = ended or iteration == settings["iterations"]
        if last or every_pass and (iteration <= 100 or iteration % 5 == 0):
            recorder.evaluate(passes)
            recorder.series[-1]["iteration"] = iteration
        if ended:
            break


def train(data, hidden, settings, seed, every_pass=True):
    """The series of a run."""
    widths = data.widths(hidden)
    net = Net(widths, min(settings.get("batch", TILE), len(data.train_x)), seed)
    recorder = Recorder(net, data)
    if settings["family"] == "lbfgs":
        train_on_all(net, data, settings, recorder, every_pass)
    else:
        generator = torch.Generator().manual_seed(10_000 + seed)
        train_in_batches(net, data, settings, generator, recorder, every_pass)
    return recorder.series


# Tuning.


def accuracy(series):
    return series[-1]["test_accuracy"]


class Tuning:
    """What was tried on a held-out part of the training set, and how good it was."""

    def __init__(self, arrays, hidden, log):
        self.data, self.hidden, self.log = prepared(*held_out(*arrays[:2])), hidden, log
        self.found = {}

    def mean(self, settings, seeds):
        """Mean validation accuracy over seeds 0, 1, … of those, which are run if they have not been."""
        key = json.dumps(settings, sort_keys=True)
        known = self.found.setdefault(key, [])
        for seed in range(len(known), seeds):
            known.append(accuracy(train(self.data, self.hidden, settings, seed, every_pass=False)))
            if seed == seeds - 1:
                self.log(f"  {statistics.mean(known):.4f} ({seeds} seeds) {key}")
        return statistics.mean(known)

    def in_batches(self, method, grid, seeds, candidates):
        """The best settings for each number of epochs: all pairs of rate and decay once, the better ones with all seeds, the best at
        the other lengths. Rates beyond a grid of several are tried where the best is at its edge."""
        family, batch = method.split("-")
        lengths, rates, todo, tried = grid["epochs"], sorted(grid["rate"]), grid["rate"], []
        while todo:
            tried += [
                dict(family=family, batch=int(batch), rate=rate, decay=decay, decoupled=decoupled, epochs=lengths[0])
                for rate in todo
                for decoupled, decay in grid["decay"]
            ]
            tried.sort(key=lambda settings: self.mean(settings, 1), reverse=True)
            beyond = {rates[0]: rates[0] / 3, rates[-1]: rates[-1] * 3}
            todo = [float(f"{beyond[tried[0]['rate']]:.1g}")] if len(rates) > 1 and tried[0]["rate"] in beyond else []
            rates = sorted(rates + todo)
        tried = tried[: 2 * candidates]
        tried.sort(key=lambda settings: self.mean(settings, seeds), reverse=True)
        best = {}
        for length in lengths:
            of_length = [settings | {"epochs": length} for settings in tried[:candidates]]
            best[length] = max(of_length, key=lambda settings: self.mean(settings, seeds))
        return best

    def on_all(self, decays, iterations, seeds, history=100):
        """The best decay and number of iterations, which is chosen along the way."""
        best = None
        for decay in decays:
            settings = dict(family="lbfgs", decay=decay, history=history, iterations=iterations)
            curves = [
                {entry["iteration"]: entry["test_accuracy"] for entry in train(self.data, self.hidden, settings, seed)}
                for seed in range(seeds)
            ]
            common = set.intersection(*(set(curve) for curve in curves))
            at = max(common, key=lambda iteration: statistics.mean(curve[iteration] for curve in curves))
            mean = statistics.mean(curve[at] for curve in curves)
            self.log(f"  {mean:.4f} ({seeds} seeds) L-BFGS, decay {decay}, iteration {at} of {max(common)}")
            if best is None or mean > best[0]:
                best = mean, settings | {"iterations": at}
        return best


def tune(method, tuning, options):
    """What learning_settings.json says of a method."""
    family, seeds = method.split("-")[0], options.tuning_seeds
    if family == "lbfgs":
        fixed = {"lbfgs": [0], "lbfgs-1e-3": [1e-3]}
        mean, settings = tuning.on_all(fixed.get(method, options.decays or DECAYS_OF_LBFGS), options.iterations, seeds)
        return settings | {"validation_accuracy": mean}
    grid = dict(GRIDS[family])
    if options.rates:
        grid["rate"] = options.rates
    if options.decays:
        grid["decay"] = [(False, decay) for decay in options.decays]
    if options.decoupled and family == "adam":
        grid["decay"] = (grid["decay"] if options.decays else []) + [(True, decay) for decay in options.decoupled]
    if options.epochs:
        grid["epochs"] = options.epochs
    best = tuning.in_batches(method, grid, seeds, options.candidates)
    winner = max(best.values(), key=lambda settings: tuning.mean(settings, seeds))
    by_epochs = {
        str(length): {key: s[key] for key in ("rate", "decay", "decoupled")} | {"validation_accuracy": tuning.mean(s, seeds)}
        for length, s in sorted(best.items())
    }
    return winner | {"validation_accuracy": tuning.mean(winner, seeds), "by_epochs": by_epochs}


# Results.


def chosen_settings(settings, epochs):
    """Those of learning_settings.json without what it says besides; for another number of epochs those tuned for it."""
    plain = {key: value for key, value in settings.items() if key not in ("validation_accuracy", "by_epochs")}
    if epochs is None or plain["family"] == "lbfgs":
        return plain
    known = settings["by_epochs"]
    nearest = min(known, key=lambda length: abs(math.log(int(length) / epochs)))
    return plain | {key: known[nearest][key] for key in ("rate", "decay", "decoupled")} | {"epochs": epochs}


def summary(series, thresholds):
    best = max(series, key=lambda entry: entry["test_accuracy"])

    def first(threshold, clock):
        return next((entry[clock] for entry in series if entry["test_accuracy"] >= threshold), None)

    return {
        "best_test_accuracy": best["test_accuracy"],
        "last_test_accuracy": accuracy(series),
        "last_test_auc": series[-1].get("test_auc"),
        "seconds": series[-1]["seconds"],
        "cpu_seconds": series[-1]["cpu_seconds"],
        "seconds_to": {str(threshold): first(threshold, "seconds") for threshold in thresholds},
        "cpu_seconds_to": {str(threshold): first(threshold, "cpu_seconds") for threshold in thresholds},
    }


def table(results, thresholds):
    """Markdown: means over seeds; seconds to a threshold if most seeds reached it, medians."""
    lines = [
        "| method | best | last | AUC | seconds | CPU s | " + " | ".join(f"to {100 * t:g} %" for t in thresholds) + " |",
        "|---|" + "---:|" * (5 + len(thresholds)),
    ]

    def mean(runs, key, words="{:.2f}"):
        values = [run[key] for run in runs]
        return "" if None in values else words.format(statistics.mean(values))

    def reached(runs, threshold):
        values = [run["seconds_to"][str(threshold)] for run in runs]
        middle = sorted(math.inf if value is None else value for value in values)[len(values) // 2]
        return "" if math.isinf(middle) else f"{middle:.2f}"

    for method in dict.fromkeys(result["method"] for result in results):
        runs = [result for result in results if result["method"] == method]
        cells = [mean(runs, "best_test_accuracy", "{:.2%}"), mean(runs, "last_test_accuracy", "{:.2%}")]
        cells += [mean(runs, "last_test_auc", "{:.4f}"), mean(runs, "seconds"), mean(runs, "cpu_seconds")]
        cells += [reached(runs, threshold) for threshold in thresholds]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_settings(path, data_name, net_name, method, found):
    """Adds to the file what was found, in its place."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known.setdefault(data_name, {}).setdefault(net_name, {})[method] = found
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


# Tests.


def check():
    """Compares gradients with autograd's for nets of one and more layers and outputs, however their weights lie; whether all agree."""
    good = True
    for widths, samples in [([5, 1], 50), ([5, 7, 1], 50), ([6, 9, 5, 3], 60), ([12, 8, 6, 1], 40), ([28, 300, 1], 256), ([30, 20, 4], 70)]:
        net = Net(widths, samples, seed=1)
        x = torch.cat([torch.randn(samples, widths[0]), torch.ones(samples, 1)], dim=1)
        if widths[-1] == 1:
            y, loss = (torch.rand(samples, 1) > 0.5).float(), torch.nn.functional.binary_cross_entropy_with_logits
        else:
            y = torch.nn.functional.one_hot(torch.randint(widths[-1], (samples,)), widths[-1]).float()
            loss = torch.nn.functional.cross_entropy
        found, z = net.gradient(x, y, samples)
        with torch.enable_grad():
            parameters = [p.clone().requires_grad_() for p in net.parameters]
            rest, a = list(parameters), x
            for l in range(net.L):
                w = rest.pop(0)
                a = a @ (w if net.transposed[l] else w.T)
                if l > 0:
                    a = a + rest.pop(0)
                if l < net.L - 1:
                    a = torch.relu(a)
            value = loss(a, y)
            value.backward()
        far = max(float((p.grad - g).abs().max() / p.grad.abs().max()) for p, g in zip(parameters, found))
        far = max(far, abs(loss_sum(z, y) / samples - float(value.detach())))
        good &= far < 1e-4
        print(f"{'-'.join(map(str, widths))}: {far:.1e}{'' if far < 1e-4 else '  TOO FAR'}")
    return good


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="higgs", help="higgs, fashion-mnist, synthetic, or an .npz of train_x, train_y, test_x, test_y")
    parser.add_argument("--train", help="HIGGS: a CSV file, label first")
    parser.add_argument("--test", help="the same")
    parser.add_argument("--directory", default="/usr/share/datasets/fashion-mnist", help="Fashion-MNIST: where its IDX files are")
    parser.add_argument("--samples", type=int, default=20_000, help="of the synthetic data")
    parser.add_argument("--save", metavar="FILE", help="write the data as .npz and end")
    parser.add_argument("--hidden", type=int, nargs="*", help="hidden widths")
    parser.add_argument("--methods", nargs="+", default=METHODS, help=f"of {', '.join(METHODS)}; other batches too, such as adam-512")
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101, 102])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--thresholds", type=float, nargs="+", help="test accuracies to time")
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    parser.add_argument("--settings-of", nargs=2, metavar=("DATA", "NET"), help="take another net's, such as higgs 28-300-1")
    parser.add_argument("--epochs", type=int, nargs="+", help="other than the tuned number; with --tune, those to try")
    parser.add_argument("--output", metavar="FILE", help="write all results as JSON")
    parser.add_argument("--tune", action="store_true", help="find settings on a part of the training set and write them to --settings")
    parser.add_argument("--rates", type=float, nargs="+", help="to try")
    parser.add_argument("--decays", type=float, nargs="+", help="L2 to try")
    parser.add_argument("--decoupled", type=float, nargs="+", help="decoupled decays to try")
    parser.add_argument("--tuning-seeds", type=int, default=2, help="of which the mean decides in tuning")
    parser.add_argument("--candidates", type=int, default=4, help="pairs of rate and decay to try at other numbers of epochs")
    parser.add_argument("--iterations", type=int, default=500, help="the most that L-BFGS is given in tuning")
    parser.add_argument("--check", action="store_true", help="compare the gradients with autograd's and end")
    return parser.parse_args()


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    if options.check:
        sys.exit(0 if check() else 1)
    arrays = read_arrays(options)
    if options.save:
        np.savez(options.save, **dict(zip(("train_x", "train_y", "test_x", "test_y"), arrays)))
        return
    data_name = Path(options.data).stem
    hidden = options.hidden if options.hidden is not None else HIDDEN.get(data_name, [300])
    data = prepared(*arrays)
    net_name = "-".join(map(str, data.widths(hidden)))
    print(f"{data_name}, {net_name}, {len(data.train_x):,} samples, {options.threads} threads", flush=True)

    if options.tune:
        tuning = Tuning(arrays, hidden, functools.partial(print, flush=True))
        for method in options.methods:
            start = time.perf_counter()
            found = tune(method, tuning, options)
            write_settings(options.settings, data_name, net_name, method, found)
            print(f"{method}: {json.dumps(found)}, tuned in {time.perf_counter() - start:.0f} s", flush=True)
        return

    known = json.loads(options.settings.read_text()) if options.settings.exists() else {}
    of_data, of_net = options.settings_of or (data_name, net_name)
    known = known.get(of_data, {}).get(of_net, {})
    missing = [method for method in options.methods if method not in known]
    if missing:
        sys.exit(f"{options.settings.name} has no settings of {', '.join(missing)} for {of_data}, {of_net}: --tune finds them")
    thresholds = options.thresholds or THRESHOLDS.get(data_name, [0.7, 0.8, 0.9])
    load = machine.busy_cores()
    results = []
    for method in options.methods:
        lengths = [None] if method.startswith("lbfgs") else options.epochs or [None]
        for epochs in lengths:
            settings = chosen_settings(known[method], epochs)
            for seed in options.seeds:
                series = train(data, hidden, settings, seed)
                name = method if epochs is None else f"{method}, {epochs} epochs"
                results.append({"method": name, "seed": seed, "settings": settings} | summary(series, thresholds) | {"series": series})
            print(table(results, thresholds).splitlines()[-1], flush=True)
    print(f"\n{table(results, thresholds)}")
    if options.output:
        about = {
            "data": data_name,
            "net": net_name,
            "threads": options.threads,
            "pytorch": torch.__version__,
            "machine": machine.processor(),
            "busy_cores_before": load,
        }
        Path(options.output).write_text(json.dumps(about | {"results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()

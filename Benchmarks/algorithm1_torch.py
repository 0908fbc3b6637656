"""Algorithm 1 of Taylor et al. (2016) in PyTorch on a CPU, as fast as we could write it.

    python algorithm1_torch.py 28-300-1 1000000 [--plain]

What makes it fast, each found by measuring:

- Two processes of one thread on a core of their own, each with half of the samples, add up their sums by `torch.distributed`: twice as
  fast as one process, which two threads in one process are not, since they wait for each other at every step.
- Tiles: all steps are done to 2,000 samples while they are in the cache, in one pass over the samples. The updates of a_l come
  last in a sweep in place of first in the next. They read the same values as in the paper's order, so it is the same iteration; and
  then z_l is needed in its tile alone and never stored.
- Products by oneDNN, which PyTorch uses for layers but not for `mm`: on processors other than Intel's its kernels are twice as fast as
  MKL's. Layouts are what it likes best, x wᵀ of contiguous x and w. `fastest_product` tries both.
- The steps that go entry by entry are compiled into one loop (`torch.compile`); without a C++ compiler they run as written.
- a_0 a_0ᵀ is computed and factored once; of a_l a_lᵀ only the blocks of the upper triangle are; the a-update solves the smaller
  of its two systems, once for all samples.

`--plain` is PyTorch without most of these: two threads, whole matrices, `mm`, whole Gram matrices, nothing compiled. `check.py`
compares both with the reference of the tests.
"""

import os
import subprocess
import sys
import tempfile
import time

import torch
import torch.distributed

import rival

torch.set_grad_enabled(False)


# The product x wᵀ, in two ways.


def mm_product(x, w):
    return x @ w.T


def onednn_product(x, w):
    if len(x) == 1:  # for a single row mm is faster
        return x @ w.T
    return torch.ops.mkldnn._linear_pointwise(x, w, None, "none", [], "")


def fastest_product():
    x = torch.randn(300, 2000)
    best = {mm_product: float("inf"), onednn_product: float("inf")}
    for _ in range(50):
        for product in best:
            start = time.perf_counter()
            try:
                product(x, x)
            except (AttributeError, RuntimeError):  # a build without oneDNN
                continue
            best[product] = min(best[product], time.perf_counter() - start)
    return min(best, key=best.get)


# The steps that go entry by entry. h is ReLU, the loss is the hinge.


def hidden_outputs(a, m, beta: float, gamma: float):
    """The z that minimises γ (a − h(z))² + β (z − m)²: the better one of the minima on both sides of 0."""
    right = torch.relu((gamma * a + beta * m) / (gamma + beta))
    left = torch.clamp_max(m, 0)
    better = gamma * (a - right) ** 2 + beta * (right - m) ** 2 < gamma * a**2 + beta * (left - m) ** 2
    return torch.where(better, right, left)


def hidden_step(z, a, beta: float, gamma: float):
    """z ← its minimum, where z is m on entry; a ← h(z)"""
    new = hidden_outputs(a, z, beta, gamma)
    z.copy_(new)
    a.copy_(torch.relu(new))


def hidden_step_below_one(z, a, u, v, target, beta: float, gamma: float):
    """The same, then a ← h + u (target − vᵀ h): the whole update of a, where the next layer is a single unit."""
    new = hidden_outputs(a, z, beta, gamma)
    z.copy_(new)
    h = torch.relu(new)
    a.copy_(h + u * (target - (v * h).sum(dim=0, keepdim=True)))


def last_step(m, y, multiplier, step, beta: float):
    """The z that minimises max(1 − y z, 0) + λ z + β (z − m)²; λ ← λ + step (z − m)."""
    satisfied = m - multiplier / (2 * beta)
    violated = m + (y - multiplier) / (2 * beta)
    new = torch.where(y * satisfied >= 1, satisfied, torch.where(y * violated <= 1, violated, y))
    multiplier.copy_(multiplier + step * (new - m))
    return new


STEPS = hidden_step, hidden_step_below_one, last_step


def compiled_steps():
    """The steps, compiled, or as they are where that fails; and what to say of it."""
    steps = [torch.compile(step, dynamic=False) for step in STEPS]
    try:
        steps[0](*torch.ones(2, 8, 8), 1.0, 1.0)
    except Exception as error:  # what is raised depends on what is missing: a compiler, Python's headers
        return STEPS, f"steps not compiled ({type(error).__name__})"
    return steps, "steps compiled"


class Net:
    """The variables of Algorithm 1, cut into tiles, and one iteration of it.

    a0, y, a, z: start values as for `algorithm1_numpy.Net`, of this process's samples. steps: STEPS, or these compiled.
    product: (x, w) ↦ x wᵀ. tile: samples a tile. block: rows a block of the Gram matrices. reduce: adds up a tensor over processes.
    """

    def __init__(
        self, a0, y, a, z, beta=1.0, gamma=10.0, warm_start=10,
        *, steps=STEPS, product=mm_product, tile=10**9, block=10**9, reduce=lambda sums: None
    ):  # fmt: skip
        self.L = len(z)
        self.beta, self.gamma, self.warm_start = beta, gamma, warm_start
        self.hidden_step, self.hidden_step_below_one, self.last_step = steps
        self.product, self.block, self.reduce = product, block, reduce
        self.sweeps = 0

        def tiles(x, over_ones=False):
            x = torch.as_tensor(x)
            if over_ones:
                x = torch.cat([x, torch.ones(1, x.shape[1])])
            return [part.clone(memory_format=torch.contiguous_format) for part in x.split(tile, dim=1)]

        # a[l][t] is a_l of tile t over a row of ones.
        self.a = [tiles(a0, over_ones=True)] + [tiles(x, over_ones=True) for x in a]
        self.y = tiles(y)
        self.multiplier = [torch.zeros_like(part) for part in self.y]
        # a_0 again, a sample a row: what x wᵀ wants for W_1 a_0.
        self.a0_rows = [part.T.contiguous() for part in self.a[0]]
        self.tiles = range(len(self.y))

        # Sums over samples, in one tensor that is reduced: z_l a_{l−1}ᵀ, and of a_l a_lᵀ the upper triangle.
        d = [len(part[0]) for part in self.a] + [len(z[-1]) + 1]
        shapes = [(d[l] - 1, d[l - 1]) for l in range(1, self.L + 1)] + [(d[l], d[l]) for l in range(1, self.L)]
        self.all_sums = torch.zeros(sum(rows * columns for rows, columns in shapes))
        parts = self.all_sums.split([rows * columns for rows, columns in shapes])
        views = [part.view(shape) for part, shape in zip(parts, shapes)]
        self.sums, self.gram = [None] + views[: self.L], [torch.zeros(d[0], d[0])] + views[self.L :]
        for t in self.tiles:
            self.add_gram(0, t)
        reduce(self.gram[0])
        self.data_factor = torch.linalg.cholesky(self.gram[0].double(), upper=True)

        # The weights of the start values, which the first a-updates need, and these.
        self.W = [None] * (self.L + 1)
        self.U = [None] * self.L
        z = [None] + [tiles(x) for x in z]
        for t in self.tiles:
            self.add_sums([None] + [z[l][t] for l in range(1, self.L + 1)], t)
        self.solve()
        for t in self.tiles:
            of_tile = [None] + [z[l][t] for l in range(1, self.L + 1)]
            for l in range(1, self.L):
                torch.clamp_min(of_tile[l], 0, out=self.a[l][t][:-1])
                self.activations(l, of_tile[l + 1], t)
            self.add_sums(of_tile, t)

    def add_gram(self, l, t):
        a = self.a[l][t]
        for i in range(0, len(a), self.block):
            self.gram[l][i : i + self.block, i:] += self.product(a[i : i + self.block], a[i:])

    def add_sums(self, z, t):
        """What a tile adds to the sums."""
        for l in range(1, self.L + 1):
            self.sums[l] += self.product(z[l], self.a[l - 1][t])
            if l < self.L:
                self.add_gram(l, t)

    def solve(self):
        """W_l = z_l a_{l−1}ᵀ (a_{l−1} a_{l−1}ᵀ)⁻¹ from the sums, which start anew; the systems of the a-updates."""
        self.reduce(self.all_sums)
        for l in range(1, self.L + 1):
            factor = self.data_factor if l == 1 else torch.linalg.cholesky(self.gram[l - 1].double(), upper=True)
            W = torch.cholesky_solve(self.sums[l].double().T, factor, upper=True).T
            self.W[l] = W.float().contiguous()
            if l > 1:
                # a = h + U (z − b − V h) with U = Vᵀ (V Vᵀ + r I)⁻¹ = (VᵀV + r I)⁻¹ Vᵀ
                V, r = W[:, :-1], self.gamma / self.beta
                if V.shape[0] <= V.shape[1]:
                    U = torch.linalg.solve(V @ V.T + r * torch.eye(V.shape[0]), V).T
                else:
                    U = torch.linalg.solve(V.T @ V + r * torch.eye(V.shape[1]), V.T)
                self.U[l - 1] = U.float().contiguous()
        self.all_sums.zero_()

    def activations(self, l, target, t):
        """a_l of a tile, which holds h(z_l). target: z_{l+1}."""
        a = self.a[l][t]
        a[:-1] += self.product(self.U[l], (target - self.product(self.W[l + 1], a.T)).T)

    def visit(self, t):
        """All of a sweep but the weights, for one tile."""
        L, W, a = self.L, self.W, self.a
        # m_l, which becomes z_l in place.
        z = [None, self.product(W[1], self.a0_rows[t])] + [self.product(W[l], a[l - 1][t].T) for l in range(2, L + 1)]
        step = torch.tensor(self.beta if self.sweeps > self.warm_start else 0.0)  # a tensor: a number would be compiled in
        z[L] = self.last_step(z[L], self.y[t], self.multiplier[t], step, self.beta)
        for l in range(1, L):
            if l == L - 1 and len(W[L]) == 1:
                V, b = W[L][:, :-1], W[L][:, -1:]
                self.hidden_step_below_one(z[l], a[l][t][:-1], self.U[l], V.T, z[L] - b, self.beta, self.gamma)
            else:
                self.hidden_step(z[l], a[l][t][:-1], self.beta, self.gamma)
        for l in range(1, L):
            if l < L - 1 or len(W[L]) > 1:
                self.activations(l, z[l + 1], t)
        self.add_sums(z, t)

    def sweep(self):
        """One iteration of Algorithm 1, from its W to the next one's a."""
        self.solve()
        self.sweeps += 1
        for t in self.tiles:
            self.visit(t)


def fast_settings():
    """What `Net` is best given on this machine, and words for it."""
    product = fastest_product()
    steps, words = compiled_steps()
    names = {onednn_product: "products by oneDNN", mm_product: "products by mm"}
    return dict(steps=steps, product=product, tile=2000, block=96), f"{names[product]}, {words}"


def main():
    widths, samples = rival.arguments()
    if "--plain" in sys.argv:
        torch.set_num_threads(len(rival.CORES))
        net = Net(*rival.start_values(widths, samples), warm_start=0)
        rival.serve(f"PyTorch {torch.__version__}, plain: {len(rival.CORES)} threads, {blas()}", net.sweep)
        return

    # This process is rank 0 and starts the others, whose sweeps wait for its own in `reduce`.
    rank = int(sys.argv[4]) if "--rank" in sys.argv else 0
    meeting_point = sys.argv[5] if rank else tempfile.mktemp()
    ranks = len(rival.CORES)
    others = []
    if rank == 0:
        for other in range(1, ranks):
            command = [sys.executable, __file__, *sys.argv[1:3], "--rank", str(other), meeting_point]
            others.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
    os.sched_setaffinity(0, {rival.CORES[rank]})
    torch.set_num_threads(1)
    settings, words = fast_settings()
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting_point}", rank=rank, world_size=ranks)
    own = samples // ranks + (rank < samples % ranks)
    net = Net(*rival.start_values(widths, own), warm_start=0, reduce=torch.distributed.all_reduce, **settings)
    if rank > 0:
        while True:
            net.sweep()
    rival.serve(f"PyTorch {torch.__version__}: {ranks} processes of one thread, {words}, {blas()}", net.sweep)
    for other in others:
        other.kill()
        other.wait()


def blas():
    """The name and version of what `mm` calls."""
    lines = [line.strip(" -") for line in torch.__config__.show().splitlines() if "Math Kernel" in line]
    return lines[0].partition(" Product")[0].partition("-Product")[0] if lines else "no MKL"


if __name__ == "__main__":
    main()

"""Algorithm 1 of Taylor et al. (2016) in PyTorch on a CPU, as fast as we could write it.

    python algorithm1_torch.py 28-300-1 1000000 [--plain]

What makes it fast, each found by measuring:

- Tiles: all steps are done to 2,000 samples while they are in the cache.
- Products by oneDNN, which PyTorch uses for layers but not for `mm`: on processors other than Intel's its kernels are twice as fast as
  MKL's. Layouts are what it likes best, x wᵀ of contiguous x and w. `fastest_product` tries both.
- The steps that go entry by entry are compiled into one loop (`torch.compile`); without a C++ compiler they run as written.
- a_0 a_0ᵀ is computed and factored once; of a_l a_lᵀ only the blocks of the upper triangle are; the a-update solves the smaller
  of its two systems, once for all samples.
- z_1 a_0ᵀ is added up in the pass that makes z_1. The last layer's update waits for the next sweep's first pass, so that a net with
  one hidden layer goes through memory once a sweep. The order of the steps is the paper's.

`--plain` is PyTorch without these: whole matrices, `mm`, whole Gram matrices, nothing compiled. `check.py` compares both with the
reference of the tests.
"""

import sys
import time

import torch

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

    def seconds(product):
        try:
            product(x, x)
        except (AttributeError, RuntimeError):  # a build without oneDNN
            return float("inf")
        times = []
        for _ in range(20):
            start = time.perf_counter()
            product(x, x)
            times.append(time.perf_counter() - start)
        return min(times)

    return min(onednn_product, mm_product, key=seconds)


# The steps that go entry by entry. h is ReLU, the loss is the hinge.


def hidden_outputs(a, m, beta: float, gamma: float):
    """The z that minimises γ (a − h(z))² + β (z − m)²: the better one of the minima on both sides of 0."""
    right = torch.relu((gamma * a + beta * m) / (gamma + beta))
    left = torch.clamp_max(m, 0)
    better = gamma * (a - right) ** 2 + beta * (right - m) ** 2 < gamma * a**2 + beta * (left - m) ** 2
    return torch.where(better, right, left)


def hidden_step(a, z, m, p, beta: float, gamma: float):
    """a ← h(z) + p, then z ← its minimum."""
    new = torch.relu(z) + p
    a.copy_(new)
    z.copy_(hidden_outputs(new, m, beta, gamma))


def hidden_step_below_one(a, z, m, u, v, target, beta: float, gamma: float):
    """The same with p = u (target − vᵀ h(z)), where the next layer is a single unit."""
    h = torch.relu(z)
    new = h + u * (target - (v * h).sum(dim=0, keepdim=True))
    a.copy_(new)
    z.copy_(hidden_outputs(new, m, beta, gamma))


def last_step(z, m, y, multiplier, step, beta: float):
    """z ← argmin max(1 − y z, 0) + λ z + β (z − m)², then λ ← λ + step (z − m)."""
    satisfied = m - multiplier / (2 * beta)
    violated = m + (y - multiplier) / (2 * beta)
    new = torch.where(y * satisfied >= 1, satisfied, torch.where(y * violated <= 1, violated, y))
    z.copy_(new)
    multiplier.copy_(multiplier + step * (new - m))


STEPS = hidden_step, hidden_step_below_one, last_step


def compiled_steps():
    """The steps, compiled, or as they are where that fails; and what to say of it."""
    steps = [torch.compile(step, dynamic=False) for step in STEPS]
    try:
        steps[0](*torch.ones(4, 8, 8), 1.0, 1.0)
    except Exception as error:  # what is raised depends on what is missing: a compiler, Python's headers
        return STEPS, f"steps not compiled ({type(error).__name__})"
    return steps, "steps compiled"


class Net:
    """The variables of Algorithm 1, cut into tiles, and one iteration of it.

    a0, y, a, z: start values as for `algorithm1_numpy.Net`. steps: STEPS, or these compiled. product: (x, w) ↦ x wᵀ.
    tile: samples a tile. block: rows a block of the Gram matrices.
    """

    def __init__(
        self, a0, y, a, z, beta=1.0, gamma=10.0, warm_start=10, *, steps=STEPS, product=mm_product, tile=10**9, block=10**9
    ):
        self.L = len(z)
        self.beta, self.gamma, self.warm_start = beta, gamma, warm_start
        self.hidden_step, self.hidden_step_below_one, self.last_step = steps
        self.product, self.block = product, block
        self.sweeps = 0

        def tiles(x, over_ones=False):
            x = torch.as_tensor(x)
            if over_ones:
                x = torch.cat([x, torch.ones(1, x.shape[1])])
            return [part.clone(memory_format=torch.contiguous_format) for part in x.split(tile, dim=1)]

        # a[l][t] is a_l of tile t over a row of ones.
        self.a = [tiles(a0, over_ones=True)] + [tiles(x, over_ones=True) for x in a]
        self.z = [None] + [tiles(x) for x in z]
        self.y = tiles(y)
        self.multiplier = [torch.zeros_like(part) for part in self.y]
        # a_0 again, a sample a row: what x wᵀ wants for W_1 a_0.
        self.a0_rows = [part.T.contiguous() for part in self.a[0]]
        self.tiles = range(len(self.y))

        # The sums over samples, of which Gram matrices have only the upper triangle; the weights; what a-updates multiply with.
        def zeros(rows, columns):
            return torch.zeros(len(rows[0]), len(columns[0]))

        self.gram = [zeros(x, x) for x in self.a]
        self.sums = [None] + [zeros(self.z[l], self.a[l - 1]) for l in range(1, self.L + 1)]
        self.W = [None] * (self.L + 1)
        self.U = [None] * self.L
        for t in self.tiles:
            for l in range(self.L):
                self.add_gram(l, t)
                self.sums[l + 1] += product(self.z[l + 1][t], self.a[l][t])
        self.data_factor = torch.linalg.cholesky(self.gram[0].double(), upper=True)
        for l in range(2, self.L + 1):
            self.solve(l)

    def add_gram(self, l, t):
        a = self.a[l][t]
        for i in range(0, len(a), self.block):
            self.gram[l][i : i + self.block, i:] += self.product(a[i : i + self.block], a[i:])

    def solve(self, l):
        """W_l = z_l a_{l−1}ᵀ (a_{l−1} a_{l−1}ᵀ)⁻¹ from the sums, which start anew; then the system of the a_{l−1}-update."""
        factor = self.data_factor if l == 1 else torch.linalg.cholesky(self.gram[l - 1].double(), upper=True)
        W = torch.cholesky_solve(self.sums[l].double().T, factor, upper=True).T
        self.W[l] = W.float().contiguous()
        self.sums[l].zero_()
        if l > 1:
            self.gram[l - 1].zero_()
            # a = h + U (z − b − V h) with U = Vᵀ (V Vᵀ + r I)⁻¹ = (VᵀV + r I)⁻¹ Vᵀ
            V, r = W[:, :-1], self.gamma / self.beta
            if V.shape[0] <= V.shape[1]:
                U = torch.linalg.solve(V @ V.T + r * torch.eye(V.shape[0]), V).T
            else:
                U = torch.linalg.solve(V.T @ V + r * torch.eye(V.shape[1]), V.T)
            self.U[l - 1] = U.float().contiguous()

    def hidden_layer(self, l, t):
        """a_l and z_l of tile t, and their part of the sums."""
        a, z, target, W = self.a[l][t], self.z[l][t], self.z[l + 1][t], self.W[l + 1]
        m = self.product(self.W[l], self.a0_rows[t] if l == 1 else self.a[l - 1][t].T)
        if len(W) == 1:
            u, v, b = self.U[l], W[:, :-1].T, W[:, -1:]
            self.hidden_step_below_one(a[:-1], z, m, u, v, target - b, self.beta, self.gamma)
        else:
            torch.clamp_min(z, 0, out=a[:-1])
            p = self.product(self.U[l], (target - self.product(W, a.T)).T)
            self.hidden_step(a[:-1], z, m, p, self.beta, self.gamma)
        self.add_gram(l, t)
        self.sums[l + 1] += self.product(target, a)
        if l == 1:
            self.sums[1] += self.product(z, self.a[0][t])

    def last_layer(self, t):
        """z_L and λ of tile t."""
        m = self.product(self.W[self.L], self.a[self.L - 1][t].T)
        step = torch.tensor(self.beta if self.sweeps > self.warm_start else 0.0)  # a tensor: a number would be compiled in
        self.last_step(self.z[self.L][t], m, self.y[t], self.multiplier[t], step, self.beta)

    def sweep(self):
        """One iteration of Algorithm 1: the last layer's update of the iteration before, then this one's others."""
        for l in range(1, self.L):
            self.solve(l)
            for t in self.tiles:
                if l == 1 and self.sweeps > 0:
                    self.last_layer(t)
                self.hidden_layer(l, t)
        self.solve(self.L)
        self.sweeps += 1

    def finish(self):
        """The update that the last sweep has left to the next one."""
        for t in self.tiles:
            self.last_layer(t)


def fast_settings():
    """What `Net` is best given on this machine, and words for it."""
    product = fastest_product()
    steps, words = compiled_steps()
    names = {onednn_product: "products by oneDNN", mm_product: "products by mm"}
    return dict(steps=steps, product=product, tile=2000, block=96), f"{names[product]}, {words}"


if __name__ == "__main__":
    torch.set_num_threads(rival.THREADS)
    widths, samples = rival.arguments()
    settings, words = ({}, "plain") if "--plain" in sys.argv else fast_settings()
    net = Net(*rival.start_values(widths, samples), warm_start=0, **settings)
    blas = next(line.strip(" -") for line in torch.__config__.show().splitlines() if "Math Kernel" in line or "BLAS" in line)
    rival.serve(f"PyTorch {torch.__version__}, {words}; {blas}; {torch.get_num_threads()} threads", net.sweep)

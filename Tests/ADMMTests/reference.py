"""Algorithm 1 of Taylor et al. (2016) in double precision, written to be read and not to be fast.

    reference.py INPUT.json OUTPUT.json

The other side of ReferenceTests.swift: it shares no code, no method and no precision with the program. Full matrices, one plain
line a formula; each update is a direct solve, or a bisection on a derivative where the program has a closed form.

INPUT: an object with
    a0           d_0 x N, the data; y: d_L x N, the targets (+-1, one-hot for the joint losses, or real numbers)
    activation, loss, bias (true or false), beta [L], gamma [L-1], ridge, dual_step
    warm_start   the number of sweeps in which lambda stays 0; multiplier: whether lambda is updated at all
    a, z         start values: lists of a_1 ... a_{L-1} and z_1 ... z_L
    sweeps       after how many sweeps to report, for instance [1, 5, 10]
OUTPUT: a list with an object for each of `sweeps`: W (the last column is the bias, 0 without one), a, z, lambda, objective.
All matrices are lists of rows; a sample is a column.
"""

import json
import sys

import numpy as np

# h as pieces (from, to, slope, intercept).
PIECES = {
    "relu": [(-np.inf, 0, 0, 0), (0, np.inf, 1, 0)],
    "leaky_relu": [(-np.inf, 0, 0.01, 0), (0, np.inf, 1, 0)],
    "hard_tanh": [(-np.inf, -1, 0, -1), (-1, 1, 1, 0), (1, np.inf, 0, 1)],
    "hard_sigmoid": [(-np.inf, -1, 0, 0), (-1, 1, 0.5, 0.5), (1, np.inf, 0, 1)],
    "identity": [(-np.inf, np.inf, 1, 0)],
}


def sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


SMOOTH = {"tanh": np.tanh, "sigmoid": sigmoid, "silu": lambda z: z * sigmoid(z)}


def h(name, z):
    if name in SMOOTH:
        return SMOOTH[name](z)
    if name == "relu":
        return np.maximum(z, 0)
    if name == "leaky_relu":
        return np.where(z > 0, z, 0.01 * z)
    if name == "hard_tanh":
        return np.clip(z, -1, 1)
    if name == "hard_sigmoid":
        return np.clip((z + 1) / 2, 0, 1)
    if name == "identity":
        return z
    raise ValueError(name)


def hidden_outputs(name, a, m, beta, gamma):
    """argmin over z of gamma (a - h(z))^2 + beta (z - m)^2: the best of every piece's own minimiser."""
    if name in SMOOTH:
        return lowest(lambda z: gamma * (a - h(name, z)) ** 2 + beta * (z - m) ** 2, m, a - h(name, m), beta, gamma)
    best, least = None, None
    for start, end, slope, intercept in PIECES[name]:
        stationary = (gamma * slope * (a - intercept) + beta * m) / (gamma * slope**2 + beta)
        z = np.clip(stationary, start, end)
        value = gamma * (a - h(name, z)) ** 2 + beta * (z - m) ** 2
        if best is None:
            best, least = z, value
        else:
            best, least = np.where(value < least, z, best), np.minimum(value, least)
    return best


def lowest(f, m, residual, beta, gamma):
    """The lowest point of f, entry by entry, by a grid that becomes finer around the best: nothing beyond the grid is as low as f(m)."""
    reach = np.sqrt(gamma / beta) * abs(residual)
    best, least = m, f(m)
    for points in [2000] + [40] * 8:
        center = m if points == 2000 else best
        for k in range(-points // 2, points // 2 + 1):
            z = center + reach * (2 * k / points)
            value = f(z)
            best, least = np.where(value < least, z, best), np.minimum(value, least)
        reach = reach * (4 / points)
    return best


def loss_value(name, z, y):
    """The loss, summed over samples (and, for the losses of one entry, over outputs)."""
    if name == "hinge":
        return np.maximum(1 - y * z, 0).sum()
    if name == "squared_hinge":
        return (np.maximum(1 - y * z, 0) ** 2).sum()
    if name == "square":
        return ((z - y) ** 2).sum()
    if name == "huber":
        r = abs(z - y)
        return np.where(r <= 1, r**2, 2 * r - 1).sum()
    if name == "logistic":
        return np.logaddexp(0, -y * z).sum()
    own = (y * z).sum(axis=0)
    if name == "softmax":
        largest = z.max(axis=0)
        return (np.log(np.exp(z - largest).sum(axis=0)) + largest - own).sum()
    if name == "multiclass_hinge":
        return ((z + (1 - y)).max(axis=0) - own).sum()
    raise ValueError(name)


def loss_slope(name, z, y):
    """The derivative of the loss of one entry; at a kink one of its values."""
    if name == "hinge":
        return np.where(y * z < 1, -y, 0.0)
    if name == "squared_hinge":
        return -2 * y * np.maximum(1 - y * z, 0)
    if name == "square":
        return 2 * (z - y)
    if name == "huber":
        return 2 * np.clip(z - y, -1, 1)
    if name == "logistic":
        return -y / (1 + np.exp(np.clip(y * z, -700, 700)))
    raise ValueError(name)


def root(f, low, high):
    """The zero of an increasing f, entry by entry, by bisection; f may jump over it."""
    while (f(low) > 0).any():
        low = low - 2 * (high - low)
    while (f(high) < 0).any():
        high = high + 2 * (high - low)
    for _ in range(100):
        middle = (low + high) / 2
        above = f(middle) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def softmax_column(m, y, multiplier, beta):
    """Newton's method with the whole Hessian, until the gradient is gone."""
    z = m.copy()
    for _ in range(100):
        p = np.exp(z - z.max())
        p /= p.sum()
        gradient = p - y + multiplier + 2 * beta * (z - m)
        if np.linalg.norm(gradient) < 1e-12 * (1 + np.linalg.norm(multiplier) + beta * np.linalg.norm(m)):
            return z
        step = np.linalg.solve(np.diag(p + 2 * beta) - np.outer(p, p), gradient)

        def value(x):
            return loss_value("softmax", x[:, None], y[:, None]) + x @ multiplier + beta * (x - m) @ (x - m)

        # Near the minimum the values differ by rounding alone: there the full step is right.
        length, limit = 1.0, value(z) + 1e-13 * (1 + abs(value(z)))
        while value(z - length * step) > limit:
            length /= 2
        z = z - length * step
    return z


def multiclass_hinge(m, y, multiplier, beta):
    """With t the largest z_j + [j is not the class] of a column, each z_j goes as near to its own minimiser as t allows."""
    slope = multiplier - y
    free = m - slope / (2 * beta)
    offset = 1 - y

    def derivative(t):
        bound = t - offset
        return 1 + np.where(free > bound, slope + 2 * beta * (bound - m), 0).sum(axis=0)

    t = root(derivative, free.min(axis=0) - 1, free.max(axis=0) + 2)
    return np.minimum(free, t - offset)


def last_outputs(name, m, y, multiplier, beta):
    """argmin over z of loss(z, y) + <z, lambda> + beta |z - m|^2."""
    if name == "softmax":
        return np.array([softmax_column(m[:, n], y[:, n], multiplier[:, n], beta) for n in range(m.shape[1])]).T
    if name == "multiclass_hinge":
        return multiclass_hinge(m, y, multiplier, beta)
    return root(lambda z: loss_slope(name, z, y) + multiplier + 2 * beta * (z - m), m - 1, m + 1)


class Net:
    def __init__(self, problem):
        self.p = problem
        self.L = len(problem["z"])
        self.a = [np.array(problem["a0"], float)] + [np.array(a, float) for a in problem["a"]]
        self.z = [None] + [np.array(z, float) for z in problem["z"]]
        self.y = np.array(problem["y"], float)
        self.beta = [None] + problem["beta"]
        self.gamma = [None] + problem["gamma"]
        self.multiplier = np.zeros_like(self.z[self.L])
        self.W = [None] * (self.L + 1)
        for l in range(2, self.L + 1):
            self.W[l] = self.weights(l)

    def inputs(self, l):
        """a_{l-1}, over a row of ones if there is a bias."""
        a = self.a[l - 1]
        return np.vstack([a, np.ones((1, a.shape[1]))]) if self.p["bias"] else a

    def m(self, l):
        return self.W[l] @ self.inputs(l)

    def weights(self, l):
        a = self.inputs(l)
        gram = a @ a.T
        ridge = self.p["ridge"] * np.trace(gram) / len(gram)
        return np.linalg.solve(gram + ridge * np.eye(len(gram)), a @ self.z[l].T).T

    def activations(self, l):
        beta, gamma = self.beta[l + 1], self.gamma[l]
        V = self.W[l + 1][:, : len(self.a[l])]
        b = self.W[l + 1][:, len(self.a[l]) :].sum(axis=1, keepdims=True)
        right = beta * V.T @ (self.z[l + 1] - b) + gamma * h(self.p["activation"], self.z[l])
        return np.linalg.solve(beta * V.T @ V + gamma * np.eye(V.shape[1]), right)

    def sweep(self, number):
        L, p = self.L, self.p
        for l in range(1, L):
            self.W[l] = self.weights(l)
            self.a[l] = self.activations(l)
            self.z[l] = hidden_outputs(p["activation"], self.a[l], self.m(l), self.beta[l], self.gamma[l])
        self.W[L] = self.weights(L)
        self.z[L] = last_outputs(p["loss"], self.m(L), self.y, self.multiplier, self.beta[L])
        if p["multiplier"] and number > p["warm_start"]:
            self.multiplier = self.multiplier + p["dual_step"] * self.beta[L] * (self.z[L] - self.m(L))

    def objective(self):
        value = loss_value(self.p["loss"], self.z[self.L], self.y) + (self.z[self.L] * self.multiplier).sum()
        for l in range(1, self.L + 1):
            value += self.beta[l] * ((self.z[l] - self.m(l)) ** 2).sum()
        for l in range(1, self.L):
            value += self.gamma[l] * ((self.a[l] - h(self.p["activation"], self.z[l])) ** 2).sum()
        return value

    def report(self):
        def with_bias_column(W, width):
            return np.hstack([W, np.zeros((len(W), width + 1 - W.shape[1]))])

        return {
            "W": [with_bias_column(self.W[l], len(self.a[l - 1])).tolist() for l in range(1, self.L + 1)],
            "a": [a.tolist() for a in self.a[1:]],
            "z": [z.tolist() for z in self.z[1:]],
            "lambda": self.multiplier.tolist(),
            "objective": self.objective(),
        }


def main():
    with open(sys.argv[1]) as file:
        problem = json.load(file)
    net = Net(problem)
    reports = []
    for number in range(1, max(problem["sweeps"]) + 1):
        net.sweep(number)
        if number in problem["sweeps"]:
            reports.append(net.report())
    with open(sys.argv[2], "w") as file:
        json.dump(reports, file)


if __name__ == "__main__":
    main()

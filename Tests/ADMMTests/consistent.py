"""ADMM with a multiplier on every constraint (docs/accelerated.md) in double precision, written to be read and not to be fast.

    consistent.py INPUT.json OUTPUT.json

The other side of ConsistentTests.swift: it shares no code with the program. Every a_l and z_l is stored, each update is the formula of
the page, and minimisers come from bisection or from Newton's method (reference.py).

INPUT: an object with
    a0           d_0 x N, the data; y: d_L x N, the targets
    activation, loss, bias, W (start weights; the last column is the bias)
    beta, l2, proximal, momentum, safeguard
    sweeps       after how many sweeps to report
OUTPUT: a list with an object for each of `sweeps`: W, the objective before the sweep's weight step, the largest residual.
"""

import json
import sys

import numpy as np
from reference import h, hidden_outputs, last_outputs, loss_value


def largest_singular_value(V):
    """Twenty steps of the power iteration from fixed numbers: the penalties need a few digits and always the same ones."""
    x = 1 + 0.1 * (np.arange(len(V)) % 7)
    value = 0.0
    for _ in range(20):
        x = V @ (V.T @ (x / np.linalg.norm(x)))
        value = np.sqrt(np.linalg.norm(x))
    return value


class Net:
    def __init__(self, p):
        self.p = p
        self.L = len(p["W"])
        self.f = [np.array(p["a0"], float)] + [None] * (self.L - 1)
        self.y = np.array(p["y"], float)
        self.N = self.y.shape[1]
        self.W = [None] + [np.array(W, float) for W in p["W"]]
        if not p["bias"]:
            self.W = [None] + [W[:, :-1] for W in self.W[1:]]
        self.M = [None] + [np.zeros_like(W) for W in self.W[1:]]
        self.u = [None] + [np.zeros((len(W), self.N)) for W in self.W[1:]]
        self.v = [None] + [np.zeros((len(W), self.N)) for W in self.W[1:-1]]
        self.gram = [None] * (self.L + 1)
        self.beta = None
        self.scale = 1.0
        self.objective = np.inf
        self.residual = 0.0
        self.next_grams = 0

    def width(self, l):
        return len(self.f[0]) if l == 0 else len(self.W[l])

    def V(self, l):
        return self.W[l][:, : self.width(l - 1)]

    def b(self, l):
        return self.W[l][:, self.width(l - 1) :].sum(axis=1, keepdims=True)

    def inputs(self, l):
        return np.vstack([self.f[l - 1], np.ones((1, self.N))]) if self.p["bias"] else self.f[l - 1]

    def set_penalties(self):
        """beta_L, and down from it; multipliers times penalties stay what they are."""
        beta = [None] * (self.L + 1)
        beta[self.L] = self.p["beta"] * self.scale
        for l in range(self.L - 1, 0, -1):
            V = self.V(l + 1)
            factor = 0.5 * largest_singular_value(V) * np.linalg.norm(V) / np.sqrt(len(V))
            beta[l] = beta[l + 1] * max(0.25, factor)
        if self.beta is not None:
            for l in range(1, self.L + 1):
                self.u[l] = self.u[l] * self.beta[l] / beta[l]
                if l < self.L:
                    self.v[l] = self.v[l] * self.beta[l] / beta[l]
        self.beta = beta

    def sweep(self, number):
        p, L = self.p, self.L
        self.set_penalties()
        beta = self.beta
        m = [None] * (L + 1)
        for l in range(1, L + 1):
            m[l] = self.W[l] @ self.inputs(l)
            if l < L:
                self.f[l] = h(p["activation"], m[l])
        former, self.objective = self.objective, loss_value(p["loss"], m[L], self.y) / self.N
        self.objective += 0.5 * p["l2"] * sum((self.V(l) ** 2).sum() for l in range(1, L + 1))

        z = [None] * (L + 1)
        z[L] = last_outputs(p["loss"], m[L] - self.u[L], self.y, np.zeros_like(m[L]), beta[L])
        self.u[L] = self.u[L] + z[L] - m[L]
        self.residual = 0.0
        for l in range(L - 1, 0, -1):
            V, r = self.V(l + 1), beta[l] / beta[l + 1]
            t = self.f[l] - self.v[l]
            target = z[l + 1] + self.u[l + 1] - self.b(l + 1) - V @ t
            a = t + V.T @ np.linalg.solve(V @ V.T + r * np.eye(len(V)), target)
            self.v[l] = self.v[l] + a - self.f[l]
            z[l] = hidden_outputs(p["activation"], a + self.v[l], m[l] - self.u[l], beta[l], beta[l])
            self.u[l] = self.u[l] + z[l] - m[l]
            norm = np.linalg.norm(self.f[l])
            if norm > 0:
                self.residual = max(self.residual, np.linalg.norm(a - self.f[l]) / norm)

        if number == 0:
            self.gram[1] = self.inputs(1) @ self.inputs(1).T / self.N
        if number == self.next_grams:
            for l in range(2, L + 1):
                self.gram[l] = self.inputs(l) @ self.inputs(l).T / self.N
            self.decays = [None] + [p["l2"] / (2 * b) for b in beta[1:]]
            self.next_grams = {0: 1, 1: 2, 2: 4, 4: 8}.get(number, number + 5)
        if p["safeguard"]:
            if self.objective > former:
                self.M = [None] + [np.zeros_like(M) for M in self.M[1:]]
                self.scale = min(1.5 * self.scale, 100)
            elif self.residual > 0.01:
                self.scale *= 1.05
            else:
                self.scale = max(0.98 * self.scale, 1e-3)
        for l in range(1, L + 1):
            x, G = self.inputs(l), self.gram[l]
            decay = self.W[l] * p["l2"] / (2 * beta[l])
            decay[:, self.width(l - 1) :] = 0
            change = (z[l] + self.u[l] - m[l]) @ x.T / self.N - decay
            rho = p["proximal"] * np.trace(G) / len(G)
            trained = np.diag([1.0] * self.width(l - 1) + [0.0] * (len(G) - self.width(l - 1)))
            D = np.linalg.solve(G + rho * np.eye(len(G)) + self.decays[l] * trained, change.T).T
            self.M[l] = p["momentum"] * self.M[l] + D
            self.W[l] = self.W[l] + p["momentum"] * self.M[l] + D

    def report(self):
        def with_bias(W, width):
            return np.hstack([W, np.zeros((len(W), width + 1 - W.shape[1]))]).tolist()

        return {
            "W": [with_bias(self.W[l], self.width(l - 1)) for l in range(1, self.L + 1)],
            "objective": self.objective,
            "residual": self.residual,
        }


def main():
    with open(sys.argv[1]) as file:
        problem = json.load(file)
    net = Net(problem)
    reports = []
    for number in range(max(problem["sweeps"])):
        net.sweep(number)
        if number + 1 in problem["sweeps"]:
            reports.append(net.report())
    with open(sys.argv[2], "w") as file:
        json.dump(reports, file)


if __name__ == "__main__":
    main()

"""Method `accelerated` on blocks (docs/accelerated.md) in double precision, written to be read and not to be fast.

    accelerated.py INPUT.json OUTPUT.json

The other side of AcceleratedTests.swift: it shares no code with the program.

INPUT: an object with
    a0           d_0 x N, the data; y: d_L x N, the targets
    activation, loss, bias, W (start weights; the last column is the bias)
    form         quasi_newton (the gradient) or momentum (the updates of Algorithm 1); beta, r: its penalties
    l2, ridge, step, momentum
    keep         the share of the hidden layers' Gram matrices that a refresh keeps
    restarts     whether a rise of the objective ends the momentum
    blocks       a list of samples for each step
OUTPUT: W, the average of the weights that steps began from; objectives, one of each step.
"""

import json
import os
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "ADMMTests"))
from reference import h, last_outputs, loss_slope, loss_value, sigmoid


def slope(name, z):
    if name == "relu":
        return (z > 0).astype(float)
    if name == "leaky_relu":
        return np.where(z > 0, 1, 0.01)
    if name == "hard_tanh":
        return (abs(z) < 1).astype(float)
    if name == "hard_sigmoid":
        return np.where(abs(z) < 1, 0.5, 0)
    if name == "identity":
        return np.ones_like(z)
    if name == "tanh":
        return 1 - np.tanh(z) ** 2
    if name == "sigmoid":
        return sigmoid(z) * sigmoid(-z)
    if name == "silu":
        return sigmoid(z) * (1 + z * sigmoid(-z))
    raise ValueError(name)


def slope_of_loss(name, z, y):
    if name == "softmax":
        p = np.exp(z - z.max(axis=0))
        return p / p.sum(axis=0) - y
    return loss_slope(name, z, y)


class Net:
    def __init__(self, p):
        self.p = p
        self.L = len(p["W"])
        self.a0, self.y = np.array(p["a0"], float), np.array(p["y"], float)
        self.W = [np.array(W, float) if p["bias"] else np.array(W, float)[:, :-1] for W in p["W"]]
        self.M = [np.zeros_like(W) for W in self.W]
        self.mean = [W.copy() for W in self.W]
        x = self.inputs(self.a0)
        self.gram = [x @ x.T / x.shape[1]] + [None] * (self.L - 1)
        self.steps, self.next_grams = 0, 0
        self.objectives = []

    def inputs(self, a):
        return np.vstack([a, np.ones((1, a.shape[1]))]) if self.p["bias"] else a

    def V(self, k):
        return self.W[k][:, :-1] if self.p["bias"] else self.W[k]

    def direction(self, samples):
        """The objective over some samples, the sums' change of the weights without a metric, and the layers' inputs."""
        p, n = self.p, len(samples)
        x, z = [self.inputs(self.a0[:, samples])], []
        for k in range(self.L):
            z.append(self.W[k] @ x[k])
            if k < self.L - 1:
                x.append(self.inputs(h(p["activation"], z[k])))
        y = self.y[:, samples]
        f = loss_value(p["loss"], z[-1], y) / n + 0.5 * p["l2"] * sum((self.V(k) ** 2).sum() for k in range(self.L))
        if p["form"] == "momentum":
            delta = z[-1] - last_outputs(p["loss"], z[-1], y, np.zeros_like(y), p["beta"])
        else:
            delta = slope_of_loss(p["loss"], z[-1], y)
        g = [None] * self.L
        for k in range(self.L - 1, -1, -1):
            decay = p["l2"] * self.W[k]
            decay[:, self.V(k).shape[1] :] = 0
            g[k] = delta @ x[k].T / n + decay
            if k > 0:
                V = self.V(k)
                if p["form"] == "momentum":
                    delta = np.linalg.solve(V @ V.T + p["r"] * np.eye(len(V)), delta)
                delta = slope(p["activation"], z[k - 1]) * (V.T @ delta)
        return f, g, x

    def step(self, samples):
        p = self.p
        f, g, x = self.direction(samples)
        if self.steps >= self.next_grams:
            keep = p["keep"] if self.steps > 0 else 0
            for k in range(1, self.L):
                new = x[k] @ x[k].T / len(samples)
                self.gram[k] = new if keep == 0 else keep * self.gram[k] + (1 - keep) * new
            self.next_grams = self.steps + min(max(3 * self.steps, 1), 64)
        share = 5 / (self.steps + 5)
        for k in range(self.L):
            G = self.gram[k]
            rho = p["ridge"] * np.trace(G) / len(G)
            D = np.linalg.solve(G + rho * np.eye(len(G)), g[k].T).T
            self.mean[k] = self.mean[k] + share * (self.W[k] - self.mean[k])
            self.M[k] = p["momentum"] * self.M[k] + p["step"] * D
            self.W[k] = self.W[k] - (p["momentum"] * self.M[k] + p["step"] * D)
        if p["restarts"] and self.objectives and f > self.objectives[-1]:
            self.M = [np.zeros_like(M) for M in self.M]
        self.steps += 1
        self.objectives.append(f)

    def with_bias(self, W):
        return W.tolist() if self.p["bias"] else np.hstack([W, np.zeros((len(W), 1))]).tolist()


def main():
    with open(sys.argv[1]) as file:
        net = Net(json.load(file))
    for samples in net.p["blocks"]:
        net.step(samples)
    report = {
        "W": [net.with_bias(W) for W in net.mean],
        "objectives": net.objectives,
    }
    with open(sys.argv[2], "w") as file:
        json.dump(report, file)


if __name__ == "__main__":
    main()

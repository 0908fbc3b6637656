"""Algorithm 1 of Taylor et al. (2016) in NumPy: whole matrices in single precision, each step as the paper prints it.

This is what someone who knows NumPy well writes first. A sample is a column. Sums over samples go through BLAS with all the threads
it has; a_0 a_0ᵀ, which never changes, is computed once; the systems are small and solved in double precision.
Hinge loss, ReLU, biases; `check.py` compares it with the reference of the tests.
"""

import numpy as np

import rival


class Net:
    """The variables of Algorithm 1 and one iteration of it.

    a0: d_0 × N, the data. y: d_L × N, targets of ±1. a, z: start values of a_1 … a_{L−1} and z_1 … z_L.
    """

    def __init__(self, a0, y, a, z, beta=1.0, gamma=10.0, warm_start=10):
        self.ones = np.ones((1, a0.shape[1]), np.float32)
        self.a, self.z, self.y = [a0, *a], [None, *z], y
        self.L = len(z)
        self.beta, self.gamma, self.warm_start = np.float32(beta), np.float32(gamma), warm_start
        self.multiplier = np.zeros_like(y)
        self.sweeps = 0
        inputs = self.inputs(1)
        self.data_gram = inputs @ inputs.T
        self.W = [None] * (self.L + 1)
        for l in range(2, self.L + 1):
            self.W[l] = self.weights(l)

    def inputs(self, l):
        """a_{l−1} over a row of ones, which W_l multiplies."""
        return np.vstack([self.a[l - 1], self.ones])

    def weights(self, l):
        """W_l = z_l a_{l−1}ᵀ (a_{l−1} a_{l−1}ᵀ)⁻¹"""
        inputs = self.inputs(l)
        gram = self.data_gram if l == 1 else inputs @ inputs.T
        product = inputs @ self.z[l].T
        return np.linalg.solve(gram.astype(np.float64), product.astype(np.float64)).T.astype(np.float32)

    def activations(self, l):
        """a_l = (β VᵀV + γ I)⁻¹ (β Vᵀ (z_{l+1} − b) + γ h(z_l)), W_{l+1} = [V b]"""
        V, b = self.W[l + 1][:, :-1], self.W[l + 1][:, -1:]
        inverse = np.linalg.inv(self.beta * V.T @ V + self.gamma * np.eye(V.shape[1], dtype=np.float32))
        return inverse @ (self.beta * V.T @ (self.z[l + 1] - b) + self.gamma * np.maximum(self.z[l], 0))

    def outputs(self, l):
        """z_l = argmin γ (a_l − h(z))² + β (z − m)², m = W_l a_{l−1}: the better one of the minima on both sides of 0."""
        a, beta, gamma = self.a[l], self.beta, self.gamma
        m = self.W[l] @ self.inputs(l)
        right = np.maximum((gamma * a + beta * m) / (gamma + beta), 0)
        left = np.minimum(m, 0)
        value_right = gamma * (a - right) ** 2 + beta * (right - m) ** 2
        value_left = gamma * a**2 + beta * (left - m) ** 2
        return np.where(value_right < value_left, right, left)

    def last_outputs(self, m):
        """z_L = argmin max(1 − y z, 0) + λ z + β (z − m)², entry by entry."""
        y, multiplier, beta = self.y, self.multiplier, self.beta
        satisfied = m - multiplier / (2 * beta)
        violated = m + (y - multiplier) / (2 * beta)
        return np.where(y * satisfied >= 1, satisfied, np.where(y * violated <= 1, violated, y))

    def sweep(self):
        """One iteration of Algorithm 1."""
        L = self.L
        for l in range(1, L):
            self.W[l] = self.weights(l)
            self.a[l] = self.activations(l)
            self.z[l] = self.outputs(l)
        self.W[L] = self.weights(L)
        m = self.W[L] @ self.inputs(L)
        self.z[L] = self.last_outputs(m)
        self.sweeps += 1
        if self.sweeps > self.warm_start:
            self.multiplier += self.beta * (self.z[L] - m)


def versions():
    from threadpoolctl import threadpool_info

    blas = next(library for library in threadpool_info() if library["user_api"] == "blas")
    return (
        f"NumPy {np.__version__}, {blas['internal_api']} {blas['version']}, kernel {blas['architecture']}, "
        f"{blas['num_threads']} threads"
    )


if __name__ == "__main__":
    widths, samples = rival.arguments()
    net = Net(*rival.start_values(widths, samples), warm_start=0)
    rival.serve(versions(), net.sweep)

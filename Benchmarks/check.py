"""Compares the rivals with the tests' reference, which the program itself is tested against: one iteration is the same for all.

    python check.py

Small nets of one and two hidden layers, one of them widening, one with three outputs: all variables after 1 and 8 sweeps, the
last ones with the multiplier; then a net of HIGGS's shape. Exits with status 1 on a difference above 1e-3, relative to the largest
entry; single against double precision gives 1e-5.
"""

import sys
from pathlib import Path

import numpy as np
import torch

import algorithm1_numpy
import algorithm1_torch
import rival

sys.path.append(str(Path(__file__).resolve().parent.parent / "Tests/ADMMTests"))
import reference  # noqa: E402

WARM_START = 3
TOLERANCE = 1e-3


def variables(net):
    """All W, all a as the next sweep begins with, and λ, of any of the nets, as arrays by name."""

    def whole(tiles):
        return np.concatenate([np.asarray(tile) for tile in tiles], axis=1) if isinstance(tiles, list) else np.asarray(tiles)

    found = {"λ": whole(net.multiplier)}
    for l in range(1, net.L + 1):
        found[f"W_{l}"] = whole(net.W[l])
        if l < net.L and isinstance(net, algorithm1_torch.Net):
            found[f"a_{l}"] = whole(net.a[l])[:-1]
        elif l < net.L:
            found[f"a_{l}"] = net.activations(l)
    return found


def distance(net, other):
    """The largest difference of two nets' variables, relative to a variable's largest entry."""
    ours, theirs = variables(net), variables(other)
    return max(np.abs(ours[name] - theirs[name]).max() / (np.abs(theirs[name]).max() + 1e-30) for name in ours)


def reference_net(a0, y, a, z):
    return reference.Net(
        dict(a0=a0, y=y, a=a, z=z, activation="relu", loss="hinge", bias=True, ridge=0, dual_step=1, multiplier=True,
             warm_start=WARM_START, beta=[1] * len(z), gamma=[10] * len(a))
    )  # fmt: skip


def copies(start):
    a0, y, a, z = start
    return a0.copy(), y.copy(), [x.copy() for x in a], [x.copy() for x in z]


def main():
    fast, words = algorithm1_torch.fast_settings()
    print(f"PyTorch: {words}")
    good = True
    for widths, samples, sweeps in [
        ([5, 7, 1], 300, 1),
        ([5, 7, 1], 300, 8),
        ([6, 9, 5, 1], 300, 8),
        ([6, 4, 8, 3], 300, 8),
        ([28, 300, 1], 5000, 2),
    ]:
        torch.compiler.reset()  # every net has shapes of its own
        start = rival.start_values(widths, samples)
        nets = {
            "NumPy": algorithm1_numpy.Net(*copies(start), warm_start=WARM_START),
            "PyTorch": algorithm1_torch.Net(*start, warm_start=WARM_START, **(fast | dict(tile=samples * 2 // 5, block=4))),
            "PyTorch, plain": algorithm1_torch.Net(*start, warm_start=WARM_START),
        }
        standard = reference_net(*start)
        for sweep in range(sweeps):
            standard.sweep(sweep + 1)
            for net in nets.values():
                net.sweep()
        for name, net in nets.items():
            far = distance(net, standard)
            good &= bool(far < TOLERANCE)
            print(f"{'-'.join(map(str, widths))}, {sweeps} sweeps, {name}: {far:.1e}{'' if far < TOLERANCE else '  TOO FAR'}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

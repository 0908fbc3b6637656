"""Applies a model.h5 to a CSV file in double precision and measures the result, with nothing of the program's own code.

    network.py INPUT.json OUTPUT.json
    INPUT:  {"model": path, "data": path of a CSV file with the label first, "predictions": path of a .csv or .h5 file, or null}
    OUTPUT: {"accuracy": …, "auc": …, "wrong_predictions": …, "largest_score_error": …}; the last two compare `predictions` with ours
"""

import csv
import json
import sys

import h5py
import numpy as np
from scipy.stats import rankdata

def sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "hard_sigmoid": lambda z: np.clip((z + 1) / 2, 0, 1),
    "identity": lambda z: z,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "silu": lambda z: z * sigmoid(z),
}


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def scores_of(model, features):
    """z_L for every row of `features`; the bias is the last column of each W."""
    layers = len(model["widths"]) - 1
    h = ACTIVATIONS[text(model.attrs["activation"])]
    a = features
    if "mean" in model:
        a = (a - model["mean"][:]) / model["scale"][:]
    for l in range(1, layers + 1):
        W = model[f"W{l}"][:].astype(np.float64)
        z = a @ W[:, :-1].T + W[:, -1]
        a = h(z)
    return z


def area(scores, positive):
    """The area under the ROC curve, ties counted half."""
    ranks = rankdata(scores)
    p, n = positive.sum(), (~positive).sum()
    return (ranks[positive].sum() - p * (p + 1) / 2) / (p * n)


def read_predictions(path, outputs):
    if path.endswith(".h5"):
        with h5py.File(path) as file:
            names = [text(name) for name in file["class_names"][:]]
            return file["scores"][:].reshape(-1, outputs), [names[code] for code in file["classes"][:]]
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(x) for x in row[:outputs]] for row in rows]), [row[-1] for row in rows]


request = json.load(open(sys.argv[1]))
table = np.loadtxt(request["data"], delimiter=",", ndmin=2)
with h5py.File(request["model"]) as model:
    names = [text(name) for name in model["class_names"][:]]
    scores = scores_of(model, table[:, 1:])
codes = np.array([names.index(f"{label:g}") for label in table[:, 0]])
decisions = (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)

answer = {"accuracy": float(np.mean(decisions == codes))}
if len(names) == 2:
    margin = scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]
    answer["auc"] = float(area(margin, codes == 1))
if request.get("predictions"):
    theirs, classes = read_predictions(request["predictions"], scores.shape[1])
    assert len(classes) == len(codes), f"{len(classes)} predictions for {len(codes)} samples"
    answer["wrong_predictions"] = sum(name != names[code] for name, code in zip(classes, decisions))
    answer["largest_score_error"] = float(np.abs(theirs - scores).max() / np.abs(scores).max())
json.dump(answer, open(sys.argv[2], "w"))

"""Writes transport.json: the largest means of transports between uniform marginals, by
SciPy's linear programs.

    python3 transport.py > transport.json

Made with numpy 2.2 and SciPy 1.15.
"""

import json

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import eye, kron, vstack

rng = np.random.default_rng(1)


def values(kind, n, m):
    if kind == "normal":
        return rng.normal(size=(n, m)).round(3)
    if kind == "ties":
        return rng.integers(0, 3, size=(n, m))
    return np.outer(np.arange(n) - 2, 3 - np.arange(m))  # of rank one


out = []
for n, m in [(3, 5), (7, 4), (12, 18), (17, 16), (23, 31)]:
    for kind in ["normal", "ties", "rank one"]:
        c = values(kind, n, m)
        marginals = vstack([kron(eye(n), np.ones(m)), kron(np.ones(n), eye(m))])
        sums = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
        best = linprog(-c.ravel(), A_eq=marginals, b_eq=sums, method="highs-ds")
        assert best.status == 0
        out.append({"kind": kind, "values": c.tolist(), "mean": -best.fun})
print(json.dumps(out))

"""Writes measures.json: measures of similarity by numpy, scipy and scikit-learn.

    python3 measures.py > measures.json

Each is computed from the observations, by another road than from their covariances.
Made with numpy 2.2, scipy 1.15 and scikit-learn 1.4.
"""

import json

import numpy as np
from scipy.linalg import orthogonal_procrustes, orth
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mutual_info_score, r2_score

rng = np.random.default_rng(1)


def centred(x):
    return x - x.mean(axis=0)


def cka(x, y):
    k, l = centred(x) @ centred(x).T, centred(y) @ centred(y).T
    return (k * l).sum() / np.linalg.norm(k) / np.linalg.norm(l)


def rv(x, y):
    a, b = centred(x), centred(y)
    ab, aa, bb = a.T @ b, a.T @ a, b.T @ b
    return np.trace(ab @ ab.T) / np.sqrt(np.trace(aa @ aa) * np.trace(bb @ bb))


def cca(x, y):
    return np.clip(np.linalg.svd(orth(centred(x)).T @ orth(centred(y)), compute_uv=False), 0, 1)


def leading(x, share=0.99):
    u, s, vt = np.linalg.svd(centred(x), full_matrices=False)
    k = 1 + np.argmax(np.cumsum(s**2) >= share * (s**2).sum())
    return u[:, :k] * s[:k]


def pwcca(x, y):
    x = centred(x)
    q = orth(x)
    u, s, vt = np.linalg.svd(q.T @ orth(centred(y)))
    s = np.clip(s, 0, 1)
    w = np.abs((q @ u[:, : len(s)]).T @ x).sum(axis=1)
    return (w * s).sum() / w.sum()


def scaled(x, width):
    x = centred(x)
    x = x / np.linalg.norm(x)
    return np.pad(x, ((0, 0), (0, width - x.shape[1])))


def procrustes(x, y):
    width = max(x.shape[1], y.shape[1])
    x, y = scaled(x, width), scaled(y, width)
    r, _ = orthogonal_procrustes(x, y)
    return np.linalg.norm(x @ r - y)


def permutation(x, y):
    width = max(x.shape[1], y.shape[1])
    x, y = scaled(x, width), scaled(y, width)
    rows, cols = linear_sum_assignment(-x.T @ y)
    return np.linalg.norm(x[:, rows] - y[:, cols])


def measures(x, y):
    half = len(x) // 2
    linear = LinearRegression().fit(x, y)
    ridge, held_out = {}, {}
    for lam in [1e-3, 0.1, 1.0, 30.0]:
        ridge[lam] = r2_score(y, Ridge(alpha=lam * len(x)).fit(x, y).predict(x), multioutput="raw_values").tolist()
        fit = Ridge(alpha=lam * half).fit(x[:half], y[:half])
        held_out[lam] = r2_score(y[half:], fit.predict(x[half:]), multioutput="raw_values").tolist()
    r = np.corrcoef(x.T, y.T)[: x.shape[1], x.shape[1] :]
    return {
        "best_ab": r.max(axis=1).mean(),
        "best_ba": r.max(axis=0).mean(),
        "cka": cka(x, y),
        "rv": rv(x, y),
        "canonical": cca(x, y).tolist(),
        "cca": cca(x, y).mean(),
        "svcca": cca(leading(x), leading(y)).mean(),
        "pwcca_ab": pwcca(x, y),
        "pwcca_ba": pwcca(y, x),
        "procrustes": procrustes(x, y),
        "permutation": permutation(x, y),
        "r2": r2_score(y, linear.predict(x), multioutput="raw_values").tolist(),
        "linear_ab": r2_score(y, linear.predict(x)),
        "weighted": r2_score(y, linear.predict(x), multioutput="variance_weighted"),
        "linear_ba": r2_score(x, LinearRegression().fit(y, x).predict(y)),
        "ridge": {str(k): v for k, v in ridge.items()},
        "held_out": {str(k): v for k, v in held_out.items()},
    }


def data(n, p, q, latent):
    z = rng.normal(size=(n, latent))
    x = z @ rng.normal(size=(latent, p)) + 0.7 * rng.normal(size=(n, p)) + 2
    y = z @ rng.normal(size=(latent, q)) + 0.5 * rng.normal(size=(n, q)) - 1
    return np.round(x, 3), np.round(y, 3)


def deficient(n):
    x, y = data(n, 5, 6, 3)
    return np.hstack([x, x[:, :1] + x[:, 1:2], x[:, 2:3]]), y


def mutual(x, y):
    """The paper's bins: up to 1e-6, and then 5 % of what is above in each."""

    def codes(v):
        positive = np.sort(v[v > 1e-6])
        at = [positive[int(np.ceil(k * len(positive) / 20)) - 1] for k in range(1, 20)]
        return np.searchsorted(np.array([1e-6] + at), v, side="left")

    a, b = [codes(v) for v in x.T], [codes(v) for v in y.T]
    plain = [[mutual_info_score(i, j) for j in b] for i in a]
    correction = [[(len(set(i)) - 1) * (len(set(j)) - 1) / (2 * len(i)) for j in b] for i in a]
    return {"plain": plain, "correction": correction}


out = {}
for name, (x, y) in {
    "wider": data(120, 7, 5, 4),
    "narrower": data(120, 4, 8, 4),
    "equal": data(150, 6, 6, 3),
    "deficient": deficient(100),
}.items():
    out[name] = {"x": x.tolist(), "y": y.tolist(), "measures": measures(x, y)}
x, y = data(500, 3, 2, 2)
x, y = np.maximum(x - 2, 0).round(3), np.maximum(y + 1, 0).round(3)
out["mutual"] = {"x": x.tolist(), "y": y.tolist(), "mutual": mutual(x.astype(np.float32), y.astype(np.float32))}
print(json.dumps(out))

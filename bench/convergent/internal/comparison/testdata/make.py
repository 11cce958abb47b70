"""Writes a.npz, b.npz and expected.json: activations of two made-up networks in
PyTorch's layout, two layers of each, and what numpy and scipy find in them.

    python3 make.py

Made with numpy 2.2 and scipy 1.15.
"""

import json

import numpy as np
from scipy.optimize import linear_sum_assignment

rng = np.random.default_rng(1)
images = 60
seen = rng.normal(size=(images, 8, 3, 4))  # what there is to see
ids = np.array([f"image-{i}" for i in range(images)])


def layer(units, seed):
    mix = np.random.default_rng(seed).normal(size=(units, 8))
    noise = np.random.default_rng(seed + 100).normal(size=(images, units, 3, 4))
    x = np.maximum(np.einsum("uk,nkhw->nuhw", mix, seen) + noise, 0).astype(np.float32)
    x[:, units // 2] = 0.5  # a dead unit
    return x


nets = {"a": {"conv1": layer(6, 1), "conv2": layer(9, 2)}, "b": {"conv1": layer(7, 3), "conv2": layer(9, 4)}}
for name, layers in nets.items():
    np.savez_compressed(name + ".npz", sample_ids=ids, **layers)

expected = {}
for name in nets["a"]:
    rows = [nets[n][name].transpose(0, 2, 3, 1).reshape(-1, nets[n][name].shape[1]).astype(np.float64) for n in "ab"]
    live = [np.flatnonzero(x.std(0) > 0) for x in rows]
    za, zb = [(x - x.mean(0))[:, l] / x.std(0)[l] for x, l in zip(rows, live)]
    r = za.T @ zb / len(za)
    i, j = linear_sum_assignment(-r)
    a, b = [x[:, l] - x[:, l].mean(0) for x, l in zip(rows, live)]
    cka = np.linalg.norm(a.T @ b) ** 2 / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b)
    means = [nets[n][name].mean((2, 3)).astype(np.float64)[:, l] for n, l in zip("ab", live)]
    a, b = [x - x.mean(0) for x in means]
    pooled = np.linalg.norm(a.T @ b) ** 2 / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b)
    expected[name] = {
        "live": [l.tolist() for l in live],
        "r": r.tolist(),
        "semi": live[1][r.argmax(1)].tolist(),
        "bipartite": [live[0][i].tolist(), live[1][j].tolist()],
        "matched": r[i, j].mean(),
        "cka": cka,
        "cka_of_means": pooled,
    }
with open("expected.json", "w") as f:
    json.dump(expected, f)

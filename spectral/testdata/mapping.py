"""Writes mapping.npy, a mapping between two networks, and mapping.json, its tree by scipy.

    python3 mapping.py

Made with numpy 1.24 and scipy 1.10.
"""

import json

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

rng = np.random.default_rng(7)
targets, sources = 9, 12
w = 0.03 * rng.normal(size=(targets, sources))
for t in range(targets):  # each target has a strong weight, and a weaker one
    w[t, rng.integers(sources)] += rng.uniform(0.2, 0.5)
    w[t, rng.integers(sources)] += rng.uniform(0, 0.2)
w = w.astype(np.float32)
np.save("mapping.npy", w)
w = w.astype(float)
graph = np.block([[np.eye(sources), w.T], [w, np.eye(targets)]])
tree = linkage(squareform(1 - graph), "average")
with open("mapping.json", "w") as f:
    json.dump({"linkage": tree.tolist()}, f)

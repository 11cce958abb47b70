"""Writes clusters.json: trees, spectra and partitions by numpy, scipy and scikit-learn.

    python3 clusters.py > clusters.json

Made with numpy 2.2, scipy 1.15 and scikit-learn 1.4.
"""

import json

import numpy as np
from scipy.cluster.hierarchy import cophenet, leaves_list, linkage, optimal_leaf_ordering
from scipy.linalg import eigh
from scipy.sparse.csgraph import laplacian
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import SpectralClustering
from sklearn.metrics import adjusted_rand_score, silhouette_samples

rng = np.random.default_rng(3)

trees = []
for n in 2, 7, 40:
    points = np.round(rng.standard_normal((n, 4)), 4)
    distances = pdist(points)
    tree = {"points": points.tolist(), "methods": {}}
    for method in "average", "complete", "single", "ward":
        z = linkage(distances, method)
        order = leaves_list(optimal_leaf_ordering(z, distances))
        d = squareform(distances)
        tree["methods"][method] = {
            "linkage": z.tolist(),
            "cophenetic": cophenet(z).tolist(),
            "cost": d[order[:-1], order[1:]].sum(),
        }
    trees.append(tree)

clusterings = []
for n, k in (60, 4), (300, 7):
    kinds = rng.integers(0, k, n)
    units = np.round(rng.standard_normal((n, 20)) * 0.6 + rng.standard_normal((k, 20))[kinds], 3)
    graph = np.clip(np.corrcoef(units), 0, None)
    np.fill_diagonal(graph, 0)
    entry = {"units": units.tolist(), "k": k, "kinds": kinds.tolist()}
    entry["spectra"] = {
        "unnormalized": eigh(laplacian(graph), eigvals_only=True)[:k].tolist(),
        "symmetric": eigh(laplacian(graph, normed=True), eigvals_only=True)[:k].tolist(),
    }
    for how in "kmeans", "cluster_qr":
        model = SpectralClustering(k, affinity="precomputed", random_state=0, assign_labels=how)
        entry[how] = model.fit(graph).labels_.tolist()
    distances = 1 - np.corrcoef(units)
    np.fill_diagonal(distances, 0)
    entry["silhouette"] = silhouette_samples(distances, kinds, metric="precomputed").tolist()
    other = np.where(rng.random(n) < 0.3, rng.integers(0, k, n), kinds)
    entry["other"], entry["rand"] = other.tolist(), adjusted_rand_score(kinds, other)
    clusterings.append(entry)

print(json.dumps({"trees": trees, "clusterings": clusterings}))

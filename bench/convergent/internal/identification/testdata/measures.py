"""Measures of Kornblith et al. (2019), as their paper defines them, of what number() gives:
python3 measures.py > measures.json, with NumPy 2.2.4."""
import json
import numpy as np


def number(*of):
    """A number in [-1, 1] that looks random."""
    s = 1
    for v in of:
        s = (s * 7919 + v + 12345) % 1000003
        s = s * s % 1000003
    return 2 * s / 1000003 - 1


IMAGES, SEEN, FEATURES, NETWORKS = 40, 12, [60, 16, 5], 3


def layer(network, l):
    x = np.array([[number(i, k) for k in range(SEEN)] for i in range(IMAGES)])
    w = np.array([[number(network + 1, l + 1, k, j) if k < SEEN // (l + 1) else 0 for j in range(FEATURES[l])] for k in range(SEEN)])
    y = np.maximum(0, x @ w + 0.5).astype(np.float32).astype(np.float64)
    return y - y.mean(0)


def rbf(x, share):
    d = ((x[:, None] - x[None]) ** 2).sum(2)
    sigma = share * np.median(np.sqrt(d[np.triu_indices(len(x), 1)]))
    h = np.eye(len(x)) - 1 / len(x)
    return h @ np.exp(-d / (2 * sigma**2)) @ h


def cosine(k, l):
    return (k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum())


def unbiased(k, l):
    """Song et al. (2012), equation 5."""
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    return ((k * l).sum() + k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 * (k @ l).sum() / (n - 2)) / (n * (n - 3))


def basis(x):
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    return u[:, s > 1e-6 * s[0]]


layers = [[layer(n, l) for l in range(len(FEATURES))] for n in range(NETWORKS)]
grams = [[x @ x.T for x in net] for net in layers]
bases = [[basis(x) for x in net] for net in layers]


def regression(a, i, b, j):
    return np.linalg.norm(bases[b][j].T @ layers[a][i]) ** 2 / np.linalg.norm(layers[a][i]) ** 2


measures = {
    "linear CKA": lambda a, i, b, j: cosine(grams[a][i], grams[b][j]),
    "debiased linear CKA": lambda a, i, b, j: unbiased(grams[a][i], grams[b][j])
    / np.sqrt(unbiased(grams[a][i], grams[a][i]) * unbiased(grams[b][j], grams[b][j])),
    "linear regression, from the other layer": regression,
    "linear regression, to the other layer": lambda a, i, b, j: regression(b, j, a, i),
    "linear regression, both ways": lambda a, i, b, j: regression(a, i, b, j) + regression(b, j, a, i),
    "CCA, mean square": lambda a, i, b, j: np.linalg.norm(bases[a][i].T @ bases[b][j]) ** 2 / min(bases[a][i].shape[1], bases[b][j].shape[1]),
}
for share in (0.2, 0.4, 0.8):
    kernels = [[rbf(x, share) for x in net] for net in layers]
    measures[f"RBF CKA, {share:g} of the median distance"] = lambda a, i, b, j, k=kernels: cosine(k[a][i], k[b][j])



def canonical(a, i, b, j):
    """Canonical correlations of the principal components that explain 99 % of the variance."""
    parts = []
    for x in (layers[a][i], layers[b][j]):
        u, s, _ = np.linalg.svd(x, full_matrices=False)
        parts.append(u[:, : 1 + np.searchsorted(np.cumsum(s**2), 0.99 * (s**2).sum())])
    return np.linalg.svd(parts[0].T @ parts[1], compute_uv=False)


measures["SVCCA, mean, of 40 images"] = lambda a, i, b, j: canonical(a, i, b, j).mean()
measures["SVCCA, mean square, of 40 images"] = lambda a, i, b, j: (canonical(a, i, b, j) ** 2).mean()

pairs = [(a, b) for a in range(NETWORKS) for b in range(NETWORKS) if a != b]
count = range(len(FEATURES))
print(json.dumps({
    "dimension": [[b.shape[1] for b in net] for net in bases],
    "similarity": {name: [[float(np.mean([of(a, i, b, j) for a, b in pairs])) for j in count] for i in count] for name, of in measures.items()},
}, indent=1))

"""Writes what is beside it: activations of small networks trained by PyTorch, as its
users export them, and figures of them by numpy, scipy and scikit-learn.

    python3 make.py             # all, in half a minute
    python3 make.py figures     # expected.json alone, from the arrays that are here

Made with PyTorch 2.6, numpy 2.2, scipy 1.15, scikit-learn 1.4 and Pillow 11.1, whose
exact versions are in expected.json. Seeds are fixed and there is one thread, so the same
versions on the same kind of processor write the same bytes.

transformer-a.npz, transformer-b.npz
    Two transformers that differ in their seeds: torch.nn.TransformerEncoder of two
    layers, 24 wide, 48 hidden, 3 heads. They tell which remainder is the most frequent
    when the tokens of a sequence are divided by 3. Arrays, of 40 sequences of 4 to 12
    tokens:
        block1, block2  float32, 40 x 12 x 24: the residual stream after each layer. The
                        layer ends in a LayerNorm, so a linear combination of its units
                        is constant: 24 units have rank 23.
        mlp1, mlp2      float32, 40 x 12 x 48: the hidden units of each MLP, after ReLU.
                        Some of mlp2 are dead, in transformer-a three of them (8, 9, 24)
                        at tokens only.
        mask            int64, 40 x 12: 1 where there is a token, 0 where there is padding.
                        Activations at padding are what the networks computed there, and
                        not 0.
        sample_ids      strings, 40

images.zip
    40 images of gratings in 4 orientations, 16 x 16 RGB, called image-00.png and so on,
    that the networks below were not trained on. They see values / 64 - 2.

plain.npz, residual.npz
    Two convnets of different architecture, trained to tell the orientations: what they
    make of the images, float32, images x channels x height x width, after ReLU:
        features1, features2  of the plain one:    40 x 6 x 8 x 8, 40 x 12 x 4 x 4, of
                              which unit 8 is dead
        stem, block           of the residual one: 40 x 8 x 8 x 8, 40 x 10 x 4 x 4
        sample_ids            strings, 40: names of images without .png

plain-untrained.npz, residual-untrained.npz
    The same networks before training.

expected.json
    Figures in float64 from these files: "comparisons" of two layers, each as figures()
    describes it, and "grids" of all layers of two networks, as grid() does.
"""

import io
import json
import os
import platform
import sys
import zipfile
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
import PIL
import scipy
import sklearn
import torch
from PIL import Image
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance
from sklearn.linear_model import Lasso
from torch import nn

here = Path(__file__).resolve().parent
VERSIONS = {"python": platform.python_version()} | {m.__name__: m.__version__ for m in (torch, np, scipy, sklearn, PIL)}


def hooked(model, modules, *inputs):
    """Runs the model and returns what the modules put out, by name."""
    outputs = {}

    def keep(name):
        return lambda module, args, output: outputs.__setitem__(name, output.detach().clone().numpy())

    hooks = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    model.eval()
    with torch.no_grad():
        logits = model(*inputs)
    for hook in hooks:
        hook.remove()
    return {name: outputs[name] for name in modules}, logits


def train(model, batch, rate):
    """Trains with Adam on 400 batches that a function makes."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    model.train()
    for _ in range(400):
        *inputs, labels = batch()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(*inputs), labels).backward()
        optimizer.step()


def save(name, **layers):
    np.savez_compressed(here / (name + ".npz"), **layers)


# Transformers.

TOKENS, LENGTH, SEQUENCES = 30, 12, 40  # token 0 is padding


def sequences(rng, n):
    """Returns tokens and labels of n sequences without ties."""
    tokens, labels = [], []
    while len(labels) < n:
        length = rng.integers(4, LENGTH + 1)
        sequence = rng.integers(1, TOKENS, length)
        count = np.bincount(sequence % 3, minlength=3)
        if (count == count.max()).sum() == 1:
            tokens.append(np.pad(sequence, (0, LENGTH - length)))
            labels.append(count.argmax())
    return torch.tensor(np.array(tokens)), torch.tensor(np.array(labels))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(TOKENS, 24)
        self.positions = nn.Parameter(0.1 * torch.randn(LENGTH, 24))
        layer = nn.TransformerEncoderLayer(24, 3, 48, dropout=0, activation=nn.ReLU(), batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        for parameter in self.encoder.parameters():  # layers are copies of one
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        self.head = nn.Linear(24, 3)

    def forward(self, tokens):
        padding = tokens == 0
        x = self.encoder(self.tokens(tokens) + self.positions, src_key_padding_mask=padding)
        return self.head(x.masked_fill(padding[:, :, None], 0).sum(1) / (~padding).sum(1, keepdim=True))


def transformers():
    torch.backends.mha.set_fastpath_enabled(False)  # which passes hooks by, and writes zeros at padding
    tokens, labels = sequences(np.random.default_rng(1), SEQUENCES)
    for name, seed in ("transformer-a", 33), ("transformer-b", 34):  # of which some units die
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        model = Transformer()
        train(model, lambda: sequences(rng, 64), rate=0.015)
        modules = {}
        for i, layer in enumerate(model.encoder.layers, 1):
            modules[f"block{i}"], modules[f"mlp{i}"] = layer, layer.activation
        layers, logits = hooked(model, modules, tokens)
        print(f"{name}: accuracy {(logits.argmax(1) == labels).float().mean():.3f}")
        ids = np.array([f"sequence-{i:02}" for i in range(SEQUENCES)])
        save(name, **layers, mask=(tokens != 0).numpy().astype(np.int64), sample_ids=ids)


# Convnets.

SIZE, IMAGES = 16, 40


def gratings(rng, n):
    """Returns n images, uint8 of n x 16 x 16 x 3, and their orientations."""
    labels = rng.integers(0, 4, n)
    angle = (labels + rng.uniform(-0.3, 0.3, n)) * np.pi / 4
    y, x = np.mgrid[:SIZE, :SIZE]
    along = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    period, phase = rng.uniform(3, 8, n)[:, None, None], rng.uniform(0, 1, n)[:, None, None]
    wave = np.sin(2 * np.pi * (along / period + phase))[..., None]
    colour = rng.uniform(-1, 1, (2, n, 1, 1, 3))
    image = 128 + 50 * colour[0] + 50 * wave * (0.3 + np.abs(colour[1])) + rng.normal(0, 12, (n, SIZE, SIZE, 3))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), labels


def tensors(images, labels):
    return torch.tensor(images).permute(0, 3, 1, 2) / 64 - 2, torch.tensor(labels)


class Plain(nn.Module):
    layers = "features1", "features2"

    def __init__(self):
        super().__init__()
        self.features1 = nn.Sequential(nn.Conv2d(3, 6, 5, stride=2, padding=2), nn.ReLU())
        self.features2 = nn.Sequential(nn.Conv2d(6, 12, 3, stride=2, padding=1), nn.ReLU())
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        return self.head(self.features2(self.features1(x)).mean((2, 3)))


class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after),
        )
        self.shortcut = nn.Conv2d(before, after, 1, stride=2, bias=False)

    def forward(self, x):
        return torch.relu(self.shortcut(x) + self.residual(x))


class Residual(nn.Module):
    layers = "stem", "block"

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.block = Block(8, 10)
        self.head = nn.Linear(10, 4)

    def forward(self, x):
        return self.head(self.block(self.stem(x)).mean((2, 3)))


def convnets():
    images, labels = gratings(np.random.default_rng(4), IMAGES)
    ids = np.array([f"image-{i:02}" for i in range(IMAGES)])
    with zipfile.ZipFile(here / "images.zip", "w") as archive:
        for name, image in zip(ids, images):
            png = io.BytesIO()
            Image.fromarray(image).save(png, "PNG", optimize=True)
            archive.writestr(zipfile.ZipInfo(name + ".png"), png.getvalue())
    inputs, labels = tensors(images, labels)
    for name, kind, seed in ("plain", Plain, 5), ("residual", Residual, 6):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        model = kind()
        modules = {layer: getattr(model, layer) for layer in kind.layers}
        save(name + "-untrained", **hooked(model, modules, inputs)[0], sample_ids=ids)
        train(model, lambda: tensors(*gratings(rng, 64)), rate=0.01)
        layers, logits = hooked(model, modules, inputs)
        print(f"{name}: accuracy {(logits.argmax(1) == labels).float().mean():.3f}")
        save(name, **layers, sample_ids=ids)


# Figures.


def load(file, layer, masked=False):
    """Returns a layer in float64 as samples x positions x units, and which positions count."""
    with np.load(here / (file + ".npz")) as arrays:
        x = arrays[layer].astype(np.float64)
        if x.ndim == 4:
            x = x.reshape(*x.shape[:2], -1).transpose(0, 2, 1)
        return x, arrays["mask"] != 0 if masked else np.ones(x.shape[:2], bool)


def live(x):
    return np.flatnonzero(np.ptp(x, axis=0) > 0)


def standard(x):
    return (x - x.mean(0)) / x.std(0)


def cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)


def matching(r):
    return linear_sum_assignment(r, maximize=True)


def margins(r):
    """Returns by how much the best matching exceeds the next, and each best partner the next."""
    rows, cols = matching(r)
    next_best = []
    for i, j in zip(rows, cols):
        without = r.copy()
        without[i, j] = -1e3
        next_best.append(without[matching(without)].sum())
    top = np.sort(r, axis=1)
    return r[rows, cols].sum() - max(next_best), (top[:, -1] - top[:, -2]).min()


def directions(z):
    """Returns an orthonormal basis of the space that standardised units span."""
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    variances = s**2 / len(z)
    assert not ((variances > 1e-8) & (variances < 1e-4)).any(), "what the rank is depends on rounding"
    return u[:, variances > 1e-6]


def lasso(z, targets, penalty):
    fits = [Lasso(penalty, fit_intercept=False, tol=1e-14, max_iter=1000000).fit(z, t) for t in targets.T]
    w = np.array([f.coef_ for f in fits])
    return {
        "lambda": penalty,
        "loss": np.mean((z @ w.T - targets) ** 2) / 2,
        "nonzero": {str(t): np.mean((np.abs(w) > t).sum(1)) for t in (0, 0.001, 0.01, 0.05)},
    }


def figures(a, b, masked=False):
    """Compares two layers, (file, layer) each. Rows are the positions of all samples,
    without padding if masked. Dead units, which take one value, are left out of all but
    the activity. Covariances divide by the number of rows. Units count from 0.

    a, b                file and layer
    masked              whether padding is left out
    rows                how many there are
    units, dead, rank   of a and of b; the rank is that of standardised units
    semi_matching       each unit of a with the unit of b of the highest correlation: the
                        partner of each unit of a, -1 if it is dead, and the mean correlation
    bipartite_matching  the same for the one-to-one matching of the largest sum, where some
                        units of a larger network have no partner either
    cka                 linear: |S_ab|^2 / (|S_aa| |S_bb|)
    linear_r2           R^2 of least squares from all units of a, in sample: mean over units of b
    cca                 mean canonical correlation, of as many as the smaller rank
    procrustes          sqrt(2 - 2 |S_ab|_nuclear / sqrt(tr S_aa tr S_bb))
    activity            of the units' means, dead ones included: the area between their sorted
                        curves, the mean beneath each, and the distance, which is the area over
                        the mean of these; null where activations have signs and it means nothing
    lasso               units of b from those of a, all standardised: the minimum over w of
                        1/2 mean (w z - z')^2 + lambda |w|_1, to a duality gap of 1e-14. The loss
                        is the first term, nonzero the number of |w| above each size; means over
                        units of b
    """
    (x, mask), (y, other) = load(*a, masked), load(*b, masked)
    assert (mask == other).all()
    x, y = x[mask], y[mask]
    la, lb = live(x), live(y)
    za, zb = standard(x[:, la]), standard(y[:, lb])
    ca, cb = x - x.mean(0), y - y.mean(0)
    r = za.T @ zb / len(za)
    of_sum, of_best = margins(r)
    assert of_sum > 1e-5 and of_best > 1e-5, "which units are partners depends on rounding"

    def partners(rows, cols):
        partner = np.full(x.shape[1], -1)
        partner[la[rows]] = lb[cols]
        return {"partner": partner.tolist(), "mean": r[rows, cols].mean()}

    ua, ub = directions(za), directions(zb)
    area, beneath = wasserstein_distance(x.mean(0), y.mean(0)), [x.mean(), y.mean()]
    signed = min(x.min(), y.min()) < 0
    return {
        "a": {"file": a[0] + ".npz", "layer": a[1]},
        "b": {"file": b[0] + ".npz", "layer": b[1]},
        "masked": masked,
        "rows": len(x),
        "units": [x.shape[1], y.shape[1]],
        "dead": [np.setdiff1d(np.arange(z.shape[1]), l).tolist() for z, l in ((x, la), (y, lb))],
        "rank": [ua.shape[1], ub.shape[1]],
        "semi_matching": partners(np.arange(len(la)), r.argmax(1)),
        "bipartite_matching": partners(*matching(r)),
        "cka": cka(x, y),
        "linear_r2": ((ua.T @ zb) ** 2).sum(0).mean() / len(zb),
        "cca": np.linalg.svd(ua.T @ ub, compute_uv=False).mean(),
        "procrustes": np.sqrt(2 - 2 * np.linalg.norm(ca.T @ cb, "nuc") / np.linalg.norm(ca) / np.linalg.norm(cb)),
        "activity": {"area": area, "beneath": beneath, "distance": None if signed else area / np.mean(beneath)},
        "lasso": lasso(za, zb, 0.1),
    }


def grid(a, b, masked=False):
    """Compares all layers of two networks, (file, layers) each, by the units' means over
    the positions of a sample, without padding if masked: matrices of a's layers x b's."""

    def means(file, layer):
        x, mask = load(file, layer, masked)
        x = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return x[:, live(x)]

    def matched(x, y):
        r = standard(x).T @ standard(y) / len(x)
        return r[matching(r)].mean()

    of = [[means(file, layer) for layer in layers] for file, layers in (a, b)]
    return {
        "a": {"file": a[0] + ".npz", "layers": a[1]},
        "b": {"file": b[0] + ".npz", "layers": b[1]},
        "masked": masked,
        "cka": [[cka(x, y) for y in of[1]] for x in of[0]],
        "matched_r": [[matched(x, y) for y in of[1]] for x in of[0]],
    }


def expected():
    transformer = ["block1", "block2", "mlp1", "mlp2"]
    plain, residual = list(Plain.layers), list(Residual.layers)
    comparisons = [figures(("transformer-a", layer), ("transformer-b", layer), True) for layer in transformer]
    comparisons += [figures(("transformer-a", layer), ("transformer-b", layer)) for layer in ("block1", "mlp2")]
    for kind in "", "-untrained":
        comparisons += [figures(("plain" + kind, x), ("residual" + kind, y)) for x, y in zip(plain, residual)]
    grids = [
        grid(("transformer-a", transformer), ("transformer-b", transformer), True),
        grid(("plain", plain), ("residual", residual)),
    ]
    with open(here / "expected.json", "w") as f:
        f.write(f'{{"versions": {json.dumps(VERSIONS)}')
        for name, entries in ("comparisons", comparisons), ("grids", grids):
            lines = ",\n".join(json.dumps(e, allow_nan=False) for e in entries)
            f.write(f',\n"{name}": [\n{lines}]')
        f.write("}\n")


if __name__ == "__main__":
    print(VERSIONS)
    if sys.argv[1:] != ["figures"]:
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        transformers()
        convnets()
    expected()

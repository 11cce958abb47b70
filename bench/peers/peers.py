"""Computes the work of package bench with other libraries.

The first line on standard output says what is installed. From then on each line
on standard input is a request in JSON, and gets a line in answer:

    {"do": "prepare", "peer": P, "work": NAME, "spec": {...}}   make inputs, compute once
        -> {"variant": "channels_last", "samples": [[...], ...]}
    {"do": "run"}                                               time what was prepared
        -> {"seconds": ...}
    {"do": "export", "work": NAME, "spec": {...}}               write a network as an ONNX file
        -> {"file": PATH, "process": ID of this one, for who sees other files}

Where a library has several ways, the fastest is kept. Arrays and their samples
are in the Go program's order: images NHWC, filters [out, y, x, in].
"""

import contextlib, json, math, os, sys, tempfile, time, warnings

try:
    import numpy as np
except ImportError as e:
    sys.exit(str(e))

RUN_SECONDS = 0.05  # shorter work is repeated for so long
STEPS = 3  # losses compared of a training


def bits(stream, n):
    i = np.arange(n, dtype=np.uint32) + np.uint32(stream * 0x9E3779B9 & 0xFFFFFFFF)
    i ^= i >> 16
    i *= np.uint32(0x7FEB352D)
    i ^= i >> 15
    i *= np.uint32(0x846CA68B)
    return i ^ i >> 16


def uniform(stream, *shape):
    """The numbers in [-1, 1) that the Go program computes with."""
    x = (bits(stream, math.prod(shape)) >> 8).astype(np.float32)
    return (x * np.float32(2**-23) - np.float32(1)).reshape(shape)


def sample(x):
    x = np.asarray(x, np.float64).reshape(-1)
    return [np.abs(x).max(), *x[bits(0, 256) % x.size]]


def seconds(run):
    start, n = time.perf_counter(), 0
    while True:
        run()
        n += 1
        elapsed = time.perf_counter() - start
        if elapsed >= RUN_SECONDS:
            return elapsed / n


# By kind of work and peer, a function from a work to the ways there are to do it.
# A way is a name, a function that does the work once, and one that makes of what
# that returned the arrays that the Go program has as results.
PEERS = {}


def peer(kind, name):
    def add(ways):
        PEERS[kind, name] = ways
        return ways

    return add


def nchw(a):
    """A tensor that torch indexes as NCHW, of an array in NHWC."""
    return torch.from_numpy(a).permute(0, 3, 1, 2)


def nhwc(t):
    return t.permute(0, 2, 3, 1).numpy()


@peer("conv", "torch")
def conv_torch(name, s):
    x = nchw(uniform(1, s["n"], s["size"], s["size"], s["in"]))
    w = nchw(uniform(2, s["out"], s["kernel"], s["kernel"], s["in"] // s["groups"]))
    size = (s["size"] + 2 * s["pad"] - s["kernel"]) // s["stride"] + 1
    dy = nchw(uniform(3, s["n"], size, size, s["out"]))
    stride, pad, groups = [s["stride"]] * 2, [s["pad"]] * 2, s["groups"]

    def way(layout, format):
        xl, wl, dyl = (t.contiguous(memory_format=format) for t in (x, w, dy))

        def forward():
            return torch.nn.functional.conv2d(xl, wl, None, stride, pad, 1, groups)

        def backward():
            wanted = [True, True, False]  # gradients of images and filters, not of a bias
            return torch.ops.aten.convolution_backward(
                dyl, xl, wl, None, stride, pad, [1, 1], False, [0, 0], groups, wanted)

        if name.endswith("/forward"):
            return layout, forward, lambda y: [nhwc(y)]
        return layout, backward, lambda d: [nhwc(d[0]), nhwc(d[1])]

    return [way("NCHW", torch.contiguous_format), way("channels_last", torch.channels_last)]


@peer("gemm", "openblas")
def gemm_openblas(name, s):
    a, b = uniform(1, s["m"], s["k"]), uniform(2, s["k"], s["n"])
    c = np.empty((s["m"], s["n"]), np.float32)
    return [("sgemm", lambda: np.matmul(a, b, out=c), lambda c: [c])]


@peer("blas", "openblas")
def blas_openblas(name, s):
    routine, n = s["routine"], s["n"]
    type = np.float32 if routine == "sgemm" else np.float64
    a, b = (uniform(i, n, n).astype(type) for i in (1, 2))
    c = np.empty((n, n), type)
    if routine in ("dgemm", "sgemm"):
        return [(routine, lambda: np.matmul(a, b, out=c), lambda c: [c])]
    if routine == "svd":
        return [("gesdd", lambda: np.linalg.svd(a, full_matrices=False), lambda usv: [usv[1]])]
    u = np.triu(a)
    symmetric = u + np.triu(u, 1).T
    if routine == "eigen":
        return [("syevd", lambda: np.linalg.eigh(symmetric), lambda wv: [wv[0]])]
    a += n * np.eye(n)  # so that the diagonal dominates
    symmetric += n * np.eye(n)
    x = b.reshape(-1)[:n].copy()
    if routine == "dgemv":
        return [("dgemv", lambda: np.matmul(a, x), lambda y: [y])]
    if routine == "dsymv":
        return [("dsymv", lambda: blas.dsymv(1, a.T, x, lower=1), lambda y: [y])]
    if routine == "dtrsv":
        return [("dtrsv", lambda: blas.dtrsv(a.T, x, lower=0, trans=1), lambda y: [y])]
    if routine == "cholesky":
        a = symmetric
        return [("potrf", lambda: np.linalg.cholesky(a), lambda l: [l.T])]

    def dtrsm():  # of the transposes, which Fortran sees in these arrays
        c[:] = b
        return blas.dtrsm(1, a.T, c.T, side=1, lower=0, overwrite_b=1)

    return [("dtrsm", dtrsm, lambda x: [x.T])]


@peer("gemm", "torch")
def gemm_torch(name, s):
    a = torch.from_numpy(uniform(1, s["m"], s["k"]))
    b = torch.from_numpy(uniform(2, s["k"], s["n"]))
    c = torch.empty(s["m"], s["n"])
    return [("mm", lambda: torch.mm(a, b, out=c), lambda c: [c])]


@peer("moments", "openblas")
def moments_openblas(name, s):
    """The products alone, without means; rows or columns are the observations."""
    x = uniform(1, s["n"], s["p"])
    xf = np.asfortranarray(x)
    mean = x.mean(0, dtype=np.float64)

    def correlation(product):
        c = np.triu(product).astype(np.float64) / s["n"] - np.outer(mean, mean)
        c = np.triu(c) + np.triu(c, 1).T
        d = np.sqrt(np.diag(c))
        return [c / d / d[:, None]]

    return [("ssyrk rows", lambda: blas.ssyrk(1.0, x.T), correlation),
            ("ssyrk columns", lambda: blas.ssyrk(1.0, xf, trans=1), correlation)]


@peer("moments", "numpy")
def moments_numpy(name, s):
    x = uniform(1, s["n"], s["p"])
    return [("corrcoef", lambda: np.corrcoef(x, rowvar=False), lambda c: [c]),
            ("corrcoef float32", lambda: np.corrcoef(x, rowvar=False, dtype=np.float32), lambda c: [c])]


@peer("moments", "torch")
def moments_torch(name, s):
    x = torch.from_numpy(uniform(1, s["n"], s["p"]))
    return [("corrcoef", lambda: torch.corrcoef(x.T), lambda c: [c])]


def units(s):
    """The units of both networks, rectified mixtures of 40 causes and noise, standardised."""
    streams = iter(range(1, 100))
    random = lambda *shape: uniform(next(streams), *shape).astype(np.float64)
    f = random(s["n"], 40)

    def side():
        x = np.maximum(f @ random(40, s["p"]) + random(s["n"], s["p"]), 0)
        return (x - x.mean(0)) / x.std(0)

    return side(), side()


@peer("lasso", "sklearn")
def lasso_sklearn(name, s):
    a, b = units(s)
    b = b[:, : s["targets"]]
    gram, cross = a.T @ a, a.T @ b
    if "path" in s:
        most = np.abs(cross).max() / s["n"]
        lambdas = np.geomspace(most, most / 1000, s["path"])

        def path():
            return [lasso_path(a, b[:, t], precompute=gram, Xy=cross[:, t], alphas=lambdas, tol=1e-6, max_iter=100000)[1]
                    for t in range(s["targets"])]

        return [("lasso_path", path, lambda w: [np.transpose(w, (2, 1, 0))])]
    model = Lasso(alpha=s["lambda"], precompute=gram, fit_intercept=False, tol=1e-6, max_iter=100000)
    return [("Lasso with Gram", lambda: model.fit(a, b).coef_, lambda w: [w.T])]


def correlations(s):
    """Those of units of k kinds, 30 numbers each around the mean of its kind."""
    n, k = s["n"], s["k"]
    kinds = uniform(2, k, 30).astype(np.float64)
    return np.corrcoef(uniform(1, n, 30) + 2 * kinds[np.arange(n) % k])


def normalized_cut(graph, labels):
    weights = graph - np.diag(np.diag(graph))
    degrees = weights.sum(0)
    return sum(1 - weights[np.ix_(labels == l, labels == l)].sum() / degrees[labels == l].sum() for l in np.unique(labels))


@peer("spectral", "sklearn")
def spectral_sklearn(name, s):
    graph = np.abs(correlations(s))

    def way(how):
        model = SpectralClustering(s["k"], affinity="precomputed", random_state=0, assign_labels=how)
        return how, lambda: model.fit(graph).labels_, lambda labels: [[normalized_cut(graph, labels)]]

    return [way("kmeans")]


@peer("spectral-tree", "scipy")
def tree_scipy(name, s):
    distances = squareform(np.maximum(1 - correlations(s), 0), checks=False)
    return [("linkage", lambda: linkage(distances, s["linkage"]), lambda z: [z[:, 2]])]


@peer("assignment", "scipy")
def assignment_scipy(name, s):
    """Both directions: to maximize, scipy negates a copy."""
    n = s["n"]
    if s["values"] == "uniform":
        c = uniform(1, n, n) + uniform(2, n, n).astype(np.float64) * 2.0**-24
    else:
        units = uniform(1, n, s["samples"]).astype(np.float64)
        copies = uniform(2, n, s["samples"]) + units[::-1]
        for x in units, copies:
            x -= x.mean(1, keepdims=True)
            x /= np.linalg.norm(x, axis=1, keepdims=True)
        c = units @ copies.T
    negated = -c

    def mean(pairs):
        return [c[pairs].mean()]

    return [("maximize", lambda: linear_sum_assignment(c, maximize=True), mean),
            ("minimize", lambda: linear_sum_assignment(negated), mean)]


@peer("train", "torch")
def train_torch(name, s):
    nn = torch.nn
    x = nchw(uniform(1, s["batch"], s["size"], s["size"], s["in"]))
    labels = torch.arange(s["batch"]) % s["classes"]

    def network():
        layers, probe, stream = [], x[:1], 2
        for l in s["layers"]:
            kind, k, channels = l["layer"], l["kernel"], probe.shape[1]
            if kind == "conv":
                layer, terms = nn.Conv2d(channels, l["out"], k, l["stride"], l["pad"]), (k, k, channels)
            elif kind == "dense":
                layer, terms = nn.Linear(probe.numel(), l["out"]), (*(probe.shape[2:] or (1, 1)), channels)
                layers.append(nn.Flatten())
                probe = probe.flatten(1)
            elif kind == "relu":
                layer = nn.ReLU()
            else:
                pool = {"maxpool": nn.MaxPool2d, "avgpool": nn.AvgPool2d}[kind]
                layer = pool(k, l["stride"], l["pad"], ceil_mode=l["ceil"])
            if kind in ("conv", "dense"):
                w = uniform(stream, l["out"], *terms) * np.float32(math.sqrt(6 / math.prod(terms)))
                layer.weight = nn.Parameter(nchw(w).reshape(layer.weight.shape))
                nn.init.zeros_(layer.bias)
                stream += 1
            layers.append(layer)
            probe = layer(probe)
        return nn.Sequential(*layers)

    def way(layout, format):
        net, images = network().to(memory_format=format), x.contiguous(memory_format=format)
        update = torch.optim.SGD(net.parameters(), 0.001, momentum=0.9, weight_decay=5e-4)

        @torch.enable_grad()
        def step():
            update.zero_grad()
            loss = nn.functional.cross_entropy(net(images), labels)
            loss.backward()
            update.step()
            return loss

        losses = [step().item() for _ in range(STEPS)]
        return layout, step, lambda _: [losses]

    return [way("NCHW", torch.contiguous_format), way("channels_last", torch.channels_last)]


FOLDER = tempfile.TemporaryDirectory()


@contextlib.contextmanager
def silent():
    """Without what libraries say to standard error as they are loaded."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def exported(s):
    """The file of a network with random weights, normalisations too."""
    path = os.path.join(FOLDER.name, s["network"] + ".onnx")
    if os.path.exists(path):
        return path
    for old in os.listdir(FOLDER.name):
        os.remove(os.path.join(FOLDER.name, old))
    torch.manual_seed(0)
    net = getattr(torchvision.models, s["network"])(weights=None).eval()
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1), m.running_var.uniform_(0.5, 1.5)
            m.weight.data.uniform_(0.5, 1.5), m.bias.data.normal_(0, 0.1)
    for p in net.parameters():
        if p.dim() > 1 and not p.any():  # the last layer of transformers
            p.data.normal_(0, 0.02)
    with silent(), warnings.catch_warnings(action="ignore"):
        torch.onnx.export(net, torch.zeros(1, 3, 224, 224), path, input_names=["input"], output_names=["output"],
                          dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, opset_version=17)
    return path


@peer("onnx", "onnxruntime")
def onnx_onnxruntime(name, s):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(exported(s), options, providers=["CPUExecutionProvider"])
    x = uniform(1, s["n"], 3, 224, 224)
    return [("NCHW", lambda: session.run(None, {"input": x}), lambda y: y)]


def installed():
    """Which peers can do what, their versions, and why others cannot."""
    global torch, torchvision, onnxruntime, blas, linear_sum_assignment, linkage, squareform, Lasso, lasso_path, SpectralClustering
    versions, missing = {"numpy": np.__version__}, {}
    try:
        import torch
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        torch.set_grad_enabled(False)
        versions["torch"] = torch.__version__
    except ImportError as e:
        missing["torch"] = str(e)
    try:
        with silent():
            import onnx, onnxruntime, torchvision
        versions["onnxruntime"] = f"{onnxruntime.__version__}, of networks of torchvision {torchvision.__version__}"
    except ImportError as e:
        missing["onnxruntime"] = str(e)
    try:
        import scipy
        from scipy.linalg import blas
        from scipy.cluster.hierarchy import linkage
        from scipy.optimize import linear_sum_assignment
        from scipy.spatial.distance import squareform
        versions["openblas"] = f"as linked to numpy and scipy {scipy.__version__}"
        versions["scipy"] = scipy.__version__
    except ImportError as e:
        missing["openblas"] = missing["scipy"] = str(e)
    try:
        import sklearn
        from sklearn.cluster import SpectralClustering
        from sklearn.linear_model import Lasso, lasso_path
        versions["sklearn"] = sklearn.__version__
    except ImportError as e:
        missing["sklearn"] = str(e)
    peers = {}
    for kind, name in PEERS:
        if name in versions:
            peers.setdefault(kind, []).append(name)
    return {"peers": peers, "versions": versions, "missing": missing}


def main():
    def answer(a):
        print(json.dumps(a), flush=True)

    answer(installed())
    ways = best = None
    for line in sys.stdin:
        r = json.loads(line)
        try:
            if r["do"] == "run":
                answer({"seconds": seconds(best[1])})
                continue
            if r["do"] == "export":
                answer({"file": exported(r["spec"]), "process": os.getpid()})
                continue
            ways = best = None  # makes room
            kind = r["work"].split("/")[0]
            ways = PEERS[kind, r["peer"]](r["work"], r["spec"])
            best = ways[0]
            if len(ways) > 1:
                best = min(ways, key=lambda way: min(seconds(way[1]) for _ in range(3)))
            name, run, results = best
            answer({"variant": name, "samples": [sample(a) for a in results(run())]})
        except Exception as e:
            answer({"error": f"{type(e).__name__}: {e}"})


main()

"""Writes the networks that tests of ONNX files run, of random weights, and what PyTorch makes of
inputs.npz in them: the activations of their layers, in its own layout.

    python3 make.py

Made with PyTorch 2.6 and onnx 1.17.
"""

import numpy as np, onnx, torch, warnings
from torch import nn

warnings.filterwarnings("ignore")


class Images(nn.Module):
    """Nonlinearities that exporters write as one node or several, between convolutions."""

    def __init__(self, width=6):
        super().__init__()
        self.conv1, self.bn1, self.relu = nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv2, self.silu = nn.Conv2d(width, 8, 3, padding=1), nn.SiLU()
        self.conv3, self.relu3 = nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
        self.conv4, self.swish = nn.Conv2d(8, 10, 3, stride=2, padding=1), nn.Hardswish()
        self.fc, self.gelu, self.head = nn.Linear(10, 12), nn.GELU(), nn.Linear(12, 4)

    def forward(self, x):
        seen = {}
        x = seen["relu"] = self.relu(self.bn1(self.conv1(x)))
        x = seen["silu"] = self.silu(self.conv2(self.pool(x)))
        x = seen["relu3"] = self.relu3(x + self.conv3(x))
        x = seen["swish"] = self.swish(self.conv4(x))
        x = seen["gelu"] = self.gelu(self.fc(x.mean((2, 3))))
        self.seen = seen
        return self.head(x)


class Tokens(nn.Module):
    """A transformer's layer."""

    def __init__(self, width=8):
        super().__init__()
        self.embed = nn.Embedding(20, width)
        self.attention, self.norm = nn.Linear(width, 3 * width), nn.LayerNorm(width)
        self.up, self.gelu, self.down = nn.Linear(width, 12), nn.GELU(approximate="tanh"), nn.Linear(12, width)

    def forward(self, ids, mask):
        x = self.embed(ids)
        q, k, v = self.attention(self.norm(x)).chunk(3, -1)
        scores = q @ k.transpose(1, 2) + (1 - mask[:, None, :].to(x.dtype)) * -1e4
        x = x + scores.softmax(-1) @ v
        seen = {"sum": x}
        h = seen["gelu"] = self.gelu(self.up(x))
        x = seen["sum2"] = x + self.down(h)
        self.seen = seen
        return x


def randomize(m, seed):
    torch.manual_seed(seed)
    for p in m.parameters():
        p.data = torch.randn_like(p) * (0.4 if p.ndim > 1 else 0.2)
    for s in m.modules():
        if isinstance(s, nn.BatchNorm2d):
            s.running_mean.normal_(0, 0.1)
            s.running_var.uniform_(0.5, 1.5)
            s.weight.data.uniform_(0.5, 1.5)
    return m.eval()


def export(m, name, x, axes, inputs):
    torch.onnx.export(m, x, name + ".onnx", input_names=inputs, output_names=["logits"], dynamic_axes=axes, opset_version=17, do_constant_folding=True)
    p = onnx.load(name + ".onnx")
    p.graph.doc_string = ""
    for n in p.graph.node:
        n.doc_string = ""
    del p.metadata_props[:]
    onnx.save(p, name + ".onnx")
    m(*x) if isinstance(x, tuple) else m(x)


def arrays(m, name, x):
    with torch.no_grad():
        m(*x)
    np.savez_compressed(name, **{k: v.numpy() for k, v in m.seen.items()})


rng = np.random.default_rng(1)
images = rng.normal(size=(12, 3, 16, 16)).astype(np.float32)
np.savez_compressed("images.npz", input=images)
x = torch.from_numpy(images)
for name, seed, width in [("a", 1, 6), ("b", 2, 7)]:
    m = randomize(Images(width), seed)
    export(m, name, x[:2], {"input": {0: "batch"}}, ["input"])
    arrays(m, name + ".npz", (x,))
    export(randomize(Images(width), seed + 10), name + "0", x[:2], {"input": {0: "batch"}}, ["input"])
m = randomize(Images(), 3)
export(m, "fixed", x[:5], None, ["input"])  # of five images, neither more nor fewer
export(m, "large", torch.randn(1, 3, 24, 24), {"input": {0: "batch"}}, ["input"])  # of another size
export(m, "open", x[:1], {"input": {0: "batch", 2: "height", 3: "width"}}, ["input"])

ids = rng.integers(0, 20, size=(30, 5))
mask = (np.arange(5) < rng.integers(2, 6, size=(30, 1))).astype(np.int64)
np.savez_compressed("tokens.npz", input_ids=ids, attention_mask=mask, image_ids=np.arange(30) // 2)
x = (torch.from_numpy(ids), torch.from_numpy(mask))
for name, seed in [("text_a", 4), ("text_b", 5)]:
    m = randomize(Tokens(), seed)
    export(m, name, x, {"input_ids": {0: "batch", 1: "tokens"}, "attention_mask": {0: "batch", 1: "tokens"}}, ["input_ids", "attention_mask"])
    arrays(m, name + ".npz", x)


class Normalize(torch.autograd.Function):
    """LocalResponseNorm as ONNX's own operator; PyTorch exports it with an If."""

    @staticmethod
    def forward(ctx, x, alpha):
        return nn.functional.local_response_norm(x, 5, alpha)

    @staticmethod
    def symbolic(g, x, alpha):
        return g.op("LRN", x, size_i=5, alpha_f=alpha, beta_f=0.75, bias_f=1.0).setType(x.type())


class CaffeNet32(nn.Module):
    """nn.CaffeNet32 of width 0.1 and 10 classes."""

    def __init__(self, lrn=1e-4):
        super().__init__()
        c, self.pools = [3, 3, 6, 10, 10, 6], (0, 1, 4)
        self.convs = nn.ModuleList(nn.Conv2d(c[i], c[i + 1], 5 if i == 0 else 3, padding=2 if i == 0 else 1) for i in range(5))
        self.pool, self.lrn = nn.MaxPool2d(3, 2, ceil_mode=True), lrn
        self.fc6, self.fc7 = nn.Linear(6 * 16, 13), nn.Linear(13, 10)

    def forward(self, x):
        for i, conv in enumerate(self.convs):
            x = conv(x).relu()
            if i in self.pools:
                x = self.pool(x)
                if i < 2:
                    x = Normalize.apply(x, self.lrn)
        return self.fc7(self.fc6(x.flatten(1)).relu())


class ResNet20(nn.Module):
    """nn.ResNet20 of width 0.125 and 10 classes."""

    class Block(nn.Module):
        def __init__(self, i, o):
            super().__init__()
            s = 1 if i == o else 2
            self.conv1, self.bn1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
            self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, 2, bias=False), nn.BatchNorm2d(o)) if s > 1 else nn.Identity()

        def forward(self, x):
            y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
            return (y + self.downsample(x)).relu()

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 2, 3, padding=1, bias=False), nn.BatchNorm2d(2)
        c = [2, 2, 2, 2, 4, 4, 4, 8, 8, 8]
        self.blocks = nn.Sequential(*(self.Block(c[i], c[i + 1]) for i in range(9)))
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        return self.fc(self.blocks(self.bn1(self.conv1(x)).relu()).mean((2, 3)))


x = torch.randn(2, 3, 32, 32)
for name, seed in [("caffenet32_a", 6), ("caffenet32_b", 7)]:
    export(randomize(CaffeNet32(), seed), name, x, {"input": {0: "batch"}}, ["input"])
export(randomize(CaffeNet32(0.5), 6), "caffenet32_lrn", x, {"input": {0: "batch"}}, ["input"])  # with another constant
m = randomize(ResNet20(), 8)
export(m, "resnet20", x, {"input": {0: "batch"}}, ["input"])
torch.onnx.export(m, x, "resnet20_bn.onnx", input_names=["input"], opset_version=17, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)

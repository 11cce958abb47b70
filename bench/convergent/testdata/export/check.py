"""Checks the export that README.md shows, which TestExport pastes before this: that it saves
what modules put out, of networks that work in place, in bfloat16, with tuples, and twice by
one module."""

import io

from torch import nn


class Twice(nn.Module):
    """One ReLU twice, and an LSTM, whose output is a tuple."""

    def __init__(self):
        super().__init__()
        self.fc, self.relu, self.lstm = nn.Linear(4, 6), nn.ReLU(inplace=True), nn.LSTM(6, 5, batch_first=True)

    def forward(self, x):
        h, _ = self.lstm(self.relu(self.fc(x)))
        return self.relu(h)


def saved(model, layers, batches):
    file = io.BytesIO()
    export(file, model, layers, batches)
    file.seek(0)
    return np.load(file)


torch.manual_seed(1)
conv = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 5, 3), nn.ReLU(inplace=True))
batches = [torch.randn(2, 3, 8, 8), torch.randn(3, 3, 8, 8)]
got = saved(conv, ["0", "1", "3"], batches)
with torch.no_grad():
    first = torch.cat([conv[0](x) for x in batches]).numpy()
assert got["0"].shape == (5, 4, 6, 6) and (got["0"] == first).all(), "the ReLU overwrote what the convolution put out"
assert (got["1"] == np.maximum(first, 0)).all()
assert not any(m._forward_hooks for m in conv.modules()), "hooks are left"

conv.to(torch.bfloat16)
batches = [x.to(torch.bfloat16) for x in batches]
half = saved(conv, ["0"], batches)
with torch.no_grad():
    first = torch.cat([conv[0](x) for x in batches]).float().numpy()
assert half["0"].dtype == np.float32 and (half["0"] == first).all()

model = Twice()
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    got = saved(model, ["fc", "relu", "lstm"], [torch.randn(2, 7, 4)] * 2)
assert [str(w.message) for w in said] == ["relu is used more than once: its second output is relu.2"] * 2, said
assert got["fc"].shape == got["relu"].shape == (4, 7, 6) and got["fc"].min() < 0 == got["relu"].min()
assert got["relu.2"].shape == got["lstm"].shape == (4, 7, 5)

try:
    export(io.BytesIO(), conv, ["0"], [torch.randn(2, 99, 8, 8).to(torch.bfloat16)])
except RuntimeError:
    assert not any(m._forward_hooks for m in conv.modules()), "hooks are left after an error"
else:
    raise AssertionError("no error")

try:
    import torchvision
except ImportError:
    print("without torchvision")
else:
    for name, layers in {"alexnet": ["features.0", "features.1"], "resnet18": ["bn1", "relu", "layer1.0.bn1", "layer1.0.relu"], "vgg11": ["features.0"]}.items():
        model = getattr(torchvision.models, name)(weights=None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got = saved(model, layers, [torch.randn(2, 3, 64, 64)])
        assert got[layers[0]].min() < 0, f"{name}: what {layers[0]} put out was overwritten"
        if name == "resnet18":
            assert got["layer1.0.relu"].shape == got["layer1.0.relu.2"].shape
print("right")

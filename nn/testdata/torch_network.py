"""Writes torch.safetensors: a small network of PyTorch's, images, and what its layers
make of them.

    python3 torch_network.py

Made with PyTorch 2.6 and safetensors 0.4.
"""

from collections import OrderedDict

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(1)
layers = OrderedDict(
    conv1=nn.Conv2d(3, 3, 5, padding=2), relu1=nn.ReLU(), pool1=nn.MaxPool2d(3, 2, ceil_mode=True), norm1=nn.LocalResponseNorm(5),
    conv2=nn.Conv2d(3, 6, 3, padding=1), relu2=nn.ReLU(), pool2=nn.MaxPool2d(3, 2, ceil_mode=True), norm2=nn.LocalResponseNorm(5),
    conv3=nn.Conv2d(6, 10, 3, padding=1), relu3=nn.ReLU(),
    conv4=nn.Conv2d(10, 10, 3, padding=1), relu4=nn.ReLU(),
    conv5=nn.Conv2d(10, 6, 3, padding=1), relu5=nn.ReLU(), pool5=nn.MaxPool2d(3, 2, ceil_mode=True),
    flatten=nn.Flatten(), fc6=nn.Linear(6 * 4 * 4, 13), relu6=nn.ReLU(), drop6=nn.Dropout(0.25), fc7=nn.Linear(13, 10),
)
model = nn.Sequential(layers).eval()
for p in model.parameters():
    p.data = 0.3 * torch.randn_like(p) / max(1, p[0].numel() ** 0.5) * 5
x = torch.randn(3, 3, 32, 32)
saved = dict(model.state_dict())
out = {"input": x.clone()}
with torch.no_grad():
    for name, layer in layers.items():
        x = layer(x)
        if name in ("relu1", "norm1", "relu2", "relu5", "fc7"):
            out["output." + name] = x.clone()
saved.update(out)
save_file({k: v.contiguous() for k, v in saved.items()}, "torch.safetensors")

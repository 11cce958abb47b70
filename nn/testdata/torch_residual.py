"""Writes torch_residual.safetensors: a small residual network of PyTorch's with batch
normalisation, images with labels, what the network makes of them, and what three steps
of stochastic gradient descent make of the network. The network's numbers are float32, what
is computed from them is computed in float64.

    python3 torch_residual.py

Made with PyTorch 2.6 and safetensors 0.4.
"""

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F


def conv(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 8, 3), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = conv(8, 8, 3), nn.BatchNorm2d(8)
        self.conv3, self.bn3 = conv(8, 8, 3), nn.BatchNorm2d(8, momentum=0.3, eps=1e-3)
        self.conv4, self.bn4 = conv(8, 12, 3, 2), nn.BatchNorm2d(12)
        self.conv5, self.bn5 = nn.Conv2d(12, 12, 3, padding=1), nn.BatchNorm2d(12)
        self.shortcut = nn.Sequential(conv(8, 12, 1, 2), nn.BatchNorm2d(12))
        self.fc = nn.Linear(12, 5)

    def forward(self, x, taps=None):
        taps = {} if taps is None else taps
        taps["relu1"] = x = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(x)))))
        taps["relu3"] = x = F.relu(y + x)
        y = self.bn5(self.conv5(F.relu(self.bn4(self.conv4(x)))))
        taps["shortcut.1"] = z = self.shortcut(x)
        taps["relu5"] = x = F.relu(y + z)
        taps["fc"] = x = self.fc(x.mean((2, 3)))
        return x


torch.manual_seed(1)
model = Net()
for name, value in model.state_dict().items():
    if name.endswith("running_var") or value.ndim == 1 and name.endswith("weight"):
        value.uniform_(0.5, 1.5)
    elif value.ndim == 1:
        value.normal_(0, 0.2)
saved = {name: value.clone() for name, value in model.state_dict().items()}
images, labels = torch.randn(3, 6, 3, 8, 8) + 0.5, torch.randint(5, (3, 6))
saved |= {f"images.{step}": batch for step, batch in enumerate(images)} | {"labels": labels}


def keep(prefix, values):
    saved.update({prefix + name: value.detach().float().clone() for name, value in values.items()})


def evaluate(prefix):
    taps = {}
    model.eval()(images[0], taps)
    model.train()
    keep(prefix, taps)


model, images = model.double(), images.double()
evaluate("before.")
optimiser = torch.optim.SGD([
    {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.01},
    {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0},
], lr=0.1, momentum=0.9)
losses = []
for step in range(3):
    optimiser.zero_grad()
    taps = {}
    loss = F.cross_entropy(model(images[step], taps), labels[step])
    loss.backward()
    losses.append(loss.detach())
    if step == 0:
        keep("gradient.", {name: p.grad for name, p in model.named_parameters()})
    optimiser.step()
keep("", {"losses": torch.stack(losses)})
keep("trained.", {name: v for name, v in model.state_dict().items() if v.ndim > 0})
evaluate("after.")
save_file({name: value.contiguous() for name, value in saved.items()}, "torch_residual.safetensors")

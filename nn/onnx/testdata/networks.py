"""Exports networks of torchvision as ONNX files, and writes what ONNX Runtime computes, to a folder:

    python3 networks.py FOLDER [SIZE] [NAME...]

They are those below, with images of few positions and with what is widest in them narrowed, or, given
SIZE, as they are, with images of SIZE x SIZE. For each there are

    NAME.onnx      the network
    NAME.ref       its input and every tensor of float32 that its nodes compute, one after the other
    NAME.txt       their names, shapes, and where in NAME.ref they begin

which TestNetworks compares in full, and, as ../networks_test.go reads them from testdata/networks,

    NAME.onnx.gz   the network, whose larger weights are in a file that is not there
    NAME.sums.gz   from what to compute these weights, and sums of every tensor

A weight is low + (high-low) u, of u the 24 highest bits of the hash of its place in the file, as a
fraction: so both sides compute the same without one having it from the other.
"""
import gzip, io, os, sys, warnings

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn
from torchvision import models
from torchvision.models import convnext, maxvit, resnet, swin_transformer, vision_transformer

warnings.filterwarnings("ignore")


def narrow(name, width):
    """AlexNet or VGG of small images, for the 2 x 2 positions of which its first dense layers have few weights."""
    m = getattr(models, name)(weights=None)
    m.avgpool = nn.AdaptiveAvgPool2d(2)
    dense = [i for i, l in enumerate(m.classifier) if isinstance(l, nn.Linear)]
    columns = 4 * [l for l in m.features if isinstance(l, nn.Conv2d)][-1].out_channels
    for i, out in zip(dense, [width, width, 1000]):
        m.classifier[i] = nn.Linear(columns, out)
        columns = out
    return m


def with_lrn(m):
    """AlexNet as it was published, whose first two convolutions have a local response normalisation after them."""
    m.features[1] = nn.Sequential(m.features[1], nn.LocalResponseNorm(5))
    m.features[4] = nn.Sequential(m.features[4], nn.LocalResponseNorm(5))
    m.avgpool, m.classifier[1] = nn.AdaptiveAvgPool2d(1), nn.Linear(256, m.classifier[1].out_features)  # the exporter has lost the size
    return m


def whole(name):
    return {"inception_v3": dict(aux_logits=False, init_weights=False), "googlenet": dict(aux_logits=False, init_weights=False)}.get(name, {})


# By name: the network, the size of its images, and the version of operators.
small = {
    "alexnet": (lambda: narrow("alexnet", 96), 95, 17),
    "alexnet_lrn": (lambda: with_lrn(narrow("alexnet", 96)), 95, 17),
    "convnext_tiny": (lambda: convnext.ConvNeXt([convnext.CNBlockConfig(*c) for c in [(48, 96, 3), (96, 192, 3), (192, 384, 9), (384, None, 3)]]), 64, 17),
    "densenet121": (None, 64, 13),
    "efficientnet_b0": (None, 64, 17),
    "efficientnet_v2_s": (None, 64, 18),
    "googlenet": (None, 64, 11),
    "inception_v3": (None, 107, 17),
    "maxvit_t": (lambda: maxvit.MaxVit((64, 64), 32, 2, [32, 64, 96, 128], [1, 1, 2, 1], 16, 0.2), 64, 17),
    "mnasnet0_5": (None, 64, 9),
    "mobilenet_v2": (None, 64, 11),
    "mobilenet_v3_small": (None, 64, 17),
    "regnet_y_400mf": (None, 64, 20),
    "resnet18": (None, 64, 17),
    "resnet50": (None, 64, 12),
    "resnext50_32x4d": (lambda: resnet.ResNet(resnet.Bottleneck, [2, 2, 2, 2], groups=32, width_per_group=4), 64, 17),
    "shufflenet_v2_x1_0": (None, 64, 17),
    "squeezenet1_1": (None, 64, 10),
    "swin_t": (lambda: swin_transformer.SwinTransformer([4, 4], 48, [2, 2, 2, 2], [3, 6, 12, 24], [7, 7], stochastic_depth_prob=0.2), 64, 17),
    "swin_v2_t": (lambda: swin_transformer.SwinTransformer([4, 4], 48, [2, 2, 2, 2], [3, 6, 12, 24], [8, 8], stochastic_depth_prob=0.2,
                  block=swin_transformer.SwinTransformerBlockV2, downsample_layer=swin_transformer.PatchMergingV2), 80, 17),
    "vgg16": (lambda: narrow("vgg16", 64), 64, 17),
    "vit_b_16": (lambda: vision_transformer.VisionTransformer(64, 16, 4, 6, 192, 768), 64, 17),
    "wide_resnet50_2": (lambda: resnet.ResNet(resnet.Bottleneck, [1, 2, 2, 1], width_per_group=128), 64, 17),
}


def build(name, size):
    torch.manual_seed(0)
    m, _, opset = small.get(name, (None, 0, 17))
    if not size:
        size = small[name][1]
        m = m and m()
    else:
        m = None
    m = (m or getattr(models, name)(weights=None, **whole(name))).eval()
    with torch.no_grad():  # what begins as zeros and ones would hide mistakes
        for l in m.modules():
            if isinstance(l, (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)):
                l.weight.uniform_(0.5, 1.5)
                l.bias.normal_(0, 0.1)
            if isinstance(l, nn.BatchNorm2d):
                l.running_mean.normal_(0, 0.1)
                l.running_var.uniform_(0.5, 1.5)
            if isinstance(l, (nn.Conv2d, nn.Linear)) and l.bias is not None:
                l.bias.normal_(0, 0.1)
            if hasattr(l, "layer_scale"):
                l.layer_scale.uniform_(0.2, 0.5)
    x = torch.randn(2, 3, size, size)
    f = io.BytesIO()
    torch.onnx.export(m, x, f, input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "batch"}}, opset_version=opset, dynamo=False)
    return onnx.load_from_string(f.getvalue()), x.numpy()


def hashed(start, n):
    """The hashes of n places from start on: splitmix64."""
    with np.errstate(over="ignore"):
        z = (np.arange(start, start + n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(start, shape, low, high):
    u = (hashed(start, int(np.prod(shape))) >> np.uint64(40)).astype(np.float64) / 2**24
    return (float(low) + (float(high) - float(low)) * u).astype(np.float32).reshape(shape)


def sums(v):
    """The largest magnitude, and three sums of all elements with signs by the lowest bits of their places' hashes."""
    v = v.astype(np.float64).ravel()
    bits = hashed(0, v.size)
    signed = [float((v * (1 - 2 * ((bits >> np.uint64(b)) & np.uint64(1)).astype(np.float64))).sum()) for b in range(3)]
    return [float(np.abs(v).max(initial=0)), *signed]


def weights(model):
    """The initialisers that are computed, and where in the file they begin."""
    at = 0
    for t in model.graph.initializer:
        v = onnx.numpy_helper.to_array(t)
        if v.dtype == np.float32 and v.size >= 64:
            yield t, v, at
            at += v.size


def computed(model):
    """Replaces the weights by uniform ones of the same mean and variance, and says from what they are computed."""
    lines = []
    for t, v, at in weights(model):
        low, high = np.float32(v.mean() - v.std() * 3**0.5), np.float32(v.mean() + v.std() * 3**0.5)
        t.raw_data = uniform(at, v.shape, low, high).tobytes()
        lines.append(f"weights\t{v.size}\t{low!s}\t{high!s}")
    return lines


def without_weights(model):
    for t, _, at in list(weights(model)):
        t.ClearField("raw_data")
        t.data_location = onnx.TensorProto.EXTERNAL
        for k, v in ("location", "weights"), ("offset", str(4 * at)):
            t.external_data.add(key=k, value=v)
    for n in model.graph.node:
        n.ClearField("doc_string")
    return model.SerializeToString()


def run(model, x):
    """Every tensor that nodes compute, by name."""
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    known = {o.name for o in tapped.graph.output}
    for n in tapped.graph.node:
        tapped.graph.output.extend(onnx.helper.make_empty_tensor_value_info(o) for o in n.output if o and o not in known)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(tapped.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, {"input": x})))


def compressed(path, data):
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as z:
        z.write(data)


def shape(v):
    return ",".join(map(str, v.shape))


def main(folder, size, names):
    os.makedirs(folder, exist_ok=True)
    for name in names:
        path = os.path.join(folder, name)
        model, x = build(name, size)
        if not size:
            x = uniform(1 << 40, x.shape, -1.7, 1.7)
            lines = [f"input\t{shape(x)}\t-1.7\t1.7", *computed(model)]
        onnx.save(model, path + ".onnx")
        tensors = run(model, x)
        with open(path + ".ref", "wb") as f, open(path + ".txt", "w") as t:
            for k, v in {"input": x, **tensors}.items():
                if v.dtype == np.float32:
                    t.write(f"{k}\t{shape(v)}\t{f.tell()}\n")
                    f.write(np.ascontiguousarray(v).tobytes())
        print(name, len(tensors), "tensors", model.ByteSize(), "bytes", flush=True)
        if not size:
            lines += ["\t".join([k, shape(v), *(f"{s:.7g}" for s in sums(v))]) for k, v in tensors.items()]
            compressed(path + ".onnx.gz", without_weights(model))
            compressed(path + ".sums.gz", "\n".join(lines).encode())


if __name__ == "__main__":
    folder, names = sys.argv[1], sys.argv[2:]
    size = int(names.pop(0)) if names and names[0].isdigit() else 0
    main(folder, size, names or list(small))

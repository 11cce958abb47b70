"""Writes the fixtures of this folder's tests into fixtures.tar.gz on standard output:

    python3 make.py > fixtures.tar.gz

with numpy, safetensors and torch. Arrays hold the integers 0, 1, 2, ... less 7,
over 4, in the order of their indices, where no test needs others.
"""
import gzip, io, sys, tarfile
import numpy as np
import torch
from numpy.lib import format
from safetensors.torch import save

gz = gzip.GzipFile(fileobj=sys.stdout.buffer, mode="wb", mtime=0)
tar = tarfile.open(fileobj=gz, mode="w", format=tarfile.USTAR_FORMAT)


def add(name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def npy(x, version=None):
    f = io.BytesIO()
    format.write_array(f, x, version=version)
    return f.getvalue()


def values(*shape):
    return ((np.arange(np.prod(shape)) - 7) / 4).reshape(shape)


shapes = {"2": (7, 5), "nhwc": (3, 2, 4, 5), "nchw": (3, 5, 2, 4)}
for size in 2, 4, 8:
    for endian in "<>":
        for order in "CF":
            for version in 1, 2, 3:
                x = values(*shapes["2"]).astype(f"{endian}f{size}", order=order)
                add(f"{'le' if endian == '<' else 'be'}-f{size}-{order}-v{version}.npy", npy(x, (version, 0)))
for rank4 in "nhwc", "nchw":
    for order in "CF":
        add(f"{rank4}-{order}.npy", npy(values(*shapes[rank4]).astype("<f4", order=order)))

layers = {name: values(*shape).astype("<f4") for name, shape in shapes.items()}
layers["f"] = np.asfortranarray(values(7, 5))
for name, write in ("stored", np.savez), ("deflated", np.savez_compressed):
    f = io.BytesIO()
    write(f, **layers)
    add(name + ".npz", f.getvalue())

# Special values: infinities, NaN, signed zeros, subnormals, the largest and the
# least, and float64 that must be rounded; and beside them the float32 they are.
few = [0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x7E00]
half = np.array([few + list(range(1, 65536, 61))], "<u2").view("<f2")
double = np.array([[1 / 3, -1e-45, 1e-46, 3.4028235e38, np.inf, -np.inf, np.nan, -0.0, 1 + 2**-24, 2**-126]], "<f8")
add("special-f2.npy", npy(half))
add("special-f2-as-f4.npy", npy(half.astype("<f4")))
add("special-f8.npy", npy(double))
add("special-f8-as-f4.npy", npy(double.astype("<f4")))
add("overflow.npy", npy(np.array([[1, 2, 3], [4, 5, -1e39]])))

ids = np.array([-3, 0, 2**31 - 1])
for name, x in {
    "ids-i4": ids.astype("<i4"),
    "ids-i4-be": ids.astype(">i4"),
    "ids-i8": ids.astype("<i8"),
    "ids-i8-be": ids.astype(">i8"),
    "ids-u1": np.array([0, 7, 255], "u1"),
    "ids-U": np.array(["a", "", "n02\u00e9\U0001f43c"]),
    "ids-U-be": np.array(["a", "", "n02\u00e9\U0001f43c"]).astype(">U5"),
    "ids-S": np.array([b"a", b"", b"n02"]),
}.items():
    add(name + ".npy", npy(x))

for name, x in {
    "structured": np.zeros(3, [("a", "<f4"), ("b", "<i4")]),
    "complex": np.zeros((2, 2), "c8"),
    "integers": np.zeros((2, 2), "<i4"),
    "bools": np.zeros((2, 2), "?"),
    "dates": np.zeros(2, "M8[s]"),
    "rank0": np.float32(1).reshape(()),
    "rank3": values(2, 2, 2).astype("<f4"),
    "empty": np.zeros((0, 3), "<f4"),
    "no-units": np.zeros((3, 0), "<f4"),
}.items():
    add(name + ".npy", npy(x))
f = io.BytesIO()
np.save(f, np.array([[None, 1]], object), allow_pickle=True)
add("objects.npy", f.getvalue())
f = io.BytesIO()
np.savez(f, good=values(2, 2), bad=np.array([{}], object))
add("objects.npz", f.getvalue())

t = torch.tensor(values(*shapes["2"]), dtype=torch.float64)
add("torch.safetensors", save({
    "f16": t.half(), "bf16": t.bfloat16(), "f32": t.float(), "f64": t,
    "nchw": torch.tensor(values(*shapes["nchw"])).float(),
    "i32": torch.tensor(ids).int(), "i64": torch.tensor(ids), "bool": torch.tensor([True]),
}))
bf = torch.tensor([[0x0000, -0x8000, 0x0001, 0x7F80, 0x7FC0, 0x7F7F, 0x3EAB]], dtype=torch.int16).view(torch.bfloat16)
add("special-bf16.safetensors", save({"x": bf}))
add("special-bf16-as-f4.npy", npy(bf.float().numpy()))

# What WriteNPY must write.
add("written-3x4.npy", npy(values(3, 4)))
add("written-1x1000.npy", npy(values(1, 1000)))
add("empty-f8.npy", npy(values(0, 3)))
tar.close()
gz.close()

"""Prints what resize_test.go compares with, from Pillow and torchvision."""
import hashlib, numpy as np
from PIL import Image
from torchvision import transforms as T


def pattern(w, h):
    y, x, c = np.mgrid[:h, :w, :3]
    return Image.fromarray((x * x * 7 + y * 13 + x * y * 3 + c * 91).astype(np.uint8))


for w, h, tw, th in [(32, 32, 224, 224), (100, 75, 32, 24), (75, 100, 31, 64), (32, 32, 32, 32), (7, 5, 1, 3), (640, 480, 341, 256)]:
    r = pattern(w, h).resize((tw, th), Image.BILINEAR)
    print(f'\t\t{{{w}, {h}, {tw}, {th}, "{hashlib.sha256(r.tobytes()).hexdigest()[:16]}"}},')
for w, h, resize, crop in [(100, 75, 64, 56), (75, 101, 37, 32), (32, 32, 73, 64)]:
    t = T.Compose([T.Resize(resize), T.CenterCrop(crop), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    x = t(pattern(w, h)).numpy()
    f = x[:, 0, 0]
    s = (x.ravel().astype(np.float64) * (np.arange(x.size) % 7 + 1)).sum()
    print(f"\t\t{{{w}, {h}, {resize}, {crop}, [3]float64{{{f[0]}, {f[1]}, {f[2]}}}, {s}}},")

"""Writes mapping.npy, a sparse mapping between two networks of 8 units.

    python3 mapping.py

Made with numpy 1.24.
"""

import numpy as np

rng = np.random.default_rng(5)
w = rng.laplace(scale=0.1, size=(8, 8))
w[np.abs(w) < 0.05] = 0  # ties, as the LASSO leaves them
np.save("mapping.npy", w.astype(np.float32))

"""Writes lasso.json: weights of the LASSO and the elastic net by scikit-learn.

    python3 lasso.py > lasso.json

Made with numpy 2.2 and scikit-learn 1.4.
"""

import json

import numpy as np
from sklearn.linear_model import ElasticNet, Lasso, lasso_path

rng = np.random.default_rng(1)
n, p, q = 80, 12, 4
f = rng.normal(size=(n, 5))
x = np.maximum(f @ rng.normal(size=(5, p)) + rng.normal(size=(n, p)), 0)
y = np.maximum(f @ rng.normal(size=(5, q)) + rng.normal(size=(n, q)), 0)
x, y = x - x.mean(axis=0), y - y.mean(axis=0)
out = {"xx": (x.T @ x / n).tolist(), "xy": (x.T @ y / n).tolist(), "variance": (y**2).mean(axis=0).tolist(), "fits": []}
exact = {"fit_intercept": False, "tol": 1e-15, "max_iter": 10**7}
for lam in [1.0, 0.3, 0.1, 0.01, 1e-4]:
    out["fits"].append({"lambda": lam, "ratio": 1, "w": Lasso(alpha=lam, **exact).fit(x, y).coef_.T.tolist()})
    for ratio in [0.2, 0.7]:
        w = ElasticNet(alpha=lam, l1_ratio=ratio, **exact).fit(x, y).coef_.T
        out["fits"].append({"lambda": lam, "ratio": ratio, "w": w.tolist()})
lambdas, paths = np.geomspace(1, 1e-3, 30), []
for t in range(q):
    paths.append(lasso_path(x, y[:, t], alphas=lambdas, tol=1e-15, max_iter=10**7)[1].T.tolist())
out["lambdas"], out["paths"] = lambdas.tolist(), paths
print(json.dumps(out))

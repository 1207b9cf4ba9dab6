"""How fast is a small multi-layer perceptron trained? Dense(h, relu)-Dense(10) on `(n, d)`."""

from __future__ import annotations

from bench.work import Case, classes, normal

GOALS = {
    "mlp_16x20x64": "loop <= 30 us, compiled step <= 10 us",
    "mlp_64x64x128": "loop <= 60 us, compiled step <= 40 us",
    "mlp_256x784x256": "<= 1.2 ms",
    "mlp_256x784x256_adam": "<= 1.4 ms",
}


def cases():
    for name, goal in GOALS.items():
        n, d, h = (int(size) for size in name.removesuffix("_adam").split("_")[1].split("x"))
        if name.endswith("adam"):
            yield Case(name, "train", {"n": n, "d": d, "h": h}, optimizer="adam", rate=1e-4, goal=goal)
        else:
            yield Case(name, "train", {"n": n, "d": d, "h": h}, goal=goal)


def shapes(case):
    d, h = case.sizes["d"], case.sizes["h"]
    return [(h, d), (h,), (10, h), (10,)]


def data(case):
    n, d = case.sizes["n"], case.sizes["d"]
    return (normal((n, d)), classes(10, (n,))) if case.kind == "train" else (normal((n, d)),)


def gluon(g, case):
    nn = g.gluon.nn
    net = nn.HybridSequential()
    net.add(nn.Dense(case.sizes["h"], activation="relu"), nn.Dense(10))
    return net


def torch(case):
    from torch import nn

    d, h = case.sizes["d"], case.sizes["h"]
    return nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, 10))


def jax(case):
    import jax.numpy as np

    def forward(weights, x, training):
        w1, b1, w2, b2 = weights
        return np.maximum(x @ w1.T + b1, 0) @ w2.T + b2

    return forward

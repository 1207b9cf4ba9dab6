"""How fast is a small convolutional net trained? LeNet-5 with sigmoid and average pools on `(256, 1, 28, 28)`."""

from __future__ import annotations

from bench.work import Case, classes, normal


def cases():
    yield Case("lenet_256", "train", {"n": 256}, rate=0.1, goal="<= 10 ms")


def shapes(case):
    return [(6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (10, 84), (10,)]


def data(case):
    n = case.sizes["n"]
    return normal((n, 1, 28, 28)), classes(10, (n,))


def gluon(g, case):
    nn = g.gluon.nn
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(6, kernel_size=5, padding=2, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Conv2D(16, kernel_size=5, activation="sigmoid"),
        nn.AvgPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation="sigmoid"),
        nn.Dense(84, activation="sigmoid"),
        nn.Dense(10),
    )
    return net


def torch(case):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip


def jax(case):
    from jax import lax, nn

    def layer(x, w, b, pad):
        x = lax.conv_general_dilated(x, w, (1, 1), [(pad, pad)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW"))
        x = nn.sigmoid(x + b[None, :, None, None])
        return lax.reduce_window(x, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") * 0.25

    def forward(weights, x, training):
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = weights
        x = layer(layer(x, w1, b1, 2), w2, b2, 0).reshape(x.shape[0], -1)
        x = nn.sigmoid(x @ w3.T + b3)
        return nn.sigmoid(x @ w4.T + b4) @ w5.T + b5

    return forward

"""How fast is a residual net trained? ResNet-18 with a 3x3 stem on `(32, 3, 32, 32)`.

JAX's version keeps no running statistics: it does a little less than the others.
"""

from __future__ import annotations

from bench.work import Case, classes, normal

STAGES = ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))


def cases():
    yield Case("resnet18_32x32_b32", "train", {"n": 32}, rate=0.01, goal="<= 0.50 s")


def blocks():
    """`(channels in, channels out, stride)` of the eight residual blocks."""
    for wide_in, wide, stride in STAGES:
        yield wide_in, wide, stride
        yield wide, wide, 1


def shapes(case):
    def layer(c_in, c, k):
        return [(c, c_in, k, k), ((c,), 1.0), (c,)]

    found = layer(3, 64, 3)
    for c_in, c, stride in blocks():
        found += layer(c_in, c, 3) + layer(c, c, 3)
        if stride > 1:
            found += layer(c_in, c, 1)
    return [*found, (10, 512), (10,)]


def data(case):
    n = case.sizes["n"]
    x = normal((n, 3, 32, 32))
    return (x, classes(10, (n,))) if case.kind == "train" else (x,)


def gluon(g, case):
    nn = g.gluon.nn

    class Residual(g.gluon.HybridBlock):
        def __init__(self, c, stride):
            super().__init__()
            with self.name_scope():
                self.conv1 = nn.Conv2D(c, 3, strides=stride, padding=1, use_bias=False)
                self.norm1 = nn.BatchNorm()
                self.conv2 = nn.Conv2D(c, 3, padding=1, use_bias=False)
                self.norm2 = nn.BatchNorm()
                self.conv3 = self.norm3 = None
                if stride > 1:
                    self.conv3 = nn.Conv2D(c, 1, strides=stride, use_bias=False)
                    self.norm3 = nn.BatchNorm()

        def hybrid_forward(self, F, x):
            y = F.relu(self.norm1(self.conv1(x)))
            y = self.norm2(self.conv2(y))
            return F.relu(y + (x if self.conv3 is None else self.norm3(self.conv3(x))))

    net = nn.HybridSequential()
    net.add(nn.Conv2D(64, 3, padding=1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
    for _, c, stride in blocks():
        net.add(Residual(c, stride))
    net.add(nn.GlobalAvgPool2D(), nn.Dense(10))
    return net


def torch(case):
    from torch import nn

    class Residual(nn.Module):
        def __init__(self, c_in, c, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(c_in, c, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(c)
            self.conv2 = nn.Conv2d(c, c, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(c)
            self.conv3 = None
            if stride > 1:
                self.conv3 = nn.Conv2d(c_in, c, 1, stride, bias=False)
                self.norm3 = nn.BatchNorm2d(c)

        def forward(self, x):
            y = self.norm1(self.conv1(x)).relu_()
            y = self.norm2(self.conv2(y))
            y += x if self.conv3 is None else self.norm3(self.conv3(x))
            return y.relu_()

    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True),
        *(Residual(*block) for block in blocks()),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip


def jax(case):
    import jax.numpy as np
    from jax import lax

    def forward(weights, x, training):
        rest = iter(weights)

        def layer(x, stride):
            w, gamma, beta = next(rest), next(rest), next(rest)
            pad = w.shape[2] // 2
            x = lax.conv_general_dilated(
                x, w, (stride, stride), [(pad, pad)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW")
            )
            mean, var = np.zeros(len(gamma)), np.ones(len(gamma))
            if training:
                mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
            scale = gamma * lax.rsqrt(var + 1e-5)
            return x * scale[:, None, None] + (beta - mean * scale)[:, None, None]

        x = np.maximum(layer(x, 1), 0)
        for _, _, stride in blocks():
            y = layer(np.maximum(layer(x, stride), 0), 1)
            x = np.maximum(y + (layer(x, stride) if stride > 1 else x), 0)
        return x.mean((2, 3)) @ next(rest).T + next(rest)

    return forward

"""Is a chain of elementwise ops bound by memory alone? `exp(-y*y) + max(x,0)*0.5 - y`, `y = tanh(2x+1)*sigmoid(x)`."""

from __future__ import annotations

from bench.work import Case, normal


def cases():
    yield Case("chain_4M", "forward", {"n": 1 << 22}, goal="<= 2 ms")
    yield Case("chain_4K", "forward", {"n": 1 << 12}, goal="<= 6 us")


def shapes(case):
    return []


def data(case):
    return (normal((case.sizes["n"],)),)


def gluon(g, case):
    class Chain(g.gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            y = F.tanh(2 * x + 1) * F.sigmoid(x)
            return F.exp(-y * y) + F.relu(x) * 0.5 - y

    return Chain()


def torch(case):
    import torch

    class Chain(torch.nn.Module):
        def forward(self, x):
            y = torch.tanh(2 * x + 1) * torch.sigmoid(x)
            return torch.exp(-y * y) + torch.relu(x) * 0.5 - y

    return Chain()


def jax(case):
    import jax.numpy as np
    from jax import nn

    def forward(weights, x, training):
        y = np.tanh(2 * x + 1) * nn.sigmoid(x)
        return np.exp(-y * y) + np.maximum(x, 0) * 0.5 - y

    return forward

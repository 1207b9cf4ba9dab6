"""How long does one prediction take? The forward pass alone, batch 1, of nets of the other files."""

from __future__ import annotations

from bench.work import Case
from bench.workloads import mlp, resnet


def cases():
    yield Case("infer_mlp_b1", "forward", {"of": mlp, "n": 1, "d": 64, "h": 128}, goal="<= 8 us")
    yield Case("infer_resnet18_b1", "forward", {"of": resnet, "n": 1}, goal="<= 10 ms")


def shapes(case):
    return case.sizes["of"].shapes(case)


def data(case):
    return case.sizes["of"].data(case)


def gluon(g, case):
    return case.sizes["of"].gluon(g, case)


def torch(case):
    return case.sizes["of"].torch(case)


def jax(case):
    return case.sizes["of"].jax(case)

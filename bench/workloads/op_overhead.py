"""What does one eager op on small arrays cost, unrecorded and recorded for the backward pass?"""

from __future__ import annotations

from bench.work import Case, normal

OPS = ("add_16x20", "exp_16x20", "sum_16x20", "matmul_16x20x64")


def cases():
    for op in OPS:
        yield Case(f"op_{op}", "op", {"op": op.split("_")[0], "recorded": False}, goal="<= PyTorch eager")
    for op in OPS:
        yield Case(f"op_{op}_recorded", "op", {"op": op.split("_")[0], "recorded": True}, goal="<= PyTorch eager")


def shapes(case):
    return []


def data(case):
    """`(a, b)`: the operands; ops of one argument take the first."""
    return normal((16, 20)), normal((20, 64) if case.sizes["op"] == "matmul" else (16, 20), seed=2)

"""Calls on arrays so large that they take the ways small ones never take: VJPs in one loop, threads, pieces of
products, kernels over rows, memory that is used again."""

from __future__ import annotations

from hypothesis import strategies as st

from ..op import REGISTRY, Op
from .calls import Call
from .strategies import domains, generators, values

MEDIUM = st.tuples(st.integers(20, 90), st.integers(100, 300))  # what is too small for threads, or just large enough
MAPPED = st.tuples(st.integers(300, 450), st.integers(500, 700)) | MEDIUM  # elements of elementwise ops
REDUCED = st.tuples(st.integers(700, 900), st.integers(800, 1000)) | MEDIUM
SIDES = (st.integers(33, 90), st.integers(170, 400))  # of matrices: products by one thread, and shared ones


@st.composite
def large_calls(draw, op: Op | str):
    """`(args, spec)` of a call of an op on arrays of thousands to hundred thousands of elements, for
    `check_op(op, cases=...)`.

    There are calls of elementwise ops, reductions, softmaxes and matrix products.

    Raises:
        LookupError: for other ops.

    >>> args, spec = large_calls("sum").example()
    >>> args[0].size >= 2000
    True
    """
    op = REGISTRY[op] if isinstance(op, str) else op
    rng = draw(generators())
    if op.kind == "elementwise":
        shapes = [draw(MAPPED)] * op.nin
        if op.nin > 1 and draw(st.booleans()):  # one of them is repeated
            m, n = shapes[0]
            shapes[draw(st.integers(0, op.nin - 1))] = draw(st.sampled_from([(m, 1), (1, n), (n,), ()]))
        args = [values(rng, s, d) for s, d in zip(shapes, domains(op), strict=True)]
        if op.result == "where":
            args[0] = values(rng, shapes[0], dtype="bool")
        return Call(args, {})
    if op.kind == "reduce":
        axis = draw(st.sampled_from([(0,), (1,), (0, 1)]))
        domain = (0.99, 1.01) if op.result == "prod" else (0.5, 2.0)  # of some hundred factors
        return Call([values(rng, draw(REDUCED), domain)], {"axis": axis, "keepdims": draw(st.booleans())})
    if op.name in ("softmax", "log_softmax"):
        return Call([values(rng, draw(REDUCED))], {"axis": draw(st.integers(0, 1))})
    if op.name in ("matmul", "linear"):
        side = draw(st.sampled_from(SIDES))
        m, n, k = (draw(side) for _ in range(3))
        matrices = [values(rng, (m, k)), values(rng, (k, n) if op.name == "matmul" else (n, k))]
        return Call([*matrices, values(rng, (n,))][: op.nin], {})
    raise LookupError(f"op {op.name}: there are no large calls of a {op.kind}. Write a strategy of (args, keywords).")

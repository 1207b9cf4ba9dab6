"""Valid calls of every registered op, drawn: arguments and keywords."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from ..op import REGISTRY, Op
from ..ops.move import freeze_key
from .array_calls import CASES as ARRAYS
from .layer_calls import CASES as LAYERS
from .strategies import axes, basic_keys, broadcastable_shapes, domains, generators, shapes, values

MODES = ["clip", "wrap", "raise"]


class Call(NamedTuple):
    """A call of an op: float64 for values, int64 and bool for indices and masks."""

    args: list
    spec: dict


@st.composite
def elementwise(draw, op, dtype="float64", smallest=0):
    """Arguments that broadcast, within the op's domain."""
    rng = draw(generators())
    args = [
        values(rng, s, d, dtype) for s, d in zip(draw(broadcastable_shapes(op.nin, smallest)), domains(op), strict=True)
    ]
    if op.result == "where":
        args[0] = values(rng, args[0].shape, dtype="bool")
    return Call(args, {})


@st.composite
def _reduce(draw, smallest=0):
    x = values(draw(generators()), draw(shapes(smallest=smallest)), (0.5, 2.0))
    return Call([x], {"axis": draw(axes(x.ndim)), "keepdims": draw(st.booleans())})


@st.composite
def _prod(draw):
    (x,), spec = draw(_reduce())
    x = x * np.where(draw(generators()).random(x.shape) < 0.2, 0.0, 1.0)  # one 0, several, none
    return Call([np.asarray(x)], spec)


@st.composite
def _arg(draw):
    x = values(draw(generators()), draw(shapes(1, smallest=1)))
    return Call([x], {"axis": draw(st.none() | st.integers(0, x.ndim - 1)), "keepdims": draw(st.booleans())})


@st.composite
def _along(draw, low=1, smallest=1, domain=(-3.0, 3.0)):
    x = values(draw(generators()), draw(shapes(low, smallest=smallest)), domain)
    return Call([x], {"axis": draw(st.integers(0, x.ndim - 1))})


@st.composite
def _reshape(draw):
    x = values(draw(generators()), draw(shapes()))
    sizes = [n for n in x.shape if n != 1]
    sizes = draw(st.permutations(sizes)) if draw(st.booleans()) else [int(np.prod(sizes))] * bool(sizes)
    return Call([x], {"shape": tuple(sizes) + (1,) * draw(st.integers(0, 1))})


@st.composite
def _transpose(draw):
    shape = draw(shapes() | st.tuples(st.integers(2, 3), st.integers(2, 4)).map(lambda s: (s[0],) * s[1]))
    x = values(draw(generators()), shape)  # with equal axes a wrong permutation keeps the shape
    return Call([x], {"axes": tuple(draw(st.permutations(range(x.ndim))))})


@st.composite
def _broadcast_to(draw):
    small, whole = draw(broadcastable_shapes(2))
    if np.prod(small) > np.prod(whole) or len(small) > len(whole):
        small, whole = whole, small
    return Call([values(draw(generators()), small)], {"shape": np.broadcast_shapes(small, whole)})


@st.composite
def _slice(draw):
    x = values(draw(generators()), draw(shapes()))
    return Call([x], {"key": freeze_key(draw(basic_keys(x.shape)))})


@st.composite
def _unslice(draw):
    shape = draw(shapes())
    key = draw(basic_keys(shape))
    return Call([values(draw(generators()), np.zeros(shape)[key].shape)], {"key": freeze_key(key), "shape": shape})


@st.composite
def _concat(draw):
    shape = draw(shapes(1))
    axis, rng = draw(st.integers(0, len(shape) - 1)), draw(generators())
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    return Call([values(rng, (*shape[:axis], n, *shape[axis + 1 :])) for n in sizes], {"axis": axis})


@st.composite
def _pad(draw):
    x = values(draw(generators()), draw(shapes()))
    width = st.tuples(st.integers(0, 2), st.integers(0, 2))
    return Call([x], {"widths": tuple(draw(width) for _ in x.shape), "value": draw(st.sampled_from([0.0, -1.5]))})


@st.composite
def _matmul(draw):
    n, k, m = (draw(st.integers(0, 4)) for _ in range(3))
    left, right = draw(broadcastable_shapes(2))
    rng = draw(generators())
    return Call([values(rng, (*left[-2:], n, k)), values(rng, (*right[-2:], k, m))], {})


@st.composite
def _advanced_key(draw, shape):
    """`(frozen key, index arrays)` for an array of this shape without empty axes."""
    rng, inner = draw(generators()), draw(shapes(0, 2, smallest=1, largest=3))
    key, indices = [], []
    count = draw(st.integers(1, len(shape)))
    for n in shape[:count]:
        if indices and draw(st.booleans()):
            key.append(("s", None, None, None))
        else:
            key.append(("a", len(indices)))
            indices.append(np.asarray(rng.integers(-n, n, inner)))
    return tuple(key), indices


@st.composite
def _gather(draw):
    x = values(draw(generators()), draw(shapes(1, smallest=1)))
    key, indices = draw(_advanced_key(x.shape))
    return Call([x, *indices], {"key": key})


@st.composite
def _index_add(draw):
    shape = draw(shapes(1, smallest=1))
    key, indices = draw(_advanced_key(shape))
    full = tuple(indices[k[1]] if k[0] == "a" else slice(None) for k in key)
    return Call([values(draw(generators()), np.zeros(shape)[full].shape), *indices], {"key": key, "shape": shape})


@st.composite
def _take(draw):
    (x,), spec = draw(_along())
    mode, n = draw(st.sampled_from(MODES)), x.shape[spec["axis"]]
    far = 0 if mode == "raise" else n
    index = np.asarray(draw(generators()).integers(-n - far, n + far, draw(shapes(0, 2))))
    return Call([x, index], {**spec, "mode": mode})


@st.composite
def _scatter_add(draw):
    shape, rng = draw(shapes(1, smallest=1)), draw(generators())
    axis = draw(st.integers(0, len(shape) - 1))
    index = np.asarray(rng.integers(0, shape[axis], draw(shapes(0, 2))))
    g = values(rng, (*shape[:axis], *index.shape, *shape[axis + 1 :]))
    return Call([g, index], {"axis": axis, "size": shape[axis], "mode": draw(st.sampled_from(MODES))})


@st.composite
def _pick(draw, transposed=False):
    (x,), spec = draw(_along())
    axis, rng = spec["axis"], draw(generators())
    kept = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    index = rng.integers(0, x.shape[axis], kept)
    index = index if draw(st.booleans()) else index.squeeze(axis)
    spec = {**spec, "mode": draw(st.sampled_from(MODES))}
    keepdims = draw(st.booleans())
    if transposed:
        g = values(rng, kept)
        return Call([g if keepdims else g.squeeze(axis), index], {**spec, "shape": x.shape})
    return Call([x, index], {**spec, "keepdims": keepdims})


@st.composite
def from_examples(draw, op):
    """One of the calls the op's record lists."""
    shapes_, spec = draw(st.sampled_from(op.examples))
    rng = draw(generators())
    ranges = domains(op) if len(domains(op)) == len(shapes_) else (op.domain,) * len(shapes_)
    return Call([values(rng, s, d) for s, d in zip(shapes_, ranges, strict=True)], dict(spec))


CASES = {
    "cast": shapes().flatmap(lambda s: st.builds(
        lambda rng, dtype: Call([values(rng, s)], {"dtype": dtype}),
        generators(), st.sampled_from(["float32", "float64", "int32", "float16"]))),
    "reshape": _reshape(), "transpose": _transpose(), "broadcast_to": _broadcast_to(),
    "slice": _slice(), "unslice": _unslice(), "concat": _concat(), "pad": _pad(),
    "sum": _reduce(), "prod": _prod(), "max": _reduce(smallest=1), "min": _reduce(smallest=1),
    "argmax": _arg(), "argmin": _arg(), "softmax": _along(), "log_softmax": _along(), "cumsum": _along(smallest=0),
    "matmul": _matmul(), "gather": _gather(), "index_add": _index_add(), "take": _take(), "scatter_add": _scatter_add(),
    "pick": _pick(), "pick_grad": _pick(transposed=True), **ARRAYS, **LAYERS,
}  # fmt: skip


def calls(op: Op | str, smallest=0):
    """`(args, spec)` of a valid call of an op.

    Args:
        op: an op or its registered name.
        smallest: least length of an axis, for elementwise ops.

    Raises:
        LookupError: neither kind nor examples say how the op is called.

    >>> args, spec = calls("softmax").example()
    >>> sorted(spec)
    ['axis']
    """
    op = REGISTRY[op] if isinstance(op, str) else op
    if op.name in CASES:
        return CASES[op.name]
    if op.examples:
        return from_examples(op)
    if op.kind == "elementwise":
        return elementwise(op, smallest=smallest)
    raise LookupError(
        f"op {op.name}: tests cannot call it. Neither its kind nor its record says how. Give it"
        f" examples=(((shape, ...), keywords), ...)."
    )

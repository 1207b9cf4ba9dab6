"""Hypothesis strategies for shapes, memory layouts, and a valid call of every op.

Values come from a NumPy generator with a drawn seed (arrays of drawn floats are slow and shrink badly); shapes,
layouts and keywords are drawn, so those shrink.
"""

import numpy as np
from hypothesis import strategies as st
from strategies_arrays import CASES as ARRAYS
from strategies_layers import CASES as LAYERS

from numblocks.op import REGISTRY
from numblocks.ops.move import freeze_key

MODES = ["clip", "wrap", "raise"]


def shapes(low=0, high=3, smallest=0, largest=4):
    """Shapes with `low` to `high` axes; sizes 0 and 1 are as likely as others."""
    return st.lists(st.integers(smallest, largest), min_size=low, max_size=high).map(tuple)


@st.composite
def broadcastable(draw, count, smallest=0):
    """`count` shapes that broadcast together."""
    whole = draw(shapes(smallest=smallest))
    found = []
    for _ in range(count):
        start = draw(st.integers(0, len(whole)))
        found.append(tuple(1 if draw(st.booleans()) else n for n in whole[start:]))
    found[draw(st.integers(0, count - 1))] = whole
    return found


def generator(draw) -> np.random.Generator:
    """Random values from a drawn seed."""
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))


def values(rng, shape, domain=(-3.0, 3.0), dtype="float64"):
    """Values of `dtype` within `domain`."""
    low, high = domain
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        low = max(low, 0) if dtype.kind == "u" else low
        return rng.integers(int(np.ceil(low)), int(np.floor(high)) + 1, shape).astype(dtype)
    return np.asarray(rng.uniform(low, high, shape), dtype)


@st.composite
def layouts(draw, x, repeated=True):
    """The array `x` again in memory arranged otherwise: permuted, reversed, with gaps, or `repeated` (stride 0)."""
    how = draw(st.sampled_from(["plain", "permuted", "reversed", "gaps"] + ["repeated"] * repeated))
    if x.ndim == 0 or how == "plain":
        return np.ascontiguousarray(x) if x.ndim else x
    if how == "permuted":
        order = draw(st.permutations(range(x.ndim)))
        return np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
    axis = draw(st.integers(0, x.ndim - 1))
    if how == "reversed":
        return np.flip(np.ascontiguousarray(np.flip(x, axis)), axis)
    if how == "gaps":
        wide = np.repeat(x, 2, axis)
        return wide[(slice(None),) * axis + (slice(None, None, 2),)]
    return np.broadcast_to(x[(slice(None),) * axis + (slice(0, 1),)], x.shape) if x.shape[axis] else x


def domains(op):
    """One `(low, high)` per argument."""
    return op.domain if isinstance(op.domain[0], tuple) else (op.domain,) * op.nin


@st.composite
def elementwise(draw, op, dtype="float64", smallest=0):
    """Arguments that broadcast, within the op's domain."""
    rng = generator(draw)
    args = [values(rng, s, d, dtype) for s, d in zip(draw(broadcastable(op.nin, smallest)), domains(op), strict=True)]
    if op.name == "where":
        args[0] = values(rng, args[0].shape, dtype="bool")
    return args, {}


@st.composite
def _reduce(draw, smallest=0):
    x = values(generator(draw), draw(shapes(smallest=smallest)), (0.5, 2.0))
    return [x], {"axis": draw(axes(x.ndim)), "keepdims": draw(st.booleans())}


def axes(ndim):
    """Some of the axes, in order."""
    return st.sets(st.sampled_from(range(ndim))).map(lambda s: tuple(sorted(s))) if ndim else st.just(())


@st.composite
def _arg(draw):
    x = values(generator(draw), draw(shapes(1, smallest=1)))
    return [x], {"axis": draw(st.none() | st.integers(0, x.ndim - 1)), "keepdims": draw(st.booleans())}


@st.composite
def _along(draw, low=1, smallest=1):
    x = values(generator(draw), draw(shapes(low, smallest=smallest)))
    return [x], {"axis": draw(st.integers(0, x.ndim - 1))}


@st.composite
def _reshape(draw):
    x = values(generator(draw), draw(shapes()))
    sizes = [n for n in x.shape if n != 1]
    sizes = draw(st.permutations(sizes)) if draw(st.booleans()) else [int(np.prod(sizes))] * bool(sizes)
    return [x], {"shape": tuple(sizes) + (1,) * draw(st.integers(0, 1))}


@st.composite
def _transpose(draw):
    x = values(generator(draw), draw(shapes()))
    return [x], {"axes": tuple(draw(st.permutations(range(x.ndim))))}


@st.composite
def _broadcast_to(draw):
    small, whole = draw(broadcastable(2))
    if np.prod(small) > np.prod(whole) or len(small) > len(whole):
        small, whole = whole, small
    return [values(generator(draw), small)], {"shape": np.broadcast_shapes(small, whole)}


@st.composite
def basic_keys(draw, shape):
    """A basic index: ints, slices (steps of both signs), None, Ellipsis."""
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["int", "slice", "slice", "step"] if n else ["slice", "step"]))
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        else:
            ends = st.none() | st.integers(-n - 1, n + 1)
            parts.append(slice(draw(ends), draw(ends), draw(st.sampled_from([-2, -1, 2])) if kind == "step" else None))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


@st.composite
def _slice(draw):
    x = values(generator(draw), draw(shapes()))
    return [x], {"key": freeze_key(draw(basic_keys(x.shape)))}


@st.composite
def _unslice(draw):
    shape = draw(shapes())
    key = draw(basic_keys(shape))
    return [values(generator(draw), np.zeros(shape)[key].shape)], {"key": freeze_key(key), "shape": shape}


@st.composite
def _concat(draw):
    shape = draw(shapes(1))
    axis, rng = draw(st.integers(0, len(shape) - 1)), generator(draw)
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    return [values(rng, (*shape[:axis], n, *shape[axis + 1 :])) for n in sizes], {"axis": axis}


@st.composite
def _pad(draw):
    x = values(generator(draw), draw(shapes()))
    width = st.tuples(st.integers(0, 2), st.integers(0, 2))
    return [x], {"widths": tuple(draw(width) for _ in x.shape), "value": draw(st.sampled_from([0.0, -1.5]))}


@st.composite
def _matmul(draw):
    n, k, m = (draw(st.integers(0, 4)) for _ in range(3))
    left, right = draw(broadcastable(2))
    rng = generator(draw)
    return [values(rng, (*left[-2:], n, k)), values(rng, (*right[-2:], k, m))], {}


@st.composite
def _advanced_key(draw, shape):
    """`(frozen key, index arrays)` for an array of this shape without empty axes."""
    rng, inner = generator(draw), draw(shapes(0, 2, smallest=1, largest=3))
    key, indices = [], []
    count = draw(st.integers(1, len(shape)))
    for n in shape[:count]:
        if indices and draw(st.booleans()):
            key.append(("s", None, None, None))
        else:
            key.append(("a", len(indices)))
            indices.append(rng.integers(-n, n, inner))
    return tuple(key), indices


@st.composite
def _gather(draw):
    x = values(generator(draw), draw(shapes(1, smallest=1)))
    key, indices = draw(_advanced_key(x.shape))
    return [x, *indices], {"key": key}


@st.composite
def _index_add(draw):
    shape = draw(shapes(1, smallest=1))
    key, indices = draw(_advanced_key(shape))
    full = tuple(indices[k[1]] if k[0] == "a" else slice(None) for k in key)
    return [values(generator(draw), np.zeros(shape)[full].shape), *indices], {"key": key, "shape": shape}


@st.composite
def _take(draw):
    (x,), spec = draw(_along())
    mode, n = draw(st.sampled_from(MODES)), x.shape[spec["axis"]]
    far = 0 if mode == "raise" else n
    index = generator(draw).integers(-n - far, n + far, draw(shapes(0, 2)))
    return [x, index], {**spec, "mode": mode}


@st.composite
def _scatter_add(draw):
    shape, rng = draw(shapes(1, smallest=1)), generator(draw)
    axis = draw(st.integers(0, len(shape) - 1))
    index = rng.integers(0, shape[axis], draw(shapes(0, 2)))
    g = values(rng, (*shape[:axis], *index.shape, *shape[axis + 1 :]))
    return [g, index], {"axis": axis, "size": shape[axis], "mode": draw(st.sampled_from(MODES))}


@st.composite
def _pick(draw, transposed=False):
    (x,), spec = draw(_along())
    axis, rng = spec["axis"], generator(draw)
    kept = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    index = rng.integers(0, x.shape[axis], kept)
    index = index if draw(st.booleans()) else index.squeeze(axis)
    spec["mode"] = draw(st.sampled_from(MODES))
    keepdims = draw(st.booleans())
    if transposed:
        g = values(rng, kept)
        return [g if keepdims else g.squeeze(axis), index], {**spec, "shape": x.shape}
    return [x, index], {**spec, "keepdims": keepdims}


@st.composite
def from_examples(draw, op):
    """One of the calls the op's record lists."""
    shapes_, spec = draw(st.sampled_from(op.examples))
    rng = generator(draw)
    return [values(rng, s) for s in shapes_], dict(spec)


CASES = {
    "cast": shapes().flatmap(lambda s: st.builds(
        lambda seed, dtype: ([values(np.random.default_rng(seed), s)], {"dtype": dtype}),
        st.integers(0, 2**31), st.sampled_from(["float32", "float64", "int32", "float16"]))),
    "reshape": _reshape(), "transpose": _transpose(), "broadcast_to": _broadcast_to(),
    "slice": _slice(), "unslice": _unslice(), "concat": _concat(), "pad": _pad(),
    "sum": _reduce(), "prod": _reduce(), "max": _reduce(smallest=1), "min": _reduce(smallest=1),
    "argmax": _arg(), "argmin": _arg(), "softmax": _along(), "log_softmax": _along(), "cumsum": _along(smallest=0),
    "matmul": _matmul(), "gather": _gather(), "index_add": _index_add(), "take": _take(), "scatter_add": _scatter_add(),
    "pick": _pick(), "pick_grad": _pick(transposed=True), **ARRAYS, **LAYERS,
}  # fmt: skip


def calls(name, smallest=0):
    """`(arguments, keywords)` of a valid call of an op: float64 for values, int64 and bool for indices and masks."""
    op = REGISTRY[name]
    if name in CASES:
        return CASES[name]
    if op.kind == "elementwise":
        return elementwise(op, smallest=smallest)
    if op.examples:
        return from_examples(op)
    raise LookupError(f"op {name}: tests cannot call it. Give it examples= in its record or a row in strategies.CASES.")

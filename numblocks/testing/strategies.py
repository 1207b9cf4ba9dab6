"""Hypothesis strategies for shapes, arrays in any memory layout, indices, and points where an op has a derivative.

Values come from a NumPy generator with a drawn seed (arrays of drawn floats are slow and shrink badly); shapes,
layouts and keywords are drawn, so those shrink.
"""

from __future__ import annotations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from ..op import Op

LAYOUTS = ("plain", "permuted", "reversed", "gaps", "repeated")


def shapes(low=0, high=3, smallest=0, largest=4):
    """Shapes with `low` to `high` axes of `smallest` to `largest` elements; 0 and 1 are as likely as others."""
    return st.lists(st.integers(smallest, largest), min_size=low, max_size=high).map(tuple)


@st.composite
def broadcastable_shapes(draw, count, smallest=0, largest=4):
    """`count` shapes that broadcast together; one of them is the whole shape."""
    whole = draw(shapes(smallest=smallest, largest=largest))
    found = []
    for _ in range(count):
        start = draw(st.integers(0, len(whole)))
        found.append(tuple(1 if draw(st.booleans()) else n for n in whole[start:]))
    found[draw(st.integers(0, count - 1))] = whole
    return found


def generators():
    """NumPy generators with drawn seeds."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


def values(rng, shape, domain=(-3.0, 3.0), dtype="float64"):
    """Values of `dtype` within `domain`, from a NumPy generator."""
    low, high = domain
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.asarray(rng.integers(0, 2, shape)).astype(bool)
    if dtype.kind in "iu":
        low = max(low, 0) if dtype.kind == "u" else low
        return np.asarray(rng.integers(int(np.ceil(low)), int(np.floor(high)) + 1, shape)).astype(dtype)
    return np.asarray(rng.uniform(low, high, shape), dtype)


@st.composite
def layouts(draw, x, repeated=True):
    """The array `x` in memory arranged otherwise: permuted, reversed, with gaps, or repeating (stride 0).

    All but 'repeated', which repeats the first element along an axis and can be left out, keep the values.
    """
    how = draw(st.sampled_from(LAYOUTS if repeated else LAYOUTS[:-1]))
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


@st.composite
def arrays(draw, shape=None, domain=(-3.0, 3.0), dtype="float64"):
    """NumPy arrays: empty ones, 0-d ones, views with any strides.

    Args:
        shape: a shape or a strategy of shapes, any small one if None.
        domain: values lie within.
        dtype: a dtype or a strategy of dtypes.

    >>> arrays(shapes(1, 2), dtype="float32").example().dtype
    dtype('float32')
    """
    shape = shapes() if shape is None else shape
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    dtype = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
    return draw(layouts(values(draw(generators()), shape, domain, dtype)))


def axes(ndim):
    """Some of the axes, in order."""
    return st.sets(st.sampled_from(range(ndim))).map(lambda s: tuple(sorted(s))) if ndim else st.just(())


@st.composite
def basic_keys(draw, shape):
    """A basic index of an array of this shape: ints, slices (steps of both signs), None, Ellipsis."""
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["int", "slice", "slice", "step", "flip"] if n else ["slice", "step"]))
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "flip":
            parts.append(slice(None, None, -1))
        else:
            ends = st.none() | st.integers(-n - 1, n + 1)
            parts.append(slice(draw(ends), draw(ends), draw(st.sampled_from([-2, -1, 2])) if kind == "step" else None))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


def domains(op: Op):
    """One `(low, high)` for each argument of an op."""
    return op.domain if isinstance(op.domain[0], tuple) else (op.domain,) * op.nin


def distance_to_kink(op: Op, args) -> float:
    """How far the arguments are from a point where the op has no derivative; 1 if it has one everywhere."""
    if op.name.startswith("max_pool"):
        flat = np.sort(args[-1], axis=None)
        return float(np.diff(flat).min(initial=1.0))
    return 1.0 if op.kinks is None else float(np.abs(op.kinks(*args)).min(initial=1.0))


@st.composite
def smooth_points(draw, op: Op, shape=None, away=1e-4):
    """Float64 arguments of an elementwise op, at least `away` from its kinks and within its domain.

    >>> from numblocks.op import REGISTRY
    >>> x, = smooth_points(REGISTRY["abs"], shape=(3,)).example()
    >>> bool((abs(x) >= 1e-4).all())
    True
    """
    rng = draw(generators())
    found = [shape] * op.nin if shape is not None else draw(broadcastable_shapes(op.nin))
    args = [values(rng, s, d) for s, d in zip(found, domains(op), strict=True)]
    assume(distance_to_kink(op, args) >= away)
    return args

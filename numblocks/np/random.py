"""`np.random`: NumPy's signatures (`size=`) over the streams of `numblocks.random`."""

from __future__ import annotations

import numpy

from .. import random as _base
from ..array import ndarray, wrap
from ..device import usable
from ..random import seed
from .creation import array


def uniform(low=0.0, high=1.0, size=None, dtype=None, ctx=None, device=None, out=None) -> ndarray:
    """Uniform numbers on [low, high)."""
    return _base.uniform(low, high, size, dtype, ctx if ctx is not None else device, out)


def normal(loc=0.0, scale=1.0, size=None, dtype=None, ctx=None, device=None, out=None) -> ndarray:
    """Normal numbers with mean `loc` and standard deviation `scale`."""
    return _base.normal(loc, scale, size, dtype, ctx if ctx is not None else device, out)


def rand(*size, **kwargs) -> ndarray:
    """Uniform numbers on [0, 1); the shape is given as arguments."""
    return uniform(size=size, **kwargs)


def randn(*size, **kwargs) -> ndarray:
    """Standard normal numbers; the shape is given as arguments."""
    return normal(size=size, **kwargs)


def randint(low, high=None, size=None, dtype="int64", ctx=None, device=None, out=None) -> ndarray:
    """Integers from `low` to `high - 1`."""
    return _base.randint(low, high, () if size is None else size, dtype, ctx if ctx is not None else device, out)


def exponential(scale=1.0, size=None, ctx=None, device=None, out=None) -> ndarray:
    """Exponential numbers with mean `scale`."""
    return _base.exponential(scale, size, None, ctx if ctx is not None else device, out)


def gamma(shape, scale=1.0, size=None, dtype=None, ctx=None, device=None, out=None) -> ndarray:
    """Gamma numbers."""
    return _base.gamma(shape, scale, size, dtype, ctx if ctx is not None else device, out)


def bernoulli(prob=0.5, size=None, dtype=None, ctx=None) -> ndarray:
    """1 with probability `prob`, else 0."""
    return _base.bernoulli(prob, size, dtype, ctx)


def multinomial(n, pvals, size=None) -> ndarray:
    """Counts (int64) of `n` draws over categories with probabilities `pvals`; shape `size + (len(pvals),)`."""
    p = numpy.asarray(pvals.asnumpy() if isinstance(pvals, ndarray) else pvals, dtype=numpy.float64)
    if p.ndim != 1 or (p < 0).any() or abs(p.sum() - 1.0) > 1e-4:
        raise ValueError(f"multinomial: pvals {p.tolist()} are not probabilities. They must be >= 0 and sum to 1. Normalize them.")
    return wrap(_base.numpy_generator().multinomial(n, p / p.sum(), size=size), usable(None))


def choice(a, size=None, replace=True, p=None, ctx=None, out=None) -> ndarray:
    """Elements of `a` (or of range(a)) drawn at random."""
    pool = a if isinstance(a, int) else numpy.asarray(a)
    return array(_base.numpy_generator().choice(pool, size, replace, None if p is None else numpy.asarray(p)))


def shuffle(x: ndarray) -> None:
    """Put the first axis of `x` in random order, in place."""
    x._data[...] = x._data[_base.numpy_generator().permutation(x.shape[0])]


def permutation(x) -> ndarray:
    """A random order of range(x), or a shuffled copy of `x`."""
    if isinstance(x, int):
        return wrap(_base.numpy_generator().permutation(x), usable(None))
    return _base.shuffle(x)


__all__ = [
    "bernoulli", "choice", "exponential", "gamma", "multinomial", "normal", "permutation", "rand", "randint", "randn",
    "seed", "shuffle", "uniform",
]  # fmt: skip

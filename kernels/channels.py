"""Batch and layer normalization, and their gradients, with a parameter for each place along one axis.

Composed of ops, each would pass over memory a dozen times. All arrays are C-contiguous, of one dtype, float32 or
float64, and not empty; functions return None where no loop nest fits.
"""

from __future__ import annotations

import functools
import math

from . import loops, reuse
from .program import Operand, Program, Reduce, Store
from .rows import minus, times


def inverse_root(v, eps): return 1.0 / math.sqrt(v + eps)  # noqa: E704


def affine(c, s, b): return c * s + b  # noqa: E704


def pulled(h, mean, z, slope, r): return (h - mean - z * slope) * r  # noqa: E704


class _Body(loops.Body):
    """Statements, and what they are sums of."""

    def __init__(self, dtype: str):
        super().__init__()
        self.dtype = dtype

    def of(self, function, *args) -> str:
        return self.line(function, args, self.dtype)

    def total(self, arg: str) -> str:
        name = f"t{len(self.statements)}"
        self.statements.append(Reduce(name, "sum", arg, self.dtype))
        return name

    def mean(self, arg: str) -> str:
        return self.of(times, self.total(arg), "part")

    def moments(self):
        """`x` less its mean, the mean, and the variance."""
        mean = self.mean("x")
        centred = self.of(minus, "x", mean)
        return centred, mean, self.mean(self.of(times, centred, centred))


def _batch(body: _Body) -> dict:
    centred, mean, var = body.moments()
    scale = body.of(times, body.of(inverse_root, var, "eps"), "gamma")
    return {"y": body.of(affine, centred, scale, "beta"), "mean": mean, "var": var}


def _settled(body: _Body) -> dict:
    scale = body.of(times, body.of(inverse_root, "var", "eps"), "gamma")
    return {"y": body.of(affine, body.of(minus, "x", "mean"), scale, "beta")}


def _batch_back(body: _Body) -> dict:
    centred, _, var = body.moments()
    r = body.of(inverse_root, var, "eps")
    z = body.of(times, centred, r)
    total, slope = body.total("g"), body.total(body.of(times, "g", z))
    mean, part = body.of(times, total, "part"), body.of(times, slope, "part")
    dx = body.of(pulled, "g", mean, z, part, body.of(times, r, "gamma"))
    return {"dx": dx, "dgamma": slope, "dbeta": total}


def _layer_back(body: _Body) -> dict:
    centred, _, var = body.moments()
    r = body.of(inverse_root, var, "eps")
    z, h = body.of(times, centred, r), body.of(times, "g", "gamma")
    return {"dx": body.of(pulled, h, body.mean(h), z, body.mean(body.of(times, h, z)), r), "z": z}


def _parameters(body: _Body) -> dict:
    return {"dgamma": body.total(body.of(times, "g", "z")), "dbeta": body.total("g")}


@functools.cache
def _program(build, axes: str, reads, writes, scalars, dtype: str):
    body = _Body(dtype)
    values = build(body)
    operands = [[Operand(name, dtype, layout) for name, layout in some] for some in (reads, writes)]
    stores = tuple(Store(name, values[name]) for name, _ in writes)
    numbers = tuple((name, dtype) for name in scalars)
    program = Program(axes, tuple(operands[0]), tuple(operands[1]), numbers, (*body.statements, *stores))
    return program, loops.program_kernel(program)


def _run(build, axis: int, reduced, names: tuple, arrays: tuple, results: tuple, numbers: tuple, values: tuple):
    """The arrays that `build` computes; None where there is no way.

    Args:
        axis: what arrays named in `_LINES` go along; the others have the shape of `x`, or `g`, which comes first.
        reduced: axes that are summed over.
        names, arrays: what is read.
        results: names of what is written.
        numbers, values: names of numbers, and what they are.
    """
    first = arrays[0]
    shape, dtype = first.shape, first.dtype

    def make():
        if not reduced and build is not _settled:
            return None
        natural = loops.natural_strides(shape)
        line = tuple(int(k == axis) for k in range(len(shape)))
        every = (*names, *results)
        letters, sizes, steps = loops.nest(shape, [line if n in _LINES else natural for n in every], reduced)
        if not loops.fits(letters):
            return None
        layouts = list(zip(every, map(loops.layout, steps), strict=True))
        cut = len(names)
        program, kernel = _program(build, letters, tuple(layouts[:cut]), tuple(layouts[cut:]), numbers, dtype.name)
        makers = [reuse.maker(shape[axis : axis + 1] if n in _LINES else shape, dtype) for n in results]
        return loops.Prepared(program, kernel, sizes, steps), makers

    found = loops.remembered((build, shape, dtype, axis), make)
    if found is None:
        return None
    made = [new() for new in found[1]]
    found[0].run((*arrays, *made), values)
    return made


_LINES = frozenset(("gamma", "beta", "mean", "var", "dgamma", "dbeta"))
_BATCH = ("x", "gamma", "beta")
_BACK = ("g", "x", "gamma")
_MOMENTS = ("part", "eps")


@functools.cache
def _others(ndim: int, axis: int) -> tuple[int, ...]:
    return tuple(k for k in range(ndim) if k != axis)


def batch_norm(x, gamma, beta, *, axis: int, eps: float):
    """`[y, mean, variance]` of `x`, normalized over all axes but `axis`.

    >>> x, one = np.arange(4.0).reshape(2, 2), np.ones(2)
    >>> batch_norm(x, one, 0 * one, axis=1, eps=0.0)[0]
    array([[-1., -1.],
           [ 1.,  1.]])
    """
    values = (x.shape[axis] / x.size, eps)
    reduced = _others(x.ndim, axis)
    return _run(_batch, axis, reduced, _BATCH, (x, gamma, beta), ("y", "mean", "var"), _MOMENTS, values)


def settled_norm(x, gamma, beta, mean, var, *, axis: int, eps: float):
    """`[y]` by a mean and a variance that are known."""
    return _run(_settled, axis, (), (*_BATCH, "mean", "var"), (x, gamma, beta, mean, var), ("y",), ("eps",), (eps,))


def batch_norm_back(g, x, gamma, *, axis: int, eps: float):
    """Cotangents of `x`, `gamma` and `beta` from that of `y`."""
    values = (x.shape[axis] / x.size, eps)
    reduced = _others(x.ndim, axis)
    return _run(_batch_back, axis, reduced, _BACK, (g, x, gamma), ("dx", "dgamma", "dbeta"), _MOMENTS, values)


def layer_norm_back(g, x, gamma, *, axis: int, eps: float):
    """The same for layer normalization along `axis`."""
    values = (1.0 / x.shape[axis], eps)
    found = _run(_layer_back, axis, (axis,), _BACK, (g, x, gamma), ("dx", "z"), _MOMENTS, values)
    if found is None:
        return None
    dx, z = found
    rest = _run(_parameters, axis, _others(x.ndim, axis), ("g", "z"), (g, z), ("dgamma", "dbeta"), (), ())
    return None if rest is None else [dx, *rest]

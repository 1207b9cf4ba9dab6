"""Movement: the same elements in another arrangement. On the CPU these are views wherever NumPy has one."""

from __future__ import annotations

import numpy

from ..array import Aval
from ..errors import MXNetError
from ..kernels import copying, reuse
from .kinds import movement, primitive


@movement(vjp=lambda g, y, x, *, shape: reshape(g, shape=x.shape))
def reshape(x, *, shape):
    """Another shape with as many elements; one size may be -1."""
    if x.shape == shape:
        return x[...]
    try:
        return copying.reshape(x, shape)
    except ValueError:
        raise MXNetError(
            f"reshape: an array of shape {x.shape} holds {x.size} elements and cannot take shape {tuple(shape)}."
            f" The numbers of elements must agree. Give a shape with {x.size} elements, or -1 for one size."
        ) from None


@movement(vjp=lambda g, y, x, *, axes: transpose(g, axes=tuple(int(k) for k in numpy.argsort(axes))))
def transpose(x, *, axes):
    """Axes in the order `axes`."""
    try:
        return x.transpose(axes)
    except ValueError:
        raise ValueError(
            f"transpose: axes {axes} do not fit an array of shape {x.shape}. Every axis is named once. Give a"
            f" permutation of {tuple(range(x.ndim))}."
        ) from None


def freeze_key(key) -> tuple:
    """A basic index (ints, slices, None, Ellipsis) as hashable data."""
    key = key if isinstance(key, tuple) else (key,)
    return tuple(("s", k.start, k.stop, k.step) if isinstance(k, slice) else k for k in key)


def thaw_key(key: tuple) -> tuple:
    """The inverse of `freeze_key`."""
    return tuple(slice(*k[1:]) if isinstance(k, tuple) else k for k in key)


@movement(vjp=lambda g, y, x, *, key: unslice(g, key=freeze_key(key), shape=x.shape), name="slice")
def slice_(x, *, key):
    """Basic indexing; `key` as made by `freeze_key`."""
    try:
        return x[thaw_key(key)]
    except IndexError as error:
        raise IndexError(f"index: {error} (array of shape {x.shape}).") from None


@primitive(
    kind="join",
    infer=lambda g, *, key, shape: Aval(tuple(shape), g.dtype),
    vjp=(lambda h, y, g, *, key, shape: slice_(h, key=key),),
)
def unslice(g, *, key, shape, out=None):
    """Zeros of `shape` with `g` put where `key` points: the gradient of `slice_`."""
    if out is None:
        out = numpy.zeros(shape, g.dtype)
    else:
        out[...] = 0
    out[thaw_key(key)] = g
    return out


def _infer_concat(*xs, axis):
    first = xs[0]
    for k, x in enumerate(xs[1:], 1):
        if x.ndim != first.ndim or any(
            a != b for i, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if i != axis
        ):
            raise MXNetError(
                f"concatenate: argument 0 has shape {first.shape} and argument {k} has shape {x.shape}. All axes but"
                f" axis {axis} must agree. Reshape or slice them first."
            )
    shape = list(first.shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    return Aval(tuple(shape), numpy.result_type(*(x.dtype for x in xs)))


def _concat_vjp(g, y, *xs, index, axis):
    start = sum(x.shape[axis] for x in xs[:index])
    key = (slice(None),) * axis + (slice(start, start + xs[index].shape[axis]),)
    return slice_(g, key=freeze_key(key))


@primitive(kind="join", infer=_infer_concat, vjp=_concat_vjp)
def concat(*xs, axis, out=None):
    """Arrays one after the other along `axis`."""
    first = xs[0]
    if first.nbytes * len(xs) < copying.LARGE:
        return numpy.concatenate(xs, axis=axis, out=out)
    if out is None and all(x.dtype is first.dtype for x in xs):
        return copying.join(xs, axis)
    if out is None:
        answer = _infer_concat(*xs, axis=axis)
        out = reuse.empty(answer.shape, answer.dtype)
    before, start = (slice(None),) * axis, 0
    for x in xs:
        end = start + x.shape[axis]
        copying.copyto(out[(*before, slice(start, end))], x)
        start = end
    return out


def _infer_pad(x, *, widths, value):
    return Aval(tuple(n + lo + hi for n, (lo, hi) in zip(x.shape, widths, strict=True)), x.dtype)


def frame(shape, widths):
    """The shape of `pad`, and the index of what is framed."""
    inside = tuple(slice(lo, lo + n) for n, (lo, _) in zip(shape, widths, strict=True))
    return tuple(n + lo + hi for n, (lo, hi) in zip(shape, widths, strict=True)), inside


def _inside(widths, shape):
    return freeze_key(tuple(slice(lo, lo + n) for (lo, _), n in zip(widths, shape, strict=True)))


@primitive(
    kind="join", infer=_infer_pad, vjp=(lambda g, y, x, *, widths, value: slice_(g, key=_inside(widths, x.shape)),)
)
def pad(x, *, widths, value, out=None):
    """A frame of `value` around `x`; `widths` one (before, after) per axis."""
    if out is None:
        out = reuse.empty(_infer_pad(x, widths=widths, value=value).shape, x.dtype)
    inside = thaw_key(_inside(widths, x.shape))
    for k, (lo, hi) in enumerate(widths):
        if lo:
            out[(*inside[:k], slice(0, lo))] = value
        if hi:
            out[(*inside[:k], slice(out.shape[k] - hi, None))] = value
    copying.copyto(out[(*inside, ...)], x)  # with the dots a 0-d array stays an array
    return out


def expand_dims(x, axis: int):
    """A new axis of length 1 at `axis` of the result."""
    k = axis + x.ndim + 1 if axis < 0 else axis
    if not 0 <= k <= x.ndim:
        raise ValueError(f"expand_dims: axis {axis} is out of range for an array with {x.ndim} axes.")
    return reshape(x, shape=x.shape[:k] + (1,) + x.shape[k:])

"""Convolution and pooling on a GPU, of what is there: views of windows, copies, products and elementwise kernels.

A window's element `k` of every window is one strided view of the padded input. All of them beside each other are the
columns that a convolution multiplies (im2col); one after the other they are what pooling folds. NVIDIA's cuDNN does
this several times faster; it will stand in for these functions.
"""

from __future__ import annotations

import functools
import math

import numpy

from .. import dtype as dt
from ..kernels.cuda import launch
from ..op import REGISTRY
from .buffer import Buffer, empty, upload
from .matrices import matmul


def add(a, b): return a + b  # noqa: E704
def divide(a, b): return a / b  # noqa: E704
def hits(p, y, t): return (p == y or p != p) and t == 0  # noqa: E704
def gated(c, g, d): return d + g if c else d  # noqa: E704
def chosen(c, a, b): return a if c else b  # noqa: E704
def either(a, b): return a != 0 or b != 0  # noqa: E704


def into(out: Buffer, function, *operands) -> Buffer:
    """Fill `out` with `function` over operands of its shape."""
    launch.run_scalar(out.gpu, function, list(operands), out, operands[0].dtype.name)
    return out


def floating(*xs: Buffer) -> numpy.dtype:
    """The float dtype that arrays are promoted to."""
    return dt.as_float(dt.promote(*(x.dtype for x in xs)))


def filled(shape, dtype, device, value=0) -> Buffer:
    """New memory with one number in all elements."""
    out = empty(shape, dtype, device)
    out.fill_from(value)
    return out


class Windows:
    """The geometry of windows over `size`: `(out - 1) stride + dilate (kernel - 1) + 1` elements from `-pad` on."""

    def __init__(self, size, out, kernel, stride, pad, dilate=None):
        self.size, self.out, self.kernel, self.stride, self.pad = map(tuple, (size, out, kernel, stride, pad))
        self.dilate = tuple(dilate or (1,) * len(self.size))
        self.padded = tuple(
            max((o - 1) * s + d * (k - 1) + 1, n + p)
            for n, o, k, s, p, d in zip(size, out, kernel, stride, pad, self.dilate, strict=True)
        )

    def frame(self, x: Buffer, value=0) -> Buffer:
        """`x` `(N, C, *size)` with `value` round it; itself where nothing is needed."""
        if self.padded == self.size:
            return x
        out = filled((*x.shape[:2], *self.padded), x.dtype, x.device, value)
        self.inside(out).fill_from(x)
        return out

    def inside(self, framed: Buffer) -> Buffer:
        """The part of a framed array that is the input."""
        return framed[(..., *(slice(p, p + n) for p, n in zip(self.pad, self.size, strict=True)))]

    def pieces(self, framed: Buffer):
        """For each place in the window, in order, that element of all windows: views `(N, C, *out)`."""
        for place in numpy.ndindex(*self.kernel):
            yield framed[(..., *(
                slice(k * d, k * d + (o - 1) * s + 1, s)
                for k, d, o, s in zip(place, self.dilate, self.out, self.stride, strict=True)
            ))]  # fmt: skip

    def columns(self, x: Buffer, groups: int) -> Buffer:
        """All windows of `x` beside each other: `(N, groups, C / groups * kernel, out)`."""
        x = self.frame(x)
        steps = x.strides[2:]
        view = Buffer(
            x.device, x.block, x.address, (*x.shape[:2], *self.kernel, *self.out),
            (*x.strides[:2], *(s * d for s, d in zip(steps, self.dilate, strict=True)),
             *(s * t for s, t in zip(steps, self.stride, strict=True))), x.dtype,
        )  # fmt: skip
        return view.reshape((x.shape[0], groups, -1, math.prod(self.out)))


def swapped(x: Buffer) -> Buffer:
    """The last two axes exchanged."""
    return x.view_by(lambda t: t.swapaxes(-1, -2))


def geometry(x_shape, kernel, stride, pad, dilate) -> Windows:
    """Windows of a convolution."""
    size = x_shape[2:]
    out = [(n + 2 * p - d * (k - 1) - 1) // s + 1
           for n, k, s, p, d in zip(size, kernel, stride, pad, dilate, strict=True)]  # fmt: skip
    return Windows(size, out, kernel, stride, pad, dilate)


def conv(x: Buffer, w: Buffer, *, stride, pad, dilate, groups) -> Buffer:
    """`(N, C, *size)` with `(O, C / groups, *kernel)` to `(N, O, *out)`."""
    dtype, win = floating(x, w), geometry(x.shape, w.shape[2:], stride, pad, dilate)
    columns = win.columns(x.astype(dtype) if x.dtype != dtype else x, groups)
    weight = w.astype(dtype).reshape((groups, w.shape[0] // groups, -1))
    return matmul(weight, columns).reshape((x.shape[0], w.shape[0], *win.out))


def conv_grad_weight(g: Buffer, x: Buffer, *, kernel, stride, pad, dilate, groups) -> Buffer:
    """The transpose of `conv` in its weight."""
    dtype, win = floating(g, x), geometry(x.shape, kernel, stride, pad, dilate)
    columns = win.columns(x.astype(dtype) if x.dtype != dtype else x, groups)
    g = g.astype(dtype).reshape((g.shape[0], groups, g.shape[1] // groups, -1))
    each = matmul(g, swapped(columns))  # (N, groups, O / groups, C / groups * kernel)
    out = empty(each.shape[1:], dtype, g.device)
    launch.run_reduce(out.gpu, "sum", each, out, (0,))
    return out.reshape((each.shape[1] * each.shape[2], x.shape[1] // groups, *kernel))


def conv_grad_data(g: Buffer, w: Buffer, *, size, stride, pad, dilate, groups) -> Buffer:
    """The transpose of `conv` in its input."""
    dtype, shape = floating(g, w), (g.shape[0], w.shape[1] * groups, *size)
    win = geometry(shape, w.shape[2:], stride, pad, dilate)
    weight = swapped(w.astype(dtype).reshape((groups, w.shape[0] // groups, -1)))
    columns = matmul(weight, g.astype(dtype).reshape((g.shape[0], groups, g.shape[1] // groups, -1)))
    columns = columns.reshape((*shape[:2], math.prod(win.kernel), *win.out))
    framed = filled((*shape[:2], *win.padded), dtype, g.device)
    for k, piece in enumerate(win.pieces(framed)):
        into(piece, add, piece, columns[:, :, k])
    return win.inside(framed)


def pooled(x_shape, kernel, stride, pad, ceil) -> Windows:
    """Windows of a pooling; the op's own rule counts them."""
    out = REGISTRY["max_pool"].infer(numpy.broadcast_to(numpy.float32(0), x_shape), kernel=kernel, stride=stride,
                                     pad=pad, ceil=ceil).shape[2:]  # fmt: skip
    return Windows(x_shape[2:], out, kernel, stride, pad)


def max_pool(x: Buffer, *, kernel, stride, pad, ceil=False) -> Buffer:
    """Maximum of each window."""
    win = pooled(x.shape, kernel, stride, pad, ceil)
    pieces = win.pieces(win.frame(x, lowest(x.dtype)))
    out = next(pieces).copy()
    for piece in pieces:
        into(out, REGISTRY["maximum"].scalar, out, piece)
    return out


def lowest(dtype):
    """What never wins."""
    return -math.inf if dtype.kind == "f" else False if dtype.kind == "b" else int(numpy.iinfo(dtype).min)


def first_hits(x: Buffer, win: Windows, spec):
    """For each place in the window whether it is the first maximum: a bool `(N, C, *out)`, used again for the next."""
    y = max_pool(x, **spec)
    taken, hit = filled(y.shape, "bool", x.device), empty(y.shape, "bool", x.device)
    for piece in win.pieces(win.frame(x, lowest(x.dtype))):
        yield into(hit, hits, piece, y, taken)
        into(taken, either, taken, hit)


def max_pool_grad(g: Buffer, x: Buffer, **spec) -> Buffer:
    """`g` of each window added at its first maximum."""
    win, dtype = pooled(x.shape, **spec), floating(g)
    g, framed = g.astype(dtype), filled((*x.shape[:2], *win.padded), dtype, g.device)
    for hit, piece in zip(first_hits(x, win, spec), win.pieces(framed), strict=True):
        launch.run_scalar(g.gpu, gated, [hit, g, piece], piece, dtype.name)
    return win.inside(framed)


def max_pool_gather(h: Buffer, x: Buffer, **spec) -> Buffer:
    """`h` at the first maximum of each window."""
    win, dtype = pooled(x.shape, **spec), floating(h)
    out = filled((*x.shape[:2], *win.out), dtype, h.device)
    for hit, piece in zip(first_hits(x, win, spec), win.pieces(win.frame(h.astype(dtype))), strict=True):
        launch.run_scalar(h.gpu, chosen, [hit, piece, out], out, dtype.name)
    return out


@functools.lru_cache(maxsize=256)
def counts(size, out, kernel, stride, pad, divide: str) -> numpy.ndarray:
    """By what the sum of each window is divided."""
    found = numpy.ones((), "float64")
    for n, o, k, s, p in zip(size, out, kernel, stride, pad, strict=True):
        start = numpy.arange(o) * s
        low, high = (0, n + 2 * p) if divide == "padded" else (p, n + p)
        found = numpy.multiply.outer(found, numpy.minimum(start + k, high) - numpy.maximum(start, low))
    return found


def shared_out(x: Buffer, win: Windows, divide: str) -> Buffer:
    """`x` `(N, C, *out)` over the counts of its windows."""
    if divide == "none":
        return x
    by = upload(counts(win.size, win.out, win.kernel, win.stride, win.pad, divide).astype(x.dtype), x.device)
    return into(empty(x.shape, x.dtype, x.device), REGISTRY["divide"].scalar, x, by)


def window_sum(x: Buffer, *, kernel, stride, pad, ceil, divide) -> Buffer:
    """Sum of each window over a count."""
    win = pooled(x.shape, kernel, stride, pad, ceil)
    x = x.astype(floating(x))
    out = filled((*x.shape[:2], *win.out), x.dtype, x.device)
    for piece in win.pieces(win.frame(x)):
        into(out, add, out, piece)
    return shared_out(out, win, divide)


def window_sum_grad(g: Buffer, *, size, kernel, stride, pad, ceil, divide) -> Buffer:
    """The transpose of `window_sum`."""
    win = pooled((*g.shape[:2], *size), kernel, stride, pad, ceil)
    g = shared_out(g.astype(floating(g)), win, divide)
    framed = filled((*g.shape[:2], *win.padded), g.dtype, g.device)
    for piece in win.pieces(framed):
        into(piece, add, piece, g)
    return win.inside(framed)


OWN = {
    f.__name__: f
    for f in (conv, conv_grad_data, conv_grad_weight, max_pool, max_pool_gather, max_pool_grad, window_sum,
              window_sum_grad)
}  # fmt: skip

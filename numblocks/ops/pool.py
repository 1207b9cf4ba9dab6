"""Pooling over 1 to 3 spatial axes: maximum, average and sum of windows, differentiable to any order."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval
from ..errors import MXNetError
from ..kernels import pooling, reuse
from .kinds import primitive


def out_size(size, kernel, stride, pad, ceil=False) -> tuple[int, ...]:
    """Number of windows per axis.

    `(n + 2 pad - kernel) / stride + 1`, rounded down, or up for `ceil`; a window that would start behind
    the last element (all padding, possible only when rounding up) is left out, as in ONNX.

    >>> out_size((5,), (2,), (2,), (0,)), out_size((5,), (2,), (2,), (0,), ceil=True)
    ((2,), (3,))
    """
    found = []
    for n, k, s, p in zip(size, kernel, stride, pad, strict=True):
        room = n + 2 * p - k
        count = (-(-room // s) if ceil else room // s) + 1
        if ceil and count > 1 and (count - 1) * s >= n + p:
            count -= 1
        found.append(count)
    return tuple(found)


def _check(where, shape, kernel, stride, pad, ceil):
    """Raise unless the geometry fits the data; return the output's spatial sizes."""
    spatial = len(shape) - 2
    if not 1 <= spatial <= 3 or len(kernel) != spatial or len(stride) != spatial or len(pad) != spatial:
        raise MXNetError(
            f"{where}: data has shape {tuple(shape)}, kernel {tuple(kernel)}, stride {tuple(stride)}, pad"
            f" {tuple(pad)}. Data are"
            " (batch, channels, *spatial) with 1 to 3 spatial axes, and kernel, stride and pad have one"
            " number for each."
            f" Reshape the data or correct the layer."
        )
    if min(kernel) < 1 or min(stride) < 1 or any(not 0 <= p < k for p, k in zip(pad, kernel, strict=True)):
        raise MXNetError(
            f"{where}: kernel {tuple(kernel)}, stride {tuple(stride)}, pad {tuple(pad)}. Kernel and stride"
            " start at 1, and pad is"
            f" smaller than the kernel, or a window would see padding only. Correct the layer."
        )
    out = out_size(shape[2:], kernel, stride, pad, ceil)
    if min(out) < 1 or any(n + 2 * p < k for n, k, p in zip(shape[2:], kernel, pad, strict=True)):
        raise MXNetError(
            f"{where}: data {tuple(shape)} is smaller than kernel {tuple(kernel)} with pad {tuple(pad)}."
            " Not one window fits."
            f" Use a smaller window, more padding or larger data."
        )
    return out


def _run(function, arrays, out, shape, wanted):
    """Call a kernel in float32 or float64 and bring the answer to the wanted dtype."""
    computed = (
        wanted
        if wanted.kind == "f" and wanted.itemsize >= 4
        else numpy.dtype("f4" if wanted.kind == "f" else "f8")
    )
    arrays = [numpy.ascontiguousarray(a, computed) for a in arrays]
    direct = out is not None and out.dtype == computed and out.flags.c_contiguous
    y = out if direct else reuse.empty(shape, computed)
    if y.size or any(a.size for a in arrays):
        function(*arrays, y)
    if direct:
        return out
    if out is None:
        return y if computed == wanted else y.astype(wanted)
    numpy.copyto(out, y, casting="unsafe")
    return out


def _windows(size, out, kernel, stride, pad, divide="none"):
    return pooling.windows(size, out, kernel, stride, pad, divide)


def _infer_max(x, *, kernel, stride, pad, ceil=False):
    return Aval((*x.shape[:2], *_check("max_pool", x.shape, kernel, stride, pad, ceil)), x.dtype)


_EXAMPLES = (
    (((2, 2, 5, 6),), {"kernel": (3, 2), "stride": (2, 2), "pad": (1, 0), "ceil": True}),
    (((2, 3, 8),), {"kernel": (3,), "stride": (1,), "pad": (1,), "ceil": False}),
)


@primitive(
    kind="window",
    infer=_infer_max,
    examples=_EXAMPLES,
    vjp=(lambda g, y, x, **spec: max_pool_grad(g, x, **spec),),
)
def max_pool(x, *, kernel, stride, pad, ceil=False, out=None):
    """Maximum of each window; padding never wins, NaN always does.

    Args:
        x: `(N, C, *size)`, 1 to 3 spatial axes.
        kernel, stride, pad: tuples with one int per spatial axis, pad smaller than kernel.
        ceil: round the number of windows up ('full' convention).

    Returns:
        `(N, C, *out_size)` of x's dtype. The gradient goes to the first maximum of a window.

    Raises:
        MXNetError: the geometry does not fit.

    Example:
        >>> from numblocks import np
        >>> max_pool(np.array([[[1, 3, 2, 0]]]), kernel=(2,), stride=(2,), pad=(0,)).tolist()
        [[[3.0, 2.0]]]
    """
    size = out_size(x.shape[2:], kernel, stride, pad, ceil)
    win = _windows(x.shape[2:], size, kernel, stride, pad)
    return _run(lambda x, y: pooling.maximum(x, y, win), [x], out, (*x.shape[:2], *size), x.dtype)


def _check_cotangent(where, g, x, kernel, stride, pad, ceil):
    size = _check(where, x.shape, kernel, stride, pad, ceil)
    if tuple(g.shape) != (*x.shape[:2], *size):
        raise MXNetError(
            f"{where}: the cotangent has shape {tuple(g.shape)}, the windows of {tuple(x.shape)}"
            f" {(*x.shape[:2], *size)}. They"
            f" must be equal. Pass a cotangent of that shape."
        )


def _infer_max_grad(g, x, *, kernel, stride, pad, ceil=False):
    _check_cotangent("max_pool_grad", g, x, kernel, stride, pad, ceil)
    return Aval(tuple(x.shape), _float(g.dtype))


@primitive(
    kind="window",
    nin=2,
    infer=_infer_max_grad,
    vjp=(lambda h, y, g, x, **spec: max_pool_gather(h, x, **spec), None),
    examples=((((2, 2, 3, 3), (2, 2, 5, 6)), _EXAMPLES[0][1]),),
)
def max_pool_grad(g, x, *, kernel, stride, pad, ceil=False, out=None):
    """`g` of each window added at the first maximum of `x` in it: `(N, C, *out)`, `(N, C, *size)` to `(N,
    C, *size)`.
    """
    win = _windows(x.shape[2:], g.shape[2:], kernel, stride, pad)
    return _run(lambda g, x, y: pooling.maximum_gradient(g, x, y, win), [g, x], out, x.shape, _float(g.dtype))


def _infer_max_gather(h, x, *, kernel, stride, pad, ceil=False):
    size = _check("max_pool_gather", x.shape, kernel, stride, pad, ceil)
    if tuple(h.shape) != tuple(x.shape):
        raise MXNetError(
            f"max_pool_gather: shapes {tuple(h.shape)} and {tuple(x.shape)} differ. One is read where the"
            " other is"
            f" largest. Pass equal shapes."
        )
    return Aval((*x.shape[:2], *size), _float(h.dtype))


@primitive(
    kind="window",
    nin=2,
    infer=_infer_max_gather,
    vjp=(lambda g, y, h, x, **spec: max_pool_grad(g, x, **spec), None),
    examples=((((2, 2, 5, 6), (2, 2, 5, 6)), _EXAMPLES[0][1]),),
)
def max_pool_gather(h, x, *, kernel, stride, pad, ceil=False, out=None):
    """`h` at the first maximum of each window of `x`: `(N, C, *size)` twice to `(N, C, *out)`."""
    size = out_size(x.shape[2:], kernel, stride, pad, ceil)
    win = _windows(x.shape[2:], size, kernel, stride, pad)
    return _run(
        lambda h, x, y: pooling.maximum_gather(h, x, y, win),
        [h, x],
        out,
        (*x.shape[:2], *size),
        _float(h.dtype),
    )


def _float(dtype):
    return dt.as_float(numpy.dtype(dtype))


def _infer_total(x, *, kernel, stride, pad, ceil, divide):
    return Aval((*x.shape[:2], *_check("avg_pool", x.shape, kernel, stride, pad, ceil)), _float(x.dtype))


_SUM = tuple((shapes, {**spec, "divide": "inside"}) for shapes, spec in _EXAMPLES)


@primitive(
    kind="window",
    infer=_infer_total,
    examples=_SUM,
    vjp=(lambda g, y, x, **spec: window_sum_grad(g, size=tuple(x.shape[2:]), **spec),),
)
def window_sum(x, *, kernel, stride, pad, ceil, divide, out=None):
    """Sum of each window over a count: 1 ('none'), its elements of input and padding ('padded'), or of
    input ('inside').
    """
    size = out_size(x.shape[2:], kernel, stride, pad, ceil)
    win = _windows(x.shape[2:], size, kernel, stride, pad, divide)
    return _run(lambda x, y: pooling.total(x, y, win), [x], out, (*x.shape[:2], *size), _float(x.dtype))


def _infer_total_grad(g, *, size, kernel, stride, pad, ceil, divide):
    shape = (*g.shape[:2], *size)
    _check_cotangent("avg_pool_grad", g, Aval(shape, g.dtype), kernel, stride, pad, ceil)
    return Aval(shape, _float(g.dtype))


@primitive(
    kind="window",
    infer=_infer_total_grad,
    vjp=(lambda h, y, g, *, size, **spec: window_sum(h, **spec),),
    examples=((((2, 2, 3, 3),), {"size": (5, 6), **_SUM[0][1]}),),
)
def window_sum_grad(g, *, size, kernel, stride, pad, ceil, divide, out=None):
    """The transpose of `window_sum`: `(N, C, *out)` to `(N, C, *size)`."""
    win = _windows(size, g.shape[2:], kernel, stride, pad, divide)
    return _run(
        lambda g, y: pooling.total_gradient(g, y, win), [g], out, (*g.shape[:2], *size), _float(g.dtype)
    )


def avg_pool(x, *, kernel, stride, pad, ceil=False, count_include_pad=True):
    """Average of each window.

    Args:
        x: `(N, C, *size)`, 1 to 3 spatial axes.
        kernel, stride, pad: tuples with one int per spatial axis, pad smaller than kernel.
        ceil: round the number of windows up ('full' convention).
        count_include_pad: divide by all elements of the window within the padded input, else by those of
            the input.

    Returns:
        `(N, C, *out_size)`.

    Raises:
        MXNetError: the geometry does not fit.

    Example:
        >>> from numblocks import np
        >>> avg_pool(np.array([[[1, 3, 2, 0]]]), kernel=(2,), stride=(2,), pad=(0,)).tolist()
        [[[2.0, 1.0]]]
    """
    return window_sum(
        x,
        kernel=kernel,
        stride=stride,
        pad=pad,
        ceil=ceil,
        divide="padded" if count_include_pad else "inside",
    )


def sum_pool(x, *, kernel, stride, pad, ceil=False):
    """Sum of each window; arguments as in `avg_pool`.

    Example:
        >>> from numblocks import np
        >>> sum_pool(np.array([[[1, 3, 2, 0]]]), kernel=(2,), stride=(2,), pad=(0,)).tolist()
        [[[4.0, 2.0]]]
    """
    return window_sum(x, kernel=kernel, stride=stride, pad=pad, ceil=ceil, divide="none")

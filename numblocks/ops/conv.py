"""Convolution over 1 to 3 spatial axes, and its two gradients, which are convolutions again.

The three ops are one trilinear form seen from three sides, `sum h[n, o, t] x[n, c, s t + d k - p] w[o, c,
k]`, so each one's VJPs are the other two and derivatives of any order are there.
"""

from __future__ import annotations

import math

import numpy

from .. import dtype as dt
from ..array import Aval, wrap
from ..errors import MXNetError
from ..kernels import convolve, reuse
from ..kernels.scratch import NAMES
from ..shortcut import concrete
from .kinds import primitive
from .move import reshape
from .reduce import sum_

_AXES = {3: "NCW", 4: "NCHW", 5: "NCDHW"}


def out_size(size, kernel, stride, pad, dilate) -> tuple[int, ...]:
    """Spatial sizes of a convolution: `(n + 2 pad - dilate (kernel - 1) - 1) // stride + 1`.

    >>> out_size((28, 28), (5, 5), (1, 1), (2, 2), (1, 1))
    (28, 28)
    """
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, pad, dilate, strict=True)
    )


def _check(where, x_shape, w_shape, stride, pad, dilate, groups):
    """Raise unless input and weight shapes and the geometry belong together; return the output's spatial
    sizes.
    """
    spatial = len(w_shape) - 2
    if len(x_shape) not in _AXES or len(w_shape) != len(x_shape):
        expected = _AXES.get(len(w_shape), "NCW, NCHW or NCDHW")
        raise MXNetError(
            f"{where}: data has shape {tuple(x_shape)} and weight {tuple(w_shape)}. Data must be"
            f" {expected}: batch, channels"
            f" and {spatial if len(w_shape) in _AXES else '1 to 3'} spatial axes. Reshape the data."
        )
    for name, value, low in (("stride", stride, 1), ("pad", pad, 0), ("dilate", dilate, 1)):
        if len(value) != spatial or min(value) < low:
            raise MXNetError(
                f"{where}: {name} is {tuple(value)} for {spatial} spatial axes. Each axis needs one number,"
                f" {low} or more."
                f" Correct {name}."
            )
    if groups < 1 or w_shape[0] % groups or x_shape[1] != w_shape[1] * groups:
        raise MXNetError(
            f"{where}: data {tuple(x_shape)} has {x_shape[1]} channels but weight {tuple(w_shape)} with"
            f" groups={groups} takes"
            f" {w_shape[1] * groups} and gives {w_shape[0]}. Weight is (out, in / groups, *kernel), both"
            " counts divisible by"
            f" groups. Feed other data or build the layer anew."
        )
    out = out_size(x_shape[2:], w_shape[2:], stride, pad, dilate)
    if min(out) < 1:
        raise MXNetError(
            f"{where}: data {tuple(x_shape)} with kernel {tuple(w_shape[2:])}, stride {tuple(stride)}, pad"
            f" {tuple(pad)}, dilate"
            f" {tuple(dilate)} would give spatial sizes {out}. The kernel does not fit into the padded"
            " data. Use a smaller"
            f" kernel, more padding or larger data."
        )
    return out


def _dtype(a, b) -> numpy.dtype:
    return dt.as_float(dt.promote(a.dtype, b.dtype))


def _run(kernel, a, b, out, shape, geometry, *more):
    """Bring operands to a dtype the kernels know, call, and bring the answer back (float16 is storage
    only).
    """
    wanted = _dtype(a, b)
    for v in more:
        wanted = dt.promote(wanted, v.dtype)
    computed = numpy.dtype(numpy.float32) if wanted.itemsize < 4 else wanted
    a, b, *more = (numpy.ascontiguousarray(v, computed) for v in (a, b, *more))
    direct = out is not None and out.dtype == computed and out.flags.c_contiguous
    y = out if direct else reuse.empty(shape, computed)
    kernel(a, b, y, geometry, *more)
    if direct:
        return out
    if out is None:
        return y if computed == wanted else y.astype(wanted)
    numpy.copyto(out, y, casting="same_kind")
    return out


def _infer_conv(x, w, *, stride, pad, dilate, groups):
    out = _check("convolution", x.shape, w.shape, stride, pad, dilate, groups)
    return Aval((x.shape[0], w.shape[0], *out), _dtype(x, w))


@primitive(
    kind="window",
    nin=2,
    infer=_infer_conv,
    vjp=(
        lambda g, y, x, w, **spec: conv_grad_data(g, w, size=tuple(x.shape[2:]), **spec),
        lambda g, y, x, w, **spec: conv_grad_weight(g, x, kernel=tuple(w.shape[2:]), **spec),
    ),
    examples=(
        (((2, 2, 6, 5), (4, 1, 3, 2)), {"stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "groups": 2}),
        (((2, 3, 9), (2, 3, 3)), {"stride": (1,), "pad": (1,), "dilate": (1,), "groups": 1}),
    ),
)
def conv(x, w, *, stride, pad, dilate, groups, out=None):
    """Convolution (cross-correlation, as all deep-learning frameworks mean it).

    Args:
        x: `(N, C, *size)`, 1 to 3 spatial axes.
        w: `(O, C / groups, *kernel)`.
        stride, pad, dilate: tuples with one int per spatial axis.
        groups: channels fall into this many groups that do not see each other.

    Returns:
        `(N, O, *out_size)`; floating dtypes as promoted, float32 for integers.

    Raises:
        MXNetError: shapes or geometry do not fit.

    Example:
        >>> from numblocks import np
        >>> conv(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), stride=(1, 1), pad=(0, 0), dilate=(1, 1),
        groups=1).tolist() [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    geometry = convolve.geometry(x.shape, w.shape, stride, pad, dilate, groups)
    return _run(convolve.forward, x, w, out, (x.shape[0], w.shape[0], *geometry.out[5 - x.ndim :]), geometry)


def _by_channel(g):
    """The sums over all but the channels: first over what lies together, which vectorizes and is shared by threads. In
    a trace, one sum, which fuses with what made `g`.
    """
    if type(g._data) is not numpy.ndarray:
        return sum_(g, axis=(0, *range(2, g.ndim)), keepdims=False)
    n, channels = g.shape[:2]
    sums = sum_(reshape(g, shape=(n, channels, math.prod(g.shape[2:]))), axis=(2,), keepdims=False)
    return sum_(sums, axis=(0,), keepdims=False)


def _infer_conv_bias(x, w, b, **spec):
    y = _infer_conv(x, w, **spec)
    if tuple(b.shape) != w.shape[:1]:
        raise MXNetError(
            f"convolution: bias has shape {tuple(b.shape)} but weight {tuple(w.shape)} gives {w.shape[0]}"
            " channels. There is one bias per output channel. Pass another bias or weight."
        )
    return Aval(y.shape, dt.promote(y.dtype, b.dtype))


@primitive(
    kind="window",
    nin=3,
    infer=_infer_conv_bias,
    traced=lambda x, w, b, **spec: conv(x, w, **spec) + reshape(b, shape=b.shape + (1,) * (w.ndim - 2)),
    vjp=(
        lambda g, y, x, w, b, **spec: conv_grad_data(g, w, size=tuple(x.shape[2:]), **spec),
        lambda g, y, x, w, b, **spec: conv_grad_weight(g, x, kernel=tuple(w.shape[2:]), **spec),
        lambda g, y, x, w, b, **spec: _by_channel(g),
    ),
    examples=(
        (((2, 2, 6, 5), (4, 1, 3, 2), (4,)), {"stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "groups": 2}),
    ),
)
def conv_bias(x, w, b, *, stride, pad, dilate, groups, out=None):
    """`conv` with a bias for each output channel, `b: (O,)`: a convolutional layer without its activation."""
    geometry = convolve.geometry(x.shape, w.shape, stride, pad, dilate, groups)
    shape = (x.shape[0], w.shape[0], *geometry.out[5 - x.ndim :])
    return _run(convolve.forward, x, w, out, shape, geometry, b)


def _conv_bias_at_once(g, y, x, w, b, *, wanted, **spec):
    """The gradients of weight and bias by one kernel, which reads the cotangent once for both."""
    raw = [v._data for v in (g, x, w, b)]
    dtype = raw[0].dtype
    if not (wanted[1] and wanted[2]) or dtype not in NAMES:
        return None
    if any(type(v) is not concrete.CONCRETE or v.dtype != dtype for v in raw):
        return None
    cotangent, data = (numpy.ascontiguousarray(v) for v in raw[:2])
    weight, bias = (reuse.empty(v.shape, dtype) for v in raw[2:])
    convolve.weight_gradient(cotangent, data, weight, convolve.geometry(x.shape, w.shape, **spec), bias)
    found = [wrap(v, of._device, type(of)) for v, of in ((weight, w), (bias, b))]
    return [conv_grad_data(g, w, size=tuple(x.shape[2:]), **spec) if wanted[0] else None, *found]


conv_bias.at_once = _conv_bias_at_once


def _infer_data(g, w, *, size, stride, pad, dilate, groups):
    shape = (g.shape[0], w.shape[1] * groups, *size)
    out = _check("conv_grad_data", shape, w.shape, stride, pad, dilate, groups)
    if tuple(g.shape[1:]) != (w.shape[0], *out):
        raise MXNetError(
            f"conv_grad_data: the cotangent has shape {tuple(g.shape)}. A convolution of {shape} with"
            f" weight {tuple(w.shape)}"
            f" gives {(g.shape[0], w.shape[0], *out)}. Pass a cotangent of that shape."
        )
    return Aval(shape, _dtype(g, w))


@primitive(
    kind="window",
    nin=2,
    infer=_infer_data,
    vjp=(
        lambda h, y, g, w, *, size, **spec: conv(h, w, **spec),
        lambda h, y, g, w, *, size, **spec: conv_grad_weight(g, h, kernel=tuple(w.shape[2:]), **spec),
    ),
    examples=(
        (
            ((2, 4, 3, 3), (4, 1, 3, 2)),
            {"size": (6, 5), "stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "groups": 2},
        ),
    ),
)
def conv_grad_data(g, w, *, size, stride, pad, dilate, groups, out=None):
    """The transpose of `conv` in its input: `g: (N, O, *out_size)` to `(N, C, *size)`; also transposed
    convolution.
    """
    shape = (g.shape[0], w.shape[1] * groups, *size)
    return _run(
        convolve.data_gradient,
        g,
        w,
        out,
        shape,
        convolve.geometry(shape, w.shape, stride, pad, dilate, groups),
    )


def _infer_weight(g, x, *, kernel, stride, pad, dilate, groups):
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    out = _check("conv_grad_weight", x.shape, shape, stride, pad, dilate, groups)
    if tuple(g.shape) != (x.shape[0], shape[0], *out):
        raise MXNetError(
            f"conv_grad_weight: the cotangent has shape {tuple(g.shape)}. A convolution of {tuple(x.shape)}"
            " with kernel"
            f" {tuple(kernel)} gives {(x.shape[0], shape[0], *out)}. Pass a cotangent of that shape."
        )
    return Aval(shape, _dtype(g, x))


@primitive(
    kind="window",
    nin=2,
    infer=_infer_weight,
    vjp=(
        lambda h, y, g, x, *, kernel, **spec: conv(x, h, **spec),
        lambda h, y, g, x, *, kernel, **spec: conv_grad_data(g, h, size=tuple(x.shape[2:]), **spec),
    ),
    examples=(
        (
            ((2, 4, 3, 3), (2, 2, 6, 5)),
            {"kernel": (3, 2), "stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "groups": 2},
        ),
    ),
)
def conv_grad_weight(g, x, *, kernel, stride, pad, dilate, groups, out=None):
    """The transpose of `conv` in its weight: `g: (N, O, *out_size)`, `x: (N, C, *size)` to `(O, C / groups,
    *kernel)`.

    An infinite or NaN element of `x` may spread NaN over all taps of its channel.
    """
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    return _run(
        convolve.weight_gradient,
        g,
        x,
        out,
        shape,
        convolve.geometry(x.shape, shape, stride, pad, dilate, groups),
    )


def conv_transpose(x, w, *, stride, pad, dilate, groups, adj=None):
    """Transposed convolution: the gradient of a convolution by its input, used forwards.

    Args:
        x: `(N, C, *size)`.
        w: `(C, O / groups, *kernel)`.
        adj: output padding per axis, below the stride: extra size at the end.

    Returns:
        `(N, O, *out)` with `out = (size - 1) stride - 2 pad + dilate (kernel - 1) + 1 + adj`.

    Raises:
        MXNetError: shapes or geometry do not fit.

    Example:
        >>> from numblocks import np
        >>> conv_transpose(np.ones((1, 1, 2)), np.ones((1, 1, 2)), stride=(2,), pad=(0,), dilate=(1,),
        groups=1).tolist() [[[1.0, 1.0, 1.0, 1.0]]]
    """
    spatial = len(w.shape) - 2
    adj = (0,) * spatial if adj is None else tuple(adj)
    if len(x.shape) != len(w.shape) or len(x.shape) not in _AXES or x.shape[1] != w.shape[0]:
        raise MXNetError(
            f"conv_transpose: data has shape {tuple(x.shape)} and weight {tuple(w.shape)}. Weight is (in,"
            " out / groups,"
            f" *kernel), with as many input channels as the data. Feed other data or build the layer anew."
        )
    if len(adj) != spatial or any(not 0 <= a < s for a, s in zip(adj, stride, strict=True)):
        raise MXNetError(
            f"conv_transpose: output padding {adj} with stride {tuple(stride)}. It picks among the sizes"
            " that the stride"
            f" maps to one. Choose it below the stride."
        )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + a
        for n, s, p, d, k, a in zip(x.shape[2:], stride, pad, dilate, w.shape[2:], adj, strict=True)
    )
    if min(size) < 1 or math.prod(size) < 1:
        raise MXNetError(
            f"conv_transpose: data {tuple(x.shape)} with kernel {tuple(w.shape[2:])} and pad {tuple(pad)}"
            " would give spatial"
            f" sizes {size}. The padding cuts everything away. Use less."
        )
    return conv_grad_data(
        x, w, size=size, stride=tuple(stride), pad=tuple(pad), dilate=tuple(dilate), groups=groups
    )

"""Convolution of NumPy arrays by the kernels of `cpu/conv.py`.

There is one way for all shapes. Against im2col and BLAS it needs no matrix of columns, keeps both threads
busy on small images, and its loop is as fast as BLAS on large ones.
"""

from . import build
from . import convolve_launches as launches
from .convolve_plan import Geometry, geometry
from .scratch import NAMES

__all__ = ["data_gradient", "forward", "geometry", "weight_gradient"]


def forward(x, w, out, geo: Geometry, b=None):
    """`out[n, o] = sum_c,k x[n, c, ...] w[o, c, k] + b[o]`; all C-contiguous, of one dtype, float32 or float64."""
    if out.size == 0 or x.size == 0 or w.size == 0:
        out[...] = 0 if b is None else b.reshape(-1, *(1,) * (out.ndim - 2))
    elif b is None:
        launches.forward(geo, NAMES[x.dtype], False).run(x, w, out)
    else:
        launches.forward(geo, NAMES[x.dtype], True).run(x, w, out, b)
    return out


def data_gradient(g, w, out, geo: Geometry):
    """Gradient of `forward` by its input: `out: (N, C, *size)` from `g: (N, O, *out)`."""
    if out.size == 0 or g.size == 0 or w.size == 0:
        out[...] = 0
        return out
    made, gaps = launches.data(geo, NAMES[g.dtype])
    if gaps:
        out[...] = 0
    made.run(g, w, out)
    return out


def weight_gradient(g, x, out, geo: Geometry, b=None):
    """Gradient of `forward` by its weight: `out: (O, C / groups, *kernel)`, and by its bias if there is a `b: (O,)`.

    An infinite or NaN input element may make NaN of every tap of its channel, also of taps that never met it.
    """
    if out.size == 0 or g.size == 0 or x.size == 0:
        out[...] = 0
        if b is not None:
            b[...] = g.sum(axis=(0, *range(2, g.ndim)))
    elif b is None:
        launches.weight(geo, NAMES[x.dtype], build.threads(), False).run(g, x, out)
    else:
        launches.weight(geo, NAMES[x.dtype], build.threads(), True).run(g, x, out, b)
    return out

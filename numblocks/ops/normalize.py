"""Layer normalization as one op: its parts would be a dozen steps on the tape."""

from __future__ import annotations

from ..kernels import rows
from ..kernels.channels import layer_norm_back
from .channels import cotangents
from .elementwise import rsqrt, square
from .kinds import composite
from .move import reshape
from .reduce import mean


def _standardized(x, axis: int, eps: float):
    """`(x - mean) r` and `r = 1 / sqrt(variance + eps)` along `axis`."""
    centred = x - mean(x, axis=(axis,), keepdims=True)
    r = rsqrt(mean(square(centred), axis=(axis,), keepdims=True) + eps)
    return centred * r, r


def _along(p, x, axis: int):
    """A parameter of the length of `axis` in the shape that broadcasts along it."""
    return reshape(p, shape=p.shape + (1,) * (x.ndim - axis - 1))


def _vjp(g, y, x, gamma, beta, *, axis, eps):
    others = tuple(k for k in range(x.ndim) if k != axis)
    return cotangents(layer_norm_back, g, x, gamma, axis, eps, (axis,), others)


@composite(
    nin=3,
    vjp=_vjp,
    loop=rows.layer_norm,
    examples=((((3, 4), (4,), (4,)), {"axis": 1, "eps": 1e-5}), (((2, 3, 4), (3,), (3,)), {"axis": 1, "eps": 1e-3})),
)
def layer_norm(x, gamma, beta, *, axis, eps):
    """(x - mean) / sqrt(variance + eps) * gamma + beta along `axis`, an int >= 0; gamma and beta have its length."""
    z, _ = _standardized(x, axis, eps)
    return z * _along(gamma, x, axis) + _along(beta, x, axis)


layer_norm.result = "float"  # of integers, too
layer_norm.joint = True

__all__ = ["layer_norm"]

"""Layer normalization as one op: its parts would be a dozen steps on the tape."""

from __future__ import annotations

from ..kernels import rows
from .elementwise import rsqrt, square
from .kinds import composite
from .move import reshape
from .reduce import mean, sum_


def _standardized(x, axis: int, eps: float):
    """`(x - mean) r` and `r = 1 / sqrt(variance + eps)` along `axis`."""
    centred = x - mean(x, axis=(axis,), keepdims=True)
    r = rsqrt(mean(square(centred), axis=(axis,), keepdims=True) + eps)
    return centred * r, r


def _along(p, x, axis: int):
    """A parameter of the length of `axis` in the shape that broadcasts along it."""
    return reshape(p, shape=p.shape + (1,) * (x.ndim - axis - 1))


def _others(x, axis: int) -> tuple[int, ...]:
    return tuple(k for k in range(x.ndim) if k != axis)


def _back(g, y, x, gamma, beta, *, axis, eps):
    """With z the standardized x and h = g gamma: (h - mean(h) - z mean(h z)) r."""
    z, r = _standardized(x, axis, eps)
    h = g * _along(gamma, x, axis)
    return (h - mean(h, axis=(axis,), keepdims=True) - z * mean(h * z, axis=(axis,), keepdims=True)) * r


@composite(
    nin=3,
    vjp=(
        _back,
        lambda g, y, x, gamma, beta, *, axis, eps: sum_(
            g * _standardized(x, axis, eps)[0], axis=_others(x, axis), keepdims=False
        ),
        lambda g, y, x, gamma, beta, *, axis, eps: sum_(g, axis=_others(x, axis), keepdims=False),
    ),
    loop=rows.layer_norm,
    examples=((((3, 4), (4,), (4,)), {"axis": 1, "eps": 1e-5}), (((2, 3, 4), (3,), (3,)), {"axis": 1, "eps": 1e-3})),
)
def layer_norm(x, gamma, beta, *, axis, eps):
    """(x - mean) / sqrt(variance + eps) * gamma + beta along `axis`, an int >= 0; gamma and beta have its length."""
    z, _ = _standardized(x, axis, eps)
    return z * _along(gamma, x, axis) + _along(beta, x, axis)


layer_norm.result = "float"  # of integers, too

__all__ = ["layer_norm"]

"""Rows of the reference for sorting, diagonals, integers and linear algebra; `reference.py` takes them in."""

import math

import numpy as np
from scipy import linalg, special, stats


def mean_with_transpose(x):
    """What symmetric factorizations see of a matrix."""
    return (x + np.swapaxes(x, -1, -2)) / 2


def each(function, x, batch=2):
    """`function` of every matrix of a stack, one at a time, the answers flattened end to end."""
    flat = lambda parts: np.concatenate([np.ravel(part) for part in parts])
    found = [flat(_tuple(function(x[at]))) for at in np.ndindex(*x.shape[:-batch])]
    return np.array(found).reshape(*x.shape[:-batch], -1)


def _tuple(y):
    return y if isinstance(y, tuple) else (y,)


def inverse(x):
    """The inverse by the adjugate of Cramer's rule."""
    n, y = x.shape[-1], np.empty_like(x)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(x, j, -2), i, -1)
            y[..., i, j] = (-1) ** (i + j) * determinant(minor)
    return y / determinant(x)[..., None, None]


def determinant(x):
    """Laplace's expansion along the first row."""
    if x.shape[-1] == 0:
        return np.ones(x.shape[:-2], x.dtype)
    return sum((-1) ** j * x[..., 0, j] * determinant(np.delete(x[..., 1:, :], j, -1)) for j in range(x.shape[-1]))


def ordered(x, axis, descending):
    """Python's own stable sort, line by line: the indices."""
    def line(v):
        key = (lambda k: (-v[k] if v.dtype != bool else not v[k])) if descending else (lambda k: v[k])
        return np.array(sorted(range(len(v)), key=key), "i8")

    return np.apply_along_axis(line, axis, x) if x.size else np.zeros(x.shape, "i8")


def on_diagonal(g, offset, shape):
    """Zeros with `g` on a diagonal, one element at a time."""
    y = np.zeros(shape, g.dtype)
    for k in range(g.shape[-1]):
        y[..., k + max(-offset, 0), k + max(offset, 0)] = g[..., k]
    return y


def elementwise(function, dtype=None):
    """A Python function of numbers on broadcast arrays."""
    def call(*xs):
        xs = np.broadcast_arrays(*xs)
        y = [function(*(x[at].item() for x in xs)) for at in np.ndindex(xs[0].shape)]
        return np.array(y, dtype or xs[0].dtype).reshape(xs[0].shape)

    return call


def moved_with_alpha(alpha, z):
    """d z / d alpha at a fixed place of the gamma distribution, by differences of its quantile function."""
    alpha, z = np.asarray(alpha, "f8"), np.asarray(z, "f8")
    place, slope = special.gammainc(alpha, z), lambda h: (special.gammaincinv(alpha + h, place)
                                                          - special.gammaincinv(alpha - h,
                                                              place)) / (2 * h)  # fmt: skip
    return (4 * slope(1e-3 * alpha) - slope(2e-3 * alpha)) / 3


def angles(n):
    """2 pi j k / n for each j: rows over k."""
    return 2 * np.pi * np.outer(np.arange(n), np.arange(n)) / n


def fourier(x):
    """Sums of cosines and sines, interleaved."""
    rows = [part for t in angles(x.shape[-1]) for part in ((x * np.cos(t)).sum(-1), -(x * np.sin(t)).sum(-1))]
    return np.stack(rows, -1)


def recurrence(factors, terms, axis):
    """One element after the other."""
    p, b = np.moveaxis(factors, axis, 0), np.moveaxis(terms, axis, 0)
    y = np.zeros(b.shape)
    for k in range(len(b)):
        y[k] = b[k] + (p[k] * y[k - 1] if k else 0)
    return np.moveaxis(y, 0, axis)


ROWS = {
    # draws
    "gamma_slope": moved_with_alpha,
    "poisson_quantile": lambda u, lam: stats.poisson.ppf(u, lam),
    # signs and remainders
    "copysign": elementwise(math.copysign, "f8"),
    "logaddexp": lambda a, b: np.logaddexp(np.asarray(a, "f8"), b),
    "logaddexp2": lambda a, b: np.logaddexp2(np.asarray(a, "f8"), b),
    "fmod": np.fmod,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "heaviside": np.heaviside,
    "signbit": lambda x: np.asarray(x) < 0,
    # integers
    "bitwise_and": elementwise(lambda a, b: a & b),
    "bitwise_or": elementwise(lambda a, b: a | b),
    "bitwise_xor": elementwise(lambda a, b: a ^ b),
    "invert": lambda x: ~x,
    "left_shift": elementwise(lambda a, b: a << b),
    "right_shift": elementwise(lambda a, b: a >> b),
    "gcd": elementwise(math.gcd),
    "lcm": elementwise(math.lcm),
    # order
    "argsort": ordered,
    "sort": lambda x, axis, descending: np.take_along_axis(x, ordered(x, axis, descending), axis),
    "searchsorted": lambda a, v, side: ((a < v[..., None]) | ((side == "right") & (a == v[..., None]))).sum(-1),
    "recurrence": lambda p, b, axis: recurrence(p, b, axis),
    "cumprod": lambda x, axis: np.cumprod(x, axis),
    "diagonal": lambda x, offset: np.diagonal(x, offset, -2, -1),
    "undiagonal": on_diagonal,
    # linear algebra
    "inv": inverse,
    "det": determinant,
    "slogdet": lambda x: np.stack([np.sign(determinant(x)), np.log(np.abs(determinant(x)))], -1),
    "solve": lambda a, b: inverse(a) @ b,
    "pinv": lambda x, rcond: inverse(x.swapaxes(-1, -2) @ x) @ x.swapaxes(-1, -2),
    "lstsq": lambda a, b, rcond: inverse(a.T @ a) @ a.T @ b,
    "cholesky": lambda x: each(lambda m: linalg.cholesky(m, lower=True), mean_with_transpose(x)).reshape(x.shape),
    "qr": lambda x: each(lambda m: linalg.qr(m, mode="economic"), x),
    "eigh": lambda x: each(lambda m: linalg.eigh(m, driver="evd"), mean_with_transpose(x)),
    "fft": fourier,
    "unfft": lambda x: np.stack([(x[..., 0::2] * np.cos(t) - x[..., 1::2] * np.sin(t)).sum(-1)
                                 for t in angles(x.shape[-1] // 2)], -1),
    "qr_complete": lambda x: each(linalg.qr, x),
    "svd_full": lambda x: each(linalg.svd, x),
    "eig": lambda x: each(lambda m: tuple(part.real for part in linalg.eig(m)), x),
    "svd": lambda x: each(lambda m: linalg.svd(m, full_matrices=False), x),
}  # fmt: skip

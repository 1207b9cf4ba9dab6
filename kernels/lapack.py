"""One matrix solved, inverted or factored by the LAPACK inside NumPy's BLAS, in the dtype it has.

`numpy.linalg` computes float32 in float64, at twice the cost and more, and copies column by column. LAPACK is Fortran:
an array in C order is to it the transposed matrix, which the functions here take into account instead of transposing.
They return None for what is left to NumPy: stacks, small matrices, other dtypes, a BLAS whose functions are not found.
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np

from . import addresses, copying, library, native, reuse
from .scratch import NAMES

LEAST = 48  # rows from which it pays
_ARGUMENTS = {"getrf": (6, 0), "getrs": (9, 1), "getri": (7, 0), "potrf": (5, 1)}  # pointers, lengths of strings
_LETTERS = {np.dtype("float32"): "s", np.dtype("float64"): "d"}


@functools.cache
def _found():
    """`(function by name, dtype of its integers)`, or None."""
    blas = native._blas()
    if blas is None:
        return None
    loaded, pattern, bits = blas
    spelled = pattern.replace("cblas_{}", "{}_")
    functions = {}
    for letter in "sd":
        for name, (pointers, lengths) in _ARGUMENTS.items():
            function = getattr(loaded, spelled.format(letter + name), None)
            if function is None:
                return None
            function.restype, function.argtypes = None, [ctypes.c_void_p] * pointers + [ctypes.c_size_t] * lengths
            functions[letter + name] = function
    return functions, np.dtype(np.int64 if bits == 64 else np.int32)


def _fits(a, *others) -> bool:
    return (
        a.ndim == 2 and a.shape[0] >= LEAST and a.dtype in _LETTERS and _found() is not None
        and all(x.ndim == 2 and x.dtype == a.dtype and x.size for x in others)
    )  # fmt: skip


def _call(name: str, *args) -> int:
    """Call a function of LAPACK by reference; returns its `info`."""
    functions, integer = _found()
    numbers = np.array([*[x for x in args if type(x) is int], 0], integer)
    passed, at, lengths = [], addresses.address(numbers), []
    for x in args:
        if type(x) is int:
            passed.append(at)
            at += integer.itemsize
        elif type(x) is bytes:
            passed.append(x)
            lengths.append(1)  # Fortran passes the lengths of strings behind all else
        else:
            passed.append(addresses.address(x))
    functions[name](*passed, at, *lengths)
    return int(numbers[-1])


def _factored(a):
    """LU factors of the transposed matrix in memory of their own, and the pivots."""
    n, lu = len(a), copying.copy(a)
    pivots = np.empty(n, _found()[1])
    if _call(_LETTERS[a.dtype] + "getrf", n, n, lu, n, pivots) > 0:
        raise np.linalg.LinAlgError("Singular matrix")
    return lu, pivots


def solve(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """X with a @ X = b: `(n, n), (n, k) -> (n, k)`.

    Raises:
        LinAlgError: `a` is singular.

    >>> solve(2.0 * np.eye(30), np.ones((30, 1)))[:2]
    array([[0.5],
           [0.5]])
    """
    if not _fits(a, b):
        return None
    (lu, pivots), (n, k) = _factored(a), b.shape
    x = copying.copy(b.T)
    _call(_LETTERS[a.dtype] + "getrs", b"T", n, k, lu, n, pivots, x, n)
    return copying.copy(x.T)


def inverse(a: np.ndarray) -> np.ndarray | None:
    """The inverse of `(n, n)`.

    Raises:
        LinAlgError: `a` is singular.
    """
    if not _fits(a):
        return None
    (lu, pivots), n = _factored(a), len(a)
    work = reuse.empty((64 * n,), a.dtype)
    _call(_LETTERS[a.dtype] + "getri", n, lu, n, pivots, work, work.size)
    return lu


def cholesky(a: np.ndarray) -> np.ndarray | None:
    """The lower triangular L with L @ L.T = a, of which the upper triangle is read: `(n, n)`.

    Raises:
        LinAlgError: `a` is not positive definite.
    """
    if not _fits(a):
        return None
    n, factor = len(a), copying.copy(a.T)
    if _call(_LETTERS[a.dtype] + "potrf", b"U", n, factor, n) > 0:
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    packed = np.array([addresses.address(factor), n])
    library.get("triangle.lower", T=NAMES[factor.dtype])(0, n, addresses.address(packed))
    return factor

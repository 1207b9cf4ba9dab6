"""What the ops of linear algebra share: LAPACK through NumPy, in the dtypes LAPACK has, for stacks of matrices.

Several answers of one factorization travel in one array, end to end along the last axis (`pack`, `unpack`): the
tape, a graph and its memory plan then need to know nothing of factorizations, and taking the parts out again is
free, since slices and reshapes are views.
"""

from __future__ import annotations

import math

import numpy

from .. import dtype as dt
from ..array import Aval, wrap
from ..eager import restore, silence
from ..errors import MXNetError
from ..kernels.lapack import LEAST
from ..shortcut.arrays import one
from ..shortcut.small import opaque
from .kinds import primitive
from .move import freeze_key, reshape, slice_

try:  # what numpy.linalg does before and after its loops takes longer than the loops over small matrices
    from numpy._core.umath import _make_extobj
    from numpy.linalg import _umath_linalg as _loops

    _STRICT = _make_extobj(all="ignore", invalid="raise")
except ImportError:  # a NumPy that arranges its internals differently
    _loops = None

LinAlgError = numpy.linalg.LinAlgError
DOUBLE = numpy.dtype("float64")
_FLOATS = frozenset((numpy.dtype("float32"), DOUBLE))


def small(op, name: str, prepare=None) -> None:
    """Let `op` run NumPy's loop `name` on small float matrices; what that refuses goes the long way and is explained.

    Args:
        prepare: applied to the first matrix.
    """
    loop = getattr(_loops, name, None)
    if loop is None:
        return

    def run(x, *others):
        dtype, shape = x.dtype, x.shape
        if dtype not in _FLOATS or len(shape) < 2 or not shape[-2] == shape[-1] < LEAST or not x.size:
            raise ValueError
        token = silence(_STRICT)
        try:
            if prepare is not None:
                x = prepare(x)
            if dtype is DOUBLE:
                return loop(x, *others)
            return loop(x.astype(DOUBLE), *[y.astype(DOUBLE) for y in others]).astype(dtype)  # as numpy.linalg does
        except FloatingPointError:
            raise ValueError from None
        finally:
            restore(token)

    if op.nin == 1:
        op.direct = one(op, run, lambda x: {}, op.direct)
    else:
        op.numpy = run
        op.direct = opaque(op)


def float_of(*avals) -> numpy.dtype:
    """The dtype of the answer: the promoted float, float32 for integers."""
    return dt.as_float(dt.promote(*(x.dtype for x in avals)))


def linear(*, infer, vjp=None, nin=1, name=None, examples=()):
    """Declare an op of linear algebra: `run(*matrices, **spec)` sees float32 or float64 and returns one array.

    Args:
        infer: as in `kinds.primitive`; it also settles the dtype of the answer.
    """

    def declare(run):
        def computed(*xs, out=None, **spec):
            want = infer(*xs, **spec).dtype
            compute = numpy.dtype("float32") if want.itemsize == 2 else want
            try:
                y = run(*[x.astype(compute, copy=False) for x in xs], **spec)
            except LinAlgError as error:
                raise LinAlgError(
                    f"{run.__name__.rstrip('_')}: {error}. The matrix (shape {xs[0].shape}) does not have what the"
                    f" factorization needs. Check its rank, or add a small multiple of the unit matrix."
                ) from None
            if out is None:
                return numpy.asarray(y).astype(want, copy=False)
            out[...] = y
            return out

        computed.__name__, computed.__doc__ = run.__name__, run.__doc__
        return primitive(kind="linalg", infer=infer, vjp=vjp, nin=nin, name=name, examples=examples)(computed)

    return declare


def square(where: str, x) -> None:
    """Refuse what is not a stack of square matrices."""
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise MXNetError(
            f"{where}: the array has shape {tuple(x.shape)}. Its last two axes must be a square matrix. Reshape"
            " or slice it."
        )


def matrices(where: str, x) -> None:
    """Refuse what is not a stack of matrices."""
    if len(x.shape) < 2:
        raise MXNetError(f"{where}: the array has shape {tuple(x.shape)}. It needs two axes at least. Reshape it.")


def infer_square(where: str, shape=lambda x: x.shape):
    """The infer of an op on square matrices whose answer has `shape(x)`."""

    def infer(x, **spec):
        square(where, x)
        return Aval(tuple(shape(x)), float_of(x))

    return infer


def pack(*parts: numpy.ndarray, batch: int) -> numpy.ndarray:
    """NumPy arrays with `batch` leading axes in common, end to end along one last axis."""
    lead = parts[0].shape[:batch]
    return numpy.concatenate([p.reshape(*lead, math.prod(p.shape[batch:])) for p in parts], axis=-1)


def unpack(y, *shapes):
    """The parts of a packed array again, each with the leading axes of `y` and one of the `shapes`."""
    parts, start = [], 0
    for shape in shapes:
        n = math.prod(shape)
        part = slice_(y, key=freeze_key((Ellipsis, slice(start, start + n))))
        parts.append(reshape(part, shape=y.shape[:-1] + tuple(shape)))
        start += n
    return parts


def constant(values: numpy.ndarray, like):
    """`values` as an array on the device of `like`."""
    return wrap(values, like._device)


def unit(n: int, like):
    """The unit matrix in the dtype of `like`."""
    return constant(numpy.eye(n, dtype=like.dtype), like)


def column(x):
    """`x` with a last axis of length 1: it scales rows."""
    return reshape(x, shape=x.shape + (1,))


def row(x):
    """`x` with a last but one axis of length 1: it scales columns."""
    return reshape(x, shape=x.shape[:-1] + (1, x.shape[-1]))


__all__ = [
    "LinAlgError", "column", "constant", "float_of", "infer_square", "linear", "matrices", "pack", "row", "small",
    "square", "unit", "unpack",
]  # fmt: skip

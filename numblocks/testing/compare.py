"""Comparing arrays, with differences also counted in units in the last place (ulp)."""

from __future__ import annotations

import numpy

from .subject import raw

RTOL = {"float16": 1e-2, "float32": 1e-4, "float64": 1e-5}  # MXNet's defaults are as loose
ATOL = {"float16": 1e-1, "float32": 1e-3, "float64": 1e-20}


def ulps(a, b) -> numpy.ndarray:
    """How many floats of their (narrower) dtype lie between `a` and `b`; 0 for equal values, NaN to NaN too.

    >>> ulps(numpy.float32(1), numpy.nextafter(numpy.float32(1), numpy.float32(2)))
    array(1.)
    """
    a, b = numpy.asarray(raw(a)), numpy.asarray(raw(b))
    floats = [x.dtype for x in (a, b) if x.dtype.kind == "f"]
    narrow = min(floats, key=lambda d: d.itemsize, default=numpy.dtype("float64"))
    wide = numpy.float64
    with numpy.errstate(all="ignore"):
        big = numpy.maximum(numpy.abs(a.astype(wide)), numpy.abs(b.astype(wide)))
        unit = numpy.spacing(numpy.minimum(big, float(numpy.finfo(narrow).max)).astype(narrow)).astype(wide)
        apart = numpy.abs(a.astype(wide) - b.astype(wide)) / unit
    same = (a == b) | (numpy.isnan(a.astype(wide)) & numpy.isnan(b.astype(wide)))
    return numpy.where(same, 0.0, numpy.where(numpy.isnan(apart), numpy.inf, apart))


def effective_dtype(*arrays) -> numpy.dtype:
    """The least precise float dtype among the arrays, float64 if there is none."""
    floats = [x.dtype for x in map(raw, arrays) if x.dtype.kind == "f"]
    return min(floats, key=lambda d: d.itemsize, default=numpy.dtype("float64"))


def tolerances(a, b, rtol=None, atol=None) -> tuple[float, float]:
    """`(rtol, atol)`, from the least precise dtype where None."""
    name = effective_dtype(a, b).name
    return (RTOL[name] if rtol is None else rtol), (ATOL[name] if atol is None else atol)


def assert_almost_equal(
    a, b, rtol=None, atol=None, names=("a", "b"), equal_nan=False, use_broadcast=True, mismatches=(10, 10), max_ulp=None
) -> None:
    """|a - b| <= atol + rtol |b| for every element, or at most `max_ulp` units in the last place.

    Args:
        a, b: ndarrays, NumPy arrays or numbers.
        rtol, atol: by dtype if None.
        names: for the message.
        equal_nan: NaN equals NaN.
        use_broadcast: shapes may differ if they broadcast.
        mismatches: (how many to list, ignored).
        max_ulp: compare in ulp instead.

    Raises:
        AssertionError: lists the worst elements with index, values, difference and ulp.

    >>> assert_almost_equal(numpy.ones(2), numpy.ones(2) + 1e-9)
    """
    x, y = raw(a), raw(b)
    if x.shape != y.shape and not use_broadcast:
        raise AssertionError(f"{names[0]} has shape {x.shape} and {names[1]} {y.shape}. They must be equal.")
    try:
        x, y = numpy.broadcast_arrays(x, y)
    except ValueError:
        raise AssertionError(
            f"{names[0]} has shape {x.shape} and {names[1]} {y.shape}. They do not broadcast."
        ) from None
    apart = ulps(x, y)
    if max_ulp is not None:
        bad, rule = apart > max_ulp, f"more than {max_ulp} ulp"
    else:
        rtol, atol = tolerances(x, y, rtol, atol)
        wide = [v.astype(numpy.float64) for v in (x, y)]
        with numpy.errstate(all="ignore"):
            bad = ~((apart == 0) | (numpy.abs(wide[0] - wide[1]) <= atol + rtol * numpy.abs(wide[1])))
        rule = f"more than {atol:g} + {rtol:g} * |{names[1]}|"
    nan = numpy.isnan(x.astype(numpy.float64)) | numpy.isnan(y.astype(numpy.float64))
    bad = bad & ~(nan & (apart == 0)) if equal_nan else bad | nan
    if not bad.any():
        return
    order = numpy.argsort(-numpy.where(bad, apart, -1), axis=None, kind="stable")[: min(mismatches[0], int(bad.sum()))]
    lines = []
    for k in order:
        at = tuple(map(int, numpy.unravel_index(k, bad.shape)))
        off = f"off by {abs(float(x[at]) - float(y[at])):.3g} ({apart[at]:.4g} ulp)"
        lines.append(f"  [{', '.join(map(str, at))}]  {x[at]!r:>24} {y[at]!r:>24}  {off}")
    raise AssertionError(
        f"{names[0]} and {names[1]} differ by {rule} in {int(bad.sum())} of {bad.size} elements; at most"
        f" {apart[bad].max():.4g} ulp of {effective_dtype(x, y).name}. The worst:\n"
        + f"  index  {names[0]} | {names[1]}\n" + "\n".join(lines)
    )  # fmt: skip


def almost_equal(a, b, rtol=None, atol=None, equal_nan=False, use_broadcast=True) -> bool:
    """Whether `assert_almost_equal` would pass."""
    try:
        assert_almost_equal(a, b, rtol, atol, equal_nan=equal_nan, use_broadcast=use_broadcast)
    except AssertionError:
        return False
    return True


def same(a, b) -> bool:
    """Whether shapes and all values are equal."""
    return numpy.array_equal(raw(a), raw(b))

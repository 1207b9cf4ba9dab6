"""How a line of pixels becomes a longer or shorter one: which pixels each new one takes, and how much of each.

The conventions are OpenCV's, which MXNet's images follow: pixel centres on pixel centres, edges repeated, and no
smoothing when a line gets shorter (only code 3 takes all pixels then).

| code | name | pixels on each side |
|---|---|---|
| 0 | nearest | the one at or before |
| 1 | linear | 1 |
| 2 | cubic | 2 (R. Keys 1981 with a = -0.75) |
| 3 | area | all that the new pixel covers; sharp steps when enlarging |
| 4 | Lanczos | 4 (C. Lanczos's windowed sinc) |
"""

from __future__ import annotations

import functools

import numpy

CODES = {0: "nearest", 1: "linear", 2: "cubic", 3: "area", 4: "Lanczos"}


def taps(old: int, new: int, code: int, shrinks: bool | None = None) -> tuple[numpy.ndarray, numpy.ndarray]:
    """What each of `new` pixels is made of.

    Args:
        old, new: lengths of the line.
        code: see the module.
        shrinks: for code 3 whether the whole picture gets smaller (or stays) in both directions, which decides
            between averages and steps; None to look at this line alone.

    Returns:
        `(index, weight)`, both `(taps, new)`: pixels of the old line, int64, and their shares, float32.

    Raises:
        ValueError: another code, or a length below 1.

    >>> taps(4, 2, 1)[0].tolist(), taps(4, 2, 1)[1].tolist()
    ([[0, 2], [1, 3]], [[0.5, 0.5], [0.5, 0.5]])
    """
    if code not in CODES:
        said = ", ".join(f"{k} ({name})" for k, name in CODES.items())
        raise ValueError(f"interpolation: code {code!r}. There are {said}. Use one of them.")
    if old < 1 or new < 1:
        raise ValueError(f"interpolation: from {old} to {new} pixels. A line has at least one. Choose another size.")
    return _taps(old, new, code, old >= new if shrinks is None else bool(shrinks))


@functools.lru_cache(maxsize=256)
def _taps(old, new, code, shrinks):
    if old == new:
        return numpy.arange(new)[None], numpy.ones((1, new), "float32")
    index, weight = _WAYS[code](old, new, shrinks)
    index = numpy.clip(index, 0, old - 1).astype("int64")
    weight = (weight / weight.sum(axis=0)).astype("float32")
    for a in (index, weight):
        a.flags.writeable = False  # kept for the next picture of this size
    return index, weight


def dense(old: int, new: int, code: int) -> numpy.ndarray:
    """`taps` as a matrix `(new, old)`, float32.

    >>> dense(2, 4, 0)
    array([[1., 0.],
           [1., 0.],
           [0., 1.],
           [0., 1.]], dtype=float32)
    """
    index, weight = taps(old, new, code)
    matrix = numpy.zeros((new, old), "float32")
    numpy.add.at(matrix, (numpy.arange(new)[None], index), weight)
    return matrix


def _nearest(old, new, shrinks):
    index = numpy.floor(numpy.arange(new) * (old / new))[None]
    return index, numpy.ones((1, new))


def _centres(old, new):
    """Where the new pixels' centres lie in the old line: the pixel before, and how far behind it."""
    at = (numpy.arange(new) + 0.5) * (old / new) - 0.5
    before = numpy.floor(at)
    return before, at - before


def _linear(old, new, shrinks):
    before, share = _centres(old, new)
    return numpy.stack([before, before + 1]), numpy.stack([1 - share, share])


def _cubic(old, new, shrinks, a=-0.75):
    before, share = _centres(old, new)
    near = lambda t: ((a + 2) * t - (a + 3)) * t * t + 1  # up to one pixel away
    far = lambda t: ((a * t - 5 * a) * t + 8 * a) * t - 4 * a  # one to two pixels away
    weight = [far(share + 1), near(share), near(1 - share), far(2 - share)]
    return before + numpy.arange(-1, 3)[:, None], numpy.stack(weight)


def _area(old, new, shrinks):
    scale = old / new
    begin = numpy.arange(new) * scale
    if not shrinks:  # old pixels as blocks: a new one mixes two of them only where it lies on their border
        before = numpy.floor(begin)
        share = numpy.arange(1, new + 1) - (before + 1) / scale
        share = numpy.where(share <= 0, 0, share - numpy.floor(share))
        return numpy.stack([before, before + 1]), numpy.stack([1 - share, share])
    first = numpy.floor(begin + 1e-9)
    index = first + numpy.arange(int(numpy.ceil(scale)) + 1)[:, None]
    covered = numpy.minimum(index + 1, begin + scale) - numpy.maximum(index, begin)
    return index, numpy.where(covered > 1e-9, covered, 0)


def _lanczos(old, new, shrinks):
    before, share = _centres(old, new)
    offset = numpy.arange(-3, 5)[:, None]
    away = share - offset
    return before + offset, numpy.sinc(away) * numpy.sinc(away / 4)


_WAYS = {0: _nearest, 1: _linear, 2: _cubic, 3: _area, 4: _lanczos}


def resample(pixels: numpy.ndarray, height: int, width: int, code: int) -> numpy.ndarray:
    """Pictures `(..., rows, columns, channels)` in another size.

    Args:
        pixels: of any real dtype; integers are rounded and kept within their range.
        height, width: of the result.
        code: see the module.

    Returns:
        `(..., height, width, channels)` of the same dtype.

    >>> resample(numpy.array([[[0.0], [4.0]]]), 1, 4, 1).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    *batch, rows, columns, channels = pixels.shape
    shrinks = height <= rows and width <= columns
    wide = numpy.float64 if pixels.dtype == numpy.float64 else numpy.float32

    def down(x):
        return _along(x, -2, *taps(rows, height, code, shrinks), wide)

    def across(x):
        # element by element: taking whole pixels of three channels is many times slower
        index, weight = taps(columns, width, code, shrinks)
        index = (index[..., None] * channels + numpy.arange(channels)).reshape(len(index), -1)
        return _along(x, -1, index, numpy.repeat(weight, channels, axis=1), wide)

    y = numpy.ascontiguousarray(pixels).reshape(*batch, rows, columns * channels)
    # what shrinks most comes first: less is left for the other one
    y = across(down(y)) if height * columns <= rows * width else down(across(y))
    if pixels.dtype.kind == "b":
        y = y >= 0.5
    elif pixels.dtype.kind in "iu" and y.dtype.kind == "f":
        limits = numpy.iinfo(pixels.dtype)
        y = numpy.clip(numpy.rint(y, out=y), limits.min, limits.max, out=y)
    return y.reshape(*batch, height, width, channels).astype(pixels.dtype, copy=False)


def _along(x, axis, index, weight, wide):
    if len(index) == 1:
        return numpy.take(x, index[0], axis)
    shape = (-1, 1) if axis == -2 else (-1,)
    total = None
    for k in range(len(index)):
        part = numpy.take(x, index[k], axis).astype(wide, copy=False)
        part *= weight[k].reshape(shape)
        total = part if total is None else numpy.add(total, part, out=total)
    return total

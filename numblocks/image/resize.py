"""Pictures in another size."""

from __future__ import annotations

from ..npx.interpolate import CODES, resample
from .pixels import generator, like, pixels


def imresize(src, w, h, interp=1, out=None):
    """A picture in another size.

    Args:
        src: `(height, width, channels)`, of any real dtype.
        w, h: width and height of the result.
        interp: 0 nearest, 1 linear, 2 cubic, 3 area, 4 Lanczos (see `npx.interpolate`); 9 chooses area to shrink,
            cubic to enlarge, linear for both at once; 10 any of them at random.
        out: an array of that shape to fill.

    Returns:
        `(h, w, channels)` of the same dtype and class. MXNet calculates uint8 pictures in whole numbers, so its pixels
        may differ from these by 1.

    >>> imresize(np.zeros((4, 6, 3)), 3, 2).shape
    (2, 3, 3)
    """
    x = pixels("imresize", src)
    y = like(resample(x, int(h), int(w), _code(interp, x.shape[:2], (h, w))), src)
    if out is None:
        return y
    out[:] = y
    return out


def _code(interp, old, new) -> int:
    if interp == 10:
        return int(generator().integers(len(CODES)))
    if interp != 9:
        return interp
    if all(n > o for n, o in zip(new, old, strict=True)):
        return 2
    return 3 if all(n < o for n, o in zip(new, old, strict=True)) else 1


def resize_short(src, size, interp=2):
    """A picture whose shorter side is `size`; the longer one is rounded down.

    >>> resize_short(np.zeros((4, 6, 3)), 2).shape
    (2, 3, 3)
    """
    h, w = pixels("resize_short", src).shape[:2]
    if h > w:
        return imresize(src, size, max(1, size * h // w), interp)
    return imresize(src, max(1, size * w // h), size, interp)


def scale_down(src_size, size) -> tuple[int, int]:
    """`size` (width, height), or as much smaller as needed, in the same shape, to fit into `src_size`.

    >>> scale_down((640, 480), (720, 120))
    (640, 106)
    """
    (width, height), (w, h) = src_size, size
    if height < h:
        w, h = w * height / h, height
    if width < w:
        w, h = width, h * width / w
    return int(w), int(h)

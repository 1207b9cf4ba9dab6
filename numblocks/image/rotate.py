"""Pictures `(channels, height, width)` turned about their centre."""

from __future__ import annotations

from ..array import ndarray
from ..npx.rotation import one_zoom, rotate
from .pixels import generator, like


def _ours(src):
    return src if isinstance(src, ndarray) else like(src, None)


def imrotate(src, rotation_degrees, zoom_in=False, zoom_out=False):
    """Pictures turned counter-clockwise; 0 where nothing was.

    Args:
        src: `(C, H, W)` or `(N, C, H, W)`, real-valued.
        rotation_degrees: the angle; for a batch also an array with one for each picture.
        zoom_in: enlarge so far that no such 0 is seen.
        zoom_out: shrink so far that the whole picture is seen.

    Raises:
        TypeError: pictures of integers or of another shape; several angles for one picture.
        ValueError: both zooms; another number of angles than of pictures.

    >>> imrotate(np.arange(4).reshape((1, 2, 2)), 90)[0].round(3)
    array([[1., 3.],
           [0., 2.]])
    """
    return rotate("imrotate", _ours(src), rotation_degrees, zoom_in, zoom_out)


def random_rotate(src, angle_limits, zoom_in=False, zoom_out=False):
    """`imrotate` by a random angle, for a batch one for each picture.

    Args:
        src: `(C, H, W)` or `(N, C, H, W)`, real-valued.
        angle_limits: least and greatest angle in degrees.
        zoom_in, zoom_out: as for `imrotate`.

    >>> random_rotate(np.ones((2, 3, 4, 4)), (-10, 10)).shape
    (2, 3, 4, 4)
    """
    one_zoom("random_rotate", zoom_in, zoom_out)
    lower, upper = angle_limits
    src = _ours(src)
    angles = generator().uniform(lower, upper, len(src) if src.ndim == 4 else None)
    return rotate("random_rotate", src, angles, zoom_in, zoom_out)

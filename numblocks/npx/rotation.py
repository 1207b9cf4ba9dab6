"""Pictures `(channels, height, width)` turned about their centre."""

from __future__ import annotations

import math

import numpy

from ..array import place
from .spatial import bilinear_sampler


def one_zoom(where: str, zoom_in: bool, zoom_out: bool) -> None:
    """`ValueError` if both are set."""
    if zoom_in and zoom_out:
        raise ValueError(f"{where}: zoom_in and zoom_out are both set. They exclude each other. Set one.")


def rotate(where: str, x, degrees, zoom_in: bool = False, zoom_out: bool = False):
    """Pictures turned counter-clockwise; 0 where nothing was.

    Args:
        where: who asks, for error messages.
        x: `(C, H, W)` or `(N, C, H, W)`, real-valued.
        degrees: the angle; for a batch also one for each picture.
        zoom_in: enlarge so far that no such 0 is seen.
        zoom_out: shrink so far that the whole picture is seen.

    Raises:
        TypeError: pictures of integers or of another shape; several angles for one picture.
        ValueError: as many angles as pictures, or one, are wanted; both zooms.

    >>> rotate('doc', np.arange(4).reshape((1, 2, 2)), 90)[0].round(3)
    array([[1., 3.],
           [0., 2.]])
    """
    one_zoom(where, zoom_in, zoom_out)
    if x.ndim not in (3, 4) or x.dtype.kind != "f":
        raise TypeError(
            f"{where}: an array of shape {x.shape} and dtype {x.dtype}. Rotation reads real-valued images (channels,"
            f" height, width), batches with one axis more. Put ToTensor before it."
        )
    angles = numpy.atleast_1d(numpy.asarray(degrees, "float64"))
    batch = x if x.ndim == 4 else x.reshape((1, *x.shape))
    if x.ndim == 3 and numpy.ndim(degrees):
        raise TypeError(f"{where}: angles of shape {numpy.shape(degrees)} for one picture. Pass a number.")
    if len(angles) not in (1, len(batch)) or angles.ndim != 1:
        raise ValueError(
            f"{where}: {angles.size} angles for {len(batch)} pictures. Each picture is turned by its own. Pass one"
            f" angle, or as many as pictures."
        )
    size = x.shape[-2:]
    grids = numpy.stack([_grid(*size, math.radians(angle), zoom_in, zoom_out) for angle in angles])
    grids = numpy.broadcast_to(grids.astype(x.dtype), (len(batch), 2, *size))
    return bilinear_sampler(batch, place(numpy.ascontiguousarray(grids), x.ctx, type(x))).reshape(x.shape)


def _grid(height, width, angle, zoom_in, zoom_out):
    """Where each pixel of the result lies in the picture, `(2, height, width)`."""
    cos, sin = math.cos(angle), math.sin(angle)
    # the box around the rotated image: how much it sticks out decides the zoom
    box = abs(width * cos) + abs(height * sin), abs(width * sin) + abs(height * cos)
    scale = 1.0
    if zoom_in:
        scale = min(width / box[0], height / box[1])
    elif zoom_out:
        scale = max(box[0] / width, box[1] / height)
    column = numpy.arange(width) - (width - 1) / 2
    row = (numpy.arange(height) - (height - 1) / 2)[:, None]
    source_x, source_y = scale * (cos * column - sin * row), scale * (sin * column + cos * row)
    # grid points count from -1 at the first pixel to 1 at the last one
    return numpy.stack([source_x / max((width - 1) / 2, 0.5), source_y / max((height - 1) / 2, 0.5)])

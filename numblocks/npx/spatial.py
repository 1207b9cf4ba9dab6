"""Resampling of images: upsampling, resizing, grids and samplers, columns of windows."""

from __future__ import annotations

import numpy

from ..array import ndarray, wrap
from ..errors import MXNetError
from ..ops import advanced as ad
from ..ops import columns as cols
from ..ops import elementwise as ew
from ..ops import matmul as mm
from ..ops import move
from ..ops import reduce as red
from .layers import _tuple, deconvolution


def upsampling(*data, scale=2, sample_type="nearest", num_filter=0, multi_input_mode="concat", num_args=1) -> ndarray:
    """Images `scale` times as large.

    Args:
        data: `(batch, channels, height, width)`; several are brought to the size of the first times `scale` and joined
            along the channels ('concat') or added ('sum'). With 'bilinear' the second one is the weight of the
            transposed
            convolution, `(channels, 1, 2 scale - scale % 2, ...)`.
        sample_type: 'nearest' or 'bilinear'.
    """
    if sample_type == "bilinear":
        x, weight = data
        kernel, pad = weight.shape[2], (scale - 1 + 1) // 2
        return deconvolution(x, weight, stride=scale, pad=pad, kernel=(kernel,) * 2, num_group=x.shape[1])
    if sample_type != "nearest":
        raise ValueError(f"upsampling: sample_type {sample_type!r} is unknown. Use 'nearest' or 'bilinear'.")
    height = data[0].shape[2] * scale
    parts = [_repeated(x, height // x.shape[2]) for x in data]
    if len(parts) == 1:
        return parts[0]
    if multi_input_mode == "concat":
        return move.concat(*parts, axis=1)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _repeated(x, scale: int) -> ndarray:
    n, c, h, w = x.shape
    wide = red.broadcast_to(move.reshape(x, shape=(n, c, h, 1, w, 1)), shape=(n, c, h, scale, w, scale))
    return move.reshape(wide, shape=(n, c, h * scale, w * scale))


def _interpolation(n: int, m: int, align: bool, dtype) -> numpy.ndarray:
    """`(m, n)` weights that take n values to m, linearly between neighbours."""
    if align:
        places = numpy.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        places = ((numpy.arange(m) + 0.5) * (n / m) - 0.5).clip(0, None)
    low = numpy.minimum(places.astype(numpy.int64), n - 1)
    weights = numpy.zeros((m, n), dtype)
    numpy.add.at(weights, (numpy.arange(m), low), 1.0 - (places - low))
    numpy.add.at(weights, (numpy.arange(m), numpy.minimum(low + 1, n - 1)), places - low)
    return weights


def bilinear_resize(data, like=None, height=None, width=None, scale_height=None, scale_width=None, mode="size",
                    align_corners=True) -> ndarray:  # fmt: skip
    """`(batch, channels, height, width)` resized by bilinear interpolation.

    Args:
        like: an array whose height and width to take, with mode 'like'.
        height, width: the size wanted; or scale_height, scale_width: factors.
        align_corners: corner pixels stay where they are.
    """
    h, w = data.shape[2:]
    if like is not None:
        height, width = like.shape[2:]
    elif scale_height is not None:
        odd = mode.startswith("odd")
        height = int(h * scale_height) if not odd else int((h - 1) * scale_height) + 1
        width = int(w * scale_width) if not odd else int((w - 1) * scale_width) + 1
    rows = wrap(_interpolation(h, int(height), align_corners, data.dtype), data.ctx)
    columns = wrap(numpy.ascontiguousarray(_interpolation(w, int(width), align_corners, data.dtype).T), data.ctx)
    return mm.matmul(rows, mm.matmul(data, columns))


def adaptive_avg_pool(data, output_size=1) -> ndarray:
    """Means over a grid of `output_size` equal parts, overlapping where sizes do not divide: `(batch, channels,
    *size)`."""
    size = _tuple(output_size or 1, 2)

    def weights(n, m):
        found = numpy.zeros((m, n), data.dtype)
        for k in range(m):
            start, stop = k * n // m, -(-(k + 1) * n // m)
            found[k, start:stop] = 1.0 / (stop - start)
        return found

    rows = wrap(weights(data.shape[2], size[0]), data.ctx)
    columns = wrap(numpy.ascontiguousarray(weights(data.shape[3], size[1]).T), data.ctx)
    return mm.matmul(rows, mm.matmul(data, columns))


def grid_generator(data, transform_type="affine", target_shape=(0, 0)) -> ndarray:
    """A sampling grid `(batch, 2, height, width)` of x and y in -1 to 1.

    Args:
        data: 'affine': `(batch, 6)`, rows of the matrix; 'warp': `(batch, 2, height, width)`, a flow in pixels.
        target_shape: height and width of an affine grid.
    """
    height, width = target_shape if transform_type == "affine" else data.shape[2:]
    x = numpy.linspace(-1, 1, width) if width > 1 else numpy.zeros(1)
    y = numpy.linspace(-1, 1, height) if height > 1 else numpy.zeros(1)
    if transform_type == "affine":
        base = numpy.stack([numpy.tile(x, height), numpy.repeat(y, width), numpy.ones(height * width)]).astype(
            data.dtype
        )
        grid = mm.matmul(move.reshape(data, shape=(data.shape[0], 2, 3)), wrap(base, data.ctx))
        return move.reshape(grid, shape=(data.shape[0], 2, height, width))
    if transform_type != "warp":
        raise ValueError(f"grid_generator: transform_type {transform_type!r} is unknown. Use 'affine' or 'warp'.")
    base = numpy.stack([numpy.tile(x, (height, 1)), numpy.tile(y[:, None], (1, width))])[None].astype(data.dtype)
    scale = numpy.array([2 / max(width - 1, 1), 2 / max(height - 1, 1)], data.dtype).reshape(1, 2, 1, 1)
    return data * wrap(scale, data.ctx) + wrap(base, data.ctx)


def bilinear_sampler(data, grid, cudnn_off=None) -> ndarray:
    """`data` sampled where `grid` points (Jaderberg et al. 2015), 0 outside: `(batch, channels, *grid size)`.

    Args:
        data: `(batch, channels, height, width)`.
        grid: `(batch, 2, height, width)`: x and y, -1 to 1 from the first to the last pixel. Both get gradients.
    """
    if data.ndim != 4 or grid.ndim != 4 or grid.shape[:2] != (data.shape[0], 2):
        raise MXNetError(
            f"bilinear_sampler: data of shape {data.shape} and grid of shape {grid.shape}. They are (batch,"
            f" channels, height,"
            f" width) and (batch, 2, height, width). Make the grid with grid_generator."
        )
    n, _, height, width = data.shape
    x, y = (
        (move.slice_(grid, key=(("s", None, None, None), k)) + 1.0) * ((size - 1) / 2)
        for k, size in ((0, width), (1, height))
    )
    x0, y0 = ew.floor(x), ew.floor(y)
    batch = wrap(numpy.arange(n).reshape(n, 1, 1), data.ctx)
    last = move.transpose(data, axes=(0, 2, 3, 1))  # channels last: an index names a pixel
    total = None
    for dy in (0, 1):
        for dx in (0, 1):
            px, py = x0 + dx, y0 + dy
            weight = (1.0 - ew.abs_(x - px.detach())) * (1.0 - ew.abs_(y - py.detach()))
            inside = _between(px, width) * _between(py, height)
            ix, iy = (
                ew.astype(ew.minimum(ew.maximum(p, 0.0), size - 1.0), "int64")
                for p, size in ((px, width), (py, height))
            )
            pixel = ad.gather(last, batch, iy.detach(), ix.detach(), key=(("a", 0), ("a", 1), ("a", 2)))
            part = pixel * move.expand_dims(weight * inside, 3)
            total = part if total is None else total + part
    return move.transpose(total, axes=(0, 3, 1, 2))


def _between(p, size) -> ndarray:
    """1 where 0 <= p < size, else 0."""
    return ew.where(ew.logical_and(ew.greater_equal(p, 0.0), ew.less_equal(p, size - 1.0)), 1.0, 0.0)


def spatial_transformer(data, loc, target_shape=(0, 0), transform_type="affine", sampler_type="bilinear",
                        cudnn_off=None) -> ndarray:  # fmt: skip
    """`data` under the affine maps `loc: (batch, 6)`: `grid_generator` and `bilinear_sampler`."""
    size = tuple(t or n for t, n in zip(target_shape, data.shape[2:], strict=True))
    return bilinear_sampler(data, grid_generator(loc, transform_type, size))


def im2col(data, kernel, stride=1, dilate=1, pad=0) -> ndarray:
    """Sliding windows as columns: `(batch, channels, *spatial)` to `(batch, channels * taps, positions)`."""
    n = data.ndim - 2
    return cols.im2col(
        data, kernel=_tuple(kernel, n), stride=_tuple(stride, n), dilate=_tuple(dilate, n), pad=_tuple(pad, n)
    )


def col2im(data, output_size, kernel, stride=1, dilate=1, pad=0) -> ndarray:
    """The transpose of `im2col`: columns added up where their windows lie, `(batch, channels, *output_size)`."""
    n = len(output_size)
    return cols.col2im(data, size=tuple(output_size), kernel=_tuple(kernel, n), stride=_tuple(stride, n),
                       dilate=_tuple(dilate, n), pad=_tuple(pad, n))  # fmt: skip


def depth_to_space(data, block_size: int) -> ndarray:
    """Channels moved into `block_size x block_size` pixels: `(batch, channels / block^2, height * block, ...)`."""
    n, c, h, w = data.shape
    b = block_size
    y = move.transpose(move.reshape(data, shape=(n, b, b, c // (b * b), h, w)), axes=(0, 3, 4, 1, 5, 2))
    return move.reshape(y, shape=(n, c // (b * b), h * b, w * b))


def space_to_depth(data, block_size: int) -> ndarray:
    """The inverse of `depth_to_space`."""
    n, c, h, w = data.shape
    b = block_size
    y = move.transpose(move.reshape(data, shape=(n, c, h // b, b, w // b, b)), axes=(0, 3, 5, 1, 2, 4))
    return move.reshape(y, shape=(n, c * b * b, h // b, w // b))


__all__ = [
    "adaptive_avg_pool", "bilinear_resize", "bilinear_sampler", "col2im", "depth_to_space", "grid_generator", "im2col",
    "space_to_depth", "spatial_transformer", "upsampling",
]  # fmt: skip

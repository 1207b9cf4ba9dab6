"""Shapes and places under legacy rules: reshape codes, slices, order."""

from __future__ import annotations

import builtins

from .. import np, npx
from ..errors import MXNetError
from ..npx.arrange import split_size
from ..ops import elementwise as ew
from ..ops import move, sorting
from ..ops.kinds import normalize_axis
from .array import NDArray, to_legacy
from .wrapping import export


def coded_shape(shape, codes) -> tuple[int, ...]:
    """The shape that legacy codes name: 0 this size, -1 inferred, -2 all that are left, -3 two sizes multiplied, -4 one
    size split into the two that follow.

    >>> coded_shape((2, 3, 4), (0, -3)), coded_shape((2, 3, 4), (-4, 1, 2, -2)), coded_shape((2, 3), (0, -1))
    ((2, 12), (1, 2, 3, 4), (2, -1))
    """
    found, at, k, codes = [], 0, 0, tuple(int(c) for c in codes)
    while k < len(codes):
        code = codes[k]
        if code == -2:
            found += shape[at:]
            at = len(shape)
        elif code == -3:
            found.append(shape[at] * shape[at + 1])
            at += 2
        elif code == -4:
            found += split_size(shape[at], codes[k + 1], codes[k + 2])
            at, k = at + 1, k + 2
        elif code >= -1:
            found.append(shape[at] if code == 0 else code)
            at += 1
        else:
            raise MXNetError(
                f"reshape: code {code} is unknown. Codes are 0 and -1 to -4. Give sizes, or one of these."
            )
        k += 1
    return tuple(found)


def reshape(data, shape=None, reverse=False, **ignored) -> NDArray:
    """`data` in another shape; `shape` may hold codes (see `coded_shape`), read from the right if `reverse`."""
    codes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not reverse:
        return move.reshape(data, shape=coded_shape(data.shape, codes))
    return move.reshape(data, shape=coded_shape(data.shape[::-1], codes[::-1])[::-1])


def _reshape_method(self, *shape, reverse=False, **kwargs):
    shape = kwargs.get("shape", shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)
    return reshape(self, shape, reverse)


def slice_like(data, shape_like, axes=()) -> NDArray:
    """`data` cut to the sizes of `shape_like` along `axes` (all by default)."""
    axes = normalize_axis("slice_like", axes if axes else None, data.ndim)
    parts = tuple(
        builtins.slice(0, shape_like.shape[k]) if k in axes else builtins.slice(None) for k in range(data.ndim)
    )
    return move.slice_(data, key=move.freeze_key(parts))


def slice_axis(data, axis, begin, end) -> NDArray:
    """The part from `begin` to `end` along `axis`."""
    key = (builtins.slice(None),) * (axis % data.ndim) + (builtins.slice(begin, end),)
    return move.slice_(data, key=move.freeze_key(key))


def crop_like(*data, offset=(0, 0), h_w=(0, 0), center_crop=False, num_args=1) -> NDArray:
    """Height and width of `data[0]` cut to `h_w`, or to those of `data[1]`, from `offset` or from the middle."""
    x = data[0]
    height, width = data[1].shape[2:4] if len(data) > 1 else h_w
    top, left = ((x.shape[2] - height) // 2, (x.shape[3] - width) // 2) if center_crop else offset
    key = (
        builtins.slice(None),
        builtins.slice(None),
        builtins.slice(top, top + height),
        builtins.slice(left, left + width),
    )
    return move.slice_(x, key=move.freeze_key(key))


def split_v2(ary, indices_or_sections, axis=0, squeeze_axis=False):
    """Parts along `axis`: so many equal ones, or cut at these indices."""
    parts = np.split(ary, indices_or_sections, axis)
    parts = [p.squeeze(axis) for p in parts] if squeeze_axis else list(parts)
    return parts if len(parts) > 1 else parts[0]


def sort(data, axis=-1, is_ascend=True) -> NDArray:
    """Sorted along `axis` (None: flattened)."""
    x = move.reshape(data, shape=(-1,)) if axis is None else data
    return sorting.sort(x, axis=-1 % x.ndim if axis is None else axis % x.ndim, descending=not is_ascend)


def argsort(data, axis=-1, is_ascend=True, dtype="float32") -> NDArray:
    """Indices that sort along `axis`."""
    x = move.reshape(data, shape=(-1,)) if axis is None else data
    order = sorting.argsort(x.detach(), axis=-1 % x.ndim if axis is None else axis % x.ndim, descending=not is_ascend)
    return ew.astype(order, dtype)


def argmax_channel(data) -> NDArray:
    """The place of the maximum along axis 1."""
    return data.argmax(axis=1)


def pad(data, mode="constant", pad_width=(), constant_value=0.0) -> NDArray:
    """A frame round `data`; `pad_width` is a flat tuple, before and after for each axis."""
    widths = tuple(zip(pad_width[::2], pad_width[1::2], strict=True))
    if mode == "constant":
        return move.pad(data, widths=widths, value=float(constant_value))
    return np.pad(data, widths, mode=mode)


def reverse(data, axis=()) -> NDArray:
    """In reverse order along `axis`, an int or several."""
    return np.flip(data, axis if isinstance(axis, int) else tuple(axis))


def moveaxis(tensor, source, destination) -> NDArray:
    """Axes moved to other places."""
    return np.moveaxis(tensor, source, destination)


def diag(data, k=0, axis1=0, axis2=1) -> NDArray:
    """A diagonal, or a matrix with this diagonal."""
    return np.diag(data, k) if data.ndim <= 2 else np.diagonal(data, k, axis1, axis2)


def unravel_index(data, shape=None) -> NDArray:
    """Index columns `(axes, n)` of flat indices."""
    rest, rows = data, []
    for n in reversed(shape[1:]):
        rows.insert(0, ew.mod(rest, n))
        rest = ew.floor(rest / float(n))
    return np.stack([rest, *rows], axis=0)


def batch_take(a, indices) -> NDArray:
    """One element of each row of `a: (n, m)`."""
    return npx.pick(a, indices, axis=1)


def fill_element_0index(lhs, mhs, rhs) -> NDArray:
    """`lhs: (n, m)` with `mhs: (n,)` put at the columns `rhs: (n,)`."""
    hit = npx.one_hot(rhs, lhs.shape[1], dtype="bool")
    return ew.where(hit, move.expand_dims(mhs, 1), lhs)


def size_array(data) -> NDArray:
    """The number of elements, int64."""
    return to_legacy(np.array([data.size], dtype="int64", ctx=data.ctx))


def concatenate(arrays, axis=0, always_copy=True) -> NDArray:
    """Arrays one after the other along `axis`."""
    return np.concatenate(arrays, axis=axis)


def histogram(a, bins=10, range=None):  # noqa: A002 - MXNet's name
    """Counts in bins, and the edges."""
    return to_legacy(list(np.histogram(a, bins, range)))


def cumsum(a, axis=None, dtype=None) -> NDArray:
    """Running sums along `axis` (None: flattened)."""
    return np.cumsum(a, axis, dtype)


def onehot_encode(indices, out) -> NDArray:
    """One-hot rows written into `out`."""
    out[:] = npx.one_hot(indices, out.shape[1])
    return out


_ALL = {f.__name__: f for f in (
    reshape, slice_like, slice_axis, split_v2, sort, argsort, argmax_channel, pad, reverse, moveaxis, diag,
    unravel_index,
    batch_take, fill_element_0index, size_array, concatenate, cumsum, npx.reshape_like, npx.broadcast_like, npx.slice,
    npx.shape_array, npx.gather_nd, npx.scatter_nd, npx.ravel_multi_index, npx.cast, npx.depth_to_space,
    npx.space_to_depth,
    npx.one_hot, npx.pick, npx.topk,
)}  # fmt: skip
export(globals(), _ALL)
_space = globals()
Reshape, Cast, Pad, Crop, SwapAxis = _space["reshape"], _space["cast"], _space["pad"], crop_like, np.swapaxes
crop, choose_element_0index = _space["slice"], _space["batch_take"]
NDArray.reshape = _reshape_method


def _slice_assign(self, rhs, begin, end, step=()):
    """A copy of the array with `rhs` put into a slice."""
    y = self.copy()
    steps = step or (None,) * len(begin)
    y[tuple(builtins.slice(b, e, s) for b, e, s in zip(begin, end, steps, strict=True))] = rhs
    return y


for _name in ("slice_like slice_axis split_v2 sort argsort argmax_channel reshape_like broadcast_like slice shape_array"
              " size_array depth_to_space space_to_depth one_hot pick topk").split():  # fmt: skip
    setattr(NDArray, _name, _space[_name])
NDArray.slice_assign = NDArray.slice_assign_scalar = _slice_assign
__all__ = [n for n in (*_ALL, "Cast", "Crop", "Pad", "Reshape", "SwapAxis", "choose_element_0index", "crop",
    "histogram",
                       "onehot_encode")]  # fmt: skip

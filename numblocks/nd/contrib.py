"""`nd.contrib`: detection, resizing, attention products, control flow."""

from __future__ import annotations

import math

import numpy

from .. import np, npx
from ..array import wrap
from ..device import current_device as current_context  # noqa: F401
from ..graph.structure import flatten, rebuild
from ..ops import elementwise as ew
from ..ops import fourier, heads, move
from ..ops import matmul as mm
from ..ops import reduce as red
from . import deformable, hawkes, proposals, update_many
from . import layers as _layers
from .array import NDArray
from .wrapping import export, legacy


def div_sqrt_dim(data) -> NDArray:
    """`data` over the square root of its last size."""
    return data / math.sqrt(data.shape[-1])


def quadratic(data, a=0.0, b=0.0, c=0.0) -> NDArray:
    """a x^2 + b x + c"""
    return a * ew.square(data) + b * data + c


def gradientmultiplier(data, scalar=1.0) -> NDArray:
    """`data`; gradients through it are multiplied by `scalar`."""
    return heads.scaled_back(data, float(scalar))


def round_ste(data) -> NDArray:
    """Rounded, with the gradient of the identity."""
    return heads.straight_through(data, ew.rint(data))


def sign_ste(data) -> NDArray:
    """The sign, with the gradient of the identity."""
    return heads.straight_through(data, ew.sign(data))


def allclose(a, b, rtol=1e-5, atol=1e-8, equal_nan=True) -> NDArray:
    """1 if all elements are close, else 0."""
    near = ew.less_equal(ew.abs_(a - b), atol + rtol * ew.abs_(b))
    near = ew.logical_or(near, ew.logical_and(ew.isnan(a), ew.isnan(b))) if equal_nan else near
    return red.min_(ew.astype(near, "float32"), axis=tuple(range(near.ndim)), keepdims=True).reshape((1,))


def index_copy(old_tensor, index_vector, new_tensor) -> NDArray:
    """`old_tensor` with the rows `index_vector` replaced."""
    return npx.index_update(old_tensor, move.expand_dims(index_vector, 0), new_tensor)


def _heads(x, parts: int, heads_: int):
    """`(time, batch, heads * parts * width)` as `parts` arrays `(batch * heads, time, width)`."""
    t, n, c = x.shape
    y = move.transpose(move.reshape(x, shape=(t, n, heads_, parts, c // (heads_ * parts))), axes=(3, 1, 2, 0, 4))
    return [move.reshape(move.slice_(y, key=(k,)), shape=(n * heads_, t, y.shape[-1])) for k in range(parts)]


def interleaved_matmul_selfatt_qk(queries_keys_values, heads) -> NDArray:
    """Scores `(batch * heads, time, time)` of self-attention from `(time, batch, heads * 3 * width)`, scaled."""
    q, k, _ = _heads(queries_keys_values, 3, heads)
    return mm.matmul(q / math.sqrt(q.shape[-1]), mm.swap(k))


def _joined(y, heads_: int, n: int):
    """`(batch * heads, time, width)` as `(time, batch, heads * width)`."""
    t, width = y.shape[1:]
    y = move.transpose(move.reshape(y, shape=(n, heads_, t, width)), axes=(2, 0, 1, 3))
    return move.reshape(y, shape=(t, n, heads_ * width))


def interleaved_matmul_selfatt_valatt(queries_keys_values, attention, heads) -> NDArray:
    """Values weighted by attention: `(time, batch, heads * width)`."""
    v = _heads(queries_keys_values, 3, heads)[2]
    return _joined(mm.matmul(attention, v), heads, queries_keys_values.shape[1])


def interleaved_matmul_encdec_qk(queries, keys_values, heads) -> NDArray:
    """Scores of attention from `(time, batch, heads * width)` and `(other time, batch, heads * 2 * width)`, scaled."""
    (q,), (k, _) = _heads(queries, 1, heads), _heads(keys_values, 2, heads)
    return mm.matmul(q / math.sqrt(q.shape[-1]), mm.swap(k))


def interleaved_matmul_encdec_valatt(keys_values, attention, heads) -> NDArray:
    """Values weighted by attention: `(time, batch, heads * width)`."""
    v = _heads(keys_values, 2, heads)[1]
    return _joined(mm.matmul(attention, v), heads, keys_values.shape[1])


def bipartite_matching(data, is_ascend=False, threshold=None, topk=-1):
    """Rows and columns of `data: (..., n, m)` paired greedily, the best value first: for each row its column (or
    -1), for
    each column its row.
    """
    values, shape = data.asnumpy(), data.shape
    rows, columns = numpy.full(shape[:-1], -1.0, "f4"), numpy.full((*shape[:-2], shape[-1]), -1.0, "f4")
    for at in numpy.ndindex(*shape[:-2]):
        found = 0
        for flat in numpy.argsort(values[at].ravel() if is_ascend else -values[at].ravel(), kind="stable"):
            i, j = divmod(int(flat), shape[-1])
            value = values[at][i, j]
            if (value > threshold if is_ascend else value < threshold) or 0 < topk <= found:
                break
            if rows[at][i] < 0 and columns[at][j] < 0:
                rows[at][i], columns[at][j] = j, i
                found += 1
    return [wrap(rows, data.ctx, type(data)), wrap(columns, data.ctx, type(data))]


def fft(data, compute_size=128) -> NDArray:
    """The Fourier transform of the last axis: `(..., 2 n)`, real and imaginary parts in turn."""
    return fourier.fft(data)


def ifft(data, compute_size=128) -> NDArray:
    """The inverse of `fft`, without its factor 1 / n."""
    return fourier.unfft(data)


def count_sketch(data, h, s, out_dim, processing_batch_size=32) -> NDArray:
    """`(n, out_dim)`: column j of `data` times `s[j]` added to column `h[j]`."""
    places = npx.one_hot(h.reshape((-1,)), out_dim, dtype=data.dtype.name)
    return mm.matmul(data * s.reshape((1, -1)), places)


def BatchNormWithReLU(data, *args, **kwargs) -> NDArray:
    """`BatchNorm`, then relu."""
    return ew.relu(_layers.BatchNorm(data, *args, **kwargs))


def SparseEmbedding(data, weight, input_dim=None, output_dim=None, **ignored) -> NDArray:
    """`Embedding`: gradients here are dense."""
    return npx.embedding(data, weight, input_dim, output_dim)


def rand_zipfian(true_classes, num_sampled, range_max, ctx=None):
    """Classes drawn log-uniformly, and the expected counts of true and drawn classes (for sampled softmax)."""
    span = math.log(range_max + 1)
    u = np.random.uniform(0, 1, (num_sampled,), dtype="float64")
    drawn = ew.mod(ew.astype(ew.astype(ew.exp(u * span) - 1.0, "int64"), "float64"), float(range_max))

    def expected(x):
        x = ew.astype(x, "float64")
        return ew.log((x + 2.0) / (x + 1.0)) / span * float(num_sampled)

    return ew.astype(drawn, "int64"), expected(true_classes), expected(drawn)


def foreach(body, data, init_states):
    """`npx.foreach`; an element of an array with one axis has shape `(1,)`."""
    rows, structure = flatten(data)
    return npx.foreach(body, rebuild(structure, [x.reshape((-1, 1)) if x.ndim == 1 else x for x in rows]), init_states)


_OWN = (
    div_sqrt_dim, quadratic, gradientmultiplier, round_ste, sign_ste, allclose, index_copy,
    interleaved_matmul_selfatt_qk,
    interleaved_matmul_selfatt_valatt, interleaved_matmul_encdec_qk, interleaved_matmul_encdec_valatt,
    bipartite_matching, fft,
    ifft, count_sketch, BatchNormWithReLU, SparseEmbedding,
)  # fmt: skip
_FROM_NPX = {
    "MultiBoxPrior": npx.multibox_prior, "MultiBoxTarget": npx.multibox_target,
    "MultiBoxDetection": npx.multibox_detection,
    "box_iou": npx.box_iou, "box_nms": npx.box_nms, "box_non_maximum_suppression": npx.box_nms,
    "box_encode": npx.box_encode,
    "box_decode": npx.box_decode, "ROIAlign": npx.roi_align, "BilinearResize2D": npx.bilinear_resize,
    "AdaptiveAvgPooling2D": npx.adaptive_avg_pool, "boolean_mask": npx.boolean_mask, "arange_like": npx.arange_like,
    "index_array": npx.index_array, "SyncBatchNorm": _layers.BatchNorm,
}  # fmt: skip
export(globals(), {f.__name__: f for f in _OWN} | _FROM_NPX)
export(globals(), {"isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite}, float_answer=True)
export(globals(), {n: getattr(room, n) for room in (deformable, proposals, hawkes) for n in room.__all__})
globals().update(update_many.CONTRIB)
CTCLoss = ctc_loss = _layers.CTCLoss
while_loop, cond = npx.while_loop, npx.cond
uniform = legacy(np.random.uniform, name="uniform")

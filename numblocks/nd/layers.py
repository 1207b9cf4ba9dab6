"""Layers of `mx.nd` under their legacy names, the outputs with a loss built in among them."""

from __future__ import annotations

from .. import np, npx
from ..operator import custom
from ..ops import elementwise as ew
from ..ops import heads, move
from ..ops import reduce as red
from .array import NDArray
from .wrapping import export


def FullyConnected(data, weight, bias=None, num_hidden=None, no_bias=False, flatten=True, **ignored) -> NDArray:
    """`npx.fully_connected`."""
    return npx.fully_connected(data, weight, bias, num_hidden, no_bias, flatten)


def Activation(data, act_type="relu", **ignored) -> NDArray:
    """`npx.activation`."""
    return npx.activation(data, act_type)


def BatchNorm(data, gamma, beta, moving_mean, moving_var, eps=1e-3, momentum=0.9, fix_gamma=True,
              use_global_stats=False, output_mean_var=False, axis=1, **ignored) -> NDArray:  # fmt: skip
    """`npx.batch_norm`; what is left out means what it means in MXNet: `gamma` counts as 1."""
    return npx.batch_norm(
        data, gamma, beta, moving_mean, moving_var, eps, momentum, fix_gamma, use_global_stats, output_mean_var, axis
    )


def SoftmaxActivation(data, mode="instance") -> NDArray:
    """Softmax over all but the batch ('instance') or over the channels ('channel')."""
    if mode == "channel":
        return npx.softmax(data, axis=1)
    return move.reshape(npx.softmax(npx.batch_flatten(data), axis=-1), shape=data.shape)


def RNN(data, parameters, state, state_cell=None, sequence_length=None, **kwargs):
    """`npx.rnn`."""
    return npx.rnn(data, parameters, state, state_cell, sequence_length, **kwargs)


def GroupNorm(data, gamma, beta, num_groups=1, eps=1e-5, output_mean_var=False) -> NDArray:
    """`npx.group_norm`."""
    return npx.group_norm(data, gamma, beta, num_groups, eps)


def LRN(data, alpha=1e-4, beta=0.75, knorm=2.0, nsize=5) -> NDArray:
    """`npx.lrn`."""
    return npx.lrn(data, alpha, beta, knorm, nsize)


def CTCLoss(data, label, data_lengths=None, label_lengths=None, use_data_lengths=False, use_label_lengths=False,
            blank_label="first") -> NDArray:  # fmt: skip
    """`npx.ctc_loss`."""
    return npx.ctc_loss(data, label, data_lengths, label_lengths, use_data_lengths, use_label_lengths, blank_label)


def Correlation(
    data1, data2, kernel_size=1, max_displacement=1, stride1=1, stride2=1, pad_size=0, is_multiply=True
) -> NDArray:
    """Patches of two images compared at displacements (Dosovitskiy et al., FlowNet, 2015).

    Args:
        data1, data2: `(batch, channels, height, width)`.
        kernel_size: odd size of a patch.
        max_displacement: farthest displacement; stride2: step between displacements; stride1: step between patches.
        is_multiply: mean of products, else of absolute differences.

    Returns:
        `(batch, displacements, out height, out width)`.
    """
    widths = ((0, 0), (0, 0), (pad_size, pad_size), (pad_size, pad_size))
    a, b = (move.pad(x, widths=widths, value=0.0) for x in (data1, data2))
    half, reach = kernel_size // 2, max_displacement // stride2
    border = max_displacement + half
    sizes = [-(-(n - 2 * border) // stride1) for n in a.shape[2:]]
    offsets = [(dy * stride2, dx * stride2) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]

    def window(x, y0, x0):
        parts = [slice(o, o + (n - 1) * stride1 + 1, stride1) for o, n in zip((y0, x0), sizes, strict=True)]
        return move.slice_(x, key=move.freeze_key((slice(None), slice(None), *parts)))

    found = []
    for dy, dx in offsets:
        total = None
        for ky in range(-half, half + 1):
            for kx in range(-half, half + 1):
                p, q = window(a, border + ky, border + kx), window(b, border + ky + dy, border + kx + dx)
                part = p * q if is_multiply else ew.abs_(p - q)
                total = part if total is None else total + part
        found.append(red.sum_(total, axis=(1,), keepdims=True) / float(kernel_size**2 * a.shape[1]))
    return move.concat(*found, axis=1)


# ---- outputs with a loss built in: backward() starts from them, whatever gradient arrives -----------------------


def _share(grad_scale, normalization, label, ignored=None) -> float | NDArray:
    if normalization == "batch":
        return grad_scale / label.shape[0]
    if normalization == "valid":
        valid = float(label.size) if ignored is None else ew.maximum(
            red.sum_(ew.where(ignored, 0.0, 1.0), axis=tuple(range(ignored.ndim)), keepdims=True), 1.0)  # fmt: skip
        return grad_scale / valid
    return grad_scale


def SoftmaxOutput(data, label, grad_scale=1.0, ignore_label=-1.0, multi_output=False, use_ignore=False,
    preserve_shape=False,
                  normalization="null", out_grad=False, smooth_alpha=0.0) -> NDArray:  # fmt: skip
    """Softmax whose gradient is that of the cross entropy with `label`: softmax minus one-hot.

    Args:
        data: `(batch, classes)`, `(batch, classes, ...)` with `multi_output`; label: class numbers.
        ignore_label: with `use_ignore`, places of this label get no gradient.
        normalization: 'null', 'batch' or 'valid': what the gradient is divided by.
        smooth_alpha: share of the target spread over the other classes.
    """
    axis = 1 if multi_output else data.ndim - 1
    x = data if multi_output or preserve_shape or data.ndim == 2 else npx.batch_flatten(data)
    axis = min(axis, x.ndim - 1)
    y = npx.softmax(x.detach(), axis=axis)
    classes = x.shape[axis]
    target = npx.one_hot(label, classes, dtype=x.dtype.name)
    if axis != x.ndim - 1:
        target = np.moveaxis(target, -1, axis)
    target = move.reshape(target, shape=x.shape)
    if smooth_alpha:
        target = ew.where(ew.greater(target, 0), 1.0 - smooth_alpha, smooth_alpha / (classes - 1))
    gradient = y - target
    ignored = None
    if use_ignore:
        ignored = move.expand_dims(
            ew.equal(move.reshape(label, shape=x.shape[:axis] + x.shape[axis + 1 :]), ignore_label), axis
        )
        gradient = ew.where(ignored, 0.0, gradient)
    gradient = gradient * _share(grad_scale, normalization, label, ignored)
    y = heads.with_gradient(x - x.detach() + y, gradient.detach(), alone=not out_grad)
    return move.reshape(y, shape=data.shape)


def _regression(name, forward, slope, text):
    def call(data, label, grad_scale=1.0):
        y = forward(data.detach())
        target = move.reshape(label, shape=data.shape)
        per = max(label.size // max(label.shape[0], 1), 1)
        gradient = slope(y - target) * (grad_scale / per)
        return heads.with_gradient(data - data.detach() + y, gradient.detach(), alone=True)

    call.__name__, call.__doc__ = name, text
    return call


LinearRegressionOutput = _regression(
    "LinearRegressionOutput",
    lambda x: x,
    lambda d: d,
    "`data`; its gradient is that of the squared error with `label`.",
)
LogisticRegressionOutput = _regression(
    "LogisticRegressionOutput", ew.sigmoid, lambda d: d, "sigmoid(data); its gradient is that of the cross entropy."
)
MAERegressionOutput = _regression(
    "MAERegressionOutput", lambda x: x, ew.sign, "`data`; its gradient is that of the absolute error with `label`."
)


def SVMOutput(data, label, margin=1.0, regularization_coefficient=1.0, use_linear=False) -> NDArray:
    """`data: (batch, classes)`; its gradient is that of the one-against-all hinge loss, squared unless `use_linear`."""
    sign = npx.one_hot(label, data.shape[1], on_value=1.0, off_value=-1.0, dtype=data.dtype.name)
    short = margin - sign * data.detach()
    slope = ew.where(ew.greater(short, 0), 1.0, 0.0) if use_linear else 2.0 * ew.maximum(short, 0.0)
    return heads.with_gradient(data, -sign * slope * regularization_coefficient, alone=True)


def MakeLoss(data, grad_scale=1.0, valid_thresh=0.0, normalization="null") -> NDArray:
    """`data` as a loss: its gradient is `grad_scale`, whatever arrives."""
    scale = grad_scale / data.shape[0] if normalization == "batch" else grad_scale
    if normalization == "valid":
        count = red.sum_(
            ew.where(ew.greater(data.detach(), valid_thresh), 1.0, 0.0), axis=tuple(range(data.ndim)), keepdims=True
        )
        return heads.with_gradient(data, ew.multiply(data.detach(), 0.0) + scale / ew.maximum(count, 1.0), alone=True)
    return heads.with_gradient(data, ew.multiply(data.detach(), 0.0) + scale, alone=True)


def BlockGrad(data) -> NDArray:
    """`data` without a gradient."""
    return data.detach()


def softmax_cross_entropy(data, label) -> NDArray:
    """The sum of the cross entropies of `data: (batch, classes)` with class numbers."""
    return red.sum_(-npx.pick(npx.log_softmax(data), label, axis=1), axis=(0,), keepdims=True)


def moments(data, axes=None, keepdims=False) -> list[NDArray]:
    """Mean and variance over `axes`."""
    axes = red.normalize_axis("moments", axes, data.ndim)
    return [red.mean(data, axis=axes, keepdims=keepdims), red.var(data, axis=axes, keepdims=keepdims)]


def khatri_rao(*args) -> NDArray:
    """The column-wise Kronecker product of matrices with equally many columns."""
    y = args[0]
    for x in args[1:]:
        pair = move.expand_dims(y, 1) * move.expand_dims(x, 0)
        y = move.reshape(pair, shape=(-1, x.shape[1]))
    return y


_OWN = (
    FullyConnected, Activation, BatchNorm, SoftmaxActivation, RNN, GroupNorm, LRN, CTCLoss, Correlation, SoftmaxOutput,
    LinearRegressionOutput, LogisticRegressionOutput, MAERegressionOutput, SVMOutput, MakeLoss, BlockGrad,
    softmax_cross_entropy, moments, khatri_rao,
)  # fmt: skip
_FROM_NPX = {
    "Convolution": npx.convolution, "Deconvolution": npx.deconvolution, "Pooling": npx.pooling,
    "LayerNorm": npx.layer_norm, "InstanceNorm": npx.instance_norm, "L2Normalization": npx.l2_normalization,
    "Dropout": npx.dropout, "Embedding": npx.embedding, "LeakyReLU": npx.leaky_relu, "SequenceMask": npx.sequence_mask,
    "SequenceLast": npx.sequence_last, "SequenceReverse": npx.sequence_reverse, "UpSampling": npx.upsampling,
    "Custom": custom, "ROIPooling": npx.roi_pooling, "GridGenerator": npx.grid_generator,
    "BilinearSampler": npx.bilinear_sampler,
    "SpatialTransformer": npx.spatial_transformer, "im2col": npx.im2col, "col2im": npx.col2im, "softmin": npx.softmin,
}  # fmt: skip
export(globals(), {f.__name__: f for f in _OWN} | _FROM_NPX)
_space = globals()
ctc_loss, make_loss, stop_gradient = _space["CTCLoss"], _space["MakeLoss"], _space["BlockGrad"]
Convolution_v1, Pooling_v1, BatchNorm_v1, Softmax = (
    _space[n] for n in ("Convolution", "Pooling", "BatchNorm", "SoftmaxOutput")
)
__all__ = [*(f.__name__ for f in _OWN), *_FROM_NPX, "BatchNorm_v1", "Convolution_v1", "Pooling_v1", "Softmax",
    "ctc_loss",
           "make_loss", "stop_gradient"]  # fmt: skip

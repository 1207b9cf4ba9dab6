"""What every registered op should compute, independently of numblocks: NumPy and SciPy, one line where one is enough.

Each row takes NumPy arrays (floats in float64) and the op's keywords. `tests/test_registry.py` fails for an op
without a row, so a new op is tested by existing.
"""

import itertools

import numpy as np
from reference_arrays import ROWS
from reference_layers import ROWS as LAYERS
from scipy import special

REFERENCE = {
    # arithmetic
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "mod": np.mod,
    "floor_divide": np.floor_divide,
    "negative": np.negative,
    "reciprocal": lambda x: 1 / np.asarray(x, "f8"),
    "abs": np.abs,
    "sign": np.sign,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: np.power(np.asarray(x, "f8"), -0.5),
    "cbrt": lambda x: np.sign(x) * np.abs(np.asarray(x, "f8")) ** (1 / 3),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "hypot": np.hypot,
    "clip": lambda x, lo, hi: np.clip(x, lo, hi),
    # exponentials, logarithms, trigonometry
    "exp": np.exp,
    "expm1": np.expm1,
    "exp2": np.exp2,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "arctan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "radians": np.radians,
    "degrees": np.degrees,
    # rounding
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    # comparisons and logic
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "where": lambda c, a, b: np.where(np.asarray(c) != 0, a, b),
    # activations
    "relu": lambda x: x * (x > 0),
    "sigmoid": special.expit,
    "softplus": lambda x: -special.log_expit(-np.asarray(x, "f8")),
    "log_sigmoid": lambda x: special.log_expit(np.asarray(x, "f8")),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "erf": special.erf,
    "gelu": lambda x: x * special.ndtr(np.asarray(x, "f8")),
    "silu": lambda x: x * special.expit(x),
    "dropped": lambda x, u, keep, scale: np.where(u < keep, x * scale, 0),
    "leaky_relu": lambda x, slope: np.maximum(x, 0) + slope * np.minimum(x, 0),
    "elu": lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "cast": lambda x, dtype: x.astype(dtype),
    # movement
    "reshape": lambda x, shape: np.reshape(x, shape),
    "transpose": lambda x, axes: np.transpose(x, axes),
    "broadcast_to": lambda x, shape: x + np.zeros(shape, x.dtype),
    "slice": lambda x, key: x[basic(key)],
    "unslice": lambda g, key, shape: scattered(g, basic(key), shape),
    "concat": lambda *xs, axis: np.concatenate(xs, axis),
    "pad": lambda x, widths, value: np.pad(x, widths, constant_values=value) if x.ndim else x,
    # reductions and scans
    "sum": lambda x, axis, keepdims: np.sum(x, axis, keepdims=keepdims),
    "var": lambda x, axis, keepdims, ddof: np.var(np.asarray(x, "f8"), axis, keepdims=keepdims, ddof=ddof),
    "mean": lambda x, axis, keepdims: np.mean(np.asarray(x, "f8"), axis, keepdims=keepdims),
    "prod": lambda x, axis, keepdims: np.prod(x, axis, keepdims=keepdims),
    "max": lambda x, axis, keepdims: np.max(x, axis, keepdims=keepdims),
    "min": lambda x, axis, keepdims: np.min(x, axis, keepdims=keepdims),
    "argmax": lambda x, axis, keepdims: np.argmax(x, axis, keepdims=keepdims),
    "argmin": lambda x, axis, keepdims: np.argmin(x, axis, keepdims=keepdims),
    "softmax": lambda x, axis: special.softmax(np.asarray(x, "f8"), axis),
    "layer_norm": lambda x, gamma, beta, axis, eps: layer_norm(x, gamma, beta, axis, eps),
    "log_softmax": lambda x, axis: special.log_softmax(np.asarray(x, "f8"), axis),
    "cumsum": lambda x, axis: np.cumsum(x, axis),
    # products
    "unbiased": lambda x, w: np.einsum("nk,mk->nm", x, w),
    "linear": lambda x, w, b: np.einsum("nk,mk->nm", x, w) + b,
    "matmul": lambda a, b: np.einsum("...ik,...kj->...ij", a, b),
    # by index
    "gather": lambda x, *indices, key: x[advanced(key, indices)],
    "index_add": lambda g, *indices, key, shape: scattered(g, advanced(key, indices), shape),
    "take": lambda x, index, axis, mode: np.take(x, index, axis, mode=mode),
    "scatter_add": lambda g, index, axis, size, mode: added_at(g, index, axis, size),
    "pick": lambda x, index, axis, mode, keepdims: picked(x, index, axis, keepdims),
    "pick_grad": lambda g, index, axis, shape, mode: unpicked(g, index, axis, shape),
    # windows
    "conv": lambda x, w, **spec: conv(x, w, spec),
    "conv_bias": lambda x, w, b, **spec: conv(x, w, spec) + b.reshape(-1, *(1,) * (w.ndim - 2)),
    "conv_grad_data": lambda g, w, size, **spec: conv_grad_data(g, w, size, spec),
    "conv_grad_weight": lambda g, x, kernel, **spec: conv_grad_weight(g, x, kernel, spec),
    "max_pool": lambda x, **spec: pooled(x, None, spec, lambda part, at, counts: part.max(-1)),
    "max_pool_grad": lambda g, x, **spec: unpooled(g, x, spec),
    "max_pool_gather": lambda h, x, **spec: pooled(
        x, h, spec, lambda part, at, counts: np.take_along_axis(at, part.argmax(-1)[..., None], -1)[..., 0]
    ),
    "window_sum": lambda x, divide, **spec: pooled(
        x, None, spec, lambda part, at, counts: part.sum(-1) / counts[divide]
    ),
    "window_sum_grad": lambda g, size, divide, **spec: unsummed(g, size, divide, spec),
    # random numbers: element i of stream s under seed k hashes (k, s, i)
    "uniform01": lambda key, shape, dtype: np.array(
        [(h >> 40) * 2.0**-24 if dtype != "float64" else (h >> 11) * 2.0**-53 for h in hashes(key, shape)]
    ).reshape(shape),
    "normal01": lambda key, shape, dtype: np.array([box_muller(h) for h in hashes(key, shape)]).reshape(shape),
    **ROWS,
    **LAYERS,
}


def basic(key):
    """The NumPy index of a frozen key."""
    return tuple(slice(*k[1:]) if isinstance(k, tuple) else k for k in key)


def advanced(key, indices):
    """The same with index arrays in their places."""
    return tuple(indices[k[1]].astype(int) if isinstance(k, tuple) and k[0] == "a" else basic((k,))[0] for k in key)


def scattered(g, key, shape):
    """Zeros with `g` added at `key`."""
    y = np.zeros(shape, g.dtype)
    np.add.at(y, key, g)
    return y


def added_at(g, index, axis, size):
    """The transpose of `take`, one element at a time."""
    y = np.zeros((*g.shape[:axis], size, *g.shape[axis + index.ndim :]), g.dtype)
    for at in np.ndindex(index.shape):
        y[(slice(None),) * axis + (int(index[at]),)] += g[(slice(None),) * axis + at]
    return y


def layer_norm(x, gamma, beta, axis, eps):
    """Each line along `axis` by itself."""
    x = np.asarray(x, "f8")
    z = np.apply_along_axis(lambda v: (v - v.mean()) / np.sqrt(v.var() + eps), axis, x)
    return np.moveaxis(np.moveaxis(z, axis, -1) * gamma + beta, -1, axis)


def picked(x, index, axis, keepdims):
    """One element of each line along `axis`."""
    y = np.take_along_axis(x, np.reshape(index, (*x.shape[:axis], 1, *x.shape[axis + 1 :])).astype(int), axis)
    return y if keepdims else y.squeeze(axis)


def unpicked(g, index, axis, shape):
    """The transpose of `picked`."""
    y, kept = np.zeros(shape, g.dtype), (*shape[:axis], 1, *shape[axis + 1 :])
    np.put_along_axis(y, np.reshape(index, kept).astype(int), g.reshape(kept), axis)
    return y


def taps(size, kernel, out, stride, pad, dilate):
    """`(output, tap, input)` positions that meet."""
    for o in np.ndindex(*out):
        for k in np.ndindex(*kernel):
            i = tuple(s * a - p + d * b for a, b, s, p, d in zip(o, k, stride, pad, dilate, strict=True))
            if all(0 <= a < n for a, n in zip(i, size, strict=True)):
                yield o, k, i


def spatial(size, kernel, stride, pad, dilate):
    """Sizes of a convolution's answer."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, stride, pad, dilate, strict=True)
    )


def trilinear(x, w, g, groups, geometry, size, kernel, out, want):
    """The convolution's trilinear form, summed into the operand that is missing."""
    o_per, c_per = w.shape[0] // groups, w.shape[1]
    for (o, k, i), group in itertools.product(taps(size, kernel, out, *geometry), range(groups)):
        os, cs = slice(group * o_per, (group + 1) * o_per), slice(group * c_per, (group + 1) * c_per)
        xi, wk, go = (slice(None), cs, *i), (os, slice(None), *k), (slice(None), os, *o)
        if want == "g":
            g[go] += x[xi] @ w[wk].T
        elif want == "x":
            x[xi] += g[go] @ w[wk]
        else:
            w[wk] += g[go].T @ x[xi]
    return {"g": g, "x": x, "w": w}[want]


def conv(x, w, spec):
    """Convolution, tap by tap."""
    geometry = spec["stride"], spec["pad"], spec["dilate"]
    out = spatial(x.shape[2:], w.shape[2:], *geometry)
    return trilinear(
        x, w, np.zeros((x.shape[0], w.shape[0], *out)), spec["groups"], geometry, x.shape[2:], w.shape[2:], out, "g"
    )


def conv_grad_data(g, w, size, spec):
    """Its transpose in the data."""
    geometry = spec["stride"], spec["pad"], spec["dilate"]
    x = np.zeros((g.shape[0], w.shape[1] * spec["groups"], *size))
    return trilinear(x, w, g, spec["groups"], geometry, size, w.shape[2:], g.shape[2:], "x")


def conv_grad_weight(g, x, kernel, spec):
    """Its transpose in the weight."""
    geometry = spec["stride"], spec["pad"], spec["dilate"]
    w = np.zeros((g.shape[1], x.shape[1] // spec["groups"], *kernel))
    return trilinear(x, w, g, spec["groups"], geometry, x.shape[2:], kernel, g.shape[2:], "w")


def windows(size, kernel, stride, pad, ceil):
    """For each window: its place, the flat input positions inside, and the counts it may be divided by."""
    out = []
    for n, k, s, p in zip(size, kernel, stride, pad, strict=True):
        count = -(-(n + 2 * p - k) // s) + 1 if ceil else (n + 2 * p - k) // s + 1
        out.append(count - 1 if ceil and (count - 1) * s >= n + p else count)
    for o in np.ndindex(*out):
        ranges, padded = [], 1
        for a, n, k, s, p in zip(o, size, kernel, stride, pad, strict=True):
            low, high = a * s - p, min(a * s - p + k, n + p)
            padded *= high - low
            ranges.append(range(max(low, 0), min(high, n)))
        flat = [int(np.ravel_multi_index(i, size)) for i in itertools.product(*ranges)]
        yield o, flat, {"none": 1, "padded": padded, "inside": max(len(flat), 1)}, tuple(out)


def pooled(x, h, spec, fold):
    """`fold` of each window."""
    flat, at = (v.reshape(*v.shape[:2], -1) for v in (x, x if h is None else h))
    y = None
    for o, places, counts, out in windows(x.shape[2:], **spec):
        y = np.zeros((*x.shape[:2], *out)) if y is None else y
        y[(..., *o)] = fold(flat[..., places], at[..., places], counts)
    return y


def unpooled(g, x, spec):
    """`g` at the first maximum of each window."""
    flat, y = x.reshape(*x.shape[:2], -1), np.zeros((*x.shape[:2], int(np.prod(x.shape[2:]))))
    for o, places, _, _ in windows(x.shape[2:], **spec):
        best = np.array(places)[flat[..., places].argmax(-1)]
        for n, c in np.ndindex(*x.shape[:2]):
            y[n, c, best[n, c]] += g[(n, c, *o)]
    return y.reshape(x.shape)


def unsummed(g, size, divide, spec):
    """The transpose of the windows' sums."""
    y = np.zeros((*g.shape[:2], int(np.prod(size))))
    for o, places, counts, _ in windows(size, **spec):
        y[..., places] += g[(..., *o)][..., None] / counts[divide]
    return y.reshape(*g.shape[:2], *size)


def hashes(key, shape):
    """SplitMix64 from `key`, on Python integers."""
    mask = 2**64 - 1
    for i in range(1, int(np.prod(shape)) + 1):
        z = (key + i * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield z ^ (z >> 31)


def box_muller(h):
    """A normal number from the two halves of a hash."""
    radius, angle = ((h >> 32) + 0.5) * 2.0**-32, (h & 0xFFFFFFFF) * 2.0**-32 * 2 * np.pi
    return np.sqrt(-2 * np.log(radius)) * np.cos(angle)

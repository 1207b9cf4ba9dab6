"""Strategies for layers: geometries that are valid, and random trees of Blocks with inputs that fit.

A net is drawn as a recipe, nested tuples of `(class name, keywords)`; `build` makes the Block. Recipes print as they
are, shrink to fewer and smaller layers, and build the same net again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy
from hypothesis import strategies as st

from .. import gluon, random
from ..array import ndarray, wrap
from ..device import cpu
from ..gluon import nn
from ..ops import conv as cv
from ..ops import pool as pl

ACTIVATIONS = ("relu", "sigmoid", "tanh", "softrelu", "softsign", "gelu", "silu")
KINDS = ("dense", "dense", "dense", "conv", "conv", "embedding", "recurrent")
RECURRENT = ("RNN", "GRU", "LSTM")


class Residual(gluon.HybridBlock):
    """x + body(x)."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        """Any shape that the body keeps."""
        return x + self.body(x)


def build(recipe):
    """The Block of a recipe.

    >>> build(("Sequential", [("Dense", {"units": 2}), ("Dropout", {"rate": 0.5})]))[0]
    Dense(-1 -> 2, linear)
    """
    name, given = recipe
    if name in ("Sequential", "Concurrent"):
        net = nn.HybridSequential() if name == "Sequential" else nn.HybridConcurrent(axis=1)
        for part in given:
            net.add(build(part))
        return net
    if name == "Residual":
        return Residual(build(given))
    return getattr(gluon.rnn if name in RECURRENT else nn, name)(**given)


class Tree(NamedTuple):
    """A net to be built and inputs for it.

    Attributes:
        recipe: see `build`.
        shape: of the input.
        seed: of parameters and input.
        dtype: of both.
    """

    recipe: tuple
    shape: tuple
    seed: int = 0
    dtype: str = "float32"

    def net(self):
        """The net, initialized."""
        random.seed(self.seed)
        net = build(self.recipe)
        net.initialize(init="xavier")
        net.cast(self.dtype)
        net.recipe = self.recipe
        self.shake(net)
        return net

    def shake(self, net) -> None:
        """No parameter at a special value such as 0 or 1, so that every gradient matters."""
        rng = numpy.random.default_rng(self.seed + 1)
        net(self.input())
        for p in net.collect_params().values():
            noise = rng.uniform(0.05, 0.3, p.shape)
            p.data()._data[...] += (noise if p.grad_req == "null" else noise * rng.choice([-1, 1], p.shape)).astype(
                self.dtype
            )

    def input(self) -> ndarray:
        """An input of its shape."""
        x = numpy.random.default_rng(self.seed).uniform(-2, 2, self.shape)
        if self.recipe[0] == "Sequential" and self.recipe[1] and self.recipe[1][0][0] == "Embedding":
            x = numpy.random.default_rng(self.seed).integers(0, self.recipe[1][0][1]["input_dim"], self.shape)
            return wrap(x.astype("int64"), cpu(0))
        return wrap(numpy.asarray(x, self.dtype), cpu(0))


@st.composite
def conv_geometries(draw, size, channels):
    """Keywords of a `Conv1D..3D` layer that fits data with these spatial sizes and channels."""
    n = len(size)
    kernel = tuple(draw(st.integers(1, 3)) for _ in size)
    dilation = tuple(draw(st.integers(1, 2)) for _ in size)
    padding = tuple(draw(st.integers(0, 2)) for _ in size)
    kernel = tuple(
        k if d * (k - 1) + 1 <= s + 2 * p else 1 for k, d, s, p in zip(kernel, dilation, size, padding, strict=True)
    )
    groups = draw(st.sampled_from([g for g in (1, channels, 2) if channels % g == 0]))
    out = groups * draw(st.integers(1, 2))
    return {
        "channels": out, "kernel_size": kernel, "strides": tuple(draw(st.integers(1, 2)) for _ in range(n)),
        "padding": padding, "dilation": dilation, "groups": groups, "use_bias": draw(st.booleans()),
    }  # fmt: skip


@st.composite
def pool_geometries(draw, size):
    """Keywords of a `MaxPool1D..3D` or `AvgPool1D..3D` layer that fits data with these spatial sizes."""
    window = tuple(draw(st.integers(1, min(3, s))) for s in size)
    return {
        "pool_size": window, "strides": tuple(draw(st.integers(1, 2)) for _ in size),
        "padding": tuple(draw(st.integers(0, w - 1)) for w in window), "ceil_mode": draw(st.booleans()),
    }  # fmt: skip


@st.composite
def recurrent_geometries(draw):
    """Keywords of a recurrent layer and the shape of its input: `(keywords, shape)`."""
    layout = draw(st.sampled_from(["TNC", "NTC"]))
    steps, batch, width = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    given = {
        "hidden_size": draw(st.integers(1, 4)), "num_layers": draw(st.integers(1, 2)),
        "bidirectional": draw(st.booleans()),
        "layout": layout, "input_size": draw(st.sampled_from([0, width])),
    }  # fmt: skip
    return given, (steps, batch, width) if layout == "TNC" else (batch, steps, width)


def conv_shape(shape, given):
    """The shape behind a convolution."""
    size = cv.out_size(shape[2:], given["kernel_size"], given["strides"], given["padding"], given["dilation"])
    return (shape[0], given["channels"], *size)


def pool_shape(shape, given):
    """The shape behind a pooling."""
    return (
        *shape[:2],
        *pl.out_size(shape[2:], given["pool_size"], given["strides"], given["padding"], given["ceil_mode"]),
    )


@st.composite
def same_shape(draw, shape):
    """A layer that keeps the shape."""
    name = draw(
        st.sampled_from(
            [
                "Activation",
                "Dense",
                "LeakyReLU",
                "PReLU",
                "ELU",
                "SELU",
                "GELU",
                "Swish",
                "BatchNorm",
                "LayerNorm",
                "Dropout",
            ]
        )
    )
    if name == "Activation":
        return name, {"activation": draw(st.sampled_from(ACTIVATIONS))}
    if name == "Dense":
        flatten = {} if len(shape) == 2 else {"flatten": False}
        return name, {"units": shape[-1], "use_bias": draw(st.booleans()), **flatten}
    if name == "LeakyReLU":
        return name, {"alpha": draw(st.sampled_from([0.1, 0.5]))}
    if name == "Dropout":
        return name, {"rate": draw(st.sampled_from([0.25, 0.5]))}
    if name == "BatchNorm":
        return name, {"scale": draw(st.booleans()), "center": draw(st.booleans()), "momentum": 0.5, "epsilon": 1e-2}
    return name, {"epsilon": 1e-2} if name == "LayerNorm" else {}


@st.composite
def layer(draw, shape, depth, spatial=True):
    """`(recipe, shape behind it)` of one layer or a small tree; axes after the second are `spatial` or features."""
    kinds = ["same", "same"] + ["Dense"] * 2 + ["Residual", "Concurrent"] * (depth > 0)
    if len(shape) > 2:
        kinds += ["Conv", "Conv", "Pool", "Global", "Flatten"] if spatial else ["Flatten"]
    kind = draw(st.sampled_from(kinds))
    if kind == "same":
        return draw(same_shape(shape)), shape
    if kind == "Dense":
        units = draw(st.integers(1, 4))
        return ("Dense", {"units": units, "activation": draw(st.sampled_from([None, *ACTIVATIONS[:4]]))}), (
            shape[0],
            units,
        )
    if kind == "Residual":
        parts = [draw(same_shape(shape)) for _ in range(draw(st.integers(1, 2)))]
        return ("Residual", ("Sequential", parts)), shape
    if kind == "Concurrent":
        parts = [draw(same_shape(shape)) for _ in range(draw(st.integers(1, 2)))]
        return ("Concurrent", parts), (shape[0], shape[1] * len(parts), *shape[2:])
    n = len(shape) - 2
    if kind == "Conv":
        given = draw(conv_geometries(shape[2:], shape[1]))
        return (f"Conv{n}D", given), conv_shape(shape, given)
    if kind == "Pool":
        given = draw(pool_geometries(shape[2:]))
        return (draw(st.sampled_from([f"MaxPool{n}D", f"AvgPool{n}D"])), given), pool_shape(shape, given)
    if kind == "Global":
        return (draw(st.sampled_from([f"GlobalAvgPool{n}D", f"GlobalMaxPool{n}D"])), {}), (*shape[:2], *[1] * n)
    return ("Flatten", {}), (shape[0], int(numpy.prod(shape[1:])))


@st.composite
def trees(draw, max_layers=4, dtypes=("float32", "float64"), kinds=KINDS):
    """Random nets with inputs that fit: dense, convolutional (1 to 3 axes), embedding, recurrent; residual, concurrent
    parts.

    Args:
        max_layers: behind one another.
        dtypes: of parameters and inputs.
        kinds: what nets begin with; more often is more likely.

    >>> tree = trees().example()
    >>> tree.net()(tree.input()).shape[0] == tree.shape[0]
    True
    """
    kind = draw(st.sampled_from(kinds))
    batch = draw(st.integers(2, 4))
    parts = []
    if kind == "embedding":
        width = draw(st.integers(1, 3))
        start = (batch, draw(st.integers(1, 3)))
        parts.append(("Embedding", {"input_dim": draw(st.integers(1, 4)), "output_dim": width}))
        parts.append(("Flatten", {}))
        shape = (batch, start[1] * width)
    elif kind == "recurrent":
        given, start = draw(recurrent_geometries())
        parts.append((draw(st.sampled_from(RECURRENT)), given))
        shape = (*start[:2], given["hidden_size"] * (2 if given["bidirectional"] else 1))
    elif kind == "conv":
        sizes = st.lists(st.integers(1, 5), min_size=1, max_size=3)
        shape = start = (batch, draw(st.integers(1, 3)), *draw(sizes))
    else:
        shape = start = (batch, draw(st.integers(1, 4)))
    for _ in range(draw(st.integers(1, max_layers))):
        part, shape = draw(layer(shape, 1, kind == "conv"))
        parts.append(part)
    return Tree(("Sequential", parts), start, draw(st.integers(0, 999)), draw(st.sampled_from(dtypes)))

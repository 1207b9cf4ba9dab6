"""The everyday layers: Dense, Dropout, Flatten, Embedding, Identity."""

from __future__ import annotations

import math

from ... import npx
from ..hybrid import HybridBlock
from ..parameter.parameter import Parameter
from .activations import Activation


def bias_of(layer, size: int, init, **dtype) -> Parameter:
    """The parameter `bias` of `layer`."""
    return layer.params.get("bias", shape=(size,), init=init, allow_deferred_init=True, **dtype)


class Dense(HybridBlock):
    """A fully connected layer: `act(x @ weight.T + bias)`.

    Args:
        units: size of the output.
        activation: name of an activation, such as `'relu'`; None for none.
        use_bias: whether to add a bias.
        flatten: take everything but the batch as features; else only the last axis.
        dtype: of the parameters.
        weight_initializer, bias_initializer: initializers or their names; None: the one given to
            `initialize`.
        in_units: size of the input; 0 to learn it from the first batch.

    Shapes: x `(batch, ...)` -> `(batch, units)`; with `flatten=False` `(..., in_units)` -> `(..., units)`.
        weight `(units, in_units)`, bias `(units,)`.

    Raises:
        MXNetError: the input's width is not `in_units`.

    >>> layer = Dense(3, in_units=4)
    >>> layer.initialize()
    >>> layer(np.ones((2, 4))).shape
    (2, 3)
    """

    def __init__(
        self, units, activation=None, use_bias=True, flatten=True, dtype="float32", weight_initializer=None,
        bias_initializer="zeros", in_units=0, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._units, self._flatten = units, flatten
        with self.name_scope():
            self.weight = self.params.get(
                "weight", shape=(units, in_units), init=weight_initializer, dtype=dtype,
                allow_deferred_init=True,
            )
            self.bias = bias_of(self, units, bias_initializer, dtype=dtype) if use_bias else None
            self.act = Activation(activation, prefix=activation + "_") if activation is not None else None

    def infer_shape(self, x):
        if x.ndim < (2 if self._flatten else 1):
            axes = "all axes but the first" if self._flatten else "the last axis"
            raise ValueError(
                f"the input has shape {x.shape}. Features are read from {axes}, and there is none."
                f" Pass a batch, of shape (batch, features)."
            )
        self.weight.shape = (self._units, math.prod(x.shape[1:]) if self._flatten else x.shape[-1])

    def forward(self, x):
        device = x._device
        bias = self.bias
        y = npx.fully_connected(
            x, self.weight.data(device), None if bias is None else bias.data(device), num_hidden=self._units,
            no_bias=bias is None, flatten=self._flatten,
        )  # fmt: skip
        return y if self.act is None else self.act(y)

    def __repr__(self):
        units, width = self.weight.shape
        return f"Dense({width} -> {units}, {self.act or 'linear'})"


class Dropout(HybridBlock):
    """Sets a random part of its input to zero while training and scales the rest by `1 / (1 - rate)`.

    Args:
        rate: probability of zero, in `[0, 1)`.
        axes: axes along which one decision is shared.

    Shapes: any -> the same.

    >>> Dropout(0.5)(np.ones((3,)))
    array([1., 1., 1.])
    """

    def __init__(self, rate, axes=(), **kwargs):
        super().__init__(**kwargs)
        self._rate, self._axes = rate, axes

    def forward(self, x):
        return npx.dropout(x, p=self._rate, axes=self._axes) if self._rate > 0 else x

    def __repr__(self):
        return f"Dropout(p = {self._rate}, axes={self._axes})"


class Flatten(HybridBlock):
    """Keeps the batch axis and makes one of all others.

    Shapes: `(batch, ...)` -> `(batch, product of the rest)`.

    >>> Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def forward(self, x):
        return x.reshape((x.shape[0], -1)) if x.size else x.reshape((x.shape[0], math.prod(x.shape[1:])))

    def __repr__(self):
        return "Flatten"


class Embedding(HybridBlock):
    """A table that gives each of `input_dim` integers a vector of `output_dim` numbers.

    Args:
        input_dim: number of different integers.
        output_dim: length of the vectors.
        dtype: of the table.
        weight_initializer: initializer or its name.
        sparse_grad: accepted for old code; gradients are dense.

    Shapes: any shape of integers -> that shape with `output_dim` added. weight `(input_dim, output_dim)`.

    >>> layer = Embedding(10, 4)
    >>> layer.initialize()
    >>> layer(np.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(
        self, input_dim, output_dim, dtype="float32", weight_initializer=None, sparse_grad=False, **kwargs
    ):
        super().__init__(**kwargs)
        self._input_dim, self._output_dim, self._dtype = input_dim, output_dim, dtype
        self.weight = self.params.get(
            "weight", shape=(input_dim, output_dim), init=weight_initializer, dtype=dtype,
            allow_deferred_init=True,
        )

    def forward(self, x):
        weight = self.weight.data(x._device)
        return npx.embedding(x, weight, input_dim=self._input_dim, output_dim=self._output_dim)

    def __repr__(self):
        return f"Embedding({self._input_dim} -> {self._output_dim}, {self._dtype})"


class Identity(HybridBlock):
    """Returns its input.

    Shapes: any -> the same.

    >>> Identity()(np.ones((2,)))
    array([1., 1.])
    """

    def forward(self, x):
        return x

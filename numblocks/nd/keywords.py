"""The argument names of Gluon 1.x: most functions of `nd` are those of `np` and `npx`, which call them otherwise."""

from __future__ import annotations

import functools

# which functions, and what their first arguments are called in MXNet 1.9, in order
_TABLE = """
data: arccosh arcsinh arctanh cbrt degrees erf fix logical_not negative radians reciprocal relu rsqrt sigmoid softsign
data: contrib.isfinite contrib.isinf contrib.isnan
lhs rhs: add broadcast_logical_and broadcast_logical_or broadcast_logical_xor broadcast_minus broadcast_plus divide
lhs rhs: equal greater greater_equal lesser lesser_equal logical_and logical_or logical_xor maximum minimum modulo
lhs rhs: multiply not_equal subtract true_divide batch_dot
base exp: power
data gamma beta: LayerNorm
A: linalg_det linalg_inverse linalg.det linalg.inverse
indices depth: one_hot
a indices axis mode: take
data axes: transpose
data dim1 dim2: swapaxes SwapAxis
data index: choose_element_0index
ndarray zero_copy: from_numpy
dlpack: from_dlpack
fname data: save
lam: random.sample_exponential random.sample_poisson sample_exponential sample_poisson
low high: random.sample_uniform sample_uniform
mu sigma: random.sample_normal sample_normal
alpha beta: random.sample_gamma sample_gamma
k p: random.sample_negative_binomial sample_negative_binomial
mu alpha: random.sample_generalized_negative_binomial sample_generalized_negative_binomial
"""


def legacy_names() -> dict[str, tuple[str, ...]]:
    """`{function: names of its first arguments}`, functions as they follow `nd.`.

    >>> legacy_names()["swapaxes"]
    ('data', 'dim1', 'dim2')
    """
    rows = (line.split(":") for line in _TABLE.strip().splitlines())
    return {function: tuple(names.split()) for names, functions in rows for function in functions.split()}


def by_name(function, names: tuple[str, ...]):
    """`function`, whose first arguments may also be given by these names.

    >>> by_name(lambda x, y: x - y, ("lhs", "rhs"))(rhs=1, lhs=3)
    2
    """

    @functools.wraps(function)
    def call(*args, **kwargs):
        if kwargs:
            for name in names[len(args) :]:
                if name not in kwargs:
                    break
                args = (*args, kwargs.pop(name))
        return function(*args, **kwargs)

    call.argument_names = names
    return call

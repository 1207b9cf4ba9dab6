"""`loop`: an op from a loop over NumPy arrays, compiled by Numba."""

from __future__ import annotations

import numpy

from .. import eager
from ..array import Aval
from ..device import backend
from ..kernels.scalars import scalar
from ..op import REGISTRY, Op


def loop(
    function=None, *, shape=None, dtype=None, vjp=None, examples=(), domain=(-3.0, 3.0), jit: bool = True, gpu=None,
    threads=None,
):  # fmt: skip
    """Make an op of a function that fills its first argument: `def f(y, x, ...)`, indices and loops, like `@njit`.

    Args:
        function: takes the result `y` (to be written in full) and the operands, all C-contiguous NumPy arrays.
        shape: `(*operand shapes) -> shape of y`; that of the first operand if None.
        dtype: of `y`; that of the first operand if None.
        vjp: a loop `def back(dx, g, x, ...)` for an op of one operand, or a tuple of them, one for each operand
            (None: not differentiable). Each fills the gradient of its operand from `g`, that of `y`. It may be an op
            made by `loop` itself, with a VJP of its own; then second derivatives exist.
        examples: `((operand shapes, {}), ...)`, for `check_op`.
        domain: where checks draw values.
        jit: False runs it as plain Python, for looking at it in a debugger.
        gpu: the same on a GPU, as what one thread does: `def one(i, y, x, ...)` with the thread's number, then the
            answer and the operands as flat memory, then (all or none) the sizes of their axes. Without it the op runs
            on the CPU only.
        threads: `(*operand shapes) -> how many threads`; one for each element of `y` if None.

    Returns:
        The op: call it on ndarrays.

    >>> def back(dx, g, x):
    ...     dx[-1] = g[-1]
    ...     for i in range(len(g) - 2, -1, -1):
    ...         dx[i] = g[i] + 0.5 * dx[i + 1]
    >>> @loop(vjp=back, examples=((((5,),), {}),))
    ... def decayed(y, x):
    ...     y[0] = x[0]
    ...     for i in range(1, len(x)):
    ...         y[i] = x[i] + 0.5 * y[i - 1]
    """
    if function is None:
        return lambda f: loop(f, shape=shape, dtype=dtype, vjp=vjp, examples=examples, domain=domain, jit=jit,
            gpu=gpu, threads=threads)  # fmt: skip
    count = function.__code__.co_argcount - 1
    fill = Filler(function, jit)
    name = f"custom.{function.__name__}"

    def infer(*xs, **spec) -> Aval:
        found = xs[0].shape if shape is None else tuple(shape(*[x.shape for x in xs]))
        return Aval(found, numpy.dtype(xs[0].dtype if dtype is None else dtype))

    def run(*xs, out=None):
        if out is None:
            promised = infer(*xs)
            out = numpy.empty(promised.shape, promised.dtype)
        fill(out, *[numpy.ascontiguousarray(x).reshape(x.shape) for x in xs])
        return out

    run.__wrapped__ = function  # for whoever asks where the op comes from
    REGISTRY.pop(name, None)
    op = Op(name, "opaque", eager.plain, run=run, infer=infer, nin=count, examples=examples, domain=domain)
    op.help = function.__doc__
    if gpu is not None:
        source = scalar(gpu).source

        def on_gpu(*xs, **spec):
            promised = infer(*xs)
            count = promised.size if threads is None else threads(*[x.shape for x in xs])
            return backend().run_threads(source, count, promised, xs)

        op.gpu = on_gpu
    backs = vjp if isinstance(vjp, tuple) or vjp is None else (vjp,)
    if backs is not None:
        op.vjp = tuple(None if back is None else pullback(back, k, jit, domain) for k, back in enumerate(backs))
    return op


def pullback(back, index: int, jit: bool, domain):
    """The VJP of one operand from a loop, itself an op."""
    if not isinstance(back, Op):
        operand = lambda *shapes: shapes[1 + index]  # after g
        back = loop(back, shape=operand, jit=jit, domain=domain)
    return lambda g, y, *xs, **spec: back(g, *xs)


class Filler:
    """The function, compiled by Numba on the first call."""

    def __init__(self, function, jit: bool):
        self.function, self.jit = function, jit

    def __call__(self, *arrays):
        if self.jit:
            from numba import njit  # with the first kernel, not with numblocks

            self.function, self.jit = njit(self.function, nogil=True), False
        self.function(*arrays)

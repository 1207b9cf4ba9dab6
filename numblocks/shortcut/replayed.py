"""The shortest way through ops with a loop of their own: convolution, pooling, softmax, layer normalization ...

What such an op launches depends on shapes and keywords alone, so it is worked out once (`kernels.replay`) and found
again by the shapes: `fixed(op, spec)` is the op with its keywords settled, and knows what to launch for each shape it
has met twice. All else goes the long way, `bind`: what is traced, on a GPU, of mixed classes, not C-contiguous, or long
enough to be shared among threads, and what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from ..eager import QUIET, restore, silence
from ..kernels import mapping, products, replay, reuse
from ..op import Op, bind, current
from . import concrete

KEPT = 1024  # keywords, and shapes for each of them, that are remembered
FLOATS = (concrete.FLOAT32, concrete.FLOAT64)
_loops: dict[Op, Callable] = {}
_settled: dict[tuple, Callable] = {}


def replayed(op: Op, loop=None):
    """`call(*arrays, **spec)` for an op that a function of NumPy arrays does by launching kernels, and nothing else.

    Args:
        loop: `(*arrays, **spec) -> array`, new and C-contiguous, or None where it does not; by default `op.run`.
    """
    _loops[op] = op.run if loop is None else loop
    calls: dict[tuple, Callable] = {}

    def call(*xs, **spec):
        key = tuple(spec.items())
        try:
            found = calls[key]
        except KeyError:
            if len(calls) >= KEPT:
                calls.clear()
            found = calls[key] = fixed(op, spec)
        except TypeError:  # what cannot be hashed cannot be remembered
            return bind(op, xs, spec)
        return found(*xs)

    return call


def fixed(op: Op, spec: dict) -> Callable:
    """`call(*arrays)` that is `op(*arrays, **spec)`: the same one for the same keywords."""
    key = (op, *sorted(spec.items()))
    if key not in _settled:
        if len(_settled) >= KEPT:
            _settled.clear()
        _settled[key] = {1: _one, 2: _two}.get(op.nin, _several)(op, spec, _Known(op, spec))
    return _settled[key]


def settled(function):
    """`function`, whose answers are remembered for arguments that can be hashed."""
    answers: dict[tuple, object] = {}

    def call(*args):
        try:
            return answers[args]
        except KeyError:
            if len(answers) >= KEPT:
                answers.clear()
            found = answers[args] = function(*args)
            return found
        except TypeError:
            return function(*args)

    return call


class _Known(dict):
    """`(launch, function that makes the result)` by the shape of an array, or the shapes of several.

    The first dtype met with a shape has the short key; what it refuses is looked up with its dtypes.
    """

    def __init__(self, op: Op, spec: dict):
        self.op, self.spec, self.met = op, spec, set()

    def other(self, key, xs):
        """The answer where the entry for `key` is missing, or does not fit."""
        try:
            raw = [x._data for x in xs]
            plain = all(type(d) is concrete.CONCRETE and d.dtype in FLOATS for d in raw)
        except AttributeError:
            plain = False
        if not plain:
            return bind(self.op, xs, self.spec)
        full = (key, *[d.dtype for d in raw])
        if full in self:
            launch, new = self[full]
            z, cls = new(), type(xs[0])
            if all(type(x) is cls for x in xs) and launch(*raw, z):
                return self.answer(xs, z)
        y = bind(self.op, xs, self.spec)
        if full not in self.met:
            if len(self.met) >= KEPT:
                self.met.clear()
            self.met.add(full)
        elif full not in self:
            self.learn(key, full, raw)
        return y

    def answer(self, xs, z):
        """The ndarray over `z`, noted on the tape."""
        x = xs[0]
        y = type(x)()
        y._data, y._device, y._node = z, x._device, None
        record = current.record
        if record is not None:
            record(self.op, xs, self.spec, y)
        return y

    def learn(self, key, full, raw) -> None:
        """Note what to launch for arrays like `raw`."""
        found = replay.made(lambda *arrays: _loops[self.op](*arrays, **self.spec), raw)
        entry = _NONE if found is None else (found[0], reuse.maker(*found[1:3]))
        if len(self) >= KEPT:
            self.clear()
        replay.remember(self, full, entry, found[3] if found else 0)
        if self.get(key, _NONE) is _NONE:
            self[key] = entry


def _refuse(*operands):
    return False


_NONE = (_refuse, lambda: None)


def _one(op: Op, spec: dict, known: _Known):
    on_tape = op.vjp is not None

    def call(x):
        key = None
        try:
            d = x._data
            key = d.shape
            launch, new = known[key]
            z = new()
            if type(d) is concrete.CONCRETE and launch(d, z):
                y = type(x)()
                y._data, y._device, y._node = z, x._device, None
                node = x._node
                if node is not None and on_tape:
                    record = current.record
                    if record is not None:
                        record(op, (x,), spec, y, (node,))
                return y
        except (AttributeError, KeyError):
            pass
        return known.other(key, (x,))

    return call


def _two(op: Op, spec: dict, known: _Known):
    on_tape = op.vjp is not None

    def call(a, b):
        key = None
        try:
            d, e = a._data, b._data
            key = d.shape, e.shape
            launch, new = known[key]
            z = new()
            if type(d) is concrete.CONCRETE and type(b) is type(a) and launch(d, e, z):
                y = type(a)()
                y._data, y._device, y._node = z, a._device, None
                first, second = a._node, b._node
                if (first is not None or second is not None) and on_tape:
                    record = current.record
                    if record is not None:
                        record(op, (a, b), spec, y, (first, second))
                return y
        except (AttributeError, KeyError):
            pass
        return known.other(key, (a, b))

    return call


def _several(op: Op, spec: dict, known: _Known):
    def call(*xs):
        key = None
        try:
            raw = [x._data for x in xs]
            key = tuple([d.shape for d in raw])
            launch, new = known[key]
            z = new()
            cls = type(xs[0])
            for x in xs:
                if type(x) is not cls:
                    return known.other(key, xs)
            if type(raw[0]) is concrete.CONCRETE and launch(*raw, z):
                return known.answer(xs, z)
        except (AttributeError, KeyError):
            pass
        return known.other(key, xs)

    return call


def unbiased(op: Op):
    """`call(x, w)` for `x @ w.T` of two matrices of one float dtype, few enough for one thread of BLAS."""

    def call(x, w):
        try:
            cls = type(x)
            if type(w) is cls:
                z = _product(x._data, w._data)
                if z is not None:
                    y = cls()
                    y._data, y._device, y._node = z, x._device, None
                    first, second = x._node, w._node
                    if first is not None or second is not None:
                        record = current.record
                        if record is not None:
                            record(op, (x, w), {}, y, (first, second))
                    return y
        except AttributeError:
            pass  # the long way says what is wrong
        return bind(op, (x, w), {})

    return call


def linear(op: Op):
    """`call(x, w, b)` for `x @ w.T + b`, the same with a bias for each column."""
    adds: dict[tuple, Callable] = {}

    def call(x, w, b):
        try:
            cls, f = type(x), b._data
            if type(w) is cls is type(b) and type(f) is concrete.CONCRETE and f.flags.c_contiguous:
                z = _product(x._data, w._data)
                if z is not None and f.dtype is z.dtype:
                    key = z.shape, f.shape, f.dtype
                    try:
                        add = adds[key]
                    except KeyError:
                        if len(adds) >= KEPT:
                            adds.clear()
                        add = adds[key] = _adder(z, f)
                    if add(z, f, z):
                        y = cls()
                        y._data, y._device, y._node = z, x._device, None
                        record = current.record
                        if record is not None:
                            record(op, (x, w, b), {}, y)
                        return y
        except AttributeError:
            pass
        return bind(op, (x, w, b), {})

    return call


def _product(d, e):
    """`d @ e.T`, or None."""
    if type(d) is not concrete.CONCRETE or type(e) is not concrete.CONCRETE or d.ndim != 2 or e.ndim != 2:
        return None
    dtype = d.dtype
    if dtype is not e.dtype or dtype not in FLOATS or d.size * len(e) > products.SMALL:
        return None
    token = silence(QUIET)
    try:
        return d.dot(e.T)
    except ValueError:
        return None
    finally:
        restore(token)


def _plus(a, b): return a + b  # noqa: E704


def _adder(z, f):
    """`add(z, f, z)`, in place, for arrays of these shapes."""
    if f.ndim != 1 or f.shape[0] != z.shape[1] or not z.size:
        return _refuse
    return mapping.broadcast(_plus, (z, f), z, z.dtype) or _refuse

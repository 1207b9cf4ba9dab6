"""`check_hybrid`: does a net compute the same hybridized as it does eagerly?"""

from __future__ import annotations

import contextlib
import warnings
from typing import NamedTuple

import numpy

from .. import autograd
from ..array import ndarray, wrap
from ..graph.structure import flatten, rebuild
from ..op import current
from ..ops.random import generator
from .block import Block
from .hybrid import HybridBlock

RTOL = {"float16": 1e-2, "float32": 2e-5, "float64": 1e-11}
MODES = ("predict", "train")


class Comparison(NamedTuple):
    """One array computed both ways.

    Attributes:
        mode: 'predict' or 'train', and which call of the hybridized net.
        what: 'output 0', 'gradient of 0.weight', 'state 1.running_mean' ...
        shape, dtype: of the eager array.
        error: the largest absolute difference.
        where: index of the element furthest beyond its tolerance (or nearest to it), None if all are equal.
        ulps: how far its two values are apart, in units in the last place (of integers, their difference).
        eager, hybrid: the two values.
        problem: what is wrong, '' if they agree.
    """

    mode: str
    what: str
    shape: tuple[int, ...]
    dtype: str
    ulps: int
    error: float
    where: tuple[int, ...] | None
    eager: float
    hybrid: float
    problem: str

    def __str__(self) -> str:
        text = f"{'FAIL' if self.problem else 'ok':4}  {self.mode:16} {self.what:36} {self.dtype}{list(self.shape)}"
        if self.where is None:
            return f"{text}  {self.problem or 'equal'}"
        index = f"[{', '.join(map(str, self.where))}]"
        return (f"{text}  {self.ulps} ulps, {self.error:.3g} at {index}: eager {self.eager!r}, hybridized"
                f" {self.hybrid!r}{'; ' + self.problem if self.problem else ''}")  # fmt: skip


class Report(tuple):
    """The Comparisons of a check; `print(report)` lists them, failures first.

    Attributes:
        failures: those that differ by more than their tolerance.
        ulps: the largest `ulps` of all; large where sums cancel, since what is left of zero has no digits.
    """

    @property
    def failures(self) -> list[Comparison]:
        return [row for row in self if row.problem]

    @property
    def ulps(self) -> int:
        return max((row.ulps for row in self), default=0)

    def __str__(self) -> str:
        rows = sorted(self, key=lambda row: not row.problem)
        equal = sum(row.where is None and not row.problem for row in self)
        head = f"eager against hybridized: {len(self)} arrays, {len(self.failures)} differ, {equal} equal bit for bit"
        return "\n".join([head, *(f"  {row}" for row in rows)])


def check_hybrid(net: Block, *inputs, rtol: float | None = None, atol: float | None = None) -> Report:
    """Run `net` eagerly and hybridized and compare everything it leaves: outputs, gradients, states, random stream.

    Both run in predict mode and in train mode (recorded, with random head gradients), from the same parameters,
    states and random seed; the hybridized net runs twice in each mode, once traced and once replayed. Afterwards
    parameters, states, gradients, hybridize flags, compiled functions and the random stream are as they were;
    only shapes that were still open have been completed.

    Args:
        net: an initialized Block.
        inputs: its arguments: arrays, nested lists, tuples and dicts of them, None, plain values.
        rtol: relative tolerance; None for 1e-2, 2e-5, 1e-11 for float16, float32, float64. Integers must be equal.
        atol: absolute tolerance; None for `rtol` times the largest magnitude in the array (for gradients: at
            least a tenth of the largest among all gradients, since sums that cancel leave noise of that size).

    Returns:
        The Report: every array compared, with its distance in ulps.

    Raises:
        AssertionError: something differs, or only the hybridized net raises; the message is the report.

    >>> from numblocks import np
    >>> from numblocks.gluon import nn
    >>> net = nn.HybridSequential(nn.Dense(8, activation="tanh"), nn.Dense(2))
    >>> net.initialize()
    >>> report = check_hybrid(net, np.ones((4, 3)))
    >>> report.failures
    []
    """
    name = f"check_hybrid({net.name or type(net).__name__})"
    seed, stream = generator.seed, generator.stream
    with _untouched_scope():
        _set_hybrid(net, None)
        blocks = _flags(net)
        try:
            if any(not p._arrays for p in net.collect_params().values()):
                _set_hybrid(net, False)
                net(*inputs)
                stream = generator.stream
            kept = _Kept(net)
            rows: list[Comparison] = []
            try:
                for mode in MODES:
                    _set_hybrid(net, False)
                    eager = _run(net, inputs, mode, kept, seed, stream)
                    _set_hybrid(net, True)
                    for call in ("trace", "replay"):
                        try:
                            hybrid = _run(net, inputs, mode, kept, seed, stream)
                        except Exception as error:
                            raise AssertionError(
                                f"{name}: the hybridized net raises {type(error).__name__} in {mode} mode ({call}),"
                                f" where the eager net computes an answer: {error}"
                            ) from error
                        rows += _compare(f"{mode} ({call})", eager, hybrid, rtol, atol)
            finally:
                kept.restore()
        finally:
            for block, values in blocks:
                block.__dict__.update(values)
            generator.seed, generator.stream = seed, stream
    report = Report(rows)
    if report.failures:
        raise AssertionError(f"{name}: {report}")
    return report


@contextlib.contextmanager
def _untouched_scope():
    """Neither recording nor training, whatever the caller does."""
    if current.substitute is not None:
        raise RuntimeError("check_hybrid: called while a net is traced. It needs values. Call it outside forward.")
    with autograd.pause(train_mode=False):
        yield


def _hybrids(net: Block) -> list[HybridBlock]:
    found: list[HybridBlock] = []
    net.apply(lambda block: found.append(block) if isinstance(block, HybridBlock) else None)
    return found


def _flags(net: Block) -> list[tuple]:
    """What hybridize() changes, by block."""
    return [(b, {k: b.__dict__[k] for k in ("_active", "_flags", "_traced")}) for b in _hybrids(net)]


def _set_hybrid(net: Block, active: bool | None) -> None:
    """Switch all of `net`; None only asks whether there is something to switch."""
    if active is None:
        if not _hybrids(net):
            raise TypeError(
                f"check_hybrid: {type(net).__name__} holds no HybridBlock. Only those can be hybridized. Derive it"
                f" from HybridBlock."
            )
    elif active:
        with warnings.catch_warnings():  # a plain Block may say that its children are compiled one by one
            warnings.simplefilter("ignore")
            net.hybridize()
    else:
        for block in _hybrids(net):
            block._active = False


class _Kept:
    """Values, states and gradients of a net's parameters, to be put back."""

    def __init__(self, net: Block):
        self.params = {}
        for name, param in net.named_parameters():
            if all(param is not known for known in self.params.values()):
                self.params[name] = param
        self.arrays = [(name, x) for name, p in self.params.items() for x in p._arrays.values()]
        self.values = [x._data.copy() for _, x in self.arrays]
        self.grads = [None if x._node is None else (x._node.grad._data.copy(), x._node.fresh) for _, x in self.arrays]

    def restore(self) -> None:
        for (_, x), value, grad in zip(self.arrays, self.values, self.grads, strict=True):
            numpy.copyto(x._data, value)
            if grad is not None:
                numpy.copyto(x._node.grad._data, grad[0])
                x._node.fresh = grad[1]

    def clear_gradients(self) -> None:
        for _, x in self.arrays:
            if x._node is not None:
                x._node.grad._data[...] = 0


class _Found(NamedTuple):
    """What one run leaves: the structure of the outputs, arrays by name, the next random stream."""

    structure: object
    arrays: dict[str, numpy.ndarray]
    stream: int


def _run(net: Block, inputs, mode: str, kept: _Kept, seed: int, stream: int) -> _Found:
    """One forward pass, in train mode also backward, from the parameters and random numbers at the beginning."""
    kept.restore()
    generator.seed, generator.stream = seed, stream
    leaves, skeleton = flatten(inputs)
    leaves = [_copy(x) for x in leaves]
    if mode == "train":
        kept.clear_gradients()
        for x in leaves:
            if x.dtype.kind == "f":
                x.attach_grad()
        with autograd.record():
            outputs = net(*rebuild(skeleton, leaves))
    else:
        outputs = net(*rebuild(skeleton, leaves))
    out, structure = flatten(outputs)
    arrays = {f"output {k}": y.asnumpy() for k, y in enumerate(out)}
    if mode == "train":
        heads = [y for y in out if y._node is not None]
        if heads:
            rng = numpy.random.default_rng(0)
            grads = [wrap(rng.normal(size=y.shape).astype(y.dtype), y._device, type(y)) for y in heads]
            autograd.backward(heads, grads)
            for k, x in enumerate(leaves):
                if x._node is not None:
                    arrays[f"gradient of argument {k}"] = x.grad.asnumpy()
            for name, x in kept.arrays:
                if x._node is not None:
                    arrays[f"gradient of {_on(name, x, kept)}"] = x._node.grad.asnumpy()
    for name, x in kept.arrays:
        arrays[f"state {_on(name, x, kept)}"] = x.asnumpy()
    for k, x in enumerate(leaves):
        arrays[f"argument {k} afterwards"] = x.asnumpy()
    return _Found(structure, arrays, generator.stream)


def _on(name: str, x: ndarray, kept: _Kept) -> str:
    return name if len(kept.params[name]._arrays) == 1 else f"{name} on {x._device}"


def _copy(x: ndarray) -> ndarray:
    """A copy off the tape that keeps the memory layout."""
    return wrap(x._data.copy(order="K"), x._device, type(x))


def _compare(mode: str, eager: _Found, hybrid: _Found, rtol, atol) -> list[Comparison]:
    if eager.structure != hybrid.structure:
        raise AssertionError(
            f"check_hybrid: {mode}: outputs nest differently: eager {eager.structure}, hybridized {hybrid.structure}."
        )
    rows = []
    largest = max((magnitude(x) for name, x in eager.arrays.items() if name.startswith("gradient")), default=0.0)
    for name, expected in eager.arrays.items():
        found = hybrid.arrays.get(name)
        if found is None:
            rows.append(Comparison(mode, name, expected.shape, expected.dtype.name, 0, 0.0, None, 0, 0,
                                   "missing when hybridized"))  # fmt: skip
            continue
        floor = 0.1 * largest if name.startswith("gradient") else 0.0
        row = compare(mode, name, expected, found, rtol, atol, floor)
        if row.problem or row.where is not None or not name.startswith(("state", "argument")):
            rows.append(row)
    extra = hybrid.arrays.keys() - eager.arrays.keys()
    rows += [Comparison(mode, name, (), "", 0, 0.0, None, 0, 0, "only when hybridized") for name in sorted(extra)]
    if eager.stream != hybrid.stream:
        rows.append(Comparison(mode, "random stream", (), "int64", 0, 0.0, (), eager.stream, hybrid.stream,
                               "the next draw would differ"))  # fmt: skip
    return rows


def magnitude(x: numpy.ndarray) -> float:
    """The largest finite absolute value of a float array, 0 if there is none."""
    finite = numpy.abs(x[numpy.isfinite(x)]) if x.dtype.kind == "f" else numpy.zeros(0)
    return float(finite.max()) if finite.size else 0.0


def compare(mode: str, what: str, expected: numpy.ndarray, found: numpy.ndarray, rtol=None, atol=None, floor=0.0):
    """The Comparison of two arrays; see `check_hybrid` for the tolerances."""
    shape, dtype = expected.shape, expected.dtype.name
    if found.shape != shape or found.dtype != expected.dtype:
        return Comparison(mode, what, shape, dtype, 0, 0.0, None, 0, 0,
                          f"hybridized it is {found.dtype}{list(found.shape)}")  # fmt: skip
    if expected.size == 0:
        return Comparison(mode, what, shape, dtype, 0, 0.0, None, 0, 0, "")
    floating = expected.dtype.kind == "f"
    r = (RTOL[dtype] if rtol is None else rtol) if floating else 0.0
    a, b = expected.astype(numpy.float64), found.astype(numpy.float64)
    limit = (r * max(magnitude(expected), floor) if atol is None else atol) if floating else 0.0
    with numpy.errstate(all="ignore"):
        off = numpy.abs(b - a)
    same = (expected == found) | ((expected != expected) & (found != found))
    off = numpy.where(same, 0.0, numpy.where(numpy.isfinite(off), off, numpy.inf))
    if not off.any():
        return Comparison(mode, what, shape, dtype, 0, 0.0, None, 0, 0, "")
    with numpy.errstate(all="ignore"):
        allowed = limit + r * numpy.where(numpy.isfinite(a), numpy.abs(a), 0.0)
        excess = numpy.where(off == 0, -numpy.inf, off - allowed)
    at = numpy.unravel_index(int(excess.argmax()), shape)
    distance = ulps(expected[at], found[at])
    wrong = int((excess > 0).sum())
    problem = f"{wrong} of {expected.size} elements beyond rtol {r:g}, atol {limit:.3g}" if wrong else ""
    return Comparison(mode, what, shape, dtype, int(distance), float(off.max()), tuple(map(int, at)),
                      expected[at].item(), found[at].item(), problem)  # fmt: skip


def ulps(a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
    """Distance between two arrays of one dtype in units in the last place (of integers: their difference), as float64.

    Floats are numbered in order of size, +0 and -0 alike; neighbours are 1 apart. NaN counts as beyond infinity.

    >>> ulps(numpy.float32([1.0]), numpy.nextafter(numpy.float32([1.0]), numpy.float32(2)))
    array([1.])
    """
    if a.dtype.kind != "f":
        return numpy.abs(a.astype(numpy.float64) - b.astype(numpy.float64))
    integer = numpy.dtype(f"int{8 * a.dtype.itemsize}")

    def number(x):
        i = numpy.ascontiguousarray(x).reshape(x.shape).view(integer)
        low = numpy.iinfo(integer).min
        return numpy.where(i < 0, low - i, i)

    i, j = number(a), number(b)
    if integer.itemsize < 8:
        return numpy.abs(i.astype(numpy.int64) - j.astype(numpy.int64)).astype(numpy.float64)
    apart = (i < 0) != (j < 0)
    with numpy.errstate(over="ignore"):
        near = numpy.abs(i - j).astype(numpy.float64)
    return numpy.where(apart, numpy.abs(i.astype(numpy.float64)) + numpy.abs(j.astype(numpy.float64)), near)


__all__ = ["Comparison", "Report", "check_hybrid", "compare", "ulps"]

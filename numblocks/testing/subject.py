"""What is checked: a function or Block as a function of a list of arrays, parameters included, and nothing else.

Everything a call depends on besides is set before each call: the stream of random numbers, running statistics.
"""

from __future__ import annotations

import contextlib
import copy

import numpy

from .. import autograd, tape
from ..array import ndarray, wrap
from ..device import cpu
from ..dtype import as_dtype
from ..gluon.block import Block
from ..gluon.hybrid import HybridBlock
from ..graph.compiled import Compiled
from ..graph.structure import flatten
from ..ops import random as rnd


def raw(x) -> numpy.ndarray:
    """The values of an ndarray or anything NumPy takes; strides are kept."""
    return x._data if isinstance(x, ndarray) else numpy.asarray(x)


def widened(x: numpy.ndarray) -> numpy.ndarray:
    """Floats in float64, everything else as it is; always a copy."""
    return numpy.array(x, numpy.float64) if x.dtype.kind == "f" else numpy.array(x)


class Subject:
    """A function with its inputs and parameters laid open.

    Args:
        f: a Block, or a function of ndarrays that returns an ndarray or nested lists and tuples of them.
        inputs: ndarrays or NumPy arrays.
        wide: floats in float64, those of the Block's parameters too; otherwise as given.
        train_mode, seed: for each call.

    Attributes:
        names: of the arrays: `input 0` ..., then the parameters.
        start: values of the arrays, in that order; `moves`: which of them are differentiated.
    """

    def __init__(self, f, inputs, wide: bool, train_mode: bool, seed: int, mode: str = "eager"):
        self.train_mode, self.seed = train_mode, seed
        self.params, self.states, self.f = [], [], f
        if isinstance(f, Block):
            self.copy_block(f, inputs, wide, mode)
        elif mode == "hybridized":
            self.f = Compiled(f, getattr(f, "__name__", "function"))
        for x in inputs:
            as_dtype(raw(x).dtype)  # what arrays cannot hold is refused
        self.inputs = [widened(raw(x)) if wide else raw(x) for x in inputs]
        self.classes = [type(x) if isinstance(x, ndarray) else ndarray for x in inputs]
        self.names = [f"input {k}" for k in range(len(inputs))] + [f"parameter {p.name}" for p in self.params]
        self.start = [*self.inputs, *(p.data()._data.copy() for p in self.params)]
        self.kept = [(p, p.data()._data.copy()) for p in self.states]
        self.moves = [x.dtype.kind == "f" and x.size > 0 for x in self.start]

    def copy_block(self, f: Block, inputs, wide: bool, mode: str) -> None:
        """A copy of the Block, so that the caller's stays as it is."""
        if any(not p._arrays for p in f.collect_params().values()):
            with autograd.pause():  # complete open shapes
                f(*[x if isinstance(x, ndarray) else wrap(raw(x), cpu(0)) for x in inputs])
        self.f = copy.deepcopy(f)
        if wide:
            for p in self.f.collect_params().values():
                if p.dtype is None or numpy.dtype(p.dtype).kind == "f":
                    p.cast("float64")
        self.f.hybridize(mode == "hybridized")
        for p in self.f.collect_params().values():
            (self.states if p.grad_req == "null" else self.params).append(p)

    def prepare(self, arrays) -> list[ndarray]:
        """Put `arrays` where the function finds them; the input arrays are returned."""
        rnd.generator.reseed(self.seed)
        for p, value in self.kept:
            p.data()._data[...] = value
        for p, value in zip(self.params, arrays[len(self.inputs) :], strict=True):
            p.data()._data[...] = value
        return [wrap(x, cpu(0), c) for x, c in zip(arrays, self.classes, strict=False)]

    def outputs(self, xs) -> list[ndarray]:
        """The float arrays among the answers of a call."""
        leaves, _ = flatten(self.f(*xs), outputs_of="check_gradients")
        return [y for y in leaves if y.dtype.kind == "f"]

    def values(self, arrays) -> list[numpy.ndarray]:
        """Values of the outputs, computed off the tape."""
        before = rnd.generator.seed, rnd.generator.stream
        try:
            with autograd.pause(train_mode=self.train_mode):
                return [y._data for y in self.outputs(self.prepare(arrays))]
        finally:
            rnd.generator.seed, rnd.generator.stream = before

    def continued(self, arrays) -> list[numpy.ndarray]:
        """`values` at complex128 arrays, within a scope that evaluates them (`complexstep.analytic`)."""
        before = rnd.generator.seed, rnd.generator.stream
        xs = self.prepare([a.real if a.dtype.kind == "c" else a for a in arrays])
        own = [p.data()._data for p in self.params]
        try:
            for v, a in zip([*xs, *(p.data() for p in self.params)], arrays, strict=True):
                v._data = a
            with autograd.pause(train_mode=self.train_mode):
                leaves, _ = flatten(self.f(*xs), outputs_of="check_gradients")
            return [y._data for y in leaves if y._data.dtype.kind in "fc"]
        finally:
            for p, data in zip(self.params, own, strict=True):
                p.data()._data = data
            rnd.generator.seed, rnd.generator.stream = before

    def gradients(self, arrays, heads, add: bool = False, noise=None) -> list[numpy.ndarray | None]:
        """What `backward` leaves in the gradients of the arrays that move, None for the others.

        Args:
            add: let it be added (grad_req 'add') to gradients that are 1 before.
            noise: a scope in which all is computed.
        """
        with noise or contextlib.nullcontext():
            return self.walked(arrays, heads, add)

    def walked(self, arrays, heads, add: bool) -> list[numpy.ndarray | None]:
        """`gradients` without noise."""
        before = rnd.generator.seed, rnd.generator.stream
        try:
            xs = self.prepare(arrays)
            for x, moves in zip(xs, self.moves, strict=False):
                if moves:
                    x.attach_grad("add" if add else "write")
            for p in self.params:
                p.grad_req = "add" if add else "write"
            variables = [*xs, *(p.data() for p in self.params)]
            for v, moves in zip(variables, self.moves, strict=True):
                if moves:
                    v.grad._data[...] = add
            with autograd.record(train_mode=self.train_mode):
                ys = self.outputs(xs)
            pairs = [(y, wrap(w, cpu(0))) for y, w in zip(ys, heads, strict=True) if y._node is not None]
            if pairs:
                autograd.backward([y for y, _ in pairs], [w for _, w in pairs])
            return [
                v.grad._data - v.grad.dtype.type(add) if moves else None
                for v, moves in zip(variables, self.moves, strict=True)
            ]
        finally:
            rnd.generator.seed, rnd.generator.stream = before

    def second(self, arrays, heads, directions) -> list[numpy.ndarray | None]:
        """Gradients of the directional derivative along `directions`, by differentiating the walk back."""
        before = rnd.generator.seed, rnd.generator.stream
        try:
            xs = self.prepare(arrays)
            variables = [*xs, *(p.data() for p in self.params)]
            for x, moves in zip(xs, self.moves, strict=False):
                if moves:
                    x.attach_grad()
            wanted = [v for v, moves in zip(variables, self.moves, strict=True) if moves]
            nodes = [v._node for v in wanted]
            with autograd.record(train_mode=self.train_mode):
                ys = self.outputs(xs)
                pairs = [(y, wrap(w, cpu(0))) for y, w in zip(ys, heads, strict=True) if y._node is not None]
                found = tape.cotangents("check_gradients", [y for y, _ in pairs], [w for _, w in pairs], nodes, True)
                along = [u for u, moves in zip(directions, self.moves, strict=True) if moves]
                terms = [(g * wrap(u, cpu(0))).sum() for g, u in zip(found, along, strict=True) if g is not None]
                total = sum(terms[1:], terms[0]) if terms else None
            if total is None or total._node is None:
                again = [None] * len(wanted)
            else:
                one = wrap(numpy.ones((), total.dtype), cpu(0))
                again = tape.cotangents("check_gradients", [total], [one], nodes, False)
            it = iter(zip(wanted, again, strict=True))
            return [self.filled(*next(it)) if moves else None for moves in self.moves]
        finally:
            rnd.generator.seed, rnd.generator.stream = before

    @staticmethod
    def filled(v, g) -> numpy.ndarray:
        return numpy.zeros(v.shape, v.dtype) if g is None else g._data


def default_modes(f) -> tuple[str, ...]:
    """The Block as it is: hybridized if it is."""
    return ("hybridized",) if isinstance(f, HybridBlock) and f._active else ("eager",)

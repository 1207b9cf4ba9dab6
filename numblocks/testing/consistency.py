"""The same net in other circumstances: other dtypes and devices, saved and loaded, copied, pickled."""

from __future__ import annotations

import copy
import pickle
import tempfile
from pathlib import Path

import numpy

from .. import autograd
from ..array import ndarray, wrap
from ..device import cpu
from ..dtype import as_dtype
from ..gluon.block import Block
from ..graph.structure import flatten
from ..ops import random as rnd
from .subject import Subject, raw

WITHIN = {"float16": 5e-2, "float32": 2e-4, "float64": 1e-9}  # of the largest magnitude, for nets of a few layers


def check_consistency(
    f, *inputs, dtypes=("float64", "float32"), devices=None, rtol=None, train_mode: bool = True, seed: int = 0
) -> None:
    """Outputs and gradients of `f` agree over dtypes and devices, each within what the narrower dtype can tell.

    Args:
        f: a Block or a function of ndarrays.
        inputs: ndarrays or NumPy arrays; floats are cast to each dtype.
        dtypes: the first is the reference; wider ones belong there.
        devices: a list of devices, `[cpu(0)]` if None. Blocks are copied to each.
        rtol: tolerance of the largest magnitude in an array; by dtype if None.

    Raises:
        AssertionError: names the array, dtype and device.

    >>> from numblocks import np
    >>> check_consistency(np.tanh, np.array([0.5, 1.0]), dtypes=("float64", "float32", "float16"))
    """
    wanted = None
    for device in devices or [cpu(0)]:
        for dtype in (as_dtype(d).name for d in dtypes):
            found = computed(f, inputs, dtype, device, train_mode, seed)
            if wanted is None:
                wanted, first = found, f"{dtype} on {device}"
                continue
            largest = max([float(numpy.abs(b.astype("f8")).max(initial=0)) for _, b in wanted], default=0.0)
            for (name, a), (_, b) in zip(found, wanted, strict=True):
                if a.dtype.kind == "f" and a.dtype.name != dtype:
                    raise AssertionError(f"check_consistency: {name} is {a.dtype} where everything given was {dtype}.")
                bound = WITHIN[dtype] if rtol is None else rtol
                scale = numpy.abs(b.astype("f8")).max(initial=max(1e-3, largest / 10))  # sums that cancel leave noise
                if a.shape != b.shape or not numpy.allclose(
                    a.astype("f8"), b.astype("f8"), rtol=bound, atol=bound * scale, equal_nan=True
                ):
                    raise AssertionError(
                        f"check_consistency: {name} differs between {dtype} on {device} and {first}:\n{a}\n{b}"
                    )


def computed(f, inputs, dtype, device, train_mode, seed) -> list:
    """`(name, values)` of outputs and gradients."""
    cast = [numpy.asarray(raw(x), dtype if raw(x).dtype.kind == "f" else raw(x).dtype) for x in inputs]
    subject = Subject(f, [wrap(x, cpu(0)) for x in cast] if isinstance(f, Block) else cast, False, train_mode, seed)
    if isinstance(f, Block):
        subject.f.cast(dtype)
        subject.f.collect_params().reset_ctx(device)
    before = rnd.generator.seed, rnd.generator.stream
    try:
        rnd.generator.reseed(seed)
        xs = [wrap(x, cpu(0)).as_in_ctx(device) for x in cast]
        for x in xs:
            if x.dtype.kind == "f":
                x.attach_grad()
        with autograd.record(train_mode=train_mode):
            ys, _ = flatten(subject.f(*xs), outputs_of="check_consistency")
        floats = [y for y in ys if y._node is not None]
        rng = numpy.random.default_rng(seed)
        heads = [wrap(numpy.asarray(rng.uniform(0.5, 1.0, y.shape), y.dtype), cpu(0)).as_in_ctx(device) for y in floats]
        if floats:
            autograd.backward(floats, heads)
    finally:
        rnd.generator.seed, rnd.generator.stream = before
    found = [(f"output {k}", y.asnumpy()) for k, y in enumerate(ys)]
    found += [(f"the gradient of input {k}", x.grad.asnumpy()) for k, x in enumerate(xs) if x.grad is not None]
    return found + [(f"the gradient of {n.removeprefix('parameter ')}", p.grad(device).asnumpy())
                    for n, p in zip(subject.names[len(xs) :], subject.params, strict=True)]  # fmt: skip


def check_saved(block: Block, *inputs, make=None) -> None:
    """A net computes the same after its parameters went through a file, and as a deep copy or a pickle.

    Args:
        block: an initialized Block.
        inputs: its arguments.
        make: builds an equal net to load into; a deep copy with other values serves if None.

    Raises:
        AssertionError: says which way changed the answer.

    >>> from numblocks import np
    >>> from numblocks.gluon import nn
    >>> net = nn.Dense(3); net.initialize()
    >>> check_saved(net, np.ones((2, 4)))
    """
    wanted = answers(block, inputs)
    other = make() if make is not None else copy.deepcopy(block)
    if make is not None:
        other.initialize()
    else:
        for p in other.collect_params().values():
            p.set_data(wrap(numpy.asarray(p.data()._data + p.data().dtype.type(1)), cpu(0)))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "net.params")
        block.save_parameters(path)
        other.load_parameters(path)
    compare("save_parameters and load_parameters", wanted, answers(other, inputs))
    compare("copy.deepcopy", wanted, answers(copy.deepcopy(block), inputs))
    compare("pickle", wanted, answers(pickle.loads(pickle.dumps(block)), inputs))


def answers(block: Block, inputs) -> list[numpy.ndarray]:
    """Outputs in prediction."""
    with autograd.pause():
        leaves, _ = flatten(
            block(*[x if isinstance(x, ndarray) else wrap(raw(x), cpu(0)) for x in inputs]), outputs_of="check_saved"
        )
    return [y.asnumpy() for y in leaves]


def compare(way: str, wanted, found) -> None:
    """Equal to the bit."""
    for k, (a, b) in enumerate(zip(wanted, found, strict=True)):
        if a.dtype != b.dtype or not numpy.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            raise AssertionError(f"check_saved: after {way}, output {k} is\n{b}\ninstead of\n{a}")

"""Register tiles: compiled and plain Python agree, and so do tiles for narrow registers."""

import math

import numpy
import pytest

from numblocks.kernels import build, convolve, library, prelude, tile
from numblocks.kernels import convolve_launches as launches
from numblocks.kernels.convolve_gradient_plan import spread_plan, weight_plan
from numblocks.kernels.convolve_plan import data_plan, forward_plan
from numblocks.kernels.cpu import conv as plain

CASES = [
    ((1, 2, 5, 20), (3, 2, 2, 3), (1, 1), (1, 2), (1, 1), 1),
    ((2, 4, 6, 7), (6, 2, 3, 2), (2, 3), (2, 1), (1, 2), 2),
]


PLANS = (forward_plan, data_plan, spread_plan, weight_plan)
LAUNCHES = (launches.forward, launches.data, launches.weight)


def forget():
    """Plans depend on what a test changes."""
    for plan in PLANS + LAUNCHES:
        plan.cache_clear()


def answers(x, w, stride, pad, dilate, groups):
    """Forward and both gradients of one geometry."""
    geo = convolve.geometry(x.shape, w.shape, stride, pad, dilate, groups)
    y = convolve.forward(x, w, numpy.empty((geo.N, geo.O, *geo.out), x.dtype), geo)
    data = convolve.data_gradient(y, w, numpy.empty_like(x), geo)
    return y, data, convolve.weight_gradient(y, x, numpy.empty_like(w), geo)


def operands(case, dtype):
    rng = numpy.random.default_rng(0)
    return *(rng.standard_normal(shape).astype(dtype) for shape in case[:2]), *case[2:]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_narrow_registers(case, dtype, monkeypatch):
    arguments = operands(case, dtype)
    want = answers(*arguments)
    for shape in tile.NARROW:
        monkeypatch.setattr(tile, "sizes", lambda shape=shape: (shape,))
        forget()
        for got, right in zip(answers(*arguments), want, strict=True):
            assert numpy.allclose(got, right, rtol=1e-4, atol=1e-4)
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize("case", CASES)
def test_the_same_in_plain_python(case, monkeypatch):
    """Kernels are ordinary functions: a debugger can step through them."""
    arguments = operands(case, "float64")
    want = answers(*arguments)

    def get(name, **bindings):
        def kernel(lo, hi, argp):
            for key, value in bindings.items():
                monkeypatch.setattr(plain, key, getattr(prelude, value) if key == "T" else int(value))
            monkeypatch.setattr(plain, "SPAN", plain.V * plain.LANES)
            monkeypatch.setattr(plain, "STAGE", plain.M * plain.SEGMENT)
            function(lo, hi, prelude.pointer(argp, prelude.int64))

        function = getattr(plain, name.partition(".")[2])
        return kernel

    monkeypatch.setattr(library, "get", get)
    monkeypatch.setattr(build, "run", lambda kernel, n, argp, grain: kernel(0, n, argp))
    forget()
    for got, right in zip(answers(*arguments), want, strict=True):
        assert numpy.allclose(got, right)
    forget()


def test_tiles_fit_the_registers():
    for sizes, registers in ((tile.WIDE, 32), (tile.NARROW, 8)):
        assert all(math.prod(shape) + shape[1] <= registers for shape in sizes)

"""Elements beyond the 2**31st: kernels are run far out, on operands whose base address is moved back as far.

A kernel that owns the indices FAR .. FAR + n reads and writes, for an operand that it steps through, at base + index *
step. With base = address - FAR * step it must touch the small arrays that really exist, and do what it does at 0; an
index computed in 32 bits, or a size cut off, would miss them by gigabytes.
"""

import ctypes
from array import array

import numpy
import pytest

from numblocks import np
from numblocks.kernels import build, library, loops, native, pooling
from numblocks.kernels.program import Line, Operand, Program, Reduce, Store
from numblocks.kernels.scalars import scalar
from numblocks.op import REGISTRY
from numblocks.ops import random as rnd

FAR = [2**31 + 5, 2**33 + 3]


def plus(x, z):
    return x + 2.0 * z


def far_off(x, elements):
    """The address from which `x` lies `elements` away."""
    return x.ctypes.data - elements * x.itemsize


def run(program, sizes, operands, strides, lo, hi):
    """Run a program over part of its parallel index; `operands` are addresses."""
    packed = loops.pack(program, sizes, operands, strides)
    loops.program_kernel(program)(lo, hi, packed.ctypes.data)


def elementwise(axes, layouts, dtype="float32"):
    """y = x + 2 z over `axes`."""
    x, z, y = (Operand(name, dtype, lay) for name, lay in zip("xzy", layouts, strict=True))
    return Program(axes, (x, z), (y,), (), (Line("t", scalar(plus), ("x", "z"), dtype), Store("y", "t")))


def total(axes, layout, out):
    """y = the sum of x."""
    x, y = Operand("x", "float32", layout), Operand("y", "float32", out)
    return Program(axes, (x,), (y,), (), (Reduce("t", "sum", "x", "float32"), Store("y", "t")))


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8"])
@pytest.mark.parametrize("step", [1, 3])
def test_maps_of_one_axis(far, dtype, step):
    n = 37
    x, z, y = (numpy.arange(n * step).astype(dtype), numpy.ones(n, dtype), numpy.zeros(n, dtype))
    program = elementwise("m", ("c" if step == 1 else "s", "c", "c"), dtype)
    operands = [far_off(x, far * step), far_off(z, far), far_off(y, far)]
    run(program, (far + n,), operands, [(step,), (1,), (1,)], far, far + n)
    numpy.testing.assert_array_equal(y, x[::step] + 2)


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("axes", ["mm", "mmm", "mmmmm"])
def test_maps_of_several_axes(far, axes):
    """The parallel index is taken apart into rows; a row is 2**20 elements from the next, and read backwards."""
    n, rows, apart = 5, 4, 2**20
    sizes = (far + rows, *(1,) * (len(axes) - 2), n)
    x = numpy.zeros(3 * apart + n, "f4")
    at = numpy.arange(rows)[:, None] * apart + numpy.arange(n)
    x[at] = numpy.arange(rows * n).reshape(rows, n)
    z, y = numpy.arange(n).astype("f4"), numpy.zeros((rows, n), "f4")
    middle = len(axes) - 2
    program = elementwise(axes, ("s" * (middle + 1) + "c", "0" * (middle + 1) + "c", "s" * (middle + 1) + "c"))
    steps = [(apart, *(7,) * middle, 1), (0,) * (middle + 1) + (1,), (n, *(7,) * middle, 1)]
    run(program, sizes, [far_off(x, far * apart), z.ctypes.data, far_off(y, far * n)], steps, far, far + rows)
    numpy.testing.assert_array_equal(y, x[at] + 2 * z)


@pytest.mark.parametrize("far", FAR)
def test_rows_and_columns(far):
    x = numpy.arange(12, dtype="f4").reshape(4, 3)
    y = numpy.zeros(4, "f4")
    run(total("mr", "sc", "c0"), (far + 4, 3), [far_off(x, far * 3), far_off(y, far)], [(3, 1), (1, 0)], far, far + 4)
    numpy.testing.assert_array_equal(y, x.sum(1))
    y = numpy.zeros(3, "f4")
    run(total("rm", "sc", "0c"), (4, far + 3), [far_off(x, far), far_off(y, far)], [(3, 1), (0, 1)], far, far + 3)
    numpy.testing.assert_array_equal(y, x.sum(0))


@pytest.mark.parametrize("far", FAR)
def test_strides_of_gigabytes(far):
    """A step of 2**31 elements and more from one row to the next: both rows of the table are the same memory."""
    x, y = numpy.arange(4, dtype="f4"), numpy.zeros((2, 4), "f4")
    for row in range(2):
        operands = [far_off(x, row * far), x.ctypes.data, y.ctypes.data]
        run(elementwise("mm", ("sc", "0c", "sc")), (2, 4), operands, [(far, 1), (0, 1), (4, 1)], row, row + 1)
    numpy.testing.assert_array_equal(y, numpy.stack([3 * x, 3 * x]))


@pytest.mark.parametrize("name", ["uniform01", "normal01"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_numbers_are_counted_in_64_bits(name, dtype):
    op, y, far = REGISTRY[name], numpy.zeros(6, dtype), 2**33 + 1
    program, kernel = loops._numbers(op.lines, dtype)
    packed = loops.pack(program, (far + 6,), [far_off(y, far)], [(1,)], [123])
    kernel(far, far + 6, packed.ctypes.data)
    def in_python(function, args, to):
        """A line by Python's numbers, one by one."""
        if function is None:
            return args[0].astype(to)
        if function is rnd.hashed:  # whole numbers of 64 bits
            function = lambda key, i: rnd.mix((key + (i + 1) * rnd._GOLDEN) & rnd._MASK)
        rows = zip(*(x.tolist() for x in numpy.broadcast_arrays(*args)), strict=True)
        return numpy.array([function(*row) for row in rows], to)

    index = numpy.arange(far, far + 6, dtype=numpy.uint64)
    numpy.testing.assert_allclose(y, op.lines(in_python, numpy.uint64(123), index, dtype), rtol=1e-5, atol=1e-6)


def recorded(call):
    """`(kernel, n, words)` of each launch that `call` makes."""
    found = []

    def heard(kernel, n, argp, grain):
        count = 40
        found.append((kernel, n, array("q", (ctypes.c_int64 * count).from_address(argp)[:])))

    build.recorder = heard
    try:
        call()
    finally:
        build.recorder = None
    return found


POOL = {"kernel": (2, 2), "stride": (2, 2), "pad": (1, 1), "ceil": False}
rng = numpy.random.default_rng(0)
X, G, H = (numpy.asarray(rng.standard_normal(s), "f4") for s in ((2, 3, 40, 40), (2, 3, 21, 21), (2, 3, 40, 40)))
P, B = (numpy.asarray(rng.standard_normal((6, 50, 3)), "f4") for _ in range(2))
LIBRARY = {  # op: operands, keywords, and at which words of the launch the operands and the answer are
    "max_pool": ([X], POOL, (0,), 1),
    "window_sum": ([X], {**POOL, "divide": "inside"}, (0,), 1),
    "max_pool_grad": ([G, X], POOL, (18, 0), 1),
    "max_pool_gather": ([H, X], POOL, (18, 0), 1),
    "window_sum_grad": ([G], {**POOL, "divide": "inside", "size": (40, 40)}, (0,), 1),
    "recurrence": ([P, B], {"axis": 1}, (0, 1), 2),
}


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("name", LIBRARY)
def test_hand_written_kernels(name, far):
    operands, spec, reads, write = LIBRARY[name]
    op = REGISTRY[name]
    want = op.run(*operands, **spec)
    out = numpy.zeros_like(want)
    (kernel, n, words), *rest = [x for x in recorded(lambda: op.run(*operands, out=out, **spec))]
    assert not rest and n == 6
    for word, x in zip((*reads, write), (*operands, out), strict=True):
        assert words[word] == x.ctypes.data
        words[word] -= far * (x.nbytes // n)
    out[...] = 0
    kernel(far, far + n, words.buffer_info()[0])
    numpy.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("far", FAR)
def test_rows_added_by_index(far):
    g, index, y = numpy.ones((3, 4), "f4"), numpy.array([far + 1, far, far + 1]), numpy.full((2, 4), 9, "f4")
    words = array("q", [g.ctypes.data, index.ctypes.data, far_off(y, far * 4), far + 2, 3, 4, 1])
    library.get("gather.add", T="float32")(far, far + 2, words.buffer_info()[0])
    numpy.testing.assert_array_equal(y, [[1] * 4, [2] * 4])


@pytest.mark.parametrize("far", [2**27 + 1, 2**29 + 1])
def test_transposed_bands(far):
    """Bands of 16 columns: the far ones begin beyond column 2**31."""
    x, y, first = numpy.arange(3 * 20, dtype="f4").reshape(3, 20), numpy.zeros((20, 3), "f4"), far * 16
    words = array("q", [far_off(x, first), far_off(y, first * 3), 3, first + 20, 20, 3])
    library.get("move.transpose", T="float32")(far, far + 2, words.buffer_info()[0])
    numpy.testing.assert_array_equal(y, x.T)


def test_matrix_products_far_apart():
    """One product of a batch, 2**33 elements behind the first; BLAS itself takes 64-bit sizes or ours refuse."""
    address = native.gemm("float32")
    if address is None:
        pytest.skip("NumPy's BLAS was not found")
    a, b, c = (numpy.ones(s, "f4") for s in ((2, 3), (3, 4), (2, 4)))
    far, steps = 2**20 + 1, (2**13 + 1, 2**14, 2**15)
    words = [2, 4, 3, 111, 111, 3, 4, 4]
    words += [x.ctypes.data - far * step * 4 for x, step in zip((a, b, c), steps, strict=True)]
    words += [step * 4 for step in steps] + [2**62, 2**62]
    words = array("q", words)
    product = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(address)
    product(far, far + 1, words.buffer_info()[0])
    numpy.testing.assert_array_equal(c, numpy.full((2, 4), 3))


def test_shapes_beyond_two_to_the_31st_are_inferred():
    """Views that take no memory: sizes and counts are Python integers or int64 all the way."""
    x = np.broadcast_to(np.array([2.0], dtype="float32"), (2**16 + 1, 2**16))
    assert x.size == 2**32 + 2**16
    assert x[2**16, 2**16 - 1].item() == 2.0 and x.reshape(-1).shape == (2**32 + 2**16,)
    with pytest.raises(ValueError, match="32 bits"):
        pooling.maximum_gradient(G, X, X, pooling.windows((2**16, 2**16), (2**15,) * 2, (2, 2), (2, 2), (0, 0)))

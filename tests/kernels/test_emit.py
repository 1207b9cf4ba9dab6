"""Programs against NumPy: every kind of nest, layout and dtype; fused lines against the same lines one by
one.
"""

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import build, compiler
from numblocks.kernels.emit_cpu import emit
from numblocks.kernels.program import CAST, Line, Operand, Program, Reduce, Store
from numblocks.kernels.typed import scalar

F = "float32"


def layout_of(x, sizes):
    """Layout letters for the strides of `x`, which has one axis per axis of the program."""
    steps = [s // x.itemsize for s in x.strides]
    return "".join(
        "0" if s == 0 else "c" if s == 1 and k == len(sizes) - 1 else "s" for k, s in enumerate(steps)
    )


def words(program: Program, sizes, arrays, scalars=()):
    """The packed arguments of one launch; `arrays` in the order of reads and writes."""
    out = list(sizes)
    for operand, x in zip(program.reads + program.writes, arrays, strict=True):
        out.append(x.ctypes.data)
        for k, letter in enumerate(operand.layout):
            step = x.strides[k] // x.itemsize
            assert letter == "s" or sizes[k] <= 1 or not x.size or step == {"c": 1, "0": 0}[letter]
            out += [step] if letter == "s" else []
    for (_, dtype), value in zip(program.scalars, scalars, strict=True):
        out.append(int(np.float64(value).view(np.int64)) if dtype.startswith("float") else int(value))
    return out


def run(program: Program, sizes, arrays, scalars=(), parts=1):
    """Compile `program` and run it over all of its extent, in `parts` pieces."""
    kernel = build.load(*emit(program))
    packed = np.array(words(program, sizes, arrays, scalars), np.int64)
    n = program.extent(sizes)
    cuts = [n * k // parts for k in range(parts + 1)]
    for lo, hi in itertools.pairwise(cuts):
        kernel(lo, hi, packed.ctypes.data)
    return kernel


def add(a, b):
    return a + b  # noqa: E704


def sub(a, b):
    return a - b  # noqa: E704


def mul(a, b):
    return a * b  # noqa: E704


def div(a, b):
    return a / b  # noqa: E704


def neg(x):
    return -x  # noqa: E704


def exp(x):
    return math.exp(x)  # noqa: E704


def log(x):
    return math.log(x)  # noqa: E704


def tanh(x):
    return math.tanh(x)  # noqa: E704


def sqrt_abs(x):
    return math.sqrt(abs(x))  # noqa: E704


def rsqrt(x):
    return 1.0 / math.sqrt(x)  # noqa: E704


def gelu(x):
    return 0.5 * x * (1.0 + math.erf(x * 0.7071067811865476))  # noqa: E704


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))  # noqa: E704


def relu(x):
    return max(x, 0.0)  # noqa: E704


def maximum(a, b):
    return max(a, b)  # noqa: E704


def minimum(a, b):
    return min(a, b)  # noqa: E704


def less(a, b):
    return a < b  # noqa: E704


def equal(a, b):
    return a == b  # noqa: E704


def isnan(x):
    return x != x  # noqa: E704


def both(a, b):
    return a != 0 and b != 0  # noqa: E704


def where(c, a, b):
    return a if c else b  # noqa: E704


def floordiv(a, b):
    return a // b  # noqa: E704


def mod(a, b):
    return a % b  # noqa: E704


def power(a, b):
    return math.pow(a, b)  # noqa: E704


def shift(a, b):
    return a >> b  # noqa: E704


def lgamma(x):
    return math.lgamma(x)  # noqa: E704


def line(name, fn, args, dtype=F):
    return Line(name, fn if fn is CAST else scalar(fn), tuple(args.split()), dtype)


def unary(fn, dtype=F, out=None):
    return Program(
        "m",
        (Operand("x", dtype, "c"),),
        (Operand("y", out or dtype, "c"),),
        (),
        (line("t", fn, "x", out or dtype), Store("y", "t")),
    )


def binary(fn, dtype=F, out=None):
    return Program(
        "m",
        (Operand("a", dtype, "c"), Operand("b", dtype, "c")),
        (Operand("y", out or dtype, "c"),),
        (),
        (line("t", fn, "a b", out or dtype), Store("y", "t")),
    )


def normal(*shape, dtype=F, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# --- maps ---

CHAIN = (
    line("t0", mul, "x y"),
    line("t1", gelu, "t0"),
    line("t2", add, "t1 s"),
    line("t3", tanh, "t2"),
    Store("z", "t3"),
)


@pytest.mark.parametrize(
    "sizes", [(0,), (1,), (5,), (1000,), (0, 3), (3, 0), (1, 1), (7, 33), (2, 3, 5), (3, 2, 4, 17)]
)
def test_map_of_any_rank_and_size(sizes):
    from scipy.special import erf

    x, y, z = normal(*sizes), normal(*sizes, seed=1), np.full(sizes, 7, F)
    rank = len(sizes)
    layout = "s" * (rank - 1) + "c"
    program = Program(
        "m" * rank,
        (Operand("x", F, layout), Operand("y", F, layout)),
        (Operand("z", F, layout),),
        (("s", F),),
        CHAIN,
    )
    run(program, sizes, [x, y, z], [0.25])
    t = x.astype("f8") * y
    np.testing.assert_allclose(z, np.tanh(0.5 * t * (1 + erf(t / 2**0.5)) + 0.25), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("lx", ["sc", "ss", "s0", "0c", "00", "cs", "0s", "c0"])
@pytest.mark.parametrize("lz", ["sc", "ss", "cs"])
def test_map_layouts(lx, lz):
    sizes = (5, 37)
    x, y, z = _laid_out(lx, sizes, 0), _laid_out("sc", sizes, 1), _laid_out(lz, sizes, 2)
    program = Program(
        "mm",
        (Operand("x", F, lx), Operand("y", F, "sc")),
        (Operand("z", F, lz),),
        (),
        (line("t", sub, "x y"), Store("z", "t")),
    )
    want = x - y
    run(program, sizes, [x, y, z], parts=3)
    np.testing.assert_array_equal(z, want)


def _laid_out(layout, sizes, seed):
    """An array of `sizes` with the strides of `layout`; 's' axes run backwards."""
    big = normal(*(3 * n for n in sizes), seed=seed)
    if layout[0] == "c":
        return _laid_out(layout[::-1], sizes[::-1], seed).T
    x = (
        big[2 * sizes[0] : sizes[0] : -1]
        if layout[0] == "s"
        else np.broadcast_to(big[:1], (sizes[0], big.shape[1]))
    )
    if layout[1] == "c":
        return x[:, : sizes[1]]
    return x[:, 2 * sizes[1] : 0 : -2] if layout[1] == "s" else np.broadcast_to(x[:, :1], sizes)


def test_map_in_place():
    x = normal(1003)
    want = x * np.float32(0.5) + x
    program = Program(
        "m",
        (Operand("x", F, "c"),),
        (Operand("y", F, "c"), Operand("z", F, "c")),
        (("h", F),),
        (line("t", mul, "x h"), line("u", add, "t x"), Store("z", "t"), Store("y", "u")),
    )
    z = np.empty_like(x)
    half = x * np.float32(0.5)
    run(program, (x.size,), [x, x, z], [0.5])
    np.testing.assert_array_equal(x, want)
    np.testing.assert_array_equal(z, half)


def test_index_counts_in_c_order():
    for axes, sizes, layout in (("m", (11,), "c"), ("mm", (3, 5), "sc"), ("mmm", (2, 3, 5), "ssc")):
        y = np.zeros(sizes, "int64")
        run(
            Program(axes, (), (Operand("y", "int64", layout),), (), (Store("y", "@index"),)),
            sizes,
            [y],
            parts=2,
        )
        np.testing.assert_array_equal(y.ravel(), np.arange(y.size))
    for axes, sizes in (("mr", (3, 5)), ("mrr", (2, 3, 5)), ("rm", (4, 3)), ("mrm", (2, 3, 5))):
        y = np.zeros(sizes, "int64")
        layout = "s" * (len(axes) - 1) + "c"
        run(
            Program(axes, (), (Operand("y", "int64", layout),), (), (Store("y", "@index"),)),
            sizes,
            [y],
            parts=2,
        )
        np.testing.assert_array_equal(y.ravel(), np.arange(y.size))


def test_table_applies_one_map_to_many_arrays():
    body = (line("d", mul, "g r"), line("new", sub, "w d"), Store("out", "new"))
    program = Program(
        "m", (Operand("w", F, "c"), Operand("g", F, "c")), (Operand("out", F, "c"),), (("r", F),), body
    )
    name, text = emit(program, table=True)
    ws, gs = [normal(n) for n in (0, 1, 5, 300)], [normal(n, seed=1) for n in (0, 1, 5, 300)]
    want = [w - g * np.float32(0.1) for w, g in zip(ws, gs, strict=True)]
    rows = [words(program, (w.size,), [w, g, w], [0.1]) for w, g in zip(ws, gs, strict=True)]
    table = np.array([len(rows[0]), *(x for row in rows for x in row)], np.int64)
    build.load(name, text)(0, len(rows), table.ctypes.data)
    for w, expected in zip(ws, want, strict=True):
        np.testing.assert_array_equal(w, expected)
    with pytest.raises(ValueError, match="rank-1 map"):
        emit(Program("mm", (), (Operand("y", F, "sc"),), (("r", F),), (Store("y", "r"),)), table=True)


# --- dtypes ---

INTS = ["int8", "uint8", "int16", "int32", "int64"]
EDGES = [0, 1, -1, 2, -2, 3, 7, -7, 100, -100, 127, -128]


@pytest.mark.parametrize("dtype", INTS)
def test_integer_arithmetic_wraps_as_numpy(dtype):
    info = np.iinfo(dtype)
    values = np.array([v for v in EDGES if info.min <= v <= info.max] + [info.min, info.max], dtype)
    a, b = (m.ravel().copy() for m in np.meshgrid(values, values))
    c = (np.abs(b.astype("int64")) % 50 % info.bits).astype(dtype)  # shift counts and exponents
    with np.errstate(all="ignore"):
        expect = {
            add: a + b,
            sub: a - b,
            mul: a * b,
            maximum: np.maximum(a, b),
            floordiv: a // b,
            mod: a % b,
            less: a < b,
            shift: a >> c,
            power: a**c,
        }
    got = {fn: np.empty_like(want) for fn, want in expect.items()}
    together("abc", {fn: "a c" if fn in (shift, power) else "a b" for fn in expect}, [a, b, c], got)
    for fn, want in expect.items():
        np.testing.assert_array_equal(got[fn], want, err_msg=fn.__name__)


def together(names, calls, arrays, got):
    """Run each `function: arguments` of `calls` as one line of one program; results go into `got`."""
    reads = tuple(Operand(n, x.dtype.name, "c") for n, x in zip(names, arrays, strict=True))
    writes = tuple(Operand(f"y{k}", y.dtype.name, "c") for k, y in enumerate(got.values()))
    body = tuple(line(f"t{k}", fn, args, got[fn].dtype.name) for k, (fn, args) in enumerate(calls.items()))
    body += tuple(Store(f"y{k}", f"t{k}") for k in range(len(calls)))
    run(Program("m", reads, writes, (), body), arrays[0].shape, [*arrays, *got.values()])


@pytest.mark.parametrize("source", ["bool", *INTS, "float16", "float32", "float64"])
def test_casts(source):
    values = np.array([0, 1, 2, 3, 100, 127, -1, -2.5, 0.3, 99.7, -100])
    x = (values[values >= 0] if source in ("bool", "uint8") else values).astype(source)
    targets = ["bool", *INTS, "float16", "float32", "float64"]
    ys = [np.empty(x.shape, target) for target in targets]
    body = tuple(line(f"t{k}", CAST, "x", target) for k, target in enumerate(targets))
    body += tuple(Store(f"y{k}", f"t{k}") for k in range(len(targets)))
    writes = tuple(Operand(f"y{k}", target, "c") for k, target in enumerate(targets))
    run(Program("m", (Operand("x", source, "c"),), writes, (), body), x.shape, [x, *ys])
    for y, target in zip(ys, targets, strict=True):
        defined = x >= 0 if target == "uint8" and source.startswith("float") else np.ones(x.shape, bool)
        np.testing.assert_array_equal(y[defined], x[defined].astype(target), err_msg=target)


def test_float_specials_follow_numpy():
    v = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-45, 3e38, 2.5, -7], F)
    a, b = (m.ravel().copy() for m in np.meshgrid(v, v))
    with np.errstate(all="ignore"):
        expect = {
            add: a + b,
            sub: a - b,
            mul: a * b,
            div: a / b,
            maximum: np.maximum(a, b),
            minimum: np.minimum(a, b),
            floordiv: a // b,
            mod: a % b,
        }
        flags = {less: a < b, equal: a == b}
    expect |= flags | {isnan: np.isnan(a)}
    got = {fn: np.empty_like(want) for fn, want in expect.items()}
    together("ab", {fn: "a" if fn is isnan else "a b" for fn in expect}, [a, b], got)
    for fn, want in expect.items():
        np.testing.assert_array_equal(got[fn], want, err_msg=fn.__name__)


def test_mixed_dtypes_in_one_program():
    rng = np.random.default_rng(3)
    n = 500
    i, x, m = rng.integers(-9, 9, n), rng.standard_normal(n).astype(F), rng.random(n) < 0.5
    h = rng.standard_normal(n).astype("float16")
    program = Program(
        "m",
        (
            Operand("i", "int64", "c"),
            Operand("x", F, "c"),
            Operand("m", "bool", "c"),
            Operand("h", "float16", "c"),
        ),
        (
            Operand("y", F, "c"),
            Operand("b", "bool", "c"),
            Operand("g", "float16", "c"),
            Operand("k", "int32", "c"),
        ),
        (("three", "int64"),),
        (
            line("p", mul, "i x"),
            line("w", where, "m p x"),
            line("c", less, "i x", "bool"),
            line("both_", both, "c m", "bool"),
            line("g1", mul, "h h", "float16"),
            line("g2", add, "g1 h", "float16"),
            line("j", mul, "i three", "int32"),
            line("v", add, "w g2"),
            Store("y", "v"),
            Store("b", "both_"),
            Store("g", "g2"),
            Store("k", "j"),
        ),
    )
    y, b, g, k = np.empty(n, F), np.empty(n, bool), np.empty(n, "float16"), np.empty(n, "int32")
    run(program, (n,), [i, x, m, h, y, b, g, k], [3])
    np.testing.assert_array_equal(g, h * h + h)
    np.testing.assert_array_equal(y, np.where(m, i.astype(F) * x, x) + (h * h + h).astype(F))
    np.testing.assert_array_equal(b, (i < x) & m)
    np.testing.assert_array_equal(k, i * 3)


def test_bool_lines():
    a, b = (m.ravel().copy() for m in np.meshgrid([True, False], [True, False]))
    expect = {both: a & b, maximum: a | b, mul: a & b, add: a | b, less: a < b}
    got = {fn: np.empty_like(a) for fn in expect}
    together("ab", {fn: "a b" for fn in expect}, [a, b], got)
    for fn, want in expect.items():
        np.testing.assert_array_equal(got[fn], want, err_msg=fn.__name__)


# --- rows and columns ---


def test_every_reduction_of_every_kind():
    rng = np.random.default_rng(1)
    numpy_of = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}
    for axes, sizes, over in (
        ("mr", (3, 70), (1,)),
        ("mmr", (2, 3, 70), (2,)),
        ("mrr", (3, 5, 40), (1, 2)),
        ("r", (90,), (0,)),
        ("rr", (9, 17), (0, 1)),
        ("rm", (9, 300), (0,)),
        ("mrm", (2, 9, 70), (1,)),
        ("rrm", (3, 4, 30), (0, 1)),
    ):
        for dtype, out in (
            (F, F),
            ("float64", "float64"),
            ("int32", "int64"),
            ("bool", "bool"),
            ("float16", "float16"),
        ):
            if dtype != F and axes not in ("mr", "mrm"):
                continue  # one nest of each kind is enough
            x = rng.standard_normal(sizes) * 0.3 + 1 if dtype.startswith("f") else rng.integers(0, 3, sizes)
            x = x.astype(dtype)
            hows = ["max", "min"] if dtype == "bool" else list(numpy_of)
            layout = "s" * (len(axes) - 1) + "c"
            outer = "".join("0" if c == "r" else letter for c, letter in zip(axes, layout, strict=True))
            program = Program(
                axes,
                (Operand("x", dtype, layout),),
                tuple(Operand(f"y_{h}", out, outer) for h in hows),
                (),
                tuple(Reduce(h, h, "x", out) for h in hows) + tuple(Store(f"y_{h}", h) for h in hows),
            )
            shape = tuple(1 if c == "r" else n for c, n in zip(axes, sizes, strict=True))
            ys = [np.empty(shape, out) for _ in hows]
            views = [
                np.lib.stride_tricks.as_strided(
                    y, sizes, [0 if c == "r" else s for c, s in zip(axes, y.strides, strict=True)]
                )
                for y in ys
            ]
            run(program, sizes, [x, *views], parts=2)
            for h, y in zip(hows, ys, strict=True):
                with np.errstate(all="ignore"):
                    want = numpy_of[h](
                        x.astype("float64") if dtype.startswith("float") else x, axis=over, keepdims=True
                    )
                tolerance = {"float16": 2e-3, F: 1e-6}.get(dtype, 1e-13)
                np.testing.assert_allclose(y, want.astype(out), rtol=tolerance, err_msg=f"{axes} {dtype} {h}")


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 64, 1000])
def test_extrema_pass_nan_on_at_any_place(n):
    program = Program(
        "mr",
        (Operand("x", F, "sc"),),
        (Operand("y", F, "c0"), Operand("z", F, "c0")),
        (),
        (Reduce("h", "max", "x", F), Reduce("l", "min", "x", F), Store("y", "h"), Store("z", "l")),
    )
    x = np.repeat(normal(1, n), n + 1, axis=0)
    for k in range(n):
        x[k, k] = np.nan
    y, z = np.empty(n + 1, F), np.empty(n + 1, F)
    wide = lambda v: np.broadcast_to(v[:, None], x.shape)
    run(program, x.shape, [x, wide(y), wide(z)])
    np.testing.assert_array_equal(y, np.max(x, axis=1, initial=-np.inf))
    np.testing.assert_array_equal(z, np.min(x, axis=1, initial=np.inf))


SOFTMAX = (
    Reduce("m", "max", "x", F),
    line("d", sub, "x m"),
    line("e", exp, "d"),
    Reduce("s", "sum", "e", F),
    line("p", div, "e s"),
    Store("y", "p"),
)


@pytest.mark.parametrize(
    "axes, sizes, axis",
    [
        ("mr", (17, 10), 1),
        ("mr", (3, 1000), 1),
        ("mmr", (2, 3, 33), 2),
        ("mrr", (3, 4, 20), (1, 2)),
        ("r", (50,), 0),
        ("rm", (10, 513), 0),
        ("mrm", (3, 5, 40), 1),
        ("mr", (0, 4), 1),
        ("mr", (4, 0), 1),
        ("mr", (4, 1), 1),
    ],
)
def test_softmax_has_three_stages(axes, sizes, axis):
    layout = "s" * (len(axes) - 1) + "c"
    program = Program(axes, (Operand("x", F, layout),), (Operand("y", F, layout),), (), SOFTMAX)
    x = normal(*sizes) * 5
    e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf)).astype("f8")
    want = e / e.sum(axis, keepdims=True)
    y = np.empty_like(x)
    run(program, sizes, [x, y], parts=2)
    np.testing.assert_allclose(y, want, rtol=2e-6, atol=1e-9)
    run(program, sizes, [x, x])  # in place
    np.testing.assert_array_equal(x, y)


NORM = (
    Reduce("s", "sum", "x", F),
    line("mu", mul, "s w"),
    line("d", sub, "x mu"),
    line("d2", mul, "d d"),
    Reduce("s2", "sum", "d2", F),
    line("v", mul, "s2 w"),
    line("ve", add, "v eps"),
    line("r", rsqrt, "ve"),
    line("xn", mul, "d r"),
    line("xg", mul, "xn g"),
    line("o", add, "xg b"),
    Store("y", "o"),
    Store("mean", "mu"),
    Store("inv", "r"),
)


@pytest.mark.parametrize(
    "axes, sizes", [("mr", (5, 300)), ("rm", (41, 300)), ("mrr", (3, 10, 7)), ("mrm", (2, 11, 9))]
)
def test_norm_with_parameters_and_saved_statistics(axes, sizes):
    over = tuple(k for k, c in enumerate(axes) if c == "r")
    count = math.prod(sizes[k] for k in over)
    full = "s" * (len(axes) - 1) + "c"
    outer = "".join("0" if c == "r" else "s" for c in axes)
    program = Program(
        axes,
        (Operand("x", F, full), Operand("g", F, full), Operand("b", F, outer)),
        (Operand("y", F, full), Operand("mean", F, outer), Operand("inv", F, outer)),
        (("w", F), ("eps", F)),
        NORM,
    )
    x, g, y = normal(*sizes) * 2 + 1, normal(*sizes, seed=1), np.empty(sizes, F)
    small = [1 if c == "r" else n for c, n in zip(axes, sizes, strict=True)]
    b, mean, inv = normal(*small, seed=2), np.empty(small, F), np.empty(small, F)
    wide = lambda v: np.lib.stride_tricks.as_strided(
        v, sizes, [0 if c == "r" else s for c, s in zip(axes, v.strides, strict=True)]
    )
    run(program, sizes, [x, g, wide(b), y, wide(mean), wide(inv)], [1 / count, 1e-5], parts=2)
    x8 = x.astype("f8")
    want = (x8 - x8.mean(over, keepdims=True)) / np.sqrt(x8.var(over, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, want * g + b, rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(mean, x8.mean(over, keepdims=True), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(inv, 1 / np.sqrt(x8.var(over, keepdims=True) + 1e-5), rtol=1e-5)


def test_cross_entropy_and_its_gradient_in_one_kernel():
    rows, classes = 64, 10
    program = Program(
        "mr",
        (Operand("x", F, "sc"), Operand("label", "int64", "c0"), Operand("k", "int64", "0c")),
        (Operand("loss", F, "c0"), Operand("grad", F, "sc")),
        (("scale", F), ("zero", F)),
        (
            Reduce("m", "max", "x", F),
            line("d", sub, "x m"),
            line("e", exp, "d"),
            Reduce("s", "sum", "e", F),
            line("hit", equal, "label k", "bool"),
            line("dh", where, "hit d zero"),
            Reduce("picked", "sum", "dh", F),
            line("ls", log, "s"),
            line("l", sub, "ls picked"),
            line("p", div, "e s"),
            line("h", CAST, "hit"),
            line("pg", sub, "p h"),
            line("gr", mul, "pg scale"),
            Store("loss", "l"),
            Store("grad", "gr"),
        ),
    )
    rng = np.random.default_rng(0)
    x, label, k = normal(rows, classes), rng.integers(0, classes, rows), np.arange(classes)
    loss, grad = np.empty(rows, F), np.empty_like(x)
    both_ = lambda v: np.broadcast_to(v[:, None], x.shape)
    run(program, x.shape, [x, both_(label), np.broadcast_to(k, x.shape), both_(loss), grad], [1 / rows, 0.0])
    p = np.exp(x - x.max(1, keepdims=True)).astype("f8")
    p /= p.sum(1, keepdims=True)
    np.testing.assert_allclose(loss, -np.log(p[np.arange(rows), label]), rtol=1e-5)
    np.testing.assert_allclose(grad, (p - np.eye(classes)[label]) / rows, rtol=1e-5, atol=1e-9)


def test_sums_of_float32_are_kept_in_float64():
    x = np.full((1, 1 << 20), 0.1, F)
    x[0, 0] = 1e6
    y = np.empty((1, 1), F)
    run(
        Program(
            "mr",
            (Operand("x", F, "sc"),),
            (Operand("y", F, "s0"),),
            (),
            (Reduce("s", "sum", "x", F), Store("y", "s")),
        ),
        x.shape,
        [x, np.broadcast_to(y, x.shape)],
    )
    assert y[0, 0] == np.float32(x.astype("f8").sum())


# --- fused equals one by one ---

UNARY = [neg, exp, tanh, sqrt_abs, gelu, sigmoid, relu, log]
BINARY = [add, sub, mul, div, maximum, minimum]


@st.composite
def chains(draw):
    """Random elementwise DAGs over three inputs, without and with columns."""
    lines = []
    for k in range(draw(st.integers(2, 5))):
        names = ["x", "y", "s"] + [q.name for q in lines[-3:]]
        if draw(st.booleans()):
            lines.append(line(f"t{k}", draw(st.sampled_from(UNARY)), draw(st.sampled_from(names))))
        else:
            pair = f"{draw(st.sampled_from(names))} {draw(st.sampled_from(names))}"
            lines.append(line(f"t{k}", draw(st.sampled_from(BINARY)), pair))
    return tuple(lines)


@st.composite
def strided(draw, sizes, broadcast=True):
    """A float32 array of `sizes`: steps of 1, 2, -1 or 0 along each axis."""
    steps = [draw(st.sampled_from([1, 1, 2, -1, 0] if broadcast else [1, 1, 2, -1])) for _ in sizes]
    big = (
        normal(
            *(max(1, n * abs(s)) for n, s in zip(sizes, steps, strict=True)), seed=draw(st.integers(0, 99))
        )
        * 3
    )
    cut = tuple(slice(None, None, s) if s else slice(0, 1) for s in steps)
    x = big[cut]
    return np.broadcast_to(x, [n if s == 0 else m for n, m, s in zip(sizes, x.shape, steps, strict=True)])[
        tuple(slice(0, n) for n in sizes)
    ]


@settings(max_examples=20, deadline=None)
@given(chains(), st.data())
def test_fused_chain_is_bit_equal_to_its_lines_one_by_one(lines, data):
    layouts = {}
    for sizes in data.draw(
        st.lists(
            st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 3, 16, 70, 131])), min_size=3, max_size=3
        )
    ):
        if not layouts:
            x, y = data.draw(strided(sizes)), data.draw(strided(sizes))
            layouts = {"x": layout_of(x, sizes), "y": layout_of(y, sizes)}
        else:
            x, y = (_with_layout(layouts[n], sizes, k) for k, n in enumerate("xy"))
        out = np.empty(sizes, F)
        program = Program(
            "mm",
            tuple(Operand(n, F, layouts[n]) for n in "xy"),
            (Operand("z", F, "sc"),),
            (("s", F),),
            (*lines, Store("z", lines[-1].name)),
        )
        run(program, sizes, [x, y, out], [0.5])
        values = {"x": x, "y": y, "s": np.full(sizes, 0.5, F)}
        for q in lines:
            args = [np.ascontiguousarray(values[a]).ravel() for a in q.args]
            values[q.name] = np.empty(args[0].shape, F)
            one = (unary if len(args) == 1 else binary)(FUNCTIONS[q.fn.name])
            run(one, args[0].shape, [*args, values[q.name]])
            values[q.name] = values[q.name].reshape(sizes)
        np.testing.assert_array_equal(out.view("i4"), values[lines[-1].name].view("i4"))


FUNCTIONS = {f.__name__: f for f in UNARY + BINARY}


def _with_layout(layout, sizes, seed):
    x = normal(*(2 * n + 1 for n in sizes), seed=seed)
    cut = tuple(
        slice(0, n) if c == "c" else slice(0, 1) if c == "0" else slice(n, 0, -1) if n else slice(0, 0)
        for c, n in zip(layout, sizes, strict=True)
    )
    return np.broadcast_to(x[cut], sizes)


# --- the text ---


def test_text_is_readable_and_named_after_the_program():
    program = Program(
        "mm", (Operand("x", F, "sc"), Operand("y", F, "0c")), (Operand("z", F, "sc"),), (("s", F),), CHAIN
    )
    name, text = emit(program)
    assert re.fullmatch(r"map_mul_gelu_add_tanh_[0-9a-f]{12}", name) and program.name() == name
    assert "t1 = gelu(t0) : float32" in text.split('"""')[1]
    assert "            t3 = tanh_f32(t2)\n            store(z_p, z_at + j, t3, 0)\n" in text
    assert emit(program) == (name, text)


def test_loops_vectorize_however_many_operands_there_are():
    reads = tuple(Operand(f"x{k}", F, "sc" if k % 3 else "0c") for k in range(9))
    writes = tuple(Operand(f"y{k}", F, "sc") for k in range(4))
    body = [line("t0", mul, "x0 x1")]
    body += [line(f"t{k}", add, f"t{k - 1} x{k + 1}") for k in range(1, 8)]
    program = Program("mm", reads, writes, (), (*body, *(Store(f"y{k}", f"t{k + 4}") for k in range(4))))
    softmax = Program("mr", (Operand("x", F, "sc"),), (Operand("y", F, "sc"),), (), SOFTMAX)
    column = Program(
        "rm",
        (Operand("x", F, "sc"),),
        (Operand("y", F, "0c"),),
        (),
        (line("e", exp, "x"), Reduce("s", "sum", "e", F), Store("y", "s")),
    )
    for p, operation in (
        (program, "fadd"),
        (softmax, "fdiv"),
        (softmax, "fmul"),
        (column, "fmul"),
        (column, "fadd"),
    ):
        name, text = emit(p)
        dispatcher = compiler._compile(name, text, f"<{name}>")
        ir = dispatcher.inspect_llvm(dispatcher.signatures[0])
        assert re.search(rf"= {operation} (?:reassoc )?<\d+ x (?:float|double)>", ir), (name, operation)


def test_awkward_names_do_no_harm():
    program = Program(
        "mm",
        (Operand("a", F, "sc"), Operand("lo", F, "0c")),
        (Operand("x_p", F, "sc"),),
        (("i1", F),),
        (
            line("exp_f32", mul, "a lo"),
            line("load", add, "exp_f32 i1"),
            line("float32", exp, "load"),
            Store("x_p", "float32"),
        ),
    )
    a, b, y = normal(3, 40), normal(40), np.empty((3, 40), F)
    run(program, a.shape, [a, np.broadcast_to(b, a.shape), y], [1.0])
    np.testing.assert_allclose(y, np.exp(a * b + 1), rtol=1e-6)


def test_library_functions_are_called_one_lane_at_a_time():
    from scipy.special import gammaln

    x, y = np.abs(normal(100)) + 0.1, np.empty(100, F)
    run(unary(lgamma), x.shape, [x, y])
    np.testing.assert_allclose(y, gammaln(x.astype("f8")), rtol=1e-5, atol=1e-6)


X, Y = Operand("x", F, "c"), Operand("y", F, "c")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("q", (X,), (Y,), (), (Store("y", "x"),)), "are no loop nest"),
        (("m", (X,), (Y,), (), (Store("y", "t"),)), "not known there"),
        (("m", (X,), (Y,), (), ()), "never stored"),
        (("m", (X, X), (Y,), (), (Store("y", "x"),)), "given twice"),
        (("mm", (X,), (Y,), (), (Store("y", "x"),)), "layout 'c'"),
        (("m", (X,), (Y,), (), (Reduce("s", "sum", "x", F), Store("y", "s"))), "cannot be reduced"),
        (("m", (X,), (Y,), (), (line("t", add, "x"), Store("y", "t"))), "takes 2"),
        (("m", (X,), (Operand("y", "complex64", "c"),), (), (Store("y", "x"),)), "complex64"),
        (
            ("mr", (Operand("x", F, "sc"),), (Operand("y", F, "c0"),), (), (Store("y", "x"),)),
            "varies along r axes",
        ),
    ],
)
def test_programs_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        Program(*arguments)

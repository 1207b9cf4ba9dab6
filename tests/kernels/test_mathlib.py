"""Accuracy of mathlib in ulp, its special values, and that LLVM vectorizes it."""

import math
import re

import numpy as np
import pytest

from numblocks.kernels import (
    build,
    compiler,
    direct,
    hyperbolic32,
    lane_values,
    lanes,
    loader,
    loops,
    math32,
    math64,
    mathlib,
    prelude,
    trig64,
)

# Bounds of the table in mathlib's docstring.
ULP = {
    "exp_f32": 1.06,
    "exp_f64": 1.0,
    "exp2_f32": 1.05,
    "exp2_f64": 1.1,
    "expm1_f32": 1.5,
    "expm1_f64": 1.9,
    "logistic_divisor_f32": 1.8,
    "log1pexp_f32": 1.8,
    "log_f32": 0.9,
    "log_f64": 0.9,
    "log1p_f32": 1.0,
    "log1p_f64": 1.0,
    "log2_f32": 1.0,
    "log2_f64": 1.2,
    "log10_f32": 1.0,
    "log10_f64": 1.0,
    "tanh_f32": 2.5,
    "tanh_f64": 2.7,
    "sinh_f32": 2.9,
    "sinh_f64": 2.9,
    "cosh_f32": 2.9,
    "cosh_f64": 2.9,
    "erf_f32": 1.3,
    "erf_f64": 1.0,
    "erfc_f32": 0.6,
    "erfc_f64": 2.0,
    "sin_f32": 0.51,
    "sin_f64": 0.85,
    "cos_f32": 0.51,
    "cos_f64": 0.85,
    "tan_f32": 1.5,
    "tan_f64": 1.4,
    "asin_f32": 1.3,
    "asin_f64": 1.3,
    "acos_f32": 1.3,
    "acos_f64": 1.3,
    "atan_f32": 1.4,
    "atan_f64": 1.7,
    "atan2_f32": 1.6,
    "atan2_f64": 1.7,
    "asinh_f32": 1.9,
    "asinh_f64": 1.9,
    "acosh_f32": 1.6,
    "acosh_f64": 1.6,
    "atanh_f32": 1.4,
    "atanh_f64": 1.4,
    "cbrt_f32": 0.51,
    "cbrt_f64": 0.51,
    "hypot_f32": 1.1,
    "hypot_f64": 1.1,
    "pow_f32": 0.51,
    "fmod_f32": 0.0,
}
BINARY = {n for n in ULP if n[:-4] in ("pow", "atan2", "hypot", "fmod")}
UNARY = [n for n in ULP if n not in BINARY]
TURNING = {"sin", "cos", "tan"}  # NaN beyond 2**50
CALLED = {"pow": "power", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"} | {
    f"a{n}": f"arc{n}" for n in ("sinh", "cosh", "tanh")
}
DTYPE = {"f32": np.float32, "f64": np.float64}
WIDE = np.finfo(np.longdouble).nmant > 60  # else the reference of float64 is only float64


def text_of(name):
    nargs = mathlib.arity(name)
    T = DTYPE[name[-3:]].__name__
    pointers = "".join(f"    x{k} = pointer(a[{k}], {T})\n" for k in range(nargs))
    args = ", ".join(f"load(x{k}, i)" for k in range(nargs))
    return (
        prelude.header(name)
        + lanes.HEADER
        + "\n\n"
        + "\n\n".join(mathlib.closure(name).values())
        + f"\n\ndef all_{name}(lo, hi, a):\n{pointers}    y = pointer(a[{nargs}], {T})\n"
        f"    for i in range(lo, hi):\n        store(y, i, {name}({args}), 0)\n"
    )


def run(name, *xs):
    xs = [np.ascontiguousarray(x, DTYPE[name[-3:]]) for x in xs]
    y = np.empty_like(xs[0])
    packed = np.array([v.ctypes.data for v in (*xs, y)], np.int64)
    build.load(f"all_{name}", text_of(name))(0, y.size, packed.ctypes.data)
    return y


def exact(name, *xs):
    """Reference one precision up."""
    f = name[:-4]
    up = np.float64 if name.endswith("f32") else np.longdouble
    with np.errstate(all="ignore"):
        if f == "erf":
            return np.array([math.erf(v) for v in xs[0].tolist()], up)
        if f == "log1pexp":
            return np.log1p(np.exp(xs[0].astype(up)))
        if f == "logistic_divisor":
            return 1.0 + np.exp(-xs[0].astype(up))
        if f == "erfc":
            return erfc(xs[0].astype(np.longdouble))
        return getattr(np, CALLED.get(f, f))(*(x.astype(up) for x in xs))


def erfc(x):
    """In long double: the series of erf below 1, a continued fraction above; exp(-z^2) of z^2 in two parts."""
    z = np.minimum(np.abs(x), 200)
    low, high = np.minimum(z, 1), np.maximum(z, 1)
    term = total = low.copy()
    for k in range(1, 40):
        term = -term * low * low / k
        total = total + term / (2 * k + 1)
    root = np.sqrt(np.longdouble("3.14159265358979323846264338327950288"))
    tail = np.zeros_like(high)
    for k in range(400, 0, -1):
        tail = np.longdouble(k) / 2 / (high + tail)
    head = high.astype(np.float32).astype(x.dtype)
    above = np.exp(-head * head) * np.exp(-(high - head) * (high + head)) / (high + tail) / root
    y = np.where(z < 1, 1 - 2 * total / root, above)
    return np.where(np.isnan(x), x, np.where(x < 0, 2 - y, y))


def sweep(name):
    """All magnitudes of both signs, and the interesting ranges densely."""
    dtype = DTYPE[name[-3:]]
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 1 << 32 if dtype is np.float32 else 1 << 63, 100_000, dtype=np.uint64)
    raw = raw.astype(np.uint32).view(dtype) if dtype is np.float32 else raw.view(dtype)
    dense = [rng.uniform(-lim, lim, 30_000) for lim in (1e-3, 0.5, 2, 10, 100, 720)] + [
        1 + rng.uniform(-1e-3, 1e-3, 30_000)
    ]
    with np.errstate(all="ignore"):
        x = np.concatenate([raw, -raw, *dense]).astype(dtype)
    if name[:-4] not in TURNING:
        return x
    turns = np.concatenate([rng.integers(1, 10**6, 30_000), rng.integers(1, 2**49, 30_000)])
    near = turns * np.longdouble("1.57079632679489661923132169163975144")  # where sin or cos is nearly 0
    far = np.exp2(rng.uniform(30, 50, 100_000))  # where the count of quarter turns is not the nearest
    x = np.concatenate([x, near.astype(dtype), far.astype(dtype)])
    return x[np.abs(x) < 2**50]


def domain(name, x):
    return -np.abs(x) if name == "log1pexp_f32" else x


def errors(y, want):
    """Distance in ulp of the result; 0 where both are the same infinity or NaN."""
    with np.errstate(all="ignore"):
        rounded = want.astype(y.dtype)
        same = (y == rounded) | (np.isnan(y) & np.isnan(rounded))
        ulp = np.spacing(np.where(np.isfinite(rounded), np.abs(rounded), 1)).astype(want.dtype)
        e = np.abs(y.astype(want.dtype) - want) / ulp
    return np.where(same, np.where(np.isfinite(e), np.minimum(e, 0.5), 0), e)


pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast")


@pytest.mark.parametrize("name", UNARY)
def test_error_in_ulp(name):
    x = domain(name, sweep(name))
    y, want = run(name, x), exact(name, x)
    slack = 1.0 if name == "erf_f64" or (name.endswith("f64") and not WIDE) else 0.0  # error of the reference
    e = errors(y, want)
    worst = int(np.argmax(np.where(np.isnan(e), np.inf, e)))
    assert e[worst] <= ULP[name] + slack, f"{name}({x[worst]!r}) = {y[worst]!r}, not {want[worst]!r}"


SPECIAL = [
    0.0,
    -0.0,
    np.inf,
    -np.inf,
    np.nan,
    1.0,
    -1.0,
    1e-45,
    -1e-45,
    1e-38,
    88.7,
    88.8,
    -87.4,
    -103.9,
    -104.1,
    3e38,
    -3e38,
    0.5,
    2.0,
    4.0,
    9.999,
    1e-10,
    -1e-10,
    1.0000001,
    -0.9999999,
    5e-324,
    -5e-324,
    1e-310,
    27.5,
    -27.5,
]


@pytest.mark.parametrize("name", UNARY)
def test_special_values(name):
    x = domain(name, np.array(SPECIAL, DTYPE[name[-3:]]))
    if name[:-4] in TURNING:
        x = x[~(np.abs(x) > 2**50) | np.isinf(x)]
    y, want = run(name, x), exact(name, x).astype(x.dtype)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(want))
    np.testing.assert_array_equal(np.isinf(y), np.isinf(want))
    np.testing.assert_array_equal(y == 0, want == 0)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(y[number]), np.signbit(want[number]))


@pytest.mark.parametrize("name", [f"{f}_{T}" for f in sorted(TURNING) for T in DTYPE])
def test_angles_out_of_range_are_nan(name):
    assert np.isnan(run(name, np.array([2.0**50, -(2.0**51), 1e30, np.inf, np.nan]))).all()


@pytest.mark.parametrize("name", ["atan2_f32", "atan2_f64", "hypot_f32", "hypot_f64"])
def test_error_of_two_arguments(name):
    dtype = DTYPE[name[-3:]]
    rng = np.random.default_rng(1)
    unsigned, top = (np.uint32, 1 << 32) if dtype is np.float32 else (np.uint64, 1 << 64)
    raw = rng.integers(0, top, (2, 100_000), dtype=np.uint64).astype(unsigned).view(dtype)
    with np.errstate(all="ignore"):
        near = raw[0] * rng.uniform(-8, 8, 100_000).astype(dtype)
    x = np.concatenate([raw[0], raw[0], rng.uniform(-9, 9, 100_000).astype(dtype)])
    y = np.concatenate([raw[1], near, rng.uniform(-9, 9, 100_000).astype(dtype)])
    z, want = run(name, x, y), exact(name, x, y)
    e = errors(z, want)
    worst = int(np.argmax(np.where(np.isnan(e), np.inf, e)))
    assert e[worst] <= ULP[name] + (0.0 if WIDE or dtype is np.float32 else 1.0), (x[worst], y[worst], z[worst])


@pytest.mark.parametrize("name", sorted(BINARY))
def test_special_values_of_two_arguments(name):
    v = np.array(SPECIAL, DTYPE[name[-3:]])
    x, y = (m.ravel() for m in np.meshgrid(v, v))
    z, want = run(name, x, y), exact(name, x, y).astype(v.dtype)
    np.testing.assert_array_equal(np.isnan(z), np.isnan(want))
    edge = np.isinf(want) | (want == 0)
    np.testing.assert_array_equal(z[edge], want[edge])
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(z[number]), np.signbit(want[number]))
    assert errors(z, exact(name, x, y)).max() <= max(ULP[name], 0.5) + (0.0 if WIDE else 1.0)


@pytest.mark.parametrize("spread", [2, 24, 25, 60, 130, 276])
def test_fmod_is_exact(spread):
    """Quotients up to 2**spread, whole ones and their neighbours among them; bit for bit."""
    rng = np.random.default_rng(spread)
    n = 100_000
    y = np.ldexp(rng.uniform(0.5, 1, n), rng.integers(-148, 128, n)).astype(np.float32)
    with np.errstate(all="ignore"):
        x = y.astype(float) * np.exp2(rng.uniform(0, spread, n))
        whole = np.rint(x / y) * y
        x = np.concatenate([x, whole, np.nextafter(whole.astype(np.float32), rng.choice([-np.inf, np.inf], n))])
        x = (x * rng.choice([-1, 1], 3 * n)).astype(np.float32)
        y = np.tile(y, 3) * rng.choice([-1, 1], 3 * n).astype(np.float32)
    z = run("fmod_f32", x, y)
    with np.errstate(all="ignore"):
        want = np.fmod(x, y)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.isnan(z), ~number)
    np.testing.assert_array_equal(z[number].view(np.int32), want[number].view(np.int32))


def rest(a, b):
    return math.fmod(a, b)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "float64"])
def test_fmod_of_other_dtypes(dtype):
    """Integers by `%`, with the sign of the first and 0 for a division by 0; float64 by the C library."""
    ends = np.iinfo(dtype) if dtype[0] in "iu" else np.finfo(dtype)
    v = np.array([0, 1, 2, 3, 7, 100, ends.max], dtype)
    v = v if dtype[0] == "u" else np.concatenate([v, -v, np.array([ends.min], dtype)])
    a, b = (np.ascontiguousarray(m.ravel()) for m in np.meshgrid(v, v))
    out = np.empty_like(a)
    loops.run_scalar(rest, [a, b], out, a.dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(out, np.fmod(a, b))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_remainder_is_numpys(dtype):
    """`%` in a kernel takes its remainder from fmod: NumPy's result bit for bit, zeros' signs too."""
    rng = np.random.default_rng(3)
    v = np.array([0, -0.0, 1, -1, 0.1, -0.3, 7.5, 3e38, -3e38, 1e-40, np.inf, -np.inf, np.nan], dtype)
    a, b = (m.ravel() for m in np.meshgrid(v, v))
    a = np.concatenate([a, rng.normal(size=10_000) * 1e6]).astype(dtype)
    b = np.concatenate([b, rng.normal(size=10_000)]).astype(dtype)
    out = np.empty_like(a)
    loops.run_scalar(modulus, [a, b], out, a.dtype)
    with np.errstate(all="ignore"):
        want = np.remainder(a, b)
    np.testing.assert_array_equal(out, want)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(out[number]), np.signbit(want[number]))


def modulus(a, b):
    return a % b


def test_pow():
    rng = np.random.default_rng(0)
    v = np.array(
        [
            0,
            -0.0,
            1,
            -1,
            2,
            -2,
            0.5,
            -0.5,
            np.inf,
            -np.inf,
            np.nan,
            3,
            -3,
            1e30,
            -1e30,
            1e-40,
            16777217,
            0.99999994,
        ]
    )
    a, b = (m.ravel() for m in np.meshgrid(v, v))
    x = np.concatenate([a, np.exp(rng.uniform(-30, 30, 50_000)), rng.uniform(-9, 9, 50_000)]).astype(
        np.float32
    )
    y = np.concatenate([b, rng.uniform(-5, 5, 50_000), rng.integers(-20, 20, 50_000)]).astype(np.float32)
    z, want = run("pow_f32", x, y), exact("pow_f32", x, y)
    assert errors(z, want).max() <= ULP["pow_f32"]
    zero = want.astype(np.float32) == 0
    np.testing.assert_array_equal(np.signbit(z[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("name", sorted(ULP))
def test_loops_are_vectorized(name):
    dispatcher = compiler._compile(f"all_{name}", text_of(name), f"<{name}>")
    ir = dispatcher.inspect_llvm(dispatcher.signatures[0])
    lanes_of = {int(n) for n in re.findall(r"= (?:fmul|fdiv|fsub) <(\d+) x (?:float|double)>", ir)}
    assert lanes_of and min(lanes_of) >= 2
    assert not re.search(r"call (?:float|double) @(?!llvm)", ir)


def test_elementwise_loops_do_four_vectors_at_a_time():
    ir = direct.translate("all_exp_f32", text_of("exp_f32"), "<exp>")
    assert re.search(r"br label .*!llvm.loop", ir) and '!"llvm.loop.interleave.count", i32 4' in ir


@pytest.mark.parametrize("instruction", [True, False])
def test_scaling_by_powers_of_two(instruction, monkeypatch):
    """With and without the processor's own instruction: bit for bit, results denormal, infinite and NaN included."""
    there = instruction and lane_values._scales()
    monkeypatch.setattr(lane_values, "_scales", lambda: there)
    name = f"scaled_{instruction}".lower()
    text = (
        prelude.header(name) + lanes.HEADER + f"""

@lane(float32)
def scaled_f32(x, n):
    return ldexp(x, n)

def {name}(lo, hi, a):
    x_p, n_p, y_p = pointer(a[0], float32), pointer(a[1], int32), pointer(a[2], float32)
    for i in range(lo, hi):
        store(y_p, i, scaled_f32(load(x_p, i), load(n_p, i)), 0)
"""
    )
    x = np.array([1, -1.5, 0.7071068, 1.9999999, 0, -0.0, np.inf, -np.inf, np.nan], np.float32)
    x, n = (np.ascontiguousarray(m.ravel()) for m in np.meshgrid(x, np.arange(-252, 255, dtype=np.int32)))
    y = np.empty_like(x)
    packed = np.array([v.ctypes.data for v in (x, n, y)], np.int64)
    data, undefined = direct.compile_object(name, text, "<scaled>")
    loader.load_object(data, name, undefined)[0](0, y.size, packed.ctypes.data)
    with np.errstate(all="ignore"):
        want = np.ldexp(x, n)
    np.testing.assert_array_equal(y, want)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(y[number]), np.signbit(want[number]))


def test_functions_run_as_plain_numpy_too():
    x = np.linspace(-3, 3, 50, dtype=np.float32)
    np.testing.assert_allclose(hyperbolic32.tanh_f32(x), np.tanh(x), rtol=1e-6)
    np.testing.assert_allclose(math32.fmod_f32(x, np.float32(0.7)), np.fmod(x, np.float32(0.7)), rtol=0)
    wide = x.astype(float)
    np.testing.assert_allclose(trig64.atan2_f64(wide, -wide), np.arctan2(wide, -wide), rtol=1e-15)
    np.testing.assert_allclose(math64.log_f64(np.exp(x.astype(float))), x, rtol=1e-12, atol=1e-14)


def test_every_function_is_stated():
    helpers = {"em1", "em1_short", "em2", "pow2", "exponent", "fraction", "log1p_frac", "log_ends", "reduced",
               "quarter", "turned", "angle", "angle_low", "erf_rest", "atan_unit", "asin_rest", "asinh_rest",
               "without"}  # fmt: skip
    assert {n for n in mathlib.names() if n[:-4] not in helpers} == set(ULP)
    for name in ULP:
        assert name[:-4] in mathlib.__doc__

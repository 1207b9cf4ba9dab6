"""Vectorizable exp, log, tanh, erf ... for float32 and float64: no branch, no call, no fast-math flag.

Each function is a lane function (`lanes.py`): a range reduction, a polynomial (our own weighted minimax fits), a
reconstruction, and selects for what the polynomial cannot do. All give the right answer for NaN, infinities,
overflow, zeros of either sign and denormal arguments and results, except where a line below says otherwise.

Largest error in ulp over dense sweeps of the whole domain (`tests/kernels/test_mathlib.py` holds these bounds):

    {TABLE}

sin and cos of float32 beyond 2**50 in size are NaN (there the spacing of float32 is 2**27). Those of float64, pow
of float64 and everything else in `math` go to the C library: correct, one lane at a time.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import sys

from numpy import float32, float64, int32, int64

from .lanes import bits, cast, copysign, fma, from_bits, lane, libm, poly, rint, select, sqrt  # noqa: F401


def names() -> tuple[str, ...]:
    """Names of all functions here that kernels may call.

    >>> "tanh_f32" in names()
    True
    """
    return tuple(_sources())


def has(name: str) -> bool:
    """Whether there is a function `name`, such as `exp_f64`."""
    return name in _sources()


def arity(name: str) -> int:
    """Number of arguments of a function here.

    >>> arity("pow_f32")
    2
    """
    return _sources()[name][2]


def closure(name: str) -> dict[str, str]:
    """Texts of `name` and of the functions below it, callees first.

    >>> list(closure("tanh_f32"))
    ['em1_f32', 'tanh_f32']
    """
    text, needs, _ = _sources()[name]
    texts: dict[str, str] = {}
    for need in needs:
        texts |= closure(need)
    return texts | {name: text}


@functools.cache
def _sources() -> dict[str, tuple[str, tuple[str, ...], int]]:
    """Name -> (text, names of functions here that it calls, number of arguments)."""
    text = inspect.getsource(sys.modules[__name__])
    tree = [ n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and
        n.name.endswith(("_f32", "_f64")) ]
    lines = text.splitlines(True)
    own = {n.name for n in tree}
    found = {}
    for n in tree:
        called = {m.id for m in ast.walk(n) if isinstance(m, ast.Name)} & own - {n.name}
        first = n.decorator_list[0].lineno - 1
        found[n.name] = ("".join(lines[first : n.end_lineno]), tuple(sorted(called)), len(n.args.args))
    return found


# --- float32 ---
# Adding 1.5 * 2**23 rounds to a whole number and leaves it in the low bits: no conversion, and NaN does no harm.


@lane(float32)
def em1_f32(r):
    """exp(r) - 1 for |r| <= ln(2)/2, relative error 2**-31."""
    return fma(r * r, poly(r, 0.5, 0.166666657, 0.0416664779, 0.00833356567, 0.0013933708, 0.000197442845), r)


@lane(float32)
def pow2_f32(p, n):
    """p * 2**n for a whole n in -252 .. 254 (int32), in two exact steps and one rounding."""
    half = n >> 1
    return p * from_bits((half + 127) << 23) * from_bits((n - half + 127) << 23)


@lane(float32)
def exp_f32(x):
    """exp."""
    x = select(x > 89.0, 89.0, select(x < -104.0, -104.0, x))
    t = fma(x, 1.44269502, 12582912.0)
    n = t - 12582912.0
    r = fma(n, -1.42860677e-06, fma(n, -0.693145752, x))
    return pow2_f32(em1_f32(r) + 1.0, bits(t) - 0x4B400000)


@lane(float32)
def exp2_f32(x):
    """2**x."""
    x = select(x > 129.0, 129.0, select(x < -151.0, -151.0, x))
    t = x + 12582912.0
    r = x - (t - 12582912.0)
    return pow2_f32(em1_f32(r * 0.693147182) + 1.0, bits(t) - 0x4B400000)


@lane(float32)
def expm1_f32(x):
    """exp(x) - 1."""
    z = select(x > 89.0, 89.0, select(x < -18.0, -18.0, x))
    t = fma(z, 1.44269502, 12582912.0)
    n = t - 12582912.0
    r = fma(n, -1.42860677e-06, fma(n, -0.693145752, z))
    half = from_bits((bits(t) - 0x4B400000 + 126) << 23)  # 2**(n-1): 2**128 is out of range, 2**127 is not
    y = 2.0 * fma(half, em1_f32(r), half - 0.5)
    return select(abs(x) < 1e-8, x, y)


@lane(float32)
def exponent_f32(x):
    """e of x = (1 + f) 2**e with sqrt(1/2) <= 1 + f < sqrt(2); denormals are scaled first."""
    tiny = x < 1.17549435e-38
    i = bits(select(tiny, x * 8388608.0, x)) - 0x3F3504F3
    return cast(i >> 23, float32) - select(tiny, float32(23), float32(0))


@lane(float32)
def fraction_f32(x):
    """f of x = (1 + f) 2**e."""
    i = bits(select(x < 1.17549435e-38, x * 8388608.0, x)) - 0x3F3504F3
    return from_bits((i & 0x7FFFFF) + 0x3F3504F3) - 1.0


@lane(float32)
def log1p_frac_f32(f):
    """log(1 + f) - f for sqrt(1/2) <= 1 + f <= sqrt(2)."""
    p = poly(f, 0.333333135, -0.250000119, 0.20002073, -0.166678518, 0.142202303, -0.124082766,
        0.11886321, -0.116601318, 0.0673202947)
    return f * f * fma(f, p, -0.5)


@lane(float32)
def log_ends_f32(x, y):
    """y, but the limits of a logarithm at x = 0, inf, below 0 and NaN."""
    y = select(x == 0.0, -math.inf, select(x == math.inf, math.inf, y))
    return select((x < 0.0) | (x != x), math.nan, y)


@lane(float32)
def log_f32(x):
    """Natural logarithm."""
    e, f = exponent_f32(x), fraction_f32(x)
    y = f + fma(e, 1.42860677e-06, log1p_frac_f32(f))
    return log_ends_f32(x, fma(e, 0.693145752, y))


@lane(float32)
def log1p_f32(x):
    """log(1 + x)."""
    u = 1.0 + x
    lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0))  # what rounding took from u, exactly
    i = bits(u) - 0x3F3504F3
    n = i >> 23
    f = from_bits((i & 0x7FFFFF) + 0x3F3504F3) - 1.0
    e = cast(n, float32)
    lost = select(x > 1e30, 0.0, lost * from_bits((127 - n) << 23))
    y = fma(e, 1.42860677e-06, log1p_frac_f32(f)) + lost * fma(f, f - 1.0, 1.0)
    y = fma(e, 0.693145752, f + y)
    return select(abs(x) < 1e-8, x, log_ends_f32(u, y))


@lane(float32)
def log2_f32(x):
    """Logarithm to base 2."""
    e, f = exponent_f32(x), fraction_f32(x)
    rest = log1p_frac_f32(f)
    low = fma(f, 1.92596303e-08, rest * 1.44269502)
    return log_ends_f32(x, e + fma(f, 1.44269502, low))


@lane(float32)
def log10_f32(x):
    """Logarithm to base 10."""
    e, f = exponent_f32(x), fraction_f32(x)
    rest = log1p_frac_f32(f)
    low = fma(e, 4.60503907e-06, fma(f, -1.010305e-08, rest * 0.434294492))
    return log_ends_f32(x, fma(e, 0.301025390625, fma(f, 0.434294492, low)))


@lane(float32)
def tanh_f32(x):
    """Hyperbolic tangent: t / (t + 2) with t = exp(2|x|) - 1."""
    z = abs(x)
    z = select(z > 10.0, 10.0, z)
    z = z + z
    t = fma(z, 1.44269502, 12582912.0)
    n = t - 12582912.0
    r = fma(n, -1.42860677e-06, fma(n, -0.693145752, z))
    scale = from_bits((bits(t) - 0x4B400000 + 127) << 23)
    t = fma(scale, em1_f32(r), scale - 1.0)
    return select(abs(x) < 1e-8, x, copysign(t / (t + 2.0), x))


@lane(float32)
def sinh_f32(x):
    """Hyperbolic sine."""
    z = abs(x)
    h = exp_f32(0.5 * z)
    t = expm1_f32(select(z > 20.0, 20.0, z))
    y = select(z > 20.0, 0.5 * h * h, 0.5 * (t + t / (t + 1.0)))
    return select(z < 1e-8, x, copysign(y, x))


@lane(float32)
def cosh_f32(x):
    """Hyperbolic cosine."""
    h = exp_f32(0.5 * abs(x))
    return fma(0.5 * h, h, 0.5 / h / h)


@lane(float32)
def erf_f32(x):
    """Error function: x + x q(x^2) below 1, 1 - exp(-p(|x|)) above."""
    z = abs(x)
    t = select(z > 4.0, 4.0, z)
    q = poly(t * t, 0.128379166, -0.37612626, 0.112835832, -0.0268536918, 0.00518807396, -0.00080078782,
        7.8461082e-05)
    p = poly(t - 2.0, 5.36494112, 4.41815996, 0.92375046, 0.0164697934, -0.00356364483, 0.000730111904,
        -0.000144043137, 1.85143672e-05)
    return select(z < 1.0, fma(x, q, x), copysign(1.0 - exp_f32(-p), x))


@lane(float64)
def reduced_f64(x):
    """x - n pi/2 for the nearest whole n, x a float32 no larger than 2**50."""
    n = fma(x, 0.6366197723675814, 6755399441055744.0) - 6755399441055744.0
    return fma(n, 1.4973848849688e-33, fma(n, -6.123233995736766e-17, fma(n, -1.5707963267948966, x)))


@lane(float32)
def quarter_f32(x, shift):
    """sin(x + shift pi/2) of a float64 x that holds a float32."""
    t = fma(x, 0.6366197723675814, 6755399441055744.0)
    n = bits(t) + cast(shift, int64)
    r = reduced_f64(x)
    z = r * r
    s = fma(r * z, poly(z, -0.16666666641580677, 0.008333329381353437, -0.00019839333515105285,
        2.7182997317519326e-06), r)
    c = fma(z * z, poly(z, 0.04166666662272951, -0.0013888883745804591, 2.4799518162084977e-05,
        -2.721009479240321e-07), fma(z, -0.5, 1.0))
    y = select((n & 1) != 0, c, s)
    y = cast(select((n & 2) != 0, -y, y), float32)
    return select(abs(x) < 1125899906842624.0, y, math.nan)


@lane(float32)
def sin_f32(x):
    """Sine; the angle is reduced in float64."""
    return select(x == 0.0, x, quarter_f32(cast(x, float64), int32(0)))


@lane(float32)
def cos_f32(x):
    """Cosine; the angle is reduced in float64."""
    return quarter_f32(cast(x, float64), int32(1))


@lane(float32)
def pow_f32(x, y):
    """x**y as exp2(y log2|x|) in float64, with IEEE's special cases."""
    a = cast(abs(x), float64)  # a float32, so never denormal here
    i = bits(a) - 0x3FE6A09E667F3BCD
    e = cast(cast(i >> 52, int32), float64)
    f = from_bits((i & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0
    s = f / (2.0 + f)
    z = s * s
    log2 = e + 1.4426950408889634 * fma(s * z, poly(z, 0.6666666667581876, 0.3999999561638283,
        0.2857210970297749, 0.22176166732632457, 0.19584461063730887), s + s)
    log2 = select(a == 0.0, -math.inf, select(a == math.inf, math.inf, log2))
    w = cast(y, float64) * log2
    w = select(w > 200.0, 200.0, select(w < -200.0, -200.0, w))
    t = w + 6755399441055744.0
    r = w - (t - 6755399441055744.0)
    p = fma(r, poly(r, 0.6931471805459443, 0.2402265069560555, 0.05550410941200666, 0.009618129209522557,
        0.0013333450558123188, 0.0001540342124629358, 1.5310084173585593e-05, 1.3262452613670358e-06),
        1.0)
    p = cast(p * from_bits((bits(t) + 1023) << 52), float32)
    whole = rint(y) == y
    odd = whole & (rint(0.5 * y) * 2.0 != y)
    negative = bits(x) < 0
    p = select(negative & odd, -p, p)
    p = select(negative & ~whole & (x != 0.0) & (x != -math.inf), math.nan, p)
    p = select((x != x) | (y != y), x + y, p)
    return select((y == 0.0) | (x == 1.0) | ((x == -1.0) & (abs(y) == math.inf)), float32(1), p)


# --- float64 ---


@lane(float64)
def em1_f64(r):
    """exp(r) - 1 for |r| <= ln(2)/2, relative error 2**-59."""
    return fma(r * r, poly(r, 0.5, 0.16666666666666677, 0.041666666666666505, 0.0083333333333216,
        0.0013888888888963036, 0.0001984126988622525, 2.480158717158893e-05, 2.7557244088452687e-06,
        2.7557403149854266e-07, 2.5109086441518684e-08, 2.0875265587010155e-09), r)


@lane(float64)
def pow2_f64(p, n):
    """p * 2**n for a whole n in -2044 .. 2046 (int64), in two exact steps and one rounding."""
    half = n >> 1
    return p * from_bits((half + 1023) << 52) * from_bits((n - half + 1023) << 52)


@lane(float64)
def exp_f64(x):
    """exp."""
    x = select(x > 710.0, 710.0, select(x < -746.0, -746.0, x))
    t = fma(x, 1.4426950408889634, 6755399441055744.0)
    n = t - 6755399441055744.0
    r = fma(n, -7.371002565167799e-13, fma(n, -0.6931471805592082, x))
    return pow2_f64(em1_f64(r) + 1.0, bits(t) - 0x4338000000000000)


@lane(float64)
def exp2_f64(x):
    """2**x."""
    x = select(x > 1025.0, 1025.0, select(x < -1076.0, -1076.0, x))
    t = x + 6755399441055744.0
    r = x - (t - 6755399441055744.0)
    return pow2_f64(em1_f64(r * 0.6931471805599453) + 1.0, bits(t) - 0x4338000000000000)


@lane(float64)
def expm1_f64(x):
    """exp(x) - 1."""
    z = select(x > 710.0, 710.0, select(x < -38.0, -38.0, x))
    t = fma(z, 1.4426950408889634, 6755399441055744.0)
    n = t - 6755399441055744.0
    r = fma(n, -7.371002565167799e-13, fma(n, -0.6931471805592082, z))
    half = from_bits((bits(t) - 0x4338000000000000 + 1022) << 52)
    y = 2.0 * fma(half, em1_f64(r), half - 0.5)
    return select(abs(x) < 1e-17, x, y)


@lane(float64)
def exponent_f64(x):
    """e of x = (1 + f) 2**e with sqrt(1/2) <= 1 + f < sqrt(2); denormals are scaled first."""
    tiny = x < 2.2250738585072014e-308
    i = bits(select(tiny, x * 4503599627370496.0, x)) - 0x3FE6A09E667F3BCD
    return cast(cast(i >> 52, int32), float64) - select(tiny, float64(52), float64(0))


@lane(float64)
def fraction_f64(x):
    """f of x = (1 + f) 2**e."""
    i = bits(select(x < 2.2250738585072014e-308, x * 4503599627370496.0, x)) - 0x3FE6A09E667F3BCD
    return from_bits((i & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0


@lane(float64)
def log1p_frac_f64(f):
    """log(1 + f) - f for sqrt(1/2) <= 1 + f <= sqrt(2): with s = f/(2+f), log(1+f) = f - f^2/2 + s (f^2/2 + R(s^2))."""
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    r = z * poly(z, 0.6666666666666666, 0.4000000000000626, 0.28571428569083285, 0.222222226471499,
        0.1818177563933156, 0.15387091837810407, 0.1325009483808766, 0.13251533656001968)
    return s * (half + r) - half


@lane(float64)
def log_ends_f64(x, y):
    """y, but the limits of a logarithm at x = 0, inf, below 0 and NaN."""
    y = select(x == 0.0, -math.inf, select(x == math.inf, math.inf, y))
    return select((x < 0.0) | (x != x), math.nan, y)


@lane(float64)
def log_f64(x):
    """Natural logarithm."""
    e, f = exponent_f64(x), fraction_f64(x)
    y = f + fma(e, 7.371002565167799e-13, log1p_frac_f64(f))
    return log_ends_f64(x, fma(e, 0.6931471805592082, y))


@lane(float64)
def log1p_f64(x):
    """log(1 + x)."""
    u = 1.0 + x
    lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0))
    i = bits(u) - 0x3FE6A09E667F3BCD
    n = i >> 52
    f = from_bits((i & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0
    e = cast(cast(n, int32), float64)
    lost = select(x > 1e300, 0.0, lost * from_bits((1023 - n) << 52))
    y = fma(e, 7.371002565167799e-13, log1p_frac_f64(f)) + lost * fma(f, f - 1.0, 1.0)
    y = fma(e, 0.6931471805592082, f + y)
    return select(abs(x) < 1e-17, x, log_ends_f64(u, y))


@lane(float64)
def log2_f64(x):
    """Logarithm to base 2."""
    e, f = exponent_f64(x), fraction_f64(x)
    low = fma(f, 2.0355273740931033e-17, log1p_frac_f64(f) * 1.4426950408889634)
    return log_ends_f64(x, e + fma(f, 1.4426950408889634, low))


@lane(float64)
def log10_f64(x):
    """Logarithm to base 10."""
    e, f = exponent_f64(x), fraction_f64(x)
    low = fma(e, 3.694239077158931e-13, fma(f, 1.098319650216765e-17, log1p_frac_f64(f) * 0.4342944819032518))
    return log_ends_f64(x, fma(e, 0.30102999566361177, fma(f, 0.4342944819032518, low)))


@lane(float64)
def tanh_f64(x):
    """Hyperbolic tangent: t / (t + 2) with t = exp(2|x|) - 1."""
    z = abs(x)
    z = select(z > 20.0, 20.0, z)
    t = expm1_f64(z + z)
    return copysign(t / (t + 2.0), x)


@lane(float64)
def sinh_f64(x):
    """Hyperbolic sine."""
    z = abs(x)
    h = exp_f64(0.5 * z)
    t = expm1_f64(select(z > 40.0, 40.0, z))
    y = select(z > 40.0, 0.5 * h * h, 0.5 * (t + t / (t + 1.0)))
    return select(z < 1e-17, x, copysign(y, x))


@lane(float64)
def cosh_f64(x):
    """Hyperbolic cosine."""
    h = exp_f64(0.5 * abs(x))
    return fma(0.5 * h, h, 0.5 / h / h)


@lane(float64)
def erf_f64(x):
    """Error function: x + x q(x^2) below 1, 1 - exp(-p(|x|)) above."""
    z = abs(x)
    t = select(z > 6.0, 6.0, z)
    q = poly(t * t, 0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.02686617064507288,
        0.0052239776247807075, -0.0008548326978733248, 0.00012055331036579297, -1.4925593499341188e-05,
        1.6460972698258797e-06, -1.6350023987901328e-07, 1.4657871698502762e-08, -1.1365635097722914e-09,
        5.945210559752913e-11)
    p = poly(t - 2.0, 5.364941264616636, 4.418160805994415, 0.9237508418239527, 0.016465118137360398,
        -0.0035707563480160947, 0.0007323993780704941, -0.00013530932955507265, 2.0706470801544415e-05,
        -1.9521901984603496e-06, -2.0372840053642968e-07, 1.7317632828699542e-07, -5.7694563571981025e-08,
        1.3986348232758869e-08, -2.6103733671928843e-09, 2.584903128087417e-10, 7.155705030489752e-11,
        -3.693940432192611e-11, 4.931685394867494e-12)
    return select(z < 1.0, fma(x, q, x), copysign(1.0 - exp_f64(-p), x))

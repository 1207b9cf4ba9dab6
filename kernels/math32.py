"""mathlib's float32 functions; see `mathlib.py` for what they promise.

Adding 1.5 * 2**23 (or 2**52) rounds to a whole number and leaves it in the low bits: no conversion, and NaN
does no harm. Adding the bias of the exponent as well leaves the biased exponent there, and a shift by 23 makes the
power of two: the bits of 1.5 * 2**23 itself are shifted out.
"""
import math

from numpy import float32, float64, int32, int64

from .lanes import bits, cast, copysign, fma, from_bits, lane, poly, rint, select


@lane(float32)
def em1_f32(r):
    """exp(r) - 1 for |r| <= ln(2)/2, relative error 2**-31."""
    return fma(r * r, poly(r, 0.5, 0.166666657, 0.0416664779, 0.00833356567, 0.0013933708, 0.000197442845), r)


@lane(float32)
def pow2_f32(p, t):
    """p * 2**n for a whole n in -252 .. 254, given as t = n + 1.5 * 2**23 + 254: two exact steps, one rounding."""
    both = bits(t)  # its low bits are n + 254, two biased exponents; what is above them is shifted out
    half = both >> 1
    return p * from_bits(half << 23) * from_bits((both - half) << 23)


@lane(float32)
def exp_f32(x):
    """exp."""
    x = select(x > 89.0, 89.0, x)
    x = select(x < -104.0, -104.0, x)
    t = fma(x, 1.44269502, 12583166.0)
    n = t - 12583166.0
    r = fma(n, -1.42860677e-06, fma(n, -0.693145752, x))
    return pow2_f32(em1_f32(r) + 1.0, t)


@lane(float32)
def exp2_f32(x):
    """2**x."""
    x = select(x > 129.0, 129.0, x)
    x = select(x < -151.0, -151.0, x)
    t = x + 12583166.0
    r = x - (t - 12583166.0)
    return pow2_f32(em1_f32(r * 0.693147182) + 1.0, t)


@lane(float32)
def expm1_f32(x):
    """exp(x) - 1."""
    z = select(x > 89.0, 89.0, x)
    z = select(z < -18.0, -18.0, z)
    t = fma(z, 1.44269502, 12583038.0)
    n = t - 12583038.0
    r = fma(n, -1.42860677e-06, fma(n, -0.693145752, z))
    half = from_bits(bits(t) << 23)  # 2**(n-1): 2**128 is out of range, 2**127 is not
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
    t = fma(z, 1.44269502, 12583039.0)
    n = t - 12583039.0
    r = fma(n, -1.42860677e-06, fma(n, -0.693145752, z))
    scale = from_bits(bits(t) << 23)
    t = fma(scale, em1_f32(r), scale - 1.0)
    return copysign(t / (t + 2.0), x)


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

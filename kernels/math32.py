"""mathlib's float32 functions; see `mathlib.py` for what they promise.

Adding 1.5 * 2**23 (or 2**52) rounds to a whole number and leaves it in the low bits: no conversion, and NaN
does no harm. Adding the bias of the exponent as well leaves the biased exponent there, and a shift by 23 makes the
power of two: the bits of 1.5 * 2**23 itself are shifted out.
"""
import math

from numpy import float32, float64, int32

from .lanes import bits, cast, copysign, fma, from_bits, lane, ldexp, poly, rint, select, sqrt


@lane(float32)
def em1_f32(r):
    """exp(r) - 1 for |r| <= ln(2)/2, relative error 2**-31."""
    return fma(r * r, poly(r, 0.5, 0.166666657, 0.0416664779, 0.00833356567, 0.0013933708, 0.000197442845), r)


@lane(float32)
def em1_short_f32(r):
    """The same with relative error 2**-25.6; 2**-28 between 0.05 and 0.15, where tanh feels it most."""
    return fma(r * r, poly(r, 0.50000006, 0.166665673, 0.0416653492, 0.00836428627, 0.00139849435), r)


@lane(float32)
def em2_f32(r):
    """2**r - 1 for |r| <= 1/2, error 2**-28 of 2**r."""
    return r * poly(r, 0.693147182, 0.240226477, 0.0555035993, 0.00961850584, 0.00133908121, 0.000153264948)


@lane(float32)
def exp_f32(x):
    """exp."""
    x = select(x > 89.0, 89.0, x)
    x = select(x < -104.0, -104.0, x)
    t = fma(x, 1.44269502, 12583166.0)
    n = t - 12583166.0
    r = fma(n, -1.42860677e-06, fma(n, -0.693145752, x))
    return ldexp(em1_short_f32(r) + 1.0, bits(t) - 0x4B4000FE)


@lane(float32)
def exp2_f32(x):
    """2**x."""
    x = select(x > 129.0, 129.0, x)
    x = select(x < -151.0, -151.0, x)
    t = x + 12583166.0
    r = x - (t - 12583166.0)
    return ldexp(em2_f32(r) + 1.0, bits(t) - 0x4B4000FE)


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
def logistic_divisor_f32(x):
    """1 + exp(-x), rounded once."""
    x = select(x > 86.0, 86.0, x)
    x = select(x < -89.0, -89.0, x)
    t = fma(x, -1.44269502, 12583038.0)
    n = t - 12583038.0
    r = -fma(n, 1.42860677e-06, fma(n, 0.693145752, x))
    half = from_bits(bits(t) << 23)  # 2**(n-1), as in expm1
    return 2.0 * fma(half, em1_short_f32(r), half + 0.5)


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
def log1pexp_f32(x):
    """log(1 + exp(x)) for x <= 0."""
    e = exp_f32(x)
    p = poly(e, -0.499999315, 0.333304644, -0.249580204, 0.196921214, -0.153449774, 0.106613711, -0.0574604832,
        0.0200884603, -0.00329107419)
    return fma(e * e, p, e)


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
def erf_f32(x):
    """Error function: x + x q(x^2) below 0.85, 1 - 2**-p(|x|) above."""
    z = abs(x)
    q = poly(z * z, 0.128379166, -0.376125872, 0.112828262, -0.0268056449, 0.00505490229, -0.000633190561)
    z = select(z > 4.0, 4.0, z)
    p = poly(z, 0.000149216808, 1.62745488, 0.918290615, 0.150810122, -0.0324936807, 0.00449955463, -0.000293994904)
    t = 12583039.0 - p
    r = (12583039.0 - t) - p
    scale = from_bits(bits(t) << 23)
    far = fma(-scale, em2_f32(r), 1.0 - scale)
    return select(z < 0.85, fma(x, q, x), copysign(far, x))


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


@lane(float32)
def erfc_f32(x):
    """1 - erf(x): exp(-x^2) q(t) / (1 + 2|x|) with t = (|x| - 2) / (|x| + 2), in float64."""
    z = cast(abs(x), float64)
    z = select(z > 10.6, 10.6, z)
    w = z * z * -1.4426950408889634
    t = w + 6755399441055744.0
    r = w - (t - 6755399441055744.0)
    e = fma(r, poly(r, 0.6931472253949251, 0.2402265108413448, 0.055502973143826476, 0.009618030778838701,
        0.001341000089277112, 0.00015469733444056324), 1.0)
    a, b = z + 2.0, fma(2.0, z, 1.0)
    inverse = 1.0 / (a * b)
    q = poly((z - 2.0) * b * inverse, 1.2769783818629186, -0.09276382842123931, -0.16603043679378593,
        0.1640513469249441, -0.05421917258002177, -0.008034502569552094, 0.008716053216325978,
        0.0012709692851971285, -0.0014327000102370877, -0.0004416956885769274, 0.00016691135374306132,
        0.00011304567931928676, 1.6297902058693682e-05)
    y = e * q * (a * inverse) * from_bits((bits(t) + 1023) << 52)
    return cast(select(x < 0.0, 2.0 - y, y), float32)


@lane(float32)
def cbrt_f32(x):
    """Cube root: y near 1 / cbrt(|x|), a third of the exponent put right by a series, then a step of Newton's."""
    a = abs(x)
    tiny = a < 1e-26  # below, rounding errors of the cube are denormal
    a = select(tiny, a * 281474976710656.0, a)
    y = from_bits(cast(fma(cast(bits(a), float32), -0.333333343, 1419900160.0), int32))
    h = 1.0 - (a * y) * (y * y)
    y = fma(y, h * poly(h, 0.33332849, 0.22222006, 0.17458262, 0.14519383), y)
    z = y * y
    c = a * z
    square = c * c
    lost = fma(square, c, -a) + fma(c, c, -square) * c  # c^3 - |x|
    c = fma(-0.333333343 * z, lost, c) * select(tiny, float32(2.0**-16), float32(1))
    return select((x == 0.0) | ~(abs(x) < math.inf), x, copysign(c, x))


@lane(float32)
def hypot_f32(x, y):
    """sqrt(x^2 + y^2), scaled by a power of two where squares overflow or vanish; infinite where either is."""
    a, b = abs(x), abs(y)
    swap = a < b
    large, small = select(swap, b, a), select(swap, a, b)
    big, tiny = large > 1e18, large < 1e-18
    scale = select(big, 2.0**-96, select(tiny, float32(2.0**96), float32(1)))
    back = select(big, 2.0**96, select(tiny, float32(2.0**-96), float32(1)))
    large, small = large * scale, small * scale
    h = sqrt(fma(large, large, small * small)) * back
    return select((a == math.inf) | (b == math.inf), math.inf, h)


@lane(float64)
def without_f64(r, y, inverse, step):
    """r less the whole multiple of y * step that leaves no more than half of one; step a power of two."""
    magic = 6755399441055744.0 * step
    return fma(fma(r, inverse, magic) - magic, -y, r)


@lane(float32)
def fmod_f32(x, y):
    """Remainder of x / y with the sign of x, exact.

    Ten steps in float64 take 29 bits each from a quotient of at most 277: their multiples of y have no more than
    53 bits, so nothing is rounded. A last one turns the nearest remainder into the one towards zero.
    """
    r, b = cast(abs(x), float64), cast(abs(y), float64)
    inverse = 1.0 / b
    for k in (249, 220, 191, 162, 133, 104, 75, 46, 17, 0):
        r = without_f64(r, b, inverse, 2.0**k)
    r = cast(select(r < 0.0, r + b, r), float32)
    r = select(abs(y) == math.inf, x, copysign(r, x))
    return select((y == 0.0) | (y != y) | ~(abs(x) < math.inf), math.nan, r)

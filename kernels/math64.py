"""mathlib's float64 functions; see `mathlib.py` for what they promise and `math32.py` for the tricks."""
import math

from numpy import float64, int32

from .lanes import bits, cast, copysign, fma, from_bits, lane, poly, select


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
    """log(1 + f) - f for sqrt(1/2) <= 1 + f <= sqrt(2): -f^2/2 + s (f^2/2 + R(s^2)) with s = f / (2 + f)."""
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

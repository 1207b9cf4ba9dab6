"""mathlib's float64 functions; see `mathlib.py` for what they promise and `math32.py` for the tricks."""
import math

from numpy import float64, int32, int64

from .lanes import bits, cast, copysign, fma, from_bits, lane, poly, select, sqrt


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
def erf_rest_f64(z):
    """erf(s) / s - 1 for z = s^2 <= 1."""
    return poly(z, 0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.02686617064507288,
        0.0052239776247807075, -0.0008548326978733248, 0.00012055331036579297, -1.4925593499341188e-05,
        1.6460972698258797e-06, -1.6350023987901328e-07, 1.4657871698502762e-08, -1.1365635097722914e-09,
        5.945210559752913e-11)


@lane(float64)
def erf_f64(x):
    """Error function: x + x q(x^2) below 1, 1 - exp(-p(|x|)) above."""
    z = abs(x)
    t = select(z > 6.0, 6.0, z)
    q = erf_rest_f64(t * t)
    p = poly(t - 2.0, 5.364941264616636, 4.418160805994415, 0.9237508418239527, 0.016465118137360398,
        -0.0035707563480160947, 0.0007323993780704941, -0.00013530932955507265, 2.0706470801544415e-05,
        -1.9521901984603496e-06, -2.0372840053642968e-07, 1.7317632828699542e-07, -5.7694563571981025e-08,
        1.3986348232758869e-08, -2.6103733671928843e-09, 2.584903128087417e-10, 7.155705030489752e-11,
        -3.693940432192611e-11, 4.931685394867494e-12)
    return select(z < 1.0, fma(x, q, x), copysign(1.0 - exp_f64(-p), x))


@lane(float64)
def erfc_f64(x):
    """1 - erf(x) as such below 1/2; above, exp(-x^2) q(t) / (1 + 2|x|) with t = (|x| - 4) / (|x| + 4)."""
    z = abs(x)
    z = select(z > 28.0, 28.0, z)
    high = from_bits(bits(z) & -0x8000000)  # its square is exact, and the rest of z^2 is small
    s = high * high
    t = fma(s, -1.4426950408889634, 6755399441055744.0)
    n = t - 6755399441055744.0
    r = fma(n, -0.6931471805592082, -s) + fma(n, -7.371002565167799e-13, (high - z) * (z + high))
    e = em1_f64(r)
    u = (z - 4.0) / (z + 4.0)
    p = poly(u, -0.13962111684056253, 0.015379652102619622, 0.06809705425469532, -0.10103906603629774,
        0.09373283499825626, -0.06633036581235965, 0.0371675155389778, -0.01619773405621284, 0.0050319699648796795,
        -0.0007577732992137457, -0.00019925662548956772, 0.00015062172337718149, -2.4399442383795884e-05,
        -1.1222182824449571e-05, 5.71019713366383e-06, 2.9416161344140243e-07, -8.259669723330131e-07,
        7.410539630031115e-08, 1.103332949914906e-07, -1.746959726621533e-08, -1.407068186795603e-08,
        1.67722800625851e-09, 1.1981337531850615e-09)
    q, b = fma(u, p, 1.2329951186255526), fma(2.0, z, 1.0)
    g = q / b
    lost = fma(u, p, -4.5165656258478555e-17 - (q - 1.2329951186255526)) - g * (1.0 - (b - 2.0 * z))
    rest = 0.83 * (fma(-g, b, q) + lost)  # what rounding took from q / b, over q
    y = pow2_f64(fma(g, fma(rest, e, e + rest), g), bits(t) - 0x4338000000000000)
    return select(z < 0.5, 1.0 - fma(x, erf_rest_f64(z * z), x), select(x < 0.0, 2.0 - y, y))


@lane(float64)
def cbrt_f64(x):
    """Cube root: y near 1 / cbrt(|x|), a third of the exponent put right by two series, then a step of Newton's."""
    a = abs(x)
    tiny = a < 1e-280  # below, rounding errors of the cube are denormal
    a = select(tiny, a * 2.0**108, a)
    i = fma(cast(cast(bits(a) >> 32, int32), float64), -0.3333333333333333, 1430186308.4)
    y = from_bits(cast(cast(i, int32), int64) << 32)
    h = 1.0 - (a * y) * (y * y)
    y = fma(y, h * poly(h, 0.333333348259143, 0.22222222825878096, 0.17282868193610865, 0.14402671942747175,
        0.12678647776683374, 0.11241492067653039), y)
    h = 1.0 - (a * y) * (y * y)
    y = fma(y, h * 0.3333333333333333, y)
    z = y * y
    c = a * z
    square = c * c
    lost = fma(square, c, -a) + fma(c, c, -square) * c  # c^3 - |x|
    c = fma(-0.3333333333333333 * z, lost, c)
    c = c * select(tiny, float64(2.0**-36), float64(1))
    return select((x == 0.0) | ~(abs(x) < math.inf), x, copysign(c, x))


@lane(float64)
def hypot_f64(x, y):
    """sqrt(x^2 + y^2), scaled by a power of two where squares overflow or vanish; infinite where either is."""
    a, b = abs(x), abs(y)
    swap = a < b
    large, small = select(swap, b, a), select(swap, a, b)
    big, tiny = large > 1e150, large < 1e-150
    scale = select(big, 2.0**-600, select(tiny, float64(2.0**600), float64(1)))
    back = select(big, 2.0**600, select(tiny, float64(2.0**-600), float64(1)))
    large, small = large * scale, small * scale
    h = sqrt(fma(large, large, small * small)) * back
    return select((a == math.inf) | (b == math.inf), math.inf, h)

"""mathlib's float64 functions of angles; see `mathlib.py` for what they promise and `math32.py` for the tricks.

An angle is reduced to a sum of two numbers, `angle` and `angle_low`: pi/2 is held in three parts, and up to 2**50
in size no float64 comes so near to a multiple of pi/2 that this is not enough.
"""
import math

from numpy import float64, int64

from .lanes import bits, copysign, fma, lane, poly, select, sqrt


@lane(float64)
def turned_f64(x):
    """x - n p for the nearest whole n to x / (pi/2), p the first 53 bits of pi/2: exact."""
    n = fma(x, 0.6366197723675814, 6755399441055744.0) - 6755399441055744.0
    return fma(n, -1.5707963267948966, x)


@lane(float64)
def angle_f64(x):
    """x - n pi/2 for the nearest whole n."""
    n = fma(x, 0.6366197723675814, 6755399441055744.0) - 6755399441055744.0
    return turned_f64(x) - n * 6.123233995736766e-17


@lane(float64)
def angle_low_f64(x):
    """What x - n pi/2 is more than `angle_f64`."""
    n = fma(x, 0.6366197723675814, 6755399441055744.0) - 6755399441055744.0
    a, w = turned_f64(x), n * 6.123233995736766e-17
    r = a - w
    b = r - a
    lost = (a - (r - b)) - (w + b)  # what rounding took from a - w, exactly
    return lost - fma(n, -1.4973848849688e-33, fma(n, 6.123233995736766e-17, -w))


@lane(float64)
def quarter_f64(x, shift):
    """sin(x + shift pi/2)."""
    n = bits(fma(x, 0.6366197723675814, 6755399441055744.0)) + shift
    r, low = angle_f64(x), angle_low_f64(x)
    z = r * r
    s = r + fma(r * z, poly(z, -0.16666666666666666, 0.008333333333333082, -0.00019841269841039874,
        2.7557319125769936e-06, -2.505208651092483e-08, 1.605647876557598e-10, -7.502764996703021e-13),
        low * fma(z, -0.5, 1.0))
    half = 0.5 * z
    w = 1.0 - half
    c = w + fma(z * z, poly(z, 0.04166666666666644, -0.001388888888884895, 2.4801587274923904e-05,
        -2.755731045226438e-07, 2.087523088069834e-09, -1.1335927104055276e-11), ((1.0 - w) - half) - r * low)
    y = select((n & 1) != 0, c, s)
    y = select((n & 2) != 0, -y, y)
    return select(abs(x) < 1125899906842624.0, y, math.nan)


@lane(float64)
def sin_f64(x):
    """Sine."""
    return select(x == 0.0, x, quarter_f64(x, int64(0)))


@lane(float64)
def cos_f64(x):
    """Cosine."""
    return quarter_f64(x, int64(1))


@lane(float64)
def tan_f64(x):
    """Tangent: t + low of the angle that is left, or -1 / (t + low) with the division's error put right."""
    n = bits(fma(x, 0.6366197723675814, 6755399441055744.0))
    r, low = angle_f64(x), angle_low_f64(x)
    z = r * r
    v = fma(r * z, poly(z, 0.3333333333333334, 0.13333333333331565, 0.05396825396939263, 0.021869488499500735,
        0.008863236229684298, 0.003592119326218133, 0.001455909336930261, 0.0005895643754125191,
        0.0002412342987968184, 8.976955734616456e-05, 5.750237316612645e-05, -1.893356650354865e-05,
        5.5866663197668925e-05, -4.8064704984478685e-05, 3.6941127902917964e-05, -1.5548992368453113e-05,
        3.719392986815265e-06), low * (1.0 + z))
    t = r + v
    y = -1.0 / t
    y = select((n & 1) != 0, fma(y, fma(y, v - (t - r), fma(y, t, 1.0)), y), t)
    return select(x == 0.0, x, select(abs(x) < 1125899906842624.0, y, math.nan))


@lane(float64)
def atan_unit_f64(t):
    """atan(t) for 0 <= t <= 1."""
    z = t * t
    p = poly(z, -0.3333333333333307, 0.1999999999995186, -0.14285714282597448, 0.11111111007652272,
        -0.0909090701283448, 0.07692279926669063, -0.0666640443683319, 0.0588052751005389, -0.05253503674480969,
        0.04722219748342484, -0.042187606255783924, 0.0366300959494521, -0.029879560579038886, 0.02194776987726226,
        -0.013858475619631933, 0.0071614105678514195, -0.0028640185111177513, 0.0008229037470254882,
        -0.0001501056989538409, 1.2995394479267235e-05)
    return fma(t * z, p, t)


@lane(float64)
def atan_f64(x):
    """Inverse tangent: beyond 1, pi/2 - atan(1 / |x|)."""
    z = abs(x)
    far = z > 1.0
    r = atan_unit_f64(select(far, 1.0 / z, z))
    return copysign(select(far, 1.5707963267948966 - (r - 6.123233995736766e-17), r), x)


@lane(float64)
def atan2_f64(y, x):
    """Angle of the point (x, y): atan of the smaller size over the larger, then the octant."""
    a, b = abs(y), abs(x)
    steep, left = a > b, bits(x) < 0
    t = select(steep, b, a) / select(steep, a, b)
    t = select(a == b, select(a == 0.0, float64(0), float64(1)), t)  # 0/0 and inf/inf
    r = atan_unit_f64(t)
    r = select(steep ^ left, -r, r)
    high = select(steep, 1.5707963267948966, select(left, float64(3.141592653589793), float64(0)))
    low = select(steep, 6.123233995736766e-17, select(left, float64(1.2246467991473532e-16), float64(0)))
    return copysign(high + (r + low), y)


@lane(float64)
def asin_rest_f64(z):
    """asin(s) / s - 1 for z = s^2 <= 1/4."""
    return z * poly(z, 0.1666666666666676, 0.07499999999970797, 0.04464285717461455, 0.030381942707678154,
        0.022372214990069143, 0.017351611978435526, 0.013980820887660167, 0.011398909964355575, 0.010780263271435789,
        0.003706375247042586, 0.021707517347917732, -0.020999149698302022, 0.032628672328346486)


@lane(float64)
def asin_f64(x):
    """Inverse sine: beyond 1/2, pi/2 - 2 asin(sqrt((1 - |x|) / 2))."""
    a = abs(x)
    far = a > 0.5
    z = select(far, fma(-0.5, a, 0.5), a * a)
    s = select(far, sqrt(z), a)
    p = asin_rest_f64(z)
    twice = -2.0 * s
    u = 1.5707963267948966 + twice
    low = ((1.5707963267948966 - u) + twice) + 6.123233995736766e-17
    y = select(far, u + fma(twice, p, low), fma(s, p, s))
    return copysign(y, x)


@lane(float64)
def acos_f64(x):
    """Inverse cosine: pi/2 - asin(x), or 2 asin(sqrt((1 - |x|) / 2)) and its complement beyond 1/2."""
    a = abs(x)
    far = a > 0.5
    z = select(far, fma(-0.5, a, 0.5), a * a)
    s = select(far, sqrt(z), x)
    p = asin_rest_f64(z)
    r = fma(s, p, s)
    near = 1.5707963267948966 - (r - 6.123233995736766e-17)
    twice = r + r
    return select(far, select(x < 0.0, 3.141592653589793 - (twice - 1.2246467991473532e-16), twice), near)

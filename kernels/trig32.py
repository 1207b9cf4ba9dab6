"""mathlib's float32 functions of angles; see `mathlib.py` for what they promise and `math32.py` for the tricks."""
import math

from numpy import float32, float64

from .lanes import bits, cast, copysign, fma, lane, poly, select, sqrt


@lane(float64)
def reduced_f64(x, n):
    """x - n pi/2 of a float32 x no larger than 2**50, all but n 2**-109; -0 stays -0."""
    return fma(n, -6.123233995736766e-17, fma(n, -1.5707963267948966, x))


@lane(float32)
def quarter_f32(x, shift):
    """sin(x + shift pi/2) of a float32 x, shift 0 or 1; the angle is reduced in float64."""
    w = cast(x, float64)
    t = fma(w, 0.6366197723675814, 6755399441055744.0 + shift)
    r = reduced_f64(w, t - (6755399441055744.0 + shift))
    z = r * r
    s = r * poly(z, 1.0, -0.166666666150297, 0.00833332654286506, -0.000198384929630925, 2.71092311389968e-06)
    c = poly(z, 1.0, -0.499999994333402, 0.0416665921344018, -0.001388584015875, 2.43093883155101e-05)
    y = select((bits(t) & 1) != 0, c, s)
    y = cast(select((bits(t) & 2) != 0, -y, y), float32)
    return select(abs(x) < 1125899906842624.0, y, math.nan)


@lane(float32)
def sin_f32(x):
    """Sine."""
    return quarter_f32(x, 0)


@lane(float32)
def cos_f32(x):
    """Cosine."""
    return quarter_f32(x, 1)


@lane(float32)
def tan_f32(x):
    """Tangent: t or -1 / t of the angle that is left, reduced in float64."""
    w = cast(x, float64)
    t = fma(w, 0.6366197723675814, 6755399441055744.0)
    r = reduced_f64(w, t - 6755399441055744.0)
    z = r * r
    p = poly(z, 0.3333332998317501, 0.13333492870370545, 0.053942468770082436, 0.022069137869359982,
        0.008019935053969281, 0.005620025425354835, -0.0012472388782249861, 0.002313929300472883)
    y = cast(fma(r * z, p, r), float32)
    y = select((bits(t) & 1) != 0, -1.0 / y, y)
    return select(abs(x) < 1125899906842624.0, y, math.nan)


@lane(float32)
def atan_unit_f32(t):
    """atan(t) for 0 <= t <= 1."""
    z = t * t
    p = poly(z, -0.333333, 0.1999853, -0.14264016, 0.10951801, -0.08406875, 0.05811595, -0.03144448, 0.011117125,
        -0.0018518441)
    return fma(t * z, p, t)


@lane(float32)
def atan_f32(x):
    """Inverse tangent: beyond 1, pi/2 - atan(1 / |x|)."""
    z = abs(x)
    far = z > 1.0
    r = atan_unit_f32(select(far, 1.0 / z, z))
    return copysign(select(far, 1.57079637 - (r + 4.37113883e-08), r), x)


@lane(float32)
def atan2_f32(y, x):
    """Angle of the point (x, y): atan of the smaller size over the larger, then the octant."""
    a, b = abs(y), abs(x)
    steep, left = a > b, bits(x) < 0
    t = select(steep, b, a) / select(steep, a, b)
    t = select(a == b, select(a == 0.0, float32(0), float32(1)), t)  # 0/0 and inf/inf
    r = atan_unit_f32(t)
    r = select(steep ^ left, -r, r)
    high = select(steep, 1.57079637, select(left, float32(3.14159274), float32(0)))
    low = select(steep, -4.37113883e-08, select(left, float32(-8.74227766e-08), float32(0)))
    return copysign(high + (r + low), y)


@lane(float32)
def asin_rest_f32(z):
    """asin(s) / s - 1 for z = s^2 <= 1/4."""
    return z * poly(z, 0.16666752, 0.074953094, 0.04546915, 0.02418478, 0.042158354)


@lane(float32)
def asin_f32(x):
    """Inverse sine: beyond 1/2, pi/2 - 2 asin(sqrt((1 - |x|) / 2))."""
    a = abs(x)
    far = a > 0.5
    z = select(far, fma(-0.5, a, 0.5), a * a)
    s = select(far, sqrt(z), a)
    p = asin_rest_f32(z)
    twice = -2.0 * s
    u = 1.57079637 + twice
    low = ((1.57079637 - u) + twice) - 4.37113883e-08
    y = select(far, u + fma(twice, p, low), fma(s, p, s))
    return copysign(y, x)


@lane(float32)
def acos_f32(x):
    """Inverse cosine: pi/2 - asin(x), or 2 asin(sqrt((1 - |x|) / 2)) and its complement beyond 1/2."""
    a = abs(x)
    far = a > 0.5
    z = select(far, fma(-0.5, a, 0.5), a * a)
    s = select(far, sqrt(z), x)
    p = asin_rest_f32(z)
    r = fma(s, p, s)
    near = 1.57079637 - (r + 4.37113883e-08)
    twice = r + r
    return select(far, select(x < 0.0, 3.14159274 - (twice + 8.74227766e-08), twice), near)

"""mathlib's float32 functions of angles; see `mathlib.py` for what they promise and `math32.py` for the tricks."""
import math

from numpy import float32, float64, int32, int64

from .lanes import bits, cast, copysign, fma, lane, poly, select, sqrt


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
def tan_f32(x):
    """Tangent: t or -1 / t of the angle that is left, reduced in float64."""
    w = cast(x, float64)
    t = fma(w, 0.6366197723675814, 6755399441055744.0)
    r = reduced_f64(w)
    z = r * r
    p = poly(z, 0.3333332998317501, 0.13333492870370545, 0.053942468770082436, 0.022069137869359982,
        0.008019935053969281, 0.005620025425354835, -0.0012472388782249861, 0.002313929300472883)
    y = cast(fma(r * z, p, r), float32)
    y = select((bits(t) & 1) != 0, -1.0 / y, y)
    return select(x == 0.0, x, select(abs(x) < 1125899906842624.0, y, math.nan))


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

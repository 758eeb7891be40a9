"""Elementary functions and samplers of + - * / and sqrt alone: the same bits on every target.

`log` and `exp` follow the classical argument reductions (x = 2^k f with f in [sqrt(1/2), sqrt(2)); x = k ln 2 + r)
with minimax polynomials of the public fdlibm constants; error below 1 ulp on normal numbers (tested against exact
arithmetic). `normal` inverts the distribution function with the rational approximations of Wichura 1988
(algorithm AS 241, PPND16, relative error 1e-16) [source]. `gamma` is the rejection sampler of Marsaglia and Tsang
2000 [source], `beta` the ratio of two gammas. No fused multiply-add may enter, or targets part ways.
Where every iteration of an inner loop is another replicate, `log_each` and `exp_each` are 3 and 8 times as fast as
`log` and `exp`, which are faster for single numbers.
"""

from __future__ import annotations

from math import sqrt

from theorylab.compiler import kernel
from theorylab.rng import draw_indexed

__all__ = ["beta", "exp", "exp_each", "gamma", "log", "log_each", "normal", "normal_inverse", "normal_of"]

LN2_HI, LN2_LO, INV_LN2 = 6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.44269504088896338700
HALF_CELL = 5.551115123125783e-17  # 2^-54, half the spacing of drawn doubles
SQRT2 = 1.41421356237309504880
L1, L2, L3, L4 = 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01
L5, L6, L7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01
E1, E2, E3 = 1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05
E4, E5 = -1.65339022054652515390e-06, 4.13813679705723846039e-08
INF = float("inf")
NAN = float("nan")


@kernel
def log_of(x, k):
    """log(2^k x), x in [2^-64, 2^64): powers of two are taken off without rounding, down to [sqrt(1/2), sqrt(2))."""
    if x < 1.0:
        x = x * 18446744073709551616.0
        k -= 64
    if x >= 4294967296.0:
        x = x * 2.3283064365386963e-10
        k += 32
    if x >= 65536.0:
        x = x * 1.52587890625e-05
        k += 16
    if x >= 256.0:
        x = x * 0.00390625
        k += 8
    if x >= 16.0:
        x = x * 0.0625
        k += 4
    if x >= 4.0:
        x = x * 0.25
        k += 2
    if x >= 2.0:
        x = x * 0.5
        k += 1
    if x >= SQRT2:
        x = x * 0.5
        k += 1
    f = x - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (L2 + w * (L4 + w * L6))
    t2 = z * (L1 + w * (L3 + w * (L5 + w * L7)))
    r = t2 + t1
    half = 0.5 * f * f
    return k * LN2_HI - ((half - (s * (half + r) + k * LN2_LO)) - f)


@kernel
def exp_of(x, k):
    """exp(x) / 2^k, k the integer nearest to x / ln 2."""
    hi = x - k * LN2_HI
    lo = k * LN2_LO
    r = hi - lo
    t = r * r
    c = r - t * (E1 + t * (E2 + t * (E3 + t * (E4 + t * E5))))
    return 1.0 - ((lo - (r * c) / (2.0 - c)) - hi)


@kernel
def log(x):
    """Natural logarithm; log(0) = -inf, NaN for negative numbers and NaN."""
    if x != x or x < 0.0:
        return NAN
    if x == 0.0:
        return -INF
    if x == INF:
        return INF
    k = 0
    while x >= 18446744073709551616.0:  # 2^64: powers of two scale without rounding
        x = x * 5.421010862427522e-20
        k += 64
    while x < 5.421010862427522e-20:
        x = x * 18446744073709551616.0
        k -= 64
    return log_of(x, k)


@kernel
def exp(x):
    """Exponential function; 0 below the smallest normal number, inf above the largest."""
    if x != x:
        return NAN
    if x > 709.782712893384:
        return INF
    if x < -708.3964185322641:
        return 0.0
    k = int(INV_LN2 * x + (0.5 if x >= 0.0 else -0.5))
    y = exp_of(x, k)
    base = 2.0
    n = k
    if n > 1023:  # 2^1024 overflows, y 2^1024 does not
        y = y * 2.0
        n = n - 1
    if n < 0:
        base = 0.5
        n = -n
    while n > 0:
        if n % 2 == 1:
            y = y * base
        base = base * base
        n = n // 2
    return y


@kernel
def log_each(x):
    """The bits of `log` without a branch: a loop over replicates side by side becomes vector instructions."""
    z = x if 0.0 < x < INF else 1.0
    k = 0
    if z >= 1.3407807929942597e154:
        z = z * 7.458340731200207e-155
        k += 512
    if z >= 1.157920892373162e77:
        z = z * 8.636168555094445e-78
        k += 256
    if z >= 3.402823669209385e38:
        z = z * 2.938735877055719e-39
        k += 128
    if z >= 18446744073709551616.0:
        z = z * 5.421010862427522e-20
        k += 64
    if z < 7.458340731200207e-155:
        z = z * 1.3407807929942597e154
        k -= 512
    if z < 8.636168555094445e-78:
        z = z * 1.157920892373162e77
        k -= 256
    if z < 2.938735877055719e-39:
        z = z * 3.402823669209385e38
        k -= 128
    if z < 5.421010862427522e-20:
        z = z * 18446744073709551616.0
        k -= 64
    if z < 5.421010862427522e-20:
        z = z * 18446744073709551616.0
        k -= 64
    y = log_of(z, k)
    y = -INF if x == 0.0 else y
    y = INF if x == INF else y
    return y if x >= 0.0 else NAN


@kernel
def exp_each(x):
    """The bits of `exp` without a branch: a loop over replicates side by side becomes vector instructions."""
    z = x if -708.3964185322641 <= x <= 709.782712893384 else 0.0
    k = int(INV_LN2 * z + (0.5 if z >= 0.0 else -0.5))
    y = exp_of(z, k)
    n = k - 1 if k > 1023 else abs(k)
    y = y * 2.0 if k > 1023 else y
    power = 1.0 * (1 << (n & 31))
    power = power * 4294967296.0 if n & 32 else power
    power = power * 18446744073709551616.0 if n & 64 else power
    power = power * 3.402823669209385e38 if n & 128 else power
    power = power * 1.157920892373162e77 if n & 256 else power
    power = power * 1.3407807929942597e154 if n & 512 else power
    y = y / power if k < 0 else y * power
    y = INF if x > 709.782712893384 else y
    y = 0.0 if x < -708.3964185322641 else y
    return y if x == x else NAN


@kernel
def normal_inverse(u):
    """Quantile of the standard normal distribution at u in (0, 1)."""
    q = u - 0.5
    if -0.425 <= q <= 0.425:
        r = 0.180625 - q * q
        top = 2509.0809287301226727 * r + 33430.575583588128105
        top = (top * r + 67265.770927008700853) * r + 45921.953931549871457
        top = ((top * r + 13731.693765509461125) * r + 1971.5909503065514427) * r + 133.14166789178437745
        bottom = 5226.495278852545925 * r + 28729.085735721942674
        bottom = (bottom * r + 39307.89580009271061) * r + 21213.794301586595867
        bottom = ((bottom * r + 5394.1960214247511077) * r + 687.1870074920579083) * r + 42.313330701600911252
        return q * (top * r + 3.387132872796366608) / (bottom * r + 1.0)
    r = u if q < 0.0 else 1.0 - u
    if r <= 0.0:
        return -INF if q < 0.0 else INF
    r = sqrt(-log(r))
    if r <= 5.0:
        r = r - 1.6
        top = 7.7454501427834140764e-4 * r + 0.0227238449892691845833
        top = (top * r + 0.24178072517745061177) * r + 1.27045825245236838258
        top = ((top * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r + 4.6303378461565452959
        top = top * r + 1.42343711074968357734
        bottom = 1.05075007164441684324e-9 * r + 5.475938084995344946e-4
        bottom = (bottom * r + 0.0151986665636164571966) * r + 0.14810397642748007459
        bottom = ((bottom * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r + 2.05319162663775882187
        bottom = bottom * r + 1.0
    else:
        r = r - 5.0
        top = 2.01033439929228813265e-7 * r + 2.71155556874348757815e-5
        top = (top * r + 0.0012426609473880784386) * r + 0.026532189526576123093
        top = ((top * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r + 5.4637849111641143699
        top = top * r + 6.6579046435011037772
        bottom = 2.04426310338993978564e-15 * r + 1.4215117583164458887e-7
        bottom = (bottom * r + 1.8463183175100546818e-5) * r + 7.868691311456132591e-4
        bottom = ((bottom * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r + 0.59983220655588793769
        bottom = bottom * r + 1.0
    z = top / bottom
    return -z if q < 0.0 else z


@kernel
def normal_of(u):
    """Quantile at the midpoint u + 2^-54 of a drawn cell, u in [0, 1): finite, and odd about 1/2 to the last bit."""
    if u < 0.5:
        return normal_inverse(u + HALF_CELL)
    return -normal_inverse((1.0 - u) - HALF_CELL)


@kernel
def normal(rng, visit, site, purpose):
    """A standard normal draw at an address, by inversion; never infinite."""
    u, _ = draw_indexed(rng, visit, site, purpose, 0)
    return normal_of(u)


@kernel
def gamma(rng, visit, site, purpose, shape, start):
    """A Gamma(shape, 1) draw, shape > 0, from block `start` of an address on; blocks used: returned as second."""
    boost = 1.0
    index = start
    if shape < 1.0:
        u, _ = draw_indexed(rng, visit, site, purpose, index)
        index += 1
        boost = exp(log(u + HALF_CELL) / shape)
        shape = shape + 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / sqrt(9.0 * d)
    while True:
        u, w = draw_indexed(rng, visit, site, purpose, index)
        index += 1
        x = normal_of(u)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if w < 1.0 - 0.0331 * (x * x) * (x * x):  # the paper's squeeze: it implies the test below
                return d * v * boost, index
            if log(w + HALF_CELL) < 0.5 * x * x + d - d * v + d * log(v):
                return d * v * boost, index


@kernel
def beta(rng, visit, site, purpose, a, b):
    """A Beta(a, b) draw at an address; a, b > 0."""
    x, used = gamma(rng, visit, site, purpose, a, 0)
    y, _ = gamma(rng, visit, site, purpose, b, used)
    return x / (x + y)

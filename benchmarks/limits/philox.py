"""Philox4x32-10 and the logarithm, written again for the hand-written loops.

The address of a draw is the library's: counter (visit, site, replicate, purpose), key = the two words of the seed.
`both` gives the two doubles of a block; `log` is the library's polynomial with the exponent read from the bits of x,
for positive normal x. Both return the same bits as `theorylab.rng.draw` and `theorylab.special.log`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

JIT = dict(nogil=True, error_model="numpy", forceinline=True)
ENVIRONMENT, INITIAL = np.uint64(0), np.uint64(1)
M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
S32, S11, MASK = np.uint64(32), np.uint64(11), np.uint64(0xFFFFFFFF)
SCALE = 2.0**-53
LN2_HI, LN2_LO, SQRT2 = 6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.41421356237309504880
L1, L2, L3, L4 = 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01
L5, L6, L7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01


def words(seed: int) -> tuple[np.uint64, np.uint64]:
    """The two key words of a seed."""
    return np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)


@njit(**JIT)
def both(visit, site, replicate, purpose, k0, k1):
    """Two doubles in [0, 1) at an address; all six arguments are np.uint64."""
    c0, c1, c2, c3 = visit, site, replicate, purpose
    for _ in range(10):
        p0 = M0 * c0
        p1 = M1 * c2
        c0 = (p1 >> S32) ^ c1 ^ k0
        c1 = p1 & MASK
        c2 = (p0 >> S32) ^ c3 ^ k1
        c3 = p0 & MASK
        k0 = (k0 + W0) & MASK
        k1 = (k1 + W1) & MASK
    return np.int64(((c0 << S32) | c1) >> S11) * SCALE, np.int64(((c2 << S32) | c3) >> S11) * SCALE


@njit(**JIT)
def log(x):
    """Natural logarithm of a positive normal number."""
    bits = np.float64(x).view(np.int64)
    k = (bits >> 52) - 1023
    x = np.int64((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64)
    if x >= SQRT2:
        x *= 0.5
        k += 1
    f = x - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    r = z * (L1 + w * (L3 + w * (L5 + w * L7))) + w * (L2 + w * (L4 + w * L6))
    half = 0.5 * f * f
    return k * LN2_HI - ((half - (s * (half + r) + k * LN2_LO)) - f)


@njit(**JIT)
def successor(succ, cum, row, u):
    """Next state of a row: the count of cumulative probabilities at or below u, without a branch to mispredict."""
    j = 0
    for i in range(cum.shape[1]):
        j += u >= cum[row, i]
    return succ[row, j]

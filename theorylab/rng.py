"""Addressed randomness: Philox4x32-10 as a pure function of an address.

Every draw is identified by what it is for, never by when it happens:

    key      = the 64-bit study seed, as two 32-bit words
    counter  = (visit, site, replicate, purpose + 256 * draw index)

A site is an arm, or the cell (h, s, a) flattened in C order; the visit is how often the *environment* has served
that site before. So a run does not depend on the number of replicates, the batch split, the number of workers, a
restart or the target, one replicate can be replayed alone, and two learners on one model share the
outcome of the n-th visit to each site. Reference: Salmon, Moraes, Dror, Shaw 2011 (Philox, Random123) [source:
known answers]. One block gives four 32-bit words, used as two doubles in [0, 1) with 53 bits each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from theorylab.compiler import i64, kernel, u64
from theorylab.errors import InputError

__all__ = ["CONTROL", "ENVIRONMENT", "INITIAL", "LEARNER", "Rng", "double", "draw", "key_words", "philox", "uniforms"]

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
S32, MASK = np.uint64(32), np.uint64(0xFFFFFFFF)
S11, S8 = np.uint64(11), np.uint64(8)
SCALE = 2.0**-53

#: purposes (8 bits): what a draw is for
ENVIRONMENT, INITIAL, LEARNER, CONTROL = 0, 1, 2, 3


class Rng(NamedTuple):
    """Address space of one replicate: the two key words and the replicate's index, as unsigned 64-bit words."""

    k0: int
    k1: int
    replicate: int


def key_words(seed: int) -> tuple[np.uint64, np.uint64]:
    """The two 32-bit key words of a study seed in [0, 2^64)."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) < 2**64:
        raise InputError(f"seed {seed!r} is not an integer in [0, 2^64); give such an integer")
    return np.uint64(int(seed) & 0xFFFFFFFF), np.uint64(int(seed) >> 32)


@kernel
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds on six unsigned integers that hold 32-bit words; four words back."""
    for _ in range(10):
        p0 = M0 * c0
        p1 = M1 * c2
        n0 = (p1 >> S32) ^ c1 ^ k0
        n1 = p1 & MASK
        n2 = (p0 >> S32) ^ c3 ^ k1
        n3 = p0 & MASK
        c0 = n0
        c1 = n1
        c2 = n2
        c3 = n3
        k0 = (k0 + W0) & MASK
        k1 = (k1 + W1) & MASK
    return c0, c1, c2, c3


@kernel
def double(a, b):
    """A double in [0, 1) from two 32-bit words: the top 53 of their 64 bits."""
    return i64(((a << S32) | b) >> S11) * SCALE


@kernel
def draw(rng, visit, site, purpose):
    """Two independent doubles in [0, 1) at an address."""
    a, b, c, d = philox(u64(visit), u64(site), rng.replicate, u64(purpose), rng.k0, rng.k1)
    return double(a, b), double(c, d)


@kernel
def draw_indexed(rng, visit, site, purpose, index):
    """As `draw`, the `index`-th block (24 bits) of one address: for samplers that reject."""
    word = u64(purpose) | (u64(index) << S8)
    a, b, c, d = philox(u64(visit), u64(site), rng.replicate, word, rng.k0, rng.k1)
    return double(a, b), double(c, d)


def uniforms(seed: int, replicates: np.ndarray, visit: int, site: int, purpose: int) -> np.ndarray:
    """The first double at an address for many replicates, as an array program: shape (len(replicates),)."""
    k0, k1 = key_words(seed)
    c2 = np.asarray(replicates, dtype=np.uint64)
    c0, c1 = np.full_like(c2, visit), np.full_like(c2, site)
    c3 = np.full_like(c2, purpose)
    for _ in range(10):
        p0, p1 = M0 * c0, M1 * c2
        c0, c1, c2, c3 = (p1 >> S32) ^ c1 ^ k0, p1 & MASK, (p0 >> S32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    return (((c0 << S32) | c1) >> S11).astype(np.float64) * SCALE

"""Right-hand sides and failure probabilities of the claims on UCBVI (azar2017); levels are derived in that file."""

from __future__ import annotations

import math

import numpy as np

from theorylab.claim import Context

__all__ = [
    "bernstein_level", "bf_coverage_level", "bf_explicit", "bf_explicit_level", "bf_theorem", "ch_coverage_level",
    "ch_explicit", "ch_explicit_level", "ch_theorem", "event_level", "log_term", "tables", "transitions_level",
    "trivial",
]  # fmt: skip


def log_term(c: Context) -> float:
    """L = ln(5 S A T / delta) in nats, T = K H, apart from the learner's own."""
    return math.log(5.0 * c.S * c.A * c.T / c.delta)


def tables(c: Context) -> dict[str, float]:
    """What the probes read."""
    return {"log_term": log_term(c)}


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the largest optimal value of a first state: rewards are not negative, so no algorithm loses more."""
    return np.asarray(n, dtype=float) * float(np.max(c.V_star[0][c.mu0 > 0]))


def ch_theorem(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 1 after n episodes."""
    k, L = np.asarray(n, dtype=float), log_term(c)
    first = 20.0 * c.H**1.5 * L * np.sqrt(c.S * c.A * k)
    return np.asarray(first + 250.0 * float(c.H) ** 2 * c.S**2 * c.A * L**2)


def bf_theorem(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 2 after n episodes."""
    k, L = np.asarray(n, dtype=float), log_term(c)
    first = 30.0 * c.H * L * np.sqrt(c.S * c.A * k) + 4.0 * c.H**1.5 * np.sqrt(k * L)
    return np.asarray(first + 2500.0 * float(c.H) ** 2 * c.S**2 * c.A * L**2)


def hoeffding_union(c: Context, width: np.ndarray) -> float:
    """2 S A (H - 1) sum_n exp(-2 n width_n^2 / (H - 1)^2), at most 1: V_star_{h+1} lies in [0, H - 1]."""
    n = np.arange(1, c.T + 1)
    if c.H == 1:
        return 1e-300  # V_star_{h+1} = 0; in the theorem's favour a level may not be zero
    tail = np.exp(-2.0 * n * width**2 / (c.H - 1.0) ** 2).sum()
    return float(max(min(1.0, 2.0 * c.S * c.A * (c.H - 1) * tail), 1e-300))


def ch_coverage_level(c: Context) -> float:
    """Failure probability of |(p_hat - p) V_star_{h+1}| <= scale 7 H L / sqrt(n) for all pairs, stages and n <= T."""
    n = np.arange(1, c.T + 1)
    return hoeffding_union(c, c.scale * 7.0 * c.H * log_term(c) / np.sqrt(n))


def bf_coverage_level(c: Context) -> float:
    """The same with scale (14 H L / (3n) + H sqrt(8/n)), what the bonus is at least while N' cannot leave the cap."""
    L = log_term(c)
    if c.K > c.correction * c.H * float(c.S) ** 2 * c.A * L**2:
        return 1.0
    n = np.arange(1, c.T + 1)
    return hoeffding_union(c, c.scale * (14.0 * c.H * L / (3.0 * n) + c.H * np.sqrt(8.0 / n)))


def transitions_level(c: Context) -> float:
    """2 S^2 A T exp(-L) = 0.4 S delta."""
    return float(min(1.0, 0.4 * c.S * c.delta))


def bernstein_level(c: Context) -> float:
    """4 (H - 1) S A T exp(-L) = 0.8 (H - 1) delta."""
    return float(max(min(1.0, 0.8 * (c.H - 1) * c.delta), 1e-300))


def event_level(coverage: float, c: Context) -> float:
    """Coverage of V_star and of the transitions."""
    return float(min(1.0, coverage + transitions_level(c)))


def explicit(c: Context, n: np.ndarray, root: float, inverse: float) -> np.ndarray:
    """e (2 root R + (2 inverse + S H^2 L / 2 + S H L / 3) I + 2 H^2 S A + H sqrt(K H ln(1/delta) / 2)).

    A bonus is at most root / sqrt(n) + inverse / n; R = 2 sqrt(S A H k) and I = S A log2(1 + k/(S A)) bound the sums.
    """
    k, L, pairs = np.asarray(n, dtype=float), log_term(c), float(c.S * c.A)
    lower = c.S * c.H * L * (c.H / 2.0 + 1.0 / 3.0)
    sums = 4.0 * root * np.sqrt(pairs * c.H * k) + (2.0 * inverse + lower) * pairs * np.log2(1.0 + k / pairs)
    noise = c.H * math.sqrt(c.K * c.H * math.log(1.0 / c.delta) / 2.0)
    return np.asarray(math.e * (sums + 2.0 * float(c.H) ** 2 * pairs + noise))


def ch_explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The derived form of theorem 1 with the bonus scale 7 H L / sqrt(n)."""
    return explicit(c, n, c.scale * 7.0 * c.H * log_term(c), 0.0)


def bf_explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The derived form of theorem 2; the bonus is at most scale (H sqrt(2L/n) + 14HL/(3n) + H sqrt(8/n))."""
    L = log_term(c)
    root = c.scale * c.H * (math.sqrt(2.0 * L) + math.sqrt(8.0))
    return explicit(c, n, root, c.scale * 14.0 * c.H * L / 3.0)


def ch_explicit_level(c: Context) -> float:
    """Coverage, transitions and the martingale."""
    return float(min(1.0, event_level(ch_coverage_level(c), c) + c.delta))


def bf_explicit_level(c: Context) -> float:
    """Coverage, transitions and the martingale."""
    return float(min(1.0, event_level(bf_coverage_level(c), c) + c.delta))

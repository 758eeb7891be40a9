"""The e-processes of a violation rate, checked by exact summation and dynamic programming: no simulation.

`walk` propagates the law of the count x over n and absorbs it at the stopping tables, so that crossing probabilities
and mean stopping times are exact up to rounding. Wrong variants are put through the same sums and must fail.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import special

from theorylab.errors import InputError
from theorylab.stats import boundary, limits, log_e_refute, log_e_support, n_support, zero_violation_stop


def log_binomial(n: int, p: float) -> np.ndarray:
    x = np.arange(n + 1)
    log_c = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    return log_c + special.xlogy(x, p) + special.xlog1py(n - x, -p)


def binomial(n: int, p: float) -> np.ndarray:
    return np.exp(log_binomial(n, p))


def expectation(log_e: np.ndarray, p: float) -> float:
    """E exp(log_e[x]) for x ~ Bin(n, p), n = len(log_e) - 1; the product is formed in logs, as e^log_e overflows."""
    return float(np.exp(log_binomial(len(log_e) - 1, p) + log_e).sum())


def walk(p: float, hi: np.ndarray, lo: np.ndarray, n_max: int) -> tuple[np.ndarray, np.ndarray]:
    """(refuted[n], supported[n]): probability of stopping at n at each table, under rate p."""
    alive, least = np.ones(1), 0
    refuted, supported = np.zeros(n_max + 1), np.zeros(n_max + 1)
    for n in range(1, n_max + 1):
        g = np.zeros(alive.size + 1)
        g[:-1] = alive * (1 - p)
        g[1:] += alive * p
        k = max(0, min(int(lo[n]) - least + 1, g.size))
        supported[n], g, least = g[:k].sum(), g[k:], least + k
        k = max(0, min(int(hi[n]) - least, g.size))
        refuted[n], alive = g[k:].sum(), g[:k]
        if not alive.size:
            break
    return refuted, supported


def never(n_max: int, side: str) -> np.ndarray:
    return np.arange(1, n_max + 2) if side == "hi" else np.full(n_max + 1, -1)


def untruncated(x: np.ndarray, n: int, delta: float) -> np.ndarray:
    """A wrong e-process for H0: p <= delta: the mixture runs over all q, those below delta included."""
    return special.betaln(x + 0.5, n - x + 0.5) - np.log(np.pi) - x * np.log(delta) - (n - x) * np.log1p(-delta)


@pytest.mark.parametrize("n", [1, 7, 50, 400])
@pytest.mark.parametrize("delta", [0.5, 0.2, 0.1, 0.05, 0.01])
def test_expectation_is_one_at_the_edge_and_below_one_inside(n: int, delta: float) -> None:
    x = np.arange(n + 1)
    e_r, e_s = log_e_refute(x, n, delta), log_e_support(x, n, delta)
    assert abs(expectation(e_r, delta) - 1) < 1e-11
    assert abs(expectation(e_s, delta) - 1) < 1e-11
    below, above = [delta * f for f in (0.9, 0.6, 0.1)], [1 - (1 - delta) * f for f in (0.9, 0.6)]
    # inside the null the expectation falls as the true rate moves away from delta
    assert all(a > b for a, b in itertools.pairwise([1.0, *(expectation(e_r, p) for p in below)]))
    assert all(a > b for a, b in itertools.pairwise([1.0, *(expectation(e_s, p) for p in above)]))
    # and it has power: above delta the refuting side, below it the supporting side, grows
    assert expectation(e_r, 1 - (1 - delta) * 0.99) > 1 and expectation(e_s, below[0]) > 1


def test_expectation_in_the_text_n_50() -> None:
    log_e = log_e_refute(np.arange(51), 50, 0.05)
    assert round(expectation(log_e, 0.05), 3) == 1.0
    assert round(expectation(log_e, 0.03), 2) == 0.06


def test_wrong_variant_without_truncation_is_no_e_value() -> None:
    """The check above can fail: over all q the expectation inside the null is far above one."""
    wrong = untruncated(np.arange(51), 50, 0.1)
    assert abs(expectation(wrong, 0.1) - 1) < 1e-11  # at the edge alone it does not show
    assert expectation(wrong, 0.06) > 1.05
    assert expectation(wrong, 0.01) > 9


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.001])
@pytest.mark.parametrize("delta", [0.5, 0.2, 0.1, 0.05, 0.01])
def test_ville_exactly_both_sides(delta: float, alpha: float) -> None:
    n_max = 2000
    hi, lo = boundary(delta, alpha, n_max)
    refuted = walk(delta, hi, never(n_max, "lo"), n_max)[0].sum()
    supported = walk(delta, never(n_max, "hi"), lo, n_max)[1].sum()
    assert 0.1 * alpha < refuted <= alpha
    assert 0.1 * alpha < supported <= alpha
    # deeper inside the null the probability only falls
    assert walk(0.7 * delta, hi, never(n_max, "lo"), n_max)[0].sum() < refuted
    assert walk(1.3 * delta, never(n_max, "hi"), lo, n_max)[1].sum() < supported


def test_wrong_variant_untruncated_prior_breaks_ville() -> None:
    n_max, delta = 400, 0.1
    hi_wrong, lo_wrong = never(n_max, "hi"), never(n_max, "lo")
    for n in range(1, n_max + 1):
        x = np.arange(n + 1)
        crossed = untruncated(x, n, delta) >= np.log(20.0)
        low = np.flatnonzero(crossed & (x <= n * delta))
        high = np.flatnonzero(crossed & (x > n * delta))
        lo_wrong[n] = low[-1] if low.size else -1
        hi_wrong[n] = high[0] if high.size else n + 1
    up, down = walk(0.25 * delta, hi_wrong, lo_wrong, n_max)
    assert up.sum() + down.sum() > 0.9  # "refuted at 5 %" although the rate is a quarter of the claimed one


def test_wrong_variant_peeking_with_clopper_pearson() -> None:
    """A fixed-n exact limit looked at after every replicate: nominal 5 %, truly 31.7 %; the e-process holds."""
    n_max, delta, alpha = 2000, 0.05, 0.05
    hi_cp = never(n_max, "hi")
    for n in range(1, n_max + 1):
        x = np.arange(1, n + 1)
        hit = np.flatnonzero(special.betainc(x, n - x + 1, delta) < alpha)  # P(Bin >= x) < alpha, so lower(x) > delta
        hi_cp[n] = x[hit[0]] if hit.size else n + 1
    peeking = walk(delta, hi_cp, never(n_max, "lo"), n_max)[0].sum()
    honest = walk(delta, boundary(delta, alpha, n_max)[0], never(n_max, "lo"), n_max)[0].sum()
    assert peeking > 0.2
    assert peeking == pytest.approx(0.3171, abs=0.0005)
    assert honest == pytest.approx(0.0182, abs=0.0005)
    # one look at the same table at n_max alone does keep its level: it is the peeking that breaks it
    assert binomial(n_max, delta)[hi_cp[n_max] :].sum() <= alpha


OPERATING = [  # delta, p/delta, supported, refuted, mean n, 90 % n, cap: 3,000 simulations a cell
    (0.1, 0.0, 1.000, 0.000, 36, 36, 4000),
    (0.1, 0.25, 0.999, 0.001, 78, 140, 4000),
    (0.1, 0.5, 0.998, 0.002, 220, 440, 4000),
    (0.1, 1.0, 0.051, 0.026, 3707, 4000, 4000),
    (0.1, 1.5, 0.002, 0.998, 423, 874, 4000),
    (0.1, 2.0, 0.000, 1.000, 107, 221, 4000),
    (0.05, 0.0, 1.000, 0.000, 74, 74, 8000),
    (0.05, 0.5, 0.998, 0.002, 455, 941, 8000),
    (0.05, 1.0, 0.045, 0.019, 7526, 8000, 8000),
    (0.05, 2.0, 0.000, 1.000, 255, 516, 8000),
    (0.01, 0.0, 1.000, 0.000, 377, 377, 20000),
    (0.01, 0.5, 0.993, 0.007, 2289, 4873, 20000),
    (0.01, 2.0, 0.002, 0.998, 1595, 3128, 20000),
]


@pytest.mark.parametrize(("delta", "ratio", "supported", "refuted", "mean", "tenth", "cap"), OPERATING)
def test_operating_characteristics(
    delta: float, ratio: float, supported: float, refuted: float, mean: float, tenth: int, cap: int
) -> None:
    """Exact law of the stopping time against the simulated table: within 4 standard errors of 3,000 runs + rounding."""
    hi, lo = boundary(delta, 0.05, cap)
    r, s = walk(delta * ratio, hi, lo, cap)
    stop = r + s
    stop[cap] += max(0.0, 1 - stop.sum())
    n = np.arange(cap + 1)
    exact_mean = float(n @ stop)
    for exact, table in ((s.sum(), supported), (r.sum(), refuted)):
        assert abs(exact - table) <= 4 * np.sqrt(max(exact * (1 - exact), 1e-4) / 3000) + 0.0005
    sd = np.sqrt(max(n**2 @ stop - exact_mean**2, 0.0))
    assert abs(exact_mean - mean) <= 4 * sd / np.sqrt(3000) + 0.5
    slack = 4 * np.sqrt(0.09 / 3000)
    assert stop[: tenth + 1].sum() >= 0.9 - slack and stop[:tenth].sum() <= 0.9 + slack


STOPS = {
    0.05: (17, 36, 74, 377, 3787),
    0.01: (25, 53, 109, 556, 5585),
    0.001: (37, 77, 158, 804, 8069),
}


@pytest.mark.parametrize("alpha", STOPS)
def test_zero_violation_stop(alpha: float) -> None:
    for delta, n in zip((0.2, 0.1, 0.05, 0.01, 0.001), STOPS[alpha], strict=True):
        assert zero_violation_stop(delta, alpha) == n
        lo = boundary(delta, alpha, n)[1]
        assert lo[n] == 0 and (lo[:n] == -1).all()


def test_flat_prior_stops_later() -> None:
    """Why Jeffreys: the same stop with prior (1,1), in closed form E = (1-(1-d)^(n+1)) / ((n+1) d (1-d)^n)."""
    for delta, flat, jeffreys in ((0.1, 43, 36), (0.05, 88, 74), (0.01, 449, 377)):
        n = np.arange(1, 600)
        e = -np.expm1((n + 1) * np.log1p(-delta)) / ((n + 1) * delta * (1 - delta) ** n)
        assert n[np.argmax(e >= 20)] == flat
        assert zero_violation_stop(delta, 0.05) == jeffreys


REPLICATES = {  # fixed n that supports with c = 0, 1, 2, 5 violations, delta = 0.2 / 0.1 / 0.05 / 0.01 / 0.001
    0.05: ((14, 29, 59, 299, 2995), (22, 46, 93, 473, 4742), (30, 61, 124, 628, 6294), (50, 103, 208, 1049, 10511)),
    0.01: ((21, 44, 90, 459, 4603), (31, 64, 130, 662, 6636), (39, 81, 165, 838, 8403), (62, 127, 259, 1307, 13105)),
    0.001: (
        (31, 66, 135, 688, 6905),
        (42, 89, 181, 920, 9230),
        (52, 108, 220, 1119, 11225),
        (77, 159, 324, 1640, 16450),
    ),
}


@pytest.mark.parametrize("alpha", REPLICATES)
def test_replicates_needed_at_fixed_n(alpha: float) -> None:
    for c, row in zip((0, 1, 2, 5), REPLICATES[alpha], strict=True):
        for delta, n in zip((0.2, 0.1, 0.05, 0.01, 0.001), row, strict=True):
            assert n_support(delta, alpha, c) == n
            assert binomial(n, delta)[: c + 1].sum() <= alpha < binomial(n - 1, delta)[: c + 1].sum()
    assert n_support(0.1, alpha) == int(np.ceil(np.log(alpha) / np.log(0.9)))


@pytest.mark.parametrize("delta", [0.2, 0.1, 0.05, 0.01])
def test_limits_agree_with_the_verdicts(delta: float) -> None:
    n = zero_violation_stop(delta, 0.01)
    assert limits(0, n, 0.01)[1] <= delta < limits(0, n - 1, 0.01)[1]
    hi, _ = boundary(delta, 0.001, 200)
    x = int(hi[200])
    assert limits(x, 200, 0.001)[0] >= delta - 1e-11 > limits(x - 1, 200, 0.001)[0] - 1e-11


@pytest.mark.parametrize("p", [0.02, 0.1, 0.5])
def test_each_limit_errs_with_probability_at_most_alpha_at_any_time(p: float) -> None:
    """Dynamic programming over (n, x): the exact probability that a limit is ever on the wrong side of p."""
    alpha, n_max = 0.05, 300
    for side in (0, 1):
        law, missed = np.array([1.0]), 0.0
        for n in range(1, n_max + 1):
            law = np.concatenate([law * (1 - p), [0.0]]) + np.concatenate([[0.0], law * p])
            x = np.arange(n + 1)
            log_e = (log_e_refute, log_e_support)[side](x, np.full(n + 1, n), p)
            out = log_e >= np.log(1 / alpha)
            missed += law[out].sum()
            law = np.where(out, 0.0, law)
        assert 0.0 < missed <= alpha
    low, high = limits(7, 100, alpha)
    assert low < 0.07 < high and log_e_support(7, 100, high) >= np.log(1 / alpha) > log_e_support(7, 100, high - 1e-9)


def test_limits_at_the_ends() -> None:
    assert limits(0, 40, 0.01)[0] == 0.0 and limits(40, 40, 0.01)[1] == 1.0
    assert limits(0, 0, 0.01) == (0.0, 1.0)
    with pytest.raises(InputError):
        limits(41, 40, 0.01)

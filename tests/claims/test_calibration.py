"""How often the whole decision errs, on coins exactly at the tested rate: 2,000 sequences with fixed seeds.

At p = delta both errors are possible: REFUTED is wrong since p <= delta, and SUPPORTED is at the edge of being wrong.
Each fraction must stay within its level plus three standard errors. A rule that looks at every n without paying for it
goes through the same test and fails it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy import special

from theorylab.decide import Decision, Levels, decide_invariant, decide_rate, first_passage
from theorylab.stats import log_e_refute, log_e_support

RUNS, LENGTH = 2000, 400
Draw = Callable[[np.random.Generator, float], np.ndarray]


def coins(rng: np.random.Generator, p: float) -> np.ndarray:
    return (rng.random(LENGTH) < p).astype(float)


def fractions(rng: np.random.Generator, p: float) -> np.ndarray:
    """Numbers in [0, 1] of mean p, most of them inside: an expectation's data."""
    return np.asarray(rng.beta(0.5 * p, 0.5 * (1 - p), LENGTH))


@cache
def verdicts(draw: Draw, p: float, level: float, support: float, refute: float) -> tuple[float, float]:
    """Fractions (SUPPORTED, REFUTED)."""
    rng = np.random.Generator(np.random.Philox(key=[int(1e6 * p), int(1e6 * level)]))
    levels = Levels(support, refute, LENGTH)
    found = [decide_rate(draw(rng, p), level, levels).verdict for _ in range(RUNS)]
    return found.count("SUPPORTED") / RUNS, found.count("REFUTED") / RUNS


def most(alpha: float) -> float:
    return alpha + 3.0 * math.sqrt(alpha * (1 - alpha) / RUNS)


@pytest.mark.parametrize("draw", [coins, fractions])
@pytest.mark.parametrize(("level", "support", "refute"), [(0.1, 0.01, 0.001), (0.3, 0.1, 0.05)])
def test_errors_at_the_boundary(draw: Draw, level: float, support: float, refute: float) -> None:
    supported, refuted = verdicts(draw, level, level, support, refute)
    assert supported <= most(support)
    assert refuted <= most(refute)


def test_it_decides_away_from_the_boundary() -> None:
    assert verdicts(coins, 0.0, 0.1, 0.01, 0.001) == (1.0, 0.0)
    assert verdicts(coins, 0.4, 0.1, 0.01, 0.001) == (0.0, 1.0)
    supported, refuted = verdicts(coins, 0.1, 0.3, 0.1, 0.05)
    assert supported > 0.99 and refuted == 0.0


def test_a_rule_that_peeks_fails_the_same_test() -> None:
    """Refute once the one-sided binomial test at level 0.05 rejects at some n."""
    n = np.arange(1, LENGTH + 1)
    wrong = 0
    rng = np.random.Generator(np.random.Philox(key=1))
    for _ in range(RUNS):
        x = np.cumsum(coins(rng, 0.3))
        tail = np.where(x > 0, special.betainc(np.maximum(x, 1), n - x + 1, 0.3), 1.0)  # P(Bin(n, 0.3) >= x)
        wrong += bool(np.any(tail <= 0.05))
    assert wrong / RUNS > 3 * most(0.05)


def test_the_decision_stops_at_the_first_crossing() -> None:
    x = np.concatenate([np.ones(30), np.zeros(5000)])
    early = decide_rate(x, 0.1, Levels())
    assert early.verdict == "REFUTED" and early.n < 30 and early.total == early.n
    assert decide_rate(x[: early.n - 1], 0.1, Levels()).verdict == "INCONCLUSIVE"
    assert not decide_rate(x[: early.n - 1], 0.1, Levels()).final  # more replicates may still decide
    assert decide_rate(x[: early.n - 1], 0.1, Levels(budget=early.n - 1)).final
    # a higher threshold for one of ten instances
    assert decide_rate(x, 0.1, Levels(), instances=10).n > early.n


def test_rates_that_decide_nothing() -> None:
    for level, x in ((1.0, np.ones(5)), (0.1, np.zeros(0))):
        found = decide_rate(x, level, Levels())
        assert (found.verdict, found.final, found.interval) == ("INCONCLUSIVE", True, None)


def test_invariants() -> None:
    assert decide_invariant(np.zeros(5), 10) == Decision("NO VIOLATION FOUND", 5, 0.0, 0.0, 0.0, None, False)
    assert decide_invariant(np.zeros(20), 10) == Decision("NO VIOLATION FOUND", 20, 0.0, 0.0, 0.0, None, True)
    found = decide_invariant(np.array([0, 0, 3, 1]), 10)
    assert (found.verdict, found.n, found.total, found.final) == ("REFUTED", 4, 2.0, True)
    assert decide_invariant(np.array([0, 0, 3]), 2).verdict == "REFUTED"  # a violation counts wherever it was seen


def test_the_first_passage_is_that_of_every_replicate() -> None:
    """Only ends of stretches without a violation are computed; the crossing is the one that all of them give."""
    rng = np.random.Generator(np.random.Philox(key=5))
    crossed = 0
    for _ in range(200):
        level = float(rng.choice([0.01, 0.1, 0.5]))
        size, before = int(rng.integers(1, 600)), int(rng.integers(0, 300))
        x = np.asarray(rng.random(size + before) < min(1.0, level * rng.choice([0.0, 0.5, 1.0, 3.0])), dtype=float)
        if rng.random() < 0.5:
            x *= rng.random(x.size)
        n = np.arange(1, x.size + 1)
        total, alpha = np.minimum(np.cumsum(x), n)[before:], float(rng.choice([0.05, 0.001]))
        for refute, log_e in ((True, log_e_refute), (False, log_e_support)):
            hit = np.flatnonzero(log_e(total, n[before:], level) >= math.log(1.0 / alpha))
            want = int(hit[0]) if hit.size else size
            assert first_passage(total, before, level, alpha, refute=refute) == want
            crossed += want < size
    assert crossed > 50

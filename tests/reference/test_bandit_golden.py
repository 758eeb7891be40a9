"""The transcriptions of bandit policies against golden numbers of the notes, closed forms and brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bandits.models.bernoulli import family as bernoulli
from theorylab import run

from .explore_then_commit import ExploreThenCommit
from .kl_ucb import KLUCB, d, upper
from .moss import MOSS
from .successive_elimination import SuccessiveElimination
from .thompson import Thompson


def fed(learner: Any, *plays: tuple[int, float, int]) -> Any:
    """A learner after `times` rewards r of arm a, for (a, r, times) in plays."""
    for a, r, times in plays:
        for _ in range(times):
            learner.learn(a, r)
    return learner


# MOSS


def test_moss_golden_index() -> None:
    learner = fed(MOSS(K=5, n=1000), (0, 1.0, 5), (0, 0.0, 5))
    assert learner.index[0] == pytest.approx(1.047333, abs=5e-7)
    assert np.all(learner.index[1:] == math.inf) and learner.act() == 1


def test_moss_width_is_cut_at_zero_after_n_over_k_plays() -> None:
    learner = fed(MOSS(K=2, n=100), (0, 1.0, 50), (1, 1.0, 49))
    assert learner.index[0] == 1.0 and learner.index[1] > 1.0
    learner = fed(learner, (1, 1.0, 11))
    assert learner.index.tolist() == [1.0, 1.0] and learner.act() == 0


def test_moss_scale_multiplies_the_width_only() -> None:
    one, two = (fed(MOSS(3, 60, scale), (0, 0.5, 4)).index[0] - 0.5 for scale in (1.0, 2.0))
    assert two == pytest.approx(2 * one, rel=1e-14) and one == pytest.approx(math.sqrt(math.log(5) / 4), rel=1e-14)


# KL-UCB


@pytest.mark.parametrize(
    ("mean", "N", "t", "value"), [(0.5, 10, 100, 0.887909), (0.1, 20, 1000, 0.485571), (0.0, 10, 100, 0.369043)]
)
def test_kl_ucb_golden_indices(mean: float, N: int, t: int, value: float) -> None:
    assert upper(mean, math.log(t) / N) == pytest.approx(value, abs=5e-7)
    ones = round(mean * N)
    learner = fed(KLUCB(K=2), (0, 1.0, ones), (0, 0.0, N - ones), (1, 0.5, t - 1 - N))
    assert learner.indices()[0] == pytest.approx(value, abs=5e-7)


def test_kl_ucb_closed_forms() -> None:
    assert upper(0.0, 0.3) == pytest.approx(1 - math.exp(-0.3), rel=1e-14)
    assert upper(1.0, 0.0) == 1.0 and upper(0.4, 0.0) == pytest.approx(0.4, abs=1e-8)
    assert d(0.0, 0.0) == d(1.0, 1.0) == 0.0 and d(0.5, 0.0) == d(0.5, 1.0) == math.inf
    assert d(0.5, 0.25) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3), rel=1e-14)
    assert KLUCB(2, c=3.0).level(10) == pytest.approx(math.log(10) + 3 * math.log(math.log(10)), rel=1e-14)
    assert KLUCB(1, c=3.0).level(2) == pytest.approx(math.log(2), rel=1e-14)


def test_kl_ucb_root_by_a_grid() -> None:
    grid = np.linspace(0, 1, 20_001)
    for p, level in ((0.2, 0.1), (0.7, 0.02), (0.95, 1.0)):
        inside = [q for q in grid if q >= p and d(p, float(q)) <= level]
        assert 0.0 <= upper(p, level) - max(inside) <= grid[1]


# Thompson sampling


def test_thompson_counts_and_laws() -> None:
    learner = Thompson(2)
    assert learner.laws() == [(1, 1), (1, 1)]
    learner.learn(0, 1.0, 0.999)
    learner.learn(0, 0.0, 0.0)
    learner.learn(1, 0.3, 0.29)
    learner.learn(1, 0.3, 0.30)
    assert learner.laws() == [(2, 2), (2, 2)] and learner.act(np.array([0.3, 0.3])) == 0


# Explore-then-commit


def test_explore_then_commit_by_hand() -> None:
    learner, rewards = ExploreThenCommit(k=3, m=2), iter([0.1, 0.9, 0.2, 0.3, 0.0, 0.9, 0.0, 0.0])
    played = []
    for r in rewards:
        played.append(learner.act())
        learner.learn(played[-1], r)
    # means (.2, .45, .55); what is paid afterwards is not looked at
    assert played == [0, 1, 2, 0, 1, 2, 2, 2] and learner.choice == 2


# Successive elimination


def test_successive_elimination_golden_width() -> None:
    learner = SuccessiveElimination(n=4, delta=0.1)
    for _ in range(100):
        for a in range(4):
            assert learner.act() == a
            learner.learn(a, 0.5)
    assert learner.alpha == pytest.approx(0.380902, abs=5e-7) and learner.stop is None


def test_successive_elimination_of_two_sure_arms() -> None:
    # rewards 1 and 0: the second leaves in the first round t with 2 alpha_t <= 1
    t = next(t for t in range(1, 10_000) if 2 * math.sqrt(math.log(5 * 2 * t**2 / 0.1) / t) <= 1)
    learner = SuccessiveElimination(n=2, delta=0.1)
    while learner.stop is None:
        a = learner.act()
        learner.learn(a, 1.0 - a)
    assert learner.stop == 2 * t and learner.S == [0] and learner.act() == 0
    learner.learn(0, 1.0)
    assert learner.stop == 2 * t and learner.N.tolist() == [t + 1, t]


def test_successive_elimination_keeps_a_single_arm() -> None:
    learner = fed(SuccessiveElimination(n=1, delta=0.1), (0, 0.0, 3))
    assert learner.stop == 0 and learner.act() == 0


# Regret of the fast learners, T = 1e4: means of the notes, both with their standard errors

REGRETS = {
    "moss": ("moss", (0.6, 0.4), 1500, 20.0, 0.2),
    "kl-ucb": ("kl-ucb", (0.6, 0.4), 1500, 18.2, 0.2),
    "thompson": ("thompson", (0.6, 0.4), 1500, 12.3, 0.2),
    "thompson, five arms": ("thompson", (0.9, 0.8, 0.8, 0.8, 0.8), 800, 38.2, 0.4),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "means", "replicates", "golden", "error"), REGRETS.values(), ids=REGRETS.keys())
def test_golden_regret(name: str, means: tuple[float, ...], replicates: int, golden: float, error: float) -> None:
    model = bernoulli(means=means)
    x = run(name, model, replicates=replicates, rounds=10_000, seed=20, checkpoints=[10_000])["regret"]
    spread = math.hypot(error, float(x.std()) / math.sqrt(x.size))
    # a normal deviate leaves 3 with probability 0.003, and the seed is fixed
    assert abs(float(x.mean()) - golden) <= 3 * spread, (x.mean(), spread)

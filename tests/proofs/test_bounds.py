"""Right-hand sides of theorems against numbers computed apart from them, and where they begin to say something."""

from __future__ import annotations

import math

import numpy as np
import pytest

from proofs_check.lemmas.learning_rate import false_rate_weights, rate_weights, weights
from proofs_check.papers import auer2002, jaksch2010, jin2018
from theorylab.claim import Context
from theorylab.measure import context_of
from theorylab.registry import find_claim, find_learner, find_model
from theorylab.stats import nonvacuous_from_callable


def bandit(*means: float, n: int = 10_000) -> Context:
    return context_of(find_learner("ucb1"), find_model("bernoulli")(means=means), n, {})


def at(function: object, c: Context, n: float) -> float:
    return float(function(c, np.array([float(n)]))[0])  # type: ignore[operator]


# auer2002, theorem 1


def test_ucb1_bound_by_hand() -> None:
    # one gap, 0.3: 8 ln(10^4) / 0.3 + (1 + pi^2/3) 0.3 = 245.6090766 + 1.2869604
    assert at(auer2002.bound, bandit(0.9, 0.6), 10_000) == pytest.approx(246.896037, abs=1e-6)
    # gaps 0.2 and 0.5; the two best arms have gap zero and are left out
    by_hand = 8 * math.log(500) * (1 / 0.2 + 1 / 0.5) + (1 + math.pi**2 / 3) * 0.7
    assert at(auer2002.bound, bandit(0.7, 0.7, 0.5, 0.2), 500) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(("gap", "expected"), [(0.5, 169), (0.2, 1462), (0.1, 7099)])
def test_ucb1_bound_is_below_the_trivial_one_from_here_on(gap: float, expected: int) -> None:
    c = bandit(0.75, 0.75 - gap)
    start = nonvacuous_from_callable(lambda t: at(auer2002.bound, c, t), lambda t: at(auer2002.trivial, c, t), start=2)
    assert start == expected
    n = np.arange(2.0, 10_000.0)
    below = auer2002.bound(c, n) < auer2002.trivial(c, n)
    assert n[below][0] == expected and below[expected - 2 :].all()


def test_ucb1_steps_sum_the_tail() -> None:
    c = bandit(0.9, 0.6)
    total = sum(n**-3.0 for n in range(10, 200_000))
    assert auer2002.start(c) == 10 and total <= auer2002.tail(c) <= 1.1 * total
    level = {k.id: k for k in find_claim("auer2002")}["auer2002.coverage"].kind.level(c)
    assert level == pytest.approx(2 * 2 * (1e-3 + 0.5e-2))


# jaksch2010, theorem 2


def test_ucrl2_bound_on_riverswim() -> None:
    model = find_model("riverswim")(states=6)
    c = context_of(find_learner("ucrl2"), model, 1_000_000, {"delta": 0.05})
    value = at(jaksch2010.bound, c, 1e6)
    assert f"{value:.1e}" == "1.7e+07"  # the printed number of the notes
    assert value == pytest.approx(34 * c.diameter * 6 * math.sqrt(2 * 1e6 * math.log(1e6 / 0.05)), rel=1e-12)
    assert value > at(jaksch2010.trivial, c, 1e6)  # vacuous there
    assert at(jaksch2010.bound, c, 1) == math.inf and at(jaksch2010.bound, c, 2) < math.inf  # T > 1


def test_ucrl2_coverage_level_is_the_sum_over_all_times() -> None:
    c = context_of(find_learner("ucrl2"), find_model("two-state")(), 100, {"delta": 0.3})
    assert jaksch2010.level(c) == pytest.approx(sum(0.3 / (15 * t**6) for t in range(1, 2000)), rel=1e-12)
    assert jaksch2010.ZETA6 == pytest.approx(1.017343061984449, rel=1e-14)


# jin2018


def test_learning_rate_weights_have_the_golden_sums() -> None:
    w, i = weights(20, 50), np.arange(1, 51)
    assert w.sum() == pytest.approx(1.0, abs=1e-13) and w.max() <= 2 * 20 / 50
    assert w @ w == pytest.approx(0.179396, abs=5e-7)
    assert w @ i**-0.5 == pytest.approx(0.144852, abs=5e-7)
    product = [(21 / (20 + j)) * math.prod(1 - 21 / (20 + k) for k in range(j + 1, 51)) for j in range(1, 51)]
    assert w == pytest.approx(product, rel=1e-11, abs=1e-15)


def test_the_lemma_holds_and_its_false_twin_does_not() -> None:
    for seed in range(5):
        assert rate_weights(np.random.default_rng(seed))[0] <= 1e-9
        assert false_rate_weights(np.random.default_rng(seed))[0] > 0.01


def test_ucb_h_bound_by_hand() -> None:
    model = find_model("riverswim")(states=3, horizon=4)
    c = context_of(find_learner("ucb-h"), model, 50, {"c": 1.0, "delta": 0.1})
    iota = math.log(3 * 2 * 50 * 4 / 0.1)
    assert at(jin2018.shape, c, 50) == pytest.approx(math.sqrt(256 * 6 * 200 * iota), rel=1e-12)
    noise = 4 * math.sqrt(200 * math.log(10) / 2)
    explicit = math.e * (6 * 16 + 6 * math.sqrt(256 * 6 * 200 * iota) + noise)
    assert at(jin2018.explicit, c, 50) == pytest.approx(explicit, rel=1e-12)
    # with c = 1 the union of 2 SAT Azuma bounds gives 2 delta
    assert jin2018.concentration_level(c) == pytest.approx(0.2, rel=1e-12)
    assert jin2018.explicit_level(c) == pytest.approx(0.3, rel=1e-12)
    assert at(jin2018.trivial, c, 50) == pytest.approx(50 * float(c.V_star[0] @ model.mu0), rel=1e-12)

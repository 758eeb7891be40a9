"""Bounds and levels of jin2020 and ayoub2020 by hand, golden numbers through the kernels, instances that can bite."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from mdps.models.mixture_chain import family as mixture_chain
from mdps.models.one_hot import family as one_hot
from mdps.models.riverswim import family as riverswim
from mdps.models.simplex_linear import family as simplex_linear
from proofs_check.papers import _linear_mdp_lemmas as lemmas
from proofs_check.papers import ayoub2020, jin2020
from proofs_check.papers._mixture_models import coin, key
from theorylab import plan
from theorylab.claim import Claim, Context, Instance
from theorylab.criteria import RewardLaw
from theorylab.measure import Group, context_of
from theorylab.registry import find_claim, find_learner
from theorylab.simulation import Simulation


def context(learner: str, model: Any, n: int, **params: Any) -> Context:
    return context_of(find_learner(learner), model, n, params)


def at(function: Any, c: Context, n: float) -> float:
    return float(function(c, np.array([float(n)]))[0])


def of(name: str) -> Claim:
    (claim,) = find_claim(name)
    return claim


# jin2020


def linear() -> Any:
    return simplex_linear(S=4, A=2, d=2, horizon=3, b=2)


def test_lsvi_ucb_bounds_by_hand() -> None:
    c = context("lsvi-ucb", linear(), 50, c=0.5, delta=0.1)
    iota = math.log(2 * 2 * 150 / 0.1)  # ln(2 d T / delta), T = 50 * 3
    assert c.iota == pytest.approx(iota, rel=1e-14) and c.beta == pytest.approx(0.5 * 2 * 3 * math.sqrt(iota))
    assert at(jin2020.shape, c, 20) == pytest.approx(math.sqrt(2**3 * 3**3 * 60) * iota, rel=1e-12)
    noise = 3 * math.sqrt(150 * math.log(10) / 2)
    by_hand = 2 * c.beta * 3 * math.sqrt(2 * 2 * 20 * math.log(1 + 20 / 2)) + noise
    assert at(jin2020.explicit, c, 20) == pytest.approx(by_hand, rel=1e-12)
    assert at(jin2020.trivial, c, 20) == pytest.approx(20 * float(c.V_star[0, 0]), rel=1e-12)


def test_lsvi_ucb_level_by_hand() -> None:
    model = linear()
    c = context("lsvi-ucb", model, 50, c=0.8, delta=0.1)
    # the measures of simplex-linear are laws: every positive part is 1, so W = |theta| + 3 sqrt(2)
    W = float(np.linalg.norm(model.theta)) + 3 * math.sqrt(2)
    assert jin2020.parameter_bound(model) == pytest.approx(W, rel=1e-12)
    z = (c.beta - W) / 1.5
    level = 3 * 2**4 * math.exp(-(z * z - 2 * math.log(1 + 50 / 2)) / 2)
    assert 1e-12 < level < 1 and jin2020.concentration_level(c) == pytest.approx(level, rel=1e-9)
    assert jin2020.explicit_level(c) == pytest.approx(level + 0.1, rel=1e-9)
    random = dataclasses.replace(model, reward_law=RewardLaw("bernoulli"))
    z = (c.beta - W) / 2.0  # targets fill an interval of length H + 1
    level = 3 * 2**4 * math.exp(-(z * z - 2 * math.log(1 + 50 / 2)) / 2)
    assert jin2020.concentration_level(context("lsvi-ucb", random, 50, c=0.8)) == pytest.approx(min(level, 1.0))
    assert jin2020.concentration_level(context("lsvi-ucb", model, 50, c=0.1)) == 1.0  # says nothing


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_levels_can_be_tested(profile: str) -> None:
    """Neither 1 nor so small that no run could show it."""
    for claim in (of("jin2020.confidence"), of("ayoub2020.confidence")):
        for instance in claim.on(profile):
            c = context_of(find_learner(claim.learner), instance.build(), instance.length, dict(instance.learner))
            assert 0.01 < claim.kind.level(c) < 0.5, instance


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_c_is_large_enough_for_theorem_31(profile: str) -> None:
    """Half of delta is for the confidence bounds, half for the martingale."""
    for instance in of("jin2020.thm3.1").on(profile):
        c = context_of(find_learner("lsvi-ucb"), instance.build(), instance.length, dict(instance.learner))
        assert jin2020.concentration_level(c) <= c.delta / 2, instance


def test_the_potential_of_the_explicit_form_needs_no_lower_bound_on_lam() -> None:
    """Terms min(H, 2 beta |phi|) are at most 2 beta min(1, |phi|) as soon as the level says anything."""
    model, said = linear(), 0
    for lam in (0.01, 1.0, 4.0):
        for scale in np.linspace(0.02, 1.5, 75):
            c = context("lsvi-ucb", model, 50, lam=lam, scale=float(scale))
            if jin2020.concentration_level(c) < 1.0:
                said += 1
                assert 2.0 * c.beta > c.H
    assert said > 10


def test_lsvi_ucb_explicit_bound_says_something() -> None:
    (instance,) = of("jin2020.thm3.1-explicit").on("quick")
    c = context("lsvi-ucb", instance.build(), instance.length, **instance.learner)
    n = instance.length
    assert at(jin2020.explicit, c, n) < 0.5 * at(jin2020.trivial, c, n)


def test_one_hot_golden_bonus_through_the_kernels() -> None:
    """n = 3, lam = 1, beta = 2: w = sum y / 4 and the bonus is 1."""
    learner = find_learner("lsvi-ucb")
    model = one_hot(model=riverswim(states=3, horizon=10))
    run = Simulation(learner, model, replicates=1, length=4, params={"scale": 0.0}, target="python")
    st = run.bind["VIEW"].build("python")(tuple(run.state.values()), 0)
    p = run.bind["PARAMS"].build("python")(tuple(run.params.values()))
    p = p._replace(beta=2.0)
    learner.begin.build("python")(st, p)
    assert learner.watch is not None and learner.plan is not None
    for y in (0.5, 0.25, 1.0):
        learner.watch.build("python")(st, p, 0, 9, 1, 0, y, 2)
    learner.plan.build("python")(st, p, 3, None)
    assert st.w[9, 2] == 1.75 / 4 and st.Q[9, 1, 0] == 1.75 / 4 + 1.0 and st.Q[9, 1, 1] == 2.0


def test_the_reduction_covers_every_pair_of_a_one_hot_model() -> None:
    claim = of("jin2020.isolated")
    model = one_hot(model=riverswim(states=3, horizon=3, rewards="bernoulli"))
    instance = Instance.of(model, 25, {"c": 0.05})
    group = Group([claim], find_learner("lsvi-ucb"), instance, model, dict(instance.learner))
    run = group.simulation(0, 2, seed=0, target="python").advance()
    assert run.curves().probes["lsvi-ucb.isolated"].count.max() == 0
    n = run.observed["visits"][0].reshape(3, 6)
    assert run.state["width"][0] == pytest.approx(1.0 / (n + 1.0), rel=1e-13) and n.max() > 5


# ayoub2020


def test_ucrl_vtr_bounds_by_hand() -> None:
    c = context("ucrl-vtr", coin(4), 50, B=1.5, delta=0.1)
    L = 2 * math.log(1 + 20 * 4**3 / 2)
    radius = 2 * math.sqrt(2 * math.log(10) + L) + 1.5
    noise = 4 * math.sqrt(200 * math.log(10) / 2)
    by_hand = 2 * math.sqrt(2) * radius * math.sqrt(2 * 20 * 4 * L) + 4 * L / math.log(2) + noise
    assert at(ayoub2020.explicit, c, 20) == pytest.approx(by_hand, rel=1e-12)
    assert at(ayoub2020.shape, c, 20) == pytest.approx(2 * 4 * math.sqrt(80), rel=1e-12)
    c = context("ucrl-vtr", coin(4), 50, B=1.5, delta=0.1, homogeneous=0)
    L = 2 * math.log(1 + 20 * 4**2 / 2)
    radius = 2 * math.sqrt(2 * math.log(40) + L) + 1.5
    by_hand = 2 * 4 * radius * math.sqrt(2 * 20 * L) + noise
    assert at(ayoub2020.explicit, c, 20) == pytest.approx(by_hand, rel=1e-12)
    assert at(ayoub2020.shape, c, 20) == pytest.approx(2 * 4**1.5 * math.sqrt(80), rel=1e-12)


def test_ucrl_vtr_golden_radius_through_the_kernels() -> None:
    """d=4, k=100, H=10, lam=1, B=1, delta=.05 with the trace bound: 31.5325, the printed number of the notes."""
    from mdps.learners.ucrl_vtr import estimate
    from mdps.models.mixture_random import family as mixture_random

    # one regression a stage has k samples after k episodes; its union bound over H = 10 stages is undone in delta
    given = {"homogeneous": 0, "trace": 1, "delta": 0.5, "B": 1.0}
    model = mixture_random(S=4, A=2, d=4, horizon=10)
    run = Simulation(find_learner("ucrl-vtr"), model, replicates=1, length=1, params=given, target="python")
    st = run.bind["VIEW"].build("python")(tuple(run.state.values()), 0)
    p = run.bind["PARAMS"].build("python")(tuple(run.params.values()))
    st.n[3] = 100
    estimate(st, p._replace(log_term=math.log(1 / 0.05)), 3)
    assert st.radius[3] == pytest.approx(31.5325, abs=5e-5)
    assert p.log_term == pytest.approx(math.log(10 / 0.5), rel=1e-14)


def test_ucrl_vtr_level_is_delta_or_nothing() -> None:
    def level(model: Any, **given: Any) -> float:
        return ayoub2020.confidence_level(context("ucrl-vtr", model, 10, **{"B": 2.0, "delta": 0.2, **given}))

    assert level(coin(4)) == 0.2 and level(coin(4), homogeneous=0) == 0.2 and level(coin(4), scale=2.0) == 0.2
    assert level(coin(4), B=0.9) == 1.0  # |theta| = 1
    assert level(coin(4), scale=0.5) == 1.0
    chain = mixture_chain(d=2, horizon=3, K=100)  # theta depends on the stage
    assert level(chain) == 1.0 and level(chain, homogeneous=0) == 0.2


def test_ucrl_vtr_explicit_bound_says_something() -> None:
    (instance,) = of("ayoub2020.regret-explicit").on("quick")
    c = context("ucrl-vtr", instance.build(), instance.length, **instance.learner)
    assert at(ayoub2020.explicit, c, instance.length) < 0.8 * at(ayoub2020.trivial, c, instance.length)


def test_the_two_models() -> None:
    assert plan(key(8, 3).tabular()).V[0] == pytest.approx([1.9, 2.9])
    assert plan(coin(6, 0.3).tabular()).V[0] == pytest.approx([1.5, 6.0, 0.0])
    for model in (key(8, 3), coin(6)):
        assert model.value_feature_norm <= 1 + 1e-12 and model.kernel_error < 1e-15
    assert coin(6).parameter_norm == pytest.approx(1.0)


def test_the_noise_of_the_coin_fills_the_interval() -> None:
    """The learner's values of the two outcomes are H and 0, at once and for ever: the worst case of R = H/2."""
    run = Simulation(find_learner("ucrl-vtr"), coin(6), replicates=1, length=5, params={"B": 1.01}, target="python")
    run.advance()
    V = run.state["V"][0]
    assert V[1, 1] == 6.0 and V[:, 2].max() == 0.0


# both


def test_small_instances_leave_the_cap() -> None:
    """Where everything lies above the cap no fault in a backup could show."""
    for claim in (of("jin2020.normal-equations"), of("ayoub2020.normal-equations")):
        instance = claim.control_instance
        assert instance is not None
        model = instance.build()
        spec = find_learner(claim.learner)
        run = Simulation(
            spec, model, replicates=1, length=instance.length, params=dict(instance.learner), target="python"
        )
        Q = run.advance().state["Q"][0]
        assert (Q[: model.H - 1] < model.H).any()


@pytest.mark.parametrize(
    ("lemma", "twin"),
    [(lemmas.corners, lemmas.false_corners), (lemmas.doubling, lemmas.false_doubling)],
    ids=["corners", "doubling"],
)
def test_lemmas_hold_and_their_false_twins_do_not(lemma: Any, twin: Any) -> None:
    for seed in range(3):
        assert lemma(np.random.default_rng(seed))[0] <= 1e-9
        assert twin(np.random.default_rng(seed))[0] > 0.01

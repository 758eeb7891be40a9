"""fruit2020 and filippi2010: bounds and levels by hand, the union bounds by simulation, the lemmas, periodic models."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from proofs_check.lemmas import inner_maximum
from proofs_check.mutants import kl_ucrl as kl_faults
from proofs_check.mutants import ucrl2b as ucrl2b_faults
from proofs_check.mutants._generic import FAULTS
from proofs_check.papers import filippi2010, fruit2020
from tests.reference.ucrl2b import half_width
from theorylab.claim import Context, HighProbability
from theorylab.errors import InputError
from theorylab.learner import Learner, resolve
from theorylab.measure import context_of
from theorylab.registry import find_claim, find_learner, find_model
from theorylab.run import run


def context(name: str, length: int = 10_000, **params: float) -> Context:
    return context_of(find_learner(name), find_model("riverswim")(states=6), length, params)


def at(function: Any, c: Context, n: float) -> float:
    return float(function(c, np.array([float(n)]))[0])


# Bounds


def test_ucrl2b_shape_by_hand() -> None:
    c = context("ucrl2b", delta=0.1)
    assert fruit2020.branching(c) == 3
    logs = math.log(1e5 / 0.1) * math.log(1e5)
    by_hand = math.sqrt(c.diameter * 3 * 6 * 2 * 1e5 * logs) + c.diameter**2 * 36 * 2 * logs
    assert at(fruit2020.shape, c, 1e5) == pytest.approx(by_hand, rel=1e-12)
    assert at(fruit2020.shape, c, 1) == math.inf and at(fruit2020.shape, c, 2) < math.inf
    assert at(fruit2020.trivial, c, 100) == pytest.approx(42.86224338, abs=1e-7)


def test_kl_ucrl_shape_by_hand() -> None:
    c = context("kl-ucrl", delta=0.1)
    by_hand = c.diameter * 6 * math.sqrt(2 * 1e5 * math.log(math.log(1e5) / 0.1))
    assert at(filippi2010.shape, c, 1e5) == pytest.approx(by_hand, rel=1e-12)
    assert at(filippi2010.shape, c, 5) == math.inf and at(filippi2010.shape, c, 6) < math.inf


# Levels


def test_ucrl2b_levels() -> None:
    c = context("ucrl2b", delta=0.3)
    # 3 cells sum (delta / (6 S A n))^2 with S^2 A = 72 entries and S A = 12 rewards
    series = sum(1.0 / n**2 for n in range(1, 10_001))
    assert fruit2020.level_p(c) == pytest.approx(3 * 72 * (0.3 / 72) ** 2 * series, rel=1e-10)
    assert fruit2020.level_p(c) <= 0.09 * math.pi**2 / (72 * 2) and fruit2020.level_r(c) <= 0.09 * math.pi**2 / (
        72 * 12
    )
    assert fruit2020.level(c) == pytest.approx(fruit2020.level_p(c) + fruit2020.level_r(c), rel=1e-12)
    assert fruit2020.level(context("ucrl2b", delta=0.3, scale=0.5)) == 1.0  # nothing is promised there
    older = context("ucrl2b", delta=0.3, form=1)
    power = sum((0.3 / (24 * n)) ** (49 / 9) for n in range(1, 10_001))
    assert fruit2020.level_p(older) == pytest.approx(3 * 72 * power, rel=1e-10)


def test_kl_ucrl_levels() -> None:
    # C_P is made so that the balls fail with about delta, C_R so that the intervals fail with about 2 delta
    for T in (100, 10_000, 10_000_000):
        for delta in (0.01, 0.1):
            c = context("kl-ucrl", T, delta=delta)
            assert 0.5 * delta < filippi2010.level_p(c) <= 1.05 * delta
            assert 1.7 * delta < filippi2010.level_r(c) <= 2.2 * delta
    c = context("kl-ucrl", 1000, delta=0.05)
    assert filippi2010.constants(c) == pytest.approx((float(c.C_P), float(c.C_R)), rel=1e-14)
    # g^(1/4) = 1 + sqrt(.005) gives the exponent 2 (1 - .005) = 1.99
    slices = math.ceil(math.log(1000) / math.log((1 + math.sqrt(0.005)) ** 4))
    by_hand = 2 * 12 * slices * 0.05 / (4 * 12 * math.log(1000))
    assert filippi2010.level_r(c) == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.parametrize("key", ["fruit2020", "filippi2010"])
def test_what_holds_with_high_probability_says_so(key: str) -> None:
    kinds = {c.id.split(".")[1] for c in find_claim(key) if isinstance(c.kind, HighProbability)}
    assert kinds == {"thm1", "coverage", "reward-coverage", "optimism"}


# The inequalities behind the levels, on long runs of draws


def test_boxes_hold_over_long_uniform_runs() -> None:
    """Every entry of a row stays in its box at every n of a run of 20000 draws (check of the notes)."""
    rng = np.random.default_rng(0)
    n = np.arange(1, 20_001)
    tight = math.inf
    for p in ([0.05, 0.6, 0.35], [0.4, 0.6], [0.001, 0.999]):
        for _ in range(10):
            draws = rng.choice(len(p), size=n.size, p=p)
            seen = np.cumsum(draws[:, None] == np.arange(len(p)), axis=0)
            q = seen / n[:, None]
            ell = np.log(6 * 6 * 2 * n / 0.9)[:, None]
            width = 2 * np.sqrt(q * (1 - q) * ell / n[:, None]) + 6 * ell / n[:, None]
            assert np.all(np.abs(q - p) <= width)
            tight = min(tight, float((width - np.abs(q - p)).min()))
            k = 777
            assert width[k - 1, 0] == pytest.approx(
                half_width(float(q[k - 1, 0] * (1 - q[k - 1, 0])), k, 1, 6, 2, 0.9, "2/6", 1.0), rel=1e-12
            )
    assert 0.0 < tight < 0.05


def test_empirical_bernstein_is_needed_with_its_second_term() -> None:
    """Without 6 l / n a rare state leaves its box: the variance of draws that never saw it is zero."""
    p, n = 0.01, 50
    q = 0.0  # probability (1 - p)^n = .6 of this
    assert abs(q - p) > 2 * math.sqrt(q * (1 - q) * math.log(6 * n / 0.1) / n)
    assert abs(q - p) <= half_width(q * (1 - q), n, 1, 1, 1, 0.1, "2/6", 1.0)


# The lemma


LEMMAS = ["box", "l1", "kl"]


@pytest.mark.parametrize("name", LEMMAS)
def test_the_inner_maxima_hold_and_their_false_twins_do_not(name: str) -> None:
    lemma, twin = (getattr(inner_maximum, f"{prefix}{name}_excess") for prefix in ("", "false_"))
    for seed in range(5):
        assert lemma(np.random.default_rng(seed))[0] <= 1e-9
        assert twin(np.random.default_rng(seed))[0] > 0.01


# Faults


@pytest.mark.parametrize("module", [ucrl2b_faults, kl_faults])
def test_every_generic_fault_is_planted_or_explained(module: Any) -> None:
    assert set(module.GENERIC) == set(FAULTS)
    planted = [v for v in vars(module).values() if isinstance(v, Learner)]
    for value in module.GENERIC.values():
        assert value in planted if isinstance(value, Learner) else value.startswith(("no field: ", "equivalent: "))


@pytest.mark.parametrize("fault", ["log_dropped", "delta_dropped", "one_log"])
def test_faults_in_the_constants_of_kl_ucrl_keep_its_multiplier(fault: str) -> None:
    """One wrong line each: at scale 0.2, where they are planted, a scale left out would be caught in their place."""
    mutant, sizes = getattr(kl_faults, fault), dict(S=3, A=2, T=100)
    whole, part = (mutant.parameters({"scale": x}, sizes) for x in (1.0, 0.2))
    for name in ("C_P", "C_R"):
        assert part[name] == pytest.approx(0.2 * whole[name], rel=1e-14) and whole[name] > 0.0


def test_the_fault_in_the_variance_of_ucrl2b_keeps_its_multiplier() -> None:
    found = ucrl2b_faults.radius_without_variance(SimpleNamespace(scale=0.2), 0.25, 100.0, 9.0)
    assert found == pytest.approx(0.2 * (2 * math.sqrt(9 / 100) + 54 / 100), rel=1e-14)


# Parameters


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("ucrl2b", {"tau": 0.0}, "tau=0.0 must lie in"),
        ("kl-ucrl", {"tau": 1.5}, "tau=1.5 must lie in"),
        ("ucrl2b", {"form": 2}, "neither 0"),
        ("ucrl2b", {"scale": -1.0}, "scale=-1.0, a multiplier, may not be negative"),
        ("ucrl2b", {"alpha": -1.0}, "alpha=-1.0 is negative"),
        ("kl-ucrl", {"scale": -0.1}, "scale=-0.1, a multiplier, may not be negative"),
    ],
)
def test_parameters_without_meaning_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(name, find_model("two-state")(), replicates=1, steps=2, params=params, target="python")


@pytest.mark.parametrize("name", ["ucrl2b", "kl-ucrl"])
def test_scale_zero_follows_the_empirical_model(name: str) -> None:
    """No radius: the rows of visited pairs are the empirical laws, and rewards the empirical means."""
    model = find_model("garnet")(S=3, A=2, b=3, seed=2)  # rewards are deterministic: any mean is the reward
    final = run(name, model, replicates=1, steps=80, params={"scale": 0.0}, target="python").final
    seen = final["N"][0] > 0
    assert seen.sum() >= 4
    np.testing.assert_allclose(final["law"][0][seen], final["p_hat"][0][seen], atol=1e-12)
    np.testing.assert_allclose(final["r_up"][0][seen], model.r[seen], atol=1e-12)


# Periodic models


def planned(name: str, n: int, **params: float) -> tuple[bool, int]:
    """Whether a plan after n visits of each pair stops, and its sweeps, on a model that alternates {0,1} and {2,3}."""
    learner, sizes = find_learner(name), dict(S=4, A=1, T=10**7)
    p = SimpleNamespace(**learner.parameters({"max_sweeps": 1000, **params}, sizes))
    st = SimpleNamespace(**{k: np.zeros(resolve(f, sizes), f.dtype) for k, f in learner.state.items()})
    learner.begin.build("python")(st, p)
    half = [[0.3, 0.7], [0.7, 0.3], [0.4, 0.6], [0.8, 0.2]]
    r = np.array([1.0, 0.2, 0.5, 0.0])
    st.nu[:] = n
    st.total[:, 0] = r * n
    if name == "ucrl2b":
        st.squares[:, 0] = r * r * n
    for s, row in enumerate(half):
        st.moves[s, 0, (2 if s < 2 else 0) : (4 if s < 2 else 2)] = np.round(np.array(row) * n)
    assert learner.plan is not None
    done = learner.plan.build("python")(st, p, 4 * n, 0, None)
    return bool(done), int(st.sweeps[0])


def test_mixing_is_what_lets_plans_stop_on_periodic_models() -> None:
    # a KL ball leaves the unseen best state out, so the optimistic model is periodic too and its sweeps oscillate
    assert planned("kl-ucrl", 10_000) == (False, 0)
    done, sweeps = planned("kl-ucrl", 10_000, tau=0.9)
    assert done and sweeps < 50
    # a box always holds 6 l / n for every state, so sweeps converge, at that rate: mixing is for speed
    few, many = (planned("ucrl2b", n, tau=1.0) for n in (1000, 10_000))
    assert few[0] and many[0] and many[1] > 5 * few[1]
    done, sweeps = planned("ucrl2b", 10_000)
    assert done and sweeps < 50

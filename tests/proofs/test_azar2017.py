"""azar2017: right-hand sides and failure probabilities by hand, the planted faults, and when the bonus becomes 1/n."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mdps.models.riverswim import family as riverswim
from mdps.models.two_state import family as two_state
from proofs_check.lemmas import pigeonhole
from proofs_check.mutants import ucbvi_bf, ucbvi_ch
from proofs_check.papers import _ucbvi_bounds as bounds
from theorylab.claim import Context, Instance
from theorylab.learner import Learner
from theorylab.measure import Group, context_of
from theorylab.registry import find_claim, find_learner
from theorylab.simulation import Simulation

GENERIC = {
    "bonus zero", "log factor dropped", "delta not divided", "wrong variance", "count off by one", "lost counts",
    "unvisited at zero", "no clipping", "backup of the wrong stage", "mass to the wrong state", "stale estimate",
    "worst action played", "ties to the last", "late trigger", "draw reused", "wrong length in the logarithm",
}  # fmt: skip


def at(function: Any, c: Context, n: float) -> float:
    return float(function(c, np.array([float(n)]))[0])


def river(name: str, K: int = 1000, states: int = 6, H: int = 20, **params: float) -> Context:
    given = {"delta": 0.05, **params}
    return context_of(find_learner(name), riverswim(states=states, horizon=H), K, given)


def test_theorems_at_the_numbers_of_the_notes() -> None:
    c = river("ucbvi-ch")
    assert bounds.log_term(c) == pytest.approx(16.99356, abs=5e-6)
    assert f"{at(bounds.ch_theorem, c, 1000):.2e}" == "2.08e+09"
    assert at(bounds.trivial, c, 1000) == pytest.approx(3397.264, abs=1e-3) and c.K * c.H == 20_000
    L = 16.993557
    first = 20 * 20**1.5 * L * math.sqrt(6 * 2 * 1000)
    assert at(bounds.ch_theorem, c, 1000) == pytest.approx(first + 250 * 400 * 36 * 2 * L**2, rel=1e-6)
    first = 30 * 20 * L * math.sqrt(6 * 2 * 1000) + 4 * 20**1.5 * math.sqrt(1000 * L)
    got = at(bounds.bf_theorem, river("ucbvi-bf"), 1000)
    assert got == pytest.approx(first + 2500 * 400 * 36 * 2 * L**2, rel=1e-6)


def test_levels_by_hand() -> None:
    # H = 2: V_star_2 lies in [0, 1]; with CH every n contributes exp(-2 (scale 14 L)^2)
    c = river("ucbvi-ch", K=50, states=3, H=2, scale=0.02)
    L = math.log(5 * 3 * 2 * 100 / 0.05)
    assert bounds.ch_coverage_level(c) == pytest.approx(2 * 6 * 100 * math.exp(-2 * (0.02 * 14 * L) ** 2), rel=1e-12)
    assert bounds.transitions_level(c) == pytest.approx(2 * 3 * 3 * 2 * 100 * math.exp(-L), rel=1e-12)
    assert bounds.ch_explicit_level(c) == pytest.approx(bounds.ch_coverage_level(c) + 0.06 + 0.05, rel=1e-12)
    c = river("ucbvi-bf", K=50, states=3, H=2, scale=0.2)
    tail = sum(math.exp(-2 * n * (0.2 * (28 * L / (3 * n) + 2 * math.sqrt(8 / n))) ** 2) for n in range(1, 101))
    assert bounds.bf_coverage_level(c) == pytest.approx(2 * 6 * tail, rel=1e-12)
    assert bounds.bernstein_level(c) == pytest.approx(4 * 6 * 100 * math.exp(-L), rel=1e-12)
    # where N' could leave its cap the derivation says nothing, and neither does the claim
    assert bounds.bf_coverage_level(river("ucbvi-bf", K=50, states=3, H=2, scale=0.2, correction=1e-4)) == 1.0
    # one stage: no next value
    assert bounds.ch_coverage_level(river("ucbvi-ch", K=50, states=3, H=1)) == 1e-300


def test_constants_of_the_learners_by_default() -> None:
    """No short run sees 100^2: below 100^2 H S^2 A L^2 visits the last term is at its cap whatever the constant."""
    L = 16.993557
    c = river("ucbvi-bf")
    assert (c.scale, c.correction, c.tight) == (1.0, 10_000.0, 0) and c.cap.tolist() == [20.0] * 20
    assert c.C == pytest.approx(100**2 * 20**3 * 6**2 * 2 * L**2, rel=1e-6) and c.H2 == 400.0
    c = river("ucbvi-ch")
    assert (c.scale, c.tight) == (1.0, 0) and c.cap.tolist() == [20.0] * 20
    assert c.width / math.sqrt(100) == pytest.approx(237.910, abs=5e-4)


def test_explicit_forms_by_hand() -> None:
    c = river("ucbvi-ch", K=100, states=3, H=2, scale=0.02)
    L, k, pairs = math.log(5 * 6 * 200 / 0.05), 64.0, 6.0
    inverse = pairs * math.log2(1 + k / pairs)
    noise = 2 * math.sqrt(200 * math.log(20) / 2)
    shared = (3 * 4 * L / 2 + 3 * 2 * L / 3) * inverse + 2 * 4 * pairs + noise
    root = 0.02 * 14 * L
    assert at(bounds.ch_explicit, c, k) == pytest.approx(
        math.e * (4 * root * math.sqrt(pairs * 2 * k) + shared), rel=1e-12
    )
    c = river("ucbvi-bf", K=100, states=3, H=2, scale=0.5)
    root = 0.5 * 2 * (math.sqrt(2 * L) + math.sqrt(8))
    second = 2 * 0.5 * 28 * L / 3 * inverse
    assert at(bounds.bf_explicit, c, k) == pytest.approx(
        math.e * (4 * root * math.sqrt(pairs * 2 * k) + second + shared), rel=1e-12
    )


def test_explicit_forms_say_something_where_they_are_checked() -> None:
    for claim in find_claim("azar2017"):
        if claim.id.endswith("-explicit"):
            (instance,) = claim.on("standard")
            c = context_of(find_learner(claim.learner), instance.build(), instance.length, dict(instance.learner))
            assert claim.bound is not None and at(claim.bound, c, instance.length) < at(bounds.trivial, c, c.K) / 2
            assert claim.kind.level(c) < 0.25


@pytest.mark.parametrize("kind", ["ch", "bf"])
def test_steps_leave_room_to_fail_and_to_hold(kind: str) -> None:
    """Levels of the steps on their instances: small enough to support, and not so small that nothing can be said."""
    for claim in find_claim("azar2017"):
        if claim.scope == "run" and claim.id.startswith(f"azar2017.{kind}-") and hasattr(claim.kind, "level"):
            for instance in (*claim.on("quick"), *claim.on("standard")):
                c = context_of(find_learner(claim.learner), instance.build(), instance.length, dict(instance.learner))
                assert 1e-3 < claim.kind.level(c) < 0.35, (claim.id, instance, claim.kind.level(c))


@pytest.mark.parametrize("module", [ucbvi_ch, ucbvi_bf], ids=["ch", "bf"])
def test_every_planted_fault_is_a_control(module: ModuleType) -> None:
    assert set(module.GENERIC) == GENERIC
    planted = {k: v for k, v in vars(module).items() if isinstance(v, Learner) and k != "learner"}
    for value in module.GENERIC.values():
        assert value in planted.values() if isinstance(value, Learner) else value.startswith(("no field: ", "equival"))
    under = {id(k.learner) for c in find_claim("azar2017") for k in c.controls}
    assert not [k for k, v in planted.items() if id(v) not in under]


@pytest.mark.parametrize("seed", range(3))
def test_pigeonhole_sums_and_their_false_twins(seed: int) -> None:
    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    assert pigeonhole.running(rng())[0] <= 1e-9 and pigeonhole.frozen(rng())[0] <= 1e-9
    twins = [(pigeonhole.false_running, 0.01), (pigeonhole.false_frozen, 0.3)]
    for twin, by in twins:
        generator = rng()
        assert max(twin(generator)[0] for _ in range(20)) > by


def test_each_constant_of_the_sums_bites_alone() -> None:
    """Every constant moved alone, with the others as in the lemma: it is its own inequality that fails."""
    cases: dict[tuple[str, Any, tuple[float, ...]], float] = {
        ("roots", pigeonhole._running, (1.8, 1.0)): 0.05,
        ("inverses", pigeonhole._running, (2.0, 0.5)): 0.5,
        ("roots", pigeonhole._frozen, (1.8, 2.0, 2.0)): 0.03,
        ("inverses", pigeonhole._frozen, (2.0, math.e, 2.0)): 0.1,
        ("few", pigeonhole._frozen, (2.0, 2.0, 1.0)): 0.3,
    }
    for (name, lemma, constants), by in cases.items():
        generator = np.random.default_rng(0)
        excess, where = max(lemma(generator, *constants) for _ in range(20))
        assert excess > by and where.startswith(name), (name, excess, where)


def test_running_sums_by_brute_force() -> None:
    visits, counts, roots, inverses = [0, 1, 0, 0, 2, 1], [0, 0, 0], 0.0, 0.0
    for x in visits:
        counts[x] += 1
        roots, inverses = roots + counts[x] ** -0.5, inverses + 1 / counts[x]
    assert roots <= 2 * math.sqrt(3 * 6) and inverses <= 3 * (1 + math.log(2))
    harmonic = sum(1 / j for j in range(1, 2001))
    assert harmonic <= 1 + math.log(2000) and harmonic > 0.5 + math.log(2000)  # between the lemma and its false twin


def excess(kind: str, names: list[str], episodes: int, **params: float) -> dict[str, float]:
    """Largest lhs - rhs of the steps on a short faithful run, all within their tolerances."""
    claims = [c for c in find_claim("azar2017") if c.id in {f"azar2017.{kind}-{name}" for name in names}]
    instance = Instance("riverswim", episodes, {"states": 3, "horizon": 3}, {"delta": 0.05, **params})
    group = Group(claims, find_learner(f"ucbvi-{kind}"), instance, instance.build(), dict(instance.learner))
    curves = group.simulation(0, 1, seed=5, target="python").advance().curves()
    samples = {c.id.removeprefix(f"azar2017.{kind}-"): group.sample(c, curves) for c in claims}
    assert sorted(samples) == sorted(names) and not any(s.count.any() for s in samples.values())
    return {name: float(s.excess[0]) for name, s in samples.items()}


def test_rounding_does_not_hide_how_far_the_transitions_are_from_their_widths() -> None:
    assert excess("ch", ["transitions"], 60, scale=0.02)["transitions"] < -0.01


def test_steps_of_the_last_term_hold_where_it_leaves_its_cap() -> None:
    names = ["bonus", "backup", "terms", "spread"]
    excess("bf", names, 60, scale=0.21, correction=1e-4)
    c = river("ucbvi-bf", K=60, states=3, H=3, scale=0.21, correction=1e-4)
    assert c.C / 60 < c.H2 / 10  # with 60 visits of a state at a stage the weight is far below the cap
    for claim in find_claim("azar2017"):
        given = [dict(i.learner).get("correction", 1e4) for i in claim.on("standard")]
        assert (1e-4 in given) == (claim.id.removeprefix("azar2017.bf-") in names), claim.id


def final_bonus(correction: float, episodes: int) -> tuple[int, float]:
    """Visits and first-stage bonus, over scale, of the pair that is played most in a deterministic switch."""
    params = {"delta": 0.1, "scale": 0.002, "correction": correction}
    model = two_state(horizon=2)
    run = Simulation(find_learner("ucbvi-bf"), model, replicates=1, length=episodes, params=params, target="python")
    st = {k: v[0] for k, v in run.advance().state.items()}
    x = int(np.argmax(st["n"]))
    return int(st["n"].ravel()[x]), float(st["bonus"][0, x]) / 0.002


def test_without_variance_the_bonus_is_of_order_one_over_n_once_the_last_term_has_left_its_cap() -> None:
    (n, b), (m, c) = final_bonus(1e-8, 50), final_bonus(1e-8, 400)
    assert m > 7 * n and m * c / (n * b) == pytest.approx(1.0, abs=0.25)  # up to the logarithm, which depends on K
    (n, b), (m, c) = final_bonus(1e4, 50), final_bonus(1e4, 400)
    square = [x * (y - 28 * math.log(5 * 4 * 2 * K / 0.1) / (3 * x)) ** 2 for x, y, K in ((n, b, 50), (m, c, 400))]
    assert square == pytest.approx([32.0, 32.0], rel=1e-9)  # H sqrt(8 / n) with the paper's 100^2

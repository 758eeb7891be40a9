"""Claims on runs: the fixed block, the build, starts and assumptions, the fresh check of the winner."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theorylab.adversary_claims import OnBlock, attack_claim, find_one, fresh_seed, hard_starts, ratio_of
from theorylab.adversary_literal import array_text, fraction_text, model_text
from theorylab.assume import Assumption
from theorylab.claim import Claim, Expectation, Growth, HighProbability, Instance, Pointwise
from theorylab.criteria import AverageReward, Discounted, FiniteHorizon, RewardLaw
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.measure import Group
from theorylab.model import Bandit, TabularMDP
from theorylab.probe import Probe
from theorylab.registry import find_learner

TWO = Instance("bernoulli", 30, {"means": (0.9, 0.6)})
CHAIN = Instance("riverswim", 20, {"states": 3, "horizon": 3})
ROOT = Path(__file__).resolve().parents[2]


def linear(factor: float, **changes: Any) -> Claim:
    """Uniform play on two arms loses at most the gap a round: regret(n) <= factor n gap for all n; true at factor 1."""
    claim = Claim(
        id="made.linear",
        text="uniform play",
        learner="uniform",
        instances={"quick": (TWO,)},
        quantity="regret",
        kind=HighProbability(0.1),
        bound=lambda c, n: factor * n * float(c.gap.sum()),
        trivial=lambda c, n: n * float(c.gap.max()),
        source_tag="derived",
    )
    return replace(claim, **changes)


@kernel
def scrambled(st, p, tr, t):
    """A digit of the reward far behind the point, minus 1/2: noise that another model draws anew."""
    x = 1e6 * abs(tr.r)
    return x - int(x) - 0.5


NOISE = linear(
    1.0,
    id="made.noise",
    kind=HighProbability(0.5),
    quantity=Probe("noise", scrambled),
    instances={"quick": (Instance("gaussian", 1, {"means": (0.5, 0.4), "sd": 1.0}),)},
)


def block(claim: Claim, **options: Any) -> OnBlock:
    return OnBlock(claim, claim.on("quick")[0], target="python", **{"replicates": 4, **options})


def test_the_number_of_a_mean_is_its_ratio_to_the_bound() -> None:
    here = block(linear(1.0, kind=Expectation()), replicates=8)
    group = Group([here.claim], find_learner("uniform", "bandit"), TWO, TWO.build())
    sample = group.sample(here.claim, group.simulation(0, 8, seed=0, target="python").advance().curves())
    assert here(here.point(TWO.build())) == pytest.approx(sample.value.mean() / (30 * 0.3), rel=1e-12)
    assert here.threshold == 1.0


def test_the_number_of_a_high_probability_claim_is_its_quantile() -> None:
    for delta, rank in ((0.25, 6), (0.2, 7), (0.001, 8), (0.5, 4)):
        here = block(linear(2.0, kind=HighProbability(delta)), replicates=8)
        group = Group([here.claim], find_learner("uniform", "bandit"), TWO, TWO.build())
        sample = group.sample(here.claim, group.simulation(0, 8, seed=0, target="python").advance().curves())
        number = here(here.point(TWO.build()))
        assert number == np.sort(sample.ratio)[rank - 1]
        # above 1 exactly where more than delta of the block violate
        for bound in (0.9 * number, 1.1 * number):
            assert (np.mean(sample.ratio > bound) > delta) == (number > bound)


def test_the_theorems_constant_stands_in_the_ratio() -> None:
    claim = linear(3.0, kind=HighProbability(0.25))
    shaped = replace(claim, shape=lambda c, n: n * float(c.gap.sum()), constant=lambda c: 3.0)
    point = block(claim).point(TWO.build())
    assert block(shaped)(point) == pytest.approx(block(claim)(point), rel=1e-12)
    unknown = replace(shaped, bound=None, constant=None, constants="unspecified")
    assert block(unknown)(point) == pytest.approx(3.0 * block(claim)(point), rel=1e-12)
    assert block(unknown).threshold == math.inf  # an open constant cannot be violated


def test_a_probe_is_searched_by_its_excess() -> None:
    claim = linear(1.0, kind=Pointwise(), quantity=Probe("made", scrambled, tol=0.25))
    here = block(claim)
    assert here.threshold == 0.25
    with pytest.raises(InputError, match="mean of a probe"):
        block(replace(claim, kind=Expectation()))


def test_equal_sizes_share_one_build() -> None:
    here = block(linear(2.0))
    builds = []
    for means in ((0.2, 0.5), (0.9, 0.3), (1.0, 0.0)):
        group = here._group(here.model({"means": np.array(means)}))
        bind = group.simulation(0, 2, seed=0, target="python").bind
        builds.append(tuple(sorted((k, id(v)) for k, v in bind.items())))
    assert len(set(builds)) == 1
    fresh = Group([here.claim], here.learner, TWO, TWO.build()).simulation(0, 2, seed=0, target="python").bind
    assert tuple(sorted((k, id(v)) for k, v in fresh.items())) == builds[0]


def test_models_take_criterion_law_and_start_from_the_first_instance() -> None:
    claim = linear(1.0, instances={"quick": (CHAIN,)}, trivial=lambda c, n: n * 3.0, bound=lambda c, n: n * 3.0)
    here = block(claim, states=4, actions=3)
    model = here.model(here.space.random(np.random.default_rng(0)))
    assert isinstance(model, TabularMDP)
    assert (model.S, model.A, model.criterion, model.reward_law) == (4, 3, FiniteHorizon(3), CHAIN.build().reward_law)
    np.testing.assert_array_equal(model.mu0, [1, 0, 0, 0])
    for name, point in hard_starts(here.space):
        here.space.checked(point, name)
        assert here.feasible(point) is None
    same = block(claim)
    chain = same.point(CHAIN.build())
    assert same.model(chain).digest == CHAIN.build().digest


def test_hard_starts_exist_for_every_size() -> None:
    claim = linear(1.0, instances={"quick": (CHAIN,)}, trivial=lambda c, n: n * 3.0, bound=lambda c, n: n * 3.0)
    for states, actions in ((1, 1), (2, 1), (1, 3), (2, 2), (5, 4)):
        for name, point in hard_starts(block(claim, states=states, actions=actions).space):
            block(claim, states=states, actions=actions).space.checked(point, name)


def test_what_cannot_be_attacked_is_refused() -> None:
    with pytest.raises(InputError, match="Growth claims have no ratio"):
        block(linear(1.0, kind=Growth("T"), shape=lambda c, n: n))
    with pytest.raises(InputError, match="a bandit has none"):
        block(linear(1.0), states=3)
    with pytest.raises(InputError, match="actions=0"):
        block(linear(1.0), actions=0)
    with pytest.raises(InputError, match="replicates=0"):
        block(linear(1.0), replicates=0)
    with pytest.raises(InputError, match="no claim on runs"):
        attack_claim(linear(1.0, instances={}))
    with pytest.raises(InputError, match="winners=0"):
        attack_claim(linear(1.0), winners=0)
    with pytest.raises(InputError, match="is a TabularMDP; the search is over a Bandit"):
        block(linear(1.0)).point(CHAIN.build())
    with pytest.raises(InputError, match=r"means has shape \(3,\); this search has \(2,\)"):
        block(linear(1.0)).point(Bandit(means=[0.1, 0.2, 0.3]))


def test_assumptions_are_constraints() -> None:
    def gap(model: Any) -> str | None:
        return "a mean above 1/2" if model.means.max() > 0.5 else None

    easy = Assumption("small", "means at most 1/2", gap)
    claim = linear(2.0, assumes=(easy,))
    with pytest.raises(InputError, match=r"start .* is no instance of the claim: a mean above 1/2"):
        attack_claim(claim, evaluations=20, starts=[TWO.build()], target="python")
    done = attack_claim(claim, evaluations=60, replicates=2, seed=1, budget=64, target="python")
    assert done.found.reasons["a mean above 1/2"] > 0
    assert set(done.found.reasons) <= {"a mean above 1/2", "no algorithm can lose anything"}
    assert sum(done.found.reasons.values()) == done.found.rejected
    assert done.instance.given.means.max() <= 0.5
    rates = linear(2.0, kind=HighProbability(lambda c: 1.0 if c.gap.max() > 0.5 else 0.5))
    assert (
        block(rates).feasible({"means": np.array([0.9, 0.1])}) == "the failure probability that the claim allows is 1"
    )
    assert block(rates).feasible({"means": np.array([0.5, 0.1])}) is None


def test_rounding_is_no_violation() -> None:
    # gain times steps and the sum of the rewards differ in the last digit; the diameter of the bound could be 0
    model = TabularMDP(P=np.ones((1, 2, 1)), r=np.full((1, 2), 0.01), name="one")
    zero = linear(
        0.0, bound=lambda c, n: 0.0 * n, trivial=lambda c, n: n, instances={"quick": (Instance.of(model, 50),)}
    )
    done = attack_claim(zero, evaluations=12, replicates=4, target="python", budget=64)
    measured = block(zero)
    group = measured._group(model)
    sample = group.sample(zero, group.simulation(0, 4, seed=0, target="python").advance().curves())
    assert -measured.rounding < sample.excess.max() < 0.0 and sample.ratio.max() > 1.0  # the check allows for rounding
    assert measured.on(model) == 0.0
    lost = replace(model, r=np.array([[0.01, 0.0]]))
    assert measured.on(lost) > 1.0  # a loss above a bound of 0 is one
    assert done.verdict == "REFUTED" and done.fresh.instances[0].max_excess > 0.01


def test_models_on_which_nothing_can_be_lost_are_rejected() -> None:
    assert block(linear(1.0)).feasible({"means": np.array([0.5, 0.5])}) == "no algorithm can lose anything"


def test_a_false_bound_is_refuted_on_fresh_addresses() -> None:
    done = attack_claim(linear(0.5), evaluations=40, replicates=8, target="python", budget=256)
    assert done.verdict == "REFUTED"
    assert done.found.ratio > 1.5 and done.fresh_ratio > 1.5  # the first round alone: gap over gap / 2
    assert done.fresh.e_refute >= 1000
    assert done.fresh.provenance["seed"] == fresh_seed(0) != 0


def test_a_true_bound_is_not() -> None:
    done = attack_claim(linear(1.0), evaluations=40, replicates=8, target="python", budget=256)
    assert done.verdict == "NO VIOLATION FOUND"


@pytest.mark.parametrize("seed", range(3))
def test_pure_noise_is_no_violation(seed: int) -> None:
    # P(digit > 1/2) is 1/2 on every model: whatever the search finds on its block is luck
    done = attack_claim(NOISE, evaluations=60, replicates=16, seed=seed, target="python", budget=256)
    assert done.found.best > done.threshold == 0.0  # apparent: more than half of the block violates
    assert done.verdict == "NO VIOLATION FOUND"


def test_the_level_is_shared_by_the_winners() -> None:
    done = attack_claim(linear(1.0), evaluations=10, replicates=2, target="python", budget=32, winners=4)
    assert done.fresh.provenance["alpha_refute"] == 0.001 / 4


def test_equal_seeds_give_equal_attacks() -> None:
    one, two = (
        attack_claim(linear(1.0), evaluations=30, replicates=4, seed=3, target="python", budget=32) for _ in "ab"
    )
    assert one.instance.given.digest == two.instance.given.digest
    assert (one.found.ratio, one.found.trace, one.fresh_ratio) == (two.found.ratio, two.found.trace, two.fresh_ratio)


MODELS = [
    Bandit(means=np.array([1 / 3, 0.7, 0.123456789]), name="three"),
    TabularMDP(
        P=np.array([[[1, 2], [3, 0]], [[0, 3], [1.5, 1.5]]]) / 3,
        r=np.array([[0.5, 1.0], [1 / 7, 0.0]]),
        mu0=np.array([1, 2]) / 3,
        criterion=Discounted(0.9),
    ),
    TabularMDP(
        P=np.random.default_rng(0).dirichlet(np.ones(2), (3, 2, 2)),
        r=np.array([[-1.0, 2.0], [0.25, 0.0]]),
        criterion=FiniteHorizon(3),
        reward_law=RewardLaw("gaussian", low=-1.0, high=2.0, sd=0.5),
    ),
]


@pytest.mark.parametrize("model", MODELS)
def test_a_literal_makes_the_model_again(model: Any) -> None:
    names = dict(
        np=np, Bandit=Bandit, TabularMDP=TabularMDP, RewardLaw=RewardLaw, Discounted=Discounted,
        FiniteHorizon=FiniteHorizon, AverageReward=AverageReward,
    )  # fmt: skip
    again = eval(model_text(model), names)
    assert (again.digest, again.name) == (model.digest, model.name)


def test_arrays_are_written_as_integers_over_one_denominator_where_they_are_fractions() -> None:
    assert array_text(np.array([1 / 3, 1 / 2])) == "np.array([2, 3]) / 6"
    assert array_text(np.array([0.1234567])) == "np.array([0.1234567])"
    assert fraction_text(0.75) == "3/4" and fraction_text(0.1234567) == "~0.123457"


CLAIMS = """
from theorylab.claim import Claim, HighProbability, Instance

claims = [
    Claim(
        id=f"made.{name}", text="uniform play", learner="uniform", source_tag="derived", quantity="regret",
        kind=HighProbability(0.1), instances={"quick": (Instance("bernoulli", 20, {"means": (0.9, 0.6)}),)},
        bound=lambda c, n, factor=factor: factor * n * float(c.gap.sum()),
        trivial=lambda c, n: n * float(c.gap.max()),
    )
    for name, factor in (("true", 1.0), ("false", 0.5))
]
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "made.py"
    path.write_text(CLAIMS)
    return path


def test_the_command_refutes_saves_and_the_saved_file_passes(call: Any, made: Path, tmp_path: Path) -> None:
    out = tmp_path / "test_worst.py"
    options = ["--evaluations", 20, "--replicates", 8, "--budget", 256, "--target", "python"]
    done = call("attack", f"{made}:made.false", *options, "--save", out, "--json")
    assert done.code == 1
    row = json.loads(done.out)
    assert row["verdict"] == "REFUTED" and row["fresh"]["verdict"] == "REFUTED" and row["saved"] == str(out)
    assert row["trace"][-1][1] == row["best"] > 1
    assert row["words"].startswith("violated: found in ") and "confirmed on fresh random numbers" in row["words"]
    done = call("attack", f"{made}:made.true", *options)
    assert done.code == 0
    assert "NO VIOLATION FOUND: no violation in " in done.out and "means = [" in done.out
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-c", "/dev/null", out]
    assert subprocess.run(run, cwd=ROOT, capture_output=True).returncode == 0
    names: dict[str, Any] = {}
    exec(out.read_text(), names)
    names["ratio"] *= 1.001
    with pytest.raises(AssertionError):  # the saved test can fail
        names["test_ratio"]()


def test_the_command_attacks_a_lemma(call: Any, tmp_path: Path) -> None:
    out = tmp_path / "worst.py"
    done = call("attack", "simulation_lemma", "--states", 3, "--evaluations", 300, "--save", out)
    assert done.code == 0
    assert "ratio in fractions: 10/19" in done.out and "no violation in " in done.out
    names: dict[str, Any] = {}
    exec(out.read_text(), names)
    names["test_ratio"]()
    assert names["ratio"] == pytest.approx(10 / 19, rel=1e-12)
    names["point"]["r"][:] = 0.25
    with pytest.raises(AssertionError):
        names["test_ratio"]()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["no-such"], "unknown claim or paper 'no-such'.*targets of `attack`: .*simulation-lemma"),
        (["auer2002"], "'auer2002' names 8 claims; give one of auer2002.thm1"),
        (["simulation-lemma", "--actions", 2], "does not take the sizes A=2"),
        (["simulation-lemma", "--start", "riverswim"], "--start is for claims on runs"),
        (["simulation-lemma", "--evaluations", 0], "evaluations=0 must be an integer >= 1"),
        (["simulation-lemma", "--evaluations", 5, "--save", "worst.txt"], "a name that ends in .py"),
        (["auer2002.thm1", "--start", "no-such"], "unknown model 'no-such'"),
        (["auer2002.thm1", "--start", "riverswim"], "is a TabularMDP; the search is over a Bandit"),
        (["auer2002.thm1", "--states", 3], "a bandit has none"),
    ],
)
def test_bad_input_ends_with_code_two(call: Any, arguments: list[Any], text: str) -> None:
    import re

    done = call("attack", *arguments)
    assert done.code == 2 and re.search(text, done.err), done.err


def test_one_claim_of_a_file_is_named_behind_a_colon(made: Path) -> None:
    assert find_one(f"{made}:made.true").id == "made.true"
    with pytest.raises(InputError, match=r"names 0 claims; give one of made\.true, made\.false"):
        find_one(f"{made}:made.none")
    assert ratio_of(f"{made}:made.true", TWO.build(), replicates=2, target="python") > 0

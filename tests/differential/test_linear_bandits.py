"""OFUL and linear Thompson sampling against independent transcriptions, round by round, and planted faults as controls.

The perturbation of a draw is recomputed from the addressed uniforms with scipy's quantile function, and the learner's
root of V^-1 is handed to the transcription, which checks that it is one.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from bandits.learners.oful import EVERY
from proofs_check.mutants import lin_thompson as lin_thompson_faults
from proofs_check.mutants import oful as oful_faults
from tests.differential.stepping import CLOSE, Machine, World, clear, far
from tests.reference.lin_thompson import LinThompson
from tests.reference.oful import OFUL
from theorylab import run
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.linear_bandit import LinearBandit
from theorylab.model import BERNOULLI, RewardLaw
from theorylab.registry import find_learner, find_model
from theorylab.rng import LEARNER, Rng, draw
from theorylab.truth import known_to, sizes_at


class Noisy(World):
    """Addressed rewards of a linear bandit, Gaussian ones included."""

    def reward(self, mean: float, v: float) -> float:
        law = self.model.reward_law
        return mean + law.sd * float(norm.ppf(v)) if law.kind == "gaussian" else super().reward(mean, v)


class Told(Machine):
    """A machine whose learner is told the features."""

    def __init__(self, learner: Learner, model: LinearBandit, rounds: int, params: dict[str, Any], rng: Rng) -> None:
        sizes = sizes_at(model, rounds)
        told = known_to(learner, model)
        derive = learner.derive
        assert derive is not None
        plain = replace(learner, knows=(), derive=lambda p: {**told, **derive({**p, **told})})
        super().__init__(plain, sizes, params, rng)


def compare_oful(learner: Learner, model: LinearBandit, rounds: int, params: dict[str, Any]) -> str | None:
    """OFUL: the arm and the indices at every decision; estimate, radius, inverse and what is kept of arms after it.

    And when all of it is formed afresh; where det V has doubled within rounding since the last time either will do.
    """
    world = Noisy(model)
    machine, reference = Told(learner, model, rounds, params, world.rng), OFUL(model.features, **params)
    fresh = 0.0  # ln(det V / lam^d) when it was last
    for t in range(rounds):
        a, wanted = machine.act(t), reference.act()
        st = machine.st
        if far(st.ucb, reference.index):
            return f"round {t}: indices {st.ucb} against {reference.index}"
        if a != wanted and clear(reference.index, True):
            return f"round {t}: arm {a} against {wanted}"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r)
        V_inv = np.linalg.inv(reference.V)
        determinant = np.linalg.slogdet(reference.V)[1] - model.d * np.log(reference.lam)
        grown = np.exp(determinant - fresh)
        if (st.grown[0] == 1.0) if abs(grown - 2.0) <= CLOSE else (grown > 2.0 or (t + 1) % EVERY == 0):
            fresh, grown = determinant, 1.0
        for name, ours, theirs in (
            ("theta", st.theta, reference.theta),
            ("beta", st.beta[0], reference.beta),
            ("V_inv", st.V_inv * reference.lam, V_inv * reference.lam),
            ("log_det", st.log_det[0], determinant),
            ("mean", st.mean, reference.x @ reference.theta),
            ("square", st.square * reference.lam, [reference.norm(b) ** 2 * reference.lam for b in range(model.A)]),
            ("N", st.N.sum(), reference.n),
            ("grown", st.grown[0], grown),
        ):
            if far(ours, theirs):
                return f"round {t}: {name} {ours} against {theirs}"
    return None


def without_factor(learner: Learner) -> str | None:
    """OFUL where rounding leaves V without a factor: everything must become NaN, not be passed over."""
    model = LinearBandit(np.array([[1.0, 1.0]]), np.array([0.5, 0.5]))
    machine = Told(learner, model, 60, {}, World(model).rng)
    machine.st.N[:] = 2**58  # lam = 1 is below the last place of every entry: the second pivot is 0
    machine.learn(EVERY - 1, 0, 0.0)
    if not np.isnan([machine.st.square[0], *machine.st.theta, machine.st.log_det[0]]).all():
        return f"without a factor: theta {machine.st.theta}, square {machine.st.square}"
    return None


def compare_lin_thompson(learner: Learner, model: LinearBandit, rounds: int, params: dict[str, Any]) -> str | None:
    """Linear Thompson sampling: draw, values and arm at every decision; estimate, inflation and root after it."""
    world = Noisy(model)
    machine = Told(learner, model, rounds, params, world.rng)
    reference = LinThompson(model.features, rounds, **params)
    for t in range(rounds):
        st = machine.st
        root = st.root.copy()
        if far(root.T @ reference.V @ root, np.eye(model.d)):
            return f"round {t}: the root is none of V^-1"
        eta = norm.ppf([float(draw(world.rng, t, i, LEARNER)[0]) + 2.0**-54 for i in range(model.d)])
        a, wanted = machine.act(t), reference.act(eta, root)
        for name, ours, theirs in (("sample", st.sample, reference.sample), ("value", st.value, reference.value)):
            if far(ours, theirs):
                return f"round {t}: {name} {ours} against {theirs}"
        if a != wanted and clear(reference.value, True):
            return f"round {t}: arm {a} against {wanted}"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r)
        for name, ours, theirs in (
            ("theta", st.theta, reference.theta),
            ("beta", st.beta[0], reference.beta),
            ("N", st.N.sum(), reference.t - 1),
        ):
            if far(ours, theirs):
                return f"round {t}: {name} {ours} against {theirs}"
    return None


def mutants(module: ModuleType) -> list[Any]:
    """Every planted fault of a file, by name."""
    found = [(k, v) for k, v in vars(module).items() if isinstance(v, Learner) and v is not module.learner]
    assert found and module.learner is find_learner(module.learner.name)
    return [pytest.param(v, id=k) for k, v in found]


ARMS = [[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]]
BERNOULLI_ARMS = LinearBandit(ARMS, [0.8, 0.2, 0.5], BERNOULLI, "shares")  # type: ignore[arg-type]
CALM = RewardLaw("gaussian", low=-1.0, high=1.0, sd=0.3)
TWINS = LinearBandit([[0.6, 0.8], [0.6, 0.8], [1.0, 0.0]], [0.5, 0.5], CALM, "twins")  # type: ignore[arg-type]
MODELS = {
    "sphere": (find_model("linear-sphere")(A=7, d=4, sd=0.5), {"R": 0.5}),
    "bernoulli": (BERNOULLI_ARMS, {"R": 0.5, "delta": 0.2, "scale": 0.3}),
    "two equal arms": (TWINS, {"R": 0.3, "lam": 0.1, "scale": 0.5}),
    "end of optimism": (find_model("end-of-optimism")(), {"S_theta": 2.0}),
    "one dimension": (find_model("linear-sphere")(A=3, d=1), {"lam": 2.0}),
}


@pytest.mark.parametrize(("model", "params"), MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_oful(model: LinearBandit, params: dict[str, Any], radius: int) -> None:
    assert compare_oful(find_learner("oful"), model, 90, {**params, "radius": radius}) is None


def test_oful_on_the_hypercube_past_a_fresh_factor() -> None:
    model = find_model("linear-hypercube")(d=3, T=300)
    assert compare_oful(find_learner("oful"), model, 300, {"lam": 3.0, "delta": 0.1}) is None


@pytest.mark.parametrize(("model", "params"), MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("inflate", [0, 1])
def test_lin_thompson(model: LinearBandit, params: dict[str, Any], inflate: int) -> None:
    assert compare_lin_thompson(find_learner("lin-thompson"), model, 120, {**params, "inflate": inflate}) is None


@pytest.mark.parametrize("mutant", mutants(oful_faults))
def test_every_fault_of_oful_shows(mutant: Learner) -> None:
    loud = find_model("linear-sphere")(A=5, d=2, sd=2.0)
    cases = [(TWINS, {"R": 0.3, "lam": 0.1}), (loud, {"R": 2.0, "radius": 1})]
    assert any(compare_oful(mutant, m, 60, p) is not None for m, p in cases)


@pytest.mark.parametrize("mutant", mutants(lin_thompson_faults))
def test_every_fault_of_lin_thompson_shows(mutant: Learner) -> None:
    assert compare_lin_thompson(mutant, TWINS, 60, {"R": 0.3}) is not None


def stepped(model: LinearBandit, rounds: int) -> Told:
    return Told(find_learner("oful"), model, rounds, {}, World(model).rng)


def test_widths_keep_their_digits_where_no_play_doubles_the_determinant() -> None:
    """Plays of w just below 1, each longer than the last: information grows by 1e8 without any w > 1."""
    rng, V = np.random.default_rng(0), np.eye(2)
    arms: list[np.ndarray] = []
    for _ in range(53):
        x = rng.normal(size=2) * [3.0, 1.0]
        arms.append(x * np.sqrt(0.999 / (x @ np.linalg.solve(V, x))))
        V += np.outer(arms[-1], arms[-1])
    machine = stepped(LinearBandit(np.array(arms), np.array([1e-9, 1e-9])), 60)
    gram = [[Fraction(int(i == j)) for j in range(2)] for i in range(2)]
    for t, arm in enumerate(arms):
        machine.learn(t, t, 0.0)
        for i, j in np.ndindex(2, 2):
            gram[i][j] += Fraction(float(arm[i])) * Fraction(float(arm[j]))
    (a, b), (_, c) = gram
    for arm, square in zip(arms, machine.st.square, strict=True):
        u, v = Fraction(float(arm[0])), Fraction(float(arm[1]))
        exact = (c * u * u - 2 * b * u * v + a * v * v) / (a * c - b * b)
        assert square == pytest.approx(float(exact), rel=1e-12)


def test_a_gram_matrix_without_a_factor_is_not_passed_over() -> None:
    assert without_factor(find_learner("oful")) is None


# Values that a learner cannot take


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("oful", {"radius": 4}, "radius=4 is none of"),
        ("oful", {"radius": 2}, "max .*x.*2 = 3"),
        ("oful", {"lam": 0.0}, "lam=0.0 must be positive"),
        ("oful", {"lam": 1e-9}, "give lam >= 3e-08"),
        ("oful", {"R": -1.0}, "R=-1.0 must be positive"),
        ("lin-thompson", {}, "inflate=0"),
        ("lin-thompson", {"inflate": 2}, "neither 1"),
        ("lin-thompson", {"inflate": 0, "S_theta": 0.0}, "S_theta=0.0 must be positive"),
    ],
)
def test_parameters_that_cannot_be_are_refused(name: str, params: dict[str, Any], words: str) -> None:
    model = find_model("linear-hypercube")(d=3)
    with pytest.raises(InputError, match=words):
        run(name, model, rounds=5, params=params, target="python")


@pytest.mark.parametrize("name", ["oful", "lin-thompson"])
def test_arms_without_features_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="features"):
        run(name, find_model("bernoulli")(means=(0.5, 0.4)), rounds=5, target="python")


@pytest.mark.parametrize("name", ["oful", "lin-thompson"])
def test_rewards_scaled_with_the_noise_give_the_same_arms(name: str) -> None:
    """Rewards, theta, R and S_theta times 4, a power of two: all that the learner computes scales exactly."""
    small = LinearBandit(ARMS, [0.1, 0.2, 0.05], CALM)  # type: ignore[arg-type]
    law = RewardLaw("gaussian", low=-4.0, high=4.0, sd=1.2)
    large = LinearBandit(ARMS, [0.4, 0.8, 0.2], law)  # type: ignore[arg-type]
    one = run(name, small, rounds=200, params={"R": 0.3, "S_theta": 0.5}, target="python")
    four = run(name, large, rounds=200, params={"R": 1.2, "S_theta": 2.0}, target="python")
    assert one.final["N"].tolist() == four.final["N"].tolist()
    assert 4.0 * one.final["theta"] == pytest.approx(four.final["theta"], rel=1e-12)

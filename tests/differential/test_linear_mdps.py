"""LSVI-UCB and UCRL-VTR against independent transcriptions, step by step, and planted faults as controls."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mdps.models.linear_chain import family as linear_chain
from mdps.models.mixture_chain import family as mixture_chain
from mdps.models.mixture_lock import family as mixture_lock
from mdps.models.mixture_random import family as mixture_random
from mdps.models.mixture_two_state import family as mixture_two_state
from mdps.models.one_hot import family as one_hot
from mdps.models.riverswim import family as riverswim
from mdps.models.simplex_linear import family as simplex_linear
from proofs_check.kill_matrix import planted
from tests.differential.stepping import Machine, World, clear, far
from tests.reference.lsvi_ucb import LSVIUCB
from tests.reference.ucrl_vtr import UCRLVTR
from theorylab.criteria import FiniteHorizon, RewardLaw
from theorylab.errors import InputError
from theorylab.learner import Learner, resolve
from theorylab.registry import find_learner
from theorylab.simulation import Simulation
from theorylab.truth import known_to, sizes_at

LSVI, VTR = find_learner("lsvi-ucb"), find_learner("ucrl-vtr")


class Told(Machine):
    """A machine of a learner that is told arrays of the model."""

    def __init__(self, learner: Learner, model: Any, episodes: int, params: dict[str, Any], rng: Any) -> None:
        sizes = sizes_at(model, episodes)
        self.p = SimpleNamespace(**learner.parameters(params, sizes, known_to(learner, model)))
        self.st = SimpleNamespace(**{k: np.zeros(resolve(f, sizes), f.dtype) for k, f in learner.state.items()})
        self.rng = rng
        kernels = {k: getattr(learner, k) for k in ("act", "watch", "plan")}
        self.calls = {k: v.build("python") for k, v in kernels.items()}
        learner.begin.build("python")(self.st, self.p)


def lsvi_plans_differ(st: Any, reference: LSVIUCB) -> str | None:
    inverse = np.linalg.inv(reference.Lam)
    phi = reference.phi.reshape(-1, reference.d)
    width = np.einsum("ri,hij,rj->hr", phi, inverse, phi)
    for name, ours, theirs in (
        ("Lam_inv", st.Lam_inv, inverse),
        ("width", st.width, width),
        ("w", st.w, reference.w),
        ("Q", st.Q, reference.Q),
        ("V", st.V, reference.V),
    ):
        if far(ours, theirs):
            return f"{name} differs by {np.max(np.abs(ours - theirs)):.3g}"
    return None


def compare_lsvi_ucb(learner: Learner, model: Any, episodes: int, params: dict[str, Any]) -> str | None:
    """LSVI-UCB: every plan, every action."""
    world = World(model.tabular())
    machine = Told(learner, model, episodes, params, world.rng)
    c, lam = params["c"] * params.get("scale", 1.0), params.get("lam", 1.0)
    reference = LSVIUCB(model.phi, model.H, episodes, params["delta"], c, lam)

    def learn(h: int, s: int, a: int, r: float, s2: int) -> None:
        reference.learn(h, s, a, r, s2)

    return compare(machine, world, reference, model, episodes, lsvi_plans_differ, learn)


def vtr_plans_differ(st: Any, reference: UCRLVTR) -> str | None:
    G = reference.groups
    for name, ours, theirs in (
        ("Sigma_inv", st.Sigma_inv[:G], np.linalg.inv(reference.Sigma)),
        ("theta", st.theta[:G], np.array(reference.theta)),
        ("radius", st.radius[:G], np.array(reference.beta)),
        ("n", st.n[:G], np.array([len(x) for x in reference.samples])),
        ("Q", st.Q, reference.Q),
        ("V", st.V, reference.V),
    ):
        if far(ours, theirs):
            return f"{name} differs by {np.max(np.abs(ours - theirs)):.3g}"
    return None


def compare_ucrl_vtr(learner: Learner, model: Any, episodes: int, params: dict[str, Any]) -> str | None:
    """UCRL-VTR: every plan, every action."""
    world = World(model.tabular())
    machine = Told(learner, model, episodes, params, world.rng)
    given = {"delta": 0.1, "lam": 1.0, "B": 1.0, "homogeneous": 1, "trace": 0, "scale": 1.0, **params}
    reference = UCRLVTR(
        model.phi, model.r, model.H, given["delta"], given["lam"], given["B"], given["homogeneous"] == 1,
        given["trace"] == 1, given["scale"],
    )  # fmt: skip

    def learn(h: int, s: int, a: int, r: float, s2: int) -> None:
        reference.learn(h, s, a, s2)

    return compare(machine, world, reference, model, episodes, vtr_plans_differ, learn)


def compare(
    machine: Machine, world: World, reference: Any, model: Any, episodes: int, differ: Any, learn: Any
) -> str | None:
    """One trajectory, the kernels' own, for both sides; the first difference in words."""
    due = True
    for k in range(episodes):
        if not due:
            return f"episode {k}: no plan before it"
        machine.plan(k)
        reference.plan()
        if (wrong := differ(machine.st, reference)) is not None:
            return f"episode {k}: {wrong}"
        s = world.start(k)
        for h in range(model.H):
            a, wanted = machine.act(k, h, s), reference.act(h, s)
            # ties below the cap are compared by no one: sums in another order differ in the last bits
            if a != wanted and clear(reference.Q[h, s], reference.Q[h, s].max() == model.H):
                return f"episode {k}, stage {h}, state {s}: action {a} against {wanted}"
            r, s2 = world.step(h, s, a)
            due = machine.watch(k, h, s, a, r, s2)
            learn(h, s, a, r, s2)
            s = s2
    return None


BERNOULLI = RewardLaw("bernoulli")
LINEAR = {
    "simplex, stage-dependent": simplex_linear(S=5, A=3, d=3, horizon=3, b=2),
    "simplex, bernoulli": replace(simplex_linear(S=4, A=2, d=2, horizon=4, b=2, seed=3), reward_law=BERNOULLI),
    "chain": linear_chain(d=3, horizon=3, K=40),
    "one-hot, bernoulli": one_hot(model=riverswim(states=3, horizon=3, rewards="bernoulli")),
    "one stage": simplex_linear(S=3, A=2, d=2, horizon=1, b=2),
}
MIXTURE = {
    "random": mixture_random(S=5, A=3, d=3, horizon=4, b=2),
    "two states": mixture_two_state(d=3, criterion=FiniteHorizon(4)),
    "lock": mixture_lock(N=2),
    "one-hot": one_hot(model=riverswim(states=3, horizon=3), form="mixture"),
    "chain": mixture_chain(d=3, horizon=3, K=40),
    # features 0 and 1, one successor a pair
    "deterministic": mixture_random(S=3, A=2, d=1, horizon=2, b=1),
    "one state": mixture_random(S=1, A=3, d=2, horizon=2, b=1),
}


@pytest.mark.parametrize("model", LINEAR.values(), ids=LINEAR.keys())
@pytest.mark.parametrize("params", [{"c": 0.02, "delta": 0.1}, {"c": 1.0, "scale": 0.2, "delta": 0.3, "lam": 0.5}])
def test_lsvi_ucb(model: Any, params: dict[str, Any]) -> None:
    # with a small c values fall below the cap H, so that targets, clipping and the maximiser all matter
    assert compare_lsvi_ucb(LSVI, model, 40, params) is None


@pytest.mark.parametrize("mutant", planted("lsvi-ucb").values(), ids=planted("lsvi-ucb").keys())
def test_every_fault_of_lsvi_ucb_shows(mutant: Learner) -> None:
    model = LINEAR["simplex, stage-dependent"]
    assert any(compare_lsvi_ucb(mutant, model, 12, {"c": c, "delta": 0.1}) is not None for c in (0.02, 1.0))


@pytest.mark.parametrize("model", MIXTURE.values(), ids=MIXTURE.keys())
@pytest.mark.parametrize(
    "params",
    [{}, {"B": 0.1, "delta": 0.9, "lam": 4.0}, {"trace": 1}, {"homogeneous": 0}, {"scale": 0.05, "lam": 0.5}],
)
def test_ucrl_vtr(model: Any, params: dict[str, Any]) -> None:
    # with a small radius values fall below the cap H
    assert compare_ucrl_vtr(VTR, model, 30, params) is None


def test_scale_multiplies_the_radius_alone() -> None:
    model, radii = MIXTURE["random"], {}
    for scale in (1.0, 0.25):
        run = Simulation(VTR, model, replicates=1, length=1, params={"scale": scale}, target="python").advance()
        radii[scale] = run.state["radius"][0, 0]
    assert radii[0.25] == 0.25 * radii[1.0] > 0.0


@pytest.mark.parametrize("learner", [LSVI, VTR], ids=["lsvi-ucb", "ucrl-vtr"])
def test_a_run_is_the_trajectory_that_was_compared(learner: Learner) -> None:
    model = (LINEAR if learner is LSVI else MIXTURE)[{LSVI: "chain", VTR: "lock"}[learner]]
    run = Simulation(learner, model, replicates=1, length=12, target="python").advance()
    world = World(model.tabular())
    machine = Told(learner, model, 12, {}, world.rng)
    for k in range(12):
        machine.plan(k)
        s = world.start(k)
        for h in range(model.H):
            a = machine.act(k, h, s)
            r, s2 = world.step(h, s, a)
            machine.watch(k, h, s, a, r, s2)
            s = s2
    for name in learner.state:
        assert run.state[name][0].tolist() == getattr(machine.st, name).tolist(), name


def test_a_model_of_the_other_kind_is_refused_by_name() -> None:
    for learner, models in ((LSVI, MIXTURE), (VTR, LINEAR)):
        model = next(iter(models.values()))
        with pytest.raises(InputError, match=f"learner '{learner.name}' is told features of"):
            Simulation(learner, model, replicates=1, length=2, target="python")
        with pytest.raises(InputError, match=f"learner '{learner.name}' is told"):
            Simulation(learner, riverswim(states=3, horizon=2), replicates=1, length=2, target="python")
        good = next(iter((LINEAR if learner is LSVI else MIXTURE).values()))
        with pytest.raises(InputError, match=r"lam=0\.0 must be positive"):
            Simulation(learner, good, replicates=1, length=2, params={"lam": 0.0}, target="python")
    with pytest.raises(InputError, match="homogeneous=2 must be 0 or 1"):
        Simulation(VTR, MIXTURE["lock"], replicates=1, length=2, params={"homogeneous": 2}, target="python")

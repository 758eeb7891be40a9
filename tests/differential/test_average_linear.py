"""Average-reward learners with linear structure against transcriptions, step by step; planted faults as controls."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mdps.learners.olsvi_fh import episode_length
from mdps.models.garnet import family as garnet
from mdps.models.mixture_random import family as mixture_random
from mdps.models.mixture_two_state import family as mixture_two_state
from mdps.models.one_hot import family as one_hot
from mdps.models.riverswim import family as riverswim
from mdps.models.simplex_linear import family as simplex_linear
from proofs_check.kill_matrix import planted
from tests.differential.stepping import World, clear, far
from tests.reference.lscvi_ucb import LSCVIUCB
from tests.reference.olsvi_fh import OLSVIFH
from tests.reference.ucb_cvi import UCBCVI
from tests.reference.ucrl2_vtr import ValueTargeted
from theorylab.criteria import AVERAGE_REWARD, RewardLaw
from theorylab.errors import InputError
from theorylab.learner import Learner, resolve
from theorylab.registry import find_learner
from theorylab.simulation import Simulation
from theorylab.truth import known_to, sizes_at

CLOSE = 1e-8


class Told:
    """One replicate of a learner that is told arrays of the model, its kernels as plain functions."""

    def __init__(self, learner: Learner, model: Any, steps: int, params: dict[str, Any], rng: Any) -> None:
        values = learner.parameters(params, sizes_at(model, steps), known_to(learner, model))
        self.p, self.rng = SimpleNamespace(**values), rng
        self.st = SimpleNamespace(**{k: np.zeros(resolve(f, values), f.dtype) for k, f in learner.state.items()})
        kernels = {k: getattr(learner, k) for k in ("act", "learn", "watch", "plan")}
        self.calls = {k: v.build("python") for k, v in kernels.items() if v is not None}
        learner.begin.build("python")(self.st, self.p)

    def call(self, name: str, *given: Any) -> Any:
        return self.calls[name](self.st, self.p, *given)


def first_far(pairs: dict[str, tuple[Any, Any]], close: float = CLOSE) -> str | None:
    for name, (ours, theirs) in pairs.items():
        if far(ours, theirs, close * (1.0 + float(np.max(np.abs(theirs))))):
            return f"{name} differs by {np.max(np.abs(np.asarray(ours) - np.asarray(theirs))):.3g}"
    return None


FORMS = ("hoeffding", "bernstein", "code")


def compare_vtr(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """UCRL2-VTR and LOOP-EVI: every plan, every weight, every action."""
    world = World(model.tabular())
    machine = Told(learner, model, steps, params, world.rng)
    p, st = machine.p, machine.st
    given = {**learner.params, **params}
    loop = learner.name == "loop-evi"
    bound = given["span"] if loop else given["diameter"]
    reference = ValueTargeted(
        model.phi, model.r, steps, "loop" if loop else FORMS[given["form"]], given["delta"], bound, given["B"],
        given["tau"], given["scale"], given["lam"] if loop else None,
    )  # fmt: skip
    s, due = world.start(0), True
    for t in range(steps):
        wanted = reference.due()
        if due != wanted:
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if due:
            made, theirs = machine.call("plan", t, s, world.rng), reference.plan(p.max_sweeps)
            if made != theirs:
                return f"step {t}: the plan {'was made' if made else 'failed'}, against the transcription"
            if not made:
                return None
            wrong = first_far(
                {
                    "A_inv": (st.A_inv, np.linalg.inv(reference.A)), "theta": (st.theta, reference.theta),
                    "radius": (st.radius, [reference.beta]), "u": (st.u, reference.u), "w": (st.w, reference.w),
                    "Q": (st.Q, reference.Q), "gain": (st.gain, reference.gain), 
                    "sweeps": (st.sweeps, reference.sweeps), "n": (st.n, len(reference.samples)),
                }
            )  # fmt: skip
            if wrong:
                return f"step {t}: {wrong}"
        a = int(machine.call("act", t, s, world.rng))
        if a != reference.pi[s] and (clear(reference.Q[s], True)):
            return f"step {t}: action {a} against {reference.pi[s]}"
        r, s2 = world.step(0, s, a)
        due = bool(machine.call("watch", t, s, a, r, s2))
        reference.learn(s, a, s2)
        if "variance" in learner.state and far(st.variance[0], reference.v, CLOSE * reference.v):
            return f"step {t}: sigma^2 is {st.variance[0]} against {reference.v}"
        if far(st.log_det[0], reference.size() - reference.d * np.log(reference.lam), CLOSE * (1.0 + t)):
            return f"step {t}: the determinant differs"
        s = s2
    return None


TWO = mixture_two_state(d=3)
RANDOM = replace(mixture_random(S=4, A=2, d=3, horizon=1, b=2, seed=1), criterion=AVERAGE_REWARD)
ONE_HOT = one_hot(model=riverswim(states=2), form="mixture")
VTR_CASES: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "hoeffding": (TWO, 150, {"diameter": 2.2, "B": 2.2, "scale": 0.15}),
    "hoeffding, truncated": (TWO, 60, {"diameter": 0.5, "B": 1.07, "scale": 0.5, "tau": 0.7}),
    "bernstein": (TWO, 70, {"diameter": 1.5, "B": 1.07, "form": 1, "scale": 0.05}),
    "bernstein, many features": (ONE_HOT, 50, {"diameter": 1.0, "B": 2.0, "form": 1, "scale": 0.2}),
    "code's clips": (TWO, 80, {"diameter": 1.5, "B": 1.07, "form": 2, "scale": 0.02}),
    "random": (RANDOM, 80, {"diameter": 1.5, "B": 1.5, "scale": 0.1}),
    "no convergence": (RANDOM, 40, {"diameter": 3.0, "B": 1.5, "max_sweeps": 4}),
}
EVI_CASES: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "two states": (TWO, 150, {"span": 2.2, "B": 1.07, "lam": 0.8, "scale": 0.3}),
    "truncated": (TWO, 60, {"span": 0.5, "B": 1.07, "delta": 0.4}),
    "random": (RANDOM, 80, {"span": 1.5, "B": 1.5, "scale": 0.1, "tau": 1.0}),
}


def compare_lscvi(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """gamma-LSCVI-UCB: every plan, every action."""
    world = World(model.tabular())
    machine = Told(learner, model, steps, params, world.rng)
    given = {k: v for k, v in {**learner.params, **params}.items() if k != "max_sweeps"}
    st, reference = machine.st, LSCVIUCB(model.phi, model.r, steps, **given)
    s, due = world.start(0), True
    for t in range(steps):
        if due != reference.due():
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if due:
            made, theirs = machine.call("plan", t, s, world.rng), reference.plan(machine.p.max_sweeps)
            if made != theirs:
                return f"step {t}: the plan {'was made' if made else 'failed'}, against the transcription"
            if not made:
                return None
            wrong = first_far(
                {
                    "Lam_inv": (st.Lam_inv, np.linalg.inv(reference.Lam)), "w": (st.w, reference.w),
                    "Q": (st.Q, reference.Q), "V": (st.V, reference.V), "ahead": (st.ahead, reference.ahead),
                    "sweeps": (st.sweeps, reference.sweeps),
                }
            )  # fmt: skip
            if wrong:
                return f"step {t}: {wrong}"
        a = int(machine.call("act", t, s, world.rng))
        if a != reference.pi[s] and clear(reference.Q[s], True):
            return f"step {t}: action {a} against {reference.pi[s]}"
        r, s2 = world.step(0, s, a)
        due = bool(machine.call("watch", t, s, a, r, s2))
        reference.steps.append((s, a, s2))
        s = s2
    return None


def compare_cvi(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """gamma-UCB-CVI: every value, every action."""
    world = World(model)
    machine = Told(learner, model, steps, params, world.rng)
    reference = UCBCVI(np.array(model.r), steps, **{**learner.params, **params})
    s = world.start(0)
    for t in range(steps):
        a, wanted = int(machine.call("act", t, s, world.rng)), reference.act(s)
        if a != wanted and clear(reference.Q[s], True):
            return f"step {t}: action {a} against {wanted}"
        r, s2 = world.step(0, s, a)
        machine.call("learn", t, s, a, r, s2)
        reference.learn(s, a, s2)
        st = machine.st
        if wrong := first_far(
            {"Q": (st.Q, reference.Q), "V": (st.V, reference.V), "moves": (st.moves, reference.visits)}
        ):
            return f"step {t}: {wrong}"
        s = s2
    return None


def compare_olsvi(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """OLSVI.FH: the length, every plan, every action."""
    world = World(model.tabular())
    machine = Told(learner, model, steps, params, world.rng)
    st, reference = machine.st, OLSVIFH(model.phi, steps, **{**learner.params, **params})
    if machine.p.L != reference.L:
        return f"episodes of {machine.p.L} steps against {reference.L}"
    s, due = world.start(0), True
    for t in range(steps):
        if due != (t % reference.L == 0):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if due:
            machine.call("plan", t, s, world.rng)
            reference.plan()
            wrong = first_far(
                {
                    "Lam_inv": (st.Lam_inv, np.linalg.inv(reference.Lam)), "w": (st.w, reference.w),
                    "Q": (st.Q, reference.Q), "V": (st.V, reference.V),
                    "log_det": (st.log_det, reference.log_det()),
                }
            )  # fmt: skip
            if wrong:
                return f"step {t}: {wrong}"
        Q = reference.Q[t % reference.L, s]
        a = int(machine.call("act", t, s, world.rng))
        if a != int(np.argmax(Q)) and clear(Q, Q.max() == reference.L):
            return f"step {t}: action {a} against {np.argmax(Q)}"
        r, s2 = world.step(0, s, a)
        due = bool(machine.call("watch", t, s, a, r, s2))
        reference.steps.append((s, a, r, s2))
        s = s2
    return None


def endless(S: int, A: int, d: int, b: int, seed: int, coins: bool = False) -> Any:
    model = simplex_linear(S=S, A=A, d=d, b=b, horizon=1, zeros=0.0, stationary=True, seed=seed)
    law = RewardLaw("bernoulli") if coins else model.reward_law
    return replace(model, criterion=AVERAGE_REWARD, reward_law=law)


LINEAR, COINS = endless(4, 2, 2, 2, 1), endless(5, 3, 3, 2, 2, coins=True)
ONE_HOT_LINEAR = one_hot(model=riverswim(states=3, rewards="bernoulli"))
LSCVI_CASES: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "linear": (LINEAR, 80, {"span": 0.3, "c": 0.3}),
    "clip binds": (ONE_HOT_LINEAR, 80, {"span": 0.1, "scale": 0.05, "lam": 0.8}),
    "theory": (COINS, 60, {"span": 1.0}),
    "gamma given": (COINS, 60, {"span": 0.4, "scale": 0.1, "gamma": 0.6}),
    "too few backups": (LINEAR, 40, {"span": 0.3, "max_sweeps": 5}),
}
CVI_CASES: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "riverswim": (riverswim(states=3), 150, {"span": 0.1, "scale": 0.05}),
    "garnet": (garnet(S=4, A=3, b=2, seed=1, rewards="bernoulli"), 150, {"span": 0.9, "scale": 0.05, "delta": 0.3}),
    "theory": (riverswim(states=3), 60, {"span": 3.0}),
    "gamma given": (riverswim(states=4), 100, {"span": 0.5, "scale": 0.02, "gamma": 0.8}),
}
OLSVI_CASES: dict[str, tuple[Any, int, dict[str, Any]]] = {
    "linear": (LINEAR, 60, {"span": 0.5, "c": 0.2, "lam": 0.8}),
    "coins": (COINS, 60, {"span": 2.0, "scale": 0.02}),
    "length given": (ONE_HOT_LINEAR, 64, {"span": 2.0, "length": 5, "scale": 0.01, "delta": 0.3}),
    "theory": (COINS, 40, {"span": 1.0}),
}


@pytest.mark.parametrize(("model", "steps", "params"), LSCVI_CASES.values(), ids=LSCVI_CASES.keys())
def test_lscvi_ucb(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare_lscvi(find_learner("lscvi-ucb"), model, steps, params) is None


@pytest.mark.parametrize(("model", "steps", "params"), CVI_CASES.values(), ids=CVI_CASES.keys())
def test_ucb_cvi(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare_cvi(find_learner("ucb-cvi"), model, steps, params) is None


@pytest.mark.parametrize(("model", "steps", "params"), OLSVI_CASES.values(), ids=OLSVI_CASES.keys())
def test_olsvi_fh(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare_olsvi(find_learner("olsvi-fh"), model, steps, params) is None


@pytest.mark.parametrize(("model", "steps", "params"), VTR_CASES.values(), ids=VTR_CASES.keys())
def test_ucrl2_vtr(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare_vtr(find_learner("ucrl2-vtr"), model, steps, params) is None


@pytest.mark.parametrize(("model", "steps", "params"), EVI_CASES.values(), ids=EVI_CASES.keys())
def test_loop_evi(model: Any, steps: int, params: dict[str, Any]) -> None:
    assert compare_vtr(find_learner("loop-evi"), model, steps, params) is None


CASES: dict[str, tuple[Any, dict[str, tuple[Any, int, dict[str, Any]]]]] = {
    "ucrl2-vtr": (compare_vtr, VTR_CASES),
    "loop-evi": (compare_vtr, EVI_CASES),
    "lscvi-ucb": (compare_lscvi, LSCVI_CASES),
    "ucb-cvi": (compare_cvi, CVI_CASES),
    "olsvi-fh": (compare_olsvi, OLSVI_CASES),
}
FAULTS = [pytest.param(name, v, id=f"{name}-{k}") for name in CASES for k, v in planted(name).items()]


@pytest.mark.long
@pytest.mark.parametrize(("name", "mutant"), FAULTS)
def test_every_fault_shows(name: str, mutant: Learner) -> None:
    compare, cases = CASES[name]
    limit = {"max_sweeps": 2_000} if "max_sweeps" in mutant.params else {}
    assert any(compare(mutant, m, n, {**limit, **g}) is not None for m, n, g in cases.values())


def test_a_fault_shows_by_default() -> None:
    mutant = planted("ucrl2-vtr")["uncentred"]
    assert compare_vtr(mutant, *VTR_CASES["hoeffding"]) is not None


def refused(name: str, model: Any, params: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Simulation(find_learner(name), model, replicates=1, length=10, params=params, target="python")


def test_bad_parameters_of_the_mixture_learners_are_refused_by_name() -> None:
    for wrong, words in (
        ({"diameter": 0.0}, r"diameter=0\.0 must be positive"),
        ({"B": -1.0}, r"B=-1\.0 must be positive"),
        ({"form": 3}, "form=3 is none of"),
        ({"tau": 0.0}, r"tau=0\.0 must lie in"),
    ):
        refused("ucrl2-vtr", TWO, wrong, words)
    for wrong, words in (
        ({"span": -1.0}, r"span=-1\.0 must be positive"),
        ({"lam": 0.0}, r"lam=0\.0 must be positive"),
        ({"tau": 1.5}, r"tau=1\.5 must lie in"),
    ):
        refused("loop-evi", TWO, wrong, words)
    refused("ucrl2-vtr", riverswim(states=3), {}, "is told features of transitions")


def test_bad_parameters_of_the_linear_learners_are_refused_by_name() -> None:
    for name in ("lscvi-ucb", "olsvi-fh"):
        refused(name, LINEAR, {"span": 0.0}, r"span=0\.0 must be positive")
        refused(name, LINEAR, {"lam": -1.0}, r"lam=-1\.0 must be positive")
        refused(name, TWO, {}, "is told features of pairs")
    for gamma in (1.0, 1.5, -0.1):
        refused("lscvi-ucb", LINEAR, {"gamma": gamma}, rf"gamma={gamma} must lie in \[0, 1\)")
        refused("ucb-cvi", riverswim(states=3), {"gamma": gamma}, rf"gamma={gamma} must lie in \[0, 1\)")
    refused("ucb-cvi", riverswim(states=3), {"span": -2.0}, r"span=-2\.0 must be positive")
    refused("olsvi-fh", LINEAR, {"length": -1}, "length=-1 is negative")


@pytest.mark.parametrize("name", ["lscvi-ucb", "olsvi-fh"])
def test_features_without_the_constant_direction_are_refused(name: str) -> None:
    phi = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.3, 0.3]]])
    known = {"phi": phi, "r": np.zeros((2, 2))}
    with pytest.raises(InputError, match=r"phi has no constant direction.*at \("):
        find_learner(name).parameters({"span": 1.0}, {"S": 2, "A": 2, "T": 10, "d": 2}, known)


def test_the_printed_length_of_olsvi_by_hand() -> None:
    assert episode_length(0.32, 100_000, 2) == 20  # (0.32e5/4)^{1/3} = 20 exactly, the other form 5.98
    assert episode_length(10.0, 10_000, 10) == 10  # sqrt(10) 10/5.62 = 5.6 and 1000^{1/3} = 10
    assert episode_length(0.001, 10, 5) == 1


def test_one_hot_features_give_the_average() -> None:
    """With d = S A the regression of a pair is sum V'/(N + lam), shrunk towards the least value."""
    run = Simulation(
        find_learner("lscvi-ucb"), ONE_HOT_LINEAR, replicates=1, length=60, params={"span": 1.0, "lam": 1e-6},
        target="python",
    ).advance()  # fmt: skip
    width, n = run.state["width"][0], run.observed["visits"][0].ravel()
    assert width == pytest.approx(1.0 / (n + 1e-6), rel=1e-6)

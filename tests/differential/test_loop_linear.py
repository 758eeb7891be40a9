"""Linear LOOP and FOPO against transcriptions, step by step, and every planted fault as a control."""

from __future__ import annotations

import math
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from proofs_check.mutants import fopo as fopo_faults
from proofs_check.mutants import loop_linear as loop_faults
from proofs_check.papers._loop_linear_steps import HARD, RANDOM
from tests.differential._refusals import Refusal, unrefused
from tests.differential.stepping import World, far
from tests.reference.fopo import transcription
from tests.reference.loop_linear import LoopLinear
from theorylab.errors import InputError
from theorylab.learner import Learner, resolve
from theorylab.linear import LinearMDP
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

CLOSE = 1e-6


def machine(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Parameters, zeroed state after `begin`, and the kernels as plain functions."""
    sizes = {"S": model.S, "A": model.A, "T": steps, "d": model.d}
    values = learner.parameters(params, sizes, {"phi": np.array(model.phi), "r": np.array(model.r)})
    st = SimpleNamespace(**{k: np.zeros(resolve(f, values), f.dtype) for k, f in learner.state.items()})
    p = SimpleNamespace(**values)
    learner.begin.build("python")(st, p)
    assert learner.watch is not None
    return st, p, {"act": learner.act.build("python"), "watch": learner.watch.build("python"), "plan": learner.plan_one}


def reference_of(name: str, model: Any, steps: int, params: dict[str, Any]) -> LoopLinear:
    """The transcription, with beta as the notes have it."""
    phi, r, d = np.array(model.phi), np.array(model.r), model.d
    B, delta, scale, ridge = (
        params["span"],
        params.get("delta", 0.05),
        params.get("scale", 1.0),
        params.get("ridge", 1.0),
    )
    if name == "fopo":
        return transcription(phi, r, B, steps, delta, scale, ridge)
    W = params.get("W", 0.0) or (2 + B / 2) * math.sqrt(d)
    L = params.get("L", 0.0) or max(float(np.linalg.norm(x)) for x in phi.reshape(-1, d))
    cap = params.get("cap", 1.0)
    if "beta" in params:
        beta = params["beta"]
    elif params.get("form", 0) == 2:
        size = d * math.log(1 + 2 * W * L * steps) + math.log(math.ceil(steps / 2))
        beta = params["constant"] * B * (math.log(steps / delta) + 2 * size)
    else:
        noise = d / 2 * math.log(1 + steps * L**2 / (d * ridge)) + math.log(1 / delta)
        root = math.sqrt(ridge) * W + B * math.sqrt(noise / 2)
        if params.get("form", 0) == 0:
            kappa = float(
                np.linalg.norm(np.linalg.lstsq(phi.reshape(-1, d), np.ones(model.S * model.A), rcond=None)[0])
            )
            W_e = W + cap * kappa + (1 + B / 2) * math.sqrt(d)
            noise += d * math.log(1 + 4 * W * L * steps / B)
            root = 3 * (math.sqrt(ridge) * (W + W_e) + B * math.sqrt(noise / 2) + 2 * B / math.sqrt(steps))
        beta = root**2
    factor = (params.get("factor", 4.0), -1.0, None)[params.get("trigger", 0)]  # no excess is below -beta
    return LoopLinear(phi, r, scale * beta, B, W, ridge, factor, cap)


def plan_differs(st: Any, p: Any, reference: LoopLinear) -> str | None:
    """The kernels' hypothesis: in the class and the set, greedy, and of the largest gain."""
    Q = np.array([[float(x @ st.omega) for x in rows] for rows in reference.phi])
    best = reference.largest()
    checks = {
        "Q": not far(st.Q, Q, 1e-9),
        "V": not far(st.V, Q.max(axis=1), 1e-9),
        "pi": all(Q[s, st.pi[s]] > Q[s].max() - 2e-9 for s in range(len(Q))),
        "|omega|": float(np.linalg.norm(st.omega)) <= reference.W * (1 + 1e-9),
        "|V|": float(np.abs(Q.max(axis=1)).max()) <= reference.span / 2 + 1e-9,
        "excess": reference.excess(st.omega, float(st.J[0])) <= reference.beta * (1 + 1e-5) + CLOSE,
        "J": abs(float(st.J[0]) - best) <= 2e-6 * (2 + min(reference.span, 2 * reference.W)),
        "beta": abs(p.beta - reference.beta) <= 1e-9 * reference.beta,
    }
    wrong = [k for k, ok in checks.items() if not ok]
    return f"{', '.join(wrong)} (J {st.J[0]} against {best})" if wrong else None


def compare(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """Times and results of all plans, actions, the sums and the excess at every step."""
    st, p, calls = machine(learner, model, steps, params)
    reference = reference_of(learner.name, model, steps, params)
    world = World(model.tabular())
    s, due = world.start(0), True
    for t in range(steps):
        if due != reference.due():
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if due:
            try:
                calls["plan"](st, p, t, s)
            except InputError as reason:
                return f"step {t}: {reason}"
            if wrong := plan_differs(st, p, reference):
                return f"step {t}: {wrong}"
            reference.take(st.omega, float(st.J[0]))
            if st.switches[0] != reference.plans:
                return f"step {t}: {st.switches[0]} plans"
        a = int(calls["act"](st, p, t, s, world.rng))
        if a != st.pi[s]:
            return f"step {t}: action {a}"
        r, s2 = world.step(0, s, a)
        due = bool(calls["watch"](st, p, t, s, a, r, s2))
        reference.learn(s, a, s2)
        excess = reference.excess(reference.omega, reference.J)
        if far(st.upsilon[0], excess, CLOSE * (1.0 + excess)):
            return f"step {t}: upsilon {st.upsilon[0]} against {excess}"
        volume = reference.log_det() - (model.d * math.log(reference.ridge) if reference.ridge > 0.0 else 0.0)
        if far(st.log_det[0], volume, CLOSE):
            return f"step {t}: log_det {st.log_det[0]} against {volume}"
        s = s2
    X = reference.design()
    Phi = np.array(
        [sum((model.phi[i, a] for i, a, j in reference.data if j == k), np.zeros(model.d)) for k in range(model.S)]
    )
    for name, ours, theirs in (("Lam", st.Lam, X.T @ X), ("total", st.total, X.sum(axis=0)), ("Phi", st.Phi, Phi)):
        if far(ours, theirs, 1e-8):
            return f"{name} differs"
    return None if st.N.sum() == steps else "N does not count the steps"


def scaled(model: LinearMDP, c: float) -> LinearMDP:
    """The same model with c times the features."""
    return LinearMDP(
        c * np.array(model.phi), np.array(model.mu) / c, np.array(model.theta) / c, criterion=model.criterion,
        name=f"{model.name}-{c:g}", P=np.array(model.P),
    )  # fmt: skip


def one_hot() -> LinearMDP:
    """Two states and two actions, a feature for each pair: a visit doubles the determinant, or all but does."""
    P = np.array([[[0.5, 0.5], [0.75, 0.25]], [[0.5, 0.5], [0.25, 0.75]]])
    r = np.array([0.0, 0.0, 1.0, 1.0])
    return LinearMDP(np.eye(4).reshape(2, 2, 4), P.reshape(4, 2), r, criterion=HARD.criterion, name="one-hot", P=P)


def constant(norm2: float) -> LinearMDP:
    """Two states, one action, one feature of this square: a visit raises det M by the factor 1 + norm2 / ridge."""
    x = math.sqrt(norm2)
    return LinearMDP(
        np.full((2, 1, 1), x), np.full((1, 2), 0.5 / x), np.zeros(1), criterion=HARD.criterion,
        name=f"constant-{norm2:g}", P=np.full((2, 1, 2), 0.5),
    )  # fmt: skip


#: (learner, model, steps, parameters)
CASES = {
    "all lemmas": ("loop-linear", HARD, 60, {"span": 1.25, "ridge": 0.01, "scale": 0.004}),
    "optimism": ("loop-linear", HARD, 60, {"span": 1.25, "form": 1, "ridge": 0.05, "scale": 0.1}),
    "the paper's form, without a ridge": (
        "loop-linear",
        RANDOM,
        60,
        {"span": 0.9, "ridge": 0.0, "form": 2, "constant": 0.02},
    ),
    "beta given, norms that bind": (
        "loop-linear",
        HARD,
        60,
        {"span": 2.0, "ridge": 0.02, "beta": 2.0, "factor": 2.0, "W": 1.3},
    ),
    "fopo": ("fopo", HARD, 60, {"span": 1.25, "scale": 0.003}),
    "fopo, random": ("fopo", RANDOM, 60, {"span": 0.9, "scale": 0.003, "delta": 0.2}),
}
#: of `loop-linear`: the other triggers, norms that are not 1, a determinant 2 - 3e-9 times that of the plan, and an
#: excess that is 4 beta to the last bit after one step
VARIANTS: list[tuple[Any, int, dict[str, Any]]] = [
    (constant(1.0 - 3e-9), 4, {"span": 1.0, "form": 1, "trigger": 2}),
    (constant(1.0), 3, {"span": 1.0, "beta": 0.125, "W": 1.0}),
    (HARD, 8, {"span": 1.25, "form": 1, "ridge": 0.05, "scale": 0.1, "trigger": 1}),
    (HARD, 40, {"span": 1.25, "form": 1, "ridge": 0.05, "scale": 0.1, "trigger": 2}),
    (one_hot(), 40, {"span": 2.0, "form": 1, "scale": 0.1, "trigger": 2}),
    (RANDOM, 40, {"span": 0.9, "ridge": 0.0, "form": 2, "constant": 0.02, "trigger": 2}),
    (scaled(HARD, 1e-3), 8, {"span": 1.25, "ridge": 0.0, "beta": 0.1, "W": 3e3}),
    (scaled(HARD, 0.5), 20, {"span": 1.25, "ridge": 0.01, "scale": 0.004, "cap": 1.5}),
    (scaled(HARD, 0.5), 20, {"span": 1.25, "ridge": 0.01, "scale": 0.004, "L": 2.0, "delta": 0.2}),
]
SHORT = ("optimism", "fopo")


_KNOWN = {"phi": np.array(HARD.phi), "r": np.array(HARD.r)}
REFUSALS: list[Refusal] = [
    ({"span": 1.25, "beta": -1.0}, _KNOWN, "beta=-1.0 is negative"),
    ({"span": 1.25, "L": 0.99}, _KNOWN, "L=0.99 is below the largest |phi| = 1;"),
    (
        {"span": 1.25, "L": 0.49},
        {**_KNOWN, "phi": 0.5 * np.array(HARD.phi)},
        "L=0.49 is below the largest |phi| = 0.5;",
    ),
]


def loop_or_refusal(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """Refusals first, then the run."""
    sizes = {"S": HARD.S, "A": HARD.A, "T": 10, "d": HARD.d}
    return unrefused(learner, REFUSALS, sizes) or compare(learner, model, steps, params)


@pytest.mark.long
def test_variants() -> None:
    for case in VARIANTS:
        assert loop_or_refusal(find_learner("loop-linear"), *case) is None, case


@pytest.mark.parametrize("case", [pytest.param(k, marks=() if k in SHORT else pytest.mark.long) for k in CASES])
def test_transcription(case: str) -> None:
    name, model, steps, params = CASES[case]
    assert compare(find_learner(name), model, steps, params) is None


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_transcription_compiled(case: str) -> None:
    """The compiled run ends in the state of the run that was compared."""
    name, model, steps, params = CASES[case]
    spec = find_learner(name)
    runs = [
        Simulation(spec, model, replicates=3, length=steps, params=params, target=t).advance()
        for t in ("cpu", "python")
    ]
    assert all((runs[0].state[k] == runs[1].state[k]).all() for k in spec.state)
    assert runs[0].state["switches"].min() >= 3


def faults(module: ModuleType) -> list[Any]:
    """Every planted fault of a file, by name."""
    spec = find_learner(module.learner.name)
    return [pytest.param(v, id=k) for k, v in vars(module).items() if isinstance(v, Learner) and v is not spec]


def shows(mutant: Learner) -> bool:
    return any(compare(mutant, m, n, p) is not None for name, m, n, p in CASES.values() if name == mutant.name)


@pytest.mark.long
@pytest.mark.parametrize("mutant", [*faults(loop_faults), *faults(fopo_faults)])
def test_every_fault_shows(mutant: Learner) -> None:
    assert shows(mutant)


def test_a_planted_fault_shows() -> None:
    _, model, steps, params = CASES["optimism"]
    assert compare(loop_faults.trigger_early, model, steps, params) is not None
    assert compare(fopo_faults.dimension_dropped, *CASES["fopo"][1:]) is not None


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("loop-linear", {"span": 0.0}, "span=0.0"),
        ("loop-linear", {"ridge": 0.0}, "ridge=0 leaves form=0"),
        ("loop-linear", {"ridge": -1.0}, "ridge=-1.0"),
        ("loop-linear", {"solver": 3}, "solver=3"),
        ("loop-linear", {"trigger": 3}, "trigger=3"),
        ("loop-linear", {"form": 3}, "form=3"),
        ("loop-linear", {"L": 0.5}, "below the largest"),
        ("loop-linear", {"cap": 0.5}, r"r\[1, 0\] = 1.0"),
        ("loop-linear", {"factor": 0.0}, "factor=0.0"),
        ("fopo", {"span": -1.0}, "span=-1.0"),
        ("fopo", {"ridge": 0.0}, "ridge=0.0"),
        ("fopo", {"scale": 0.0}, "scale=0.0"),
        ("fopo", {"mesh": 0.0}, "mesh=0.0"),
    ],
)
def test_what_is_refused(name: str, change: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        machine(find_learner(name), HARD, 10, {"span": 1.25, **change})


def test_a_span_below_the_truth_fails_with_its_reason() -> None:
    params = {"span": 0.01, "ridge": 0.001, "form": 1}
    with pytest.raises(InputError, match="none of 2 policies has a hypothesis"):
        Simulation(
            find_learner("loop-linear"), HARD, replicates=1, length=400, params=params, target="python"
        ).advance()

"""LOOP and MLE-LOOP on finite classes against transcriptions, step by step, and every planted fault as a control."""

from __future__ import annotations

import math
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mdps.loop.classes import largest_span, relabelled_riverswim, sign_grid
from mdps.models.mixture_two_state import family as two_state
from proofs_check.mutants import loop_models as loop_faults
from proofs_check.mutants import mle_loop as mle_faults
from tests.differential._refusals import Refusal, unrefused
from tests.differential.stepping import World, far
from tests.reference.loop_models import LoopModels
from tests.reference.mle_loop import MleLoop
from theorylab.errors import InputError
from theorylab.learner import Learner, resolve
from theorylab.model import TabularMDP
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

CLOSE = 1e-8


def machine(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Parameters, zeroed state after `begin`, and the kernels as plain functions."""
    sizes = {"S": model.S, "A": model.A, "T": steps}
    values = learner.parameters(params, sizes, {"r": np.array(model.r)})
    st = SimpleNamespace(**{k: np.zeros(resolve(f, values), f.dtype) for k, f in learner.state.items()})
    p = SimpleNamespace(**values)
    learner.begin.build("python")(st, p)
    calls = {k: getattr(learner, k).build("python") for k in ("act", "watch", "plan")}
    return st, p, calls


def theory(name: str, params: dict[str, Any], steps: int) -> float:
    """beta as the notes have it."""
    if params.get("beta", 0.0) > 0.0:
        return float(params["beta"] * params.get("scale", 1.0))
    M, B, delta = len(params["models"]), params["span"], params.get("delta", 0.05)
    form, c = params.get("form", 0), params.get("constant", 1.0)
    if name == "loop-models":
        beta = (9 * B**2 * np.log(M**2 / delta), B**2 / 2 * np.log(M / delta), c * np.log(steps * M**2 / delta) * B)[
            form
        ]
    else:
        beta = (3 * np.log(M / delta), np.log(M / delta), c * np.log(steps * M / delta))[form]
    return float(params.get("scale", 1.0) * beta)


class Lazy:
    """The bound on the excess of the model in play that the learner looks at, from its definition.

    base, excess at the last update; targets, d = (P_f V_f)(s,a) - V_f(s') of the steps since then by pair.
    """

    def __init__(self) -> None:
        self.base, self.targets = 0.0, dict[tuple[int, int], list[float]]()

    def update(self, excess: float) -> None:
        self.base, self.targets = excess, {}

    def step(self, reference: LoopModels, s: int, a: int, s2: int) -> None:
        V = reference.V[reference.f]
        d = math.fsum(reference.models[reference.f, s, a] * V) - float(V[s2])
        self.targets.setdefault((s, a), []).append(d)

    @property
    def bound(self) -> float:
        return self.base + math.fsum(math.fsum(d) ** 2 / len(d) for d in self.targets.values())


def loop_state_differs(st: Any, reference: LoopModels, lazy: Lazy) -> str | None:
    """After a step: upsilon is the bound or, where that reached the trigger, the excess; all excesses there."""
    excess, limit, settled = reference.excess, reference.factor * reference.beta, not st.fresh.any()
    if settled != (lazy.bound >= limit) and abs(lazy.bound - limit) > 1e-7 * limit:
        return f"losses {'are' if settled else 'are not'} up to date at a bound of {lazy.bound}, trigger {limit}"
    if settled:
        lazy.update(float(excess[reference.f]))
        if far(st.excess, excess, CLOSE * max(1.0, float(excess.max()))):
            return "excess differs"
    if far(st.upsilon[0], lazy.bound, CLOSE * max(1.0, lazy.bound)):
        return f"upsilon {st.upsilon[0]} against {lazy.bound}"
    return None


def compare_loop(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """`loop-models`: the time and result of every optimisation, actions, excesses when they are up to date."""
    st, p, calls = machine(learner, model, steps, params)
    beta = theory("loop-models", params, steps)
    if abs(p.beta - beta) > 1e-9 * beta:
        return f"beta {p.beta} against {beta}"
    reference = LoopModels(
        np.asarray(params["models"]), np.array(model.r), beta, params.get("factor", 4.0), params["span"]
    )
    world, lazy = World(model), Lazy()
    s, due = world.start(0), True
    for t in range(steps):
        before = reference.optimisations
        wanted = reference.act(s)
        if due != (reference.optimisations > before):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if due and not calls["plan"](st, p, t, s, world.rng):
            return f"step {t}: the plan failed"
        if due:
            lazy.update(float(reference.excess[reference.f]))
            if far(st.upsilon[0], lazy.bound, CLOSE):
                return f"step {t}: upsilon {st.upsilon[0]} of a new model, against {lazy.bound}"
        if due:
            f = reference.f
            if st.played[0] != f or st.switches[0] != reference.optimisations:
                return f"step {t}: model {st.played[0]} against {f}, or the number of switches"
            for ours, theirs in ((st.Q, reference.Q[f]), (st.V, reference.V[f]), (st.J[0], reference.J[f])):
                if far(ours, theirs, CLOSE):
                    return f"step {t}: Q, V or J differs"
        a = int(calls["act"](st, p, t, s, world.rng))
        if a != wanted:
            return f"step {t}: action {a} against {wanted}"
        r, s2 = world.step(0, s, a)
        due = bool(calls["watch"](st, p, t, s, a, r, s2))
        reference.learn(s, a, s2)
        lazy.step(reference, s, a, s2)
        if wrong := loop_state_differs(st, reference, lazy):
            return f"step {t}: {wrong}"
        s = s2
    return None if st.N.sum() == steps else "N does not count the steps"


def compare_mle(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """`mle-loop`: likelihoods, the most likely model, upsilon, optimisations and actions at every step."""
    st, p, calls = machine(learner, model, steps, params)
    beta = theory("mle-loop", params, steps)
    if abs(p.beta - beta) > 1e-9 * beta:
        return f"beta {p.beta} against {beta}"
    reference = MleLoop(np.asarray(params["models"]), np.array(model.r), beta, params.get("factor", 3.0))
    world = World(model)
    s, due = world.start(0), True
    for t in range(steps):
        before = reference.optimisations
        wanted = reference.act(s)
        made = not due or bool(calls["plan"](st, p, t, s, world.rng))
        if reference.dead:
            return "a model is left here and none there" if made else None
        if not made:
            return f"step {t}: the plan failed"
        if due != (reference.optimisations > before):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription"
        if st.played[0] != reference.f or st.switches[0] != reference.optimisations:
            return f"step {t}: model {st.played[0]} against {reference.f}"
        f = reference.f
        if any(
            far(x, y, CLOSE) for x, y in ((st.Q, reference.Q[f]), (st.V, reference.V[f]), (st.J[0], reference.J[f]))
        ):
            return f"step {t}: Q, V or J differs"
        likelihoods = reference.likelihoods()
        alive = np.isfinite(likelihoods)
        if (alive != (st.loglik > -1e200)).any() or far(st.loglik[alive], likelihoods[alive], CLOSE * (t + 1)):
            return f"step {t}: log-likelihoods differ"
        if st.mle[0] != reference.g and abs(likelihoods[st.mle[0]] - likelihoods[reference.g]) > CLOSE:
            return f"step {t}: most likely {st.mle[0]} against {reference.g}"
        if st.mle[0] != int(np.argmax(st.loglik)):
            return f"step {t}: of models with the same log-likelihood {st.mle[0]} is not the first"
        reference.g = int(st.mle[0])
        if far(st.upsilon[0], reference.distance(), CLOSE * (t + 1)):
            return f"step {t}: upsilon {st.upsilon[0]} against {reference.distance()}"
        a = int(calls["act"](st, p, t, s, world.rng))
        if a != wanted:
            return f"step {t}: action {a} against {wanted}"
        r, s2 = world.step(0, s, a)
        due = bool(calls["watch"](st, p, t, s, a, r, s2))
        reference.learn(s, a, s2)
        s = s2
    return None if st.N.sum() == steps else "N does not count the steps"


SWIM_CLASS, SWIM = relabelled_riverswim(3, (0.2, 0.35, 0.5), 0.2, "101")
SWIM_SPAN = largest_span(SWIM_CLASS, SWIM.r)
SIGNS, MIXTURE = sign_grid(3, 0.3), two_state.build(d=3, delta=0.3, good=1).tabular()
SIGNS_SPAN = largest_span(SIGNS, MIXTURE.r)
_SWIM, _SIGNS = dict(models=SWIM_CLASS, span=SWIM_SPAN), dict(models=SIGNS, span=SIGNS_SPAN)
#: always to state 0, and a class whose rows are all (q, 1 - q): values -1/2, 1/2 and losses are short dyadic numbers
HOME = TabularMDP(P=np.tile([1.0, 0.0], (2, 2, 1)), r=np.array([[0.0, 0.0], [1.0, 1.0]]), name="home")
_SHORT = dict(models=np.tile(np.array([[q, 1.0 - q] for q in (0.5, 0.75, 1.0)])[:, None, None], (1, 2, 2, 1)), span=1.0)
_TWICE = dict(_SWIM, models=np.concatenate([SWIM_CLASS, SWIM_CLASS]))
#: (learner, model, steps, parameters)
CASES = {
    "loop, all lemmas": ("loop-models", SWIM, 300, {**_SWIM, "scale": 0.002}),
    "loop, optimism": ("loop-models", SWIM, 300, {**_SWIM, "form": 1, "delta": 0.5, "scale": 0.05}),
    "loop, the paper's form": ("loop-models", MIXTURE, 300, {**_SIGNS, "form": 2, "constant": 0.005}),
    "loop, beta given": ("loop-models", MIXTURE, 300, {**_SIGNS, "beta": 0.1, "factor": 2.0}),
    # after two steps the excess of the model in play is 4 beta, that of the next one beta, to the last bit
    "loop, at the bounds": ("loop-models", HOME, 6, {**_SHORT, "beta": 0.125}),
    "loop, models twice": ("loop-models", SWIM, 60, {**_TWICE, "form": 1, "scale": 0.02}),
    "loop, no budget": ("loop-models", SWIM, 40, {**_SWIM, "scale": 0.0}),
    "mle, all lemmas": ("mle-loop", SWIM, 120, {**_SWIM, "scale": 0.02}),
    "mle, optimism": ("mle-loop", MIXTURE, 120, {**_SIGNS, "form": 1, "scale": 0.005}),
    "mle, the paper's form": ("mle-loop", SWIM, 120, {**_SWIM, "form": 2, "constant": 0.02, "factor": 1.0}),
    # after three steps upsilon = 3/2 is the trigger 3/2 sqrt(4/4)
    "mle, at the bound": ("mle-loop", HOME, 6, {**_SHORT, "beta": 0.25, "factor": 1.5}),
    "mle, models twice": ("mle-loop", SWIM, 60, {**_TWICE, "form": 1, "scale": 0.02}),
    "mle, no budget": ("mle-loop", SWIM, 40, {**_SWIM, "scale": 0.0}),
}
SPECIAL = [k for k in CASES if k.endswith(("at the bounds", "at the bound", "twice", "no budget"))]
_R = {"r": np.array(SWIM.r)}
REFUSALS: list[Refusal] = [
    ({**_SWIM, "beta": -1.0}, _R, "beta=-1.0 is negative"),
    ({**_SWIM, "span": 0.0}, _R, "span=0.0 must be positive"),
    ({**_SWIM, "span": 0.5}, _R, "above span=0.5"),
]


def refused(learner: Learner) -> str | None:
    """A negative beta, spans that are none or too small."""
    return unrefused(learner, REFUSALS, {"S": SWIM.S, "A": SWIM.A, "T": 10})


def loop_or_refusal(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """Refusals first, then the run."""
    return refused(learner) or compare_loop(learner, model, steps, params)


def mle_or_refusal(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """Refusals first, then the run."""
    return refused(learner) or compare_mle(learner, model, steps, params)


COMPARE = {"loop-models": loop_or_refusal, "mle-loop": mle_or_refusal}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_transcription(case: tuple[str, Any, int, dict[str, Any]]) -> None:
    name, model, steps, params = case
    assert COMPARE[name](find_learner(name), model, steps, params) is None


def test_the_cases_change_their_model() -> None:
    """Three optimisations or more, so that losses with the targets of several models are in the data."""
    for name, model, steps, params in (c for k, c in CASES.items() if k not in SPECIAL):
        run = Simulation(
            find_learner(name), model, replicates=1, length=steps, params=params, target="python"
        ).advance()
        assert run.state["switches"][0, 0] >= 3, (name, run.state["switches"])


@pytest.mark.long
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_transcription_compiled(case: tuple[str, Any, int, dict[str, Any]]) -> None:
    """The compiled run ends in the state of the run that was compared."""
    name, model, steps, params = case
    spec = find_learner(name)
    runs = [
        Simulation(spec, model, replicates=3, length=5 * steps, params=params, target=t).advance()
        for t in ("cpu", "python")
    ]
    assert all((runs[0].state[k] == runs[1].state[k]).all() for k in spec.state)


def faults(module: ModuleType) -> list[Any]:
    """Every planted fault of a file, by name."""
    spec = find_learner(module.learner.name)
    return [pytest.param(v, id=k) for k, v in vars(module).items() if isinstance(v, Learner) and v is not spec]


def shows(mutant: Learner, name: str) -> bool:
    return any(COMPARE[name](mutant, m, n, p) is not None for k, m, n, p in CASES.values() if k == name)


@pytest.mark.long
@pytest.mark.parametrize("mutant", faults(loop_faults))
def test_every_fault_of_loop_models_shows(mutant: Learner) -> None:
    assert shows(mutant, "loop-models")


@pytest.mark.long
@pytest.mark.parametrize("mutant", faults(mle_faults))
def test_every_fault_of_mle_loop_shows(mutant: Learner) -> None:
    assert shows(mutant, "mle-loop")


def test_a_planted_fault_shows() -> None:
    assert shows(loop_faults.targets_newest, "loop-models") and shows(mle_faults.trigger_late, "mle-loop")


@pytest.mark.parametrize("name", ["loop-models", "mle-loop"])
@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"span": 0.0}, "span=0.0"),
        ({"span": 0.9 * SWIM_SPAN}, r"models\[\d+\] has span"),
        ({"beta": -1.0}, "beta=-1.0"),
        ({"form": 3}, "form=3"),
        ({"factor": 0.0}, "factor=0.0"),
        ({"constant": -1.0}, "constant=-1.0"),
        ({"models": SWIM_CLASS[:, :2]}, "models has shape"),
        ({"models": 0.5 * SWIM_CLASS}, "the class of models"),
        pytest.param({"models": np.tile(np.eye(3)[:, None], (2, 1, 2, 1))}, "class of models", marks=pytest.mark.long),
    ],
)
def test_what_is_refused(name: str, change: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        machine(find_learner(name), SWIM, 10, {**_SWIM, **change})


def test_a_class_that_the_data_exclude_fails_with_its_reason() -> None:
    always = np.zeros((1, 2, 4, 2))
    always[0, 0, :, 1] = always[0, 1, :, 0] = 1.0  # the state changes at every step
    params = {**_SIGNS, "models": always}
    with pytest.raises(InputError, match="no model of the class allows"):
        Simulation(
            find_learner("mle-loop"), MIXTURE, replicates=1, length=200, params=params, target="python"
        ).advance()

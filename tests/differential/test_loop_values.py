"""LOOP on finite classes of value functions beside its transcription, step by step, on the python target."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mdps
from mdps.learners.loop_values import choose, excesses
from mdps.loop.values import completed, perturbed
from proofs_check.mutants import loop_values as faults
from tests.differential._refusals import Refusal, unrefused
from tests.reference.loop_values import LoopValues, beta_of
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

NAME = "loop-values"
JAO, SWIM = mdps.models.jao(delta=0.25, epsilon=0.1), mdps.models.riverswim(states=3)


def hypotheses(model: Any, M: int, spread: float, seed: int) -> dict[str, Any]:
    values, gains = perturbed(model, M, spread=spread, seed=seed)
    span = float(np.ptp(values.max(axis=2), axis=1).max())
    return dict(values=values, gains=gains, auxiliary=completed(model, values, gains), span=span)


_JAO, _SWIM = hypotheses(JAO, 8, 0.5, 1), hypotheses(SWIM, 6, 0.5, 2)
_TIES = {**_JAO, "gains": np.round(_JAO["gains"], 1)}
_TIES["gains"][0] = _JAO["gains"][0]
_TIES["auxiliary"] = completed(JAO, _TIES["values"], _TIES["gains"])
#: whole numbers: after one step the excess is 1 = 4 beta; the first table is nearest, and the class has as many tables
_WHOLE = dict(
    values=np.zeros((2, 2, 2)), gains=np.array([1.0, 0.0]), auxiliary=np.stack([-np.ones((2, 2)), np.zeros((2, 2))]),
    span=1.0, beta=0.25,
)  # fmt: skip
#: small budgets: two to four hypotheses one after the other; the last but one set becomes empty
CASES: list[tuple[Any, int, dict[str, Any]]] = [
    (JAO, 250, {**_JAO, "scale": 0.005}),
    (SWIM, 250, {**_SWIM, "form": 1, "scale": 0.1, "delta": 0.3}),
    (JAO, 250, {**_TIES, "form": 2, "constant": 0.1, "factor": 2.0}),
    (SWIM, 250, {**_SWIM, "beta": 1.0, "auxiliary": _SWIM["auxiliary"][::-1].copy()}),
    (JAO, 100, {**_JAO, "scale": 0.002}),
    (JAO, 2, _WHOLE),
]
IDS = ["all lemmas", "optimism", "ties, the paper's form", "beta given", "empty set", "at the bound"]


def compare_values(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """How a run differs from algorithm 1, or None."""
    run = Simulation(learner, model, replicates=1, length=length, seed=5, params=params, target="python")
    p = {**find_learner(NAME, "average").params, **params}
    values, auxiliary = p["values"], p["auxiliary"]
    beta = p["scale"] * beta_of(
        len(values), len(auxiliary), length, p["delta"], p["span"], p["form"], p["constant"]
    )  # fmt: skip
    if p["beta"] > 0.0:
        beta = p["scale"] * p["beta"]
    if abs(run.params["beta"] - beta) > 1e-9 * beta:
        return f"beta {run.params['beta']} against {beta}"
    reference = LoopValues(values, p["gains"], auxiliary, np.array(model.r), beta, p["factor"])
    limit, least = p["factor"] * beta, 0.0
    moves, s = np.zeros((model.S, model.A, model.S), dtype=np.int64), int(np.argmax(model.mu0))
    for t in range(length):
        seen = run.observed["visits"][0].copy()
        due = reference.due()
        possible = not due or reference.optimise()
        least_at_plan = reference.losses[reference.f].min()
        try:
            run.advance(t + 1)
        except InputError as refusal:
            return f"step {t}: {refusal}" if possible else None
        if not possible:
            return f"step {t}: an empty confidence set went unnoticed"
        st, f = {k: v[0] for k, v in run.state.items()}, reference.f
        if int(st["played"][0]) != f or int(st["switches"][0]) != reference.optimisations:
            return f"step {t}: hypothesis {st['played'][0]} against {f}, or the optimisations {st['switches'][0]}"
        V = [reference.value(f, x) for x in range(model.S)]
        if not (np.array_equal(st["Q"], values[f]) and np.array_equal(st["V"], V) and st["J"][0] == p["gains"][f]):
            return f"step {t}: Q, V or J is not that of hypothesis {f}"
        a, s2 = int(np.argmax((run.observed["visits"][0] - seen)[s])), int(run.observed["cur"][0, 0])
        if a != reference.act(s):
            return f"step {t}: action {a} against {reference.act(s)}"
        moves[s, a, s2] += 1
        reference.learn(s, a, s2)
        if wrong := _state_differs(st, reference, moves):
            return f"step {t}: {wrong}"
        # min_g of the last lookup: at the plan, or where the bound with the one before has reached the trigger
        own = float(reference.own[f])
        if due:
            least = float(least_at_plan)
        bound = own - least
        if bound >= limit or (bound > limit * (1.0 - 1e-7) and st["least"][0] != least):
            least = own - float(reference.excess[f])
        if abs(st["least"][0] - least) > 1e-9 * (1.0 + own) or abs(st["upsilon"][0] - own + least) > 1e-9 * (1.0 + own):
            return f"step {t}: least {st['least'][0]} and upsilon {st['upsilon'][0]} against {least}, {own - least}"
        s = s2
    return None


def _state_differs(st: dict[str, Any], reference: LoopValues, moves: np.ndarray) -> str | None:
    """Data; the own loss; upsilon, which is a bound on the excess, and the excess itself where it asks for a plan."""
    if not (np.array_equal(st["moves"], moves) and np.array_equal(st["N"], moves.sum(axis=2))):
        return "the data differ"
    own, excess, limit = reference.own[reference.f], reference.excess[reference.f], reference.factor * reference.beta
    close = 1e-9 * (1.0 + own)
    if abs(st["own"][0] - own) > close:
        return f"own loss {st['own'][0]} against {own}"
    if st["upsilon"][0] < excess - close:
        return f"upsilon {st['upsilon'][0]} is below the excess {excess}"
    if st["upsilon"][0] >= limit and abs(st["upsilon"][0] - excess) > close:
        return f"upsilon {st['upsilon'][0]} asks for a plan, the excess is {excess}"
    return None


#: a negative beta, no span, a span below that of a hypothesis, a gain above the cap
_R = {"r": np.array(JAO.r)}
REFUSALS: list[Refusal] = [
    ({**_JAO, "beta": -1.0}, _R, "beta=-1.0 is negative"),
    ({**_JAO, "span": 0.0}, _R, "span=0.0 must be positive"),
    ({**_JAO, "span": 0.5}, _R, "above span=0.5"),
    ({**_JAO, "cap": 0.5}, _R, "gains[0] is above cap=0.5"),
]


def compare(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """Refusals first, then the run."""
    return unrefused(learner, REFUSALS, {"S": 2, "A": 2, "T": 5}) or compare_values(learner, model, length, params)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_loop_values_is_algorithm_1(case: tuple[Any, int, dict[str, Any]]) -> None:
    assert compare(find_learner(NAME, "average"), *case) is None


def test_the_cases_change_their_hypothesis() -> None:
    for model, length, params in CASES[:4]:
        run = Simulation(
            find_learner(NAME), model, replicates=2, length=length, seed=5, params=params, target="python"
        ).advance()
        assert run.state["switches"].max() >= 3, run.state["switches"]


PLANTED = {k: v for k, v in vars(faults).items() if isinstance(v, Learner) and k != "learner"}


@pytest.mark.parametrize(
    "fault", [pytest.param(k, marks=() if k == "trigger_by_bound" else pytest.mark.long) for k in PLANTED]
)
def test_faults_differ(fault: str) -> None:
    assert any(compare_values(PLANTED[fault], *c) for c in CASES), fault


def test_an_empty_confidence_set_ends_the_run() -> None:
    """Pitfall 15: pessimists alone, whose Bellman updates explain the data better."""
    params = {**_JAO, "values": _JAO["values"][1:], "gains": _JAO["gains"][1:], "scale": 1e-4}
    run = Simulation(find_learner(NAME), JAO, replicates=2, length=300, params=params, target="python")
    with pytest.raises(InputError, match=r"no hypothesis has an excess loss of at most beta=.*the class lacks"):
        run.advance()


BAD: list[tuple[dict[str, Any], str]] = [
    (dict(span=0.0), "span=0.0 must be positive"),
    (dict(span=-1.0), "span=-1.0 must be positive"),
    (dict(span=0.5), "span"),
    (dict(beta=-1.0), "beta=-1.0 is negative"),
    (dict(form=3), "form=3"),
    (dict(block=0), "block=0"),
    (dict(values=_JAO["values"] + 0.5), r"hypothesis values\[\d\] is \|V\| above span/2"),
    (dict(gains=_JAO["gains"] + 0.5), r"hypothesis gains\[\d\] is above cap=1.0"),
    (dict(cap=0.5), r"gains\[0\] is above cap=0.5"),
    (dict(values=None), "values"),
    (dict(gains=None), "gains"),
    (dict(values=_JAO["values"][:, :1]), "values has shape"),
    (dict(gains=_JAO["gains"][:3]), "gains has shape"),
    (dict(auxiliary=_JAO["auxiliary"][:, :, :1]), "auxiliary has shape"),
]


@pytest.mark.parametrize(("change", "says"), BAD)
def test_what_is_refused(change: dict[str, Any], says: str) -> None:
    params = {k: v for k, v in {**_JAO, **change}.items() if v is not None}
    with pytest.raises(InputError, match=says):
        Simulation(find_learner(NAME), JAO, replicates=1, length=5, params=params)


def test_without_an_auxiliary_class_it_is_the_class_itself() -> None:
    own = {**_JAO, "scale": 1.0}
    alone = {k: v for k, v in own.items() if k != "auxiliary"}
    runs = [
        Simulation(find_learner(NAME), JAO, replicates=1, length=40, params=p, target="python").advance()
        for p in (alone, {**own, "auxiliary": own["values"]})
    ]
    assert runs[0].params["K"] == len(own["values"])
    assert all(np.array_equal(runs[0].state[k], runs[1].state[k]) for k in runs[0].state)


def test_a_replicate_alone_has_the_bits_of_the_batch() -> None:
    """Plans are array programs over replicates; none of them depends on the others, nor on where a run stopped."""
    model, params = JAO, {**_JAO, "scale": 0.01}

    def run(first: int, replicates: int, stops: tuple[int, ...]) -> Simulation:
        out = Simulation(
            find_learner(NAME), model, replicates=replicates, first=first, length=300, params=params, target="python"
        )
        for stop in stops:
            out.advance(stop)
        return out

    batch, alone = run(0, 4, (300,)), run(1, 1, (37, 300))
    assert len(np.unique(batch.state["switches"])) > 1
    assert all(np.array_equal(batch.state[k][1:2], alone.state[k]) for k in batch.state)


def test_blocks_do_not_change_the_choice() -> None:
    """Excesses are those of the losses summed, and the choice is the same for blocks of one hypothesis or of all."""
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(20):
        model, _, params = CASES[1]
        p = SimpleNamespace(**find_learner(NAME).parameters(params, {"S": 3, "A": 2, "T": 9}, {"r": np.array(model.r)}))
        reference = LoopValues(p.values, p.gains, p.auxiliary, np.array(model.r), p.beta, 4.0)
        moves = np.zeros((6, 3))
        for pair in rng.integers(0, 6, rng.integers(0, 40)):
            s2 = int(rng.choice(3, p=model.dense().reshape(6, 3)[pair]))
            moves[pair, s2] += 1
            reference.learn(int(pair) // 2, int(pair) % 2, s2)
        n = moves.sum(axis=1)
        P_hat = moves / np.maximum(n, 1.0)[:, None]
        excess = excesses(n, P_hat, p, np.arange(p.M), np)
        assert np.allclose(excess, reference.excess, atol=1e-9)
        p.beta = float(np.median(excess)) + 1e-3
        choices = []
        for block in (1, 2, 1024):
            p.block = block
            choices.append(choose(n, P_hat, p, np))
        assert len({m for m, _ in choices}) == 1 and np.ptp([x for _, x in choices]) < 1e-9
        found.add(choices[0][0])
    assert len(found) > 1

"""Tabular LOOP, its ascent and LOOP-box beside their transcription: losses, trigger and optimum step by step."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import mdps
from proofs_check.mutants import loop as faults
from proofs_check.mutants import loop_ascent as ascent_faults
from tests.differential._refusals import Refusal, unrefused
from tests.reference.loop import beta_of, box_gain, excess, largest_gain
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

JAO = mdps.models.jao(delta=0.25, epsilon=0.1)
#: small budgets: an optimisation every ten to thirty steps
CASES: list[tuple[Any, int, dict[str, Any]]] = [
    (JAO, 60, dict(span=1.76, form=1, scale=0.05)),
    (JAO, 40, dict(span=1.2, form=0, scale=0.02, delta=0.3)),
    (mdps.models.three_state(q=0.2), 30, dict(span=1.2, form=1, scale=0.03)),
]
#: what the paper leaves as it is: another factor, plans at every step or by doubling; the first excess, 1, is 4 beta
VARIANTS: list[tuple[Any, int, dict[str, Any]]] = [
    (JAO, 40, dict(span=1.76, form=1, scale=0.05, factor=1.0, trigger=0)),
    (JAO, 20, dict(span=1.76, form=1, scale=0.05, trigger=1)),
    (JAO, 60, dict(span=1.76, form=1, scale=0.05, trigger=2)),
    (JAO, 3, dict(span=1.76, beta=0.25, trigger=0)),
]

#: a budget so small that bonuses leave the gain of LOOP-box below the cap
BOX: tuple[Any, int, dict[str, Any]] = (JAO, 80, dict(span=1.76, form=1, scale=0.001))


def compare_loop(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """How a run differs from Algorithm 1, or None; the gain may miss the mesh's by 2e-4.

    LOOP-box has the gain of its own iteration, and its excess is not limited by beta.
    """
    run = Simulation(learner, model, replicates=1, length=length, seed=5, params=params, target="python")
    S, A, r = model.S, model.A, np.array(model.r)
    box = learner.name == "loop-box"
    whole = {**find_learner(learner.name, "average").params, **params}
    beta = whole["beta"] or beta_of(S, A, length, whole["delta"], whole["span"], whole["form"])
    beta *= whole["scale"]
    data: list[tuple[int, int, int]] = []
    moves = np.zeros((S, A, S), dtype=np.int64)
    due, switches, s = True, 0, int(np.argmax(model.mu0))
    before = None
    for t in range(length):
        seen = run.observed["visits"][0].copy()
        try:
            run.advance(t + 1)
        except InputError as refusal:
            return f"step {t}: {refusal}"
        st = {k: v[0] for k, v in run.state.items()}
        a = int(np.argmax((run.observed["visits"][0] - seen)[s]))
        Q, J = st["Q"], float(st["J"][0])
        if due:
            switches += 1
            visits = run.observed["visits"][0].copy() - (np.arange(S * A).reshape(S, A) == s * A + a)
            if not box and excess(data, Q, J, r) > beta * (1 + 1e-5):
                return f"step {t}: the hypothesis has excess {excess(data, Q, J, r)} of at most {beta}"
            best = (box_gain if box else largest_gain)(data, r, beta, whole["span"], whole["cap"])
            if abs(J - best) > 2e-4:
                return f"step {t}: gain {J}, by search {best}"
            if abs(st["V"]).max() > whole["span"] / 2 + 1e-9 or not np.allclose(st["V"], Q.max(axis=1), atol=1e-9):
                return f"step {t}: V is not that of Q, or not centred"
        elif before is not None and not (np.array_equal(before[0], Q) and before[1] == J):
            return f"step {t}: another hypothesis without a trigger"
        if Q[s, a] < Q[s].max() - 1e-9:
            return f"step {t}: action {a} is not greedy"
        before = (Q.copy(), J)
        s2 = int(run.observed["cur"][0, 0])
        data.append((s, a, s2))
        moves[s, a, s2] += 1
        if not (np.array_equal(st["moves"], moves) and np.array_equal(st["N"], moves.sum(axis=2))):
            return f"step {t}: the transitions counted differ"
        now = excess(data, Q, J, r)
        if abs(now - float(st["upsilon"][0])) > 1e-7 * (1 + beta):
            return f"step {t}: excess {now}, upsilon {float(st['upsilon'][0])}"
        if int(st["switches"][0]) != switches:
            return f"step {t}: {int(st['switches'][0])} optimisations, expected {switches}"
        fresh = int(run.observed["visits"][0][s, a] - visits[s, a])
        due = (now >= whole["factor"] * beta, True, fresh >= max(1, visits[s, a]))[whole["trigger"]]
        s = s2
    return None


#: given r (2,2), the first entry outside [0, cap] in the order of the array is named
REFUSALS: list[Refusal] = [
    (dict(span=1.0, beta=-1.0), {"r": np.zeros((2, 2))}, "beta=-1.0 is negative"),
    (dict(span=1.0), {"r": np.array([[0.0, 1.0], [-0.25, 2.0]])}, "r[1, 0] = -0.25 is outside [0, cap] = [0, 1.0]"),
    (dict(span=1.0), {"r": np.array([[0.5, -0.5], [0.0, 0.5]])}, "r[0, 1] = -0.5 is outside [0, cap] = [0, 1.0]"),
    (
        dict(span=1.0, cap=0.5),
        {"r": np.array([[0.5, 0.75], [0.0, 1.0]])},
        "r[0, 1] = 0.75 is outside [0, cap] = [0, 0.5]",
    ),
]


def compare(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """Refusals first, then the run."""
    return unrefused(learner, REFUSALS, {"S": 2, "A": 2, "T": 5}) or compare_loop(learner, model, length, params)


def quiet(learner: Learner, case: tuple[Any, int, dict[str, Any]]) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compare(learner, *case)


@pytest.mark.parametrize("case", [pytest.param(CASES[0], id="jao")] + [
    pytest.param(c, id=c[0].name, marks=pytest.mark.long) for c in CASES[1:]
])  # fmt: skip
def test_loop_is_algorithm_1(case: tuple[Any, int, dict[str, Any]]) -> None:
    assert quiet(find_learner("loop", "average"), case) is None


@pytest.mark.parametrize(
    "name", ["loop-box", *(pytest.param(x, marks=pytest.mark.long) for x in ("loop", "loop-ascent"))]
)
def test_triggers(name: str) -> None:
    for case in VARIANTS:
        assert quiet(find_learner(name, "average"), case) is None, case


def test_loop_box_has_the_gain_of_its_bonuses() -> None:
    spec, (model, length, params) = find_learner("loop-box", "average"), BOX
    assert quiet(spec, BOX) is None
    run = Simulation(spec, model, replicates=1, length=length, seed=5, params=params, target="python").advance()
    assert run.state["J"][0, 0] < 0.95 and run.state["switches"][0, 0] > 5


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_loop_box_is_the_iteration_on_its_box(case: tuple[Any, int, dict[str, Any]]) -> None:
    assert quiet(find_learner("loop-box", "average"), case) is None


@pytest.mark.long
@pytest.mark.parametrize("case", CASES[:2])
def test_the_ascent_finds_the_optimum_on_two_states(case: tuple[Any, int, dict[str, Any]]) -> None:
    assert quiet(find_learner("loop-ascent", "average"), case) is None


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(x, marks=() if x in ("radius_doubled", "new_data_only") else pytest.mark.long)
        for x in (
            "radius_zero", "radius_doubled", "pessimistic", "uncapped", "box_for_ellipsoid", "one_more", "uncentred",
            "values_halved", "stale", "new_data_only", "counts_lost", "gain_negated", "unweighted", "policy_minimises",
            "trigger_late", "trigger_early", "trigger_always", "log_dropped", "union_dropped", "span_once",
        )
    ],
)  # fmt: skip
def test_faults_differ(fault: str) -> None:
    assert any(quiet(getattr(faults, fault), c) for c in CASES[:2]), fault


@pytest.mark.long
@pytest.mark.parametrize("fault", ["radius_zero", "pessimistic", "one_more", "stale", "trigger_late"])
def test_faults_of_the_ascent_differ(fault: str) -> None:
    assert any(quiet(getattr(ascent_faults, fault), c) for c in CASES[:2]), fault


BAD = [
    (dict(span=0.0), "span=0.0 must be positive"),
    (dict(span=1.0, beta=-1.0), "beta=-1.0 is negative"),
    (dict(span=1.0, form=3), "form=3"),
    (dict(span=1.0, trigger=5), "trigger=5 is none of"),
    (dict(span=1.0, cap=0.5), r"r\[1, 0\] = 1.0 is outside \[0, cap\]"),
]


@pytest.mark.parametrize(("params", "says"), BAD)
def test_bad_parameters_are_named(params: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Simulation(find_learner("loop", "average"), JAO, replicates=1, length=5, params=params)


def test_a_span_below_the_true_one_empties_the_set() -> None:
    """Pitfall 21: nothing is clipped, the run ends with the reason."""
    run = Simulation(
        find_learner("loop", "average"), JAO, replicates=1, length=4_000, target="python",
        params=dict(span=0.05, form=1, scale=0.05),
    )  # fmt: skip
    with pytest.raises(InputError, match=r"'loop', replicate 0, step \d+: .*span"):
        run.advance()

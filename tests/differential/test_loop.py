"""Tabular LOOP beside its transcription: losses, trigger and optimum step by step, on the python target."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import mdps
from proofs_check.mutants import loop as faults
from proofs_check.mutants import loop_ascent as ascent_faults
from tests.reference.loop import beta_of, excess, largest_gain
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


def compare_loop(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> str | None:
    """How a run differs from Algorithm 1, or None; the gain may miss the mesh's by 2e-4."""
    run = Simulation(learner, model, replicates=1, length=length, seed=5, params=params, target="python")
    S, A, r = model.S, model.A, np.array(model.r)
    whole = {**find_learner("loop", "average").params, **params}
    beta = whole["scale"] * beta_of(S, A, length, whole["delta"], whole["span"], whole["form"])
    data: list[tuple[int, int, int]] = []
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
            if excess(data, Q, J, r) > beta * (1 + 1e-5):
                return f"step {t}: the hypothesis has excess {excess(data, Q, J, r)} of at most {beta}"
            best = largest_gain(data, r, beta, whole["span"], whole["cap"])
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
        now = excess(data, Q, J, r)
        if abs(now - float(st["upsilon"][0])) > 1e-7 * (1 + beta):
            return f"step {t}: excess {now}, upsilon {float(st['upsilon'][0])}"
        if int(st["switches"][0]) != switches:
            return f"step {t}: {int(st['switches'][0])} optimisations, expected {switches}"
        due, s = now >= 4 * beta, s2
    return None


def quiet(learner: Learner, case: tuple[Any, int, dict[str, Any]]) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compare_loop(learner, *case)


@pytest.mark.parametrize("case", [pytest.param(CASES[0], id="jao")] + [
    pytest.param(c, id=c[0].name, marks=pytest.mark.long) for c in CASES[1:]
])  # fmt: skip
def test_loop_is_algorithm_1(case: tuple[Any, int, dict[str, Any]]) -> None:
    assert quiet(find_learner("loop", "average"), case) is None


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

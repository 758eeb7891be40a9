"""PSRL in both settings, RLSVI and Q-learning against their transcriptions, step by step, and planted faults."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from mdps.learners import psrl, q_learning, rlsvi
from mdps.models.garnet import family as garnet
from mdps.models.jao import family as jao
from mdps.models.riverswim import family as riverswim
from mdps.models.two_state import family as two_state
from proofs_check.mutants import psrl as psrl_faults
from proofs_check.mutants import psrl_average as tsde_faults
from proofs_check.mutants import q_learning as q_learning_faults
from proofs_check.mutants import rlsvi as rlsvi_faults
from tests.differential._posterior import compare_psrl, compare_q_learning, compare_rlsvi, compare_tsde
from theorylab.conformance import default_models
from theorylab.kernel import kernel
from theorylab.learner import Learner
from theorylab.registry import find_learner

STAGES, STATIONARY = default_models("episodic")[:2]
SWIM = riverswim(states=4, horizon=5, rewards="bernoulli")
GARNET = garnet(S=5, A=3, b=2, seed=4, horizon=4)
CHAIN = riverswim(states=4, rewards="bernoulli")
RANDOM = garnet(S=4, A=3, b=2, seed=1)


def mutants(module: ModuleType) -> list[Any]:
    """Every planted fault of a file, by name."""
    found = [(k, v) for k, v in vars(module).items() if isinstance(v, Learner) and k != "learner"]
    assert len(found) >= 10
    return [pytest.param(v, id=k) for k, v in found]


@pytest.mark.parametrize("params", [{}, {"known_rewards": 0}, {"prior": 1.0}], ids=str)
@pytest.mark.parametrize("model", [STATIONARY, SWIM], ids=["stationary", "riverswim"])
def test_psrl(model: Any, params: dict[str, Any]) -> None:
    assert compare_psrl(find_learner("psrl", "episodic"), model, 25, params) is None


def test_psrl_with_certain_rewards() -> None:
    assert compare_psrl(find_learner("psrl", "episodic"), GARNET, 15, {}) is None


@pytest.mark.parametrize(
    ("model", "params"),
    [(CHAIN, {}), (RANDOM, {}), (jao(delta=0.25, epsilon=0.1, rewards="bernoulli"), {"known_rewards": 0})],
    ids=["riverswim", "garnet", "jao"],
)
def test_tsde(model: Any, params: dict[str, Any]) -> None:
    assert compare_tsde(find_learner("psrl", "average"), model, 500, params) is None


@pytest.mark.parametrize("params", [{}, {"v_scale": 0.01, "beta": 4.5}], ids=["theory", "small noise"])
@pytest.mark.parametrize("model", [STAGES, STATIONARY, SWIM, GARNET], ids=["stages", "stationary", "swim", "garnet"])
def test_rlsvi(model: Any, params: dict[str, Any]) -> None:
    assert compare_rlsvi(find_learner("rlsvi"), model, 40, params) is None


@pytest.mark.parametrize("params", [{}, {"horizon_rate": 1, "epsilon": 0.5}, {"start": 2.0, "epsilon": 0.0}], ids=str)
@pytest.mark.parametrize("model", [STAGES, STATIONARY, SWIM, GARNET], ids=["stages", "stationary", "swim", "garnet"])
def test_q_learning(model: Any, params: dict[str, Any]) -> None:
    assert compare_q_learning(find_learner("q-learning"), model, 150, params) is None


@pytest.mark.parametrize("mutant", mutants(psrl_faults))
def test_every_fault_of_psrl_shows(mutant: Learner) -> None:
    assert compare_psrl(mutant, riverswim(states=3, horizon=3, rewards="bernoulli"), 25, {"known_rewards": 0})


@pytest.mark.parametrize("mutant", mutants(tsde_faults))
def test_every_fault_of_tsde_shows(mutant: Learner) -> None:
    assert compare_tsde(mutant, two_state(slip=0.2, rewards="bernoulli"), 200, {"known_rewards": 0})


@pytest.mark.parametrize("mutant", mutants(rlsvi_faults))
def test_every_fault_of_rlsvi_shows(mutant: Learner) -> None:
    assert compare_rlsvi(mutant, riverswim(states=3, horizon=3, rewards="bernoulli"), 25, {})


@pytest.mark.parametrize("mutant", mutants(q_learning_faults))
def test_every_fault_of_q_learning_shows(mutant: Learner) -> None:
    assert compare_q_learning(mutant, garnet(S=3, A=2, b=2, seed=2, horizon=3), 80, {"epsilon": 0.3})


# Ties to the last: no step says which maximiser is played, the differential test does


@kernel
def last_maximiser(st: Any, p: Any, k: Any, h: Any, s: Any, rng: Any) -> Any:
    best = 0
    for a in range(p.A):
        if st.Q[h, s, a] >= st.Q[h, s, best]:
            best = a
    return best


@kernel
def last_of_the_draw(st: Any, p: Any) -> Any:
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            top = 0.0
            for a in range(p.A):
                value = st.r[s, a]
                for s2 in range(p.S):
                    value += st.P[s, a, s2] * st.V[h + 1, s2]
                if a == 0 or value >= top:
                    top = value
                    st.pi[h, s] = a
            st.V[h, s] = top


def test_ties_to_the_last_show_where_there_are_ties() -> None:
    greedy = {"epsilon": 0.0}
    tied = replace(q_learning.learner, act=last_maximiser)
    assert "action 1 against 0" in str(compare_q_learning(tied, SWIM, 5, greedy))
    last = replace(psrl.learner[0], plan=psrl.plan.replace(solve=last_of_the_draw))
    assert "is 1 against 0" in str(compare_psrl(last, SWIM, 5, {}))  # rewards tie at the last stage alone
    assert compare_rlsvi(replace(rlsvi.learner, act=last_maximiser), SWIM, 5, {}) is None  # draws do not tie

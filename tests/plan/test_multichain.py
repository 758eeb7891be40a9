"""Multichain models: gains that depend on the initial state, against exact answers and all policies."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from theorylab.errors import InputError
from theorylab.model import FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan.average_reward import average_reward
from theorylab.plan.multichain import _error, _quotient, plan_multichain


def sparse(m: TabularMDP) -> TabularMDP:
    return replace(m, P=csr_array(m.P.reshape(-1, m.S)))


def gains_of(m: TabularMDP, pi: np.ndarray) -> np.ndarray:
    """Gains of a policy from all states: the limit of the lazy chain's powers, times the rewards."""
    chain = m.dense()[np.arange(m.S), pi]
    out: np.ndarray = np.linalg.matrix_power((chain + np.eye(m.S)) / 2, 2**14) @ m.r[np.arange(m.S), pi]
    return out


def test_two_islands() -> None:
    # state 1 goes to 0 (gain 0) or to 2 (gain 1); a gamble reaches 2 with probability 3/4
    P = np.zeros((3, 2, 3))
    P[0, :, 0] = P[2, :, 2] = 1
    P[1, 0, 0] = 1
    P[1, 1] = [0.25, 0, 0.75]
    for made in (TabularMDP(P=P, r=[[0, 0], [0, 0], [1, 1]]), sparse(TabularMDP(P=P, r=[[0, 0], [0, 0], [1, 1]]))):
        p = plan_multichain(made)
        assert np.abs(p.gain - [0, 0.75, 1]).max() <= p.certified_error < 1e-14
        assert p.pi[1] == 1 and p.component.tolist() == [0, -1, 1]


def test_it_is_worth_leaving_a_component_through_one_of_its_states() -> None:
    # 0 <-> 1 pays 1/4 a step; only 1 may leave, with a gamble between 1/8 and 1 for ever
    P = np.zeros((4, 2, 4))
    P[0, 0, 0] = P[0, 1, 1] = P[1, 0, 0] = P[2, :, 2] = P[3, :, 3] = 1
    P[1, 1, 2] = P[1, 1, 3] = 0.5
    m = TabularMDP(P=P, r=[[0.25, 0.25], [0.25, 0], [0.125, 0.125], [1, 1]])
    p = plan_multichain(m)
    assert np.abs(p.gain - [0.5625, 0.5625, 0.125, 1]).max() <= p.certified_error < 1e-14
    assert p.pi[:2].tolist() == [1, 1] and p.component.tolist() == [0, 0, 1, 2]
    # with 3/4 inside it is better to stay
    stay = plan_multichain(replace(m, r=np.array([[0.75, 0.75], [0.75, 0], [0.125, 0.125], [1, 1]])))
    assert np.abs(stay.gain - [0.75, 0.75, 0.125, 1]).max() <= stay.certified_error


@pytest.mark.parametrize("make", [lambda m: m, sparse])
@pytest.mark.parametrize("seed", range(12))
def test_the_best_of_all_policies(seed: int, make: type) -> None:
    rng = np.random.default_rng(seed)
    S, A = 5, 3
    weights = rng.integers(1, 4, (S, A, S)) * (rng.random((S, A, S)) < 0.3)
    empty = weights.sum(axis=-1) == 0
    weights[empty, rng.integers(0, S, int(empty.sum()))] = 1
    m = TabularMDP(P=weights / weights.sum(axis=-1, keepdims=True), r=rng.integers(0, 9, (S, A)) / 8)
    best = np.max([gains_of(m, np.array(pi)) for pi in itertools.product(range(A), repeat=S)], axis=0)
    p = plan_multichain(make(m))
    assert np.abs(p.gain - best).max() < 1e-11 and p.certified_error < 1e-12
    assert np.abs(gains_of(m, p.pi) - best).max() < 1e-11


def test_planted_faults_are_noticed() -> None:
    P = np.zeros((3, 2, 3))
    P[0, :, 0] = P[2, :, 2] = 1
    P[1, 0, 0] = 1
    P[1, 1] = [0.25, 0, 0.75]
    m = TabularMDP(P=P, r=[[0, 0], [0, 0], [1, 1]])
    # nodes: the two components, state 1, the goal
    quotient, node, _ = _quotient(m, np.array([0, -1, 1]), np.array([2, 3]), [0.0, 1.0])
    assert node.tolist() == [0, 2, 1] and quotient.criterion == ShortestPath(3)
    for fault in (0.0, 1e-6, -1e-6):
        V = np.array([0.0, 1.0, 0.75 + fault, 0.0])
        Q = quotient.r + (quotient.P @ V).reshape(quotient.S, quotient.A)
        Q[3] = 0.0
        bound = _error(m, quotient, V, Q, np.array([0, 0, 1, 0]))
        assert abs(fault) <= bound < 1e-14 + 10 * abs(fault)


def test_a_communicating_model_gives_one_gain() -> None:
    m = mdps.models.riverswim(states=6)
    p, q = plan_multichain(m), average_reward(m)
    assert q.gain is not None
    assert (p.gain == q.gain).all() and p.certified_error == q.certified_error and (p.pi == q.pi).all()


def test_stage_dependent_models_are_refused() -> None:
    m = mdps.models.riverswim(states=3, criterion=FiniteHorizon(2))
    with pytest.raises(InputError, match="needs stationary transitions"):
        plan_multichain(replace(m, P=np.stack([m.P] * 2)))

"""Assumption predicates: None where they hold, else the state or range that fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import mdps
from theorylab import assume
from theorylab.model import BERNOULLI, Bandit, FiniteHorizon, RewardLaw, TabularMDP


def one_way() -> TabularMDP:
    P = np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 2] = P[2, 0, 1] = 1.0
    return TabularMDP(P=P, r=np.zeros((3, 1)))


def test_communicating_names_a_pair() -> None:
    assert assume.communicating(mdps.models.riverswim()) is None
    assert assume.communicating(one_way()) == "state 1 cannot reach state 0 under any policy"
    forward = TabularMDP(P=[[[1.0, 0.0]], [[1.0, 0.0]]], r=[[0.0], [0.0]])
    assert assume.communicating(forward) == "state 0 cannot reach state 1 under any policy"
    assert "Bandit" in str(assume.communicating(Bandit([0.5])))


def test_communicating_counts_parallel_arcs_without_overflow() -> None:
    # 256 actions on one arc: a count in eight bits would wrap to zero
    P = np.zeros((2, 256, 2))
    P[0, :, 1] = P[1, :, 0] = 1.0
    assert assume.communicating(TabularMDP(P=P, r=np.zeros((2, 256)))) is None


def test_rewards_in_01() -> None:
    m = mdps.models.riverswim()
    assert assume.rewards_in_01(m) is None
    assert assume.rewards_in_01(Bandit([0.5])) is None
    wide = replace(m, reward_law=RewardLaw("deterministic", -1.0, 2.0))
    assert assume.rewards_in_01(wide) == "the declared reward range is [-1, 2], not inside [0, 1]"
    assert "unbounded" in str(assume.rewards_in_01(replace(m, reward_law=RewardLaw("gaussian", sd=1.0))))
    assert assume.rewards_in_01(replace(m, reward_law=BERNOULLI)) is None


def test_criteria() -> None:
    average, finite = mdps.models.riverswim(), mdps.models.riverswim(criterion=FiniteHorizon(4))
    assert assume.average_reward(average) is None and assume.episodic(finite) is None
    assert assume.episodic(average) == "the criterion is AverageReward(), not FiniteHorizon(H)"
    assert assume.average_reward(finite) == "the criterion is FiniteHorizon(H=4), not AverageReward()"
    assert assume.bandit(Bandit([0.5])) is None
    assert assume.bandit(average) == "the model is a TabularMDP, not a Bandit"


def test_stationary() -> None:
    m = mdps.models.riverswim(criterion=FiniteHorizon(2))
    assert assume.stationary(m) is None
    staged = replace(m, P=np.stack([m.P, m.P]))
    assert assume.stationary(staged) == "the transitions depend on the stage: P has shape (2, 6, 2, 6)"


def test_unique_optimal_arm() -> None:
    assert assume.unique_optimal_arm(Bandit([0.5, 0.25])) is None
    assert assume.unique_optimal_arm(Bandit([0.5, 0.25, 0.5])) == "arms 0 and 2 share the largest mean 0.5"


def test_norms_of_linear_models() -> None:
    good = mdps.models.one_hot()
    assert assume.linear_norms(good) is None and assume.communicating(good) is None
    assert assume.average_reward(good) is None and assume.stationary(good) is None
    doubled = replace(good, phi=2 * good.phi, mu=good.mu / 2, theta=good.theta / 2, P=None, r=None)
    assert assume.linear_norms(doubled) == "max ||phi(s,a)|| is 2, above 1"
    heavy = replace(good, phi=good.phi / 4, mu=4 * good.mu, theta=4 * good.theta, P=None, r=None)
    assert str(assume.linear_norms(heavy)).startswith("||mu(S)|| is ")
    assert assume.linear_norms(mdps.models.riverswim()) == "the model is a TabularMDP, not a LinearMDP"
    mixture = mdps.models.mixture_hypercube()
    assert assume.mixture_norms(mixture) is None
    scaled = replace(mixture, phi=4 * mixture.phi, theta=mixture.theta / 4, P=None)
    assert "above 1" in str(assume.mixture_norms(scaled))
    assert assume.mixture_norms(good) == "the model is a LinearMDP, not a LinearMixtureMDP"

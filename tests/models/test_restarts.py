"""Episodic models with restarts: rows by hand, gains by renewal, hitting times by plain value iteration, refusals."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from theorylab.assume import communicating
from theorylab.errors import InputError
from theorylab.model import AverageReward, Discounted, FiniteHorizon, RewardLaw, TabularMDP
from theorylab.plan import diameter, exact_plan, gain_bias, hitting_times, plan
from theorylab.run import run

M = mdps.models


def small(**changes: Any) -> TabularMDP:
    """Six states, two actions. Starts 1 and 3; 4 ends; 0 is never reached, 2 and 5 stay or go to the end."""
    P = np.zeros((6, 2, 6))
    P[0, 0, 1] = P[0, 1, 0] = 1.0
    P[1, 0, 2] = P[1, 1, 5] = 1.0
    P[2, 0, 2], P[2, 1, 4], P[2, 1, 3] = 1.0, 0.5, 0.5
    P[3, :, 2] = 1.0
    P[4, :, 4] = 1.0
    P[5, 0, 4] = P[5, 1, 5] = 1.0
    r = np.array([[0.9, 0.9], [0.1, 0.2], [0.0, 1.0], [0.3, 0.4], [0.0, 0.0], [0.5, 0.0]])
    mu0 = np.array([0, 0.25, 0, 0.75, 0, 0])
    given: dict[str, Any] = dict(P=P, r=r, mu0=mu0, criterion=FiniteHorizon(7), name="small")
    return TabularMDP(**{**given, **changes})


def shortest(m: TabularMDP, goal: int, sweeps: int) -> np.ndarray:
    """Expected times to `goal` by value iteration from zero: from below."""
    v = np.zeros(m.S)
    for _ in range(sweeps):
        v = 1.0 + (m.dense() @ v).min(axis=1)
        v[goal] = 0.0
    return v


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_by_hand(sparse: bool) -> None:
    given = small()
    if sparse:
        given = small(P=csr_array(given.P.reshape(12, 6)))
    m = M.with_restarts(given)
    kept = M.restartable_states(given)
    assert kept.tolist() == [1, 2, 3, 4, 5] and kept.dtype == np.int64
    assert (m.S, m.A, m.sparse, m.name, m.criterion) == (5, 2, sparse, "small-restarts", AverageReward())
    assert m.mu0.tolist() == [0.25, 0, 0.75, 0, 0] and (m.r == given.r[1:]).all() and m.reward_law == given.reward_law
    P = small().P[1:, :, 1:].copy()
    P[3] = [0.25, 0, 0.75, 0, 0]
    assert (m.dense() == P).all() and communicating(m) is None
    assert M.with_restarts(given, Discounted(0.9)).criterion == Discounted(0.9)


def test_a_restart_costs_one_step_and_earns_nothing() -> None:
    # the ride is deterministic: the shorter, the better, as each step more costs 1 and time
    lake = M.frozen_lake(map_name="8x8", is_slippery=False, restarts=True)
    assert plan(lake).gain == pytest.approx(1 / 15, abs=1e-14) and diameter(lake) == 15
    ride = plan(M.taxi(H=18)).V[0]
    mean = float(M.taxi().mu0 @ ride)  # 21 less the steps
    assert plan(M.taxi(restarts=True)).gain == pytest.approx(mean / (21 - mean + 1), abs=1e-12)
    assert mean / (21 - mean + 1) == pytest.approx(793 / 1407, abs=1e-12)


def test_the_gain_is_success_over_length() -> None:
    """Renewal: each policy's gain is its chance of the goal over the mean length of its episode and one step."""
    m = M.frozen_lake(restarts=True)
    pi = plan(m).pi
    chain, ends = m.dense()[np.arange(16), pi], [5, 7, 11, 12, 15]
    going = [s for s in range(16) if s not in ends]
    within = np.linalg.inv(np.eye(11) - chain[np.ix_(going, going)])[0]
    success = within @ chain[np.ix_(going, [15])][:, 0]
    assert gain_bias(m, pi)[0] == pytest.approx(success / (within.sum() + 1), rel=1e-12)
    assert plan(m).gain == pytest.approx(success / (within.sum() + 1), rel=1e-12)


def test_hitting_times_by_value_iteration() -> None:
    m = M.frozen_lake(map_name="8x8", restarts=True)
    v = shortest(m, 62, 15_000)
    assert v.max() == pytest.approx(688.100260, abs=2e-6) and int(np.argmax(v)) == 56
    small_lake = M.frozen_lake(restarts=True)
    D = np.array([shortest(small_lake, g, 3000).max() for g in range(16)])
    assert np.abs(hitting_times(small_lake).max(axis=0) - D).max() < 1e-9
    assert D.max() == pytest.approx(57.5454545454, abs=1e-9)


def compact(m: TabularMDP) -> TabularMDP:
    """The same numbers as CSR, for which hitting times take a tenth of the time."""
    return replace(m, P=csr_array(m.P.reshape(-1, m.S)))


def test_exact_gain_span_and_diameter_as_the_pages_say() -> None:
    lake = M.frozen_lake(map_name="8x8", restarts=True)
    exact = exact_plan(lake, snap=10)  # with thirds: mirrored actions tie, which the last bits of a float hide
    assert exact.gain == Fraction(3745545073, 357490160200) and exact.bias is not None
    assert float(max(exact.bias)) == pytest.approx(0.8523177053, abs=1e-10)
    assert plan(lake).gain == pytest.approx(float(exact.gain), abs=1e-14)
    assert diameter(compact(M.taxi(restarts=True))) == pytest.approx(78.106667, abs=5e-7)


@pytest.mark.long
def test_sums_of_hitting_times_as_the_pages_say() -> None:
    lake, taxi = M.frozen_lake(map_name="8x8", restarts=True), M.taxi(restarts=True)
    assert hitting_times(lake).max(axis=0).sum() == pytest.approx(5219.948, abs=1e-3)
    assert hitting_times(compact(taxi)).max(axis=0).sum() == pytest.approx(29408.8, abs=1e-3)
    queue = hitting_times(M.access_control())
    assert queue.max() == pytest.approx(50.836552, abs=1e-6)
    assert queue.max(axis=0).sum() == pytest.approx(1023.3904, abs=1e-4)


def test_families_keep_the_states_of_a_ride() -> None:
    lake = M.frozen_lake(map_name="8x8", restarts=True)
    assert (lake.S, lake.name) == (64, "frozen-lake-8x8-restarts") and (lake.P[[19, 63], :, 0] == 1).all()
    assert (lake.r == M.frozen_lake(map_name="8x8").r).all() and lake.reward_law.kind == "bernoulli"
    assert M.frozen_lake(is_slippery=False, restarts=True).name == "frozen-lake-4x4-dry-restarts"
    taxi, kept = M.taxi(restarts=True), M.restartable_states(M.taxi())
    place, destination = (kept[:-1] // 4) % 5, kept[:-1] % 4
    assert taxi.S == kept.size == 401 and kept[-1] == 500 and (place != destination).all()
    assert (taxi.P[400] == taxi.mu0).all() and (taxi.r == M.taxi().r[kept]).all()
    unit = M.rescale_rewards(taxi)
    assert plan(unit).gain == pytest.approx((793 / 1407 + 10) / 30, abs=1e-12)


def test_a_collector_of_samples_goes_on_for_ever() -> None:
    m = M.frozen_lake(restarts=True)
    N = run("uniform-collection", m, steps=1000, params={"samples": 5}, seed=1, target="python").final["N"][0]
    # an episode of uniform play ends after 8 steps on average: a trajectory that stopped would count one end
    assert N.sum() == 1000 and 60 < N[[5, 7, 11, 12, 15]].sum() < 180


LOOP = np.zeros((3, 1, 3))
LOOP[0, 0, 1] = LOOP[0, 0, 2] = 0.5
LOOP[1, 0, 1] = LOOP[2, 0, 2] = 1.0
TRAP = np.zeros((5, 1, 5))  # 0 -> 1 or the two-state loop 2, 3; 4 is never reached
TRAP[0, 0, 1] = TRAP[0, 0, 2] = 0.5
TRAP[1, 0, 1] = TRAP[2, 0, 3] = TRAP[3, 0, 2] = TRAP[4, 0, 4] = 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: M.with_restarts(5), "got int; give a TabularMDP"),
        (lambda: M.restartable_states(M.linear_chain()), "got LinearMDP; give a TabularMDP"),
        (
            lambda: M.with_restarts(
                TabularMDP(P=np.ones((2, 1, 1, 1)), r=np.zeros((1, 1)), criterion=FiniteHorizon(2))
            ),
            r"depend on the stage, P has shape \(2, 1, 1, 1\); give P \(S, A, S\)",
        ),
        (lambda: M.with_restarts(M.riverswim()), "no absorbing state can be reached from mu0.*use the model as it is"),
        (
            lambda: M.with_restarts(small(mu0=[0, 0, 0, 0, 1.0, 0])),
            r"mu0\[4\] is 1\.0, and state 4 is absorbing: an episode cannot start where it ends",
        ),
        (
            lambda: M.with_restarts(M.gridworld(after="stay")),
            r"r\[20,0\] is 1\.0, and state 20 is absorbing: a restart earns nothing; make the reward 0",
        ),
        (
            lambda: M.with_restarts(TabularMDP(P=TRAP, r=np.zeros((5, 1)))),
            "state 2 cannot reach state 1, nor another absorbing state, under any policy",
        ),
        (lambda: M.frozen_lake(restarts=True, H=100), "frozen-lake: H is 100 with restarts.*not both"),
        (lambda: M.taxi(restarts=True, H=200), "taxi: H is 200 with restarts.*not both"),
        (lambda: M.frozen_lake(restarts="true"), "frozen-lake: restarts is 'true'; give True or False"),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_several_ends_and_the_law_of_rewards() -> None:
    law = RewardLaw("gaussian", -1.0, 1.0, 0.5)
    m = M.with_restarts(TabularMDP(P=LOOP, r=np.array([[-0.5], [0.0], [0.0]]), reward_law=law))
    assert m.P[:, 0].tolist() == [[0, 0.5, 0.5], [1, 0, 0], [1, 0, 0]] and m.reward_law == law
    assert plan(m).gain == pytest.approx(-0.25, abs=1e-14)

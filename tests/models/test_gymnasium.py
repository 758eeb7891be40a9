"""Models read from transition tables: values against a solver that walks the table itself."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

import mdps
from theorylab.errors import InputError
from theorylab.model import AverageReward, FiniteHorizon, RewardLaw, ShortestPath, TabularMDP
from theorylab.plan import plan

from_gymnasium, rescale = mdps.models.from_gymnasium, mdps.models.rescale_rewards


class Table:
    """A bare environment: a table and an initial law."""

    def __init__(self, P: Any, start: Any = (1.0,)) -> None:
        self.P = P
        self.initial_state_distrib = np.array(start)


def values(raw: Any, H: int) -> list[float]:
    """Best expected reward of H steps from each state, by the rules of an episode: nothing after `terminated`."""
    table = raw.P
    v = [0.0] * len(table)
    for _ in range(H):
        v = [
            max(sum(p * (x + (0.0 if end else v[n])) for p, n, x, end in table[s][a]) for a in table[s])
            for s in range(len(table))
        ]
    return v


ENVS = [
    ("FrozenLake-v1", {"map_name": "4x4"}, 40),
    ("FrozenLake-v1", {"map_name": "4x4", "is_slippery": False}, 6),
    ("FrozenLake-v1", {"map_name": "8x8"}, 60),
    ("CliffWalking-v1", {}, 30),
    ("CliffWalking-v1", {"is_slippery": True}, 30),
    ("Taxi-v4", {}, 20),
]


@pytest.mark.parametrize(("name", "options", "H"), ENVS)
def test_values_match_the_table(name: str, options: dict[str, Any], H: int) -> None:
    env = gymnasium.make(name, **options)
    raw = env.unwrapped
    m = from_gymnasium(env, criterion=FiniteHorizon(H))
    V = plan(m).V[0]
    expected = np.array(values(raw, H))
    start = raw.initial_state_distrib
    assert np.abs(m.mu0[: len(expected)] - start).max() == 0
    # states that only the end of an episode enters have value 0 here, whatever their unused row of the table says
    live = np.flatnonzero((m.P[: len(expected), :, : len(expected)].sum(axis=(1, 2)) > 0) & (V[: len(expected)] != 0))
    assert live.size > 0
    assert np.abs(V[live] - expected[live]).max() < 1e-10 * max(1.0, np.abs(expected).max())
    assert m.mu0 @ V == pytest.approx(start @ expected, rel=1e-12)


def test_frozen_lake_layout() -> None:
    m = from_gymnasium("FrozenLake-v1", criterion=FiniteHorizon(100))
    assert (m.S, m.A, m.reward_law.kind) == (16, 4, "bernoulli")
    for s in (5, 7, 11, 12, 15):  # four holes and the goal
        assert (m.P[s, :, s] == 1).all() and (m.r[s] == 0).all()
    assert m.r[14, 2] == pytest.approx(1 / 3) and m.name == "gymnasium-FrozenLake-v1"


def test_families_through_gymnasium() -> None:
    m = mdps.models.frozen_lake(map_name="8x8", H=200)
    assert (m.S, m.H, m.name) == (64, 200, "frozen-lake-8x8")
    assert m.digest == from_gymnasium(gymnasium.make("FrozenLake8x8-v1"), criterion=FiniteHorizon(200)).digest
    dry = mdps.models.frozen_lake(is_slippery=False, H=6)
    assert plan(dry).V[0, 0] == 1.0 and plan(mdps.models.frozen_lake(is_slippery=False, H=5)).V[0, 0] == 0.0
    cliff = mdps.models.cliff_walking(H=13)
    assert plan(cliff).V[0, 36] == -13.0 and cliff.reward_law == RewardLaw("deterministic", -100.0, 0.0)
    assert mdps.models.cliff_walking(criterion=AverageReward()).setting == "average"


def test_a_state_entered_both_ways_gets_an_appended_absorbing_state() -> None:
    # state 1 ends the episode with probability 1/2 when entered from 0, and is passed through from 2
    table = {
        0: {0: [(0.5, 1, 2.0, True), (0.5, 2, 0.0, False)]},
        1: {0: [(1.0, 0, 1.0, False)]},
        2: {0: [(1.0, 1, 0.0, False)]},
    }
    m = from_gymnasium(Table(table, [1.0, 0, 0]), criterion=FiniteHorizon(5))
    assert m.S == 4 and m.P[3, 0, 3] == 1 and m.P[0, 0].tolist() == [0, 0, 0.5, 0.5]
    assert m.r[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert plan(m).V[0, :3].tolist() == values(Table(table), 5)
    assert m.reward_law == RewardLaw("deterministic", 0.0, 2.0)


def test_an_initial_state_is_never_made_absorbing() -> None:
    table = {0: {0: [(1.0, 1, 0.0, False)]}, 1: {0: [(1.0, 0, 1.0, True)]}}
    m = from_gymnasium(Table(table, [1.0, 0.0]), criterion=FiniteHorizon(4))
    assert m.S == 3 and plan(m).V[0].tolist() == [1.0, 1.0, 0.0]


def test_constant_rewards_stay_exact_under_rounded_probabilities() -> None:
    third = [(0.33333333333333337, 0, -0.3, False), (0.3333333333333333, 0, -0.3, False)]
    m = from_gymnasium(Table({0: {0: [*third, third[0]]}}), criterion=FiniteHorizon(2))
    assert m.r[0, 0] == -0.3 and m.reward_law == RewardLaw("deterministic", -0.3, -0.3)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (object(), "environment 'object' has no transition table"),
        ("CartPole-v1", "'CartPole-v1' has no transition table.*TabularMDP"),
        ("NoSuchLake-v1", "cannot make 'NoSuchLake-v1'"),
        (Table({0: {0: [(1.0, 3, 0.0, False)]}}), r"P\[0\]\[0\] has an entry .* next state 3.*0\.\.0"),
        (Table({0: {0: [(-1.0, 0, 0.0, False)]}}), r"P\[0\]\[0\] has an entry with probability -1\.0"),
        (Table({0: {0: [(0.5, 0, 0.0, False)]}}), r"P\[0,0,:\] sums to 0\.5"),
        (Table({0: {0: []}}), r"P\[0,0,:\] sums to 0\.0"),
        (Table({0: {0: [(1.0, 0, 0.0)]}}), "malformed at state 0"),
        (Table({1: {0: []}}), "malformed at state 0"),
        (Table({0: {0: [(1.0, 1, 0.0, False)]}, 1: {}}), "state 1 has 0 actions, state 0 has 1"),
        (Table({0: {0: [(1.0, 0, 0.0, False)]}}, [0.5, 0.5]), r"initial law has shape \(2,\); expected \(1,\)"),
    ],
)
def test_bad_environments(env: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_gymnasium(env, criterion=FiniteHorizon(2))


def test_missing_initial_law() -> None:
    bare = Table({0: {0: [(1.0, 0, 0.0, False)]}})
    del bare.initial_state_distrib
    with pytest.raises(InputError, match="no initial_state_distrib; give mu0="):
        from_gymnasium(bare, criterion=FiniteHorizon(2))
    assert from_gymnasium(bare, criterion=FiniteHorizon(2), mu0=[1.0]).mu0.tolist() == [1.0]


def test_rescale_rewards() -> None:
    m = mdps.models.cliff_walking(H=20)
    unit = rescale(m)
    assert unit.reward_law == RewardLaw("deterministic", 0.0, 1.0)
    assert np.allclose(plan(unit).V[0], (plan(m).V[0] + 100 * 20) / 100, rtol=1e-13)
    wide = rescale(m, low=-100, high=100)
    assert wide.r.min() == 0.0 and wide.r.max() == 0.5
    noisy = TabularMDP(P=[[[1.0]]], r=[[3.0]], reward_law=RewardLaw("gaussian", 1.0, 5.0, 2.0))
    assert rescale(noisy).r[0, 0] == 0.5 and rescale(noisy).reward_law.sd == 0.5


def test_rescale_rewards_refuses() -> None:
    m = mdps.models.cliff_walking(H=20)
    with pytest.raises(InputError, match=r"\[-100\.0, 0\.0\] is not inside \[-50\.0, 0\.0\]"):
        rescale(m, low=-50)
    with pytest.raises(InputError, match="not a range"):
        rescale(m, low=1, high=1)
    with pytest.raises(InputError, match="0 or 1 already"):
        rescale(mdps.models.frozen_lake(), high=2)
    goal = mdps.models.cliff_walking(criterion=ShortestPath(47))
    with pytest.raises(InputError, match="shortest-path"):
        rescale(goal)


def test_the_unused_row_of_an_ended_state_does_not_count_as_an_entry() -> None:
    # state 1 only ends episodes; its own self-loop is never taken, so no state has to be appended
    table = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(1.0, 1, 5.0, False)]}}
    m = from_gymnasium(Table(table, [1.0, 0.0]), criterion=FiniteHorizon(4))
    assert m.S == 2 and plan(m).V[0].tolist() == [1.0, 0.0] and m.reward_law.kind == "bernoulli"

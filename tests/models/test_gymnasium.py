"""Models read from transition tables: values against a solver that walks the table itself."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import bandits
import mdps
from theorylab.errors import InputError
from theorylab.model import AverageReward, Discounted, FiniteHorizon, RewardLaw, ShortestPath, TabularMDP
from theorylab.plan import plan

from_gymnasium, to_gymnasium = mdps.models.from_gymnasium, mdps.models.to_gymnasium
rescale = mdps.models.rescale_rewards
M = mdps.models


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


def test_a_given_reward_law_replaces_the_one_that_was_seen() -> None:
    law = RewardLaw("gaussian", 0.0, 2.0, sd=0.5)
    table = Table({0: {0: [(1.0, 0, 1.5, False)]}})
    assert from_gymnasium(table, criterion=FiniteHorizon(2), reward_law=law).reward_law == law
    with pytest.raises(InputError, match=r"r\[0,0\] is 1\.5, outside"):
        from_gymnasium(table, criterion=FiniteHorizon(2), reward_law=RewardLaw("deterministic"))


def test_tables_held_here_are_gymnasiums() -> None:
    for name, slippery in (("4x4", True), ("4x4", False), ("8x8", True)):
        theirs = gymnasium.make("FrozenLake-v1", map_name=name, is_slippery=slippery)
        m = M.frozen_lake(map_name=name, is_slippery=slippery, H=7)
        other = from_gymnasium(theirs, criterion=FiniteHorizon(7))
        # last bits differ between versions of Gymnasium
        assert np.abs(m.P - other.P).max() <= 2**-53 and np.abs(m.r - other.r).max() <= 2**-53
        assert (m.mu0 == other.mu0).all() and m.reward_law == other.reward_law
    taxi = next(k for k in ("Taxi-v4", "Taxi-v3") if k in gymnasium.registry)
    assert M.taxi(H=9).digest == from_gymnasium(taxi, criterion=FiniteHorizon(9)).digest


def test_taxi() -> None:
    m = M.taxi(H=18)  # no delivery takes longer than 18 steps
    assert (m.S, m.A, m.mu0.sum(), (m.mu0 > 0).sum()) == (501, 6, pytest.approx(1.0), 300)
    assert (m.P[500, :, 500] == 1).all() and (m.r[500] == 0).all()
    V = plan(m).V[0]
    assert m.mu0 @ V == pytest.approx(7.93, abs=1e-12) and V[m.mu0 > 0].min() == 3.0


# models as environments

ROUND = [
    M.riverswim(),
    M.riverswim(variant="strehl", horizon=4, rewards="bernoulli"),
    M.riverswim(start="uniform", noise=0.3),
    M.frozen_lake(),
    M.cliff_walking(H=30),
    M.cliff_walking(criterion=ShortestPath(47)),
    M.taxi(),
    M.deep_sea(N=5),
    M.access_control(),
    M.combination_lock(),
    replace(M.garnet(seed=3), criterion=Discounted(0.9)),
    M.gridworld(layout="S.S/..G", slip=0.3),
]


@pytest.mark.parametrize("m", ROUND, ids=lambda m: f"{m.name}-{m.setting}")
def test_round_trip_gives_the_same_arrays_back(m: TabularMDP) -> None:
    back = from_gymnasium(to_gymnasium(m), criterion=m.criterion, reward_law=m.reward_law)
    assert back.digest == m.digest


def test_round_trip_of_a_goal_that_is_not_absorbing() -> None:
    m = M.riverswim(criterion=ShortestPath(5))
    back = from_gymnasium(to_gymnasium(m), criterion=m.criterion, reward_law=m.reward_law)
    assert (back.P[:5] == m.P[:5]).all() and (back.r[:5] == m.r[:5]).all()
    assert (back.P[5, :, 5] == 1).all() and (back.r[5] == 0).all()


def test_round_trip_of_a_sparse_model() -> None:
    m = M.four_rooms(sparse=True)
    back = from_gymnasium(to_gymnasium(m), criterion=m.criterion, reward_law=m.reward_law)
    assert back.digest == M.four_rooms().digest


@pytest.mark.parametrize("m", [*ROUND[:3], ROUND[5], ROUND[10]], ids=lambda m: f"{m.name}-{m.setting}")
def test_gymnasiums_own_checker(m: TabularMDP) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # an environment without an id cannot be made anew for the check of its render modes: it has none
        check_env(to_gymnasium(m), skip_render_check=True)


def rollout(m: TabularMDP, steps: int, seed: int = 0) -> list[tuple[int, int, float, int, bool, bool]]:
    """(state, action, reward, next state, terminated, truncated) under uniform actions, reset where episodes end."""
    env = to_gymnasium(m)
    state, info = env.reset(seed=seed)
    actions = np.random.default_rng(seed).integers(m.A, size=steps)
    out = []
    assert info == {"stage": 0}
    for a in actions.tolist():
        following, reward, terminated, truncated, _ = env.step(a)
        out.append((state, a, reward, following, terminated, truncated))
        state = env.reset()[0] if terminated or truncated else following
    return out


def test_steps_follow_the_model() -> None:
    m = M.garnet(S=4, A=2, b=3, seed=2, start="uniform", rewards="bernoulli")
    n = 40_000
    seen = rollout(m, n)
    N, wins = np.zeros((4, 2, 4)), np.zeros((4, 2))
    for s, a, reward, s2, terminated, truncated in seen:
        assert reward in (0.0, 1.0) and not terminated and not truncated
        N[s, a, s2] += 1
        wins[s, a] += reward
    visits = N.sum(axis=-1)
    assert visits.min() > 500 and (N[m.P == 0] == 0).all()
    # 5 standard deviations of a proportion of at least 500 draws, seeds fixed
    assert (np.abs(N / visits[..., None] - m.P) < 5 * np.sqrt(0.25 / visits[..., None])).all()
    assert (np.abs(wins / visits - m.r) < 5 * np.sqrt(0.25 / visits)).all()
    assert rollout(m, 500) == seen[:500] != rollout(m, 500, seed=1)


def test_first_states_and_reward_laws() -> None:
    m = M.riverswim(start="uniform", noise=0.5)
    env = to_gymnasium(m)
    env.reset(seed=0)
    count = np.bincount([env.reset()[0] for _ in range(6000)], minlength=6)
    assert count.min() > 850 and count.sum() == 6000
    noise = [x for s, a, x, *_ in rollout(m, 6000) if (s, a) != (0, 0)]
    assert abs(np.mean(noise)) < 0.05 and abs(np.std(noise) - 0.5) < 0.03
    plain = {(s, a): x for s, a, x, *_ in rollout(M.riverswim(), 3000)}
    assert plain[0, 0] == 0.005 and plain[0, 1] == 0.0


def test_a_finite_horizon_truncates_and_a_goal_terminates() -> None:
    seen = rollout(M.riverswim(horizon=4), 40)
    assert [x[5] for x in seen] == [False, False, False, True] * 10 and not any(x[4] for x in seen)
    goal = rollout(M.cliff_walking(is_slippery=True, criterion=ShortestPath(24)), 4000)
    assert any(x[4] for x in goal) and all(x[4] == (x[3] == 24) for x in goal) and not any(x[5] for x in goal)
    env = to_gymnasium(M.riverswim(horizon=1))
    with pytest.raises(gymnasium.error.ResetNeeded, match="call reset"):
        env.step(0)
    env.reset(seed=0)
    assert env.step(0)[3:] == (True, {"stage": 1})
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    env.reset()
    with pytest.raises(gymnasium.error.InvalidAction, match=r"action 2 is not in 0\.\.1"):
        env.step(2)


def test_transitions_that_depend_on_the_stage() -> None:
    # stage h moves by h + 1 for sure: the states of an episode name the stages
    P = np.stack([np.roll(np.eye(7), h + 1, axis=1)[:, None, :] for h in range(3)])
    m = TabularMDP(P=P, r=np.zeros((7, 1)), criterion=FiniteHorizon(3))
    assert [x[3] for x in rollout(m, 6)] == [1, 3, 6, 1, 3, 6]
    env = to_gymnasium(m)
    assert not hasattr(env, "P")
    with pytest.raises(InputError, match="has no transition table"):
        from_gymnasium(env, criterion=FiniteHorizon(3))


def test_environments_can_be_copied_and_vectorised() -> None:
    env = pickle.loads(pickle.dumps(to_gymnasium(M.riverswim(horizon=3))))
    assert env.reset(seed=0)[0] == 0
    vector = gymnasium.vector.SyncVectorEnv([lambda: to_gymnasium(M.riverswim(horizon=3))] * 2)
    states, _ = vector.reset(seed=0)
    assert states.tolist() == [0, 0] and vector.step(np.array([0, 1]))[1].tolist() == [0.005, 0.0]


def test_models_that_make_no_environment() -> None:
    with pytest.raises(InputError, match="to_gymnasium: got a Bandit; give a TabularMDP"):
        to_gymnasium(bandits.models.bernoulli())
    with pytest.raises(InputError, match=r"mu0\[0\] is 1\.0, the goal: an episode cannot start where it ends"):
        to_gymnasium(M.riverswim(criterion=ShortestPath(0)))

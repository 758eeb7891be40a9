"""The transcriptions against golden numbers, closed forms and a linear program.

They judge the fast learners, so they are themselves checked here against what does not share their code: the numbers
of the paper notes (six decimals), the weights alpha_t^i, the inner maximum as a linear program, one MDP solved by hand.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from .ucb1 import UCB1
from .ucb_h import UCBH
from .ucrl2 import UCRL2, inner_maximum
from .uniform import uniform_arm

Floats = NDArray[np.float64]


# UCB1


def test_ucb1_golden_index() -> None:
    learner = UCB1(A=2)
    for _ in range(5):
        learner.learn(0, 1.0)
        learner.learn(0, 0.0)
    for _ in range(90):
        learner.learn(1, 0.5)
    assert learner.act(100) == 0  # same mean, fewer plays
    assert learner.index[0] == pytest.approx(1.459705, abs=5e-7)
    assert learner.index[1] == pytest.approx(0.5 + math.sqrt(2 * math.log(100) / 90), rel=1e-14)


def test_ucb1_first_plays_each_arm_once_in_order_then_breaks_ties_low() -> None:
    learner = UCB1(A=4)
    played = []
    for t in range(5):
        played.append(learner.act(t))
        assert learner.index.any() == (t == 4)  # no index before every arm has been played
        learner.learn(played[-1], 0.25)
    assert played == [0, 1, 2, 3, 0]
    assert learner.index == pytest.approx(np.full(4, 0.25 + math.sqrt(2 * math.log(4))), rel=1e-14)


def test_ucb1_scale_multiplies_the_bonus_only() -> None:
    # at t = 3 with N = (2, 1): means (.9, .2), bonuses sqrt(ln 3) and sqrt(2 ln 3)
    def arm(scale: float) -> tuple[int, Floats]:
        learner = UCB1(A=2, scale=scale)
        for a, r in ((0, 0.9), (1, 0.2), (0, 0.9)):
            learner.learn(a, r)
        return learner.act(3), learner.index

    greedy, index = arm(0.0)
    assert greedy == 0 and index == pytest.approx([0.9, 0.2])
    bold, index = arm(2.0)  # 2 (sqrt 2 - 1) sqrt(ln 3) = .868 exceeds the gap .7
    assert bold == 1
    assert index == pytest.approx([0.9 + 2 * math.sqrt(math.log(3)), 0.2 + 2 * math.sqrt(2 * math.log(3))])


def test_ucb1_refuses_a_round_number_that_leaves_out_plays() -> None:
    learner = UCB1(A=1)
    learner.learn(0, 1.0)
    with pytest.raises(AssertionError, match="every round"):
        learner.act(0)


# UCB-H


def last_stage_q(c: float, rewards: list[float], H: int = 20) -> UCBH:
    """Drive the last stage, where the next value is zero, so Q is linear in the rewards and in the bonuses."""
    learner = UCBH(S=1, A=1, H=H, K=1000, delta=0.05, c=c)
    for r in rewards:
        learner.learn(H - 1, 0, 0, r, 0)
    return learner


def test_ucbh_weights_have_the_golden_sums() -> None:
    t, H = 50, 20
    # no bonus, reward 1 at visit i alone: Q is the weight alpha_t^i (the start value H is forgotten since alpha_1 = 1)
    weights = np.array([last_stage_q(0.0, [float(j == i) for j in range(t)]).Q[H - 1, 0, 0] for i in range(t)])
    assert weights.sum() == pytest.approx(1.0, abs=1e-13)
    assert (weights**2).sum() == pytest.approx(0.179396, abs=5e-7)
    assert weights.max() <= 2 * H / t
    assert (weights / np.sqrt(np.arange(1, t + 1))).sum() == pytest.approx(0.144852, abs=5e-7)


def test_ucbh_bonuses_carry_the_same_weights() -> None:
    t, H = 50, 20
    iota = math.log(1 * 1 * (1000 * H) / 0.05)
    learner = last_stage_q(1.0 / math.sqrt(H**3 * iota), [0.0] * t)  # the bonus of visit i is then 1/sqrt(i)
    assert learner.bonus == pytest.approx(1 / math.sqrt(t), rel=1e-13)
    assert learner.Q[H - 1, 0, 0] == pytest.approx(0.144852, abs=5e-7)


def test_ucbh_two_updates_by_hand() -> None:
    # H = 2: alpha_1 = 1, alpha_2 = 3/4; V is capped at H, Q is not, and the row after the last stage stays zero
    learner = UCBH(S=2, A=2, H=2, K=5, delta=0.1, c=0.1)
    b1 = 0.1 * math.sqrt(8 * math.log(2 * 2 * 10 / 0.1))
    assert np.all(learner.Q == 2.0) and np.all(learner.V[:2] == 2.0) and np.all(learner.V[2] == 0.0)
    assert learner.act(0, 1) == 0
    learner.learn(0, 1, 0, 0.5, 0)
    first = 0.5 + 2.0 + b1
    assert learner.Q[0, 1, 0] == pytest.approx(first, rel=1e-14) and first > 2.0
    assert learner.V[0, 1] == 2.0
    learner.learn(1, 0, 0, 0.25, 1)
    learner.learn(1, 0, 1, 0.5, 1)
    value = max(0.25 + b1, 0.5 + b1)
    assert value < 2.0 and learner.V[1, 0] == pytest.approx(value, rel=1e-14)
    assert learner.act(1, 0) == 1
    learner.learn(0, 1, 0, 1.0, 0)
    assert learner.Q[0, 1, 0] == pytest.approx(first / 4 + 0.75 * (1.0 + value + b1 / math.sqrt(2)), rel=1e-14)
    assert learner.N[0].tolist() == [[0, 0], [2, 0]] and learner.N[1].tolist() == [[1, 1], [0, 0]]
    assert np.all(learner.V[2] == 0.0)


# UCRL2


def test_ucrl2_golden_radii() -> None:
    learner = UCRL2(S=6, A=2, delta=0.05)
    learner.t = 999
    learner.nu[:] = 100
    learner.P[:, :, 0] = 100.0
    learner.start_episode()
    assert learner.t_k == 1000 and np.all(learner.N == 100) and not learner.nu.any()
    assert learner.radius_r == pytest.approx(np.full((6, 2), 0.676649), abs=5e-7)
    assert learner.radius_p == pytest.approx(np.full((6, 2), 3.079516), abs=5e-7)


def test_ucrl2_golden_inner_maximum() -> None:
    p = inner_maximum(np.array([0.2, 0.3, 0.5]), 0.4, np.array([3.0, 2.0, 1.0]))
    assert p == pytest.approx([0.4, 0.3, 0.3], abs=1e-15)


def test_inner_maximum_corner_cases() -> None:
    equal = inner_maximum(np.array([0.5, 0.25, 0.25]), 0.25, np.zeros(3))
    assert equal.tolist() == [0.625, 0.25, 0.125]  # equal values: state 0 is best, state 2 is worst
    unvisited = inner_maximum(np.zeros(3), 2.0, np.array([0.0, 1.0, 0.0]))
    assert unvisited.tolist() == [0.0, 1.0, 0.0]
    with pytest.raises(AssertionError, match="sum to one"):
        inner_maximum(np.zeros(3), 1.0, np.array([0.0, 1.0, 0.0]))


def largest_mean(p_hat: Floats, radius: float, u: Floats) -> float:
    """max p.u over distributions p with ||p - p_hat||_1 <= radius, as a linear program in (p, e), |p - p_hat| <= e."""
    S = len(u)
    eye = np.eye(S)
    A_ub = np.block([[eye, -eye], [-eye, -eye], [np.zeros((1, S)), np.ones((1, S))]])
    b_ub = np.concatenate([p_hat, -p_hat, [radius]])
    A_eq = np.concatenate([np.ones(S), np.zeros(S)])[None, :]
    solution = linprog(np.concatenate([-u, np.zeros(S)]), A_ub=A_ub, b_ub=b_ub, A_eq=A_eq, b_eq=[1.0], bounds=(0, None))
    assert solution.status == 0
    return float(-solution.fun)


@pytest.mark.parametrize("radius", [0.01, 0.3, 1.0, 1.9, 2.5])
def test_inner_maximum_solves_the_linear_program(radius: float) -> None:
    rng = np.random.default_rng(7)
    for S in (1, 2, 3, 5, 8):
        for _ in range(4):
            counts = rng.integers(0, 4, size=S)
            counts[rng.integers(S)] += 1
            p_hat = np.asarray(counts / counts.sum(), dtype=np.float64)
            u = rng.integers(0, 5, size=S).astype(np.float64)  # zeros in p_hat and equal values of u occur
            p = inner_maximum(p_hat, radius, u)
            assert p.min() >= 0.0 and np.abs(p - p_hat).sum() <= radius + 1e-12
            assert float(p @ u) == pytest.approx(largest_mean(p_hat, radius, u), abs=1e-8)


def test_ucrl2_first_episode_by_hand() -> None:
    # no data: every optimistic reward is sqrt(3.5 ln(2 S A / delta)), so one backup has span 0 and action 0 wins ties
    learner = UCRL2(S=3, A=2, delta=0.1)
    assert learner.act(2) == 0
    top = math.sqrt(3.5 * math.log(2 * 3 * 2 / 0.1))
    assert learner.episodes == 1 and learner.t_k == 1 and learner.t == 0 and learner.iterations == 1
    assert learner.u.tolist() == [0.0, 0.0, 0.0] and learner.u_next == pytest.approx([top] * 3, rel=1e-14)
    assert learner.pi.tolist() == [0, 0, 0] and not learner.p_hat.any()
    learner.learn(2, 0, 0.5, 1)
    assert learner.act(1) == 0 and learner.episodes == 1  # the pair (1, 0) is still unplayed
    learner.learn(1, 0, 0.5, 2)
    learner.act(2)  # (2, 0) has been played max(1, 0) times: a new episode starts before it is played again
    assert learner.episodes == 2 and learner.t_k == 3 and learner.t == 2
    assert learner.N.tolist() == [[0, 0], [1, 0], [1, 0]] and not learner.nu.any()
    assert learner.p_hat[2, 0].tolist() == [0.0, 1.0, 0.0] and learner.r_hat[2, 0] == 0.5


def test_ucrl2_reward_cap_is_off_unless_asked_for() -> None:
    plain, capped = UCRL2(S=2, A=1, delta=0.1), UCRL2(S=2, A=1, delta=0.1, reward_cap=1.0)
    plain.act(0)
    capped.act(0)
    assert plain.u_next.min() > 1.0 and capped.u_next.tolist() == [1.0, 1.0]


# Two states. Action 1 moves to the other state with reward 1, action 0 stays with reward 0: the best policy is (1, 1),
# gain 1, and both states keep being visited, so the policy has to be right in both.
NEXT = ((0, 1), (1, 0))


def best_gain() -> tuple[float, tuple[int, ...]]:
    """The largest gain over the four stationary policies, by running each for an even number of steps from state 0."""
    gains = {}
    for pi in itertools.product((0, 1), repeat=2):
        s, total = 0, 0
        for _ in range(100):
            s, total = NEXT[s][pi[s]], total + pi[s]
        gains[pi] = total / 100
    winner = max(gains, key=lambda pi: gains[pi])
    return gains[winner], winner


def test_ucrl2_finds_the_best_policy_of_a_known_mdp() -> None:
    gain, best = best_gain()
    S, A, T = 2, 2, 6000
    learner = UCRL2(S, A, delta=0.05)
    s, late_regret, episodes = 0, 0.0, 0
    for t in range(T):
        a = learner.act(s)
        if learner.episodes > episodes:  # what every plan must satisfy
            episodes = learner.episodes
            step = learner.u_next - learner.u
            assert step.max() - step.min() < 1 / math.sqrt(t + 1)
            assert step.max() >= gain  # optimism: p_hat is exact here, so the true MDP is always plausible
            assert np.array_equal(learner.u_next, learner.q.max(axis=1))
            assert episodes <= S * A * math.log2(8 * (t + 1) / (S * A)) or t + 1 < S * A
        s2, r = NEXT[s][a], float(a)
        learner.learn(s, a, r, s2)
        assert np.all(learner.nu <= np.maximum(1, learner.N))  # no pair is played past its doubling
        late_regret += (gain - r) * (t >= T // 2)
        s = s2
    assert gain == 1.0 and tuple(learner.pi) == best == (1, 1)
    assert learner.t == T == learner.N.sum() + learner.nu.sum()
    assert S * A < learner.episodes <= S * A * math.log2(8 * T / (S * A))
    assert late_regret <= 0.02 * T / 2


# uniform arm


def test_uniform_arm_cuts_the_unit_interval_into_equal_parts() -> None:
    assert [uniform_arm(u, 4) for u in (0.0, 0.2499, 0.25, 0.5, 0.7499, 0.75)] == [0, 0, 1, 2, 2, 3]
    largest = 1.0 - 2.0**-53
    assert all(uniform_arm(largest, A) == A - 1 for A in range(1, 2000))
    assert uniform_arm(1.0, 5) == 4  # the guard
